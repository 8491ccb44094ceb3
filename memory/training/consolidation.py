"""Streams into the prior that a new memory begins with: the offline part of learned consolidation.

An event was worth keeping if its thing was met again later in its stream, or if questions point at it
(labels.py). A low-rank energy e(k) = sum_h sign_h (w_h . k)^2 is fitted to that. It begins as the contrastive PCA
that bank/utility.py computes on the way, and follows the gradient of three terms: cross-entropy; each worthy event
above every other (pairwise ranking); and no more expected worth than there are worthy events (capacity). The
logarithm of the surprise stands beside the energy, so that the energy says what surprise does not.

Every fourth stream is held out: training stops when their loss no longer falls, and what comes out has to prove
itself on them (validation.py). What does not is given no weight. Seeds are fixed and torch has one thread;
with OMP_NUM_THREADS=1, so that numpy has one too, the same streams give the same file on one machine.

Shapes: N events; D embedding dimension; H rows of the energy; B batch.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from hippocam.memory.bank.config import BankConfig
from hippocam.memory.bank.utility import MIN_AGAIN, Prior
from hippocam.memory.training.auc import auc
from hippocam.memory.training.labels import Fade, fit_fade, label, meetings
from hippocam.memory.training.streams import TrainingStream
from hippocam.memory.training.validation import WITHOUT, Part, Trial, choose_events, rules, try_out, with_prior
from hippocam.stream.errors import HippocamError
from hippocam.stream.records import FloatArray

if TYPE_CHECKING:
    import torch

_HOLD_OUT_EVERY = 4
# Least surprise, so that its logarithm is finite.
_LEAST_SURPRISE = 0.01
# Weights in the loss: of worthy events ranked below others, and of keeping another share than the one wanted.
_RANKING = 0.5
_CAPACITY = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """How to train.

    Attributes:
        rows: Rows of the energy, H, 1 or more.
        epochs: Passes over the events at most.
        patience: Passes without a better loss on the held-out streams, after which it ends.
        batch: Events a step.
        learning_rate: Learning rate of the rows, as a share of their mean length, above 0.
        weight_decay: Weight decay of all parameters, 0 or more.
        events: Weights that the prior is tried with, in events that were met again.
        seed: Seed of the order of the events, and of the noise when asking.
        bank: When two events are the same thing.
    """

    rows: int = 48
    epochs: int = 30
    patience: int = 3
    batch: int = 512
    learning_rate: float = 3e-3
    weight_decay: float = 1e-3
    events: tuple[float, ...] = (100.0, 300.0, 1000.0)
    seed: int = 0
    bank: BankConfig = field(default_factory=BankConfig)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """The result of training, and what it is worth.

    Attributes:
        prior: What ships.
        streams: Number of streams, those held out among them.
        held_out: Number of those.
        events: Number of events in all.
        judged: Number of events with a label.
        worthy: Share of them that was worth keeping.
        epochs: Passes over the events up to the best loss.
        auc: Area under the ROC curve on the held-out streams, by the name of what ranks the events.
        fade: The decay that was fitted; the prior has it where it helped.
        trials: What was compared on the held-out streams.
    """

    prior: Prior
    streams: int
    held_out: int
    events: int
    judged: int
    worthy: float
    epochs: int
    auc: dict[str, float]
    fade: Fade
    trials: tuple[Trial, ...]


def train_consolidation(
    streams: Sequence[TrainingStream],
    config: TrainConfig | None = None,
    *,
    held_out: Sequence[TrainingStream] = (),
    progress: bool = True,
) -> Trained:
    """Learn from streams of one encoder which events are worth keeping.

    Args:
        streams: Four or more are best if none are held out by hand; fewer are cut into pieces.
        config: How to train.
        held_out: Streams to hold out; by default every fourth. If several streams show the same cameras or things,
            give some that do not, or the result measures how well these are known by heart.
        progress: Whether a bar on stderr shows the progress.

    Raises:
        HippocamError: Too little in the streams was met again or asked for.
    """
    config = config or TrainConfig()
    if not held_out:
        pieces = [piece for s in streams for piece in s.pieces(-(-_HOLD_OUT_EVERY // max(len(streams), 1)))]
        held_out = pieces[_HOLD_OUT_EVERY - 1 :: _HOLD_OUT_EVERY]
        streams = [piece for index, piece in enumerate(pieces) if (index + 1) % _HOLD_OUT_EVERY]
    training = [_part(stream, config) for stream in streams if len(stream) > 1]
    proving = [_part(stream, config) for stream in held_out if len(stream) > 1]
    _check(training, proving)
    parts = [*training, *proving]
    fade = fit_fade([part.stream for part in parts], [part.met for part in parts], config.bank)
    closed = closed_form(training, config.rows)
    with tqdm(
        total=config.epochs + 3 + len(config.events), desc="training", file=sys.stderr, disable=not progress
    ) as bar:
        prior, epochs = _descend(closed, training, proving, config, bar)
        bar.n, bar.desc = config.epochs, "trying out"
        trials = {}
        for name, (bank, tried) in rules(prior, config.events, config.bank).items():
            trials[name] = try_out(name, bank, tried, proving, config.seed)
            bar.update()
        prior = replace(prior, events=choose_events(trials, config.events))
        name = with_prior(prior.events) if prior.events else WITHOUT
        faded = replace(prior, fade_s=fade.fade_s, fade_power=fade.fade_power)
        bank = replace(config.bank, arm="product")
        fading = try_out(f"{name}, learned decay", bank, faded, proving, config.seed)
        bar.update()
    joined = _joined(proving)
    scores: dict[str, NDArray[Any]] = {
        "surprise": joined.surprises_N,
        "closed form": closed.energy(joined.keys_ND),
        "trained": prior.energy(joined.keys_ND),
    }
    return Trained(
        prior=faded if fading.beats(trials[name]) else prior,
        streams=len(parts),
        held_out=len(proving),
        events=sum(len(part.stream) for part in parts),
        judged=sum(int(part.labels.judged_N.sum()) for part in parts),
        worthy=float(_joined(parts).worth_N.mean()),
        epochs=epochs,
        auc={name: auc(values[joined.worth_N], values[~joined.worth_N]) for name, values in scores.items()},
        fade=fade,
        trials=(*trials.values(), fading),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Joined:
    """The judged events of some streams."""

    keys_ND: FloatArray
    surprises_N: NDArray[np.float64]
    worth_N: NDArray[np.bool_]


def _joined(part: Sequence[Part]) -> _Joined:
    return _Joined(
        keys_ND=np.concatenate([each.stream.keys_ND[each.labels.judged_N] for each in part]),
        surprises_N=np.concatenate([each.stream.surprises_N[each.labels.judged_N] for each in part]),
        worth_N=np.concatenate([each.labels.worth_N[each.labels.judged_N] for each in part]),
    )


def _part(stream: TrainingStream, config: TrainConfig) -> Part:
    met = meetings(stream, config.bank)
    return Part(stream=stream, met=met, labels=label(stream, met))


def _check(training: Sequence[Part], proving: Sequence[Part]) -> None:
    counts = [sum(int((p.labels.worth_N & p.labels.judged_N).sum()) for p in s) for s in (training, proving)]
    if counts[0] < MIN_AGAIN or not counts[1]:
        events = sum(len(part.stream) for part in (*training, *proving))
        raise HippocamError(
            f"{events} events, of which {counts[0]} were met again or asked for and {counts[1]} held out, are too "
            f"few ({MIN_AGAIN} and 1 are the least): watch more, give more memories, or questions"
        )


def closed_form(part: Sequence[Part], rows: int) -> Prior:
    """Contrastive PCA: the directions in which the second moments of worthy keys and of all keys differ most."""
    joined = _joined(part)
    keys_ND = joined.keys_ND.astype(np.float64)
    worthy_ND = keys_ND[joined.worth_N]
    values, vectors = np.linalg.eigh(
        worthy_ND.T @ worthy_ND / max(len(worthy_ND), 1) - keys_ND.T @ keys_ND / len(keys_ND)
    )
    order = np.argsort(-np.abs(values))[:rows]
    rows_HD = np.sqrt(np.abs(values[order]))[:, None] * vectors[:, order].T
    return Prior(
        rows=rows_HD.astype(np.float32), signs=np.where(values[order] < 0, -1, 1).astype(np.float32), events=0.0
    )


def _descend(
    prior: Prior,
    training: Sequence[Part],
    held_out: Sequence[Part],
    config: TrainConfig,
    bar: tqdm[Any],
) -> tuple[Prior, int]:
    """Improve the rows by gradient, to the least loss on the held-out streams; return the prior and its epoch."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        energy = _Energy(prior, _joined(training))
        optimizer = torch.optim.AdamW(
            [
                {"params": [energy.rows_HD], "lr": config.learning_rate * energy.length},
                {"params": [energy.others], "lr": 0.01},
            ],
            weight_decay=config.weight_decay,
        )
        order = torch.Generator().manual_seed(config.seed)
        keys_ND, surprises_N, worth_N = _tensors(_joined(training))
        judged = _tensors(_joined(held_out))
        best, best_epoch, least = prior, 0, float(energy.loss(*judged).detach())
        for epoch in range(1, config.epochs + 1):
            shuffled = torch.randperm(len(keys_ND), generator=order)
            for start in range(0, len(shuffled), config.batch):
                rows = shuffled[start : start + config.batch]
                loss = energy.loss(keys_ND[rows], surprises_N[rows], worth_N[rows])
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
            now = float(energy.loss(*judged).detach())
            bar.update()
            if now < least - 1e-5:
                best, best_epoch, least = energy.prior(prior), epoch, now
            elif epoch - best_epoch >= config.patience:
                break
    finally:
        torch.set_num_threads(threads)
    return best, best_epoch


