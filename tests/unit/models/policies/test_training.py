"""Training stops when what is held out improves no more, and keeps the best."""

import torch
from torch import nn

from hippocam.models.policies.training import FitConfig, fit


class Line(nn.Module):
    """Learns a number."""

    def __init__(self):
        super().__init__()
        self.value = nn.Parameter(torch.zeros(()))

    def loss(self, batch, chunk_BH):
        return ((self.value - chunk_BH) ** 2).mean()


class Numbers:
    """Always the same number."""

    def __init__(self, number):
        self.number = number

    def __len__(self):
        return 8

    def batch(self, rows):
        return None, torch.full((len(rows),), float(self.number))


def trained(held_out, **config):
    network, said, kept = Line(), [], []
    fitted = fit(
        network,
        Numbers(1.0),
        Numbers(held_out),
        FitConfig(rate=0.05, look=20, batch=4, decay=0.0, **config),
        say=said.append,
        keep=lambda: kept.append(network.value.item()),
    )
    return network.value.item(), fitted, said, kept


def test_it_goes_on_while_it_improves():
    value, fitted, said, _ = trained(1.0, steps=400)
    assert abs(value - 1.0) < 0.05
    assert len(said) == len(fitted.looks)


def test_it_stops_and_keeps_the_best_that_was_seen():
    value, fitted, _, kept = trained(0.5, steps=4000, patience=3)
    assert fitted.looks[-1].step == fitted.best_step + 60 < 4000
    assert value == kept[-1]
    assert min(look.held_out for look in fitted.looks) == next(
        look.held_out for look in fitted.looks if look.step == fitted.best_step
    )


def test_one_seed_gives_one_policy():
    assert trained(1.0, steps=40)[0] == trained(1.0, steps=40)[0]
