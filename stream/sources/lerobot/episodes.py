"""One episode of a LeRobot dataset into observations: all its cameras, state, action, pose and task."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hippocam.stream.errors import SourceError
from hippocam.stream.protocols import Hearing
from hippocam.stream.records import NO_SENSORS, FloatArray, Image, Note, Observation, Sensors, Stretch
from hippocam.stream.sources.decode.frames import read_seqs
from hippocam.stream.sources.decode.packet_index import build_index
from hippocam.stream.sources.decode.tracks import told_cameras
from hippocam.stream.sources.images import decode_image
from hippocam.stream.sources.lerobot.meta import CameraFile, Episode, read_episodes
from hippocam.stream.sources.lerobot.words import EVENTS, PERSISTENT, language_notes, name_notes, names_of
from hippocam.stream.sources.sampling import pick_indices
from hippocam.stream.sources.video import LONGEST_PX, told_end

log = logging.getLogger(__name__)

# So many steps of the dataset's rate may lie between a row and the frame that is shown for it.
_NEAR_FRAMES = 0.75
# A camera whose frames are so many of these steps apart is a slow one: a row may be a whole step of its own away.
# An episode's first frame may come so many before the time that is listed for it.
_SLOW, _EDGE_FRAMES = 1.5, 0.25
_STATE = ("observation.state", "state")
_ACTION = ("action", "actions")
_POSE = ("observation.pose", "pose", "observation.ee_pose")


def find_episodes(folder: Path, *, name: str) -> tuple[list[LeRobotSource], list[SourceError]]:
    """Return a source for each episode that is there, named `<name>/episode_000010`, and an error for others.

    Raises:
        SourceError: The dataset cannot be understood, or none of its listed episodes is there.
    """
    episodes, failed = read_episodes(folder)
    return [LeRobotSource(episode, id=f"{name}/{episode.name}") for episode in episodes], failed


class LeRobotSource:
    """One episode. Each observation carries all cameras of its instant, by short name ("cam_high").

    Times are the dataset's own timestamps; each camera shows its video frame nearest to that time.
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

    @property
    def keyframes_only(self) -> bool:
        """No: there are no key frames among an episode's rows."""
        return False

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
            rows = _Rows(self._episode, self.uri)
        except SourceError:
            return  # observations() tells why
        yield from name_notes(stream, cameras, *rows.names())
        yield from language_notes(stream, cameras, rows.times_N.tolist(), rows.language)

    def segments(self, segment_s: float) -> int:
        """Return 1: it can only be read whole."""
        return 1

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
                missing: rows without a time or a picture, counted by camera, and cameras that could not be read
                to their end or of which nothing is listed.
        """
        rows = _Rows(self._episode, self.uri)
        picks = rows.timed_R[pick_indices(rows.times_N[rows.timed_R], fps)]
        picks = picks[picks > after_seq]
        if not len(picks):
            if rows.faults and after_seq < 0:
                raise SourceError(self.uri, "; ".join(rows.faults))
            return
        cameras = [self._open(camera, rows, picks) for camera in self._episode.cameras]
        failures = dict.fromkeys(self._episode.absent, "nothing is listed of it in this episode")
        if failures and not cameras:
            raise SourceError(self.uri, f"not one of its cameras can be read ({_told(failures)})")
        for seq in map(int, picks):
            images: dict[str, Image] = {}
            for camera in cameras:
                try:
                    image = camera.image(seq)
                except SourceError as error:
                    failures[camera.name] = error.reason
                    continue
                if image is not None:
                    images[camera.name] = image
            if seq == picks[0] and all(camera.name in failures for camera in cameras) and failures:
                raise SourceError(self.uri, f"not one of its cameras can be read ({_told(failures)})")
            yield Observation(
                seq=seq,
                time_s=float(rows.times_N[seq]),
                images=images,
                sensors=rows.sensors(seq),
                text=rows.text(seq),
            )
        faults = list(rows.faults)
        for camera in cameras:
            if camera.missing:
                lost = f"no picture in {len(camera.missing)} of {len(rows.timed_R)} rows, the first is row "
                lost += f"{camera.missing[0]} at {rows.times_N[camera.missing[0]]:.1f} s"
                failures[camera.name] = "; ".join(filter(None, (failures.get(camera.name), lost)))
        if failures:
            faults.append(told_cameras(failures))
        if faults:
            raise SourceError(self.uri, f"{'; '.join(faults)}; all others were kept")

    def _open(self, camera: CameraFile, rows: _Rows, picks: NDArray[np.int64]) -> _Cursor:
        plan = _Plan()
        if camera.path is None:
            plan.wanted.update((int(seq), int(seq)) for seq in picks)
            return _Cursor(camera.name, plan, rows.images(camera.key, self._longest_px))
        return _Cursor(camera.name, plan, self._video(camera, rows, picks, plan))

    def _video(
        self, camera: CameraFile, rows: _Rows, picks: NDArray[np.int64], plan: _Plan
    ) -> Iterator[tuple[int, Image]]:
        """Yield the video frames nearest to the picked rows; fill in the plan."""
        assert camera.path is not None
        uri = str(camera.path)
        index = build_index(camera.path, uri)
        nearest, near = _nearest(np.sort(index.times_s), rows.times_N[rows.timed_R], camera, self._episode.fps)
        plan.missing += rows.timed_R[~near].tolist()
        picked = near & np.isin(rows.timed_R, picks)
        plan.wanted.update(zip(rows.timed_R[picked].tolist(), nearest[picked].tolist(), strict=True))
        yield from read_seqs(
            camera.path,
            uri,
            index,
            sorted(set(plan.wanted.values())),
            longest=self._longest_px,
            threads=self._threads,
        )
        if index.cut and plan.wanted.keys() < set(picks.tolist()):
            raise SourceError(uri, f"its video is truncated, read up to {told_end(index)}")


def _nearest(
    times_s: NDArray[np.float64], rows_R: NDArray[np.float64], camera: CameraFile, fps: float
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The frame of a video nearest to each row, and whether it is near: what is not shows nothing of the row.

    A camera may be slower than the rows: then several of them show one frame, and never one of the next episode,
    which is as near as its own at the end.

    Args:
        times_s: Of the video's frames, rising.
        rows_R: Times of the rows in the episode, rising.
        camera: Where the episode lies in the video.
        fps: Rows a second.
    """
    step_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.0
    begin, end, near_s = 0, len(times_s), _NEAR_FRAMES / fps
    if step_s > _SLOW / fps:
        ends_s = min(camera.to_s, camera.from_s + float(rows_R[-1]) + 1 / fps)
        begin, end = np.searchsorted(times_s, np.array([camera.from_s, ends_s]) - _EDGE_FRAMES / fps).tolist()
        begin, end, near_s = min(begin, len(times_s) - 1), max(end, begin + 1), step_s
    targets = rows_R + camera.from_s
    right = np.clip(np.searchsorted(times_s, targets), begin + 1, max(end - 1, begin + 1))
    left = right - 1
    right = np.minimum(right, end - 1)
    nearest = np.where(targets - times_s[left] <= times_s[right] - targets, left, right)
    near = np.abs(times_s[nearest] - targets) <= near_s
    return nearest, near & (
        times_s[nearest] < camera.to_s + _NEAR_FRAMES / fps
    )  # nor one behind the episode's end


