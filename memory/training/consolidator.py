"""Trains the network of sleep (sleep/network.py) on banks of other streams. Nobody labels anything.

In a bank whose entries were grouped, a view that was held out of an entry should be nearer to the key of the
entry's group than to that of any other group: InfoNCE over all merged keys of the bank (van den Oord et al. 2018).
And a view's belief should be spread over the groups as it was over their entries in the full bank (distillation,
Hinton et al. 2015). Groups whose entries have more spans than one entry keeps cost extra.

Shapes: as in sleep/windows.py; Q views, M keys of a consolidated bank.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from hippocam.memory.sleep.network import assign, compose, shapes, tokens
from hippocam.memory.sleep.views import LEAST_COSINE, cosines_of, draw
from hippocam.memory.sleep.windows import WINDOW, EntryFeatures, Windows, neighbourhoods, windows_of
from hippocam.memory.spans import MAX_SPANS
from hippocam.memory.training.lessons import Lesson
from hippocam.stream.records import FloatArray

# How many times faster the few parameters that weigh keys learn.
_KEY_RATE = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """How to train.

    Attributes:
        steps: Number of batches, each of one bank.
        views: Views that are drawn for a batch.
        learning_rate: Peak of the one-cycle schedule.
        temperature: Temperature of the views' beliefs.
        distil: Weight of the full bank's beliefs against the true groups.
        crowded: Weight of spans that one entry cannot hold.
        thinned: Share of a bank's entries that is left out of a batch at most, so that windows differ.
        seed: Seed of the initial weights, batches and views.
    """

    steps: int = 1200
    views: int = 384
    learning_rate: float = 2e-3
    temperature: float = 0.05
    distil: float = 0.5
    crowded: float = 0.02
    thinned: float = 0.5
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How training went: mean loss of the first and the last tenth of the batches, and seconds."""

    first_loss: float
    last_loss: float
    seconds: float


