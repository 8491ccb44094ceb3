import pytest

from hippocam.apps.ask.question.understand import understand
from hippocam.memory.records import Evidence
from hippocam.models.readers.context import build_context
from hippocam.models.readers.extractive import ExtractiveReader
from hippocam.models.readers.surety import Surety
from hippocam.stream.records import Note


def moment(t0_s, t1_s, score, stream="cam", **values):
    return Evidence(
        id=f"{stream}{t0_s}",
        stream=stream,
        t0_s=t0_s,
        t1_s=t1_s,
        score=score,
        why="",
        image="",
        frame_s=t0_s,
        **values,
    )


def read(*evidence, question="When was it there?"):
    reader = ExtractiveReader()
    return reader.read(build_context(question, evidence, [], reader.budget, kind=understand(question, ()).kind))


def test_the_best_moment_is_stated_with_its_source():
    reading = read(moment(83, 91, 0.9, sentence="a car on a road"), moment(10, 12, 0.2))
    assert reading.answer == "Perhaps 1:23 to 1:31 in cam, which looks like a car on a road."
    assert reading.evidence_ids == ("cam83",)
    assert reading.confidence == 0.9


def test_the_best_moment_has_its_own_span_and_what_touches_it_is_not_told_again():
    reading = read(moment(10, 20, 0.9), moment(30, 40, 0.88), moment(20, 25, 0.85), moment(0, 10, 0.3))
    assert reading.evidence_ids == ("cam10", "cam30")
    numbers = {"cam10": "1", "cam30": "2", "cam20": "3", "cam0": "4"}
    assert reading.cited_answer(numbers) == ("Perhaps 0:10 to 0:20 in cam [1]. Also 0:30 to 0:40 in cam [2].")


def test_of_moments_that_are_all_believed_only_those_with_odds_like_the_best_are_named():
    reading = read(moment(10, 20, 0.999), moment(30, 40, 0.96), moment(50, 60, 0.985))
    assert reading.answer == "Perhaps 0:10 to 0:20 in cam. Also 0:50 to 1:00 in cam."


def test_what_follows_a_moment_may_look_like_it_and_is_told_by_its_sentence():
    kitchen, hall = moment(10, 20, 0.99, sentence="a kitchen"), moment(20, 30, 0.98, sentence="a hall")
    after = read(kitchen, hall, question="What happened after the kitchen?").sentences[0]
    assert after.text == "After it: 0:20 to 0:30 in cam, which looks like a hall."


def test_the_same_time_in_another_stream_is_another_moment():
    reading = read(moment(10, 20, 0.9), moment(15, 25, 0.9, stream="door"))
    assert "0:10 to 0:20 in cam" in reading.answer
    assert "0:15 to 0:25 in door" in reading.answer


def test_weak_or_no_evidence_is_not_seen():
    weak = read(moment(10, 20, 0.49))
    assert weak.unknown
    assert "Not seen" in weak.answer
    assert weak.evidence_ids == ()
    assert weak.confidence == 0.49
    assert read().unknown


SEEN = (
    moment(50, 60, 0.9, spans=((10, 12), (50, 60)), met=2, place=3, text='the "train" leaves'),
    moment(90, 95, 0.85, sentence="a bus on a street"),
    moment(60, 64, 0.45, sentence="an empty track"),
    moment(44, 50, 0.45),
)


@pytest.mark.parametrize(
    ("question", "answer", "ids"),
    [
        (
            "How often was the train there?",
            "Perhaps 3 times: 0:10 to 0:12 in cam; 0:50 to 1:00 in cam; 1:30 to 1:35 in cam.",
            {"cam50", "cam90"},
        ),
        (
            "When was the train first seen?",
            "Perhaps first seen 0:10 to 0:12 in cam, with the words \"the 'train' leaves\".",
            {"cam50"},
        ),
        (
            "When did the train last appear?",
            "Perhaps last seen 1:30 to 1:35 in cam, which looks like a bus on a street.",
            {"cam90"},
        ),
        ("How long was the train there?", "Perhaps for 10 s: 0:50 to 1:00 in cam.", {"cam50"}),
        ("Where was the train?", "Perhaps in cam, place 3.", {"cam50"}),
        ("What does the sign say?", "The words there: \"the 'train' leaves\".", {"cam50"}),
        (
            "What happened after the train came?",
            "After it: 1:00 to 1:04 in cam, which looks like an empty track.",
            {"cam50", "cam60"},
        ),
        ("What happened before the train came?", "Before it: 0:44 to 0:50 in cam.", {"cam50", "cam44"}),
    ],
)
def test_what_the_question_asks_of_it_comes_first(question, answer, ids):
    reading = read(*SEEN, question=question)
    assert reading.sentences[0].text == answer
    assert set(reading.sentences[0].evidence_ids) == ids
    assert reading.sentences[1].text.startswith("Best seen: 0:50 to 1:00 in cam")
    assert all(sentence.evidence_ids for sentence in reading.sentences)


