"""Detections of one stream into tracks: the same thing from frame to frame, at one frame a second as at five.

As in SORT and DeepSORT (Bewley et al. 2016, Wojke et al. 2017) a track expects its box where its speed takes it
and is matched by overlap and look; as in ByteTrack (Zhang et al. 2022) an unsure detection may prolong a track
but not make one known. What is different is for few frames a second: a box that does not overlap may still be the
same thing if it is as near as it could have moved and looks alike; a detector that misses a thing which visibly
has not changed (the pixels in its box, or a piece of foreground that goes on) does not end its track; and a
thing's coming and leaving have the times of the foreground, where the camera does not move.
"""

from __future__ import annotations

import base64
import json
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from hippocam.memory.boxes import Box, area, iou, overlap
from hippocam.memory.entities.records import MOVERS, EntityConfig
from hippocam.memory.working.background import COVERED, Background, Change, Presence
from hippocam.memory.working.background_pixels import small_picture
from hippocam.stream.records import Embedding, FloatArray, Repeat, Thing

_UNSURER, _WITHIN = 0.8, 0.85
_ONE_OBJECT = 0.65  # boxes of different labels that overlap so much are one thing
_PATCH_PX, _UNCHANGED = 12, 10.0
_LEAST_MATCH = 0.25
_LEAST_LOOK, _LEAST_LOOK_AGAIN = 0.55, 0.7
_REACH, _REACH_A_SECOND, _MOST_REACH = 0.5, 1.5, 3.0  # how far a thing may get, in its own sizes
_OTHERWISE = 0.25  # what a label counts that cannot go about, for something that does
_FOREGROUND_S, _SAME_SHAPE = 20.0, 0.35
_MOST_GAPS = 16
_MOVED = 0.5  # of its own size: it is not where it was


@dataclass(slots=True, kw_only=True)
class Track:
    """One thing within one visit. Times as in Visit.

    Attributes:
        first_seq: Position of its first detection.
        place: Which of that frame's detections it was.
        before_s: Time of the last frame without it, minus infinity where there was none.
        first_s: Time of its first frame.
        last_s: Time of the newest frame with it.
        gone_s: Time of the first frame without it, while it is out of sight.
        known_s: When it became known, None before.
        due_s: When it was ready to be compared with earlier visits, None before.
        misses: Frames since it was last there.
        hits: Detections.
        score: Of the surest.
        votes: Sum of scores by label.
        sums: Sum of looks by label.
        box: Where it was last.
        speed: Of its centre, in shares of the picture a second.
        start: Centre of its first box.
        way: Farthest that it got from there, in its own sizes.
        best: How well its best detection shows it, and that one's time and box.
        gaps: As in Visit.
        patch: Its pixels when it was last detected, uint8, small.
        ended: Whether it is over.
        motion_s: First frame of the foreground that it came with, None where there is none.
        left: Whether nothing was before the background since it was last there.
        front_s: First frame of the foreground that it was part of when it was last detected, None for none.
    """

    first_seq: int
    place: int
    before_s: float
    first_s: float
    last_s: float
    box: Box
    start: tuple[float, float]
    gone_s: float | None = None
    known_s: float | None = None
    due_s: float | None = None
    misses: int = 0
    hits: int = 0
    score: float = 0.0
    votes: dict[str, float] = field(default_factory=dict)
    sums: dict[str, FloatArray] = field(default_factory=dict)
    speed: tuple[float, float] = (0.0, 0.0)
    way: float = 0.0
    best: tuple[float, float, Box] = (0.0, 0.0, (0.0, 0.0, 1.0, 1.0))
    gaps: list[tuple[float, float]] = field(default_factory=list)
    patch: bytes = b""
    ended: bool = False
    motion_s: float | None = None
    left: bool = False
    front_s: float | None = None

    @property
    def label(self) -> str:
        """What most speaks for; a thing that went about by itself is one that can."""
        moved = self.way > _MOVED

        def weight(label: str) -> float:
            return self.votes[label] * (_OTHERWISE if moved and label not in MOVERS else 1)

        return max(sorted(self.votes), key=weight)

    @property
    def look(self) -> FloatArray:
        """Mean look under its label, float32 [A], of length 1."""
        total = self.sums[self.label]
        return (total / max(float(np.linalg.norm(total)), 1e-12)).astype(np.float32)


@dataclass(slots=True)
class _Candidate:
    """A place where something was detected: what it may be."""

    place: int
    box: Box
    score: float
    votes: dict[str, float]
    looks: dict[str, FloatArray]


