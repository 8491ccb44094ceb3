"""What is told of any moment: planned streams through the whole product, and no look that came later."""

from __future__ import annotations

import numpy as np
import pytest

from hippocam.apps.bench.asof.future import future_uses
from hippocam.apps.bench.asof.planned import LINE, planned
from hippocam.apps.bench.asof.run import Plan, means, question_for, run, table
from hippocam.apps.bench.asof.score import flat, judged, score
from hippocam.apps.bench.asof.truth import Footage, Shown, Truth, first_look_after, truth_at
from hippocam.apps.session import Session
from hippocam.memory.asof.whereabouts import State, Stay, Whereabouts
from hippocam.stream.records import EncoderSpec

SPEC = EncoderSpec(id="test:1", dim=16, normalised=True, midpoint=0.5, slope=20.0)
FOOTAGE = Footage(
    stream="cam",
    items=(),
    looked=((0.0, 100.0), (200.0, 300.0)),
    shown={"car": (Shown(10, 30, "left"), Shown(60, 80, "right")), "dog": ()},
    senses=(),
)


def told(state, stay=None, without_s=None, at_s=50.0):
    return Whereabouts(stream="cam", state=state, t0_s=at_s, t1_s=at_s, stay=stay, without_s=without_s)


@pytest.mark.parametrize(
    ("what", "at_s", "state"),
    [
        ("car", 5, State.NOT_SEEN),
        ("car", 20, State.SEEN),
        ("car", 50, State.GONE),
        ("car", 150, State.NEVER_LOOKED),
        ("car", 250, State.GONE),
        ("dog", 250, State.NOT_SEEN),
        ("car", 29, None),
        ("dog", 101, None),
    ],
)
def test_what_is_true_at_a_moment(what, at_s, state):
    truth = truth_at(FOOTAGE, what, at_s)
    assert (None if truth is None else truth.state) == state


def test_a_wrong_time_place_or_state_is_not_right():
    there = Shown(10, 30, "left")
    gone, seen = Truth(state=State.GONE, stretch=there), Truth(state=State.SEEN, stretch=there)
    assert judged(FOOTAGE, gone, told(State.GONE, Stay(10, 30, 31), 31)).right
    assert not judged(FOOTAGE, gone, told(State.GONE, Stay(10, 20, 21), 21)).right
    assert not judged(FOOTAGE, gone, told(State.GONE, Stay(10, 30, None), None)).right
    left, right = (0.1, 0.1, 0.2, 0.2), (0.8, 0.1, 0.9, 0.2)
    assert judged(FOOTAGE, seen, told(State.SEEN, Stay(10, 20, None, left), at_s=20)).right
    elsewhere = judged(FOOTAGE, seen, told(State.SEEN, Stay(10, 20, None, right), at_s=20))
    assert (elsewhere.right, elsewhere.stale) == (False, True)
    stale = judged(FOOTAGE, gone, told(State.SEEN, Stay(10, 30)))
    assert (stale.right, stale.stale) == (False, True)
    never = Truth(state=State.NEVER_LOOKED, stretch=None)
    shares = score([stale, judged(FOOTAGE, never, told(State.GONE, Stay(10, 30, 31), 31))])
    assert (shares.false_seen, shares.gone_never_confusion, shares.stale_as_current) == (0.5, 0.5, 1.0)
    assert flat(gone, told(State.GONE, Stay(10, 30, 31))).stale


def test_the_first_look_after_a_time():
    assert [first_look_after(FOOTAGE.looked, time_s) for time_s in (50, 150, 250, 350)] == [50, 200, 250, None]


def test_no_later_look_is_used_at_a_hundred_thousand_moments():
    (footage,) = planned(5, SPEC, streams=1, looks=300)
    assert future_uses(footage, 100_000, seed=5) == 0


def test_a_memory_that_tells_what_came_later_is_found_out(monkeypatch):
    monkeypatch.setattr("hippocam.apps.bench.asof.future.as_of", lambda visit, at_s: visit)
    (footage,) = planned(5, SPEC, streams=1, looks=300)
    assert future_uses(footage, 5_000, seed=5) > 0


def test_planned_streams_are_told_right_through_the_product(tmp_path):
    plan = Plan(seeds=(1,), queries=300, videos=None, timelines=tmp_path, encoder="palette", asked=32)
    rows = run(plan, Session)
    found = means(rows)
    assert found["grounded_accuracy"] > 0.9
    assert found["false_seen"] < 0.02
    assert found["gone_never_confusion"] < 0.05
    assert found["stale_as_current"] < 0.02
    assert found["future_uses"] == 0
    assert means(rows, "flat")["grounded_accuracy"] < found["grounded_accuracy"] - 0.2
    assert "| planned | ours | " in table(rows, 300)


def test_questions_name_what_is_asked_for():
    assert question_for("elephant") == "Is there an elephant now?"
    assert question_for(f'"{LINE}"') == 'Is "platform nine" on the screen now?'
    (footage,) = planned(1, SPEC, streams=1, looks=200)
    assert len(footage.looked) == 5
    assert np.all(np.diff([item.time_s for item in footage.items]) >= 1)
