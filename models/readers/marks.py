"""How readers name what they were given: "[E1]" a moment of the memory, "[L2]" a live frame, "[E1, E3]" two."""

from __future__ import annotations

import re

MARK = re.compile(r"[EL]\d{1,3}")
MARKS = re.compile(rf"\[\s*{MARK.pattern}(?:\s*[,;]\s*{MARK.pattern})*\s*\]")


def marks_in(text: str) -> tuple[str, ...]:
    """The marks that stand in brackets in a text, each once, in order."""
    return tuple(dict.fromkeys(mark for group in MARKS.findall(text) for mark in MARK.findall(group)))
