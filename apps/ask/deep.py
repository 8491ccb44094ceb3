"""Deep recall: where the evidence is thin, the source is looked at again, more and more closely.

A memory keeps few of a video's frames. Where no moment is believed enough, the spans of the best moments are
decoded again from their source: at 2 frames a second first, then at 4 and at 8 around the best frame, until one is
believed enough or the budget is spent. Every frame that was looked at counts as compared: the more there were, the
greater a cosine must be for a belief of one half (see EncoderSpec). Nothing is written.

Most promising first within a budget is the order of adaptive frame search (AKS, Tang et al. 2025,
arXiv:2502.21271); the belief that decides is the memory's own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hippocam.memory.recall.recall import belief
from hippocam.memory.records import Evidence, StreamStatus
from hippocam.stream.errors import SourceError
from hippocam.stream.jpeg import encode_jpeg
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import FloatArray, Image
from hippocam.stream.sources.video import VideoSource
from hippocam.stream.zones.polygons import NOTHING_MARKED, CameraZones, Polygon, masked

# Frames a second of each pass, and how far around the best frame so far it goes, in seconds.
PASSES = ((2.0, None), (4.0, 2.0), (8.0, 0.75))
# Longest span that is looked at, and how much is looked at around a moment, in seconds.
_LONGEST_S = 30.0
_AROUND_S = 1.0
# Frames that are encoded at a time, and how the best ones are kept.
_BATCH = 8
_JPEG_SIDE_PX = 512
_JPEG_QUALITY = 85


@dataclass(frozen=True, slots=True, kw_only=True)
class DeepConfig:
    """When a source is looked at again, and how long.

    Attributes:
        on: Whether at all; None for readers that see pictures alone, which are given the closer frames. With the
            default encoder and no such reader it answered no better, on the footage of `hippocam bench moments`:
            of 56 things shown 17 were found first instead of 18, of 120 not shown 90 said to be unseen instead of
            97, at 3 s a question (a one-off).
        enough: Belief from which the search stops, 0 to 1; below one half a moment counts as not seen.
        least: Belief of a moment below which its span is not worth looking at, 0 to 1.
        moments: Most candidates whose spans are looked at, 1 to 64.
        frames: Most frames that are looked at, 1 to 10,000.
        seconds: Time that it may take, seconds above 0.
    """

    on: bool | None = None
    enough: float = 0.6
    least: float = 0.05
    moments: int = 3
    frames: int = 150
    seconds: float = 20.0

    def __post_init__(self) -> None:
        limits = {
            "enough": (0, 1),
            "least": (0, 1),
            "moments": (1, 64),
            "frames": (1, 10_000),
            "seconds": (1e-3, 1e6),
        }
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"deep.{name} must be {low} to {high}, found {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One look at one span.

    Attributes:
        stream: The stream that was looked at.
        t0_s: Start of the span.
        t1_s: End of the span.
        fps: Frames a second.
        frames: How many were looked at.
        best_s: Time of the frame with the greatest cosine.
        belief: The belief in that frame.
    """

    stream: str
    t0_s: float
    t1_s: float
    fps: float
    frames: int
    best_s: float
    belief: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondLook:
    """What the second look at the sources found.

    Attributes:
        evidence: The moments, the strongest first; one that was seen better this time has the time of its best
            frame.
        pictures: JPEG of the best frame of each of these, by the moment's id.
        steps: What was looked at, in order.
        stopped: Why it ended.
    """

    evidence: tuple[Evidence, ...]
    pictures: dict[str, bytes]
    steps: tuple[Step, ...]
    stopped: str


class _Frame(NamedTuple):
    time_s: float
    cosine: float
    image: Image


def thin(evidence: Sequence[Evidence], config: DeepConfig, *, sees: bool) -> bool:
    """Whether a second look is worth it: the best moment is believed a little, and not enough.

    Args:
        evidence: The strongest first.
        config: Between which beliefs.
        sees: Whether the reader is given pictures.
    """
    wanted = sees if config.on is None else config.on
    return wanted and bool(evidence) and config.least <= evidence[0].score < config.enough


