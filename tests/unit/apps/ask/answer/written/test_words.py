"""Lines that are told where a question names none of their words, and where nobody was heard to say them."""

import pytest

from hippocam.apps.ask.answer.answer import answer_beside, answer_from_records
from hippocam.memory.records import Evidence
from hippocam.stream.records import Note


@pytest.fixture(scope="module")
def yard(load_helpers):
    return load_helpers("unit/apps/ask/answer/records.py")


def line(t0_s, t1_s, text):
    return Note(stream="yard", kind="screen", t0_s=t0_s, t1_s=t1_s, text=text)


def said(yard, question, notes, evidence=()):
    told = answer_beside(yard.facts(question, records=yard.Yard(notes=tuple(notes))), evidence)
    return None if told is None else told.reading.answer


def test_a_clock_that_goes_on_is_one_of_few_lines(yard):
    notes = [line(0, 80, "garage"), *(line(10 * k + 1, 10 * k + 2, f"06:28:4{k}") for k in range(7))]
    assert said(yard, "What does the sign on the wall say?", notes) == (
        'Perhaps on screen in yard: "garage" (0:00 to 1:20); "06:28:40" (0:01 to 0:02).'
    )


def test_where_a_sign_was_seen_the_lines_of_that_time_are_told(yard):
    notes = [
        line(10 * k, 10 * k + 3, name) for k, name in enumerate(("one", "two", "three", "four", "five", "six"))
    ]
    sign = Evidence(id="s", stream="yard", t0_s=30, t1_s=34, score=0.8, why="", image="", frame_s=31)
    question = "What does the sign on the wall say?"
    assert said(yard, question, notes, [sign]) == 'Perhaps on screen in yard: "four" (0:30 to 0:33).'
    assert said(yard, question, notes) is None


def test_what_nobody_was_heard_to_say_may_have_been_read(yard):
    notes = [line(10, 14, "* except fair use"), line(20, 24, "All rights reserved")]
    assert said(yard, "What do they say about fair use?", notes) == (
        'Perhaps on screen in yard, not heard: "* except fair use" (0:10 to 0:14).'
    )
    assert said(yard, "What do they say about patents?", notes) is None


def test_at_a_named_moment_all_lines_that_stood_then_are_told(yard):
    notes = [line(0, 80, "Files"), *(line(10 * k, 10 * k + 9, f"Tip {k}") for k in range(7))]
    assert said(yard, "What does the tooltip at 0:33 say?", notes) == 'Perhaps on screen in yard: "Files; Tip 3".'


def test_a_dialog_is_known_by_its_question(yard):
    notes = [line(0, 80, "Files"), line(30, 33, "Keep these changes?")]
    found = answer_from_records(yard.facts("When does a dialog pop up?", records=yard.Yard(notes=tuple(notes))))
    assert found.reading.answer == 'Likely on screen in yard: "Keep these changes?" (0:30 to 0:33).'


@pytest.mark.parametrize(
    ("question", "address"),
    [("What is the last website that is shown?", "b.org"), ("What is the first website?", "www.a.org")],
)
def test_of_several_lines_of_a_form_the_first_or_last_is_told(yard, question, address):
    notes = (line(2, 4, "www.a.org"), line(6, 9, "plain words"), line(70, 72, "b.org"))
    found = answer_from_records(yard.facts(question, records=yard.Yard(notes=notes)))
    assert f'"{address}"' in found.reading.answer
    assert found.reading.answer.count('"') == 2


def test_where_nothing_was_read_nothing_is_written(yard):
    asked = yard.facts("Is anything written on the truck?", records=yard.Yard(notes=()))
    assert answer_from_records(asked).reading.answer == "No: no words were read there or anywhere."
    assert answer_from_records(yard.facts("Is anything written on the truck?")) is None
