"""The table of blocks, and what it holds as rows again, in main memory, where SQL finds them beside those on disk.

Entries whose vectors were reduced move from the table of entries into blocks, a few at a time, with their words
(words.py). All blocks are full but the last: where an entry leaves, one of that takes its place, for pages with
holes are not given back.

Every connection holds their rows in a table of its own that is never written to a disk; the view `every_entry`
shows both. A reader brings its table up to date before it reads: each change of a block gives the block a number
higher than all before. An entry that changes leaves its block and is a row again, until it is taken into another.
"""

from __future__ import annotations

import math
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from hippocam.memory.store.blocks import words
from hippocam.memory.store.blocks.rows import COLUMNS, REALS, TIMES, Row, in_ticks, pack_rows, unpack_rows
from hippocam.memory.store.columns import listed_ids
from hippocam.memory.store.schema import PAGE_BYTES, full_texts, putting

# Bytes of a block at most, by those of a page: two fit on one of 4096, one on one of 2048; of smaller ones it
# fills two or four, and its beginning is on a page with those of others.
_BLOCK_BYTES = {4096: 2020, 2048: 1990, 1024: 2120, 512: 2050}
# Rows that move at once, and characters of their words, so that a transaction changes few pages.
GROUP = 4
_GROUP_WORDS = 4000
_TEXT = COLUMNS.index("text")
_LISTED = ", ".join(COLUMNS)
# Rows that may move: see the index of the same condition in schema.py.
_LOOSE = "level >= 3 AND pinned = 0 AND jpeg_bytes = 0"
# In main memory whole numbers among real ones take a byte or none, and so does a scene that is equal to its key: 0
# stands for that.
_COLUMNS = [f"{name} REAL" if name in (*TIMES, *REALS) else name for name in COLUMNS[1:]]
_UNPACKED_LISTED = _LISTED.replace("scene", "iif(scene = 0, key, scene) AS scene")
_UNPACKED = f"""
CREATE TEMP TABLE unpacked (block INTEGER NOT NULL, id INTEGER PRIMARY KEY, {", ".join(_COLUMNS)});
CREATE INDEX temp.unpacked_time ON unpacked (stream, t0_s);
CREATE INDEX temp.unpacked_of ON unpacked (block);
CREATE TEMP TABLE unpacked_block (id INTEGER PRIMARY KEY, rows INTEGER NOT NULL, version INTEGER NOT NULL);
CREATE INDEX temp.unpacked_block_version ON unpacked_block (version);
CREATE TEMP VIEW every_entry AS SELECT {_LISTED}, jpeg_bytes FROM main.entry
    UNION ALL SELECT {_UNPACKED_LISTED}, 0 AS jpeg_bytes FROM temp.unpacked;
"""
# The same for an older format, which has no blocks, and a view of its own where its entries lack columns.
_OLDER = f"CREATE TEMP VIEW every_entry AS SELECT {_LISTED}, jpeg_bytes FROM entry;"
_PUT = putting("main.entry_block", ("id", "version", "packed"), ("id",))
_KEY, _SCENE = (f"?{2 + COLUMNS.index(name)}" for name in ("key", "scene"))
_VALUES = ", ".join(f"?{k}" for k in range(1, 2 + len(COLUMNS))).replace(
    _SCENE, f"iif({_SCENE} = {_KEY}, 0, {_SCENE})"
)
_INSERT = f"INSERT OR REPLACE INTO temp.unpacked (block, {_LISTED}) VALUES ({_VALUES})"