class Tracker:
    """The tracks of one stream, and its background."""

    def __init__(self, config: EntityConfig) -> None:
        self._config = config
        self.time_s = -math.inf
        self.seq = -1
        self.tracks: list[Track] = []
        self.background = Background()

    def push(self, item: Embedding | Repeat) -> tuple[list[Track], list[Change]]:
        """Take the stream's next frame; one that was taken before is passed over.

        Returns:
            Tracks that are new to the caller or changed: known ones that came, were prolonged or ended (those are
            no longer among `tracks`), and what changed before the background.
        """
        if item.seq <= self.seq:
            return [], []
        ended = self._after_gap(item.time_s)
        away = item.time_s - self.time_s > self._config.gap_s
        before_s = -math.inf if away else self.time_s
        self.time_s, self.seq = item.time_s, item.seq
        changes: list[Change] = []
        if isinstance(item, Repeat):
            self.background.repeat(item.time_s)
            for track in self.tracks:
                if track.gone_s is None:
                    track.last_s = item.time_s
                else:
                    track.misses += 1
        else:
            picture = small_picture(item.jpeg)
            changes = self.background.see(picture, item.time_s)
            self._see(item, picture, before_s)
        ended += self._end(item.time_s)
        known = [track for track in self.tracks if track.known_s is not None]
        return [*ended, *known], changes

    def flush(self) -> list[Track]:
        """End all tracks: the stream has ended. Gives those that were known or are sure enough now."""
        found = [track for track in self.tracks if self._worth_keeping(track)]
        self.tracks = []
        for track in found:
            track.ended = True
        return found

    def _after_gap(self, time_s: float) -> list[Track]:
        if time_s - self.time_s <= self._config.gap_s or not self.tracks:
            return []
        ended = self.flush()
        for track in ended:
            track.gone_s = track.last_s if track.gone_s is None else track.gone_s
        return ended

    def _see(self, item: Embedding, picture: FloatArray | None, before_s: float) -> None:
        candidates = _candidates(item.sensed.things)
        matched = self._match(candidates, item.time_s)
        self._match_by_foreground(candidates, matched)
        taken = set(matched.values())
        seen = [candidate.box for candidate in candidates if not MOVERS.isdisjoint(candidate.votes)]
        for i, track in enumerate(self.tracks):
            if i in matched:
                self._hit(track, candidates[matched[i]], item.time_s, picture)
            elif self._unchanged(track, picture) or self._goes_on(track, seen):
                self._held(track, item.time_s)
            else:
                track.misses += 1
                track.gone_s = item.time_s if track.gone_s is None else track.gone_s
                came = track.motion_s is not None and track.front_s is not None  # and is not background by now
                track.left |= came and self.background.static and not self.background.occupied
        for j, candidate in enumerate(candidates):
            if j not in taken:
                track = Track(
                    first_seq=item.seq,
                    place=candidate.place,
                    before_s=before_s,
                    first_s=item.time_s,
                    last_s=item.time_s,
                    box=candidate.box,
                    start=_centre(candidate.box),
                )
                self._hit(track, candidate, item.time_s, picture)
                self.tracks.append(track)
        for track in self.tracks:
            self._came_with_foreground(track)
            self._goes_on_as(track)

    def _match(self, candidates: Sequence[_Candidate], time_s: float) -> dict[int, int]:
        """Best pairs first; each track and each candidate once."""
        scored = sorted(
            (
                (-self._likeness(track, candidate, time_s), i, j)
                for i, track in enumerate(self.tracks)
                for j, candidate in enumerate(candidates)
            ),
        )
        matched: dict[int, int] = {}
        for worth, i, j in scored:
            if -worth >= _LEAST_MATCH and i not in matched and j not in matched.values():
                matched[i] = j
        return matched

    def _match_by_foreground(self, candidates: Sequence[_Candidate], matched: dict[int, int]) -> None:
        """Give a track that was not matched what is seen of the foreground that it came with, however it looks."""
        for i, track in enumerate(self.tracks):
            if i in matched or self._motion(track) is None:
                continue
            for j, candidate in enumerate(candidates):
                presence = self.background.covers(candidate.box)
                same = presence is not None and presence.first_s == track.motion_s
                if same and j not in matched.values() and track.label in candidate.votes:
                    matched[i] = j
                    break

    def _likeness(self, track: Track, found: _Candidate, time_s: float) -> float:
        """As `_worth`; 0 where the foreground says that it is not the same, unless it looks so beyond doubt."""
        worth, look = _worth(track, found, time_s)
        if worth == 0 or look >= self._config.same_person:
            return worth
        motion = self._motion(track)
        elsewhere = motion is not None and overlap(found.box, motion.box) < COVERED
        before = self.background.covers(found.box) if track.votes.keys().isdisjoint(found.votes) else None
        hidden = before is not None and before.first_s != track.front_s  # by what came before it
        return 0.0 if track.left or elsewhere or hidden else worth

    def _held(self, track: Track, time_s: float) -> None:
        if track.gone_s is not None:
            track.gaps = [*track.gaps, (track.gone_s, time_s)][-_MOST_GAPS:]
        track.last_s, track.gone_s, track.misses, track.left = time_s, None, 0, False

    def _hit(self, track: Track, found: _Candidate, time_s: float, picture: FloatArray | None) -> None:
        elapsed_s = time_s - track.last_s
        if elapsed_s > 0:
            (x0, y0), (x1, y1) = _centre(track.box), _centre(found.box)
            track.speed = ((x1 - x0) / elapsed_s, (y1 - y0) / elapsed_s)
        self._held(track, time_s)
        track.hits += 1
        track.box, track.score = found.box, max(track.score, found.score)
        for label, vote in found.votes.items():
            track.votes[label] = track.votes.get(label, 0.0) + vote
            before, look = track.sums.get(label), found.looks[label]
            if before is not None and len(before) == len(look):  # else another network looked, before a restart
                look = before + look
            track.sums[label] = look
        track.way = max(track.way, math.dist(track.start, _centre(found.box)) / _size(found.box))
        shows = found.score * math.sqrt(area(found.box))
        if shows > track.best[0]:
            track.best = (shows, time_s, found.box)
        track.patch = _patch(picture, found.box)
        front = self.background.covers(found.box)
        track.front_s = None if front is None else front.first_s
        if track.known_s is None and track.hits >= 2 and track.score >= self._config.sure:
            track.known_s = time_s
        if (
            track.due_s is None
            and track.hits >= self._config.link_hits
            and time_s >= track.first_s + 2 * self._config.patience_s
        ):
            track.due_s = time_s

    def _unchanged(self, track: Track, picture: FloatArray | None) -> bool:
        """Whether the pixels in a track's box are as when it was last detected."""
        if picture is None or not track.patch or track.gone_s is not None:
            return False
        now = np.frombuffer(_patch(picture, track.box), np.uint8).astype(np.float32)
        return float(np.abs(now - np.frombuffer(track.patch, np.uint8)).mean()) < _UNCHANGED

    def _goes_on(self, track: Track, seen: Sequence[Box]) -> bool:
        """Whether the foreground that a mover came with is where it was, or elsewhere with no mover in it."""
        presence = self._motion(track)
        if presence is None or presence.fading is not None or track.label not in MOVERS:
            return False
        alone = not any(overlap(box, presence.box) > COVERED for box in seen)
        return alone or iou(presence.box, track.box) > _SAME_SHAPE

    def _motion(self, track: Track) -> Presence | None:
        """The foreground that a track came with, where it is still there and the camera does not move."""
        if not self.background.static or track.motion_s is None:
            return None
        own = (p for p in self.background.presences if p.first_s == track.motion_s and p.hole is not True)
        return next(own, None)

    def _came_with_foreground(self, track: Track) -> None:
        """Give a track that has just begun the time at which its foreground came, if that is nobody else's."""
        if track.motion_s is not None or not self.background.static or track.hits > 2:
            return
        presence = self.background.covers(track.box)
        if presence is None or any(other.motion_s == presence.first_s for other in self.tracks):
            return
        if 0 <= track.first_s - presence.first_s <= _FOREGROUND_S and track.label in MOVERS:
            track.motion_s = presence.first_s
            track.before_s, track.first_s = presence.before_s, presence.first_s

    def _goes_on_as(self, track: Track) -> None:
        """Follow the foreground that a mover is now part of, where the one that it came with is no more."""
        if track.gone_s is None and not any(p.first_s == track.motion_s for p in self.background.presences):
            presence = self.background.covers(track.box)
            claimed = {other.motion_s for other in self.tracks}
            if presence is not None and presence.first_s not in claimed and track.hits > 2:
                track.motion_s = presence.first_s

    def _end(self, time_s: float) -> list[Track]:
        ended = [
            track
            for track in self.tracks
            if track.gone_s is not None and track.misses >= 2 and time_s - track.last_s > self._config.patience_s
        ]
        self.tracks = [track for track in self.tracks if track not in ended]
        for track in ended:
            track.ended = True
        return [track for track in ended if self._worth_keeping(track)]

    def _worth_keeping(self, track: Track) -> bool:
        if track.known_s is None and track.score >= self._config.alone:
            track.known_s = self.time_s
        return track.known_s is not None

    def to_bytes(self) -> bytes:
        """All open tracks and the background, to go on from."""
        names = Track.__dataclass_fields__
        head = {
            "time_s": self.time_s,
            "seq": self.seq,
            "background": _text(self.background.to_bytes()),
            "tracks": [{name: _plain(getattr(track, name)) for name in names} for track in self.tracks],
        }
        return zlib.compress(json.dumps(head).encode())

    @classmethod
    def from_bytes(cls, data: bytes, config: EntityConfig) -> Tracker:
        """Go on from what `to_bytes` gave.

        Raises:
            ValueError: It is no such state.
        """
        made = cls(config)
        try:
            head = json.loads(zlib.decompress(data))
            made.time_s, made.seq = head["time_s"], head["seq"]
            made.background = Background.from_bytes(base64.b64decode(head["background"]))
            made.tracks = [_track(row) for row in head["tracks"]]
        except (zlib.error, KeyError, TypeError, json.JSONDecodeError) as error:
            raise ValueError(f"not a tracker's state: {error}") from error
        return made


def _candidates(things: Sequence[Thing]) -> list[_Candidate]:
    """Join detections of one place under different labels."""
    found: list[_Candidate] = []
    for place, thing in enumerate(things):
        if any(_doubled(thing, other) for other in things[:place]):
            continue
        for other in found:
            if thing.label not in other.votes and iou(thing.box, other.box) > _ONE_OBJECT:
                other.votes[thing.label], other.looks[thing.label] = thing.score, thing.vector
                break
        else:
            found.append(
                _Candidate(place, thing.box, thing.score, {thing.label: thing.score}, {thing.label: thing.vector})
            )
    return found


def _doubled(thing: Thing, other: Thing) -> bool:
    """Whether a detection is a part, or an enlargement, of a surer one of the same label."""
    if thing.label != other.label or thing.score > _UNSURER * other.score:
        return False
    return overlap(thing.box, other.box) > _WITHIN


def _worth(track: Track, found: _Candidate, time_s: float) -> tuple[float, float]:
    """How well a candidate goes on with a track, 0 to 1, 0 where it cannot; how alike they look, -1 unknown."""
    elapsed_s = time_s - track.last_s
    ahead_s = min(elapsed_s, 2.0) if track.hits > 1 else 0.0
    expected = _moved(track.box, track.speed[0] * ahead_s, track.speed[1] * ahead_s)
    shared = max(iou(expected, found.box), iou(track.box, found.box))
    reach = min(_REACH + _REACH_A_SECOND * elapsed_s, _MOST_REACH) * max(_size(track.box), _size(found.box))
    near = max(0.0, 1 - math.dist(_centre(expected), _centre(found.box)) / reach)
    looks = [
        float(np.dot(track.sums[label], look) / max(float(np.linalg.norm(track.sums[label])), 1e-12))
        for label, look in found.looks.items()
        if label in track.sums and len(track.sums[label]) == len(look)
    ]
    look = max(looks, default=-1.0)
    least = _LEAST_LOOK if track.gone_s is None else _LEAST_LOOK_AGAIN
    if shared < 0.3 and (look < least or near == 0):
        return 0.0, look
    if track.gone_s is not None and looks and look < _LEAST_LOOK_AGAIN:
        return 0.0, look
    return 0.5 * max(shared, near) + 0.5 * max(0.0, look if looks else 0.25), look


def _patch(picture: FloatArray | None, box: Box) -> bytes:
    """The pixels of a box, uint8 [12, 12, 3] as bytes; none where there is no picture."""
    if picture is None:
        return b""
    height, width = picture.shape[:2]
    x0, y0 = min(int(box[0] * width), width - 1), min(int(box[1] * height), height - 1)
    cut = picture[y0 : max(y0 + 1, round(box[3] * height)), x0 : max(x0 + 1, round(box[2] * width))]
    small = cv2.resize(np.ascontiguousarray(cut), (_PATCH_PX, _PATCH_PX), interpolation=cv2.INTER_AREA)
    return bytes(np.round(small).astype(np.uint8).tobytes())


def _moved(box: Box, dx: float, dy: float) -> Box:
    return box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy


def _centre(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _size(box: Box) -> float:
    return math.sqrt(area(box))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return _text(value)
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, np.ndarray):
        return _text(np.asarray(value, "<f4").tobytes())
    return value


def _track(row: dict[str, Any]) -> Track:
    sums = {label: np.frombuffer(base64.b64decode(text), "<f4") for label, text in row["sums"].items()}
    shows, time_s, box = row["best"]
    return Track(
        **{
            **row,
            "box": tuple(row["box"]),
            "start": tuple(row["start"]),
            "speed": tuple(row["speed"]),
            "sums": sums,
            "best": (shows, time_s, tuple(box)),
            "gaps": [(from_s, to_s) for from_s, to_s in row["gaps"]],
            "patch": base64.b64decode(row["patch"]),
        }
    )
