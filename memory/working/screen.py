"""Text on screen: the lines that were read in frames of one stream in, notes from first to last seen out.

A line that is read again, even with a letter wrong, is the same line and stays open; of its readings the one that
is nearest to all of them is told. One that is missing is closed at the next look that misses it too, since
reading flickers. A line that a look misses was there until the last look that saw it, and through the unchanged
frames after that. Digits must agree: a price or a page that changes is another line.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from hippocam.memory.store.notes import NoteRow, note_id
from hippocam.stream.records import Note

KIND = "screen"
# Share of letters in common from which two lines are one.
_SAME = 0.85
# Most lines of one look, and most characters of a line.
_MOST_LINES = 64
_MAX_TEXT = 300
# Different readings of a line that are compared, the most frequent first.
_MOST_READINGS = 5
# Looks in a row that must miss a line to close it.
_MISSES = 2


@dataclass(slots=True, eq=False)
class _Line:
    """A line that is open."""

    id: int
    t0_s: float
    t1_s: float
    known_s: float
    text: str
    key: str
    line: int
    readings: Counter[str] = field(default_factory=Counter)
    misses: int = 0
    changed: bool = True


class ScreenText:
    """What stands on the screen of one stream.

    Args:
        stream: Its name.
        gap_s: A jump in time of more than this, or backwards, closes every line.
        open_rows: Notes that may go on, as after an interruption: the latest ones.
        end_s: Up to when it was watched.
    """

    def __init__(
        self, stream: str, gap_s: float, open_rows: Sequence[NoteRow] = (), end_s: float | None = None
    ) -> None:
        self._stream, self._gap_s = stream, gap_s
        self._last_s = end_s
        self._sure_s: float | None = None  # up to when the lines of the last look were there for sure
        self._unchanged = False  # since that look
        self._lines = [
            _Line(
                id=row.id,
                t0_s=row.note.t0_s,
                t1_s=row.note.t1_s,
                known_s=row.known_s,
                text=row.note.text,
                key=_key(row.note.text),
                line=row.note.line,
                readings=Counter([row.note.text]),
                misses=_MISSES - 1,  # it may have been closed already
                changed=False,
            )
            for row in open_rows
        ]
        self._closed: list[_Line] = []

    def see(self, time_s: float, lines: Sequence[str] | None, *, unchanged: bool = False) -> None:
        """Take the next frame.

        Args:
            time_s: Its time.
            lines: What was read in it; None where nobody tried.
            unchanged: Whether it is the same as the frame before.
        """
        if self._last_s is not None and not 0 <= time_s - self._last_s <= self._gap_s:
            self._lengthen()
            self._close(self._lines)
        if lines is not None:
            self._read(time_s, lines)
        self._unchanged = lines is not None or (unchanged and self._unchanged)
        if self._unchanged:
            self._sure_s = time_s
        self._last_s = time_s

    def take(self, *, flush: bool = False) -> list[NoteRow]:
        """What is new or has changed since the last call; with flush all lines are closed."""
        self._lengthen()
        if flush:
            self._close(self._lines)
        rows = [self._row(line) for line in (*self._closed, *self._lines) if line.changed]
        for line in self._lines:
            line.changed = False
        self._closed = []
        return rows

    def _lengthen(self) -> None:
        """Prolong the lines that the last look saw for as long as nothing has changed."""
        for line in self._lines:
            if not line.misses and self._sure_s is not None and self._sure_s > line.t1_s:
                line.t1_s, line.changed = self._sure_s, True

    def _row(self, line: _Line) -> NoteRow:
        note = Note(stream=self._stream, kind=KIND, t0_s=line.t0_s, t1_s=line.t1_s, text=line.text, line=line.line)
        return NoteRow(id=line.id, note=note, known_s=line.known_s)

    def _close(self, lines: Sequence[_Line]) -> None:
        self._closed += lines
        self._lines = [line for line in self._lines if line not in lines]

    def _read(self, time_s: float, lines: Sequence[str]) -> None:
        self._lengthen()
        missing = list(self._lines)
        new: list[tuple[int, str, str]] = []
        texts = dict.fromkeys(" ".join(line.split())[:_MAX_TEXT] for line in lines[:_MOST_LINES])
        for at, text in enumerate(texts):
            key = _key(text)
            if not key:
                continue
            found = next((line for line in missing if line.key == key), None)
            found = found or next((line for line in missing if _alike(line.key, key)), None)
            if found is None:
                new.append((at, text, key))
            else:
                missing.remove(found)
                self._again(found, time_s, text, at)
        for line in missing:
            line.misses += 1
        self._close([line for line in missing if line.misses >= _MISSES])
        for at, text, key in new:
            line_id = note_id(self._stream, KIND, time_s, text)
            self._lines.append(
                _Line(id=line_id, t0_s=time_s, t1_s=time_s, known_s=time_s, text=text, key=key, line=at,
                      readings=Counter([text]))
            )  # fmt: skip

    def _again(self, line: _Line, time_s: float, text: str, at: int) -> None:
        line.t1_s, line.misses, line.changed, line.line = time_s, 0, True, at
        line.readings[text] += 1
        if text == line.text:
            return  # which speaks for it once more
        best = _nearest_to_all(line.readings, line.text)
        if best != line.text:
            line.text, line.key, line.known_s = best, _key(best), time_s


def _nearest_to_all(readings: Counter[str], told: str) -> str:
    """The reading that has most in common with all, each as often as it was read; of equals the one told."""
    some = dict(readings.most_common(_MOST_READINGS)) | {told: readings[told]}

    def common(text: str) -> float:
        shares = (
            times * SequenceMatcher(None, text, other, autojunk=False).ratio() for other, times in some.items()
        )
        return sum(shares)

    return max(some, key=lambda text: (round(common(text), 6), text == told))


def _key(text: str) -> str:
    """Letters and digits of a line, without case; "" where there are less than two."""
    key = "".join(c for c in text.casefold() if c.isalnum())
    return key if len(key) > 1 else ""


def _alike(a: str, b: str) -> bool:
    """Whether two keys are readings of one line."""
    if min(len(a), len(b)) < _SAME * max(len(a), len(b)) or re.sub(r"\D", "", a) != re.sub(r"\D", "", b):
        return False
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    return matcher.real_quick_ratio() >= _SAME and matcher.quick_ratio() >= _SAME and matcher.ratio() >= _SAME
