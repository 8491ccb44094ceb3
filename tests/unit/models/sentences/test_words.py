import pytest

from hippocam.models.sentences.moment import Subject
from hippocam.models.sentences.words import counted, listed, quoted, telling


@pytest.mark.parametrize(
    ("label", "count", "words"),
    [
        ("person", 1, "a person"),
        ("person", 4, "four people"),
        ("person", 12, "several people"),
        ("airplane", 1, "an aeroplane"),
        ("bus", 2, "two buses"),
        ("tv", 1, "a screen"),
        ("sheep", 3, "three sheep"),
        ("wine glass", 2, "two wine glasses"),
        ("bench", 2, "two benches"),
        ("teddy bear", 6, "six teddy bears"),
    ],
)
def test_things_are_counted_in_words(label, count, words):
    assert counted(Subject(label=label, count=count)) == words


def test_a_list_reads_like_one():
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"


def test_lines_that_tell_something_stay_in_their_order():
    lines = [
        "08-03-2015 06:28:49",
        "Chapter one",
        "ab",
        "§$%&/()=abcd",
        "A  longer   line of words",
        "Chapter one",
    ]
    assert telling(lines, 5) == ["Chapter one", "A longer line of words"]
    assert telling(lines, 1) == ["A longer line of words"]


def test_a_long_line_is_cut_between_words():
    assert quoted("word " * 30) == f"“{'word ' * 8}word ...”"
