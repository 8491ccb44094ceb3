"""Hard cuts of a film, with their own times, from the frames that are decoded anyway.

Between two pictures that are wanted, most frames must be decoded for those that rest on them. A few thousand of
each frame's samples, as the decoder leaves them, are compared with those of the frame before it, which takes a
tenth of a millisecond. A cut is where they differ much more than just before and after (as PySceneDetect's
ContentDetector, but beside its neighbours: a camera that is moved changes every picture).

Where frames are passed over, up to a key frame, motion alone makes them differ. There it is a cut for sure only if
the key frame was put there for what it shows: encoders begin a group of pictures at a cut that they see. Only the
frames between two wanted ones are looked at together, so what is found does not depend on where a watch began.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Rows of a frame that are compared, and as many columns for their width.
_ROWS = 45
# Mean difference of brightness, with half of both colours', from which two frames may lie on two sides of a cut.
_LEAST = 16.0
# How many times the differences just before and after it must be; and what it must be where there are none.
_TIMES = 2.0
_ALONE = 32.0
# Frames further apart than this, in seconds, may differ so by motion alone.
_APART_S = 0.2
# A key frame that comes sooner after the last than this share of the longest group's length is there for a reason,
# where groups are of this many frames at least.
_SOONER = 0.9
_GROUP = 12


class _Step(NamedTuple):
    """From one decoded frame to the next.

    Attributes:
        t1_s: Time of the second in seconds.
        difference: How much they differ.
        near: Whether they are near enough to each other for motion to change little.
        chosen: Whether the second is a key frame that was put there for what it shows.
    """

    t1_s: float
    difference: float
    near: bool
    chosen: bool


class CutFinder:
    """Finds the cut between two wanted frames of one video track."""

    def __init__(self) -> None:
        self._samples: list[NDArray[np.int16]] = []
        self._time_s = 0.0
        self._steps: list[_Step] = []

    def see(self, time_s: float, frame: Any, *, chosen: bool = False) -> None:
        """Take the next frame that was decoded.

        Args:
            time_s: Its time in seconds.
            frame: An av.VideoFrame.
            chosen: Whether it is a key frame that was put there for what it shows; see `chosen_keys`.
        """
        samples = _samples(frame)
        if samples and [s.shape for s in samples] == [s.shape for s in self._samples]:
            brightness, *colours = (
                float(np.abs(a - b).mean()) for a, b in zip(samples, self._samples, strict=True)
            )
            near = time_s - self._time_s <= _APART_S
            self._steps.append(_Step(time_s, brightness + 0.5 * sum(colours), near, chosen))
        self._samples, self._time_s = samples, time_s

    def take(self) -> float | None:
        """Give the time of the last cut since the last call, seconds; None where there was none."""
        steps, self._steps = self._steps, []
        for at, step in reversed(list(enumerate(steps))):
            beside = [other.difference for other in (*steps[max(0, at - 1) : at], *steps[at + 1 : at + 2])]
            least = _TIMES * max(beside, default=0.0 if step.chosen else _ALONE / _TIMES)
            if (step.near or step.chosen) and step.difference > max(_LEAST, least):
                return step.t1_s
        return None


def chosen_keys(keys_K: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which key frames come sooner than the rhythm of their video asks for, bool [K]; never the first.

    Args:
        keys_K: Positions of the key frames in the order of decoding, rising.
    """
    apart = np.diff(keys_K)
    chosen_K = np.zeros(len(keys_K), np.bool_)
    longest = apart.max(initial=0)
    if longest >= _GROUP:
        chosen_K[1:] = apart < _SOONER * longest
    return chosen_K


def _samples(frame: Any) -> list[NDArray[np.int16]]:
    """Some samples of each plane of a frame, of brightness first; none of a format that packs them otherwise."""
    if not frame.format.name.startswith(("yuv4", "yuvj4", "gray")) or frame.format.components[0].bits != 8:
        return []
    sampled = []
    for plane in frame.planes:
        rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]
        step = max(1, plane.height // _ROWS)
        sampled.append(rows[::step, ::step].astype(np.int16))
    return sampled
