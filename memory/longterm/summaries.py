"""Events into scenes, scenes into chapters, chapters into days: what a time was like, as a whole.

A scene is a run of events that belong together: in one place, or, where places are not known, alike. It is cut
where the cosine of the next event with the scene's mean falls below the usual one by more than its deviation (as
working/working.py cuts events, one level up), at gaps, and after some minutes. When enough scenes have come, they
are cut where the likeness of the scenes on both sides has the deepest valley (TextTiling, Hearst 1997), and those
before the cut become a chapter. A day is 24 hours of stream time.

Every vector is the mean of its parts by duration, every time the union of theirs. Summaries are bounded: past
their share of the budget the oldest scenes are given up (their chapter stays), then chapters (their day stays),
then days are joined two by two. They rest on events, not on entries, and outlive them.

Everything depends on the order of a stream's events alone, and is in the database after each of them.

Shapes: D embedding dimension.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

import numpy as np

from hippocam.memory.codec import rounded
from hippocam.memory.longterm.scene import Scene, Usual, day_of, joined
from hippocam.memory.records import Continuation, Event
from hippocam.memory.store.summaries import Kind, Summary, SummaryTable, Top
from hippocam.stream.records import FloatArray

# Scenes on each side of a boundary whose likeness tells whether a chapter ends there.
_BESIDE = 3
# About how many bytes a row takes without its vector, with its index.
_ROW_BYTES = 420
# Once there are too many, one in this many more is given up, so that it happens seldom.
_MARGIN = 32


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
        rows: The table of summaries, writable.
        dim: Length D of the encoder's vectors.
        budget_bytes: The whole memory's budget.
        config: Where to cut.
        with_commit: Calls a function before the caller's transaction is committed; by default at once.
    """

    def __init__(
        self,
        rows: SummaryTable,
        *,
        dim: int,
        budget_bytes: int,
        config: SummaryConfig | None = None,
        with_commit: Callable[[Callable[[], None]], None] = lambda write: write(),
    ) -> None:
        self._config = config or SummaryConfig()
        self._rows = rows
        self._with_commit = with_commit
        self._most = int(self._config.share * budget_bytes) // (dim + _ROW_BYTES)
        self.reload()

    def reload(self) -> None:
        """Go on from what the database holds, as after a start."""
        self._open: dict[str, Scene | None] = {}
        self._pending: dict[str, list[Summary]] = {}  # closed scenes of the chapter to come, by stream
        self._changed = set[str]()  # streams whose open scene is to be written
        self._count = self._rows.count()

    def add(self, event: Event, entry_id: int) -> None:
        """Take the next event of a stream.

        Args:
            event: The event.
            entry_id: The entry that holds it.
        """
        scene = self._scene(event.stream)
        usual = Usual()
        if scene is not None:
            likeness = float(scene.mean_D @ event.scene)
            usual = scene.usual
            cut = self._ends(scene, event, likeness)
            usual.add(likeness)
            if cut:
                self._close(scene)
                scene = None
        if scene is None:
            scene = Scene.of(event, entry_id, usual)
            self._open[event.stream] = scene
            self._count += 1
        else:
            scene.add(event)
        self._keep(event.stream)

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
            scene.prolong(more.t1_s, more.t1_s - max(more.t0_s, scene.t1_s))
        self._keep(more.stream)

    def finish(self, stream: str) -> None:
        """Close what is open of a stream that has come to its end."""
        scene = self._scene(stream)
        if scene is not None:
            self._close(scene)
        self._open.pop(stream, None)
        self._pending.pop(stream, None)
        scenes, chapters = self._rows.roots(stream, Kind.SCENE), self._rows.roots(stream, Kind.CHAPTER)
        if chapters or len(scenes) > 1:
            self._join(Kind.CHAPTER, scenes)
        chapters = self._rows.roots(stream, Kind.CHAPTER)
        if len(chapters) > 1 or self._rows.roots(stream, Kind.DAY):
            for _, of_day in groupby(chapters, key=lambda chapter: day_of(chapter.t0_s)):
                self._join(Kind.DAY, list(of_day))
        self._keep_to_budget()

    def _keep(self, stream: str) -> None:
        """Write the open scene of a stream with the commit that is to come, and keep to the budget."""
        self._changed.add(stream)
        self._with_commit(self._put_open)
        self._keep_to_budget()

    def _put_open(self) -> None:
        for stream in sorted(self._changed):
            scene = self._open.get(stream)
            if scene is not None:
                self._rows.put(scene.summary())
        self._changed = set()

    def _scene(self, stream: str) -> Scene | None:
        if stream not in self._open:
            row = self._rows.open_scene(stream)
            self._open[stream] = None if row is None else Scene.resume(row)
        return self._open[stream]

    def _ends(self, scene: Scene, event: Event, likeness: float) -> bool:
        """Whether a scene ends before an event that is like it to this degree."""
        config = self._config
        if (
            event.t0_s < scene.last_t0_s
            or event.t0_s - scene.t1_s > config.gap_s
            or scene.t1_s - scene.t0_s >= config.scene_s
            or scene.events >= config.scene_events
            or day_of(event.t0_s) != day_of(scene.t0_s)
        ):
            return True
        if scene.place and event.place:
            return scene.place != event.place
        return scene.usual.falls(likeness, config.gamma)

    # chapters and days -------------------------------------------------------------------------------------

    def _close(self, scene: Scene) -> None:
        """Close a scene, and the chapter and the day that end before it or with it."""
        config = self._config
        closed = scene.closed()
        if scene.events > 1:
            near = self._rows.near_mean(closed, config.scene_events)
            nearest = max(
                near, key=lambda pair: (round(float(pair[1] @ closed.vector_D), 6), -pair[0]), default=None
            )
            closed = closed if nearest is None else replace(closed, exemplar=nearest[0])
        if scene.stream not in self._pending:
            self._pending[scene.stream] = self._rows.roots(scene.stream, Kind.SCENE)
        pending = self._pending[scene.stream]
        gap_s = closed.t0_s - pending[-1].t1_s if pending else 0.0
        if pending and (
            day_of(pending[-1].t0_s) != day_of(closed.t0_s) or not -config.gap_s <= gap_s <= config.chapter_gap_s
        ):
            self._end_chapter(pending)
            pending = []
        self._rows.put(closed)
        every = [*pending, closed]
        # as it would be read again
        self._pending[scene.stream] = [*pending, replace(closed, vector_D=rounded(closed.vector_D))]
        if len(every) >= config.chapter_scenes:
            length = deepest_valley([each.vector_D for each in every])
            self._end_chapter(every[:length])
            self._pending[scene.stream] = self._pending[scene.stream][length:]

    def _end_chapter(self, scenes: Sequence[Summary]) -> None:
        stream = scenes[0].stream
        latest = self._rows.latest_root(stream, Kind.CHAPTER)
        if latest is not None and day_of(latest.t0_s) != day_of(scenes[0].t0_s):
            self._join(Kind.DAY, self._rows.roots(stream, Kind.CHAPTER))
        self._join(Kind.CHAPTER, scenes)

    def _join(self, kind: Kind, parts: Sequence[Summary]) -> None:
        if parts:
            whole = joined(kind, parts)
            self._rows.put(whole)
            self._rows.adopt(whole.id, [part.id for part in parts])
            self._count += 1

    # the budget --------------------------------------------------------------------------------------------

    def _keep_to_budget(self) -> None:
        """Give up summaries where there are too many: the oldest parts first, then whole times are joined."""
        if self._count <= self._most:
            return
        tops: dict[str, list[Top]] | None = None
        while self._count > self._most - self._most // _MARGIN:
            least = list[int]()
            if tops is None:
                least = self._rows.oldest_parts(Kind.SCENE, 16) or self._rows.oldest_parts(Kind.CHAPTER, 16)
            if not least:
                self._pending = {}  # they may be among those that go
                tops = self._rows.closed_tops() if tops is None else tops  # joining leaves no parts
                least = self._join_two(tops, Kind.DAY) or self._join_two(tops, Kind.SCENE)
            if not least and (smallest := self._rows.smallest()) is not None:
                least = [smallest]
            if not least:  # only open scenes: one a stream
                return
            self._rows.delete(least)
            self._count -= len(least)

    def _join_two(self, tops: dict[str, list[Top]], least: Kind) -> list[int]:
        """Join two neighbours of the stream that has the most: the two shortest together; of equals, the oldest.

        Args:
            tops: What is closed and part of nothing, which is brought up to date.
            least: The lowest kind that counts.

        Returns:
            Ids of the summaries that can be deleted for it.
        """
        counting = {stream: [top for top in every if top.kind >= least] for stream, every in tops.items()}
        stream = min(counting, key=lambda stream: (-len(counting[stream]), stream), default="")
        two = min(
            pairwise(counting.get(stream, [])),
            key=lambda two: round(two[0].seconds + two[1].seconds, 3),
            default=None,
        )
        if two is None:
            return []
        pair = [part for top in two if (part := self._rows.get(top.id)) is not None]
        whole = joined(max(part.kind for part in pair), pair)
        replaced = [part.id for part in pair if part.id != whole.id]
        self._rows.put(whole)
        self._count += 2 - len(replaced) == 0
        at = tops[stream].index(two[0])
        tops[stream][at] = Top(whole.id, whole.kind, whole.seconds)
        tops[stream].remove(two[1])
        return replaced


def deepest_valley(vectors: Sequence[FloatArray]) -> int:
    """Find where a run of scenes falls in two: how many belong to the first part, a quarter of them at least.

    The likeness across each boundary is the cosine of the sums of up to three scenes on its two sides; its depth,
    how far it lies below the highest likeness before it and after it (Hearst 1997).
    """
    n, dim = len(vectors), len(vectors[0])
    nothing = np.zeros((_BESIDE, dim), np.float32)
    padded = np.concatenate([nothing, np.stack(vectors), nothing])
    before = np.add.reduce([padded[k + 1 : k + n] for k in range(_BESIDE)])
    after = np.add.reduce([padded[_BESIDE + k + 1 : _BESIDE + k + n] for k in range(_BESIDE)])
    sizes = np.sqrt(np.square(before).sum(axis=1) * np.square(after).sum(axis=1))
    likeness = ((before * after).sum(axis=1) / np.maximum(sizes, 1e-18)).tolist()
    depths = [round(max(likeness[: k + 1]) + max(likeness[k:]) - 2 * likeness[k], 6) for k in range(len(likeness))]
    least = max(1, n // 4)
    return max(range(least, n - least + 1), key=lambda k: (depths[k - 1], -k))
