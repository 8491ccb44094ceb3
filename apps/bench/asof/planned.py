"""Streams of detections with exact truth: things and lines come and go, and at times nobody looks.

No picture is made: a detector's boxes and a reader's lines are planned, with some that are missed or made up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from hippocam.apps.bench.asof.truth import Footage, Shown
from hippocam.stream.records import Box, Embedding, EncoderSpec, FloatArray, Sensed, Thing

SENSES = ("things planned:1", "screen planned:1")
# What can be there, what is asked for and never there, and a line that stands on a screen at times.
_LABELS = ("person", "car", "dog", "bottle", "chair")
_NEVER = ("elephant", "boat")
LINE = "platform nine"
_LOOKS, _GAPS = 600, 4
_MISSED, _MADE_UP = 0.04, 0.01
_LOOK_DIM = 16
# Seconds that things stay and stay away.
_STAY_S, _AWAY_S = (8, 60), (20, 150)


def planned(seed: int, spec: EncoderSpec, *, streams: int = 3, looks: int = _LOOKS) -> list[Footage]:
    """Plan some streams.

    Args:
        seed: Of everything.
        spec: Of the vectors that are written; they say nothing.
        streams: How many.
        looks: Frames of each, one a second.
    """
    rng = np.random.default_rng(seed)
    return [_stream(f"camera-{number + 1}", spec, rng, looks) for number in range(streams)]


def _stream(name: str, spec: EncoderSpec, rng: np.random.Generator, looks: int) -> Footage:
    times = _times(rng, looks)
    looked = _spans(times)
    shown = {label: tuple(_stays(rng, float(times[-1]))) for label in _LABELS}
    lines = tuple(stretch._replace(side="") for stretch in _stays(rng, float(times[-1])))
    own = {label: _unit(rng.normal(size=_LOOK_DIM)) for label in _LABELS}
    scene = _unit(rng.normal(size=spec.dim))
    items = tuple(
        Embedding(
            stream=name,
            seq=seq,
            time_s=float(time_s),
            vector=_unit(scene + 0.1 * _unit(rng.normal(size=spec.dim))),
            sensed=Sensed(
                things=tuple(_detected(rng, shown, own, float(time_s))),
                screen=(LINE,) if any(s.t0_s <= time_s <= s.t1_s for s in lines) else (),
            ),
        )
        for seq, time_s in enumerate(times)
    )
    truth = {label: tuple(_cut(stays, looked)) for label, stays in shown.items()}
    every = {**truth, **dict.fromkeys(_NEVER, ()), f'"{LINE}"': tuple(_cut(lines, looked))}
    return Footage(stream=name, items=items, looked=looked, shown=every, senses=SENSES)


def _times(rng: np.random.Generator, looks: int) -> FloatArray:
    steps = np.ones(looks)
    steps[0] = 0
    steps[rng.choice(np.arange(40, looks - 20), _GAPS, replace=False)] = rng.uniform(60, 600, _GAPS).round()
    return np.cumsum(steps)


def _spans(times: FloatArray) -> tuple[tuple[float, float], ...]:
    edges = np.flatnonzero(np.diff(times) > 1.5)
    firsts, lasts = [0, *(edges + 1)], [*edges, len(times) - 1]
    return tuple((float(times[a]), float(times[b])) for a, b in zip(firsts, lasts, strict=True))


def _stays(rng: np.random.Generator, end_s: float) -> Iterator[Shown]:
    time_s = float(rng.uniform(*_AWAY_S))
    while time_s < end_s:
        stay_s = float(rng.uniform(*_STAY_S))
        yield Shown(time_s, min(time_s + stay_s, end_s), "left" if rng.random() < 0.5 else "right")
        time_s += stay_s + float(rng.uniform(*_AWAY_S))


def _cut(stays: tuple[Shown, ...], looked: tuple[tuple[float, float], ...]) -> Iterator[Shown]:
    """What anybody could see of stays: what nobody looked at is not known to be."""
    for stay in stays:
        for t0_s, t1_s in looked:
            start_s, end_s = max(stay.t0_s, t0_s), min(stay.t1_s, t1_s)
            if end_s - start_s > 2.0:  # a glance is not yet known
                yield Shown(start_s, end_s, stay.side)


def _detected(
    rng: np.random.Generator, shown: Mapping[str, tuple[Shown, ...]], own: Mapping[str, FloatArray], time_s: float
) -> Iterator[Thing]:
    for label, stays in shown.items():
        there = next((stay for stay in stays if stay.t0_s <= time_s <= stay.t1_s), None)
        if there is not None and rng.random() > _MISSED:
            look = _unit(own[label] + 0.1 * _unit(rng.normal(size=_LOOK_DIM)))
            yield Thing(label=label, score=float(rng.uniform(0.5, 0.95)), box=_box(label, there.side), vector=look)
        elif there is None and rng.random() < _MADE_UP:
            x = float(rng.uniform(0.3, 0.6))
            box = (x, 0.1, x + 0.1, 0.2)
            yield Thing(label=label, score=0.32, box=box, vector=_unit(rng.normal(size=_LOOK_DIM)))


def _box(label: str, side: str) -> Box:
    """Where a thing stands: each kind in a row of its own."""
    top, left = 0.02 + 0.19 * _LABELS.index(label), 0.05 if side == "left" else 0.75
    return (left, top, left + 0.2, top + 0.17)


def _unit(vector: NDArray[np.floating]) -> FloatArray:
    return (vector / np.linalg.norm(vector)).astype(np.float32)
