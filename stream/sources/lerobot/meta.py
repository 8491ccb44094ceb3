"""A LeRobot dataset's meta folder (layouts v2.0, v2.1 and v3) into the files and rows of each episode."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from hippocam.stream.errors import SourceError
from hippocam.stream.sources.lerobot.depth import DepthScale, is_depth, scale_of
from hippocam.stream.sources.lerobot.unlisted import unlisted_in

log = logging.getLogger(__name__)

_V2_DATA = "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet"
_V2_TASKS = "meta/tasks.jsonl"
_V2_VIDEO = "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4"
_V3_DATA = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
_V3_VIDEO = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraFile:
    """Where one camera of an episode is.

    Attributes:
        key: The feature's name in the dataset, for example "observation.images.cam_high".
        path: The video, None where the pictures stand in the parquet file itself.
        from_s: Seconds into the video at which the episode begins.
        to_s: Seconds into the video at which it ends and another may begin; infinite where that is not listed.
        depth: How its distances are read, of a depth camera; None where it has pictures.
    """

    key: str
    path: Path | None
    from_s: float = 0.0
    to_s: float = math.inf
    depth: DepthScale | None = None

    @property
    def name(self) -> str:
        """The camera's short name: "cam_high"."""
        return _short(self.key)


def _short(key: str) -> str:
    for prefix in ("observation.images.", "observation."):
        if key.startswith(prefix):
            return key.removeprefix(prefix)
    return key


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One episode of a dataset: its number, length and files.

    Attributes:
        folder: The dataset.
        index: Number of the episode.
        frames: Length in frames as listed, None where it is not.
        fps: The dataset's rate in frames a second.
        data: The parquet file with its rows (and, in v3, those of other episodes).
        cameras: Its cameras that have pictures.
        depths: Its cameras that measure distances.
        absent: Short names of the dataset's cameras of which nothing is listed for this episode.
        tasks: What the robot was told, by task index.
        task: What the robot was told in this episode where rows do not say it.
        features: What the dataset says of each of its columns.
    """

    folder: Path
    index: int
    frames: int | None
    fps: float
    data: Path
    cameras: tuple[CameraFile, ...]
    depths: tuple[CameraFile, ...]
    absent: tuple[str, ...]
    tasks: Mapping[int, str]
    task: str
    features: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The episode as LeRobot names its files: "episode_000010"."""
        return _episode_name(self.index)


def _episode_name(index: int) -> str:
    return f"episode_{index:06d}"


def is_dataset(folder: Path) -> bool:
    """Tell whether a folder is a LeRobot dataset."""
    try:
        return (folder / "meta" / "info.json").is_file()
    except OSError:
        return False


def lacks_meta(folder: Path) -> bool:
    """Tell whether a folder is a LeRobot dataset but for its meta folder's `info.json`: part of a copy."""
    try:
        return any((folder / "data").glob("chunk-*/*.parquet")) and not is_dataset(folder)
    except OSError:
        return False


