"""Which streams came with which import, and what is in quarantine: settings of a memory, and no column of a row.

import STREAM   {"id", "file", "made_s", "last_seq", "end_s"}: what of the stream came with an import
quarantine      [{"stream", "import_id", "sense"}, ...], the oldest first
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from hippocam.memory.provenance.records import Import, ImportedPart, Origin, Quarantine
from hippocam.memory.records import Entry, format_id

# Before a stream's name, the setting that says what of it came with an import.
IMPORT = "import "
_AFTER = "import!"  # the next string after all that begin so
_QUARANTINE = "quarantine"


class ProvenanceTable:
    """Reads and writes where streams came from; made by `Store`, in whose transactions it works."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def note_import(self, stream: str, part: ImportedPart) -> None:
        """Note what of a stream came with an import."""
        made_by = part.made_by
        self._put(
            IMPORT + stream,
            {
                "id": format_id(made_by.id),
                "file": made_by.file,
                "made_s": made_by.made_s,
                "last_seq": part.last_seq,
                "end_s": part.end_s,
            },
        )

    def part(self, stream: str) -> ImportedPart | None:
        """What of a stream came with an import; None where nothing did."""
        found = self._get(IMPORT + stream)
        return None if found is None else _part(found)

    def parts(self) -> Mapping[str, ImportedPart]:
        """What came with imports, by stream in the order of their names."""
        rows = self._db.execute(
            "SELECT key, value FROM meta WHERE key >= ? AND key < ? ORDER BY key", (IMPORT, _AFTER)
        )
        return {key.removeprefix(IMPORT): _part(json.loads(value)) for key, value in rows.fetchall()}

    def own_footage(self, parts: Mapping[str, ImportedPart]) -> bool:
        """Whether something was watched here, beside what came with imports."""
        rows = self._db.execute("SELECT id, last_seq FROM stream WHERE last_seq >= 0").fetchall()
        return any(stream not in parts or last_seq > parts[stream].last_seq for stream, last_seq in rows)

    def import_of(self, entry: Entry) -> Import | None:
        """The import that an entry came with; None where it was watched here."""
        part = self.part(entry.stream)
        return part.made_by if part is not None and part.holds(entry.first_seq) else None

    def quarantine(self) -> Quarantine:
        """What is in quarantine."""
        rows = self._get(_QUARANTINE) or ()
        origins = tuple(Origin(**row) for row in rows)
        by_import = any(origin.import_id is not None for origin in origins)
        return Quarantine(origins=origins, parts=self.parts() if by_import else {})

    def set_apart(self, origin: Origin) -> bool:
        """Put an origin into quarantine; False where it is there already."""
        origins = self.quarantine().origins
        if origin in origins:
            return False
        self._put_origins((*origins, origin))
        return True

    def release(self, origin: Origin) -> bool:
        """Take an origin out of quarantine; False where it is not there."""
        origins = self.quarantine().origins
        self._put_origins(tuple(one for one in origins if one != origin))
        return origin in origins

    def forget(self, origin: Origin) -> None:
        """Keep nothing that names what was deleted: neither in quarantine nor, of whole streams, as imported."""
        self.release(origin)
        held = {stream for (stream,) in self._db.execute("SELECT id FROM stream").fetchall()}
        gone = [(IMPORT + stream,) for stream in self.parts() if stream not in held]
        self._db.executemany("DELETE FROM meta WHERE key = ?", gone)
        imports = {part.made_by.id for part in self.parts().values()}
        self._put_origins(
            tuple(
                one
                for one in self.quarantine().origins
                if (one.stream is None or any(map(one.of_stream, held)))
                and (one.import_id is None or one.import_id in imports)
            )
        )

    def _put_origins(self, origins: tuple[Origin, ...]) -> None:
        if origins:
            self._put(_QUARANTINE, [asdict(origin) for origin in origins])
        else:
            self._db.execute("DELETE FROM meta WHERE key = ?", (_QUARANTINE,))

    def _get(self, key: str) -> Any:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else json.loads(row[0])

    def _put(self, key: str, value: object) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, json.dumps(value)))


def _part(value: Mapping[str, Any]) -> ImportedPart:
    made_by = Import(id=int(value["id"], 16), file=value["file"], made_s=value["made_s"])
    return ImportedPart(made_by=made_by, last_seq=value["last_seq"], end_s=value["end_s"])
