"""The byte budget of entities: what is given up first when their rows take too much.

First when labels were detected is kept less exactly. Then go the portraits beyond each entity's best few, and all
but the signs of those that are left; then the looks beyond each entity's best few, old changes that could be
undone, the visits in between of entities that came often, and whole entities, beginning with those that came
least. What is given up stays counted.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from hippocam.memory.codec import holds_signs, pack, signs, unpack
from hippocam.memory.entities import tables
from hippocam.memory.entities.detections import coarsen

# Portraits and looks that an entity keeps where room is short.
_PORTRAITS = 4
_LOOKS = 8
# Newest changes that can be undone.
_JOURNAL = 2000
# Share of the budget to come down to, so that room is not made for every event.
_SLACK = 0.95
# Entities that are given up at a time.
_BATCH = 16


def keep_to_budget(db: sqlite3.Connection, budget_bytes: int, followed: Iterable[int] = ()) -> None:
    """Give up rows until all together take no more than the budget; within the caller's transaction.

    Args:
        db: The memory's database.
        budget_bytes: What all rows may take.
        followed: Ids of visits that may go on though they are out of sight. They stay: one that was given up and
            then seen again would be counted twice.
    """
    db.execute("DELETE FROM entity_change WHERE id <= (SELECT max(id) FROM entity_change) - ?", (_JOURNAL,))
    if tables.bytes_used(db) <= budget_bytes:
        return
    target_bytes = int(budget_bytes * _SLACK)
    db.execute("CREATE TEMP TABLE IF NOT EXISTS followed (id INTEGER PRIMARY KEY)")
    db.execute("DELETE FROM followed")
    db.executemany("INSERT OR IGNORE INTO followed VALUES (?)", [(visit_id,) for visit_id in followed])
    for give_up in (
        coarsen,
        _give_up_portraits,
        _demote_portraits,
        _give_up_looks,
        _give_up_changes,
        _give_up_visits,
    ):
        give_up(db)
        if tables.bytes_used(db) <= target_bytes:
            return
    _give_up_entities(db, target_bytes)


def _give_up_portraits(db: sqlite3.Connection) -> None:
    """Give up portraits, except those of each entity's best visits and of open ones."""
    db.execute(
        "UPDATE visit SET portrait = NULL, portrait_s = NULL WHERE gone_s IS NOT NULL AND id IN (SELECT id FROM ("
        "SELECT id, row_number() OVER (PARTITION BY entity ORDER BY score * hits DESC, id) AS rank "
        "FROM visit WHERE portrait IS NOT NULL) WHERE rank > ?)",
        (_PORTRAITS,),
    )


def _demote_portraits(db: sqlite3.Connection) -> None:
    """Keep only the signs of portraits, an eighth of their bytes; those of open visits stay."""
    rows = db.execute(
        "SELECT id, portrait FROM visit WHERE portrait IS NOT NULL AND gone_s IS NOT NULL"
    ).fetchall()
    whole = [(each, unpack(blob)) for each, blob in rows if not holds_signs(blob)]
    db.executemany("UPDATE visit SET portrait = ? WHERE id = ?", [(pack(signs(v)), each) for each, v in whole])


def _give_up_looks(db: sqlite3.Connection) -> None:
    """Give up looks, except those of each entity's best visits and of open ones."""
    db.execute(
        "UPDATE visit SET look = NULL WHERE gone_s IS NOT NULL AND id IN (SELECT id FROM ("
        "SELECT id, row_number() OVER (PARTITION BY entity ORDER BY score * hits DESC, id) AS rank "
        "FROM visit WHERE look IS NOT NULL) WHERE rank > ?)",
        (_LOOKS,),
    )


def _give_up_changes(db: sqlite3.Connection) -> None:
    """Give up all but the newest quarter of the changes that can be undone."""
    db.execute("DELETE FROM entity_change WHERE id <= (SELECT max(id) - count(*) / 4 FROM entity_change)")


def _give_up_visits(db: sqlite3.Connection) -> None:
    """Give up visits of entities with many, except the first, the newest, and the longest in between."""
    db.execute("CREATE TEMP TABLE IF NOT EXISTS thinned (id INTEGER PRIMARY KEY, entity INTEGER)")
    db.execute("DELETE FROM thinned")
    db.execute(
        "INSERT INTO thinned SELECT id, entity FROM (SELECT id, entity, gone_s, "
        "row_number() OVER (PARTITION BY entity ORDER BY t0_s) AS first, "
        "row_number() OVER (PARTITION BY entity ORDER BY t0_s DESC) AS newest, "
        "row_number() OVER (PARTITION BY entity ORDER BY t1_s - t0_s DESC, id) AS longest FROM visit) "
        "WHERE first > 1 AND newest > 4 AND longest > 8 AND gone_s IS NOT NULL AND id NOT IN followed"
    )
    db.execute("UPDATE entity SET earlier = earlier + (SELECT count(*) FROM thinned WHERE entity = entity.id)")
    db.execute("DELETE FROM visit WHERE id IN (SELECT id FROM thinned)")
    tables.delete_stale_changes(db)


def _give_up_entities(db: sqlite3.Connection, target_bytes: int) -> None:
    """Give up entities, first those that came least often and for the shortest time; they stay counted."""
    rows = db.execute(
        "SELECT entity, max(stream), max(label), count(*), sum(t1_s - t0_s), max(known_s), "
        "sum(gone_s IS NULL OR id IN followed) FROM visit GROUP BY entity "
        "ORDER BY count(*) * (1 + sum(t1_s - t0_s)), max(t1_s), entity"
    ).fetchall()
    earlier = dict(db.execute("SELECT id, earlier FROM entity").fetchall())
    for start in range(0, len(rows), _BATCH):
        if tables.bytes_used(db) <= target_bytes:
            break
        for entity, stream, label, count, _, known_s, open_visits in rows[start : start + _BATCH]:
            if open_visits:
                continue
            db.execute("DELETE FROM visit WHERE entity = ?", (entity,))
            db.execute("DELETE FROM entity WHERE id = ?", (entity,))
            db.execute(
                "INSERT INTO entity_total (stream, label, entities, visits, known_s) VALUES (?, ?, 1, ?, ?) "
                "ON CONFLICT DO UPDATE SET entities = entities + 1, "
                "visits = visits + excluded.visits, known_s = max(known_s, excluded.known_s)",
                (stream, label, count + int(earlier.get(entity, 0)), known_s),
            )
        tables.delete_stale_changes(db)
