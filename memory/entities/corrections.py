"""Corrections by a person: entities are merged and split, and any change is undone.

All functions work on a connection inside the caller's transaction and commit nothing.
"""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from hippocam.memory.entities import tables
from hippocam.memory.entities.records import EntityChange, Visit
from hippocam.memory.errors import UnknownEntityError, UnknownVisitError
from hippocam.stream.errors import HippocamError


def merge(db: sqlite3.Connection, into: int, other: int) -> EntityChange:
    """Make two entities one.

    Args:
        db: The memory's database.
        into: Id of the entity that stays.
        other: Id of the entity whose visits it gets.

    Raises:
        HippocamError: One is not known, or they are the same.
    """
    visits = _visits_of(db, other)
    _visits_of(db, into)
    if into == other:
        raise HippocamError("an entity cannot be merged with itself")
    change = tables.note_change(db, "merge", into, [(visit.id, other) for visit in visits])
    tables.move(db, [visit.id for visit in visits], into, None)
    return change


def split(db: sqlite3.Connection, visit_id: int) -> EntityChange:
    """Make a visit an entity of its own.

    Raises:
        HippocamError: It is not known, or its entity's only one.
    """
    found = tables.visits(db, "id = ?", (visit_id,))
    if not found:
        raise UnknownVisitError(visit_id)
    was = found[0].entity
    if len(_visits_of(db, was)) == 1:
        raise HippocamError(f"visit {visit_id:016x} is its entity's only one: there is nothing to split")
    (taken,) = db.execute(
        "SELECT count(*) FROM visit WHERE entity = ? AND id != ?", (visit_id, visit_id)
    ).fetchone()
    rest = [each.id for each in _visits_of(db, was) if each.id != visit_id]
    if not taken:
        change = tables.note_change(db, "split", visit_id, [(visit_id, was)])
        tables.move(db, [visit_id], visit_id, None)
    else:  # the entity is named after this very visit: the others get the name of the earliest of them
        change = tables.note_change(db, "split", rest[0], [(each, was) for each in rest])
        tables.move(db, rest, rest[0], None)
    return change


def undo(db: sqlite3.Connection, change_id: int) -> EntityChange:
    """Take a link, merge or split back.

    Raises:
        HippocamError: It is not known or was undone, or a later change of the same visits must go first.
    """
    journal = {each.id: each for each in tables.changes(db)}
    if change_id not in journal or journal[change_id].undone:
        raise HippocamError(f"no change {change_id} to undo")
    own = journal[change_id]
    visits = {visit_id for visit_id, _ in own.moved}
    for later in journal.values():
        if later.id > change_id and not later.undone and visits & {visit_id for visit_id, _ in later.moved}:
            raise HippocamError(
                f"change {later.id} came after {change_id} and moved the same visits: undo it first"
            )
    for was in {was for _, was in own.moved}:
        back = [visit_id for visit_id, entity_id in own.moved if entity_id == was]
        tables.move(db, back, was, None)
        if own.kind == "link":  # as it was: known to be its own from the first
            db.executemany("UPDATE visit SET linked_s = known_s WHERE id = ?", [(each,) for each in back])
    db.execute("UPDATE entity_change SET undone = 1 WHERE id = ?", (change_id,))
    return replace(own, undone=True)


def _visits_of(db: sqlite3.Connection, entity_id: int) -> list[Visit]:
    visits = tables.visits(db, "entity = ?", (entity_id,))
    if not visits:
        raise UnknownEntityError(entity_id)
    return visits
