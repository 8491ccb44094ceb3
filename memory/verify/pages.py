"""Finds the rows in the bytes of a damaged database that are as they were written, table by table.

Pages are read one by one, without the tree that leads to them, so a damaged page costs its own rows only. A cell
is a row of a table if its values are of the types of the columns and its checksum is theirs. What could be of two
tables is of the one whose tree leads to its page; where none does, it is left out. The layout is that of
https://www.sqlite.org/fileformat2.html. Deleted rows are not found: SQLite overwrites them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from hippocam.memory.store.schema import PAGE_SIZES
from hippocam.memory.store.sums import row_sum

_FILE_HEADER = 100
# Where in it the size of pages stands.
_PAGE_BYTES = slice(16, 18)
# Most columns and bytes of a payload; more is damage.
_MOST_COLUMNS = 64
_MOST_BYTES = 1 << 28
# Kinds of inner pages: of tables without row ids, of all others.
_INNER = (2, 5)
# What a column of each type holds.
_HELD: dict[str, tuple[type, ...]] = {"INTEGER": (int,), "REAL": (int, float), "TEXT": (str,), "BLOB": (bytes,)}
# Columns of each table as they are stored, with their types.
Tables = Mapping[str, Mapping[str, str]]
_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}


class _Layout(NamedTuple):
    """How the cells of a kind of page are laid out."""

    page: int  # bytes of a page
    header: int  # bytes before the pointers to the cells
    child: int  # bytes of a pointer to another page before the payload
    rowid: bool
    most_local: int  # bytes of a payload from which on it goes on in other pages


def _layouts(page_bytes: int) -> tuple[_Layout, ...]:
    """Leaves of tables; leaves and inner pages of tables without row ids."""
    index_local = (page_bytes - 12) * 64 // 255 - 23
    return (
        _Layout(page_bytes, 8, 0, True, page_bytes - 35),
        _Layout(page_bytes, 8, 0, False, index_local),
        _Layout(page_bytes, 12, 4, False, index_local),
    )


def page_bytes_in(content: bytes, tables: Tables) -> int:
    """Bytes of a database's pages: what its header says; where that is damaged, with which most rows are found."""
    said = int.from_bytes(content[_PAGE_BYTES], "big")
    if said in PAGE_SIZES:
        return said
    return max(PAGE_SIZES, key=lambda size: sum(1 for _ in whole_rows(content, tables, {}, size)))


