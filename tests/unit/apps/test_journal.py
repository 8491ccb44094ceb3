"""Every action of the journal as a sentence; nothing from outside is trusted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hippocam.apps.journal import sentence
from hippocam.memory.store.journal import JournalRow

ME, OTHER = 0x0123_4567_89AB_CDEF, 0x0FED_CBA9_8765_4321
LOST = {"t0_s": 8, "t1_s": 13, "surprise": 0.4, "met": 1, "worth": 0.0512, "redundancy": 0.4}


def row(action: str, why: Any, *, entry: int = ME, other: int | None = None) -> JournalRow:
    text = why if isinstance(why, str) else json.dumps(why)
    return JournalRow(id=1, stream="kitchen", time_s=83.5, action=action, entry_id=entry, other_id=other, why=text)


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
        (row("its picture was changed", {}), "goes on without its picture"),
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
