"""What was told beside what is true: the share that is right, and each way to be wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from hippocam.apps.bench.asof.truth import NEAR_S, Footage, Truth, first_look_after
from hippocam.apps.records import Answer
from hippocam.memory.asof.whereabouts import State, Whereabouts


class Told(NamedTuple):
    """What was told of a thing in a stream at a moment, beside what is true of it.

    Attributes:
        truth: What is true.
        state: What was told.
        right: Whether state, times and place are.
        stale: Whether something that is past was told as present, or in the place where it was before.
    """

    truth: Truth
    state: State
    right: bool
    stale: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Shares over many questions.

    Attributes:
        asked: How many questions.
        grounded_accuracy: Share of right answers: the state, the times within 3 s, the side of the picture.
        false_seen: Share told to be there, of what was not.
        gone_never_confusion: Share told to be never looked at of what is gone, or gone of what nobody looked at.
        stale_as_current: Share of what had been there before of which a past state was told as the present one.
    """

    asked: int
    grounded_accuracy: float
    false_seen: float
    gone_never_confusion: float
    stale_as_current: float


def score(told: Iterable[Told]) -> Score:
    """Count what was told."""
    every = list(told)
    not_there = [one for one in every if one.truth.state != State.SEEN]
    past = [one for one in every if one.truth.stretch is not None]
    apart = [one for one in every if one.truth.state in (State.GONE, State.NEVER_LOOKED)]
    confused = [one for one in apart if {one.truth.state, one.state} == {State.GONE, State.NEVER_LOOKED}]
    return Score(
        asked=len(every),
        grounded_accuracy=_share(sum(one.right for one in every), len(every)),
        false_seen=_share(sum(one.state == State.SEEN for one in not_there), len(not_there)),
        gone_never_confusion=_share(len(confused), len(apart)),
        stale_as_current=_share(sum(one.stale for one in past), len(past)),
    )


def judged(footage: Footage, truth: Truth, told: Whereabouts) -> Told:
    """Compare what was told with what is true."""
    side = "" if told.stay is None or told.stay.box is None else _side(told.stay.box)
    true_side = "" if truth.stretch is None else truth.stretch.side
    moved = truth.state == told.state == State.SEEN and "" != true_side != side != ""
    stale = truth.stretch is not None and told.state == State.SEEN and (truth.state != State.SEEN or moved)
    right = truth.state == told.state and not moved and _times_right(footage, truth, told)
    return Told(truth, told.state, right, stale)


def flat(truth: Truth, told: Whereabouts) -> Told:
    """What a memory would tell that keeps sightings, and neither looks nor ends: what was seen once is there."""
    state = State.NOT_SEEN if told.stay is None else State.SEEN
    stale = state == State.SEEN and truth.stretch is not None and truth.state != State.SEEN
    return Told(truth, state, state == truth.state, stale)


def uses_future(answer: Answer, at_s: float) -> bool:
    """Whether any time that an answer tells or shows lies behind the moment of asking."""
    times = [time for moment in answer.evidence for time in (moment.t0_s, moment.frame_s)]
    for one in answer.states:
        stays = [*((one.stay,) if one.stay else ()), *one.earlier]
        times += [edge for stay in stays for edge in (stay.t0_s, min(stay.t1_s, at_s))]
        times += [edge for span in one.looked for edge in span]
        times += [time for time in (one.without_s, one.looked_s) if time is not None]
    return any(time > at_s + 1e-6 for time in times)


def _times_right(footage: Footage, truth: Truth, told: Whereabouts) -> bool:
    if truth.state not in (State.SEEN, State.GONE):
        return True
    if truth.stretch is None or told.stay is None:
        return False
    if truth.state == State.SEEN:
        return truth.stretch.t0_s - NEAR_S <= told.stay.t0_s <= told.t1_s
    first_s = first_look_after(footage.looked, truth.stretch.t1_s)
    looked = told.without_s is not None and first_s is not None and told.without_s >= truth.stretch.t1_s - NEAR_S
    return abs(told.stay.t1_s - truth.stretch.t1_s) <= NEAR_S and looked


def _side(box: tuple[float, float, float, float]) -> str:
    return "left" if (box[0] + box[2]) / 2 < 0.5 else "right"


def _share(count: int, of: int) -> float:
    return count / of if of else 0.0
