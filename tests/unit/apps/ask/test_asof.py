"""Answers about presence: what is so now, what is past, what nobody looked at; as of any moment."""

from __future__ import annotations

import numpy as np
import pytest

from hippocam.apps.api import answer_json
from hippocam.apps.ask.asof import is_present
from hippocam.apps.session import Session
from hippocam.memory.asof.whereabouts import State
from hippocam.memory.memory import Memory
from hippocam.models.registry import make_encoder
from hippocam.stream.jpeg import encode_jpeg
from hippocam.stream.records import Embedding, Sensed, Thing

LOOK = np.ones(4, np.float32) / 2
LEFT, RIGHT = (0.05, 0.4, 0.2, 0.6), (0.8, 0.4, 0.95, 0.6)


def where_the_car_is(time_s):
    """A car stands left from 10 to 30 s, right from 60 to 80 s, and nobody looks from 100 to 150 s."""
    if 10 <= time_s < 30:
        return LEFT
    return RIGHT if 60 <= time_s < 80 else None


def picture(box):
    """A grey yard with a red block where the car is."""
    image = np.full((120, 160, 3), 128, np.uint8)
    if box is not None:
        x0, y0, x1, y1 = box
        image[int(120 * y0) : int(120 * y1), int(160 * x0) : int(160 * x1)] = (200, 30, 30)
    return encode_jpeg(image, 160, 90)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("asof") / "m"
    palette = make_encoder("palette")
    grey = palette.encode_images([np.full((48, 64, 3), 128, np.uint8)]).vectors_ND[0]
    with Memory.open_writer(folder, encoder="palette", spec=palette.spec) as memory:
        memory.begin("yard", uri="yard", fps=1, senses=("things test:1", "screen test:1"))
        for seq, time_s in enumerate([*range(100), *range(150, 200)]):
            box = where_the_car_is(time_s)
            things = () if box is None else (Thing(label="car", score=0.9, box=box, vector=LOOK),)
            seen = Embedding(
                stream="yard",
                seq=seq,
                time_s=float(time_s),
                vector=grey,
                jpeg=picture(box),
                sensed=Sensed(things=things, screen=("OPEN",) if 20 <= time_s < 50 else ()),
            )
            memory.write([seen])
        memory.finish("yard")
    return folder


@pytest.fixture
def session(folder):
    with Session(folder) as session:
        yield session


@pytest.mark.parametrize(
    ("at_s", "state", "words"),
    [
        (5.0, State.NOT_SEEN, "Not seen while looking: a car in yard, looked at from 0:00 to 0:05."),
        (20.0, State.SEEN, "Yes: a car in sight in yard since 0:09.5, as of the look at 0:20"),
        (50.0, State.GONE, "No longer in sight: last seen 0:09.5 to 0:29.5 in yard, on the left of the picture"),
        (70.0, State.SEEN, "in yard since 0:59.5"),
        (120.0, State.NEVER_LOOKED, "nobody looked for it in yard at 2:00; the last look was at 1:39"),
        (None, State.GONE, "the look at 1:20 shows its place without it"),
    ],
)
def test_whether_it_is_still_there(session, at_s, state, words):
    answer = session.ask("Is the car still there?", at_s=at_s)
    assert [one.state for one in answer.states] == [state]
    assert words in answer.answer
    assert answer.unknown == (state in (State.NOT_SEEN, State.NEVER_LOOKED))
    assert answer.not_seen == answer.unknown
    until_s = 200.0 if at_s is None else at_s
    assert all(max(moment.t1_s, moment.frame_s) <= until_s for moment in answer.evidence)


def test_the_newest_place_comes_first_and_older_ones_are_past(session):
    now = session.ask("Where is the car now?", at_s=70.0)
    assert now.answer.startswith("On the right of the picture, in yard, since 0:59.5")
    assert now.answer.endswith("Before that: 0:09.5 to 0:29.5 in yard, on the left of the picture.")
    assert [(moment.t0_s, moment.t1_s) for moment in now.evidence] == [(59.5, 70.0)]
    gone = session.ask("Where is the car now?")
    assert gone.answer.startswith("No longer in sight: last seen 0:59.5 to 1:19.5 in yard, on the right")


def test_what_was_never_there_tells_when_somebody_looked(session):
    answer = session.ask("When was there an elephant?")
    assert answer.unknown
    assert [one.state for one in answer.states] == [State.NOT_SEEN]
    assert answer.answer.endswith("yard: looked at from 0:00 to 1:39 and 2:30 to 3:19.")
    never = session.ask("Was there a car between 1:50 and 2:10?")
    assert [one.state for one in never.states] == [State.NEVER_LOOKED]
    assert never.answer.endswith("Nobody looked for it in yard then.")
    gone = session.ask("Was there a car between 0:40 and 0:50?")
    assert [one.state for one in gone.states] == [State.GONE]


def test_words_have_states_too(session):
    told = {at_s: session.ask('Is "open" on the screen now?', at_s=at_s) for at_s in (10.0, 30.0, 70.0, 120.0)}
    assert [[one.state for one in answer.states] for answer in told.values()] == [
        [State.NOT_SEEN],
        [State.SEEN],
        [State.GONE],
        [State.NEVER_LOOKED],
    ]
    assert told[30.0].answer.startswith("Yes: the words “open” in sight in yard since 0:20")
    assert "last seen 0:20 to 0:49 in yard" in told[70.0].answer


def test_a_place_has_states_too(session):
    (moment, *_) = session.search("grey", top=1)
    asked = {
        at_s: session.ask("Is the camera still there?", place_of=moment.id, at_s=at_s) for at_s in (90.0, 120.0)
    }
    assert [[one.state for one in answer.states] for answer in asked.values()] == [
        [State.SEEN],
        [State.NEVER_LOOKED],
    ]


def test_states_are_plain_json(session):
    (state,) = answer_json(session.ask("Is there a car now?", at_s=50.0))["states"]
    assert (state["state"], state["stay"], state["without_s"]) == ("gone", [9.5, 29.5], 30.0)
    (state,) = answer_json(session.ask("Was there a car?"))["states"]
    assert (state["state"], state["asked"]) == ("seen", [None, 199.0])


@pytest.mark.parametrize(
    ("question", "present"),
    [
        ("Is the car still there?", True),
        ("Where is it now?", True),
        ("Is there a dog in the film?", False),
        ("Was the car there?", False),
    ],
)
def test_which_questions_are_for_the_present(question, present):
    assert is_present(question) == present
