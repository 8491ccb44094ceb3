"""Trains a policy to do what an expert did (imitation), until it stops improving.

One thread and a fixed seed, so that one command gives the same policy on one machine.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn

Say = Callable[[str], None]


class Lessons(Protocol):
    """What is learned from."""

    def __len__(self) -> int:
        """How many there are."""

    def batch(self, rows: Sequence[int]) -> tuple[Any, Tensor]:
        """Some of them as the network reads them, with the expert's chunks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FitConfig:
    """How to train.

    Attributes:
        steps: Batches at most.
        batch: Lessons a batch.
        rate: Peak learning rate.
        decay: Weight decay.
        look: Batches between two looks at what was not trained on.
        patience: Looks without improvement before it ends.
        seed: Seed of all that is random.
    """

    steps: int = 3000
    batch: int = 256
    rate: float = 2e-3
    decay: float = 1e-3
    look: int = 200
    patience: int = 5
    seed: int = 0


class Look(NamedTuple):
    """One look at how training goes.

    Attributes:
        step: Batches so far.
        loss: Mean of the lessons since the last look.
        held_out: Loss of lessons that are not trained on.
    """

    step: int
    loss: float
    held_out: float


@dataclass(slots=True)
class Fitted:
    """What came of a training.

    Attributes:
        looks: How it went.
        best_step: The step whose weights are kept.
        seconds: How long it took.
    """

    looks: list[Look] = field(default_factory=list)
    best_step: int = 0
    seconds: float = 0.0


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch work on one thread: small products are slower on two, where these share a busy processor."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@one_thread()
def fit(
    network: nn.Module,
    lessons: Lessons,
    held_out: Lessons,
    config: FitConfig,
    *,
    say: Say,
    keep: Callable[[], None] = lambda: None,
) -> Fitted:
    """Train until the loss of what is held out stops falling; the best weights are left in the network.

    Args:
        network: Its `loss` takes what `batch` gives.
        lessons: To learn from.
        held_out: To see by when to stop.
        config: How.
        say: Takes a line at each look.
        keep: Called whenever the network is the best so far, to write a checkpoint.
    """
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    optimizer = torch.optim.AdamW(network.parameters(), lr=config.rate, weight_decay=config.decay)
    fitted, best, weights = Fitted(), math.inf, copy.deepcopy(network.state_dict())
    began_s, since = time.monotonic(), []
    for step in range(1, config.steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = (
                config.rate * min(1.0, step / 100) * (0.55 + 0.45 * math.cos(math.pi * step / config.steps))
            )
        network.train()
        loss = _loss(network, *lessons.batch(rng.integers(len(lessons), size=config.batch).tolist()))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        since.append(loss.item())
        if step % config.look == 0 or step == config.steps:
            look = Look(step, float(np.mean(since)), _held_out(network, held_out, config.batch))
            fitted.looks.append(look)
            since = []
            say(f"step {step} of {config.steps}: loss {look.loss:.3f}, held out {look.held_out:.3f}")
            if look.held_out < best:
                best, fitted.best_step = look.held_out, step
                weights = copy.deepcopy(network.state_dict())
                keep()
            elif step - fitted.best_step >= config.patience * config.look:
                break
    network.load_state_dict(weights)
    network.eval()
    fitted.seconds = time.monotonic() - began_s
    return fitted


def _loss(network: nn.Module, batch: Any, chunk_BH: Tensor) -> Tensor:
    loss: Tensor = network.loss(batch, chunk_BH)  # type: ignore[operator]
    return loss


@torch.no_grad()
def _held_out(network: nn.Module, lessons: Lessons, size: int) -> float:
    network.eval()
    torch.manual_seed(0)  # a flow's loss draws noise: the same at every look
    rows = np.arange(len(lessons))
    losses = [
        (_loss(network, *lessons.batch(part.tolist())).item(), len(part))
        for part in np.array_split(rows, max(1, math.ceil(len(rows) / size)))
    ]
    return sum(loss * count for loss, count in losses) / len(rows)
