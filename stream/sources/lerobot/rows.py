"""The parquet rows of a LeRobot episode: times, state, action, pose, task, and pictures that stand in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hippocam.stream.errors import SourceError
from hippocam.stream.records import NO_SENSORS, FloatArray, Sensors, known
from hippocam.stream.sources.lerobot.meta import Episode
from hippocam.stream.sources.lerobot.words import EVENTS, PERSISTENT, names_of

_STATE = ("observation.state", "state")
_ACTION = ("action", "actions")
_POSE = ("observation.pose", "pose", "observation.ee_pose")


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


class EpisodeRows:
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
        self._unknown: dict[tuple[str, str], list[int]] = {}  # by column and what is wrong with it
        self._sizes: dict[str, int] = {}  # how many numbers a row of a column has
        if episode.frames is not None and table.num_rows < episode.frames:
            self.faults.append(f"{episode.frames} rows are listed, and {table.num_rows} are there")
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

    def sensors(self, row: int, measured: Sequence[FloatArray] = ()) -> Sensors:
        """State, action and pose of a row, those that are known; behind the state what depth cameras measured."""
        state, action = self._vector(self._state, row), self._vector(self._action, row)
        if measured and (state is not None or self._state is None):
            state = np.concatenate([*(() if state is None else (state,)), *measured])
        pose = self._vector(self._pose, row)
        if pose is not None and pose.shape != (7,):
            pose = None
        return NO_SENSORS if state is action is pose is None else Sensors(state=state, action=action, pose=pose)

    @property
    def unknown(self) -> list[str]:
        """What was not known of the rows whose sensors were asked for, and why: in words."""
        return [
            f"{key} has {wrong} in {len(rows)} rows, the first is row {rows[0]}"
            for (key, wrong), rows in self._unknown.items()
        ]

    def names(self, distances: Sequence[str] = ()) -> tuple[list[str], list[str]]:
        """What the numbers of the state are called, and those of the action; none where nobody told.

        Args:
            distances: What those of depth cameras are called, behind the state's.
        """
        state, action = (
            [] if key is None else names_of(self._episode.features.get(key)) for key in (self._state, self._action)
        )
        if distances and not state and self._state is not None:
            size = next((len(np.ravel(value)) for value in self._columns[self._state] if value is not None), 0)
            state = [f"number {k}" for k in range(size)]
        return [*state, *distances], action

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
        """The numbers of a column at a row; None, and noted, where they are not what the column has."""
        if key is None:
            return None
        value = self._columns[key][row]
        numbers: FloatArray = np.ravel(np.array([] if value is None else value, dtype=np.float32))
        if value is None:
            wrong = "nothing"
        elif known(numbers) is None:
            wrong = "numbers that are not finite"
        elif len(numbers) != self._sizes.setdefault(key, len(numbers)):
            wrong = "another count of numbers"
        else:
            return numbers
        self._unknown.setdefault((key, wrong), []).append(row)
        return None

    def values(self, key: str) -> Iterator[tuple[int, Any]]:
        """Yield (row, value) of a column that is too large to be held: a picture's bytes, or rows of numbers.

        Raises:
            SourceError: There is no such column.
        """
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
                    value = entry[key]
                    yield row, value if isinstance(value, list) else self._bytes(value)

    def _bytes(self, value: Any) -> bytes:
        if isinstance(value, Mapping):
            if value.get("bytes"):
                return bytes(value["bytes"])
            path = self._episode.folder / str(value.get("path") or "")
            return path.read_bytes() if path.is_file() else b""
        return bytes(value or b"")
