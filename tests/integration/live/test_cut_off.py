"""A person in view when a camera breaks off is not there for ever, and a camera that is away is told to be."""

import time

import cv2
import numpy as np
import pytest

from hippocam.apps.api import entity_json
from hippocam.apps.session import Session
from hippocam.memory.memory import Memory
from hippocam.models.registry import make_encoder
from hippocam.stream.records import Embedding, Sensed, Thing

# When each visitor stands before the camera, in seconds; the second is there when it breaks off.
VISITS, LENGTH_S = ((10, 20), (35, 60)), 60
AGO_S = 7200.0


def frames(start_s, seq, seconds, visits):
    """A still room at a frame a second, with a visitor in some of them; a fake detector knows the truth."""
    rng, palette = np.random.default_rng(5), make_encoder("palette")
    room = rng.integers(60, 190, (45, 80, 3)).astype(np.uint8).repeat(8, 0).repeat(8, 1)
    for second in range(seconds):
        image, things = room.copy(), ()
        for who, (t0, t1) in enumerate(visits):
            if t0 <= second < t1:
                image[60:320, 200:330] = 0
                image[60:320, 200:330, who] = 255
                look = np.eye(32, dtype=np.float32)[who]
                things = (Thing(label="person", score=0.9, box=(0.31, 0.17, 0.52, 0.89), vector=look),)
        yield Embedding(
            stream="yard",
            seq=seq + second,
            time_s=start_s + second,
            vector=palette.encode_images([image]).vectors_ND[0],
            jpeg=cv2.imencode(".jpg", image[..., ::-1])[1].tobytes(),
            sensed=Sensed(things=things),
        )


def watched(folder, start_s, *, ends, seconds=LENGTH_S, visits=VISITS):
    """A live camera until it breaks off: its process ends in order or is killed, or it comes back in an hour."""
    spec = make_encoder("palette").spec
    with Memory.open_writer(folder, encoder="palette", spec=spec) as memory:
        memory.begin("yard", uri="rtsp://yard", fps=1.0, senses=("things made:1",))
        memory.write(list(frames(start_s, 0, seconds, visits)))
        if ends == "killed":
            return  # what is open is lost, as with a kill
        memory.finish("yard", complete=False)
        if ends == "comes back":
            memory.begin("yard", uri="rtsp://yard", fps=1.0, senses=("things made:1",))
            memory.write(list(frames(start_s + 3600, seconds, 30, ())))
            memory.finish("yard", complete=False)


@pytest.fixture(params=["in order", "killed"])
def away(request, tmp_path):
    """A camera that broke off two hours ago, and when it was last looked at."""
    start_s = time.time() - AGO_S
    watched(tmp_path / "m", start_s, ends=request.param)
    with Session(tmp_path / "m") as session:
        (stream,) = session.status().streams
        assert stream.goes_on
        yield session, stream.last_look_s, start_s


def test_who_was_in_view_when_a_camera_broke_off_is_not_there_now(away):
    session, end_s, start_s = away
    first, second = sorted(session.entities(), key=lambda entity: entity.first_s)
    assert first.visits[0].left_s == pytest.approx(start_s + VISITS[0][1], abs=1)
    (visit,) = second.visits
    assert visit.cut_off
    assert visit.left_s is None
    assert end_s - 2 <= visit.t1_s <= end_s
    seen = entity_json(second)
    assert seen["spans"][0][2] == visit.t1_s
    assert seen["seen"][0]["cut_off"]
    assert not entity_json(first)["seen"][0]["cut_off"]


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (
            "Is anybody there now?",
            ("never looked", "Before that it was there", "nobody has looked since", "away since"),
        ),
        ("How many people are there now?", ("1 person when yard was last looked at", "away since")),
        ("Is the person still there?", ("nobody looked for it in yard", "the last look was at", "away since")),
        ("What is there now?", ("nothing was watched then", "away since")),
        ("What happened in the last minute?", ("nothing was watched then", "away since")),
        ("When did the second person leave?", ("last seen", "watching broke off")),
        ("Who came?", ("Two people", "when the watching broke off")),
        ("How many people came in the last three hours?", ("2 people", "away since")),
        ("How many people came?", ("2 people",)),
    ],
)
def test_answers_say_since_when_a_camera_is_away(away, question, words):
    session, *_ = away
    answer = session.ask(question).answer
    assert all(each in answer for each in words), answer
    assert ("away since" in answer) == ("away since" in words)


def test_as_of_a_moment_before_that_the_visitor_is_there(away):
    session, _, start_s = away
    visitor = max(session.entities(at_s=start_s + 40), key=lambda entity: entity.first_s).visits[0]
    assert not visitor.cut_off
    assert visitor.there(start_s + 40)
    assert session.ask("Is anybody there now?", at_s=start_s + 40).answer.startswith("Yes: a person in sight")
    gone = max(session.entities(at_s=start_s + 900), key=lambda entity: entity.first_s).visits[0]
    assert gone.cut_off


def test_a_camera_that_comes_back_shows_the_visitor_no_more(tmp_path):
    start_s = time.time() - AGO_S
    watched(tmp_path / "m", start_s, ends="comes back")
    with Session(tmp_path / "m") as session:
        assert [entity.visits[0].cut_off for entity in session.entities()] == [False, True]
        assert session.ask("When did people leave?", stream="yard").answer.count("to") <= 2
        told = session.ask("Is anybody there now?", at_s=start_s + 3620).answer
        assert told.startswith("No longer in sight")


def test_a_camera_that_is_looked_at_is_not_away(tmp_path):
    start_s = time.time() - LENGTH_S
    watched(tmp_path / "m", start_s, ends="killed")  # a live process writes its open event 10 s later
    with Session(tmp_path / "m") as session:
        for question in ("Is anybody there now?", "Was there a person in the last minute?"):
            assert "away" not in session.ask(question).answer
        assert session.ask("Is anybody there now?").answer.startswith("Yes: a person in sight in yard")


def test_a_film_ends_with_whoever_is_in_it(tmp_path):
    with Memory.open_writer(tmp_path / "m", encoder="palette", spec=make_encoder("palette").spec) as memory:
        memory.begin("yard", uri="yard.mp4", fps=1.0)
        memory.write(list(frames(0.0, 0, LENGTH_S, VISITS)))
        memory.finish("yard", end_s=float(LENGTH_S))
    with Session(tmp_path / "m") as session:
        assert [entity.visits[0].cut_off for entity in session.entities()] == [False, False]
        assert session.ask("Is anybody there now?").answer.startswith("Yes: a person in sight in yard")
