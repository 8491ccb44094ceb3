"""Events into scenes, scenes into chapters, chapters into days: what a time was like, as a whole.

A scene is a run of events that belong together: in one place, or, where places are not known, alike. It is cut
where the cosine of the next event with the scene's mean falls below the usual one by more than its deviation (the
event segmentation of working.py, one storey higher), at gaps, and after some minutes. When enough scenes have
come, they are cut where the likeness of the scenes on both sides has the deepest valley (TextTiling, Hearst 1997),
and those before the cut become a chapter. A day is 24 hours of stream time.

Every vector is the mean of its parts by duration, every time the union of theirs. Summaries are bounded: past
their share of the budget the oldest scenes are dropped (their chapter stays), then chapters (their day stays),
then days are joined two by two. They rest on events, not on entries, and outlive them.

Everything depends on the order of a stream's events alone, and is in the database after each of them.

Shapes: D embedding dimension.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

import numpy as np

from hippocam.memory.recall.words import content_words
from hippocam.memory.records import Continuation, Event, id_of
from hippocam.memory.store.database import Store
from hippocam.memory.store.summaries import Kind, Summary
from hippocam.stream.records import FloatArray

# Words of an open scene that are counted, words that are kept of a closed one, characters of each.
_COUNTED, _KEPT, _LETTERS = 32, 8, 24
# Recent events over which the usual likeness is taken.
_USUAL_EVENTS = 64
# A row without its vector, with its place in the index, about.
_ROW_BYTES = 420
# Cosines below the usual one that are never a cut.
_LEAST_DROP = 0.05
# Once there are too many, one in so many more goes, so that this is seldom.
_MARGIN = 32
# A span of no length weighs as much as one of this length.
_LEAST_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryConfig:
    """Where scenes and chapters are cut, and what all summaries may take.

    Attributes:
        gamma: Standard deviations below the usual likeness at which a scene is cut, 0 or more.
        scene_s: A scene of this length ends with its next event, seconds above 0.
        scene_events: Most events of a scene, 1 or more.
        gap_s: A jump in time of more than this, or backwards, ends a scene, seconds above 0.
        chapter_scenes: Scenes that are looked at for a chapter's end, 4 or more.
        chapter_gap_s: A gap of more than this ends a chapter, seconds above 0.
        share: What all summaries may take, 0 to 1 of the memory's budget.
    """

    gamma: float = 1.0
    scene_s: float = 300.0
    scene_events: int = 64
    gap_s: float = 60.0
    chapter_scenes: int = 16
    chapter_gap_s: float = 900.0
    share: float = 0.05

    def __post_init__(self) -> None:
        limits = {
            "gamma": (0, math.inf),
            "scene_s": (1e-3, math.inf),
            "scene_events": (1, 65536),
            "gap_s": (1e-3, math.inf),
            "chapter_scenes": (4, 1024),
            "chapter_gap_s": (1e-3, math.inf),
            "share": (0, 1),
        }
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"summaries.{name} must be {low} to {high}, found {value}")


class Summaries:
    """Keeps the summaries of a memory while events come in.

    Every method writes, inside a transaction of the caller. Where that fails, `reload` must be called.

    Args:
        store: The memory's database, writable.
        dim: Length D of the encoder's vectors.
        budget_bytes: The whole memory's budget.
        config: Where to cut.
    """

    def __init__(self, store: Store, *, dim: int, budget_bytes: int, config: SummaryConfig | None = None) -> None:
        self._config = config or SummaryConfig()
        self._rows = store.summaries
        self._most = int(self._config.share * budget_bytes) // (dim + _ROW_BYTES)
        self.reload()

    def reload(self) -> None:
        """Go on from what the database holds, as after a start."""
        self._open: dict[str, _Scene | None] = {}
        self._count = self._rows.count()

    def add(self, event: Event, number: int) -> None:
        """Take the next event of a stream.

        Args:
            event: The event.
            number: Id of the entry that holds it.
        """
        scene = self._scene(event.stream)
        usual = _Usual()
        if scene is not None:
            likeness = float(scene.mean_D @ event.scene)
            usual = scene.usual
            cut = self._ends(scene, event, likeness)
            usual.add(likeness)
            if cut:
                self._close(scene)
                scene = None
        if scene is None:
            scene = _Scene.of(event, number, usual)
            self._open[event.stream] = scene
            self._count += 1
        else:
            scene.add(event)
        self._rows.put(scene.summary())
        self._thin()

    def extend(self, more: Continuation) -> None:
        """Prolong the scene that a stream is in, whose last event went on unchanged; behind a gap, end it."""
        scene = self._scene(more.stream)
        if scene is None:
            return
        if more.t0_s < scene.last_t0_s or more.t0_s - scene.t1_s > self._config.gap_s:
            self._close(scene)
            scene = scene.again(more)
            self._open[more.stream] = scene
            self._count += 1
        elif more.t1_s > scene.t1_s:
            more_s = more.t1_s - max(more.t0_s, scene.t1_s)
            scene.sum_D *= np.float32(1 + more_s / scene.seconds)
            scene.seconds += more_s
            scene.t1_s = more.t1_s
        self._rows.put(scene.summary())
        self._thin()

    def finish(self, stream: str) -> None:
        """Close what is open of a stream that has come to its end."""
        scene = self._scene(stream)
        if scene is not None:
            self._close(scene)
        self._open.pop(stream, None)
        scenes, chapters = self._rows.roots(stream, Kind.SCENE), self._rows.roots(stream, Kind.CHAPTER)
        if chapters or len(scenes) > 1:
            self._join(Kind.CHAPTER, scenes)
        chapters = self._rows.roots(stream, Kind.CHAPTER)
        if len(chapters) > 1 or self._rows.roots(stream, Kind.DAY):
            for _, of_day in groupby(chapters, key=lambda chapter: _day(chapter.t0_s)):
                self._join(Kind.DAY, list(of_day))
        self._thin()

    def _scene(self, stream: str) -> _Scene | None:
        if stream not in self._open:
            row = self._rows.open_scene(stream)
            self._open[stream] = None if row is None else _Scene.resume(row)
        return self._open[stream]

    def _ends(self, scene: _Scene, event: Event, likeness: float) -> bool:
        config = self._config
        if (
            event.t0_s < scene.last_t0_s
            or event.t0_s - scene.t1_s > config.gap_s
            or scene.t1_s - scene.t0_s >= config.scene_s
            or scene.events >= config.scene_events
            or _day(event.t0_s) != _day(scene.t0_s)
        ):
            return True
        if scene.place and event.place:
            return scene.place != event.place
        return scene.usual.falls(likeness, config.gamma)

    # upwards ----------------------------------------------------------------------------------------------

    def _close(self, scene: _Scene) -> None:
        """Close a scene, and the chapter and the day that end before it or with it."""
        config = self._config
        closed = replace(scene.summary(), words=_most(scene.counts, _KEPT), state=None)
        near = self._rows.near_mean(closed, config.scene_events)
        best = max(near, key=lambda pair: (round(float(pair[1] @ closed.vector_D), 6), -pair[0]), default=None)
        closed = closed if best is None else replace(closed, exemplar=best[0])
        pending = self._rows.roots(scene.stream, Kind.SCENE)
        gap_s = closed.t0_s - pending[-1].t1_s if pending else 0.0
        if pending and (
            _day(pending[-1].t0_s) != _day(closed.t0_s) or not -config.gap_s <= gap_s <= config.chapter_gap_s
        ):
            self._end_chapter(pending)
            pending = []
        self._rows.put(closed)
        pending.append(closed)
        if len(pending) >= config.chapter_scenes:
            self._end_chapter(pending[: deepest_valley([s.vector_D for s in pending])])

    def _end_chapter(self, scenes: Sequence[Summary]) -> None:
        chapters = self._rows.roots(scenes[0].stream, Kind.CHAPTER)
        if chapters and _day(chapters[-1].t0_s) != _day(scenes[0].t0_s):
            self._join(Kind.DAY, chapters)
        self._join(Kind.CHAPTER, scenes)

    def _join(self, kind: Kind, parts: Sequence[Summary]) -> None:
        if parts:
            whole = joined(kind, parts)
            self._rows.put(whole)
            self._rows.adopt(whole.id, [part.id for part in parts])
            self._count += 1

    # bounds -----------------------------------------------------------------------------------------------

    def _thin(self) -> None:
        if self._count <= self._most:
            return
        while self._count > self._most - self._most // _MARGIN:
            gone = self._rows.oldest_parts(Kind.SCENE, 16) or self._rows.oldest_parts(Kind.CHAPTER, 16)
            if not gone:
                gone = self._join_two(Kind.DAY) or self._join_two(Kind.SCENE)
            if not gone and (smallest := self._rows.smallest()) is not None:
                gone = [smallest]
            if not gone:  # only open scenes: one a stream
                return
            self._rows.delete(gone)
            self._count -= len(gone)

    def _join_two(self, least: Kind) -> list[int]:
        """Of one stream, join the two neighbours that are shortest together, the oldest of such.

        Args:
            least: Only days, or anything that is closed and part of nothing.

        Returns:
            What goes for it.
        """
        tops = self._rows.most_tops(least)
        if len(tops) < 2:
            return []
        two = min(pairwise(tops), key=lambda two: round(two[0][1] + two[1][1], 3))
        pair = [part for number, _ in two if (part := self._rows.get(number)) is not None]
        whole = joined(max(part.kind for part in pair), pair)
        gone = [part.id for part in pair if part.id != whole.id]
        self._rows.put(whole)
        self._count += 2 - len(gone) == 0
        return gone


def joined(kind: Kind, parts: Sequence[Summary]) -> Summary:
    """One summary of several of one stream, in order."""
    seconds = np.asarray([part.seconds for part in parts], np.float32)
    mean_D = _unit(seconds @ np.stack([part.vector_D for part in parts]))
    nearest = max(parts, key=lambda part: (round(float(part.vector_D @ mean_D), 6), -part.first_seq))
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(dict(part.words))
    places = {part.place for part in parts}
    first = parts[0]
    return Summary(
        id=summary_id(first.stream, kind, first.first_seq),
        stream=first.stream,
        kind=kind,
        parent=None,
        first_seq=first.first_seq,
        t0_s=min(part.t0_s for part in parts),
        t1_s=max(part.t1_s for part in parts),
        known_s=max(part.known_s for part in parts),
        seconds=sum(part.seconds for part in parts),
        events=sum(part.events for part in parts),
        place=places.pop() if len(places) == 1 else 0,
        exemplar=nearest.exemplar,
        vector_D=mean_D,
        words=_most(counts, _KEPT),
    )


def deepest_valley(vectors: Sequence[FloatArray]) -> int:
    """Where a run of scenes falls into two: how many belong to the first part, a quarter of them at least.

    The likeness across each boundary is the cosine of the sums of up to three scenes on its two sides; its depth,
    how far it lies below the highest likeness before it and after it (Hearst 1997).
    """
    every, n = np.stack(vectors), len(vectors)
    likeness = [
        float(_unit(every[max(0, k - 3) : k].sum(axis=0)) @ _unit(every[k : k + 3].sum(axis=0)))
        for k in range(1, n)
    ]
    depths = [round(max(likeness[: k + 1]) + max(likeness[k:]) - 2 * likeness[k], 6) for k in range(len(likeness))]
    least = max(1, n // 4)
    return max(range(least, n - least + 1), key=lambda k: (depths[k - 1], -k))


def summary_id(stream: str, kind: Kind, first_seq: int) -> int:
    """Identity of a summary: positive, 63 bits."""
    return id_of(f"{stream}\0{kind.name}", first_seq)


class _Usual:
    """Mean and variance of the likeness of a stream's events with their scenes, over about the last 64."""

    def __init__(self, count: float = 0, mean: float = 0, variance: float = 0) -> None:
        self.count, self.mean, self.variance = count, mean, variance

    def add(self, likeness: float) -> None:
        self.count = min(self.count + 1, _USUAL_EVENTS)
        off = likeness - self.mean
        self.mean += off / self.count
        self.variance += (off * (likeness - self.mean) - self.variance) / self.count

    def falls(self, likeness: float, gamma: float) -> bool:
        return self.count > 0 and likeness < self.mean - max(gamma * self.variance**0.5, _LEAST_DROP)


