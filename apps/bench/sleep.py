"""How small sleep makes a bank and what that costs, compared with other ways to make it as small.

A stream is watched without a budget or pictures. Its bank is then made smaller: by sleep (the product's own); by
sleep that only merges, what the network proposes or the nearest pairs; and by rules that check nothing: reducing
all vectors, and, down to the bytes that sleep came to, joining random neighbours in time, joining
the neighbours that are most alike (MA-LMM, He et al. 2024, arXiv:2404.05726), and keeping what has the most
utility. Bytes are those of rows and two vectors each, as the budget counts them. The questions are the probes
that sleep checks itself with, and those about the needles, which it never sees. An answer is the entry whose key
is nearest; it is right if one of its spans overlaps the true one and is at most a minute long, so nothing is won
by merging everything.

Shapes: D embedding dimension.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from hippocam.apps.worlds.worlds import WORLDS, World, events_of
from hippocam.memory.bank.codes import codes_of
from hippocam.memory.records import Held, Level
from hippocam.memory.sleep.config import SleepConfig
from hippocam.memory.sleep.dream import Proposer, both, dream, learned, paired
from hippocam.memory.sleep.probes import with_drawn
from hippocam.memory.sleep.replay import LONGEST_S, Replay, Replica, reduced
from hippocam.memory.spans import join_spans
from hippocam.memory.store.probes import Probe
from hippocam.memory.training.lessons import Lesson, lesson
from hippocam.memory.working.context import unit
from hippocam.stream.errors import HippocamError

SEEDS: Mapping[str, Sequence[int]] = {"synthetic-clean": (1, 2, 3, 4, 5), "real": (1, 2, 3)}
OURS = "sleep"
_MERGES: Mapping[str, Proposer] = {
    "sleep, merging what the network proposes": learned,
    "sleep, merging pairs": paired,
}
_FRESH_SEED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SleepScore:
    """One bank, made smaller in one way.

    Attributes:
        policy: Name of the way in which it was made smaller.
        entries: How many entries are left.
        bytes: What they take, about.
        probe_r1: Share of the probes that find their answer first.
        probe_r5: Share that find it among the first five.
        view_r1: Share of the held-out views that find their answer first.
        view_r5: Share of them that find it among the first five.
        fresh_r1: Share of other views, drawn like the probes and not shown to sleep, that find their answer first.
        fresh_r5: Share of them that find it among the first five.
        needle_r1: Share of the needles' questions that find their answer first.
        needle_r5: Share of them that find it among the first five.
        seconds: How long it took.
    """

    policy: str
    entries: int
    bytes: int
    probe_r1: float
    probe_r5: float
    view_r1: float
    view_r5: float
    fresh_r1: float
    fresh_r5: float
    needle_r1: float
    needle_r5: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SleepStream:
    """One stream: scores of the whole bank first, then of smaller ones.

    Attributes:
        world: Its name.
        encoder: Id of the space that its vectors are in.
        seed: Seed of the stream.
        scores: One for each bank.
    """

    world: str
    encoder: str
    seed: int
    scores: tuple[SleepScore, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SleepResult:
    """All streams.

    Attributes:
        target: Share of the bytes that was to be left.
        max_loss: Share of the probes that was allowed to be lost.
        streams: One result each.
    """

    target: float
    max_loss: float
    streams: tuple[SleepStream, ...]


def run(
    seeds: Mapping[str, Sequence[int]] = SEEDS,
    *,
    target: float = SleepConfig().target,
    max_loss: float = SleepConfig().max_loss,
    worlds: Mapping[str, Callable[[int], World]] | None = None,
    report: Callable[[str], None] | None = None,
) -> SleepResult:
    """Let every stream's bank sleep, and make it equally small in other ways.

    Args:
        seeds: Seeds of the streams, by world.
        target: Share of the bytes that is to be left.
        max_loss: Share of the probes that may be lost.
        worlds: World factories by name; the bench's by default, with real footage.
        report: Gets a line after each stream.

    Raises:
        HippocamError: A world is unknown, or its footage is missing.
    """
    made = worlds or {**WORLDS, "real": _real}
    unknown = sorted(set(seeds) - set(made))
    if unknown:
        raise HippocamError(f"no world {unknown[0]!r}; there are {', '.join(made)}")
    streams = []
    for name, numbers in seeds.items():
        for seed in numbers:
            world = made[name](seed)
            scores = tuple(_scores(world, target, max_loss))
            stream = SleepStream(world=name, encoder=world.encoder, seed=seed, scores=scores)
            streams.append(stream)
            if report is not None:
                whole, ours = stream.scores[0], stream.scores[1]
                report(f"{name}, seed {seed}: {whole.entries} entries to {ours.entries}")
    return SleepResult(target=target, max_loss=max_loss, streams=tuple(streams))


def _real(seed: int) -> World:
    from hippocam.apps.worlds.footage import real

    return real(seed)


def _scores(world: World, target: float, max_loss: float) -> Iterator[SleepScore]:
    taught = lesson(events_of(world))
    code = codes_of(world.encoder, world.frames_TD.shape[1]).code(short=False)
    held, fixed = [replace(one, level=Level.VECTORS) for one in taught.held], _views(taught)
    probes = with_drawn(held, fixed, [], SleepConfig().seed)
    needles = [Probe("needle", "stream", ((n.t0_s, n.t1_s),), n.query_D) for n in world.of_kind("needle")]
    fresh = [probe for probe in with_drawn(held, fixed, [], _FRESH_SEED) if probe.kind == "drawn"]
    score = partial(_score, probes=probes, fresh=fresh, needles=needles)
    yield score("whole", held, 0.0)
    fits = 0
    with_pictures = [replace(one, level=Level.FULL) for one in held]  # of these sleep reduces no vectors
    for name, before, proposer in (
        (OURS, held, both),
        *((name, with_pictures, one) for name, one in _MERGES.items()),
    ):
        began = time.perf_counter()
        replica = Replica(before, code)
        dream(replica, Replay(replica, probes), target=target, max_loss=max_loss, proposer=proposer)
        left = [replica.held[row] for row in np.flatnonzero(replica.alive)]
        fits = fits or len(held) * replica.bytes // Replica(held, code).bytes
        yield score(name, left, time.perf_counter() - began)
    yield score("all reduced", [reduced(one, code) for one in held], 0.0)
    rules: dict[str, Callable[[list[Held], int], list[Held]]] = {
        "random neighbours": _random_neighbours,
        "most alike neighbours": _alike_neighbours,
        "most utility": lambda every, count: sorted(every, key=lambda one: -one.utility)[:count],
    }
    for name, rule in rules.items():
        began = time.perf_counter()
        left = rule(held, fits)
        yield score(name, left, time.perf_counter() - began)


def _views(taught: Lesson) -> list[Probe]:
    return [
        Probe("view", "stream", (times,), view_D)
        for view_D, times in zip(taught.views_PD, taught.times_P, strict=True)
    ]


def _score(
    policy: str,
    held: Sequence[Held],
    seconds: float,
    *,
    probes: Sequence[Probe],
    fresh: Sequence[Probe],
    needles: Sequence[Probe],
) -> SleepScore:
    first, five = _recall(held, probes)
    views = [index for index, probe in enumerate(probes) if probe.kind == "view"]
    needle_first, needle_five = _recall(held, needles)
    fresh_first, fresh_five = _recall(held, fresh)
    return SleepScore(
        policy=policy,
        entries=len(held),
        bytes=Replica(held).bytes,
        probe_r1=float(first.mean()),
        probe_r5=float(five.mean()),
        view_r1=float(first[views].mean()) if views else float("nan"),
        view_r5=float(five[views].mean()) if views else float("nan"),
        fresh_r1=float(fresh_first.mean()),
        fresh_r5=float(fresh_five.mean()),
        needle_r1=float(needle_first.mean()),
        needle_r5=float(needle_five.mean()),
        seconds=seconds,
    )


def _recall(held: Sequence[Held], probes: Sequence[Probe]) -> tuple[np.ndarray, np.ndarray]:
    """Which probes find a right and short span first, and among the first five."""
    keys = np.stack([one.key_D for one in held])
    owner = np.array([row for row, one in enumerate(held) for _ in one.spans])
    start, end = (np.array([getattr(s, name) for one in held for s in one.spans]) for name in ("t0_s", "t1_s"))
    short = end - start <= LONGEST_S
    first, five = np.zeros(len(probes), bool), np.zeros(len(probes), bool)
    for index, probe in enumerate(probes):
        best = np.argsort(-(keys @ probe.vector_D), kind="stable")[:5]
        right = np.zeros(len(start), bool)
        for t0_s, t1_s in probe.times:
            right |= np.minimum(end, t1_s) > np.maximum(start, t0_s)
        hits = np.isin(best, owner[right & short])
        first[index], five[index] = hits[0], hits.any()
    return first, five


def _join(one: Held, other: Held) -> Held:
    """The usual way to merge: the mean of the keys by how often they were met."""
    return replace(
        one if one.utility >= other.utility else other,
        key_D=unit(one.met * one.key_D + other.met * other.key_D),
        spans=tuple(join_spans([*one.spans, *other.spans])),
        met=one.met + other.met,
    )


def _random_neighbours(held: list[Held], count: int) -> list[Held]:
    rng = np.random.default_rng(0)
    left = sorted(held, key=lambda one: one.spans[0].t0_s)
    while len(left) > count:
        at = int(rng.integers(len(left) - 1))
        left[at : at + 2] = [_join(left[at], left[at + 1])]
    return left


def _alike_neighbours(held: list[Held], count: int) -> list[Held]:
    slots: list[Held | None] = [*sorted(held, key=lambda one: one.spans[0].t0_s)]
    after = [*list(range(1, len(slots))), -1]
    before = [-1, *range(len(slots) - 1)]
    heap = list[tuple[float, int, int, int, int]]()
    version = [0] * len(slots)

    def offer(a: int, b: int) -> None:
        one, other = slots[a], slots[b]
        if one is not None and other is not None:
            heapq.heappush(heap, (-float(one.key_D @ other.key_D), a, b, version[a], version[b]))

    for index in range(len(slots) - 1):
        offer(index, index + 1)
    left = len(slots)
    while left > count and heap:
        _, a, b, of_a, of_b = heapq.heappop(heap)
        one, other = slots[a], slots[b]
        if one is None or other is None or (version[a], version[b]) != (of_a, of_b):
            continue
        slots[a], slots[b] = _join(one, other), None
        version[a] += 1
        after[a] = after[b]
        if after[b] >= 0:
            before[after[b]] = a
            offer(a, after[b])
        if before[a] >= 0:
            offer(before[a], a)
        left -= 1
    return [one for one in slots if one is not None]


_SHARES = ("probe_r1", "probe_r5", "view_r1", "view_r5", "fresh_r1", "fresh_r5", "needle_r1", "needle_r5")
_COLUMNS = ("entries", "bytes", *_SHARES, "seconds")


def table(result: SleepResult) -> str:
    """The result as Markdown: means over the seeds of each world."""
    lines = [
        f"A stream is watched without a budget or pictures, then sleeps: {result.target:.0%} of the bytes of "
        f"rows and vectors are to be left, and of no kind of probes may more than {result.max_loss:.0%} be "
        "lost. Of the rules below, which check nothing, the last three are made as small as sleep came to be. "
        "Other views and needles' questions are seen by none of them. Means over the seeds.",
    ]
    for world in dict.fromkeys(stream.world for stream in result.streams):
        streams = [stream for stream in result.streams if stream.world == world]
        seeds = ", ".join(str(stream.seed) for stream in streams)
        lines += [
            "",
            f"**{world}** (seeds {seeds})",
            "",
            "| | entries | kB | of whole | probes R@1 | R@5 | held-out views R@1 | R@5 | other views R@1 "
            "| R@5 "
            "| needles R@1 | R@5 | s |",
            "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
        ]
        whole = _means(streams, 0)
        for index, score in enumerate(streams[0].scores):
            mean = _means(streams, index)
            name = f"**{score.policy}**" if score.policy == OURS else score.policy
            smaller = "" if index == 0 else f"1 / {whole['bytes'] / mean['bytes']:.1f}"
            shares = " | ".join(f"{mean[column]:.3f}" for column in _SHARES)
            lines.append(
                f"| {name} | {mean['entries']:.0f} | {mean['bytes'] / 1e3:.0f} | {smaller} | {shares} "
                f"| {mean['seconds']:.0f} |"
            )
    return "\n".join(lines)


def _means(streams: Sequence[SleepStream], index: int) -> dict[str, float]:
    scores = [stream.scores[index] for stream in streams]
    return {column: float(np.mean([getattr(score, column) for score in scores])) for column in _COLUMNS}
