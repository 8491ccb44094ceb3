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
import functools
import json
import math
import zlib
from collections.abc import Sequence

import numpy as np

from hippocam.memory.boxes import centre, iou, overlap, side
from hippocam.memory.entities.records import MOVERS, EntityConfig
from hippocam.memory.entities.sightings import Sighting, clarity, continues, sightings_of
from hippocam.memory.entities.track import Track
from hippocam.memory.working.background import COVERED, Background, Change, Presence
from hippocam.memory.working.background_pixels import small_picture
from hippocam.stream import opencv as cv2
from hippocam.stream.records import Box, Embedding, FloatArray, Repeat

# Side of a patch in pixels, and the mean difference of its pixels below which nothing has changed.
_PATCH_PX = 12
_UNCHANGED = 10.0
# How well a sighting must continue a track, 0 to 1.
_LEAST_MATCH = 0.25
# Seconds within which a thing must be detected after the foreground that it came with.
_FOREGROUND_S = 20.0
# Overlap from which a piece of foreground is still where the thing was detected.
_SAME_SHAPE_IOU = 0.35
# Newest gaps that a track remembers.
_MOST_GAPS = 16


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
        if not self.tracks and isinstance(item, Embedding) and not (item.jpeg or item.sensed.things):
            self.time_s, self.seq = item.time_s, item.seq  # there is nothing to see, and nobody to miss
            return [], []
        ended = self._end_all_after_gap(item.time_s)
        away = item.time_s - self.time_s > self._config.gap_s
        before_s = -math.inf if away else self.time_s
        self.time_s, self.seq = item.time_s, item.seq
        changes: list[Change] = []
        if isinstance(item, Repeat):
            self._repeat(item.time_s)
        else:
            picture = small_picture(item.jpeg)
            changes = self.background.see(picture, item.time_s)
            self._see(item, picture, before_s)
        ended += self._end_lost(item.time_s)
        known = [track for track in self.tracks if track.known_s is not None]
        return [*ended, *known], changes

    def flush(self, *, cut_off: bool = False) -> list[Track]:
        """End all tracks, since the stream has ended; return those that were known or are sure enough now.

        Args:
            cut_off: Whether it only broke off: what was in sight ends with the last look, though nobody saw it
                leave. Else it is still there where a recording ends.
        """
        found = [track for track in self.tracks if self._is_known_at_end(track)]
        self.tracks = []
        for track in found:
            track.ended = True
            if cut_off and track.gone_s is None:
                track.gone_s = track.last_s
        return found

    @property
    def idle(self) -> bool:
        """Whether there is no track, and no picture was seen yet."""
        return not self.tracks and self.background.unseen

    def to_bytes(self) -> bytes:
        """All open tracks and the background, to go on from."""
        head = {
            "time_s": self.time_s,
            "seq": self.seq,
            "background": _unseen() if self.background.unseen else _told(self.background),
            "tracks": [track.to_plain() for track in self.tracks],
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
            made.tracks = [Track.from_plain(row) for row in head["tracks"]]
        except (zlib.error, KeyError, TypeError, json.JSONDecodeError) as error:
            raise ValueError(f"not a tracker's state: {error}") from error
        return made

    # a frame ---------------------------------------------------------------------------------------------

    def _repeat(self, time_s: float) -> None:
        """Prolong what is in sight: nothing has changed."""
        self.background.repeat(time_s)
        for track in self.tracks:
            if track.gone_s is None:
                track.last_s = time_s
            else:
                track.misses += 1

    def _see(self, item: Embedding, picture: FloatArray | None, before_s: float) -> None:
        sightings = sightings_of(item.sensed.things)
        matched = self._match(sightings, item.time_s)
        self._match_by_foreground(sightings, matched)
        movers = [sighting.box for sighting in sightings if not MOVERS.isdisjoint(sighting.votes)]
        for i, track in enumerate(self.tracks):
            if i in matched:
                self._hit(track, sightings[matched[i]], item.time_s, picture)
            elif self._looks_unchanged(track, picture) or self._foreground_goes_on(track, movers):
                _hold(track, item.time_s)
            else:
                self._miss(track, item.time_s)
        taken = set(matched.values())
        for j, sighting in enumerate(sightings):
            if j not in taken:
                track = Track(
                    first_seq=item.seq,
                    detection_index=sighting.detection_index,
                    before_s=before_s,
                    first_s=item.time_s,
                    last_s=item.time_s,
                    box=sighting.box,
                    start=centre(sighting.box),
                )
                self._hit(track, sighting, item.time_s, picture)
                self.tracks.append(track)
        for track in self.tracks:
            self._date_by_foreground(track)
            self._follow_foreground(track)

    def _hit(self, track: Track, sighting: Sighting, time_s: float, picture: FloatArray | None) -> None:
        """Prolong a track by a sighting of it."""
        elapsed_s = time_s - track.last_s
        if elapsed_s > 0:
            (x0, y0), (x1, y1) = centre(track.box), centre(sighting.box)
            track.speed = ((x1 - x0) / elapsed_s, (y1 - y0) / elapsed_s)
        _hold(track, time_s)
        track.hits += 1
        track.box, track.score = sighting.box, max(track.score, sighting.score)
        for label, vote in sighting.votes.items():
            track.votes[label] = track.votes.get(label, 0.0) + vote
            before, look = track.sums.get(label), sighting.looks[label]
            if before is not None and len(before) == len(look):  # else another network looked, before a restart
                look = before + look
            track.sums[label] = look
        track.farthest = max(track.farthest, math.dist(track.start, centre(sighting.box)) / side(sighting.box))
        shows = clarity(sighting)
        for label, colours in sighting.colours.items():
            track.note_colours(label, colours, shows)
        track.note_place(time_s, sighting.box)
        if sighting.portrait is not None:
            track.add_portrait(sighting.portrait, time_s)
        if shows > track.best[0]:
            track.best = (shows, time_s, sighting.box)
        track.patch = _patch(picture, sighting.box)
        cover = self.background.covers(sighting.box)
        track.covered_by_s = None if cover is None else cover.first_s
        if track.known_s is None and track.hits >= 2 and track.score >= self._config.sure:
            track.known_s = time_s
        if (
            track.due_s is None
            and track.hits >= self._config.link_hits
            and time_s >= track.first_s + 2 * self._config.patience_s
        ):
            track.due_s = time_s

    def _miss(self, track: Track, time_s: float) -> None:
        """Note that a frame does not show a track."""
        track.misses += 1
        track.gone_s = time_s if track.gone_s is None else track.gone_s
        came = track.foreground_s is not None and track.covered_by_s is not None  # and is not background by now
        track.left |= came and self.background.static and not self.background.occupied

    def _looks_unchanged(self, track: Track, picture: FloatArray | None) -> bool:
        """Whether the pixels in a track's box are as when it was last detected."""
        if picture is None or not track.patch or track.gone_s is not None:
            return False
        now = np.frombuffer(_patch(picture, track.box), np.uint8).astype(np.float32)
        return float(np.abs(now - np.frombuffer(track.patch, np.uint8)).mean()) < _UNCHANGED

    # which sighting is whose -----------------------------------------------------------------------------

    def _match(self, sightings: Sequence[Sighting], time_s: float) -> dict[int, int]:
        """Match tracks with sightings, each once, the best pairs first; return sightings by track, as indices."""
        scored = sorted(
            (-self._likeness(track, sighting, time_s), i, j)
            for i, track in enumerate(self.tracks)
            for j, sighting in enumerate(sightings)
        )
        matched: dict[int, int] = {}
        for likeness, i, j in scored:
            if -likeness >= _LEAST_MATCH and i not in matched and j not in matched.values():
                matched[i] = j
        return matched

    def _likeness(self, track: Track, sighting: Sighting, time_s: float) -> float:
        """As `continues`, but 0 where the foreground says it is another thing and the look leaves a doubt."""
        likeness, look = continues(track, sighting, time_s)
        if likeness == 0 or look >= self._config.same_person:
            return likeness
        foreground = self._foreground_of(track)
        elsewhere = foreground is not None and overlap(sighting.box, foreground.box) < COVERED
        other_label = track.votes.keys().isdisjoint(sighting.votes)
        cover = self.background.covers(sighting.box) if other_label else None
        hidden = cover is not None and cover.first_s != track.covered_by_s  # by what came before it
        return 0.0 if track.left or elsewhere or hidden else likeness

    def _match_by_foreground(self, sightings: Sequence[Sighting], matched: dict[int, int]) -> None:
        """Match the other tracks with the first sighting of the foreground that each came with."""
        for i, track in enumerate(self.tracks):
            if i in matched or self._foreground_of(track) is None:
                continue
            for j, sighting in enumerate(sightings):
                presence = self.background.covers(sighting.box)
                same = presence is not None and presence.first_s == track.foreground_s
                if same and j not in matched.values() and track.label in sighting.votes:
                    matched[i] = j
                    break

    # the foreground --------------------------------------------------------------------------------------

    def _foreground_of(self, track: Track) -> Presence | None:
        """The foreground that a track came with, where it is still there and the camera does not move."""
        if not self.background.static or track.foreground_s is None:
            return None
        own = (p for p in self.background.presences if p.first_s == track.foreground_s and p.hole is not True)
        return next(own, None)

    def _foreground_goes_on(self, track: Track, movers: Sequence[Box]) -> bool:
        """Whether the foreground that a mover came with is where it was, or elsewhere with no mover seen in it."""
        presence = self._foreground_of(track)
        if presence is None or presence.fading is not None or track.label not in MOVERS:
            return False
        alone = not any(overlap(box, presence.box) > COVERED for box in movers)
        return alone or iou(presence.box, track.box) > _SAME_SHAPE_IOU

    def _date_by_foreground(self, track: Track) -> None:
        """Let a new track begin when its foreground came, unless that is another track's."""
        if track.foreground_s is not None or not self.background.static or track.hits > 2:
            return
        presence = self.background.covers(track.box)
        if presence is None or any(other.foreground_s == presence.first_s for other in self.tracks):
            return
        if 0 <= track.first_s - presence.first_s <= _FOREGROUND_S and track.label in MOVERS:
            track.foreground_s = presence.first_s
            track.before_s, track.first_s = presence.before_s, presence.first_s

    def _follow_foreground(self, track: Track) -> None:
        """If the foreground that a track came with is no more, follow the one that covers it now."""
        if track.gone_s is None and not any(p.first_s == track.foreground_s for p in self.background.presences):
            presence = self.background.covers(track.box)
            claimed = {other.foreground_s for other in self.tracks}
            if presence is not None and presence.first_s not in claimed and track.hits > 2:
                track.foreground_s = presence.first_s

    # ends ------------------------------------------------------------------------------------------------

    def _end_all_after_gap(self, time_s: float) -> list[Track]:
        if time_s - self.time_s <= self._config.gap_s or not self.tracks:
            return []
        doubted = {id(track) for track in self.tracks if track.known_s is None}
        ended = self.flush(cut_off=True)
        for track in ended:
            if id(track) in doubted:
                track.known_s = time_s  # the look behind the gap ended it; before, nobody knew
        return ended

    def _end_lost(self, time_s: float) -> list[Track]:
        """End the tracks that have been out of sight for too long; return the known ones."""
        ended = [
            track
            for track in self.tracks
            if track.gone_s is not None and track.misses >= 2 and time_s - track.last_s > self._config.patience_s
        ]
        self.tracks = [track for track in self.tracks if track not in ended]
        for track in ended:
            track.ended = True
        return [track for track in ended if self._is_known_at_end(track)]

    def _is_known_at_end(self, track: Track) -> bool:
        """Whether a track that ends is known, or becomes so by one detection that is sure enough alone."""
        if track.known_s is None and track.score >= self._config.alone:
            track.known_s = self.time_s
        return track.known_s is not None


def _hold(track: Track, time_s: float) -> None:
    """Note that a track is in sight."""
    if track.gone_s is not None:
        track.gaps = [*track.gaps, (track.gone_s, time_s)][-_MOST_GAPS:]
    track.last_s, track.gone_s, track.misses, track.left = time_s, None, 0, False


def _patch(picture: FloatArray | None, box: Box) -> bytes:
    """The pixels of a box, uint8 [12, 12, 3] as bytes; none where there is no picture."""
    if picture is None:
        return b""
    height, width = picture.shape[:2]
    x0, y0 = min(int(box[0] * width), width - 1), min(int(box[1] * height), height - 1)
    cut = picture[y0 : max(y0 + 1, round(box[3] * height)), x0 : max(x0 + 1, round(box[2] * width))]
    small = cv2.resize(np.ascontiguousarray(cut), (_PATCH_PX, _PATCH_PX), interpolation=cv2.INTER_AREA)
    return bytes(np.round(small).astype(np.uint8).tobytes())


def _told(background: Background) -> str:
    return base64.b64encode(background.to_bytes()).decode()


@functools.cache
def _unseen() -> str:
    """The same of one that saw no picture, as of every stream of vectors, with whose events it is told."""
    return _told(Background())