def read_episodes(folder: Path) -> tuple[list[Episode], list[SourceError]]:
    """List the episodes whose data file is there. The absent ones are told: a part may have been downloaded.

    Returns:
        The episodes, and an error for each whose row cannot be understood, and for data that nothing is listed of;
        the others are listed all the same.

    Raises:
        SourceError: The meta folder cannot be understood, or not one listed episode is there.
    """
    try:
        info = json.loads((folder / "meta" / "info.json").read_text(encoding="utf-8"))
        features = {key: value for key, value in info["features"].items() if isinstance(value, dict)}
        if not _is_rate(info["fps"]):
            raise ValueError(f"its fps must be above 0, found {json.dumps(info['fps'])}")
        version = str(info.get("codebase_version", "v2.1"))
        if version.startswith("v3"):
            listed = list(_episodes_v3(folder, info, features))
        elif version.startswith("v2"):
            listed = list(_episodes_v2(folder, info, features))
        else:
            raise SourceError(
                str(folder),
                f"LeRobot layout {version} is not known (v2.0, v2.1 and v3 are); convert the dataset",
            )
    except (KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        # pyarrow's errors are ValueErrors and OSErrors, json's are ValueErrors.
        problem = f"{type(error).__name__}: {error}".splitlines()[0]
        raise SourceError(
            str(folder), f"its meta folder cannot be understood ({problem}); download the dataset again"
        ) from error
    lost = [
        _short(key)
        for key, feature in features.items()
        if _is_camera(feature) and is_depth(key, feature) and scale_of(feature) is None
    ]
    if lost:
        log.warning(
            "%s: nobody says how far its depths are; what %s measured is not kept", folder, ", ".join(lost)
        )
    failed = [one for one in listed if isinstance(one, SourceError)]
    understood = [one for one in listed if isinstance(one, Episode)]
    there = {episode.data: episode.data.is_file() for episode in understood}
    present = [episode for episode in understood if there[episode.data]]
    if not present and (understood or not failed):
        raise SourceError(
            str(folder),
            f"lists {len(understood)} episodes, but none of their data files is there; "
            "download the data and videos folders too (with git-lfs: git lfs pull)",
        )
    if not failed:  # whose data would be taken for some that are not listed
        numbers = dict[Path, list[int]]()
        for episode in understood:
            numbers.setdefault(episode.data, []).append(episode.index)
        if told := unlisted_in(folder, numbers):
            failed.append(SourceError(str(folder), told))
    gone = [episode for episode in understood if not there[episode.data]]
    if gone:
        log.warning(
            "%s: the data of %d of the %d listed episodes are not there, the first is %s; they are passed over",
            folder,
            len(gone),
            len(understood),
            gone[0].name,
        )
    return present, failed


class _Feature(NamedTuple):
    """A camera among a dataset's features."""

    key: str
    in_video: bool
    depth: DepthScale | None


def _camera_features(features: Mapping[str, Mapping[str, Any]]) -> list[_Feature]:
    """The cameras, but for those whose distances nobody can read."""
    found = []
    for key, feature in features.items():
        measures = is_depth(key, feature)
        depth = scale_of(feature) if measures else None
        pictured = _is_camera(feature) and not measures
        measured = depth is not None and (_is_camera(feature) or _is_grid(feature))
        if pictured or measured:
            found.append(_Feature(key, feature.get("dtype") == "video", depth))
    return found


def _is_camera(feature: Mapping[str, Any]) -> bool:
    return feature.get("dtype") in ("video", "image")


def _is_grid(feature: Mapping[str, Any]) -> bool:
    """Whether a feature is rows of numbers, as an array of distances is."""
    shape = feature.get("shape")
    sides = [side for side in shape if side != 1] if isinstance(shape, Sequence) else []
    return len(sides) == 2 and str(feature.get("dtype")).startswith(("float", "uint", "int"))


def _understood(
    folder: Path, rows: Iterable[Mapping[str, Any]], read: Callable[[Mapping[str, Any]], Episode]
) -> Iterator[Episode | SourceError]:
    """Read the listed episodes one by one: what is wrong with the row of one is no fault of the others."""
    for number, row in enumerate(rows):
        try:
            yield read(row)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
            index = row.get("episode_index")
            name = _episode_name(index) if isinstance(index, int) else f"row {number}"
            problem = f"{type(error).__name__}: {error}".splitlines()[0]
            yield SourceError(
                f"{folder}#{name}", f"its row in the meta folder cannot be understood ({problem}); it is left out"
            )


def _episodes_v2(
    folder: Path, info: Mapping[str, Any], features: Mapping[str, Any]
) -> Iterator[Episode | SourceError]:
    tasks = _tasks(folder, ((row.get("task_index"), row.get("task")) for row in _json_lines(folder / _V2_TASKS)))

    def read(row: Mapping[str, Any]) -> Episode:
        index = int(row["episode_index"])
        place = {"episode_index": index, "episode_chunk": index // int(info.get("chunks_size", 1000))}
        cameras = tuple(
            CameraFile(
                key=key,
                path=folder / str(info.get("video_path") or _V2_VIDEO).format(video_key=key, **place)
                if in_video
                else None,
                depth=depth,
            )
            for key, in_video, depth in _camera_features(features)
        )
        data = folder / str(info.get("data_path") or _V2_DATA).format(**place)
        return _episode(folder, info, row, data, cameras, tasks)

    yield from _understood(folder, _json_lines(folder / "meta" / "episodes.jsonl", needed=True), read)


def _episodes_v3(
    folder: Path, info: Mapping[str, Any], features: Mapping[str, Any]
) -> Iterator[Episode | SourceError]:
    from pyarrow import parquet

    tasks: dict[int, str] = {}
    tasks_file = folder / "meta" / "tasks.parquet"
    if tasks_file.is_file():
        rows = parquet.read_table(tasks_file).to_pylist()
        tasks = _tasks(folder, ((row.get("task_index"), _text_of(row)) for row in rows))
    keys = _camera_features(features)

    def read(row: Mapping[str, Any]) -> Episode:
        data = str(info.get("data_path") or _V3_DATA).format(
            chunk_index=int(row["data/chunk_index"]), file_index=int(row["data/file_index"])
        )
        found = [
            _camera_v3(folder, info, row, key, depth) if in_video else CameraFile(key=key, path=None, depth=depth)
            for key, in_video, depth in keys
        ]
        cameras = tuple(camera for camera in found if camera is not None)
        absent = tuple(_short(key) for (key, _, _), camera in zip(keys, found, strict=True) if camera is None)
        return _episode(folder, info, row, folder / data, cameras, tasks, absent)

    for file in sorted((folder / "meta" / "episodes").glob("chunk-*/file-*.parquet")):
        columns = [name for name in parquet.read_schema(file).names if not name.startswith("stats/")]
        yield from _understood(folder, parquet.read_table(file, columns=columns).to_pylist(), read)


def _text_of(row: Mapping[str, Any]) -> str:
    """The text of a task: pandas' index, whose column has another name in each version."""
    texts = [value for key, value in row.items() if key != "task_index" and isinstance(value, str)]
    return texts[0] if texts else ""


def _tasks(folder: Path, listed: Iterable[tuple[Any, Any]]) -> dict[int, str]:
    """Texts of the tasks by their numbers; what has none is told, and refuses no episode."""
    tasks, wrong = dict[int, str](), 0
    for index, text in listed:
        try:
            tasks[int(index)] = str(text or "")
        except (TypeError, ValueError, OverflowError):
            wrong += 1
    if wrong:
        log.warning("%s: %d of its tasks have no number; they are left out", folder, wrong)
    return tasks


def _camera_v3(
    folder: Path, info: Mapping[str, Any], row: Mapping[str, Any], key: str, depth: DepthScale | None
) -> CameraFile | None:
    """Where a camera of an episode is; None where nothing is listed, as it has none in this episode."""
    chunk, file, from_s, to_s = (
        row.get(f"videos/{key}/{column}")
        for column in ("chunk_index", "file_index", "from_timestamp", "to_timestamp")
    )
    if chunk is None or file is None or from_s is None or not math.isfinite(from_s):
        return None
    path = str(info.get("video_path") or _V3_VIDEO).format(
        video_key=key, chunk_index=int(chunk), file_index=int(file)
    )
    ends_s = math.inf if to_s is None or not to_s > from_s else float(to_s)
    return CameraFile(key=key, path=folder / path, from_s=float(from_s), to_s=ends_s, depth=depth)


def _episode(
    folder: Path,
    info: Mapping[str, Any],
    row: Mapping[str, Any],
    data: Path,
    cameras: tuple[CameraFile, ...],
    tasks: Mapping[int, str],
    absent: tuple[str, ...] = (),
) -> Episode:
    length = row.get("length")
    return Episode(
        folder=folder,
        index=int(row["episode_index"]),
        frames=int(length) if length is not None else None,
        fps=float(info["fps"]),
        data=data,
        cameras=tuple(camera for camera in cameras if camera.depth is None),
        depths=tuple(camera for camera in cameras if camera.depth is not None),
        absent=absent,
        tasks=tasks,
        task=str((row.get("tasks") or [""])[0]),
        features={key: value for key, value in info["features"].items() if isinstance(value, dict)},
    )


def _is_rate(fps: Any) -> bool:
    try:
        return math.isfinite(float(fps)) and float(fps) > 0
    except (TypeError, ValueError):
        return False


def _json_lines(path: Path, *, needed: bool = False) -> Iterator[dict[str, Any]]:
    """Yield what each line says; nothing of one that is no object of JSON, which whoever needs it then misses."""
    if not needed and not path.is_file():
        return
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.strip():
            try:
                row = json.loads(line)
            except ValueError:
                row = None
            yield row if isinstance(row, dict) else {}
