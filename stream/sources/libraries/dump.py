"""The rows of some tables in a PostgreSQL dump: plain SQL as pg_dump writes it, or the same in gzip."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from hippocam.stream.errors import SourceError

Row = Mapping[str, str]
_COPY = re.compile(r'COPY (?:public\.)?"?(\w+)"? \((.*)\) FROM stdin;\s*')
_ESCAPED = re.compile(r"\\(.)")
_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
# What reading a file raises that is cut off or damaged, packed or not.
_UNREADABLE = (OSError, EOFError, zlib.error)
# Where a table that tells what a dump is must stand.
_LOOKED_AT = 64_000_000


def _opened(path: Path) -> IO[str]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return (gzip.open if packed else open)(path, "rt", encoding="utf-8", errors="replace", newline="\n")


def has_table(path: Path, tables: frozenset[str]) -> bool:
    """Whether a file is a dump that holds rows of one of some tables."""
    try:
        with _opened(path) as file:
            read = 0
            for line in file:
                read += len(line)
                found = _COPY.fullmatch(line) if line.startswith("COPY ") else None
                if found is not None and found[1] in tables:
                    return True
                if read > _LOOKED_AT:
                    return False
    except _UNREADABLE:
        return False
    return False


def rows(path: Path, tables: frozenset[str]) -> Iterator[tuple[str, Row]]:
    """The rows of some tables, in the order of the dump: the table's name, and its values by column.

    What is NULL is left out of a row.

    Raises:
        SourceError: The dump cannot be read to its end.
    """
    try:
        with _opened(path) as file:
            table, names = "", list[str]()
            for line in file:
                if table:
                    if line.rstrip("\n") == "\\.":
                        table = ""
                    elif table in tables:
                        values = zip(names, line.rstrip("\n").split("\t"), strict=False)
                        yield table, {name: _plain(value) for name, value in values if value != "\\N"}
                elif line.startswith("COPY ") and (found := _COPY.fullmatch(line)) is not None:
                    table, names = found[1], [name.strip().strip('"') for name in found[2].split(",")]
    except _UNREADABLE as error:
        raise SourceError(str(path), f"the dump cannot be read to its end ({error})") from error


def _plain(value: str) -> str:
    """A value without the dump's escapes."""
    return _ESCAPED.sub(lambda found: _LETTERS.get(found[1], found[1]), value) if "\\" in value else value