@dataclass(slots=True, kw_only=True)
class _Scene:
    """The scene that a stream is in."""

    stream: str
    first_seq: int
    t0_s: float
    t1_s: float
    known_s: float
    last_t0_s: float
    seconds: float
    events: int
    place: int
    exemplar: int | None
    counts: dict[str, int]
    sum_D: FloatArray
    usual: _Usual

    @classmethod
    def of(cls, event: Event, number: int, usual: _Usual) -> _Scene:
        seconds = max(event.t1_s - event.t0_s, _LEAST_S)
        return cls(
            stream=event.stream,
            first_seq=event.first_seq,
            t0_s=event.t0_s,
            t1_s=event.t1_s,
            known_s=event.known_s,
            last_t0_s=event.t0_s,
            seconds=seconds,
            events=1,
            place=event.place,
            exemplar=number,
            counts=_count({}, event),
            sum_D=event.scene * np.float32(seconds),
            usual=usual,
        )

    def again(self, more: Continuation) -> _Scene:
        """The scene of the same kind that begins behind a gap with what is unchanged."""
        seconds = max(more.t1_s - more.t0_s, _LEAST_S)
        return replace(
            self,
            first_seq=more.last_seq,
            t0_s=more.t0_s,
            t1_s=more.t1_s,
            known_s=more.t0_s,
            last_t0_s=more.t0_s,
            seconds=seconds,
            events=1,
            sum_D=self.mean_D * np.float32(seconds),
        )

    @property
    def mean_D(self) -> FloatArray:
        return _unit(self.sum_D)

    def add(self, event: Event) -> None:
        seconds = max(event.t1_s - event.t0_s, _LEAST_S)
        self.t0_s = min(self.t0_s, event.t0_s)
        self.t1_s = max(self.t1_s, event.t1_s)
        self.known_s = max(self.known_s, event.known_s)
        self.last_t0_s = event.t0_s
        self.seconds += seconds
        self.events += 1
        self.place = self.place or event.place
        self.counts = _count(self.counts, event)
        self.sum_D = self.sum_D + event.scene * np.float32(seconds)

    def summary(self) -> Summary:
        """The row as it is now; its state gives this object back to the last bit."""
        head = np.asarray([self.last_t0_s, self.usual.count, self.usual.mean, self.usual.variance], "<f8")
        return Summary(
            id=summary_id(self.stream, Kind.SCENE, self.first_seq),
            stream=self.stream,
            kind=Kind.SCENE,
            parent=None,
            first_seq=self.first_seq,
            t0_s=self.t0_s,
            t1_s=self.t1_s,
            known_s=self.known_s,
            seconds=self.seconds,
            events=self.events,
            place=self.place,
            exemplar=self.exemplar,
            vector_D=self.mean_D,
            words=tuple(self.counts.items()),
            state=head.tobytes() + self.sum_D.astype("<f4").tobytes(),
        )

    @classmethod
    def resume(cls, row: Summary) -> _Scene:
        assert row.state is not None
        last_t0_s, count, mean, variance = np.frombuffer(row.state[:32], "<f8").tolist()
        return cls(
            stream=row.stream,
            first_seq=row.first_seq,
            t0_s=row.t0_s,
            t1_s=row.t1_s,
            known_s=row.known_s,
            last_t0_s=last_t0_s,
            seconds=row.seconds,
            events=row.events,
            place=row.place,
            exemplar=row.exemplar,
            counts=dict(row.words),
            sum_D=np.frombuffer(row.state[32:], "<f4").astype(np.float32),
            usual=_Usual(count, mean, variance),
        )


def _count(counts: dict[str, int], event: Event) -> dict[str, int]:
    """Counts with an event's labels and words; the most frequent stay."""
    if not event.labels and not event.text:
        return counts
    new = Counter(counts)
    new.update(word[:_LETTERS] for word in dict.fromkeys([*event.labels, *content_words(event.text)]))
    return dict(_most(new, _COUNTED))


def _most(counts: dict[str, int], most: int) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:most])


def _unit(vector: FloatArray) -> FloatArray:
    length = float(np.linalg.norm(vector))
    return (vector / np.float32(max(length, 1e-9))).astype(np.float32)


def _day(time_s: float) -> int:
    return int(time_s // 86400)