def look_again(
    evidence: Sequence[Evidence],
    asked_D: FloatArray,
    encoder: Encoder,
    streams: Sequence[StreamStatus],
    config: DeepConfig,
    *,
    compared: int,
    at_s: float | None = None,
    marked: Mapping[str, CameraZones] | None = None,
    scaled: Callable[[float], float] = lambda belief: belief,
    clock: Callable[[], float] = time.monotonic,
) -> SecondLook:
    """Look at the sources of the best moments again.

    Args:
        evidence: The strongest first.
        asked_D: float32 [D], the question in the encoder's space.
        encoder: The memory's.
        streams: The memory's, with the paths of their sources.
        config: How much to look at.
        compared: How many pictures were compared already.
        at_s: As if the streams ended here.
        marked: What is marked in the pictures of streams: masks hold for a second look, too.
        scaled: Brings a belief of the encoder's to the scale of the evidence's.
        clock: Gives seconds that only rise.
    """
    start, asked_D = clock(), asked_D / max(float(np.linalg.norm(asked_D)), 1e-9)
    sources = {s.id: s for s in streams if not s.imported}
    found, pictures, steps = list(evidence), dict[str, bytes](), list[Step]()
    frames, stopped = 0, "all candidates were looked at"
    for index, moment in enumerate(evidence[: config.moments]):
        status = sources.get(moment.stream)
        source = None if status is None else _source(status.source)
        if status is None or source is None or moment.score < config.least:
            continue
        span, best = _span(moment, at_s), None
        for fps, around_s in PASSES:
            if around_s is not None and best is not None:
                span = max(span[0], best.time_s - around_s), min(span[1], best.time_s + around_s)
            left = config.frames - frames
            if left < 1 or clock() - start > config.seconds:
                stopped = f"the budget was spent: {frames} frames, {clock() - start:.1f} s"
                return _done(found, pictures, steps, stopped)
            rate = min(fps, left / max(span[1] - span[0], 1e-3))
            masks = (marked or {}).get(moment.stream, NOTHING_MARKED).masks
            seen = list(_look(source, status, span, rate, encoder, asked_D, left, masks))
            if not seen:
                break
            frames += len(seen)
            best = max([*seen, *([best] if best else [])], key=lambda frame: frame.cosine)
            p = scaled(belief(best.cosine, encoder.spec, compared + frames))
            step = Step(
                stream=moment.stream,
                t0_s=span[0],
                t1_s=span[1],
                fps=fps,
                frames=len(seen),
                best_s=best.time_s,
                belief=p,
            )
            steps.append(step)
            if p > found[index].score:
                found[index] = _closer(moment, best, p)
                pictures[moment.id] = encode_jpeg(best.image, _JPEG_SIDE_PX, _JPEG_QUALITY)
            if found[index].score >= config.enough:
                return _done(found, pictures, steps, f"enough: a belief of {found[index].score:.0%}")
    if not steps:
        stopped = "no source of these moments can be read again"
    return _done(found, pictures, steps, stopped)


def _done(
    found: Sequence[Evidence], pictures: dict[str, bytes], steps: Sequence[Step], stopped: str
) -> SecondLook:
    ordered = sorted(found, key=lambda moment: -moment.score)  # stable
    return SecondLook(evidence=tuple(ordered), pictures=pictures, steps=tuple(steps), stopped=stopped)


def _source(path: str) -> VideoSource | None:
    """The video at a path; None where it is gone or was no video."""
    return VideoSource(path) if path and Path(path).is_file() else None


def _span(moment: Evidence, at_s: float | None) -> tuple[float, float]:
    """The span of a moment and a little beyond; of a long moment the time around its picture."""
    t0_s, t1_s = moment.t0_s - _AROUND_S, moment.t1_s + _AROUND_S
    if t1_s - t0_s > _LONGEST_S:
        t0_s = max(t0_s, moment.frame_s - _LONGEST_S / 2)
        t1_s = min(t1_s, t0_s + _LONGEST_S)
    return max(0.0, t0_s), t1_s if at_s is None else min(t1_s, at_s)


def _look(
    source: VideoSource,
    stream: StreamStatus,
    span: tuple[float, float],
    fps: float,
    encoder: Encoder,
    asked_D: FloatArray,
    most: int,
    masks: Sequence[Polygon],
) -> Iterator[_Frame]:
    """Frames of a span with their cosines; none where the source cannot be read."""
    try:
        t0_s, t1_s = map(stream.in_source_s, span)
        seen = list(source.between(max(0.0, t0_s), t1_s, fps=fps, camera=source.camera_of(stream.id)))[:most]
    except (SourceError, OSError):
        return
    for start in range(0, len(seen), _BATCH):
        batch = [(time_s, masked(image, masks)) for time_s, image in seen[start : start + _BATCH]]
        vectors_ND = encoder.encode_images([image for _, image in batch]).vectors_ND
        cosines = (vectors_ND @ asked_D) / np.maximum(np.linalg.norm(vectors_ND, axis=1), 1e-9)
        for (time_s, image), cosine in zip(batch, cosines.tolist(), strict=True):
            yield _Frame(time_s + (stream.recorded_s or 0.0), cosine, image)


def _closer(moment: Evidence, best: _Frame, p: float) -> Evidence:
    """The moment with the time and the belief of its best frame."""
    seen = f"looked at again: cosine {best.cosine:.2f} at {best.time_s:.1f} s, belief {p:.0%}"
    return replace(moment, score=p, frame_s=best.time_s, why=f"{moment.why}; {seen}")
