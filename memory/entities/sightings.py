"""The detections of one frame into sightings, and how well a sighting continues a track.

Detectors find one thing twice: whole and in part, or under two labels. A sighting is one thing in one frame, with
all that was said of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hippocam.memory.boxes import area, centre, iou, overlap, side
from hippocam.memory.entities.track import Track
from hippocam.stream.records import Box, FloatArray, Thing

# A detection that is this much less sure than another of the same label, and lies within it by this share, is a
# part of it.
_PART_SCORE = 0.8
_PART_OVERLAP = 0.85
# Boxes of different labels that overlap by this share are one thing.
_SAME_OBJECT_IOU = 0.65
# Cosine of looks from which a box that hardly overlaps may be the same thing: while in sight, and out of sight.
_LEAST_LOOK = 0.55
_LEAST_LOOK_AGAIN = 0.7
# Overlap below which the look has a say.
_LEAST_OVERLAP = 0.3
# The cosine that stands for an unknown look.
_UNKNOWN_LOOK = 0.25
# How far a thing may get, in its own sizes: at once, in each second, and at most.
_REACH = 0.5
_REACH_A_SECOND = 1.5
_MOST_REACH = 3.0
# Seconds for which a speed is trusted.
_LONGEST_AHEAD_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """Something that was detected in a frame, and what it may be.

    Attributes:
        detection_index: Index of its detection in the frame; of several, the surest.
        box: Where it is.
        score: Score of the surest detection.
        votes: Score by label.
        looks: Look by label, float32 [A], of length 1.
        colours: Names of its colours by label, as in Thing.
        portrait: As in Thing.
    """

    detection_index: int
    box: Box
    score: float
    votes: dict[str, float]
    looks: dict[str, FloatArray]
    colours: dict[str, tuple[str, ...]]
    portrait: FloatArray | None = None


def sightings_of(things: Sequence[Thing]) -> list[Sighting]:
    """Join the detections of one thing; parts of surer detections are left out."""
    found: list[Sighting] = []
    for index, thing in enumerate(things):
        if any(_is_part(thing, other) for other in things[:index]):
            continue
        for at, other in enumerate(found):
            if thing.label not in other.votes and iou(thing.box, other.box) > _SAME_OBJECT_IOU:
                other.votes[thing.label], other.looks[thing.label] = thing.score, thing.vector
                other.colours[thing.label] = thing.colours
                if other.portrait is None and thing.portrait is not None:
                    found[at] = replace(other, portrait=thing.portrait)
                break
        else:
            found.append(
                Sighting(
                    detection_index=index,
                    box=thing.box,
                    score=thing.score,
                    votes={thing.label: thing.score},
                    looks={thing.label: thing.vector},
                    colours={thing.label: thing.colours},
                    portrait=thing.portrait,
                )
            )
    return found


def continues(track: Track, sighting: Sighting, time_s: float) -> tuple[float, float]:
    """How well a sighting continues a track.

    Returns:
        From 0, where it cannot, to 1; and the cosine of their looks, -1 where it is not known.
    """
    elapsed_s = time_s - track.last_s
    ahead_s = min(elapsed_s, _LONGEST_AHEAD_S) if track.hits > 1 else 0.0
    expected = _shifted(track.box, track.speed[0] * ahead_s, track.speed[1] * ahead_s)
    shared = max(iou(expected, sighting.box), iou(track.box, sighting.box))
    reach = min(_REACH + _REACH_A_SECOND * elapsed_s, _MOST_REACH) * max(side(track.box), side(sighting.box))
    near = max(0.0, 1 - math.dist(centre(expected), centre(sighting.box)) / reach)
    looks = [
        float(np.dot(track.sums[label], look) / max(float(np.linalg.norm(track.sums[label])), 1e-12))
        for label, look in sighting.looks.items()
        if label in track.sums and len(track.sums[label]) == len(look)
    ]
    look = max(looks, default=-1.0)
    least = _LEAST_LOOK if track.gone_s is None else _LEAST_LOOK_AGAIN
    if shared < _LEAST_OVERLAP and (look < least or near == 0):
        return 0.0, look
    if track.gone_s is not None and looks and look < _LEAST_LOOK_AGAIN:
        return 0.0, look
    return 0.5 * max(shared, near) + 0.5 * max(0.0, look if looks else _UNKNOWN_LOOK), look


def clarity(sighting: Sighting) -> float:
    """How well it shows the thing: a sure detection, and a large one."""
    return sighting.score * math.sqrt(area(sighting.box))


def _is_part(thing: Thing, other: Thing) -> bool:
    """Whether a detection is a part, or an enlargement, of a surer one of the same label."""
    if thing.label != other.label or thing.score > _PART_SCORE * other.score:
        return False
    return overlap(thing.box, other.box) > _PART_OVERLAP


def _shifted(box: Box, dx: float, dy: float) -> Box:
    return box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy
