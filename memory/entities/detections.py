"""When which labels were detected, and whether a thing can be said to have been there at all.

Visits are strict, for they are counted. Whether there ever was a dog is another question: one that was seen
unsurely in two frames was there, and one that a detector who looked never saw was not. So every label has its
stretches of time, each with its frames. Of an encoder that is asked for an elephant, always some frame comes near;
the detector knows better of what it knows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hippocam.memory.filter import Filter
from hippocam.stream.records import Thing

# Score from which a detection counts.
SEEN_FROM = 0.36
# Frames that must show a thing, or the score that a single one must reach.
_FRAMES = 2
_ALONE = 0.68
# Belief from which an encoder is believed against a detector that often misses such things.
VERY_HIGH = 0.97
# What else is left of it: less than one half.
_DOUBTED = 0.45
# A stretch goes on after so many seconds without the label, and takes so many at most.
_PAUSE_S = 60.0
_LONGEST_S = 600.0
# Stretches of a label in a stream that are left when room is short.
_FEWEST = 8
_COLUMNS = "stream, label, t0_s, t1_s, frames, score"


class Detected(NamedTuple):
    """A stretch of time in which a label was detected now and then.

    Attributes:
        stream: Which stream.
        label: What was detected.
        t0_s: The first frame.
        t1_s: The last frame.
        frames: How many frames.
        score: Score of the surest detection.
    """

    stream: str
    label: str
    t0_s: float
    t1_s: float
    frames: int
    score: float

    def joined(self, later: Detected) -> Detected:
        """This stretch and a later one of the same label as one."""
        return self._replace(
            t1_s=max(self.t1_s, later.t1_s), frames=self.frames + later.frames, score=max(self.score, later.score)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """What the detector says of some labels in some streams and a time.

    Attributes:
        looked: Whether it is known to have looked there: it detected anything at all. Where it did not look, or an
            older hippocam did, it says nothing.
        frames: Sampled frames that showed one of them, as far as they are certain to lie within the time.
        score: Score of the surest detection; 0 for none.
        first_s: Time of the first frame; None for none.
        last_s: Time of the last frame; None for none.
        visits: Visits of them that were followed.
    """

    looked: bool
    frames: int
    score: float
    first_s: float | None
    last_s: float | None
    visits: int

    @property
    def shown(self) -> bool:
        """Whether one was there: followed, or in two frames, or surely in one."""
        return self.visits > 0 or self.frames >= _FRAMES or self.score >= _ALONE

    @property
    def never(self) -> bool:
        """Whether the detector looked and no such thing was there."""
        return self.looked and not self.shown

    def believed(self, belief: float, *, misses: bool = False, very_high: float = VERY_HIGH) -> float:
        """What is left of an encoder's belief, 0 to 1, that one of them is shown.

        Less than one half where the detector looked and never saw one. What it saw in one frame alone neither of
        the two can deny by itself.

        Args:
            belief: The encoder's.
            misses: Whether the detector often misses such things; then a very high belief stands against it.
            very_high: From where on it is.
        """
        if not self.never or self.frames > 0 or (misses and belief >= very_high):
            return belief
        return min(belief, _DOUBTED)


def detected_in(stream: str, time_s: float, things: Iterable[Thing]) -> dict[str, Detected]:
    """What a frame shows, by label: a stretch of one frame each."""
    found = dict[str, Detected]()
    for thing in things:
        if thing.score >= SEEN_FROM and (thing.label not in found or thing.score > found[thing.label].score):
            found[thing.label] = Detected(stream, thing.label, time_s, time_s, 1, float(thing.score))
    return found


def put(db: sqlite3.Connection, frames: Sequence[Detected]) -> None:
    """Write the newer frames of one label in one stream, by time; those that are known already change nothing."""
    if not frames:
        return
    stream, label, *_ = frames[0]
    row = db.execute(
        f"SELECT id, {_COLUMNS} FROM detected WHERE stream = ? AND label = ? ORDER BY t0_s DESC LIMIT 1",
        (stream, label),
    ).fetchone()
    stretches = [] if row is None else [Detected(*row[1:])]
    for frame in frames:
        if not stretches or (frame.t0_s > stretches[-1].t1_s and not _goes_on(stretches[-1], frame)):
            stretches.append(frame)
        elif frame.t0_s > stretches[-1].t1_s:
            stretches[-1] = stretches[-1].joined(frame)
    if row is not None:
        last = stretches.pop(0)
        db.execute(
            "UPDATE detected SET t1_s = ?, frames = ?, score = ? WHERE id = ?",
            (last.t1_s, last.frames, last.score, row[0]),
        )
    _insert(db, stretches)


def take_in(db: sqlite3.Connection, row: Detected) -> bool:
    """Write a stretch of another memory; False where it is held already."""
    same = "SELECT 1 FROM detected WHERE stream = ? AND label = ? AND t0_s <= ? AND t1_s >= ?"
    if db.execute(same, (row.stream, row.label, row.t1_s, row.t0_s)).fetchone():
        return False
    _insert(db, [row])
    return True


def delete(
    db: sqlite3.Connection, stream: str, after_s: float, before_s: float, *, ended_only: bool = False
) -> None:
    """Delete the stretches of a stream that touch a time; with `ended_only`, those that end in it."""
    edge = "t1_s" if ended_only else "t0_s"
    db.execute(f"DELETE FROM detected WHERE stream = ? AND t1_s >= ? AND {edge} <= ?", (stream, after_s, before_s))


def of_stream(db: sqlite3.Connection, stream: str) -> list[Detected]:
    """All stretches of a stream, by label and time."""
    return _read(db, "stream = ?", (stream,))


def coarsen(db: sqlite3.Connection) -> None:
    """Join every two neighbouring stretches of each label with many: when it was seen is known less exactly."""
    rows = db.execute(f"SELECT id, {_COLUMNS} FROM detected ORDER BY stream, label, t0_s").fetchall()
    groups: dict[tuple[str, str], list[tuple[int, Detected]]] = {}
    for row_id, *values in rows:
        each = Detected(*values)
        groups.setdefault((each.stream, each.label), []).append((row_id, each))
    for own in groups.values():
        if len(own) <= _FEWEST:
            continue
        for (first_id, first), (second_id, second) in zip(own[::2], own[1::2], strict=False):
            both = first.joined(second)
            db.execute(
                "UPDATE detected SET t1_s = ?, frames = ?, score = ? WHERE id = ?",
                (both.t1_s, both.frames, both.score, first_id),
            )
            db.execute("DELETE FROM detected WHERE id = ?", (second_id,))


def presence(db: sqlite3.Connection, labels: Sequence[str], wanted: Filter, visits: int) -> Presence:
    """What the detector says of some labels.

    Args:
        db: The memory's database.
        labels: Any of these.
        wanted: In which streams, and when; where the camera was, and its place, are not looked at.
        visits: Visits of these labels that meet the conditions.
    """
    every = [each for each in _read(db, "1", ()) if wanted.of_stream(each.stream)]
    found = [sure for each in every if each.label in labels and (sure := _within(each, wanted)) is not None]
    return Presence(
        looked=any(wanted.at_s is None or each.t0_s <= wanted.at_s for each in every),
        frames=sum(each.frames for each in found),
        score=max((each.score for each in found), default=0.0),
        first_s=min((each.t0_s for each in found), default=None),
        last_s=max((each.t1_s for each in found), default=None),
        visits=visits,
    )


def _within(each: Detected, wanted: Filter) -> Detected | None:
    """What is certain of a stretch within a time: of one that lies across its edge, not even one frame's score."""
    last_s = each.t1_s if wanted.at_s is None else min(each.t1_s, wanted.at_s)
    if not wanted.overlaps(each.t0_s, each.t1_s, each.t0_s):
        return None
    whole = (
        last_s == each.t1_s
        and (wanted.after_s is None or each.t0_s > wanted.after_s)
        and (wanted.before_s is None or each.t1_s < wanted.before_s)
    )
    return each if whole else each._replace(t1_s=last_s, frames=1, score=min(each.score, SEEN_FROM))


def _insert(db: sqlite3.Connection, rows: Iterable[Detected]) -> None:
    db.executemany(f"INSERT INTO detected ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", rows)


def _goes_on(stretch: Detected, new: Detected) -> bool:
    return new.t0_s - stretch.t1_s <= _PAUSE_S and new.t1_s - stretch.t0_s <= _LONGEST_S


def _read(db: sqlite3.Connection, where: str, values: Sequence[object]) -> list[Detected]:
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'detected'").fetchone() is None:
        return []  # of an older format
    rows = db.execute(f"SELECT {_COLUMNS} FROM detected WHERE {where} ORDER BY stream, label, t0_s", values)
    return [Detected(*row) for row in rows]
