"""Streams of detections into a bounded bank of entities with their visits.

The bank is the entity stream beside the scene memory, as HierarQ (Azad et al. 2025, arXiv 2503.08585) keeps a
memory of entities beside one of scenes: a few things over long times where the other holds many moments. A track
that has ended, or has been seen long enough, is compared with what was there before in the same stream; where
they look the same beyond doubt it becomes a visit of that entity. Each such link, and each merge or split by a
person, is in a journal and can be undone: an entity has no look but those of its visits, so moving these back
restores all.

What the bank gives up for its budget is in budget.py; what a person corrects, in corrections.py.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from hippocam.memory.asof.coverage import Coverage
from hippocam.memory.codec import pack, unpack
from hippocam.memory.entities import corrections, detections, tables
from hippocam.memory.entities.budget import keep_to_budget
from hippocam.memory.entities.cut_off import ended_with_looking
from hippocam.memory.entities.detections import Detected, Presence, detected_in
from hippocam.memory.entities.linking import link
from hippocam.memory.entities.records import Entity, EntityChange, EntityConfig, EntityTotals, Visit, as_of
from hippocam.memory.entities.track import Track
from hippocam.memory.entities.tracker import Tracker
from hippocam.memory.filter import Filter
from hippocam.memory.records import id_of
from hippocam.memory.working.background import Change
from hippocam.stream.records import Embedding, Repeat

ANYWHERE = Filter()


class VisitRow(NamedTuple):
    """A visit with how its thing looked and its portrait, packed (memory/codec.py).

    Attributes:
        visit: The visit.
        look: What tells the thing from others; None where that was given up.
        portrait: The thing's own picture as the encoder sees it; None where there is none, or it was given up.
    """

    visit: Visit
    look: bytes | None
    portrait: bytes | None = None


class CoverageOf(Protocol):
    """Tells when streams were looked at."""

    def of(self, stream: str) -> Coverage:
        """When a stream was looked at."""


class EntityMemory:
    """Entities of a memory: follows streams, keeps what it saw in the memory's database.

    `push` changes nothing on disk; `write` does, inside the caller's transaction, and gives the state to go on
    from.

    Args:
        connection: The memory's database; the tables are there (see `tables.create`).
        config: When detections are one thing, and the budget.
        coverage: Tells when streams were looked at; None where what is in sight stays so until its stream ends.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        config: EntityConfig | None = None,
        coverage: CoverageOf | None = None,
    ) -> None:
        self._db, self._coverage = connection, coverage
        self._config = config or EntityConfig()
        self._trackers: dict[str, Tracker] = {}
        self._written: dict[str, int] = {}  # position of the last frame that is written down, by stream
        self._pending: dict[str, dict[int, VisitRow]] = {}
        # What is to be linked: the time from which the link counts, the visit, its look then.
        self._due: dict[str, list[tuple[float, int, bytes]]] = {}
        self._detected: dict[str, dict[str, list[Detected]]] = {}  # by stream and label

    # following a stream ----------------------------------------------------------------------------------

    def restore(self, stream: str, state: bytes) -> None:
        """Go on with a stream from what `write` gave; with b"", from nothing."""
        self._trackers[stream] = Tracker.from_bytes(state, self._config) if state else Tracker(self._config)
        self._pending[stream], self._due[stream], self._detected[stream] = {}, [], {}
        if state:
            self._written[stream] = self._trackers[stream].seq

    def push(self, item: Embedding | Repeat) -> list[Change]:
        """Take a stream's next frame; one that was taken before is passed over.

        Returns:
            What appeared, left or moved before the background of a camera that does not move.
        """
        tracker = self._tracker(item.stream)
        if isinstance(item, Embedding) and item.sensed.things and item.seq > tracker.seq:
            own = self._detected.setdefault(item.stream, {})
            for label, new in detected_in(item.stream, item.time_s, item.sensed.things).items():
                own.setdefault(label, []).append(new)
        tracks, changes = tracker.push(item)
        if tracks:
            self._note(item.stream, tracks, item.time_s)
        return changes

    def occupied(self, stream: str) -> bool | None:
        """Whether something is before the background; None where the camera moves, or that is not known yet."""
        background = self._tracker(stream).background
        return background.occupied if background.static else None

    def flush(self, stream: str, *, cut_off: bool = False) -> None:
        """End what is open of a stream that has ended or goes on elsewhere; call `write` afterwards.

        Args:
            stream: Its name.
            cut_off: Whether it broke off: what is in sight now is not there for ever.
        """
        tracker = self._tracker(stream)
        self._note(stream, tracker.flush(cut_off=cut_off), tracker.time_s)
        self._written.pop(stream, None)

    def has_new(self, stream: str, *, beyond_state: bool = False) -> bool:
        """Whether there is something of a stream to `write`: not where all its frames were written down before.

        Args:
            stream: Its name.
            beyond_state: Whether there is more than a state, which is short where nothing was ever followed.
        """
        tracker = self._trackers.get(stream)
        if tracker is None or self._written.get(stream) == tracker.seq:
            return False
        waiting = (self._pending, self._due, self._detected)
        return not (beyond_state and tracker.idle) or any(of.get(stream) for of in waiting)

    def write(self, stream: str) -> bytes:
        """Write what is new of a stream, within the caller's transaction, and keep to the budget.

        Returns:
            The stream's state, for `restore`; to be kept in the same transaction.
        """
        tracker = self._tracker(stream)
        pending, due = self._pending.pop(stream, {}), self._due.pop(stream, [])
        detected = self._detected.pop(stream, {})
        for visit_id, row in pending.items():
            if tables.put_visit(self._db, *row):
                tables.add_entity_of(self._db, visit_id)
        for due_s, visit_id, look in due:
            link(self._db, self._config, visit_id, unpack(look), due_s)
        for frames in detected.values():
            detections.put(self._db, frames)
        if pending or due or detected:
            keep_to_budget(self._db, self._config.budget_bytes, _followed(self._trackers))
        self._written[stream] = tracker.seq
        return tracker.to_bytes()

    def _tracker(self, stream: str) -> Tracker:
        if stream not in self._trackers:
            self._trackers[stream] = Tracker(self._config)
        return self._trackers[stream]

    def _note(self, stream: str, tracks: Iterable[Track], time_s: float) -> None:
        pending, due = self._pending.setdefault(stream, {}), self._due.setdefault(stream, [])
        for track in tracks:
            visit, look, portrait = _visit_of(stream, track), pack(track.look), track.portrait
            pending[visit.id] = VisitRow(visit, look, None if portrait is None else pack(portrait))
            if track.ended or track.due_s == time_s:  # as it looks now, whenever this is written
                due.append((time_s, visit.id, look))

    # asking ----------------------------------------------------------------------------------------------

    def entities(
        self, stream: str | None = None, label: str | None = None, at_s: float | None = None
    ) -> list[Entity]:
        """Entities by the time of their first visit.

        Args:
            stream: Only of this one.
            label: Only what is called so.
            at_s: As if the streams ended here: what became known later does not count. What was in sight when a
                stream was looked at no more, before that, is no longer there.
        """
        where = ["1"]
        values: list[object] = []
        for name, value in (("stream = ?", stream), ("label = ?", label), ("known_s <= ?", at_s)):
            if value is not None:
                where.append(name)
                values.append(value)
        found: dict[int, list[Visit]] = {}
        for visit in tables.visits(self._db, " AND ".join(where), values):
            as_known = visit if at_s is None else as_of(visit, at_s)
            found.setdefault(as_known.entity, []).append(as_known)
        earlier = dict(self._db.execute("SELECT id, earlier FROM entity WHERE earlier > 0").fetchall())
        made = [
            Entity(
                id=entity_id,
                stream=own[0].stream,
                label=own[0].label,
                visits=tuple(own),
                earlier=int(earlier.get(entity_id, 0)),
            )
            for entity_id, own in found.items()
        ]
        open_in = {one.stream for one in made if any(visit.gone_s is None for visit in one.visits)}
        looked = {stream: self._coverage.of(stream) for stream in open_in} if self._coverage else {}
        ended = [ended_with_looking(entity, looked.get(entity.stream), at_s) for entity in made]
        return sorted(ended, key=lambda entity: (entity.stream, entity.first_s, entity.id))

    def now(self, stream: str, at_s: float | None = None, label: str | None = None) -> list[Entity]:
        """Entities that the newest frame at some time (or the last one) showed."""
        at_s = self.end_s(stream) if at_s is None else at_s
        there = self.entities(stream, label, at_s)
        return [entity for entity in there if any(visit.there(at_s) for visit in entity.visits)]

    def within(self, stream: str, t0_s: float, t1_s: float) -> list[Visit]:
        """The visits to a stream that touch a stretch of time, by time."""
        return tables.visits(self._db, "stream = ? AND t0_s <= ? AND t1_s >= ?", (stream, t1_s, t0_s))

    def end_s(self, stream: str | None = None) -> float:
        """Latest time at which a thing is known to have been there or gone; 0 where nothing was seen."""
        where, values = ("", ()) if stream is None else (" WHERE stream = ?", (stream,))
        (latest,) = self._db.execute(f"SELECT max(coalesce(gone_s, t1_s)) FROM visit{where}", values).fetchone()
        return float(latest or 0.0)

    def count(
        self, stream: str | None = None, label: str | None = None, at_s: float | None = None
    ) -> EntityTotals:
        """Count the different things so far, also those of which only the count is left."""
        kept = self.entities(stream, label, at_s)
        entities, visits = self._db.execute(
            "SELECT coalesce(sum(entities), 0), coalesce(sum(visits), 0) FROM entity_total WHERE (?1 IS NULL OR "
            "stream = ?1) AND (?2 IS NULL OR label = ?2) AND (?3 IS NULL OR known_s <= ?3)",
            (stream, label, at_s),
        ).fetchone()
        own = sum(len(entity.visits) + entity.earlier for entity in kept)
        return EntityTotals(entities=len(kept) + entities, visits=own + visits, given_up=entities)

    def presence(self, labels: Sequence[str], wanted: Filter = ANYWHERE) -> Presence:
        """What the detector says of some labels: whether one was there, or was certainly not.

        Args:
            labels: The detector's names, any of which will do.
            wanted: In which streams and when; where the camera was is not looked at.
        """
        marks = ", ".join("?" * len(labels))
        among = tables.visits(self._db, f"label IN ({marks})", labels)
        there = [v for v in among if wanted.of_stream(v.stream) and wanted.overlaps(v.t0_s, v.t1_s, v.known_s)]
        return detections.presence(self._db, labels, wanted, len(there))

    # corrections -----------------------------------------------------------------------------------------

    def merge(self, into: int, other: int) -> EntityChange:
        """Make two entities one; within the caller's transaction.

        Raises:
            HippocamError: One is not known, or they are the same.
        """
        return corrections.merge(self._db, into, other)

    def split(self, visit: int) -> EntityChange:
        """Make a visit an entity of its own; within the caller's transaction.

        Raises:
            HippocamError: It is not known, or its entity's only one.
        """
        return corrections.split(self._db, visit)

    def undo(self, change: int) -> EntityChange:
        """Take a link, merge or split back; within the caller's transaction.

        Raises:
            HippocamError: It is not known or was undone, or a later change of the same visits must go first.
        """
        return corrections.undo(self._db, change)

    def changes(self) -> list[EntityChange]:
        """The journal of links, merges and splits, by time."""
        return tables.changes(self._db)

    # budget ----------------------------------------------------------------------------------------------

    def nbytes(self) -> int:
        """Bytes that all rows take, at most."""
        return tables.bytes_used(self._db)

    # deletion, export, import ----------------------------------------------------------------------------

    def delete(
        self,
        stream: str,
        after_s: float = -math.inf,
        before_s: float = math.inf,
        *,
        ended_only: bool = False,
    ) -> int:
        """Delete the visits to a stream that touch a stretch of time; without one, all that is known of it.

        Within the caller's transaction. Open tracks of the stream end unwritten, and its background is learned
        anew, since they rest on what is deleted. Its totals are deleted too: they tell no times.

        Args:
            stream: Its name.
            after_s: Start of the time.
            before_s: Its end.
            ended_only: Delete only visits that ended within the time; who is in sight stays so.

        Returns:
            How many visits were deleted.
        """
        edge = "t1_s" if ended_only else "t0_s"
        deleted = self._db.execute(
            f"DELETE FROM visit WHERE stream = ? AND t1_s >= ? AND {edge} <= ?", (stream, after_s, before_s)
        ).rowcount
        self._db.execute("DELETE FROM entity_total WHERE stream = ?", (stream,))
        self._db.execute("UPDATE entity SET earlier = 0 WHERE stream = ?", (stream,))
        tables.delete_empty(self._db)
        tables.delete_stale_changes(self._db)
        detections.delete(self._db, stream, after_s, before_s, ended_only=ended_only)
        if ended_only:
            return int(deleted)
        seq = self._trackers[stream].seq if stream in self._trackers else -1
        self._pending.pop(stream, None)
        self._due.pop(stream, None)
        self._detected.pop(stream, None)
        self._trackers[stream] = Tracker(self._config)
        if math.isfinite(after_s) or math.isfinite(before_s):
            self._trackers[stream].seq = seq
        else:
            del self._trackers[stream]
        return int(deleted)

    def visits(self, stream: str) -> list[VisitRow]:
        """All visits to a stream with their looks, by time."""
        looks = dict(self._db.execute("SELECT id, look FROM visit WHERE stream = ?", (stream,)).fetchall())
        portraits = dict(tables.portraits(self._db))
        return [
            VisitRow(visit, looks[visit.id], portraits.get(visit.id))
            for visit in tables.visits(self._db, "stream = ?", (stream,))
        ]

    def take_in(self, row: VisitRow) -> bool:
        """Write a visit of another memory, within the caller's transaction; False where it is held already."""
        visit = row.visit
        if tables.visits(self._db, "id = ?", (visit.id,)):
            return False
        tables.put_visit(self._db, *row)
        self._db.execute(
            "INSERT OR IGNORE INTO entity (id, stream, label) VALUES (?, ?, ?)",
            (visit.entity, visit.stream, visit.label),
        )
        keep_to_budget(self._db, self._config.budget_bytes, _followed(self._trackers))
        return True

    def detected(self, stream: str) -> list[Detected]:
        """When which labels were detected in a stream, by label and time."""
        return detections.of_stream(self._db, stream)

    def take_in_detected(self, row: Detected) -> bool:
        """Write what was detected into another memory, in the caller's transaction; False where it is held."""
        return detections.take_in(self._db, row)


def _visit_id(stream: str, track: Track) -> int:
    return id_of(f"{stream}\0visit{track.detection_index}", track.first_seq)


def _followed(trackers: Mapping[str, Tracker]) -> Iterator[int]:
    """Ids of the visits that may still go on, of all streams."""
    for stream, tracker in trackers.items():
        yield from (_visit_id(stream, track) for track in tracker.tracks)


def _visit_of(stream: str, track: Track) -> Visit:
    visit_id = _visit_id(stream, track)
    from_start = not math.isfinite(track.before_s)
    gone_s = track.gone_s
    assert track.known_s is not None
    return Visit(
        id=visit_id,
        entity=visit_id,
        stream=stream,
        label=track.label,
        t0_s=track.first_s if from_start else (track.before_s + track.first_s) / 2,
        t1_s=track.last_s if gone_s is None else (track.last_s + gone_s) / 2,
        first_s=track.first_s,
        known_s=track.known_s,
        linked_s=track.known_s,
        gone_s=gone_s,
        from_start=from_start,
        hits=track.hits,
        score=track.score,
        frame_s=track.best[1],
        box=track.best[2],
        gaps=tuple(track.gaps),
        path=tuple(track.path),
        colours=track.colours,
        portrait_s=track.portrait_s,
    )