@dataclass(slots=True)
class _Plan:
    """Which frame each picked row wants of a camera, and which rows it has no picture of; filled in when read."""

    wanted: dict[int, int] = field(default_factory=dict)
    missing: list[int] = field(default_factory=list)


class _Cursor:
    """The pictures of one camera, walked through beside the rows."""

    def __init__(self, name: str, plan: _Plan, frames: Iterator[tuple[int, Image]]) -> None:
        """Take the camera's name, its plan, which reading the first frame fills in, and the frames in order."""
        self.name = name
        self._plan = plan
        self._frames = frames
        self._at = -1
        self._image: Image | None = None

    @property
    def missing(self) -> list[int]:
        """Rows without a picture of this camera, ascending."""
        return sorted(self._plan.missing)

    def image(self, row: int) -> Image | None:
        """Return the picture of a row, None where the camera has none then; rows are asked for in order.

        Raises:
            SourceError: The camera cannot be read (further).
        """
        if self._at < 0:
            self._step()  # fills in what is wanted
        frame = self._plan.wanted.get(row)
        while frame is not None and self._at < frame:
            self._step()
        if frame is None:
            return None
        if self._at != frame:
            self._plan.missing.append(row)
            return None
        return self._image

    def _step(self) -> None:
        self._at, self._image = next(self._frames, (2**62, None))


