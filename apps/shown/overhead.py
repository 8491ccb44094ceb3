"""Where a robot was, and where it saw what, as a picture from above.

    entries -> paths, one a recording
    visits of things, moments that were found -> marks on them

A mark stands where the robot was, not where the thing is: a memory measures no distances. Positions are shown in
the plane in which the robot moved most, x and y where it rolled on a floor; such as count from the earth's centre,
as GNSS has them, are turned into metres to the east and to the north of the middle.

Shapes: N samples of a path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.entities.records import Entity
from hippocam.memory.filter import Filter
from hippocam.memory.memory import Memory
from hippocam.memory.records import Evidence

Doubles = NDArray[np.float64]
# Distance from the earth's centre within which positions are taken for such as count from there; metres.
_EARTH_M = (6.3e6, 6.4e6)
# A robot that moved this far along z, and twice as far as along x or y, has another axis upright; metres.
_UPRIGHT_M = 0.5
# How far from the time of a mark the nearest sample of its path may be; seconds.
_NEAR_S = 5.0
# Entries of a memory that are looked at: the newest.
_MOST = 20_000


class Path(NamedTuple):
    """Where a robot was in one recording.

    Attributes:
        name: The recording.
        times_s: float64 [N], rising.
        points: float64 [N, 3], metres.
    """

    name: str
    times_s: Doubles
    points: Doubles


class Mark(NamedTuple):
    """Something that was seen.

    Attributes:
        text: What.
        point: float64 [3], where the robot was.
        found: Whether it was asked for; else it is a thing that the detector knows.
    """

    text: str
    point: Doubles
    found: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Overhead:
    """What is seen from above.

    Attributes:
        paths: One a recording, by name.
        marks: What was seen.
        axes: What the first two numbers of a point are.
    """

    paths: tuple[Path, ...]
    marks: tuple[Mark, ...] = ()
    axes: tuple[str, str] = ("x", "y")


class Member(Protocol):
    """A memory, among others maybe."""

    @property
    def memory(self) -> Memory:
        """The memory."""

    @property
    def prefix(self) -> str:
        """What stands before its streams and ids."""


def overhead(
    members: Sequence[Member], entities: Sequence[Entity] = (), found: Sequence[Evidence] = ()
) -> Overhead | None:
    """Gather where robots were and what they saw there.

    Args:
        members: The memories.
        entities: Things that were told apart.
        found: Moments that were asked for, the strongest first.

    Returns:
        None where no position is known.
    """
    paths = [path for member in members for path in _paths(member)]
    if not paths:
        return None
    marks = [
        Mark(entity.label, point, False)
        for entity in entities
        for visit in entity.visits
        if (point := _at(paths, visit.stream, visit.frame_s)) is not None
    ]
    marks += [
        Mark(str(rank), point, True)
        for rank, moment in enumerate(found, start=1)
        if (point := _at(paths, moment.stream, moment.frame_s)) is not None
    ]
    return _flat(Overhead(paths=tuple(paths), marks=tuple(marks)))


def recording_of(stream: str) -> str:
    """The recording of a stream: a robot's cameras are in one place."""
    return stream.rpartition("/")[0] or stream


def _paths(member: Member) -> list[Path]:
    samples: dict[str, dict[float, Doubles]] = {}
    for entry_id in member.memory.store.lookup.select(Filter())[-_MOST:]:
        entry = member.memory.entry(entry_id)
        if entry is None or not len(entry.poses):
            continue
        motion = entry.motion
        times_s = [entry.frame_s] if motion is None or motion.poses is None else motion.times_s.tolist()
        own = samples.setdefault(recording_of(member.prefix + entry.stream), {})
        own |= {time_s: pose[:3] for time_s, pose in zip(times_s, entry.poses, strict=True)}
    return [
        Path(name, np.array(sorted(own)), np.stack([own[time_s] for time_s in sorted(own)]))
        for name, own in sorted(samples.items())
    ]


def _at(paths: Sequence[Path], stream: str, time_s: float) -> Doubles | None:
    """Where a stream's robot was at a time; None where that is not known."""
    path = next((path for path in paths if path.name == recording_of(stream)), None)
    if path is None:
        return None
    nearest = int(np.argmin(np.abs(path.times_s - time_s)))
    return path.points[nearest] if abs(path.times_s[nearest] - time_s) <= _NEAR_S else None


def _flat(seen: Overhead) -> Overhead:
    """Turn points so that their first two numbers are those that are shown."""
    points = np.concatenate([path.points for path in seen.paths])
    middle = np.median(points, 0)
    if _EARTH_M[0] < np.linalg.norm(middle) < _EARTH_M[1]:
        turn, axes = _east_north_up(middle), ("east", "north")
    else:
        spread = points.max(0) - points.min(0)
        least = int(np.argmin(spread)) if spread[2] > max(_UPRIGHT_M, 2 * spread.min()) else 2
        shown = [axis for axis in range(3) if axis != least]
        turn, middle = np.eye(3)[[*shown, least]], np.zeros(3)
        axes = ("xyz"[shown[0]], "xyz"[shown[1]])
    return replace(
        seen,
        paths=tuple(path._replace(points=(path.points - middle) @ turn.T) for path in seen.paths),
        marks=tuple(mark._replace(point=(mark.point - middle) @ turn.T) for mark in seen.marks),
        axes=axes,
    )


def _east_north_up(place: Doubles) -> Doubles:
    """Rows: east, north and up at a place that counts from the earth's centre, taken for a ball."""
    up = place / np.linalg.norm(place)
    east = np.cross([0.0, 0.0, 1.0], up)
    east /= np.linalg.norm(east)
    return np.stack([east, np.cross(up, east), up])
