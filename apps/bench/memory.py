"""Which rule keeps the right memories in equal bytes: all policies on all worlds, asked the same questions.

A policy sees a stream once and is then asked: where was this needle (shown once, at any age), when was this entity
last and first seen, which of two came first, was this ever shown. An answer is the slot whose key is nearest by
cosine, and cites its spans. A hit is a cited span that overlaps the true one and is at most `SPAN_MAX_S` long:
pooled spans do not count. A slot count stands for bytes: N plain slots of `slot_bytes(D)`; a policy that holds
more than that at any moment is an error, and one that needs more for a single slot remembers nothing.

Shapes: Q questions, N slots, S spans a slot, D dimensions.
"""

from __future__ import annotations

import math
import multiprocessing
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from hippocam.apps.bench.policies import POLICIES, Bank, Entry, Policy, slot_bytes
from hippocam.apps.bench.policies.base import NoRoomError, half
from hippocam.apps.worlds.worlds import WORLDS, Planted, World, unit
from hippocam.memory.training.auc import auc
from hippocam.stream.errors import HippocamError

FloatArray = NDArray[np.floating]
BoolArray = NDArray[np.bool_]
WorldFactory = Callable[[int], World]

SPAN_MAX_S = 60.0
TOP = 5
SAME_THING = 0.8  # share of the best cosine from which a slot among the first five counts as the same thing
SLOTS = (32, 64, 128, 256)
HEADLINE_SLOTS = 256
AGES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Mean and sample standard deviation over the seeds; NaN where no seed has a value."""

    mean: float
    sd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldResult:
    """All policies on one world.

    Attributes:
        world: Its name.
        encoder: Id of the space that its vectors are in.
        seeds: The streams that were drawn.
        slots: Slot counts, each a budget of that many plain slots.
        bytes: The budgets.
        entries: The policies that ran, by name.
        unbounded: Needle R@1 of a memory that keeps every frame, and how many bytes that takes; means.
        table: policy -> slots -> metric -> spread over the seeds; "r1_age_1" (youngest) ... too.
    """

    world: str
    encoder: str
    seeds: tuple[int, ...]
    slots: tuple[int, ...]
    bytes: tuple[int, ...]
    entries: Mapping[str, Entry]
    unbounded: tuple[float, int]
    table: Mapping[str, Mapping[int, Mapping[str, Spread]]]

    @property
    def headline_slots(self) -> int:
        """256, or the most there are."""
        return HEADLINE_SLOTS if HEADLINE_SLOTS in self.slots else max(self.slots)

    def headline(self, policy: str) -> Spread | None:
        """Needle R@1 of a policy at that count; None if it did not run."""
        return self.table[policy][self.headline_slots]["r1"] if policy in self.table else None

    @property
    def best_rule(self) -> str | None:
        """The published rule with the greatest needle R@1 at that count, as its authors have it."""
        return self._best("published")

    @property
    def best_adapted(self) -> str | None:
        """The best among the published rules whose keys are stored as ours are."""
        return self._best("adapted")

    def _best(self, standing: str) -> str | None:
        names = [name for name, entry in self.entries.items() if entry.standing == standing]
        slots = self.headline_slots
        return max(names, key=lambda name: self.table[name][slots]["r1"].mean, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryBenchResult:
    """The results, one for each world."""

    worlds: tuple[WorldResult, ...]


class _Hindsight(Protocol):
    def foresee(self, planted: Sequence[Planted]) -> None: ...


def run(
    world_names: Sequence[str],
    seeds: Sequence[int],
    slots: Sequence[int] = SLOTS,
    policy_names: Sequence[str] | None = None,
    *,
    worlds: Mapping[str, WorldFactory] = WORLDS,
    table: Mapping[str, Entry] = POLICIES,
    jobs: int = 1,
    report: Callable[[str], None] | None = None,
) -> MemoryBenchResult:
    """Show every stream to every policy, and ask.

    Args:
        world_names: Which of `worlds`.
        seeds: Seeds of the streams.
        slots: Slot counts.
        policy_names: Which of `table`; all by default.
        worlds: World factories by name.
        table: Policies by name; those of others by default.
        jobs: Processes, over worlds and seeds; the costs are only comparable with one.
        report: Gets a line after each stream.

    Raises:
        HippocamError: A name is unknown, or there is no seed or slot count.
    """
    _known("world", world_names, worlds)
    _known("policy", policy_names or (), table)
    if not seeds or not slots or min(slots) < 1:
        raise HippocamError("give at least one seed and one slot count, of 1 or more")
    entries = {name: table[name] for name in (policy_names or table)}
    tasks = [(worlds[name], seed, tuple(slots), entries) for name in world_names for seed in seeds]
    streams: list[_Stream] = []
    if jobs > 1:
        with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
            streams = list(pool.map(_run_stream, *zip(*tasks, strict=True)))
    else:
        for name, task in zip(np.repeat(list(world_names), len(seeds)), tasks, strict=True):
            streams.append(_run_stream(*task))
            if report is not None:
                report(f"{name}, seed {task[1]}: done")
    of_world = [streams[i : i + len(seeds)] for i in range(0, len(streams), len(seeds))]
    return MemoryBenchResult(
        worlds=tuple(
            WorldResult(
                world=name,
                encoder=ours[0].encoder,
                seeds=tuple(seeds),
                slots=tuple(slots),
                bytes=tuple(n * slot_bytes(ours[0].dim) for n in slots),
                entries=entries,
                unbounded=(
                    float(np.mean([s.unbounded[0] for s in ours])),
                    int(np.mean([s.unbounded[1] for s in ours])),
                ),
                table={
                    policy: {n: _spread([s.scores[policy, n] for s in ours]) for n in slots} for policy in entries
                },
            )
            for name, ours in zip(world_names, of_world, strict=True)
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stream:
    dim: int
    encoder: str
    unbounded: tuple[float, int]
    scores: dict[tuple[str, int], dict[str, float]]


def _run_stream(build: WorldFactory, seed: int, slots: tuple[int, ...], entries: Mapping[str, Entry]) -> _Stream:
    world = build(seed)
    scores: dict[tuple[str, int], dict[str, float]] = {}
    for count in slots:
        budget = count * slot_bytes(world.dim)
        _, base_s = show(world, POLICIES["recent"].build(budget, world.dim, seed), budget)
        for name, entry in entries.items():
            bank, taken_s = _remembered(entry, world, seed, budget)
            scores[name, count] = {**evaluate(bank, world), "cost": taken_s / base_s}
    return _Stream(dim=world.dim, encoder=world.encoder, unbounded=_unbounded(world), scores=scores)


def _remembered(entry: Entry, world: World, seed: int, budget_bytes: int) -> tuple[Bank, float]:
    """What a rule remembers of a stream, and the seconds it took; nothing where it needs more than the budget."""
    try:
        policy = entry.make(budget_bytes, world.dim, seed, world.encoder)
    except NoRoomError:
        nothing_NS = np.zeros((0, 1))
        return Bank(keys_ND=np.zeros((0, world.dim)), t0_NS=nothing_NS, t1_NS=nothing_NS, bytes=0), 0.0
    if entry.standing == "oracle":
        cast(_Hindsight, policy).foresee(world.planted)
    return show(world, policy, budget_bytes)


def _unbounded(world: World) -> tuple[float, int]:
    """Needle R@1 of a memory that keeps every frame as a plain slot, and its bytes."""
    times_T1 = world.times_T[:, None]
    size = len(world.times_T) * slot_bytes(world.dim)
    bank = Bank(keys_ND=half(world.frames_TD), t0_NS=times_T1, t1_NS=times_T1, bytes=size)
    return evaluate(bank, world)["r1"], size


def show(world: World, policy: Policy, budget_bytes: int) -> tuple[Bank, float]:
    """Play a stream to a policy; returns what it remembers, and the seconds it took.

    Raises:
        HippocamError: It held more than the budget.
    """
    start = time.perf_counter()
    for frame_D, time_s in zip(world.frames_TD, world.times_T.tolist(), strict=True):
        policy.push(frame_D, time_s)
    policy.finish()
    taken_s = time.perf_counter() - start
    bank = policy.bank()
    if bank.bytes > budget_bytes:
        raise HippocamError(f"{type(policy).__name__} held {bank.bytes} bytes, more than its {budget_bytes}")
    return bank, taken_s


def evaluate(bank: Bank, world: World) -> dict[str, float]:
    """All metrics but the cost, for one bank after one stream; shares in 0 ... 1."""
    memory = _Memory(bank, world.frame_s)
    needles = world.of_kind("needle")
    asked_QD = np.stack([needle.query_D for needle in needles])
    cosine_QN, order_QN = memory.search(asked_QD)
    hits_QN = np.stack([memory.hits(o, needle).any(axis=1) for o, needle in zip(order_QN, needles, strict=True)])
    first_Q, true_Q = hits_QN[:, 0], np.array([needle.t0_s for needle in needles])
    order_QQ, both_QQ = _order(memory.t0_NS[order_QN[:, 0], 0], true_Q), first_Q[:, None] & first_Q
    absent_QN, _ = memory.search(world.absent_QD)
    errors = [memory.start_error(o[0], n) for o, n, hit in zip(order_QN, needles, first_Q, strict=True) if hit]
    scores = {
        "r1": first_Q.mean(),
        "r5": hits_QN.any(axis=1).mean(),
        "iou": np.mean([memory.iou(o[0], needle) for o, needle in zip(order_QN, needles, strict=True)]),
        "time_error_s": np.median(errors) if errors else math.nan,
        **_visits(memory, world),
        "order": np.nanmean(order_QQ) if len(needles) > 1 else math.nan,
        "order_recalled": np.nanmean(order_QQ[both_QQ]) if first_Q.sum() > 1 else math.nan,
        "absent_auc": auc(cosine_QN.max(axis=1), absent_QN.max(axis=1)),
        "writes": 1000 * bank.writes / len(world.times_T),
    }
    end_s = float(world.times_T[-1]) + world.frame_s
    age_Q = (end_s - true_Q) / max(end_s - float(world.times_T[0]), 1e-9)
    bin_Q = np.clip((age_Q * AGES).astype(int), 0, AGES - 1)
    for age in range(AGES):
        of_age = first_Q[bin_Q == age]
        scores[f"r1_age_{age + 1}"] = of_age.mean() if len(of_age) else math.nan
    return {name: float(score) for name, score in scores.items()}


class _Memory:
    """A bank that can be asked; an empty one has one slot with nothing in it."""

    def __init__(self, bank: Bank, frame_s: float) -> None:
        empty = not len(bank.keys_ND)
        keys_ND = np.zeros((1, bank.keys_ND.shape[1])) if empty else bank.keys_ND
        self.unit_ND = unit(keys_ND) if bank.unit else keys_ND
        self.t0_NS = np.full((1, 1), np.nan) if empty else bank.t0_NS
        self.t1_NS = np.full((1, 1), np.nan) if empty else bank.t1_NS + frame_s

    def search(self, asked_QD: FloatArray) -> tuple[FloatArray, NDArray[np.intp]]:
        """Cosines [Q, N], and the slots of the greatest five, best first."""
        cosine_QN = asked_QD @ self.unit_ND.T
        return cosine_QN, np.argsort(-cosine_QN, axis=1, kind="stable")[:, :TOP]

    def hits(self, slots: NDArray[np.intp], true: Planted) -> BoolArray:
        """Which spans [n, S] of some slots overlap a showing, and are short."""
        t0, t1 = self.t0_NS[slots], self.t1_NS[slots]
        found: BoolArray = (np.minimum(t1, true.t1_s) > np.maximum(t0, true.t0_s)) & (t1 - t0 <= SPAN_MAX_S)
        return found

    def iou(self, slot: int, true: Planted) -> float:
        """Intersection over union of a slot's best span with a showing."""
        t0, t1 = self.t0_NS[slot], self.t1_NS[slot]
        both = np.clip(np.minimum(t1, true.t1_s) - np.maximum(t0, true.t0_s), 0, None)
        either = np.maximum(t1, true.t1_s) - np.minimum(t0, true.t0_s)
        return float(np.max(np.nan_to_num(both / either)))

    def start_error(self, slot: np.intp, true: Planted) -> float:
        """Seconds between the start of the span that hits and the true start."""
        hits = self.hits(np.array([slot]), true)[0]
        return float(np.abs(self.t0_NS[slot] - true.t0_s)[hits].min())

    def visits(self, query_D: FloatArray) -> FloatArray:
        """Spans [n, 2] of the slots that show the thing asked for, as far as cosines tell."""
        cosine_QN, order_QN = self.search(query_D[None])
        slots = order_QN[0][cosine_QN[0, order_QN[0]] >= SAME_THING * cosine_QN[0, order_QN[0, 0]]]
        spans = np.stack([self.t0_NS[slots].ravel(), self.t1_NS[slots].ravel()], axis=1)
        known: FloatArray = spans[~np.isnan(spans[:, 0])]
        return known


