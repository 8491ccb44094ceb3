"""What questions are taken to mean: time words, streams, before and after, follow-ups."""

import pytest

from hippocam.apps.ask.question.meaning import Turn
from hippocam.apps.ask.question.understand import understand
from hippocam.memory.filter import Filter
from hippocam.memory.records import StreamStatus
from hippocam.models.readers.question_kind import QuestionKind


def stream(name, length_s, start_s=0.0):
    return StreamStatus(
        id=name,
        source="x",
        fps=1,
        duration_s=start_s + length_s,
        complete=True,
        frames_seen=1,
        frames_encoded=1,
        events=1,
        entries=1,
        entry_bytes=1,
        evicted=0,
        t0_s=start_s,
        t1_s=start_s + length_s,
    )


ONE = [stream("film", 600.0)]
SOME = [stream("cam1", 600.0), stream("yard/left", 1200.0), stream("kitchen", 60.0)]


@pytest.mark.parametrize(
    ("question", "text", "after_s", "before_s"),
    [
        ("When was a red car there in the first minute?", "a red car there", None, 60),
        ("Was there a dog in the last 5 minutes?", "a dog", 300, None),
        ("a bird within the first thirty seconds", "a bird", None, 30),
        ("Was there a dog in the last half an hour?", "a dog", 600 - 1800, None),
        ("Did a man come between 1:00 and 2:30?", "a man come", 60, 150),
        ("a cat from 90 s to 2 minutes", "a cat", 90, 120),
        ("a bird after 0:45", "a bird", 45, None),
        ("a bird before 2 minutes", "a bird", None, 120),
        ("Who was there at 1:23?", "", 78, 88),
        ("Was anybody there around 1:23?", "anybody there", 68, 98),
        ("Was anybody there at the end of the video?", "anybody there", 540, None),
        ("a dog at the beginning", "a dog", None, 60),
        ("a dog at the end of our film", "a dog", 540, None),
        ("the bottle at the end of its stay", "the bottle at the end of its stay", None, None),
        ("a dog at the end of the walk", "a dog", 540, None),
        ("a dog at the end of the long corridor", "a dog at the end of the long corridor", None, None),
        ("a bottle near the end of the table", "a bottle near the end of the table", None, None),
        ("a dog in the middle of our garden", "a dog in the middle of our garden", None, None),
        ("a dog in the middle of the film", "a dog", 200, 400),
        ("Who was there in the eleventh minute?", "", 600, 660),
        ("What was red in the second half?", "red", 300, None),
        ("How many bottles are there right now?", "bottles", 590, None),
        ("Is there a dog in the video?", "a dog", None, None),
        ("Was a man there in the whole film?", "a man there", None, None),
        ("Is a dog in the video now?", "a dog", 590, None),
        ("a man with a camera in the video store", "a man with a camera in the video store", None, None),
        ("When did I last see my keys?", "my keys", None, None),
        ("the first time a man came", "a man came", None, None),
        ("a man with a second bag", "a man with a second bag", None, None),
        ("a car with 3 doors", "a car with 3 doors", None, None),
    ],
)
def test_words_that_say_when(question, text, after_s, before_s):
    found = understand(question, ONE)
    assert (found.text, found.spans) == (text, (Filter(after_s=after_s, before_s=before_s),))


def test_the_last_minute_ends_when_the_question_is_asked():
    assert understand("a dog in the last minute", ONE, at_s=200.0).spans == (Filter(after_s=140.0),)


def test_a_live_stream_begins_when_it_began():
    began_s = 1.79e9
    found = understand("a dog in the first minute", [stream("door", 3600.0, began_s)])
    assert found.spans == (Filter(before_s=began_s + 60),)


def test_a_relative_time_is_of_each_stream():
    found = understand("a dog in the last minute", SOME)
    assert found.spans == (
        Filter(stream="cam1", after_s=540),
        Filter(stream="yard/left", after_s=1140),
        Filter(stream="kitchen", after_s=0),
    )


