"""What is true of a thing in a stream at a moment: seen, gone, never looked at, or not there while looked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hippocam.memory.asof.whereabouts import State
from hippocam.stream.records import Embedding, Repeat

# Moments nearer than this to a change of what is true are not asked about; seconds.
TOLERANCE_S = 2.0
# How far a time that is told may lie from the true one; seconds.
NEAR_S = 3.0


class Shown(NamedTuple):
    """When something is to be seen, and on which side of the picture: "left", "right", or "" for neither."""

    t0_s: float
    t1_s: float
    side: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Footage:
    """One stream, and all that is true of it.

    Attributes:
        stream: Its name.
        items: What is written of it, in order.
        looked: The stretches of time in which anybody looks, by time.
        shown: By what can be asked for, when it is to be seen, by time. What is never there has no stretch; what
            is not listed is not known.
        senses: What perceives beside the encoder.
    """

    stream: str
    items: tuple[Embedding | Repeat, ...]
    looked: tuple[tuple[float, float], ...]
    shown: Mapping[str, tuple[Shown, ...]]
    senses: tuple[str, ...]

    @property
    def end_s(self) -> float:
        """When the last look was."""
        return self.looked[-1][1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is true at a moment.

    Attributes:
        state: One of the four.
        stretch: Of what is seen the stretch that the moment lies in, else the last one before; None for none.
    """

    state: State
    stretch: Shown | None


def truth_at(footage: Footage, what: str, time_s: float) -> Truth | None:
    """What is true of something at a moment; None where it is too near to a change.

    Args:
        footage: The stream.
        what: One of `footage.shown`.
        time_s: The moment.
    """
    edges = [edge for stretch in footage.shown[what] for edge in stretch[:2]]
    edges += [edge for span in footage.looked for edge in span]
    if any(abs(time_s - edge) < TOLERANCE_S for edge in edges):
        return None
    past = [stretch for stretch in footage.shown[what] if stretch.t0_s <= time_s]
    last = max(past, key=lambda stretch: stretch.t0_s, default=None)
    if not any(t0_s <= time_s <= t1_s for t0_s, t1_s in footage.looked):
        return Truth(state=State.NEVER_LOOKED, stretch=last)
    if last is None:
        return Truth(state=State.NOT_SEEN, stretch=None)
    return Truth(state=State.SEEN if time_s <= last.t1_s else State.GONE, stretch=last)


def first_look_after(looked: Sequence[tuple[float, float]], time_s: float) -> float | None:
    """The first moment from a time on at which anybody looks; None where nobody does."""
    return min((max(t0_s, time_s) for t0_s, t1_s in looked if t1_s >= time_s), default=None)
