"""Ids as people write them: of entries by their beginning, of entities and visits whole."""

from __future__ import annotations

from hippocam.apps.errors import UnknownEntryError
from hippocam.memory.memory import Memory
from hippocam.memory.records import format_id
from hippocam.stream.errors import HippocamError

# How many ids an error names when a beginning fits several.
_NAMED = 4


def find_entry(memory: Memory, written: str) -> int:
    """Find the entry with this id or this unique beginning of one.

    Raises:
        HippocamError: It is not an id, or fits no entry in the memory and its journal, or several.
    """
    digits = written.strip().lower()
    if not 1 <= len(digits) <= 16 or set(digits) - set("0123456789abcdef"):
        raise HippocamError(f"entry {written!r} is no id: give its 16 hexadecimal digits, or the first few")
    first, last = int(digits.ljust(16, "0"), 16), int(digits.ljust(16, "f"), 16)
    greatest = (1 << 63) - 1
    found = memory.find(first, min(last, greatest), limit=_NAMED + 1) if first <= greatest else []
    if not found:
        raise UnknownEntryError(digits)
    if len(found) > 1:
        names = ", ".join(map(format_id, found[:_NAMED])) + (", ..." if len(found) > _NAMED else "")
        raise HippocamError(f"entry {digits}: the beginning of several ({names}); give more digits")
    return found[0]


def parse_id(text: str) -> int:
    """Read the id of an entity or visit.

    Raises:
        HippocamError: It is not an id.
    """
    if len(text) != 16 or any(letter not in "0123456789abcdef" for letter in text):
        raise HippocamError(f"{text!r} is no id of 16 hexadecimal digits, as things, people and visits have them")
    return int(text, 16)
