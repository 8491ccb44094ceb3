"""Ids as people write them: of entries and imports by their beginning, of entities and visits whole."""

from __future__ import annotations

from pathlib import Path

from hippocam.apps.ask.where import check_named, check_stream, on_clock
from hippocam.apps.errors import EntryGivenUpError, UnknownEntryError
from hippocam.memory.filter import Filter
from hippocam.memory.memory import Memory
from hippocam.memory.provenance.records import Origin
from hippocam.memory.records import Entry, format_id
from hippocam.stream.errors import HippocamError

# How many ids an error names when a beginning fits several.
_NAMED = 4


def find_entry(memory: Memory, written: str) -> int:
    """Find the entry with this id or this unique beginning of one.

    Raises:
        HippocamError: It is not an id, or fits no entry in the memory and its journal, or several.
    """
    digits = written.strip().lower()
    if digits.startswith("open-"):
        raise HippocamError(f"{written} still goes on: its event has an id when it is over, in seconds")
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


def entries_of(folder: Path, wanted: Filter) -> list[str]:
    """Ids of all entries of a memory that meet some conditions.

    Raises:
        HippocamError: There is no memory, it has no such stream or camera, a time is not on the clock of a stream
            that is meant, or nothing was seen then.
    """
    with Memory.open_reader(folder) as memory:
        held = memory.streams()
        check_named(wanted, held)
        found = memory.store.lookup.select(on_clock(wanted, held, dates=True))
    if not found:
        raise HippocamError("nothing of that time is held; what still goes on is an entry when its event is over")
    return list(map(format_id, found))


def entry_with_place(memory: Memory, written: str) -> Entry:
    """The entry with this id or beginning of one, whose place is known.

    Raises:
        HippocamError: As `find_entry`; or it was given up, or its place is not known.
    """
    entry = memory.entry(find_entry(memory, written))
    if entry is None:
        raise EntryGivenUpError(written)
    if not entry.place:
        raise HippocamError(f"entry {written}: the place of this entry is not known; give another")
    return entry


def find_import(memory: Memory, written: str) -> int:
    """Find the import with this id or this unique beginning of one.

    Raises:
        HippocamError: It fits no import of the memory, or several.
    """
    digits = written.strip().lower()
    known = {part.made_by.id: part.made_by.file for part in memory.store.provenance.parts().values()}
    found = [one for one in known if digits and format_id(one).startswith(digits)]
    if len(found) != 1:
        names = ", ".join(f"{format_id(one)} ({file!r:.60})" for one, file in known.items()) or "none"
        raise HippocamError(
            f"import {written!r:.40} is {'several' if found else 'none'} of this memory's: {names}"
        )
    return found[0]


def origin_of(memory: Memory, stream: str | None, import_id: str | None, sense: str | None) -> Origin:
    """An origin as a user names it.

    Args:
        memory: The memory that it is of.
        stream: Name of a stream, or of a source with several.
        import_id: Id of an import, or the beginning of it.
        sense: One of WORD_SENSES.

    Raises:
        HippocamError: The stream or the import is not known, or nothing was named.
        ValueError: There is no such sense.
    """
    if stream is None and import_id is None and sense is None:
        raise HippocamError("name a stream, an import or a sense")
    if stream is not None:
        check_stream(stream, memory.streams())
    found = None if import_id is None else find_import(memory, import_id)
    return Origin(stream=stream, import_id=found, sense=sense)


def parse_id(text: str) -> int:
    """Read the id of an entity or visit.

    Raises:
        HippocamError: It is not an id.
    """
    if len(text) != 16 or any(letter not in "0123456789abcdef" for letter in text):
        raise HippocamError(f"{text!r} is no id of 16 hexadecimal digits, as things, people and visits have them")
    return int(text, 16)
