"""Links a visit that ended, or was long enough, to an earlier entity that looks the same.

An entity is compared by the mean of its visits' looks, so that one odd view changes little; linking to any single
visit would not bear that.

Shapes: E entities; A numbers of a look.
"""

from __future__ import annotations

import json
import sqlite3

import numpy as np

from hippocam.memory.boxes import iou
from hippocam.memory.codec import unpack
from hippocam.memory.entities import tables
from hippocam.memory.entities.records import MOVERS, EntityConfig, Visit
from hippocam.stream.records import Box, FloatArray

# Overlap of two boxes from which a thing that does not move by itself is where it was.
_SAME_PLACE_IOU = 0.5


def link(db: sqlite3.Connection, config: EntityConfig, visit_id: int, look_A: FloatArray, due_s: float) -> None:
    """Make a visit one of an earlier entity that looks the same, unless somebody has said whose it is.

    Within the caller's transaction; the link is in the journal and can be undone.

    Args:
        db: The memory's database.
        config: When looks are the same.
        visit_id: The visit.
        look_A: How it looks, float32, of length 1.
        due_s: From when on the link is known.
    """
    alone = "id = ?1 AND entity = ?1 AND NOT EXISTS (SELECT 1 FROM visit WHERE entity = ?1 AND id != ?1)"
    found = tables.visits(db, alone, (visit_id,))
    if not found or tables.was_moved(db, visit_id):
        return
    (visit,) = found
    best = _most_like_visit(db, config, visit, look_A)
    if best is not None:
        tables.note_change(db, "link", best, [(visit_id, visit_id)])
        tables.move(db, [visit_id], best, due_s)


def most_like(look_A: FloatArray, means_EA: FloatArray, thresholds_E: FloatArray) -> int | None:
    """Index of the entity that a look is most surely another view of; None where none reaches its threshold.

    Args:
        look_A: float32, of length 1.
        means_EA: The mean of each entity's looks, of any length.
        thresholds_E: The cosine from which each is the same.
    """
    if not len(means_EA):
        return None
    cosines_E = means_EA @ look_A / np.maximum(np.linalg.norm(means_EA, axis=1), 1e-12)
    beyond_E = cosines_E - thresholds_E
    best = int(np.argmax(beyond_E))
    return best if beyond_E[best] >= 0 else None


def _most_like_visit(db: sqlite3.Connection, config: EntityConfig, visit: Visit, look_A: FloatArray) -> int | None:
    """Id of the entity, of its stream and label and not there at the time, that a visit most surely is of."""
    rows = db.execute(
        "SELECT entity, look, box FROM visit WHERE stream = ? AND label = ? AND look IS NOT NULL AND "
        "gone_s <= ? AND "
        "entity NOT IN (SELECT entity FROM visit WHERE stream = ? AND (gone_s IS NULL OR gone_s > ?) "
        "AND t0_s < ?)"
        " ORDER BY t0_s, id",
        (visit.stream, visit.label, visit.first_s, visit.stream, visit.first_s, visit.t1_s),
    ).fetchall()
    looks: dict[int, list[FloatArray]] = {}
    thresholds: dict[int, float] = {}
    for entity_id, blob, box in rows:
        other = unpack(blob)
        if len(other) == len(look_A):
            looks.setdefault(entity_id, []).append(other)
            thresholds[entity_id] = _threshold(config, visit, tuple(json.loads(box)))
    if not looks:
        return None
    means_EA = np.stack([np.mean(own, axis=0) for own in looks.values()])
    best = most_like(look_A, means_EA, np.array(list(thresholds.values()), np.float32))
    return None if best is None else list(looks)[best]


def _threshold(config: EntityConfig, visit: Visit, box: Box) -> float:
    """Cosine from which a visit is one of an entity that was last seen in a box."""
    if visit.label == "person":
        return config.same_person
    if visit.label not in MOVERS and iou(visit.box, box) > _SAME_PLACE_IOU:
        return config.same_place
    return config.same_thing