class EntryBlocks:
    """Reads and writes blocks of entries; made by `Store`, in whose transactions it works.

    Args:
        db: The store's connection.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._lock = threading.RLock()
        self._packs = False
        self._words_on_disk = True
        self._block_bytes = _BLOCK_BYTES[PAGE_BYTES]
        self._seen: int | None = None  # version of the database when the rows were last brought up to date
        self._schema: int | None = None  # another once an older copy of the database was put in its place
        self._changes = 0  # how often that changed them

    def open(self) -> None:
        """Make the view of every entry, before anything is read through it."""
        self._packs = bool(
            self._db.execute("SELECT 1 FROM main.sqlite_schema WHERE name = 'entry_block'").fetchone()
        )
        self._words_on_disk = "words" in full_texts(self._db)
        (page_bytes,) = self._db.execute("PRAGMA main.page_size").fetchone()
        self._block_bytes = _BLOCK_BYTES.get(page_bytes, _BLOCK_BYTES[PAGE_BYTES])
        self._db.executescript((_UNPACKED if self._packs else _OLDER) + words.TABLES)

    # read ------------------------------------------------------------------------------------------------

    def select(self, statement: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[Any]:
        """The rows of a statement that reads `every_entry`, of one state: none is missed as it moves.

        Raises:
            sqlite3.DatabaseError: The database is damaged.
        """
        while True:
            before = self.follow()
            rows = self._db.execute(statement, values).fetchall()
            if self.follow() == before:
                return rows

    def select_words(self, statement: str, values: Mapping[str, object]) -> list[Any]:
        """The rows of a statement that reads {matching}: ids of entries with the words of the value "match"."""
        written = statement.format(matching=words.matching(on_disk=self._words_on_disk))
        with self._lock:
            while True:
                before = self.follow()
                if self._packs:
                    words.follow(self._db, self._temporarily, rows_too=not self._words_on_disk)
                rows = self._db.execute(written, values).fetchall()
                if self.follow() == before:
                    return rows

    def follow(self) -> int:
        """Bring the rows in main memory up to date; return how often that has changed them."""
        if not self._packs:
            return 0
        with self._lock:
            (data,) = self._db.execute("PRAGMA main.data_version").fetchone()
            if data == self._seen:
                return self._changes
            (schema,) = self._db.execute("PRAGMA main.schema_version").fetchone()
            changed = self._changed(anew=self._schema not in (None, schema))
            if changed:
                self._changes += 1
                self._unpack(changed)
                self._drop_after(self._last())
            self._schema = schema
            if not self._db.in_transaction:  # or what was unpacked may be rolled back
                self._seen = data
            return self._changes

    def _changed(self, *, anew: bool) -> list[tuple[int, int, bytes]]:
        """Id, version and bytes of the blocks that are to be unpacked; with `anew`, of all."""
        (held,) = self._db.execute("SELECT coalesce(max(version), 0) FROM temp.unpacked_block").fetchone()
        (newest,) = self._db.execute("SELECT coalesce(max(version), 0) FROM main.entry_block").fetchone()
        if anew or newest < held:
            self._drop_after(0)
            held = 0
        if newest == held:
            return []
        return self._db.execute(
            "SELECT id, version, packed FROM main.entry_block WHERE version > ? ORDER BY id", (held,)
        ).fetchall()

    def _drop_after(self, block: int) -> None:
        """Hold no rows of blocks behind one."""
        self._temporarily("DELETE FROM temp.unpacked WHERE block > ?", (block,))
        self._temporarily("DELETE FROM temp.unpacked_block WHERE id > ?", (block,))

    def _unpack(self, blocks: Sequence[tuple[int, int, bytes]]) -> None:
        """Hold the rows of some blocks instead of those that they had before."""
        for block, version, packed in blocks:
            try:
                rows = unpack_rows(packed)
            except (TypeError, ValueError, OverflowError) as error:
                raise sqlite3.DatabaseError(f"block {block} of entries cannot be read: {error}") from error
            self._temporarily("DELETE FROM temp.unpacked WHERE block = ?", (block,))
            self._temporarily(
                "INSERT OR REPLACE INTO temp.unpacked_block VALUES (?, ?, ?)", (block, len(rows), version)
            )
            # one that has moved on from another block may still be there
            self._temporarily(_INSERT, many=[(block, *r) for r in rows])

    def _temporarily(
        self, statement: str, values: Sequence[object] = (), many: Sequence[Sequence[object]] | None = None
    ) -> None:
        """Change a table in main memory, which a connection that only reads may do as well."""
        (read_only,) = self._db.execute("PRAGMA query_only").fetchone()
        if read_only:
            self._db.execute("PRAGMA query_only = OFF")
        try:
            if many is None:
                self._db.execute(statement, values)
            else:
                self._db.executemany(statement, many)
        finally:
            if read_only:
                self._db.execute("PRAGMA query_only = ON")

    # write -----------------------------------------------------------------------------------------------

    def take_in(self, least: int = GROUP) -> int:
        """Move some rows that may move into a block, if there are so many; return how many have moved."""
        self.follow()
        rows = self._db.execute(
            f"SELECT {_LISTED} FROM main.entry WHERE {_LOOSE} ORDER BY id LIMIT ?", (GROUP,)
        ).fetchall()
        if len(rows) < least:
            return 0
        while len(rows) > 1 and sum(len(row[_TEXT]) for row in rows) > _GROUP_WORDS:
            rows.pop()
        self._db.executemany("DELETE FROM main.entry WHERE id = ?", [(row[0],) for row in rows])
        self._put([in_ticks(row) for row in rows])
        return len(rows)

    def put(self, rows: Sequence[Row]) -> None:
        """Keep entries as these rows, in blocks: those that are in one stay there, the others follow the last.

        Args:
            rows: Rows of COLUMNS, of entries without a picture that are not pinned.
        """
        self.follow()
        ids = [row[0] for row in rows]
        held: dict[int, int] = dict(
            self._db.execute(f"SELECT id, block FROM temp.unpacked WHERE id IN ({listed_ids(ids)})").fetchall()
        )
        changed: dict[int, dict[int, Row]] = {}
        for row in rows:
            if row[0] in held:
                changed.setdefault(held[row[0]], {})[row[0]] = row
        new = sorted((row for row in rows if row[0] not in held), key=lambda row: (row[1], row[2], row[0]))
        self._db.executemany("DELETE FROM main.entry WHERE id = ?", [(row[0],) for row in new])
        over = list[Row]()
        for block in sorted(changed, reverse=True):  # the last one fills the gaps of the others
            here = [changed[block].get(row[0], row) for row in self._rows(block)]
            while len(pack_rows(here)) > self._block_bytes and len(here) > 1:  # columns of more than one width
                over.append(here.pop())
            self._refill(block, here)
        self._put([*over, *(in_ticks(row) for row in new)])

    def take_out(self, entry_id: int) -> bool:
        """Make an entry a row of the table of entries again, to be changed; False where it is in no block."""
        row = self._without(entry_id)
        if row is not None:
            self._db.execute(
                f"INSERT INTO main.entry ({_LISTED}, jpeg_bytes) VALUES ({', '.join('?' * len(COLUMNS))}, 0)", row
            )
        return row is not None

    def delete(self, entry_id: int) -> bool:
        """Delete an entry; False where it is in no block."""
        return self._without(entry_id) is not None

    def _without(self, entry_id: int) -> Row | None:
        """Write an entry's block without it; return its row, None where it is in no block."""
        self.follow()
        found = self._db.execute(
            f"SELECT block, {_UNPACKED_LISTED} FROM temp.unpacked WHERE id = ?", (entry_id,)
        ).fetchone()
        if found is None:
            return None
        block, row = found[0], tuple[Any, ...](found[1:])
        self._refill(block, [other for other in self._rows(block) if other[0] != entry_id])
        return row

    def _refill(self, block: int, rows: Sequence[Row]) -> None:
        """Write a block with these rows, and with some of the last one where they leave a gap."""
        last = self._last()
        more = self._rows(last) if last != block else []
        packed = pack_rows(rows)
        gap = self._block_bytes - len(packed)
        moved = min(len(more), math.ceil(gap * len(more) / max(1, self._size(last)))) if gap > 0 else 0
        if more and not rows:  # or a block would be empty
            moved = max(1, moved)
        while moved:
            fuller = pack_rows([*rows, *more[:moved]])
            if len(fuller) <= self._block_bytes or (moved == 1 and not rows):
                rows, packed = [*rows, *more[:moved]], fuller
                self._write(last, more[moved:])
                break
            moved -= 1  # mostly as many fit as it seems, or one less
        self._write(block, rows, packed)

    def _put(self, rows: Sequence[Row]) -> None:
        """Add rows to the last block, and to new ones those that do not fit."""
        last = self._last()
        block, held = max(last, 1), self._rows(last)
        while rows:
            fitting, packed = self._fitting(held, rows)
            if fitting:
                self._write(block, [*held, *rows[:fitting]], packed)
            block, held, rows = block + 1, [], rows[fitting:]

    def _fitting(self, held: Sequence[Row], rows: Sequence[Row]) -> tuple[int, bytes]:
        """How many rows fit into a block beside those that it has, and them all packed; alone one always does."""
        count, packed = len(rows), pack_rows([*held, *rows])
        least = 0 if held else 1
        while len(packed) > self._block_bytes and count > least:
            share = self._block_bytes / len(packed)
            count = max(least, min(count - 1, int((len(held) + count) * share) - len(held)))
            packed = pack_rows([*held, *rows[:count]])
        return count, packed

    def _last(self) -> int:
        """The last block; 0 where there is none."""
        (block,) = self._db.execute("SELECT coalesce(max(id), 0) FROM main.entry_block").fetchone()
        return int(block)

    def _size(self, block: int) -> int:
        """Bytes of a block."""
        row = self._db.execute("SELECT length(packed) FROM main.entry_block WHERE id = ?", (block,)).fetchone()
        return 0 if row is None else int(row[0])

    def _rows(self, block: int) -> list[Row]:
        return self._db.execute(
            f"SELECT {_UNPACKED_LISTED} FROM temp.unpacked WHERE block = ? ORDER BY id", (block,)
        ).fetchall()

    def _write(self, block: int, rows: Sequence[Row], packed: bytes | None = None) -> None:
        """Write a block with these rows and no others, which may be packed already.

        The last one goes where it has none, but for the first.

        The highest version stays higher than all before, also when the block that had it goes.
        """
        (version,) = self._db.execute("SELECT coalesce(max(version), 0) + 1 FROM temp.unpacked_block").fetchone()
        if not rows and block > 1:
            self._db.execute("DELETE FROM main.entry_block WHERE id = ?", (block,))
            self._drop_after(block - 1)
            for table in ("main.entry_block", "temp.unpacked_block"):
                self._db.execute(f"UPDATE {table} SET version = ? WHERE id = ?", (version, block - 1))
            return
        self._db.execute(_PUT, {"id": block, "version": version, "packed": packed or pack_rows(rows)})
        before = {row[0]: row for row in self._rows(block)}
        gone = before.keys() - {row[0] for row in rows}
        self._db.executemany(
            "DELETE FROM temp.unpacked WHERE id = ? AND block = ?", [(id_, block) for id_ in gone]
        )
        new = [(block, *row) for row in rows if before.get(row[0]) != row]
        self._db.executemany(_INSERT, new)
        self._db.execute(
            "INSERT OR REPLACE INTO temp.unpacked_block VALUES (?, ?, ?)", (block, len(rows), version)
        )
