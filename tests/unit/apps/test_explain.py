"""What is said of an entry: every action of the journal as a sentence, nothing from outside trusted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hippocam.apps.cli.report import evidence_json, evidence_lines
from hippocam.apps.explain import explain_json, explain_lines, find_entry, sentence
from hippocam.memory.longterm.bank import Worth
from hippocam.memory.memory import Explanation
from hippocam.memory.records import Entry, Evidence, Level, Span
from hippocam.memory.store.journal import JournalRow
from hippocam.stream.errors import HippocamError

ME, OTHER = 0x0123_4567_89AB_CDEF, 0x0FED_CBA9_8765_4321


def row(action: str, why: Any, *, entry: int = ME, other: int | None = None) -> JournalRow:
    text = why if isinstance(why, str) else json.dumps(why)
    return JournalRow(id=1, stream="kitchen", time_s=83.5, action=action, entry=entry, other=other, why=text)


def entry(**changes: Any) -> Entry:
    spans = (Span(t0_s=8, t1_s=13, known_s=12), Span(t0_s=62, t1_s=64, known_s=64))
    values: dict[str, Any] = {
        "id": ME, "stream": "kitchen", "t0_s": 8, "t1_s": 13, "known_s": 12, "frame_s": 9, "surprise": 0.42,
        "utility": 1.3, "labels": ("kettle", "cup"), "text": "", "frames": 5, "repeats": 2, "jpeg_bytes": 900,
        "spans": spans, "met": 5, "uses": 2, "place": 3,
    }  # fmt: skip
    return Entry(**(values | changes))


WORTH = Worth(
    surprise=1.3, learned=0.25, arm="product", redundancy=0.2, twin=OTHER, decay=0.9, worth=0.5678, rank=12, of=300
)
LOST = {"t0_s": 8, "t1_s": 13, "surprise": 0.4, "met": 1, "worth": 0.0512, "redundancy": 0.4}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (row("kept", {"cut": "end", "surprise": 0.42}), "surprise 0.42; the event ended because the stream ended"),
        (row("kept", {"cut": "gap", "surprise": 1}), "because the time of the frames jumped"),
        (row("kept", {"cut": "10 s long", "surprise": 1}), "because it was 10 s long"),
        (row("kept", {"cut": "surprise 0.40 above 0.15", "surprise": 1}), "was new: surprise 0.40 above 0.15"),
        (row("imported", {}), "imported from another memory"),
        (row("seen again", {"cosine": 0.912, "at_s": 62, "met": 2}), "seen again at 1:02 (cosine 0.91)"),
        (row("met again", {"cosine": 0.7, "at_s": 62}, other=OTHER), "met again at 1:02 by 0fedcba987654321"),
        (row("met again", {"cosine": 0.7, "at_s": 62}, entry=OTHER, other=ME), "what 0fedcba987654321 showed"),
        (row("merged", LOST, other=OTHER), "merged into 0fedcba987654321"),
        (row("merged", LOST, entry=OTHER, other=ME), "took over the times of 0fedcba987654321 (40% the same)"),
        (row("smaller picture", LOST), "made smaller to stay within the budget: worth 0.05 then, 40% of it"),
        (row("no picture", LOST), "its picture was given up"),
        (row("words only", LOST), "its vectors were given up"),
        (row("given up", LOST), "given up to stay within the budget"),
        (row("its picture was removed", {}), "somebody had removed its picture"),
        # what this version does not know, or does not understand
        (row("dreamt", {"n": 2, "of": "sheep"}, other=OTHER), "dreamt with 0fedcba987654321 (n 2, of sheep)"),
        (row("kept", {}), "kept"),
        (row("seen again", {"cosine": "high", "at_s": 3, "met": 1}), "seen again (cosine high, at_s 3, met 1)"),
        (row("seen again", '{"cosine": 1e999, "at_s": 1e999, "met": NaN}'), "seen again"),
        (row("given up", "[" * 100_000), "given up"),
        (row("given up", '{"worth": ' + "9" * 4000 + "}"), "given up"),
        (row("\x1b[2Jgiven up\n", {"a\x07": "\x1b]0;x"}), "[2Jgiven up (a ]0;x)"),
    ],
)  # fmt: skip
def test_a_row_of_the_journal_is_a_sentence(told: JournalRow, said: str) -> None:
    found = sentence(told, ME)
    assert said in found
    assert found.isprintable()


def test_an_entry_says_what_it_is_and_what_keeps_it() -> None:
    journal = [
        row("kept", {"cut": "end", "surprise": 0.42}),
        row("seen again", {"cosine": 1, "at_s": 62, "met": 2}),
    ]
    lines = explain_lines(ME, Explanation(entry=entry(), journal=journal, worth=WORTH))
    text = "\n".join(lines)
    assert lines[0] == "0123456789abcdef in kitchen"
    assert "0:08 - 0:13, 1:02 - 1:04 (and 3 more)" in text
    assert "5 times, used as evidence 2" in text
    assert text.index("kept as an entry") < text.index("seen again at 1:02")
    assert "worth 0.568, place 12 of 300" in text
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
        (Level.SIGNS, "of its vectors the signs"),
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


class Found:
    """A memory that holds some ids."""

    folder = Path()

    def __init__(self, *held: int) -> None:
        self.held = held

    def find(self, first: int, last: int, *, limit: int) -> list[int]:
        assert 0 <= first <= last < 1 << 63
        return [number for number in sorted(self.held) if first <= number <= last][:limit]


def test_the_beginning_of_an_id_is_enough_where_it_is_the_only_one() -> None:
    memory: Any = Found(ME, OTHER, 0x0124 << 48, (1 << 63) - 1)
    assert find_entry(memory, "0123456789abcdef") == ME
    assert find_entry(memory, " 0123 ") == ME
    assert find_entry(memory, "0F") == OTHER
    assert find_entry(memory, "7") == (1 << 63) - 1
    with pytest.raises(HippocamError, match=r"several \(0123456789abcdef, 0124000000000000\); give more digits"):
        find_entry(memory, "012")
    for unknown in ("1", "8", "ffffffffffffffff"):
        with pytest.raises(HippocamError, match="neither the memory nor its journal"):
            find_entry(memory, unknown)
    for nonsense in ("", "xyz", "0123456789abcdef0", "../0", "-1"):
        with pytest.raises(HippocamError, match="is no id"):
            find_entry(memory, nonsense)


def test_evidence_says_when_else_it_was_seen_and_that_its_picture_is_gone() -> None:
    moment = Evidence(
        id="00", stream="kitchen", t0_s=8, t1_s=13, score=0.9, why="it matches", image="", frame_s=9,
        spans=((8, 13), (62, 64), (184, 190)), met=4, place=2,
    )  # fmt: skip
    lines = evidence_lines([moment])
    assert lines[0].endswith("(picture given up for the budget)")
    assert lines[2] == "   also seen at 1:02, 3:04 (4 times in all)"
    found = evidence_json(moment)
    assert (found["image"], found["met"], found["place"]) == ("", 4, 2)
    assert found["spans"] == [[8, 13], [62, 64], [184, 190]]