def train(
    lessons: Sequence[Lesson], config: TrainConfig | None = None, *, progress: bool = True
) -> tuple[dict[str, FloatArray], Report]:
    """Train the network.

    Args:
        lessons: Banks of streams that nothing is tested on.
        config: How to train.
        progress: Whether a bar on stderr shows the progress.

    Returns:
        The parameters, float32, and how it went.
    """
    config, began = config or TrainConfig(), time.monotonic()
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    params = {name: _start(name, shape) for name, shape in shapes().items()}
    rates = {True: _KEY_RATE * config.learning_rate, False: config.learning_rate}
    groups = [
        {"params": [value for name, value in params.items() if name.startswith("key.") == of_key], "lr": rate}
        for of_key, rate in rates.items()
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, list(rates.values()), total_steps=config.steps, pct_start=0.1
    )
    losses = list[float]()
    for _ in tqdm(range(config.steps), desc="training", file=sys.stderr, disable=not progress):
        loss = _loss(params, lessons[int(rng.integers(len(lessons)))], config, rng)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(params.values(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(float(loss.detach()))
    tenth = max(1, len(losses) // 10)
    found = {name: value.detach().numpy() for name, value in params.items()}
    return found, Report(
        first_loss=float(np.mean(losses[:tenth])),
        last_loss=float(np.mean(losses[-tenth:])),
        seconds=time.monotonic() - began,
    )


def save(params: dict[str, FloatArray], path: Path) -> None:
    """Write parameters as float16, as they ship."""
    from safetensors.numpy import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: np.ascontiguousarray(value, dtype=np.float16) for name, value in params.items()}, path)


def _start(name: str, shape: tuple[int, ...]) -> Tensor:
    if name == "key.rel2b":
        return torch.tensor([2.0, -4.0], requires_grad=True)  # members count fully, others little at first
    if name == "seed.alike":
        return torch.tensor([20.0], requires_grad=True)
    if name in ("seed.rel2", "seed.q", "key.rel2", "key.token"):  # so that at first cosines decide
        small: Tensor = (0.1 * torch.randn(shape) / shape[0] ** 0.5).requires_grad_()
        return small
    if len(shape) == 1:
        return torch.zeros(shape, requires_grad=True)
    drawn: Tensor = (torch.randn(shape) / shape[0] ** 0.5).requires_grad_()
    return drawn


def _loss(params: dict[str, Tensor], lesson: Lesson, config: TrainConfig, rng: np.random.Generator) -> Tensor:
    entries, views_QD, rows_Q = _ask(lesson, config, rng)
    share = (0.25, 0.25, 0.5)[int(rng.integers(3))]
    batch, rows_BK = windows_of(entries, neighbourhoods(entries), share)
    windows = Windows(*(torch.from_numpy(np.ascontiguousarray(part)) for part in batch))
    x = tokens(params, windows, torch)
    soft = assign(params, windows, x, torch)
    weights = compose(params, windows, x, soft, torch)
    keys_BKD = torch.from_numpy(entries.keys_ND[rows_BK])
    alone = np.setdiff1d(np.arange(len(entries)), rows_BK)
    merged_MD = functional.normalize((weights @ keys_BKD).flatten(0, 1), dim=1, eps=1e-4)
    used_M = windows.anchors.sum(-1).flatten()
    logits_QM = torch.from_numpy(views_QD) @ merged_MD.T / config.temperature + (used_M - 1) * 1e4
    own = torch.from_numpy(entries.keys_ND[alone])
    logits_QM = torch.cat([logits_QM, torch.from_numpy(views_QD) @ own.T / config.temperature], 1)
    beliefs_QM = functional.log_softmax(logits_QM, 1)
    # which merged key holds each entry, [N, M]: its row of the assignment
    belongs_NM = torch.zeros(len(entries), logits_QM.shape[1])
    seeds = soft.shape[1]
    batch_at, place_at = np.nonzero(rows_BK >= 0)
    columns = torch.from_numpy(batch_at[:, None] * seeds + np.arange(seeds))
    row_at = torch.from_numpy(rows_BK[batch_at, place_at])
    belongs_NM = belongs_NM.index_put((row_at[:, None], columns), soft[batch_at, :, place_at])
    belongs_NM[alone, merged_MD.shape[0] + np.arange(len(alone))] = 1.0
    true_QM = belongs_NM[rows_Q]
    recall = -torch.log((beliefs_QM.exp() * true_QM).sum(1).clamp(min=1e-6)).mean()
    full_QN = functional.softmax(torch.from_numpy(views_QD @ entries.keys_ND.T) / config.temperature, 1)
    distilled = -((full_QN @ belongs_NM) * beliefs_QM.clamp(min=-20)).sum(1).mean()
    return recall + config.distil * distilled + config.crowded * _crowded(windows, soft, entries, rows_BK)


def _ask(
    lesson: Lesson, config: TrainConfig, rng: np.random.Generator
) -> tuple[EntryFeatures, FloatArray, NDArray[np.int64]]:
    """A bank with some entries left out, and views of the rest: drawn ones and those held out."""
    whole = lesson.entries
    left = np.sort(rng.permutation(len(whole))[: int(len(whole) * (1 - rng.random() * config.thinned))])
    entries = _subset(whole, left)
    place = np.full(len(whole), -1)
    place[left] = np.arange(len(left))
    near_P = (lesson.views_PD * whole.keys_ND[lesson.rows_P]).sum(axis=1).astype(np.float64)
    known = (place[lesson.rows_P] >= 0) & (near_P >= LEAST_COSINE)
    rows = rng.permutation(len(entries))[: config.views]
    near = cosines_of(entries.utility_N[rows], whole.utility_N[lesson.rows_P], near_P, rng)
    rows, near = rows[near >= LEAST_COSINE], near[near >= LEAST_COSINE]
    drawn = draw(entries.keys_ND[rows], near, entries.keys_ND, rng)
    views = np.concatenate([drawn, lesson.views_PD[known]])
    return entries, views, np.concatenate([rows, place[lesson.rows_P[known]]])


def _subset(entries: EntryFeatures, rows: NDArray[np.int64]) -> EntryFeatures:
    return EntryFeatures(
        keys_ND=entries.keys_ND[rows],
        scenes_ND=entries.scenes_ND[rows],
        spans_NS2=entries.spans_NS2[rows],
        utility_N=entries.utility_N[rows],
        strength_N=entries.strength_N[rows],
        met_N=entries.met_N[rows],
        level_N=entries.level_N[rows],
        pinned_N=entries.pinned_N[rows],
        mass_N=entries.mass_N[rows],
    )


def _crowded(windows: Windows, soft: Tensor, entries: EntryFeatures, rows_BK: NDArray[np.int64]) -> Tensor:
    """Spans beyond those that one entry keeps, squared; two entries that touch have one between them."""
    count = (~np.isnan(entries.spans_NS2[rows_BK][..., 0])).sum(axis=2) * (rows_BK >= 0)
    spans = soft @ torch.from_numpy(count.astype(np.float32))[..., None]
    apart = torch.eye(rows_BK.shape[1])
    touching = windows.relations[..., 3] * (1 - apart)
    joined = ((soft @ touching) * soft).sum(-1) / 2
    crowd = functional.relu(spans[..., 0] - joined - MAX_SPANS)
    return (crowd**2).sum(1).mean() * 16 / WINDOW
