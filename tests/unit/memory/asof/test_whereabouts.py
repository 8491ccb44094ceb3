"""Seen, gone, never looked, not seen while looking: as of any moment, with nothing that came later."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hippocam.memory.asof.coverage import Coverage, Run
from hippocam.memory.asof.lookup import of_place, of_things, of_words
from hippocam.memory.asof.whereabouts import State, Stay, foremost, whereabouts
from hippocam.memory.config import MemoryConfig
from hippocam.memory.filter import Filter
from hippocam.memory.memory import Memory
from hippocam.stream.records import EncoderSpec, Sensed, Thing

D = 16
SPEC = EncoderSpec(id="test:1", dim=D, normalised=True, midpoint=0.5, slope=20.0)
AXES = np.eye(D, dtype=np.float32)
LOOK = np.ones(4, np.float32) / 2
SENSES = ("things test:1", "screen test:1")


def run(t0_s, t1_s, by=()):
    return Run("cam", t0_s, t1_s, t1_s - t0_s, int(t1_s - t0_s), by)


COVERAGE = Coverage(stream="cam", runs=(run(0, 100), run(200, 300)))
STAYS = [Stay(10, 20, 21), Stay(80, 100, None), Stay(250, 260, 261)]


@pytest.mark.parametrize(
    ("at_s", "state", "t0_s", "without_s"),
    [
        (5, State.NOT_SEEN, None, None),
        (15, State.SEEN, 10, None),
        (30, State.GONE, 10, 21),
        (90, State.SEEN, 80, None),
        (150, State.NEVER_LOOKED, 80, None),
        (200, State.GONE, 80, 200),
        (255, State.SEEN, 250, None),
        (262, State.GONE, 250, 261),
        (900, State.NEVER_LOOKED, 250, 261),
    ],
)
def test_a_moment_has_one_of_four_states(at_s, state, t0_s, without_s):
    known = whereabouts(COVERAGE, STAYS, at_s, at_s)
    assert known.state == state
    assert (known.stay.t0_s if known.stay else None) == t0_s
    assert known.without_s == without_s
    assert all(earlier.t0_s < t0_s for earlier in known.earlier)


def test_a_stretch_of_time_is_seen_where_any_of_it_was():
    assert whereabouts(COVERAGE, STAYS, 0, 50).state == State.SEEN
    assert whereabouts(COVERAGE, STAYS, 30, 70).state == State.GONE
    assert whereabouts(COVERAGE, STAYS, 110, 190).state == State.NEVER_LOOKED
    assert whereabouts(COVERAGE, [], 110, 210).state == State.NOT_SEEN
    assert whereabouts(COVERAGE, [], 110, 210).looked == ((200, 210),)


def test_a_sense_that_did_not_look_saw_no_absence():
    coverage = Coverage(stream="cam", runs=(run(0, 100, ("enc", "screen ocr")),))
    assert whereabouts(coverage, [], 50, 50, sense="things").state == State.NEVER_LOOKED
    assert whereabouts(coverage, [], 50, 50, sense="screen").state == State.NOT_SEEN


def test_of_several_streams_the_one_that_saw_it_answers():
    seen = whereabouts(COVERAGE, STAYS, 15, 15)
    gone = dataclasses.replace(whereabouts(COVERAGE, STAYS, 30, 30), stream="other")
    never = dataclasses.replace(whereabouts(COVERAGE, [], 150, 150), stream="third")
    assert foremost([never, gone, seen]) is seen
    assert foremost([never, gone]) is gone
    assert foremost([]) is None


def frame(items, there, lines):
    """Give each frame a person, where `there` says so, and the lines that stand on its screen."""
    for item in items:
        person = Thing(label="person", score=0.9, box=(0.1, 0.2, 0.3, 0.8), vector=LOOK)
        things = (person,) if there(item.time_s) else ()
        yield dataclasses.replace(item, sensed=Sensed(things=things, screen=lines(item.time_s)))


def there(time_s):
    return 10 <= time_s < 30 or 60 <= time_s < 80


def lines(time_s):
    return ("closing at noon",) if 20 <= time_s < 50 else ()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, request):
    """A camera that sees a person twice and a line once, looks from 0 to 100 s and again from 150 to 200 s."""
    folder = tmp_path_factory.mktemp("asof") / "m"
    times = [*range(100), *range(150, 200)]
    from hippocam.stream.records import Embedding

    items = [
        Embedding(stream="cam", seq=k, time_s=float(t), vector=AXES[0 if t < 50 else 5], jpeg=b"")
        for k, t in enumerate(times)
    ]
    config = MemoryConfig(budget_bytes=4_000_000)
    with Memory.open_writer(folder, encoder="test", spec=SPEC, config=config) as memory:
        memory.begin("cam", uri="/x/cam.mp4", fps=1.0, senses=SENSES)
        memory.write(list(frame(items, there, lines)))
        memory.finish("cam")
    return folder


def states(folder, at_s, of):
    with Memory.open_reader(folder) as memory:
        return of(memory, Filter(at_s=float(at_s)))[0]


def people(memory, wanted):
    return of_things(memory.store, memory.entities, ["person"], wanted)


@pytest.mark.parametrize("at_s", [*range(3, 100, 5), 120, *range(152, 199, 7)])
def test_things_are_told_as_they_were(folder, at_s):
    known = states(folder, at_s, people)
    if 100 <= at_s < 150:
        expected = State.NEVER_LOOKED
    elif there(at_s):
        expected = State.SEEN
    else:
        expected = State.NOT_SEEN if at_s < 10 else State.GONE
    assert known.state == expected
    if known.stay is not None:
        assert known.stay.t0_s <= at_s
        assert known.without_s is None or known.without_s <= at_s
    if expected == State.GONE:
        assert known.without_s == (30.0 if at_s < 60 else 80.0)


def test_words_and_places_are_told_likewise(folder):
    def noon(memory, wanted):
        return of_words(memory.store, "At NOON", wanted)

    assert [states(folder, at_s, noon).state for at_s in (10, 35, 70, 120, 160)] == [
        State.NOT_SEEN,
        State.SEEN,
        State.GONE,
        State.NEVER_LOOKED,
        State.GONE,
    ]

    def nowhere(memory, wanted):
        return of_place(memory.store, "cam", 99, wanted)

    assert [states(folder, at_s, nowhere).state for at_s in (50, 120)] == [State.NOT_SEEN, State.NEVER_LOOKED]


def test_without_a_time_the_last_look_is_meant(folder):
    with Memory.open_reader(folder) as memory:
        (known,) = people(memory, Filter())
        assert (known.state, known.t1_s) == (State.GONE, 199.0)
        (known,) = people(memory, Filter(after_s=0.0, before_s=40.0))
        assert (known.state, known.stay.box) == (State.SEEN, pytest.approx((0.1, 0.2, 0.3, 0.8), abs=1e-4))
        (elephant,) = of_things(memory.store, memory.entities, ["elephant"], Filter(at_s=50.0))
        assert elephant.state == State.NOT_SEEN
