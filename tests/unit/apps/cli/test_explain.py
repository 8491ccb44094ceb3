"""What is said of an entry, to people and to programs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hippocam.apps.api import explain_json
from hippocam.apps.cli.explain import explain_lines
from hippocam.memory.bank.worth import Worth
from hippocam.memory.explanation import Explanation
from hippocam.memory.records import Entry, Level, Span
from hippocam.memory.store.journal import JournalRow

ME, OTHER = 0x0123_4567_89AB_CDEF, 0x0FED_CBA9_8765_4321


def row(action: str, why: Any, *, entry: int = ME, other: int | None = None) -> JournalRow:
    text = why if isinstance(why, str) else json.dumps(why)
    return JournalRow(id=1, stream="kitchen", time_s=83.5, action=action, entry_id=entry, other_id=other, why=text)


def entry(**changes: Any) -> Entry:
    spans = (Span(t0_s=8, t1_s=13, known_s=12), Span(t0_s=62, t1_s=64, known_s=64))
    values: dict[str, Any] = {
        "id": ME, "stream": "kitchen", "t0_s": 8, "t1_s": 13, "known_s": 12, "frame_s": 9, "surprise": 0.42,
        "utility": 1.3, "labels": ("kettle", "cup"), "text": "", "frames": 5, "repeats": 2, "jpeg_bytes": 900,
        "spans": spans, "met": 5, "uses": 2, "place": 3,
    }  # fmt: skip
    return Entry(**(values | changes))


WORTH = Worth(
    surprise=1.3,
    learned=0.25,
    arm="product",
    used=1.0,
    redundancy=0.2,
    twin=OTHER,
    decay=0.9,
    worth=0.5678,
    rank=12,
    of=300,
)
LOST = {"t0_s": 8, "t1_s": 13, "surprise": 0.4, "met": 1, "worth": 0.0512, "redundancy": 0.4}


def test_an_entry_says_what_it_is_and_what_keeps_it() -> None:
    journal = [
        row("kept", {"cut": "end", "surprise": 0.42}),
        row("seen again", {"cosine": 1, "at_s": 62, "met": 2}),
    ]
    found = Explanation(entry=entry(), journal=journal, worth=WORTH, sentence="a kettle in a kitchen")
    lines = explain_lines(ME, found)
    text = "\n".join(lines)
    assert lines[0] == "0123456789abcdef in kitchen"
    assert "looks     like a kettle in a kitchen" in lines[1]
    assert "0:08 - 0:13, 1:02 - 1:04 (and 3 more)" in text
    assert "5 times, used as evidence 2" in text
    assert text.index("kept as an entry") < text.index("seen again at 1:02")
    assert "worth 0.568, rank 12 of 300" in text
    assert "0fedcba987654321 is nearest to it and holds 20% of it too" in text
    assert "90% of it is left" in text
    pinned = explain_lines(ME, Explanation(entry=entry(pinned=True), journal=[], worth=WORTH))
    assert sum("pinned" in line for line in pinned) == 2
    assert any("no longer reaches back" in line for line in pinned)


@pytest.mark.parametrize(
    ("level", "said"),
    [
        (Level.FULL, "as it came"),
        (Level.SMALL, "small picture"),
        (Level.VECTORS, "no picture"),
        (Level.SIGNS, "its vectors reduced"),
        (Level.WORDS, "words alone"),
    ],
)
def test_what_is_left_of_it_is_said(level: Level, said: str) -> None:
    assert said in "\n".join(explain_lines(ME, Explanation(entry=entry(level=level), journal=[], worth=None)))


def test_what_was_given_up_still_has_its_journal() -> None:
    journal = [row("kept", {"cut": "end", "surprise": 0.42}), row("given up", LOST)]
    lines = explain_lines(ME, Explanation(entry=None, journal=journal, worth=None))
    assert lines[0] == "0123456789abcdef: no longer in the memory"
    assert "given up to stay within the budget" in lines[-1]


def test_json_is_plain_json() -> None:
    found = explain_json(ME, Explanation(entry=entry(), journal=[row("merged", LOST, other=OTHER)], worth=WORTH))
    again = json.loads(json.dumps(found, allow_nan=False))
    assert again["id"] == again["entry"]["id"] == "0123456789abcdef"
    assert again["entry"]["spans"] == [[8, 13], [62, 64]]
    assert (again["entry"]["level"], again["entry"]["labels"]) == ("full", ["kettle", "cup"])
    assert again["journal"][0]["other"] == again["worth"]["twin"] == "0fedcba987654321"
    assert again["journal"][0]["why"]["worth"] == 0.0512