def whole_rows(
    content: bytes, tables: Tables, roots: Mapping[str, int], page_bytes: int
) -> Iterator[tuple[str, list[object]]]:
    """Every row that is as it was written, with its table.

    Args:
        content: The database file's bytes.
        tables: Columns of each table as they are stored, "sum" among them, with their types.
        roots: Number of the page with which each table begins, as far as they are known; from 1.
        page_bytes: Bytes of a page.
    """
    owners = _owners(content, {table: root for table, root in roots.items() if table in tables}, page_bytes)
    layouts = _layouts(page_bytes)
    for start in range(0, len(content) - page_bytes + 1, page_bytes):
        for layout in layouts:
            for rowid, values in _cells(content, start, layout):
                if rowid is not None and values and values[0] is None:  # the primary key is the row id
                    values[0] = rowid
                fitting = [table for table, columns in tables.items() if _fits(values, columns)]
                if len(fitting) > 1:
                    owner = owners.get(start // page_bytes + 1)
                    fitting = [table for table in fitting if table == owner]
                for table in fitting:
                    yield table, values


def _fits(values: Sequence[object], columns: Mapping[str, str]) -> bool:
    """Whether some values are a whole row of a table."""
    if len(values) != len(columns):
        return False
    typed = zip(values, columns.values(), strict=True)
    if not all(value is None or isinstance(value, _HELD[kind]) for value, kind in typed):
        return False
    at = list(columns).index("sum")
    return bool(values[at] == row_sum(*values[:at], *values[at + 1 :]))


def _owners(content: bytes, roots: Mapping[str, int], page_bytes: int) -> dict[int, str]:
    """The table to which each page belongs, as far as the trees lead to it."""
    owners = dict[int, str]()
    for table, root in roots.items():
        waiting = [root]
        while waiting:
            page = waiting.pop()
            if page not in owners and 0 < page <= len(content) // page_bytes:
                owners[page] = table
                waiting += _children(content, (page - 1) * page_bytes)
    return owners


def _children(content: bytes, start: int) -> list[int]:
    """Numbers of the pages below an inner page of a table; of all others there are none."""
    head = start + (0 if start else _FILE_HEADER)
    if content[head] not in _INNER:
        return []
    count, last = int.from_bytes(content[head + 3 : head + 5]), int.from_bytes(content[head + 8 : head + 12])
    offsets = (int.from_bytes(content[head + 12 + 2 * k : head + 14 + 2 * k]) for k in range(count))
    return [last, *(int.from_bytes(content[start + offset : start + offset + 4]) for offset in offsets)]


def _cells(content: bytes, start: int, layout: _Layout) -> Iterator[tuple[int | None, list[object]]]:
    """The row id, where there is one, and the values of each cell of a page."""
    first = start + layout.header + (0 if start else _FILE_HEADER)
    for pointer in range(first, start + layout.page - 2, 2):
        (offset,) = struct.unpack_from(">H", content, pointer)
        if not pointer + 2 - start <= offset < layout.page:
            return
        try:
            at = start + offset + layout.child
            size, at = _varint(content, at)
            rowid = None
            if layout.rowid:
                rowid, at = _varint(content, at)
                rowid -= (rowid >> 63) << 64
            yield rowid, _record(_payload(content, at, size, layout))
        except (IndexError, ValueError, struct.error):
            continue


def _payload(content: bytes, at: int, size: int, layout: _Layout) -> bytes:
    """A payload, from its page and those in which it goes on."""
    if not 0 < size <= min(_MOST_BYTES, len(content)):
        raise ValueError(f"a payload of {size} bytes")
    if size <= layout.most_local:
        return content[at : at + size]
    least = (layout.page - 12) * 32 // 255 - 23
    local = least + (size - least) % (layout.page - 4)
    local = local if local <= layout.most_local else least
    parts, left = [content[at : at + local]], size - local
    (page,) = struct.unpack_from(">I", content, at + local)
    while left > 0:
        begin = (page - 1) * layout.page
        if not 0 < begin <= len(content) - layout.page:
            raise ValueError(f"page {page}")
        (page,) = struct.unpack_from(">I", content, begin)
        taken = min(left, layout.page - 4)
        parts.append(content[begin + 4 : begin + 4 + taken])
        left -= taken
    return b"".join(parts)


def _record(payload: bytes) -> list[object]:
    """The values of a record."""
    end, at = _varint(payload, 0)
    kinds = []
    while at < end:
        kind, at = _varint(payload, at)
        kinds.append(kind)
        if len(kinds) > _MOST_COLUMNS:
            raise ValueError("too many columns")
    values: list[object] = []
    for kind in kinds:
        value, at = _value(payload, at, kind)
        values.append(value)
    if at != len(payload):
        raise ValueError("a record of another length")
    return values


def _value(payload: bytes, at: int, kind: int) -> tuple[object, int]:
    """A value of a record by its serial type, and where the next one begins."""
    if kind in (0, 8, 9):
        return (None, 0, 1)[max(0, kind - 7)], at
    if kind in _INTEGERS:
        size = _INTEGERS[kind]
        value: object = int.from_bytes(payload[at : at + size], "big", signed=True)
    elif kind == 7:
        size = 8
        (value,) = struct.unpack_from(">d", payload, at)
    elif kind >= 12:
        size = (kind - 12) // 2
        raw = payload[at : at + size]
        value = raw.decode("utf-8") if kind % 2 else raw
    else:
        raise ValueError(f"serial type {kind}")
    if at + size > len(payload):
        raise ValueError("a record that is cut short")
    return value, at + size


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = 0
    for k in range(8):
        byte = content[at + k]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + k + 1
    return value << 8 | content[at + 8], at + 9