@pytest.mark.parametrize(
    ("question", "text", "streams"),
    [
        ("How many times did a man come in cam1 and yard?", "a man come", ["cam1", "yard/left"]),
        ("Was there a cat on the left camera?", "a cat", ["yard/left"]),
        ("Was there a cat in the video cam1 or in the garden?", "a cat or in the garden", ["cam1"]),
        ("Did a man come into the kitchen?", "a man come into the kitchen", ["kitchen"]),
        ("Was a man in the kitchen?", "a man in the kitchen", ["kitchen"]),
        ("a man in cam10", "a man in cam10", [None]),
    ],
)
def test_streams_that_are_named(question, text, streams):
    found = understand(question, SOME)
    assert (found.text, [span.stream for span in found.spans]) == (text, streams)


def test_beside_something_else():
    found = understand("Did a man come in just before the red car left?", ONE)
    assert (found.text, found.kind) == ("a man come in", QuestionKind.WHETHER)
    assert (found.anchor.side, found.anchor.just, found.anchor.text) == ("before", True, "the red car left")


@pytest.mark.parametrize(
    ("question", "kind", "text"),
    [
        ("What happened right after the red car came?", QuestionKind.AFTER, "the red car came"),
        (
            "Who came directly after the man in the black jacket?",
            QuestionKind.AFTER,
            "the man in the black jacket",
        ),
        ("What was there before the fire?", QuestionKind.BEFORE, "the fire"),
    ],
)
def test_what_stands_beside_it(question, kind, text):
    found = understand(question, ONE)
    assert (found.kind, found.text, found.anchor) == (kind, text, None)


@pytest.mark.parametrize(
    ("question", "kind", "after_s"),
    [
        ("What happened in the last 2 minutes?", QuestionKind.HAPPENED, 480),
        ("What did you see in the second half?", QuestionKind.WHAT, 300),
        ("the second half", QuestionKind.WHAT, 300),
    ],
)
def test_what_there_was(question, kind, after_s):
    found = understand(question, ONE)
    assert (found.kind, found.spans) == (kind, (Filter(after_s=after_s),))


@pytest.mark.parametrize(
    ("question", "kind", "text"),
    [
        ("How often?", QuestionKind.OFTEN, "a man in a black jacket seen"),
        ("and when first?", QuestionKind.FIRST, "a man in a black jacket seen"),
        ("where was it?", QuestionKind.WHERE, "a man in a black jacket"),
        ("And what about the blond woman?", QuestionKind.WHEN, "the blond woman"),
        ("What happened after that?", QuestionKind.AFTER, "a man in a black jacket"),
        ("and then?", QuestionKind.AFTER, "a man in a black jacket"),
        ("Was he wearing a hat?", QuestionKind.WHETHER, "a man in a black jacket wearing a hat"),
        ("When did a dog come?", QuestionKind.WHEN, "a dog come"),
    ],
)
def test_a_follow_up_is_made_whole(question, kind, text):
    before = Turn(meaning=understand("When was a man in a black jacket?", SOME), stream="cam1", t0_s=20, t1_s=40)
    found = understand(question, SOME, before=before)
    assert (found.kind, found.text) == (kind, text)


def test_a_follow_up_keeps_what_is_asked_and_goes_elsewhere():
    before = Turn(meaning=understand("How often was a man in a black jacket seen?", SOME))
    found = understand("what about cam1?", SOME, before=before)
    assert (found.kind, found.spans) == (QuestionKind.OFTEN, (Filter(stream="cam1"),))
    assert "a man in a black jacket" in found.text


def test_that_is_the_moment_of_the_last_answer():
    before = Turn(meaning=understand("When was a man there?", SOME), stream="cam1", t0_s=20, t1_s=40)
    anchor = understand("Was a dog there just before that?", SOME, before=before).anchor
    assert (anchor.side, anchor.just, anchor.stream, anchor.t0_s, anchor.t1_s) == ("before", True, "cam1", 20, 40)
