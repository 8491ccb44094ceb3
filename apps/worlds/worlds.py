"""Worlds to remember: streams of frame vectors in which things with known times are planted.

Shapes: T frames, D dimensions, Q questions, P places, R rank of a subspace. A frame is a unit vector and stands
for [time, time + frame_s). What was planted is known to the bench alone; a policy sees frames and times.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.records import Event
from hippocam.memory.working.working import WorkingMemory
from hippocam.stream.records import Embedding

FloatArray = NDArray[np.floating]
Span = tuple[float, float]
Kind = Literal["needle", "entity", "distractor"]

QUESTION_NOISE = 0.25
SYNTHETIC = "synthetic-64"  # stands where an encoder's id does


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One showing of a thing.

    Attributes:
        kind: A needle is shown once and asked for; an entity comes again and again; a distractor is shown once
            and never asked for.
        identity: Which one of its kind; an entity's visits share it.
        t0_s: Start of the showing, in seconds.
        t1_s: Its end, exclusive.
        query_D: What it is asked with: float32 unit vector [D].
    """

    kind: Kind
    identity: int
    t0_s: float
    t1_s: float
    query_D: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A stream with what is planted in it.

    Attributes:
        name: As in the table of worlds.
        seed: What it was drawn with.
        frames_TD: float32 unit vectors [T, D].
        times_T: float64 seconds [T], increasing.
        planted: All showings, by start.
        absent_QD: Questions about things that are never shown, drawn like the needles' [Q, D].
        frame_s: How long a frame stands for.
        encoder: Id of the space that the vectors are in, for what was trained in it.
    """

    name: str
    seed: int
    frames_TD: FloatArray
    times_T: FloatArray
    planted: tuple[Planted, ...]
    absent_QD: FloatArray
    frame_s: float = 1.0
    encoder: str = SYNTHETIC

    @property
    def dim(self) -> int:
        """Width of a vector, D."""
        return int(self.frames_TD.shape[1])

    def of_kind(self, kind: Kind) -> tuple[Planted, ...]:
        """The showings of one kind, by start."""
        return tuple(p for p in self.planted if p.kind == kind)


def unit(x: FloatArray) -> FloatArray:
    """Divide the last axis by its length; a zero vector stays zero."""
    scaled: FloatArray = x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12)
    return scaled


def synthetic(
    seed: int,
    *,
    name: str = "synthetic",
    frames: int = 12_000,
    dim: int = 64,
    needles: int = 150,
    entities: int = 25,
    visits: int = 250,
    places: int = 30,
    distractors: int = 300,
    strength: float = 1.0,
    noise: float = 0.35,
    space_seed: int = 7,
) -> World:
    """Recurring places with a slow drift, and short bursts added to them: needles, entities' visits, distractors.

    A burst of 4 to 8 frames adds `strength` times a unit vector. Needles and entities live in one subspace (rank
    28 of 64), distractors in another (rank 20); size and length are the same, so a distractor surprises exactly as
    much as a needle and only its subspace tells them apart. Bursts never overlap. Visits follow Zipf's law.

    Args:
        seed: Seed of the stream. Questions have a generator of their own, so they do not depend on who asks.
        name: Name of the world.
        frames: Number of frames T, one a second.
        dim: Length D of a frame's vector.
        needles: Things shown once.
        entities: Things shown again and again.
        visits: Visits of all entities together.
        places: Recurring backgrounds; each stay is 40 to 159 frames long.
        distractors: Bursts that are never asked for; none is "synthetic-clean".
        strength: Length of a burst's vector; a place's is 1.
        noise: Noise of a frame.
        space_seed: Draws the two subspaces: one for all streams, so that they can be learned from other streams.
    """
    in_A, in_J = _subspaces(dim, space_seed)
    rng = np.random.default_rng(seed)
    place_PD = unit(rng.normal(size=(places, dim)))
    frames_TD = place_PD[_stays(rng, frames, places)] + 0.3 * _drift(rng, frames, dim)
    busy_T = np.zeros(frames, dtype=bool)
    bursts: list[tuple[int, int, Kind, int, FloatArray]] = []

    def plant(kind: Kind, identity: int, vector_D: FloatArray) -> None:
        for _ in range(50):
            length = int(rng.integers(4, 9))
            start = int(rng.integers(20, frames - length - 1))
            if not busy_T[start - 2 : start + length + 2].any():
                busy_T[start : start + length] = True
                frames_TD[start : start + length] += strength * vector_D
                bursts.append((start, start + length, kind, identity, vector_D))
                return

    entity_ED = unit(rng.normal(size=(entities, in_A.shape[1])) @ in_A.T)
    zipf = 1 / np.arange(1, entities + 1)
    for i in range(needles):
        plant("needle", i, unit(rng.normal(size=in_A.shape[1]) @ in_A.T))
    for _ in range(visits):
        who = int(rng.choice(entities, p=zipf / zipf.sum()))
        plant("entity", who, entity_ED[who])
    for i in range(distractors):
        plant("distractor", i, unit(rng.normal(size=in_J.shape[1]) @ in_J.T))
    frames_TD = unit(frames_TD + noise * rng.normal(size=frames_TD.shape) / np.sqrt(dim) * 2)

    asker = np.random.default_rng([seed, 99])
    questions: dict[tuple[Kind, int], FloatArray] = {}
    for _, _, kind, identity, vector_D in sorted(bursts, key=lambda burst: (burst[2], burst[3])):
        if (kind, identity) not in questions:
            questions[kind, identity] = _question(asker, vector_D)
    absent_QD = unit(asker.normal(size=(max(1, needles), in_A.shape[1])) @ in_A.T)
    return World(
        name=name,
        seed=seed,
        frames_TD=frames_TD.astype(np.float32),
        times_T=np.arange(frames, dtype=np.float64),
        planted=tuple(
            Planted(kind=kind, identity=i, t0_s=float(t0), t1_s=float(t1), query_D=questions[kind, i])
            for t0, t1, kind, i, _ in sorted(bursts, key=lambda burst: burst[0])
        ),
        absent_QD=np.stack([_question(asker, vector_D) for vector_D in absent_QD]),
    )


def _subspaces(dim: int, seed: int) -> tuple[FloatArray, FloatArray]:
    basis_DD, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(dim, dim)))
    rank_A, rank_J = round(dim * 28 / 64), round(dim * 20 / 64)
    return basis_DD[:, :rank_A], basis_DD[:, rank_A : rank_A + rank_J]


def _stays(rng: np.random.Generator, frames: int, places: int) -> NDArray[np.int64]:
    place_T = np.empty(frames, dtype=np.int64)
    t = 0
    while t < frames:
        length = int(rng.integers(40, 160))
        place_T[t : t + length] = rng.integers(places)
        t += length
    return place_T


def _drift(rng: np.random.Generator, frames: int, dim: int) -> FloatArray:
    """A random walk that is pulled back to zero: x <- 0.97 x + step."""
    steps_TD: FloatArray = 0.05 * rng.normal(size=(frames, dim)) / np.sqrt(dim) * 4
    for t in range(1, frames):
        steps_TD[t] += 0.97 * steps_TD[t - 1]
    return steps_TD


def _question(rng: np.random.Generator, vector_D: FloatArray) -> FloatArray:
    dim = len(vector_D)
    return unit(vector_D + QUESTION_NOISE * rng.normal(size=dim) / np.sqrt(dim) * 2).astype(np.float32)


WORLDS: Mapping[str, Callable[[int], World]] = {
    "synthetic": synthetic,
    "synthetic-clean": partial(synthetic, name="synthetic-clean", distractors=0),
}


def events_of(world: World) -> list[Event]:
    """Cut a world's stream into events, as a memory does."""
    working, closed = WorkingMemory("stream"), list[object]()
    for seq, (frame_D, time_s) in enumerate(zip(world.frames_TD, world.times_T.tolist(), strict=True)):
        item = Embedding(stream="stream", seq=seq, time_s=time_s, vector=frame_D.astype(np.float32))
        closed += working.push(item)
    closed += working.flush()
    return [event for event in closed if isinstance(event, Event)]
