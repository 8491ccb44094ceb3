"""What a robot did along an event: where it was, its states and its actions, at some of the event's frames.

Shapes: N samples; S, A state and action sizes. Positions are stored as float32 beside a float64 origin, so that a
map whose numbers are large (metres from the earth's centre) loses nothing.
"""

from __future__ import annotations

import itertools
import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hippocam.stream.records import NO_SENSORS, Embedding, FloatArray, Repeat

# Samples of an event that are kept, evenly among its frames; the first and the last always.
MOST_SAMPLES = 16
# How far a position may be off, metres: an entry's own sensors are float32.
_EXACT_M = 5e-4
# Samples, size of a state, size of an action, whether there are poses; then time and origin.
_HEAD = struct.Struct("<HHHB4d")

# Pose, state and action: all of them, two, or one.
_PARTS = [chosen for count in (3, 2, 1) for chosen in itertools.combinations(range(3), count)]

Doubles = NDArray[np.float64]
T = TypeVar("T", np.float32, np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Motion:
    """Samples along an event; each part may be absent.

    Attributes:
        times_s: float64 [N], rising.
        poses: float64 [N, 7], x, y, z in metres and the quaternion qx, qy, qz, qw.
        states: float32 [N, S].
        actions: float32 [N, A].
    """

    times_s: Doubles
    poses: Doubles | None = None
    states: FloatArray | None = None
    actions: FloatArray | None = None

    def nearest(self, time_s: float) -> int:
        """Index of the sample nearest to a time."""
        return int(np.argmin(np.abs(self.times_s - time_s)))

    @property
    def size(self) -> int:
        """How many bytes `pack` writes."""
        parts = (self.poses, self.states, self.actions)
        return _HEAD.size + 4 * (len(self.times_s) + sum(part.size for part in parts if part is not None))

    def pack(self) -> bytes:
        """Write it as bytes."""
        origin = np.zeros(3) if self.poses is None else self.poses[0, :3]
        sizes = [0 if rows is None else rows.shape[1] for rows in (self.states, self.actions)]
        start_s = float(self.times_s[0])
        parts = [_HEAD.pack(len(self.times_s), *sizes, self.poses is not None, start_s, *origin)]
        parts.append((self.times_s - start_s).astype("<f4").tobytes())
        if self.poses is not None:
            near = np.hstack([self.poses[:, :3] - origin, self.poses[:, 3:]])
            parts.append(near.astype("<f4").tobytes())
        parts += [rows.astype("<f4").tobytes() for rows in (self.states, self.actions) if rows is not None]
        return b"".join(parts)

    @staticmethod
    def unpack(blob: bytes) -> Motion | None:
        """Read what `pack` wrote; samples that are not finite, which earlier versions kept, are left out.

        Returns:
            The samples; None where none is left.

        Raises:
            ValueError: It is something else.
        """
        try:
            count, states, actions, posed, start_s, *origin = _HEAD.unpack_from(blob)
        except struct.error as error:
            raise ValueError("motion without a head") from error
        width = 1 + 7 * bool(posed) + states + actions
        numbers = np.frombuffer(blob[_HEAD.size :], "<f4")
        if not count or posed not in (0, 1) or len(blob) != _HEAD.size + 4 * count * width:
            raise ValueError(f"motion of {count} samples in {len(blob)} bytes")
        parts = np.split(numbers, np.cumsum([count, 7 * posed * count, states * count]))
        rows = np.hstack([part.reshape(count, -1) for part in parts])
        known = np.isfinite(rows).all(1)
        if not (known.any() and np.isfinite([start_s, *origin]).all()):
            return None
        times_N1, poses, states_NS, actions_NA = np.split(rows[known], np.cumsum([1, 7 * posed, states]), axis=1)
        return Motion(
            times_s=start_s + times_N1[:, 0].astype(np.float64),
            poses=poses + np.array([*origin, 0, 0, 0, 0]) if posed else None,
            states=states_NS.astype(np.float32) if states else None,
            actions=actions_NA.astype(np.float32) if actions else None,
        )


def motion_of(frames: Sequence[Embedding | Repeat]) -> Motion | None:
    """What a robot did along some frames; None where an entry's own sensors say it all, or nothing is known.

    They do for a single frame, unless its position is so large that float32 would move it.
    """
    if all(frame.sensors is NO_SENSORS for frame in frames):  # as of every camera
        return None
    parts = [(frame.sensors.pose, frame.sensors.state, frame.sensors.action) for frame in frames]
    known = _alike(parts)
    alone = sum(any(part is not None for part in each) for each in parts) == 1
    if not known or (alone and _is_exact(parts[known[0]][0])):
        return None
    chosen = [known[round(k)] for k in np.linspace(0, len(known) - 1, min(len(known), MOST_SAMPLES))]
    poses, states, actions = zip(*(parts[k] for k in chosen), strict=True)
    return Motion(
        times_s=np.array([frames[k].time_s for k in chosen]),
        poses=_rows(poses, np.float64),
        states=_rows(states, np.float32),
        actions=_rows(actions, np.float32),
    )


def _alike(parts: Sequence[tuple[NDArray[Any] | None, ...]]) -> list[int]:
    """The frames of which some parts are all known, in one size each: the parts of which most is kept then.

    So a frame without its state is left out where most have one, and the states where most have none.
    """
    best: list[int] = []
    most = 0
    for chosen in _PARTS:
        sizes = [tuple(_size(each[part]) for part in chosen) for each in parts]
        usual = Counter(found for found in sizes if None not in found).most_common(1)
        if usual and usual[0][1] * len(chosen) > most:
            most = usual[0][1] * len(chosen)
            best = [k for k, found in enumerate(sizes) if found == usual[0][0]]
    return best


def _is_exact(pose: FloatArray | Doubles | None) -> bool:
    """Whether float32 keeps a position."""
    return pose is None or float(np.abs(pose[:3] - pose[:3].astype(np.float32)).max()) <= _EXACT_M


def _size(part: NDArray[Any] | None) -> int | None:
    return None if part is None else len(part)


def _rows(parts: Sequence[NDArray[Any] | None], dtype: type[T]) -> NDArray[T] | None:
    """One row a sample, where all have a part of one size."""
    sizes = {_size(part) for part in parts}
    return None if None in sizes or len(sizes) != 1 else np.array(parts, dtype)
