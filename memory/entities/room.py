"""The bank of entities within its bytes: what goes first when there is no room.

First the looks beyond each entity's best few, then old changes that could be undone, then visits in between of
those that came often, then whole entities, those first that came least. Of what goes the number stays.
"""

from __future__ import annotations

import sqlite3

from hippocam.memory.entities import tables

_LOOKS = 8  # of an entity that are kept where room is short
_JOURNAL = 2000  # changes that can be undone
_SLACK = 0.95  # share of the budget that is left after making room, so that it is not made for every event


def keep_to_budget(db: sqlite3.Connection, budget: int) -> None:
    """Make room until all rows take no more than the budget, in bytes; within the caller's transaction."""
    db.execute("DELETE FROM entity_change WHERE id <= (SELECT max(id) FROM entity_change) - ?", (_JOURNAL,))
    if tables.bytes_used(db) <= budget:
        return
    aim = int(budget * _SLACK)
    for make_room in (_thin_looks, _thin_journal, _thin_visits, _give_up):
        if make_room(db, aim):
            return


def _thin_looks(db: sqlite3.Connection, aim: int) -> bool:
    """Keep the looks of each entity's best and newest visits only."""
    db.execute(
        "UPDATE visit SET look = NULL WHERE gone_s IS NOT NULL AND id IN (SELECT id FROM ("
        "SELECT id, row_number() OVER (PARTITION BY entity ORDER BY score * hits DESC, id) AS place "
        "FROM visit WHERE look IS NOT NULL) WHERE place > ?)",
        (_LOOKS,),
    )
    return tables.bytes_used(db) <= aim


def _thin_journal(db: sqlite3.Connection, aim: int) -> bool:
    """Keep the newest quarter of what can be undone."""
    db.execute("DELETE FROM entity_change WHERE id <= (SELECT max(id) - count(*) / 4 FROM entity_change)")
    return tables.bytes_used(db) <= aim


def _thin_visits(db: sqlite3.Connection, aim: int) -> bool:
    """Of entities with many visits keep the first, the newest, and the longest in between."""
    db.execute("CREATE TEMP TABLE IF NOT EXISTS thinned (id INTEGER PRIMARY KEY, entity INTEGER)")
    db.execute("DELETE FROM thinned")
    db.execute(
        "INSERT INTO thinned SELECT id, entity FROM (SELECT id, entity, gone_s, "
        "row_number() OVER (PARTITION BY entity ORDER BY t0_s) AS first, "
        "row_number() OVER (PARTITION BY entity ORDER BY t0_s DESC) AS newest, "
        "row_number() OVER (PARTITION BY entity ORDER BY t1_s - t0_s DESC, id) AS longest FROM visit) "
        "WHERE first > 1 AND newest > 4 AND longest > 8 AND gone_s IS NOT NULL"
    )
    db.execute("UPDATE entity SET earlier = earlier + (SELECT count(*) FROM thinned WHERE entity = entity.id)")
    db.execute("DELETE FROM visit WHERE id IN (SELECT id FROM thinned)")
    tables.forget_changes(db)
    return tables.bytes_used(db) <= aim


def _give_up(db: sqlite3.Connection, aim: int) -> bool:
    """Let entities go, those first that came least often and for the shortest time; their number is kept."""
    rows = db.execute(
        "SELECT entity, max(stream), max(label), count(*), sum(t1_s - t0_s), max(known_s), "
        "sum(gone_s IS NULL) FROM visit GROUP BY entity "
        "ORDER BY count(*) * (1 + sum(t1_s - t0_s)), max(t1_s), entity"
    ).fetchall()
    earlier = dict(db.execute("SELECT id, earlier FROM entity").fetchall())
    for start in range(0, len(rows), 16):
        if tables.bytes_used(db) <= aim:
            break
        for entity, stream, label, count, _, known_s, opened in rows[start : start + 16]:
            if opened:
                continue
            db.execute("DELETE FROM visit WHERE entity = ?", (entity,))
            db.execute("DELETE FROM entity WHERE id = ?", (entity,))
            db.execute(
                "INSERT INTO entity_total VALUES (?, ?, 1, ?, ?) "
                "ON CONFLICT DO UPDATE SET entities = entities + 1, "
                "visits = visits + excluded.visits, known_s = max(known_s, excluded.known_s)",
                (stream, label, count + int(earlier.get(entity, 0)), known_s),
            )
        tables.forget_changes(db)
    return tables.bytes_used(db) <= aim
