"""Lines that stand together are a screen; which of them is meant by its place in the row."""

import pytest

from hippocam.apps.ask.answer.answer import answer_from_records
from hippocam.apps.ask.answer.written.screens import screens_of
from hippocam.stream.records import Note


@pytest.fixture(scope="module")
def yard(load_helpers):
    return load_helpers("unit/apps/ask/answer/records.py")


def note(text, t0_s, t1_s, line=0):
    return Note(stream="yard", kind="screen", t0_s=t0_s, t1_s=t1_s, text=text, line=line)


SLIDES = (
    note("Channel 5", 0, 78),  # in the corner, all the time
    note("A talk", 2, 8),
    note("Costs", 10, 20),
    note("rise with time", 14, 20, line=1),  # comes later, and stands with it
    note("Thank you", 30, 36),
)


def test_what_stands_together_is_one_screen_also_where_it_comes_line_by_line():
    assert [[line.text for line in screen] for screen in screens_of(SLIDES, 80.0)] == [
        ["A talk"],
        ["Costs", "rise with time"],
        ["Thank you"],
    ]


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("What does the first slide say?", "A talk"),
        ("What is written on the second slide?", "Costs; rise with time"),
        ("What is on the third slide?", "Thank you"),
        ("What does the last slide say?", "Thank you"),
    ],
)
def test_a_slide_is_meant_by_its_place_in_the_row(yard, question, words):
    found = answer_from_records(yard.facts(question, records=yard.Yard((), SLIDES)))
    assert f'"{words}"' in found.reading.answer


def test_a_slide_beyond_the_last_is_denied(yard):
    found = answer_from_records(yard.facts("What does the seventh slide say?", records=yard.Yard((), SLIDES)))
    assert found.reading.answer == "There was no such screen: three with words were read."