def counted_on(times_N: NDArray[np.float64], step_s: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return times that never go back, and where they did: there they go on one step behind the time before."""
    back = np.flatnonzero(np.diff(times_N) < 0) + 1
    shifts = np.zeros(len(times_N))
    shifts[back] = times_N[back - 1] + step_s - times_N[back]
    return (times_N + np.cumsum(shifts)).round(6), back


def strays(times_N: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the rows whose time goes back while that of the next row goes on: a glitch, and no new beginning."""
    before, at, after = times_N[:-2], times_N[1:-1], times_N[2:]
    return np.flatnonzero((at < before) & (after > before)) + 1


class _Rows:
    """The parquet rows of one episode: small columns at once, pictures in batches.

    Attributes:
        times_N: float64 [N], the time of each row in seconds, rising; not finite where a row has none.
        timed_R: int64 [R], rows that have a time.
        faults: What is wrong with the times, in words.
    """

    def __init__(self, episode: Episode, uri: str) -> None:
        from pyarrow import compute, parquet

        self._episode = episode
        self._uri = uri
        try:
            names = set(parquet.read_schema(episode.data).names)
            self._state, self._action, self._pose = (
                next((key for key in keys if key in names), None) for keys in (_STATE, _ACTION, _POSE)
            )
            keys = ("timestamp", "task_index", self._state, self._action, self._pose, PERSISTENT, EVENTS)
            table = parquet.read_table(
                episode.data,
                columns=[key for key in keys if key in names],
                filters=compute.field("episode_index") == episode.index if "episode_index" in names else None,
            )
        except (OSError, ValueError) as error:
            problem = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise SourceError(
                uri, f"its data file {episode.data.name} cannot be read ({problem}); download it again"
            ) from error
        if not table.num_rows:
            raise SourceError(uri, f"no row of it in {episode.data.name}; download the dataset again")
        self._columns: dict[str, list[Any]] = {key: table.column(key).to_pylist() for key in table.column_names}
        stamps = self._columns.get("timestamp")
        # Microseconds: the dataset has float32, whose noise is of no use to a reader.
        times_N = (
            np.array(stamps, dtype=np.float64).reshape(table.num_rows).round(6)
            if stamps is not None
            else np.arange(table.num_rows, dtype=np.float64) / episode.fps
        )
        self.faults: list[str] = []
        self.timed_R = np.flatnonzero(np.isfinite(times_N))
        untimed = np.flatnonzero(~np.isfinite(times_N))
        if len(untimed):
            self.faults.append(
                f"{len(untimed)} of {len(times_N)} rows have no time, the first is row {untimed[0]}"
            )
        stray = self.timed_R[strays(times_N[self.timed_R])]
        if len(stray):
            self.faults.append(
                f"{len(stray)} of {len(times_N)} rows have the time of an earlier one, the first is row {stray[0]}"
            )
            self.timed_R = np.setdiff1d(self.timed_R, stray)
            times_N[stray] = np.nan
        self.times_N: NDArray[np.float64] = times_N
        times_N[self.timed_R], back = counted_on(times_N[self.timed_R], 1.0 / episode.fps)
        if len(back):
            first = int(self.timed_R[back[0]])
            self.faults.append(
                f"time goes back in its rows, first at row {first} of {len(times_N)}; it was counted on from there"
            )

    def sensors(self, row: int) -> Sensors:
        """State, action and pose of a row."""
        state, action = self._vector(self._state, row), self._vector(self._action, row)
        pose = self._vector(self._pose, row)
        if pose is not None and pose.shape != (7,):
            pose = None
        return NO_SENSORS if state is action is pose is None else Sensors(state=state, action=action, pose=pose)

    def names(self) -> tuple[list[str], list[str]]:
        """What the numbers of the state are called, and those of the action; none where nobody told."""
        state, action = (
            [] if key is None else names_of(self._episode.features.get(key)) for key in (self._state, self._action)
        )
        return state, action

    @property
    def language(self) -> dict[str, list[Any]]:
        """The language columns, a value for each row."""
        return {key: self._columns[key] for key in (PERSISTENT, EVENTS) if key in self._columns}

    def text(self, row: int) -> str:
        """What the robot was told at a row."""
        tasks = self._columns.get("task_index")
        if tasks is None or tasks[row] is None:
            return self._episode.task
        return self._episode.tasks.get(int(np.ravel(tasks[row])[0]), self._episode.task)

    def _vector(self, key: str | None, row: int) -> FloatArray | None:
        if key is None:
            return None
        value = self._columns[key][row]
        return None if value is None else np.ravel(np.array(value, dtype=np.float32))

    def images(self, key: str, longest: int) -> Iterator[tuple[int, Image]]:
        """Yield (row, picture) of a camera whose pictures stand in the parquet file; not broken ones."""
        from pyarrow import parquet

        row = -1
        with parquet.ParquetFile(self._episode.data) as file:
            columns = [key, "episode_index"] if "episode_index" in file.schema_arrow.names else [key]
            if key not in file.schema_arrow.names:
                raise SourceError(self._uri, f"{self._episode.data.name} has no column {key}")
            for batch in file.iter_batches(batch_size=16, columns=columns):
                for entry in batch.to_pylist():
                    if entry.get("episode_index", self._episode.index) != self._episode.index:
                        continue
                    row += 1
                    image = decode_image(self._bytes(entry[key]), longest)
                    if image is not None:
                        yield row, image

    def _bytes(self, value: Any) -> bytes:
        if isinstance(value, Mapping):
            if value.get("bytes"):
                return bytes(value["bytes"])
            path = self._episode.folder / str(value.get("path") or "")
            return path.read_bytes() if path.is_file() else b""
        return bytes(value or b"")


def _told(failures: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {reason}" for name, reason in failures.items())