def _visits(memory: _Memory, world: World) -> dict[str, float]:
    shown: dict[int, list[Planted]] = {}
    for visit in world.of_kind("entity"):
        shown.setdefault(visit.identity, []).append(visit)
    last, first = [], []
    for visits in shown.values():
        spans = memory.visits(visits[0].query_D)
        last.append(len(spans) > 0 and _overlap(spans[np.argmax(spans[:, 1])], visits[-1]))
        first.append(len(spans) > 0 and _overlap(spans[np.argmin(spans[:, 0])], visits[0]))
    if not shown:
        return {"last_seen": math.nan, "first_seen": math.nan}
    return {"last_seen": float(np.mean(last)), "first_seen": float(np.mean(first))}


def _overlap(span: FloatArray, true: Planted) -> bool:
    t0, t1 = span
    return bool(min(t1, true.t1_s) > max(t0, true.t0_s) and t1 - t0 <= SPAN_MAX_S)


def _order(cited_Q: FloatArray, true_Q: FloatArray) -> FloatArray:
    """Score each pair: 1 if the cited times are in the true order, 1/2 if they are equal; NaN on the diagonal."""
    cited_QQ, true_QQ = np.sign(cited_Q[:, None] - cited_Q), np.sign(true_Q[:, None] - true_Q)
    right: FloatArray = np.where(np.nan_to_num(cited_QQ) == 0, 0.5, cited_QQ == true_QQ)
    right[np.diag_indices(len(right))] = np.nan
    return right


def _spread(scores: Sequence[Mapping[str, float]]) -> dict[str, Spread]:
    spreads = {}
    for metric in scores[0]:
        values = np.array([s[metric] for s in scores])
        values = values[~np.isnan(values)]
        spreads[metric] = Spread(
            mean=float(values.mean()) if len(values) else math.nan,
            sd=float(values.std(ddof=1)) if len(values) > 1 else (0.0 if len(values) else math.nan),
        )
    return spreads


def _known(what: str, names: Sequence[str], table: Mapping[str, Any]) -> None:
    for name in names:
        if name not in table:
            raise HippocamError(f"no {what} {name!r}; there are {', '.join(table)}")
