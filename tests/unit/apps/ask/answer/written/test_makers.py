"""Who made what, from the roles that stand on a screen."""

import pytest

from hippocam.apps.ask.answer.answer import answer_from_records
from hippocam.stream.records import Note


@pytest.fixture(scope="module")
def yard(load_helpers):
    return load_helpers("unit/apps/ask/answer/records.py")


def screen(start_s, *texts):
    return tuple(
        Note(stream="yard", kind="screen", t0_s=start_s, t1_s=start_s + 3, text=text, line=line)
        for line, text in enumerate(texts)
    )


ROLL = (
    *screen(50, "Technical Director", "Di Oz", "Art department", "Cy Wu", "Ed Ng"),
    *screen(55, "Director", "Ann Lee", "Music and sound", "Bo Kim"),
    *screen(60, "Written by", "Fay Ru"),
)


def said(yard, question, notes=ROLL):
    found = answer_from_records(yard.facts(question, records=yard.Yard((), notes)))
    return None if found is None else found.reading.answer


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("Who composed the music?", "Bo Kim"),
        ("Who is the composer?", "Bo Kim"),
        ("Who directed the film?", "Ann Lee"),
        ("By whom was the film directed?", "Ann Lee"),
        ("Who wrote the script?", "Fay Ru"),
    ],
)
def test_a_maker_is_who_stands_beside_the_role(yard, question, name):
    answer = said(yard, question)
    assert name in answer
    assert "Ed Ng" not in answer  # further away on the same screen


def test_the_shortest_line_that_names_the_role_comes_first(yard):
    answer = said(yard, "Who is the director?")
    assert answer.index("Ann Lee") < answer.index("Technical Director")


def test_a_script_that_prints_something_is_no_role(yard):
    assert "Fay Ru" not in (said(yard, "What does the script print?") or "")


def test_who_narrates_is_not_told_where_no_line_names_a_narrator(yard):
    assert said(yard, "Who is the narrator?") is None
