"""Where and when: which entries, and which of their spans, a question is about."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.provenance.records import Quarantine
from hippocam.memory.records import Entry, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What an entry must meet to count; a field that is None sets no condition.

    Times are conditions on a span: an entry counts if one of its spans meets all of them, and only such spans are
    cited.

    Attributes:
        stream: In this stream, or in one of this source's cameras.
        streams: In one of these streams, or of these sources' cameras.
        camera: In a camera of this name: what follows the last "/" of a stream's name.
        place: In this place of its stream, 1 or more.
        near: x, y and radius in metres: the robot was no further from there at some time of the event.
        after_s: Seen at some time after this.
        before_s: Seen at some time before this.
        at_s: As if the streams ended here: nothing that rests on a later frame.
        apart: Not in this quarantine.
    """

    stream: str | None = None
    streams: tuple[str, ...] | None = None
    camera: str | None = None
    place: int | None = None
    near: tuple[float, float, float] | None = None
    after_s: float | None = None
    before_s: float | None = None
    at_s: float | None = None
    apart: Quarantine | None = None

    def __bool__(self) -> bool:
        return self != Filter()

    def of_stream(self, stream: str) -> bool:
        """Whether a stream meets the conditions on streams."""
        return (
            (self.stream is None or _is_of(stream, self.stream))
            and (self.streams is None or any(_is_of(stream, each) for each in self.streams))
            and (self.camera is None or stream.rpartition("/")[2] == self.camera)
            and (self.apart is None or not self.apart.holds_stream(stream))
        )

    def overlaps(self, t0_s: float, t1_s: float, known_s: float) -> bool:
        """Whether a stretch of time meets the conditions on time."""
        return (
            (self.after_s is None or t1_s > self.after_s)
            and (self.before_s is None or t0_s < self.before_s)
            and (self.at_s is None or known_s <= self.at_s)
        )

    def known(self, spans: tuple[Span, ...], frame_s: float) -> bool:
        """Whether an entry's vectors and its exemplar were there at `at_s`."""
        if self.at_s is None:
            return True
        rests_on = [spans[0], *(span for span in spans[1:] if span.t0_s <= frame_s <= span.t1_s)]
        return frame_s <= self.at_s and all(span.known_s <= self.at_s for span in rests_on)

    def passing(self, spans: tuple[Span, ...], frame_s: float) -> tuple[Span, ...]:
        """The spans of an entry that meet the conditions on time, in order.

        Args:
            spans: All of them, the first first.
            frame_s: Time of the entry's exemplar.
        """
        if not self.known(spans, frame_s):
            return ()
        return tuple(span for span in spans if self.overlaps(span.t0_s, span.t1_s, span.known_s))

    def passing_of(self, entry: Entry) -> tuple[Span, ...]:
        """The spans of an entry that meet all conditions, in order; none where it does not count."""
        if not self.of_stream(entry.stream) or (self.place is not None and entry.place != self.place):
            return ()
        if self.near is not None and not within(entry.poses, self.near):
            return ()
        if self.apart is not None and self.apart.holds_entry(entry.stream, entry.first_seq):
            return ()
        return self.passing(entry.spans, entry.frame_s)


def _is_of(stream: str, name: str) -> bool:
    """Whether a stream is called so, or is a camera of the source that is."""
    return stream == name or stream.startswith(name + "/")


def within(poses: NDArray[np.float64], near: tuple[float, float, float]) -> bool:
    """Whether the way from pose to pose [N, 7] comes into a circle (x, y, radius)."""
    x, y, radius = near
    return bool((passed_by(poses[:, :2], np.arange(len(poses)) < len(poses) - 1, x, y) <= radius).any())


def passed_by(
    points_P2: NDArray[np.float64], goes_on_P: NDArray[np.bool_], x: float, y: float
) -> NDArray[np.float64]:
    """How near a place each piece of a way comes; the samples of an event lie far apart where it was driven fast.

    Args:
        points_P2: Where somebody was, metres, by time.
        goes_on_P: Whether the way goes on straight from a point to the next one; not from the last.
        x: Of the place.
        y: Of the place.

    Returns:
        float64 [P], metres from the place to the piece of way that begins at each point, or to the point itself.
    """
    away_P2 = points_P2 - (x, y)
    steps_P2 = np.zeros_like(away_P2)
    steps_P2[:-1] = np.diff(away_P2, axis=0) * goes_on_P[:-1, None]
    lengths_P = np.einsum("pi,pi->p", steps_P2, steps_P2)
    along_P = -np.einsum("pi,pi->p", away_P2, steps_P2) / np.where(lengths_P > 0, lengths_P, 1.0)
    nearest_P2 = away_P2 + np.clip(along_P, 0.0, 1.0)[:, None] * steps_P2
    distances_P: NDArray[np.float64] = np.hypot(nearest_P2[:, 0], nearest_P2[:, 1])
    return distances_P
