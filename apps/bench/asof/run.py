"""Streams into a memory, questions for the present asked as of many moments, and what was told scored."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from hippocam.apps.bench.asof.clips import joined, watched
from hippocam.apps.bench.asof.future import future_uses
from hippocam.apps.bench.asof.planned import planned
from hippocam.apps.bench.asof.score import Score, Told, flat, judged, score, uses_future
from hippocam.apps.bench.asof.truth import Footage, truth_at
from hippocam.apps.bench.sessions import OpenSession
from hippocam.memory.config import MemoryConfig
from hippocam.memory.memory import Memory
from hippocam.models.registry import make_encoder

_TRIES = 20
_PLANNED_ENCODER = "palette"
_BUDGET_BYTES = 64_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one way tells of one world.

    Attributes:
        world: "planned", or the half of the clips that were joined.
        way: "ours", or "flat": a memory of sightings alone.
        seed: Of the world and the moments.
        score: Shares.
        future_uses: Questions whose answer rested on something later than the moment of asking.
    """

    world: str
    way: str
    seed: int
    score: Score
    future_uses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is measured.

    Attributes:
        seeds: Of worlds and moments.
        queries: Moments at which what is told is compared with what was known then, over all seeds.
        videos: Where the clips are; None for planned streams alone.
        timelines: What the clips show, and when.
        encoder: Name of the one that the clips are watched with.
        asked: Questions that are asked of each stream through the whole product.
    """

    seeds: tuple[int, ...]
    queries: int
    videos: Path | None
    timelines: Path
    encoder: str
    asked: int = 150


def run(plan: Plan, open_session: OpenSession, report: Callable[[str], None] = lambda line: None) -> list[Row]:
    """Measure all worlds with all seeds."""
    rows = list[Row]()
    made = make_encoder(_PLANNED_ENCODER)
    for seed in plan.seeds:
        report(f"presence: planned streams, seed {seed}")
        streams = planned(seed, made.spec)
        share = plan.queries // (len(plan.seeds) * len(streams))
        compared = sum(future_uses(footage, share, seed) for footage in streams)
        rows += _rows("planned", seed, streams, open_session, _PLANNED_ENCODER, plan.asked, compared)
    if plan.videos is not None:
        halves, senses = watched(plan.timelines, plan.videos, make_encoder(plan.encoder), report)
        for half, clips in halves.items():
            for seed in plan.seeds:
                report(f"presence: {half} clips joined, seed {seed}")
                streams = [joined(clips, 1000 * seed + k, f"joined-{k + 1}", senses) for k in range(2)]
                rows += _rows(half, seed, streams, open_session, plan.encoder, plan.asked, 0)
    return rows


def _rows(
    world: str,
    seed: int,
    streams: Sequence[Footage],
    open_session: OpenSession,
    encoder: str,
    asked: int,
    compared: int,
) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        memory = Path(folder) / "m"
        _write(memory, streams, encoder)
        ours, plain, future = list[Told](), list[Told](), compared
        with open_session(memory, encoder=encoder) as session:
            for footage in streams:
                for what, at_s in _moments(footage, seed, asked):
                    truth = truth_at(footage, what, at_s)
                    answer = session.ask(question_for(what), at_s=at_s, stream=footage.stream)
                    future += uses_future(answer, at_s)
                    assert truth is not None
                    (state,) = answer.states
                    ours.append(judged(footage, truth, state))
                    plain.append(flat(truth, state))
    return [
        Row(world=world, way="ours", seed=seed, score=score(ours), future_uses=future),
        Row(world=world, way="flat", seed=seed, score=score(plain), future_uses=0),
    ]


def question_for(what: str) -> str:
    """A question for the present about a label, or about words in quotes."""
    if what.startswith('"'):
        return f"Is {what} on the screen now?"
    return f"Is there {'an' if what[0] in 'aeiou' else 'a'} {what} now?"


def _moments(footage: Footage, seed: int, asked: int) -> Iterator[tuple[str, float]]:
    """Draw what is asked and as of when: each thing as often, half of the moments where it is there."""
    rng = np.random.default_rng(seed)
    things = sorted(footage.shown)
    for index in range(asked):
        what = things[index % len(things)]
        for _ in range(_TRIES):
            at_s = float(rng.uniform(0.0, footage.end_s + 60.0))
            if footage.shown[what] and index // len(things) % 2:
                stretch = footage.shown[what][int(rng.integers(len(footage.shown[what])))]
                at_s = float(rng.uniform(stretch.t0_s, stretch.t1_s))
            if truth_at(footage, what, at_s) is not None:
                yield what, at_s
                break


def _write(folder: Path, streams: Sequence[Footage], encoder: str) -> None:
    spec = make_encoder(encoder).spec
    config = MemoryConfig(budget_bytes=_BUDGET_BYTES)
    with Memory.open_writer(folder, encoder=encoder, spec=spec, config=config) as memory:
        for footage in streams:
            memory.begin(footage.stream, uri=footage.stream, fps=1.0, senses=footage.senses)
            memory.write(footage.items)
            memory.finish(footage.stream)


def means(rows: Sequence[Row], way: str = "ours") -> dict[str, float | int]:
    """The figures of one way, each world as much as another, each seed within a world likewise."""
    worlds = list(dict.fromkeys(row.world for row in rows))
    names = ("grounded_accuracy", "false_seen", "gone_never_confusion", "stale_as_current")
    found: dict[str, float | int] = {}
    for name in names:
        by_world = [
            float(np.mean([getattr(row.score, name) for row in rows if row.world == world and row.way == way]))
            for world in worlds
        ]
        found[name] = round(float(np.mean(by_world)), 4)
    found["future_uses"] = sum(row.future_uses for row in rows if row.way == way)
    return found


def table(rows: Sequence[Row], queries: int) -> str:
    """The result as Markdown: mean and standard deviation over the seeds."""
    seeds = len({row.seed for row in rows})
    lines = [
        "Questions for the present (“Is there a car now?”), asked as of moments drawn at random over streams in "
        f"which at times nobody looked; {seeds} seeds, mean and standard deviation in percent. *Planned* streams "
        "have a detector that misses 4 frames in 100 and makes up 1; the clips were watched by the product. "
        "*Flat* is a memory of sightings alone: what was seen once is there. What is told as of a moment was "
        f"compared with what was known by the last look before it, at {queries:,} moments.",
        "",
        "| world | way | asked | right | false seen | gone taken for never looked, or back | past told as present "
        "| future used |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for world, way in dict.fromkeys((row.world, row.way) for row in rows):
        own = [row for row in rows if (row.world, row.way) == (world, way)]
        shares: Mapping[str, list[float]] = {
            name: [asdict(row.score)[name] for row in own]
            for name in ("grounded_accuracy", "false_seen", "gone_never_confusion", "stale_as_current")
        }
        cells = [f"{100 * np.mean(values):.1f} ± {100 * np.std(values):.1f}" for values in shares.values()]
        asked, future = sum(row.score.asked for row in own), sum(row.future_uses for row in own)
        lines.append(f"| {world} | {way} | {asked} | {' | '.join(cells)} | {future} |")
    return "\n".join(lines)