def _tensors(joined: _Joined) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    import torch

    return (
        torch.from_numpy(np.ascontiguousarray(joined.keys_ND)),
        torch.from_numpy(np.log(joined.surprises_N + _LEAST_SURPRISE).astype(np.float32)),
        torch.from_numpy(joined.worth_N),
    )


class _Energy:
    """logit = exp(a) e(k) + b log surprise + c, in training.

    Args:
        prior: Where it begins; it is scaled so that energies have a deviation of 1.
        joined: The events that it is scaled on.
    """

    def __init__(self, prior: Prior, joined: _Joined) -> None:
        import torch

        spread = max(float(prior.energy(joined.keys_ND).std()), 1e-9)
        rows_HD = torch.from_numpy(prior.rows / np.sqrt(np.float32(spread)))
        self.rows_HD = torch.nn.Parameter(rows_HD)
        self.signs_H = torch.from_numpy(prior.signs)
        self.others = torch.nn.Parameter(torch.zeros(3))
        self.length = float(rows_HD.norm(dim=1).mean())
        self.share = float(joined.worth_N.mean())

    def loss(self, keys_BD: torch.Tensor, log_surprise_B: torch.Tensor, worth_B: torch.Tensor) -> torch.Tensor:
        """Cross-entropy, ranking and capacity."""
        import torch
        from torch.nn import functional

        energy_B = (keys_BD @ self.rows_HD.T).square() @ self.signs_H
        scale, of_surprise, base = self.others
        logit_B = scale.exp() * energy_B + of_surprise * log_surprise_B + base
        loss = functional.binary_cross_entropy_with_logits(logit_B, worth_B.float())
        worthy, others = logit_B[worth_B], logit_B[~worth_B]
        if len(worthy) and len(others):
            loss = loss + _RANKING * functional.softplus(others[None] - worthy[:, None]).mean()
        return loss + _CAPACITY * (torch.sigmoid(logit_B).mean() - self.share).square()

    def prior(self, like: Prior) -> Prior:
        """The energy as it is now."""
        return replace(like, rows=self.rows_HD.detach().numpy().copy())
