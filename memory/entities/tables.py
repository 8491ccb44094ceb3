"""The tables of the entity memory, and how many bytes their rows take.

All functions work on a connection inside the caller's transaction and commit nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from hippocam.memory.entities.records import EntityChange, Visit
from hippocam.memory.store.schema import ENTITY_TABLES

TABLES = ("entity", "visit", "entity_change", "entity_total")
_VISIT = (
    "id, entity, stream, label, t0_s, t1_s, first_s, known_s, linked_s, gone_s, from_start, hits, score, frame_s, "
    "box, gaps"
)
# Bytes of a row beside its texts and its look: numbers, keys of the table and of its indices.
_ROW_BYTES = {"entity": 60, "visit": 190, "entity_change": 40, "entity_total": 60}


def create(connection: sqlite3.Connection) -> None:
    """Create the tables that do not exist yet."""
    for statement in ENTITY_TABLES:
        connection.execute(statement)


def bytes_used(connection: sqlite3.Connection) -> int:
    """Bytes that all rows take, at most."""
    texts = {
        "entity": "length(stream) + length(label)",
        "visit": "2 * length(stream) + length(label) + length(box) + length(gaps) + coalesce(length(look), 0)",
        "entity_change": "length(kind) + length(moved)",
        "entity_total": "2 * length(stream) + 2 * length(label)",
    }
    total = 0
    for table, size in texts.items():
        row = connection.execute(f"SELECT count(*), coalesce(sum({size}), 0) FROM {table}").fetchone()
        total += row[0] * _ROW_BYTES[table] + row[1]
    return int(total)


def visits(connection: sqlite3.Connection, where: str = "1", values: Sequence[object] = ()) -> list[Visit]:
    """Visits that meet a condition, by stream and time."""
    rows = connection.execute(f"SELECT {_VISIT} FROM visit WHERE {where} ORDER BY stream, t0_s, id", values)
    return [_visit(row) for row in rows]


def put_visit(connection: sqlite3.Connection, visit: Visit, look: bytes | None) -> bool:
    """Write a visit, or what is new of it; whose it is stays as it is.

    A visit that is out of sight may go on: a detector misses a frame, somebody is hidden for a moment. So what was
    seen further is written, whether or not the visit was out of sight when it was last written. Its end grows with
    everything that is seen of it, and whoever watches again from the start does not make it shorter.

    Returns:
        Whether anything was written.
    """
    names = _VISIT.split(", ")
    values: dict[str, object] = {name: getattr(visit, name) for name in names}
    values |= {"box": json.dumps(visit.box), "gaps": json.dumps(visit.gaps), "look": look}
    fixed = ("id", "entity", "stream", "known_s", "linked_s", "from_start")
    renewed = ", ".join(f"{name} = excluded.{name}" for name in (*names, "look") if name not in fixed)
    parameters = ", ".join(f":{name}" for name in (*names, "look"))
    done = connection.execute(
        f"INSERT INTO visit ({_VISIT}, look) VALUES ({parameters}) ON CONFLICT (id) DO UPDATE SET {renewed} "
        "WHERE excluded.t1_s > t1_s OR (excluded.t1_s = t1_s AND gone_s IS NULL)",
        values,
    )
    return done.rowcount > 0


def add_entity_of(connection: sqlite3.Connection, visit_id: int) -> None:
    """Add the entity that has this visit alone, unless it is there."""
    connection.execute(
        "INSERT OR IGNORE INTO entity (id, stream, label) SELECT ?1, stream, label FROM visit "
        "WHERE id = ?1 AND entity = ?1",
        (visit_id,),
    )


def move(connection: sqlite3.Connection, visit_ids: Iterable[int], entity: int, linked_s: float | None) -> None:
    """Move visits to an entity, adding it where needed, and delete entities left without a visit."""
    for visit_id in visit_ids:
        connection.execute(
            "UPDATE visit SET entity = ?, linked_s = coalesce(?, linked_s) WHERE id = ?",
            (entity, linked_s, visit_id),
        )
    connection.execute(
        "INSERT OR IGNORE INTO entity (id, stream, label) SELECT entity, stream, label FROM visit "
        "WHERE entity = ? ORDER BY t0_s LIMIT 1",
        (entity,),
    )
    delete_empty(connection)


def was_moved(connection: sqlite3.Connection, visit_id: int) -> bool:
    """Whether somebody, or the bank itself, has said before whose a visit is."""
    row = connection.execute(
        "SELECT 1 FROM entity_change, json_each(moved) WHERE json_extract(value, '$[0]') = ? LIMIT 1",
        (visit_id,),
    ).fetchone()
    return row is not None


def delete_empty(connection: sqlite3.Connection) -> None:
    """Delete entities without a visit."""
    connection.execute("DELETE FROM entity WHERE id NOT IN (SELECT entity FROM visit)")


def note_change(
    connection: sqlite3.Connection, kind: str, into: int, moved: Sequence[tuple[int, int]]
) -> EntityChange:
    """Write into the journal that visits changed their entity.

    Args:
        connection: The memory's database.
        kind: "link", "merge" or "split".
        into: Id of the entity that has them now.
        moved: Id of each visit and of the entity that had it.
    """
    done = connection.execute(
        "INSERT INTO entity_change (kind, into_id, moved) VALUES (?, ?, ?)", (kind, into, json.dumps(moved))
    )
    return EntityChange(id=int(done.lastrowid or 0), kind=kind, into=into, moved=tuple(moved), undone=False)


def delete_stale_changes(connection: sqlite3.Connection) -> None:
    """Delete the changes that moved a visit which is no longer held: they can be undone no more."""
    connection.execute(
        "DELETE FROM entity_change WHERE EXISTS (SELECT 1 FROM json_each(moved) WHERE json_extract(value, '$[0]') "
        "NOT IN (SELECT id FROM visit))"
    )


def changes(connection: sqlite3.Connection) -> list[EntityChange]:
    """The journal of changes, by time."""
    rows = connection.execute("SELECT id, kind, into_id, moved, undone FROM entity_change ORDER BY id")
    return [
        EntityChange(
            id=change_id,
            kind=kind,
            into=into,
            moved=tuple((visit, was) for visit, was in json.loads(moved)),
            undone=bool(undone),
        )
        for change_id, kind, into, moved, undone in rows
    ]


def _visit(row: Sequence[Any]) -> Visit:
    fields = dict(zip(_VISIT.split(", "), row, strict=True))
    return Visit(
        **{
            **fields,
            "from_start": bool(fields["from_start"]),
            "box": tuple(json.loads(fields["box"])),
            "gaps": tuple((from_s, to_s) for from_s, to_s in json.loads(fields["gaps"])),
        }
    )
