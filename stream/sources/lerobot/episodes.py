"""One episode of a LeRobot dataset into observations: all its cameras, state, action, pose, depth and task."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import merge
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from hippocam.stream.errors import SourceError
from hippocam.stream.protocols import Hearing
from hippocam.stream.records import FloatArray, Note, Observation, Stretch
from hippocam.stream.robot.dimensions import FIELDS, distances_of
from hippocam.stream.sources.decode.tracks import by_reason, told_cameras
from hippocam.stream.sources.lerobot.cameras import Cameras, Cursor
from hippocam.stream.sources.lerobot.meta import Episode, read_episodes
from hippocam.stream.sources.lerobot.rows import EpisodeRows
from hippocam.stream.sources.lerobot.words import language_notes, name_notes, task_notes
from hippocam.stream.sources.sampling import pick_indices
from hippocam.stream.sources.video import LONGEST_PX
from hippocam.stream.sources.whole import WholeSource

# Why an event begins where the task is another one.
_MARK = "another task"
_NOTHING_MEASURED: FloatArray = np.zeros(len(FIELDS), np.float32)
T = TypeVar("T")


def find_episodes(folder: Path, *, name: str) -> tuple[list[LeRobotSource], list[SourceError]]:
    """Return a source for each episode that is there, named `<name>/episode_000010`, and an error for others.

    Raises:
        SourceError: The dataset cannot be understood, or none of its listed episodes is there.
    """
    episodes, failed = read_episodes(folder)
    return [LeRobotSource(episode, id=f"{name}/{episode.name}") for episode in episodes], failed


class LeRobotSource(WholeSource):
    """One episode. Each observation carries all cameras of its instant, by short name ("cam_high").

    Times are the dataset's own timestamps; each camera shows its video frame nearest to that time. An event begins
    wherever the task is another than before. What depth cameras measured stands behind the state.
    """

    def __init__(self, episode: Episode, *, id: str, longest_px: int = LONGEST_PX, threads: int = 1) -> None:
        """Name an episode.

        Args:
            episode: Where its files are.
            id: Name of the source.
            longest_px: Pictures are scaled down until their longer side has at most this many pixels.
            threads: Decoding threads for each camera, 0 for one per core.
        """
        self._episode = episode
        self._id = id
        self._longest_px = longest_px
        self._threads = threads

    @property
    def id(self) -> str:
        """Name of the source, `<dataset>/episode_000010`."""
        return self._id

    @property
    def uri(self) -> str:
        """The dataset's folder and the episode's name."""
        return f"{self._episode.folder}#{self._episode.name}"

    @property
    def duration_s(self) -> float | None:
        """Length in seconds as listed in the dataset, None where it is not."""
        return None if self._episode.frames is None else self._episode.frames / self._episode.fps

    def __repr__(self) -> str:
        return f"LeRobotSource({self.uri!r}, id={self._id!r})"

    def notes(
        self, stream: str, *, hearing: Hearing | None, stretch: Stretch | None = None, after_s: float | None = None
    ) -> Iterator[tuple[float, Note]]:
        """Yield what its numbers are called, and what its language columns say; it has no sound.

        Args:
            stream: Name of the episode.
            hearing: Ignored.
            stretch: Ignored: there is only one segment.
            after_s: Ignored: little is said.
        """
        cameras = [camera.name for camera in self._episode.cameras if camera.path is None or camera.path.is_file()]
        if not cameras:
            return
        try:
            rows = EpisodeRows(self._episode, self.uri)
        except SourceError:
            return  # observations() tells why
        times_s = rows.times_N.tolist()
        yield from name_notes(stream, cameras, *rows.names(self._distances))
        yield from merge(
            task_notes(stream, cameras, times_s, [rows.text(row) for row in range(len(times_s))]),
            language_notes(stream, cameras, times_s, rows.language),
            key=itemgetter(0),
        )

    def observations(
        self, *, fps: float | None, after_seq: int = -1, stretch: Stretch | None = None
    ) -> Iterator[Observation]:
        """Yield instants of the episode; seq is the row's rank within the episode.

        Rows without a time are left out. Where times begin again they are counted on.

        Args:
            fps: Observations a second, above 0; None gives every row.
            after_seq: Only those with a greater seq.
            stretch: Ignored: there is only one segment.

        Raises:
            ValueError: fps is not a positive number.
            SourceError: The rows or all cameras cannot be read; or, after all others were yielded, what is
                missing: rows without a time or a picture, counted by camera, states, actions and poses that are
                not finite, and cameras that could not be read to their end or of which nothing is listed.
        """
        rows = EpisodeRows(self._episode, self.uri)
        picks = rows.timed_R[pick_indices(rows.times_N[rows.timed_R], fps)]
        earlier, picks = picks[picks <= after_seq], picks[picks > after_seq]
        if not len(picks):
            if rows.faults and after_seq < 0:
                raise SourceError(self.uri, "; ".join(rows.faults))
            return
        opened = Cameras(self._episode, rows, picks, longest_px=self._longest_px, threads=self._threads)
        cameras = [opened.pictures(camera) for camera in self._episode.cameras]
        depths = [opened.distances(camera) for camera in self._episode.depths]
        task = rows.text(int(earlier[-1] if len(earlier) else picks[0]))
        failures = dict.fromkeys(self._episode.absent, "nothing is listed of it in this episode")
        if failures and not cameras:
            raise SourceError(self.uri, f"not one of its cameras can be read ({by_reason(failures)})")
        for seq in map(int, picks):
            images = {name: image for name, image in _at(cameras, seq, failures).items() if image is not None}
            measured = _at(depths, seq, failures).values()
            if seq == picks[0] and all(camera.name in failures for camera in cameras) and failures:
                raise SourceError(self.uri, f"not one of its cameras can be read ({by_reason(failures)})")
            before, task = task, rows.text(seq)
            yield Observation(
                seq=seq,
                time_s=float(rows.times_N[seq]),
                images=images,
                sensors=rows.sensors(seq, [_NOTHING_MEASURED if far is None else far for far in measured]),
                text=task,
                mark=_MARK if task != before else "",
            )
        faults = [*rows.faults, *rows.unknown]
        every: list[Cursor[Any]] = [*cameras, *depths]
        for camera in every:
            if camera.missing:
                lost = f"no picture in {len(camera.missing)} of {len(rows.timed_R)} rows, the first is row "
                lost += f"{camera.missing[0]} at {rows.times_N[camera.missing[0]]:.1f} s"
                failures[camera.name] = "; ".join(filter(None, (failures.get(camera.name), lost)))
        if failures:
            faults.append(told_cameras(failures))
        if faults:
            raise SourceError(self.uri, f"{'; '.join(faults)}; all others were kept")

    @property
    def _distances(self) -> list[str]:
        """What the numbers behind the state are called."""
        return [name for camera in self._episode.depths for name in distances_of(camera.name)]


def _at(cameras: Sequence[Cursor[T]], row: int, failures: dict[str, str]) -> dict[str, T | None]:
    """What some cameras show of a row, by their names; one that cannot be read is added to the failures."""
    shown: dict[str, T | None] = {}
    for camera in cameras:
        shown[camera.name] = None
        try:
            shown[camera.name] = camera.at(row)
        except SourceError as error:
            failures[camera.name] = error.reason
    return shown
