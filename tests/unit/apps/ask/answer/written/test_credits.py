"""When the credits run, from the words that stand at the end of a film."""

import pytest

from hippocam.apps.ask.answer.answer import answer_from_records
from hippocam.stream.records import Note


@pytest.fixture(scope="module")
def yard(load_helpers):
    return load_helpers("unit/apps/ask/answer/records.py")


def lines(*texts, start_s=50.0):
    return tuple(
        Note(stream="yard", kind="screen", t0_s=start_s + 3 * k, t1_s=start_s + 3 * k + 2, text=text)
        for k, text in enumerate(texts)
    )


ROLL = lines("Directed by", "Ann Lee", "Music", "Bo Kim", "Very special thanks", "Cy Wu", "Di Oz", "The end")
EARLY = (Note(stream="yard", kind="screen", t0_s=10, t1_s=12, text="EXIT"),)


def said(yard, question, notes):
    found = answer_from_records(yard.facts(question, records=yard.Yard((), notes)))
    return None if found is None else found.reading.answer


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("When do the credits start?", "Likely at about 0:50, 0:50 to 1:13 in yard."),
        ("When do the credits end?", "Likely at about 1:13, 0:50 to 1:13 in yard."),
        ("When are the credits shown?", "Likely 0:50 to 1:13 in yard."),
        ("How long do the credits run?", "Likely about 23 s: 0:50 to 1:13 in yard."),
        ("Are there credits?", "Yes, likely: 0:50 to 1:13 in yard."),
        ("When does he pay with credit cards?", None),
    ],
)
def test_the_last_words_with_roles_among_them_are_the_credits(yard, question, answer):
    assert said(yard, question, EARLY + ROLL) == answer


@pytest.mark.parametrize(
    "notes",
    [
        EARLY,
        lines("Directed by", "Ann Lee"),  # a title
        lines("Exit", "No parking", "Exit", "No entry", "Exit", "Keep left", "Stop"),  # signs
        lines("Directed by", "Ann Lee", "Music", "Bo Kim", "Thanks", "Cy Wu", start_s=2.0),  # at the beginning
    ],
)
def test_what_stands_early_or_names_no_role_is_none(yard, notes):
    assert said(yard, "When do the credits start?", notes) is None
