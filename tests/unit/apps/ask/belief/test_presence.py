"""Which labels a description names, and what is left of a belief that the detector contradicts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hippocam.apps.ask.belief.presence import confirmed, doubted, labels_named, supposed
from hippocam.memory.memory import Memory
from hippocam.memory.recall.query import Query
from hippocam.memory.records import Evidence
from hippocam.stream.records import Embedding, EncoderSpec, Sensed, Thing

SPEC = EncoderSpec(id="test:1", dim=8, normalised=True, midpoint=0.5, slope=20.0)
AXES = np.eye(8, dtype=np.float32)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("an elephant", ["elephant"]),
        ("two dogs and a cat", ["dog", "cat"]),
        ("a traffic light beside buses", ["traffic light", "bus"]),
        ("a hot dog", ["hot dog"]),
        ("people at a table", ["person"]),
        ("a man carrying two boxes", ["person"]),
        ("a child beside a dog", ["person", "dog"]),
        ("nobody", []),
        ("an orange kite flies over the train", []),
        ("a red door", []),
        ("", []),
    ],
)
def test_labels_that_a_description_names(text, labels):
    assert labels_named(text) == labels


@pytest.fixture
def memory(tmp_path):
    """A yard with a dog, seen unsurely, and a garden in which nothing was detected."""
    with Memory.open_writer(tmp_path / "m", encoder="test", spec=SPEC) as made:
        for stream in ("yard", "garden"):
            made.begin(stream, uri=f"/{stream}.mp4")
            dog = Thing(label="dog", score=0.4, box=(0.1, 0.1, 0.4, 0.4), vector=AXES[0])
            sensed = Sensed(things=(dog,) if stream == "yard" else ())
            made.write(
                [
                    Embedding(stream=stream, seq=seq, time_s=float(seq), vector=AXES[1], jpeg=b"x", sensed=sensed)
                    for seq in range(5)
                ]
            )
            made.finish(stream)
        yield made


def moment(stream: str = "yard", score: float = 0.8, noted: int = 0) -> Evidence:
    return Evidence(
        id="0" * 16, stream=stream, t0_s=0.0, t1_s=4.0, score=score, why="w", image="", frame_s=2.0, noted=noted
    )


def scores(memory, text, *moments, prefix=""):
    found = doubted(memory, Query(text=text, vector=AXES[2]), moments, prefix)
    return [each.score for each in found]


def test_only_what_the_detector_knows_and_never_saw_there_is_doubted(memory):
    assert scores(memory, "an elephant", moment()) < [0.5]
    assert scores(memory, "a dog", moment()) == [0.8]
    assert scores(memory, "a red door", moment()) == [0.8]
    assert scores(memory, "an elephant", moment("garden")) == [0.8]  # nobody looked there, as far as is known
    assert scores(memory, "a dog and an elephant", moment()) < [0.5]


def test_a_moment_without_what_was_followed_at_other_times_is_believed_less(tmp_path):
    with Memory.open_writer(tmp_path / "m", encoder="test", spec=SPEC) as made:
        made.begin("hall", uri="/hall.mp4")
        for seq in range(30):
            person = Thing(label="person", score=0.9, box=(0.2, 0.2, 0.6, 0.9), vector=AXES[0])
            sensed = Sensed(things=(person,) if seq < 10 else ())
            made.write(
                [Embedding(stream="hall", seq=seq, time_s=float(seq), vector=AXES[1], jpeg=b"x", sensed=sensed)]
            )
        made.finish("hall")
        with_them = replace(moment("hall"), t0_s=2.0, t1_s=8.0)
        without = replace(moment("hall"), t0_s=20.0, t1_s=28.0)
        assert scores(made, "somebody carries a box", with_them) == [0.8]
        (less,) = doubted(made, Query(text="somebody carries a box", vector=AXES[2]), [without])
        assert less.score == pytest.approx(0.8 / (0.8 + 3 * 0.2))
        assert "detected at other times: person" in less.why
        assert scores(made, "an empty table", without) == [0.8]


def test_what_was_read_or_said_stays_believed_and_against_furniture_that_is_missed_what_is_very_sure(memory):
    assert scores(memory, "an elephant", moment(noted=1)) == [0.8]
    assert scores(memory, "an elephant", moment(score=0.99)) < [0.5]
    assert scores(memory, "a dining table", moment(score=0.99)) == [0.99]
    assert scores(memory, "a dining table", moment(score=0.9)) < [0.5]


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("a mouse pointer", []),
        ("a blue car in a car park", ["car"]),
        ("the mouse on the table", ["mouse"]),
        ("a bus stop", []),
    ],
)
def test_a_name_that_only_contains_a_thing_is_no_such_thing(text, labels):
    assert labels_named(text) == labels


def test_of_several_memories_a_stream_has_its_own_name_within(memory):
    (found,) = doubted(memory, Query(text="an elephant", vector=AXES[2]), [moment("site/yard")], "site/")
    assert found.score < 0.5
    assert found.why == "w; never detected there: elephant"


def test_what_a_question_presupposes_is_believed_more_but_no_claim_is():
    plain, claim = (
        replace(moment(score=0.3), witnessed=0.3),
        replace(moment(score=0.48), claimed=True, witnessed=0.1),
    )
    more, same = supposed([plain, claim])
    assert 0.5 < more.score < 0.8
    assert same == claim
    assert [m.score for m in supposed([moment(score=0.0), moment(score=1.0)])] == [0.0, 1.0]


def test_words_that_are_believed_a_little_are_no_more_so_because_the_question_presupposes_something():
    """Words that hold a part of the question stay below one half, and are no claim beside a picture like that."""
    (told,) = supposed([replace(moment(score=0.45), witnessed=0.1)])
    assert told.score < 0.5
    (seen,) = supposed(
        [replace(moment(score=0.48), claimed=True, witnessed=0.3)]
    )  # the picture is enough by itself
    assert seen.score > 0.5
    assert not seen.claimed


def test_the_detector_bears_out_what_is_there_and_not_what_it_does(memory):
    def detected(text):
        return doubted(memory, Query(text=text, vector=AXES[2]), [moment()])[0].detected

    assert detected("a dog")
    assert detected("a dog on the lawn")
    assert not detected("a dog barking at the gate")
    assert not detected("a red door")
    assert not detected("an elephant")


def test_a_colour_that_none_of_the_kind_had_is_doubted(tmp_path):
    with Memory.open_writer(tmp_path / "m", encoder="test", spec=SPEC) as made:
        made.begin("road", uri="/road.mp4")
        for seq in range(5):
            car = Thing(label="car", score=0.9, box=(0.2, 0.2, 0.6, 0.6), vector=AXES[0], colours=("blue",))
            made.write(
                [Embedding(stream="road", seq=seq, time_s=float(seq), vector=AXES[1], jpeg=b"x",
                           sensed=Sensed(things=(car,)))]
            )  # fmt: skip
        made.finish("road")
        asked = {text: doubted(made, Query(text=text, vector=AXES[2]), [moment("road")])[0] for text in
                 ("a red car", "a blue car", "a dark car")}  # fmt: skip
    assert asked["a red car"].score < 0.5
    assert "no car there was red" in asked["a red car"].why
    assert asked["a blue car"].score == asked["a dark car"].score == 0.8


def test_planted_words_do_not_keep_the_detectors_doubt_from_a_picture(memory):
    """Beside a picture that is believed by mistake they made a moment immune."""
    asked = Query(text="an elephant", vector=AXES[2])
    planted = replace(moment(score=0.95), witnessed=0.75, noted=1)
    (found,) = doubted(memory, asked, [planted])
    assert found.claimed
    assert found.score < 0.5
    assert "never detected there" in found.why
    words = replace(moment(score=0.95), noted=1)  # words that are the answer keep their belief
    assert doubted(memory, asked, [words]) == (words,)


@pytest.fixture
def followed(tmp_path):
    """A yard in which a dog is there from second 2 on, and followed; a garden in which nothing is."""
    with Memory.open_writer(tmp_path / "f", encoder="test", spec=SPEC) as made:
        for stream in ("yard", "garden"):
            made.begin(stream, uri=f"/{stream}.mp4")
            dog = Thing(label="dog", score=0.8, box=(0.1, 0.1, 0.4, 0.4), vector=AXES[0])
            for seq in range(12):
                sensed = Sensed(things=(dog,) if stream == "yard" and seq >= 6 else ())
                made.write(
                    [
                        Embedding(
                            stream=stream, seq=seq, time_s=float(seq), vector=AXES[1], jpeg=b"x", sensed=sensed
                        )
                    ]
                )
            made.finish(stream)
        yield made


@pytest.mark.parametrize(
    ("text", "stream", "at_s", "drawn", "believed"),
    [
        ("a dog", "yard", (7.0, 11.0), False, True),
        ("dogs", "yard", (7.0, 11.0), False, True),
        ("a dog", "yard", (0.0, 3.0), False, False),  # it came later
        ("a dog", "garden", (7.0, 11.0), False, False),
        ("a dog", "yard", (7.0, 11.0), True, False),  # in drawings the detector sees what is not there
        ("a brown dog", "yard", (7.0, 11.0), False, False),  # no detector sees which
        ("a dog barks", "yard", (7.0, 11.0), False, False),
        ("a cat", "yard", (7.0, 11.0), False, False),
        ("two dogs", "yard", (7.0, 11.0), False, False),
    ],
)
def test_a_thing_that_was_followed_was_there_however_far_its_picture_lies(
    followed, text, stream, at_s, drawn, believed
):
    seen = replace(moment(stream, score=0.1), t0_s=at_s[0], t1_s=at_s[1], spans=(at_s,))
    found = confirmed(text, [seen], lambda: followed.entities.entities(None, None, None), lambda _: drawn)
    assert [each.score >= 0.5 for each in found] == [believed]


@pytest.mark.parametrize("unsure", [{"imported": "other.jsonl"}, {"claimed": True, "noted": 1, "witnessed": 0.1}])
def test_neither_an_import_nor_what_words_claim_is_confirmed(followed, unsure):
    seen = replace(moment(score=0.1), t0_s=7.0, t1_s=11.0, spans=((7.0, 11.0),), **unsure)
    assert confirmed("a dog", [seen], lambda: followed.entities.entities(None, None, None), lambda _: False) == (
        seen,
    )


def test_what_is_confirmed_comes_before_what_looks_more_like_it(followed):
    there = replace(moment(score=0.1), id="1" * 16, t0_s=7.0, t1_s=11.0, spans=((7.0, 11.0),))
    near = moment("garden", score=0.4)
    found = confirmed(
        "a dog", [near, there], lambda: followed.entities.entities(None, None, None), lambda _: False
    )
    assert [each.id for each in found] == [there.id, near.id]