def test_more_may_be_behind_the_last_moment_that_was_found():
    reading = read(moment(1, 2, 0.9), moment(5, 6, 0.9), question="How many times was it there?")
    assert reading.sentences[0].text == "Perhaps at least twice: 0:01 to 0:02 in cam; 0:05 to 0:06 in cam."


def test_a_thing_met_more_often_than_its_times_are_kept_is_counted_whole():
    reading = read(moment(1, 2, 0.9, spans=((1, 2), (7, 8)), met=9), question="How often was it there?")
    assert reading.sentences[0].text.startswith("Perhaps 9 times: 0:01 to 0:02 in cam; 0:07 to 0:08 in cam")


def test_what_is_not_there_is_said():
    assert "holds no moment close by" in read(moment(1, 2, 0.9), question="What happened after it?").answer
    unread = read(moment(1, 2, 0.9), question="What does the sign say?")
    assert (unread.answer, unread.unknown) == (
        "I can show when, but not what it says: 0:01 to 0:02 in cam may show it.",
        True,
    )


def note(kind, t0_s, t1_s, text):
    return Note(stream="cam", kind=kind, t0_s=t0_s, t1_s=t1_s, text=text)


def test_words_that_speak_for_a_moment_are_told_with_their_times():
    said = note("speech", 42.0, 45.5, 'We call it\n"the pier".')
    reading = read(moment(42.0, 45.5, 0.9, notes=(said, note("screen", 40, 50, "Harbour")), noted=1))
    assert reading.answer == "Likely said 0:42 to 0:45.5: \"We call it 'the pier'.\", in cam."
    assert reading.evidence_ids == ("cam42.0",)


def test_a_question_for_words_is_answered_with_them():
    shown = note("screen", 83, 91, "Way out")
    reading = read(moment(83, 91, 0.8, notes=(shown,)), question="What is written on the door?")
    assert reading.answer.startswith('On screen 1:23 to 1:31: "Way out".')


def test_words_are_not_told_as_an_answer_where_the_belief_is_low():
    reading = read(moment(42, 45, 0.4, notes=(note("speech", 42, 45, "secret"),), noted=1))
    assert reading.unknown
    assert "secret" not in reading.answer


def test_what_was_not_said_was_not_heard_whatever_a_picture_looks_like():
    shown = note("screen", 40, 50, "Harbour dues")
    reading = read(moment(42, 45, 0.9, notes=(shown,), noted=1), question="What was said about the harbour?")
    assert reading.answer.startswith("Not heard")
    assert reading.unknown


def test_of_what_no_picture_tells_the_words_with_it_are_told():
    shown = note("screen", 42, 45, "Pump 3")
    reading = read(moment(42, 45, 0.9, notes=(shown,)), question="Which pump is broken?")
    assert reading.answer.endswith('With it, on screen 0:42 to 0:45: "Pump 3".')
    assert reading.surety is Surety.PERHAPS


@pytest.mark.parametrize(
    ("question", "detected", "surety"),
    [
        ("When was the dog there?", True, Surety.LIKELY),
        ("When was the dog there?", False, Surety.PERHAPS),
        ("What stands beside the dog?", True, Surety.PERHAPS),
        ("Where is the dog?", True, Surety.PERHAPS),
    ],
)
def test_a_picture_alone_is_never_more_than_perhaps(question, detected, surety):
    reading = read(moment(42, 45, 0.99, detected=detected), question=question)
    assert reading.surety is surety


@pytest.mark.parametrize(
    ("question", "begins"),
    [
        (
            "When is a slide with the agenda shown?",
            "Only words tell of it, and no picture bears them out: on screen",
        ),
        ("When did the man read the sign?", "Only words tell of it, and no picture bears them out: on screen"),
        ("When was the door opened?", "Not seen: no picture bears out what words claim. On screen"),
    ],
)
def test_of_what_words_alone_tell_a_question_that_names_writing_is_not_denied(question, begins):
    note = Note(stream="cam", kind="screen", t0_s=5, t1_s=6, text="The agenda: open the door")
    reading = read(moment(5, 6, 0.4, notes=(note,), noted=1, claimed=True, witnessed=0.1), question=question)
    assert reading.answer.startswith(begins)
    assert reading.unknown
    assert reading.surety == Surety.NOT_SEEN
