"""A LeRobot dataset's meta folder (layouts v2.0, v2.1 and v3) into the files and rows of each episode."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hippocam.stream.errors import SourceError

log = logging.getLogger(__name__)

_V2_DATA = "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet"
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
    """

    key: str
    path: Path | None
    from_s: float = 0.0

    @property
    def name(self) -> str:
        """The camera's short name: "cam_high"."""
        for prefix in ("observation.images.", "observation."):
            if self.key.startswith(prefix):
                return self.key.removeprefix(prefix)
        return self.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One episode of a dataset: its number, length and files.

    Attributes:
        folder: The dataset.
        index: Number of the episode.
        frames: Length in frames as listed, None where it is not.
        fps: The dataset's rate in frames a second.
        data: The parquet file with its rows (and, in v3, those of other episodes).
        cameras: Its cameras.
        tasks: What the robot was told, by task index.
        task: What the robot was told in this episode where rows do not say it.
    """

    folder: Path
    index: int
    frames: int | None
    fps: float
    data: Path
    cameras: tuple[CameraFile, ...]
    tasks: Mapping[int, str]
    task: str

    @property
    def name(self) -> str:
        """The episode as LeRobot names its files: "episode_000010"."""
        return f"episode_{self.index:06d}"


def is_dataset(folder: Path) -> bool:
    """Tell whether a folder is a LeRobot dataset."""
    try:
        return (folder / "meta" / "info.json").is_file()
    except OSError:
        return False


def read_episodes(folder: Path) -> list[Episode]:
    """List the episodes whose data file is there. The absent ones are counted in the log.

    Raises:
        SourceError: The meta folder cannot be understood, or not one listed episode is there.
    """
    try:
        info = json.loads((folder / "meta" / "info.json").read_text(encoding="utf-8"))
        features = {key: value for key, value in info["features"].items() if isinstance(value, dict)}
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
    present = [episode for episode in listed if episode.data.is_file()]
    if not present:
        raise SourceError(
            str(folder),
            f"lists {len(listed)} episodes, but none of their data files is there; "
            "download the data and videos folders too (with git-lfs: git lfs pull)",
        )
    if len(present) < len(listed):
        log.info("%s: %d of the %d listed episodes are there", folder, len(present), len(listed))
    return present


def _camera_keys(features: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, bool]]:
    """Return (feature, has a video file) of the cameras; depth maps are not pictures."""
    keys = []
    for key, feature in features.items():
        info = feature.get("info") or feature.get("video_info") or {}
        if feature.get("dtype") in ("video", "image") and not info.get("video.is_depth_map"):
            keys.append((key, feature["dtype"] == "video"))
    return keys


def _episodes_v2(folder: Path, info: Mapping[str, Any], features: Mapping[str, Any]) -> Iterator[Episode]:
    tasks = {int(row["task_index"]): str(row["task"]) for row in _json_lines(folder / "meta" / "tasks.jsonl")}
    for row in _json_lines(folder / "meta" / "episodes.jsonl", needed=True):
        index = int(row["episode_index"])
        place = {"episode_index": index, "episode_chunk": index // int(info.get("chunks_size", 1000))}
        cameras = tuple(
            CameraFile(
                key=key,
                path=folder / str(info.get("video_path") or _V2_VIDEO).format(video_key=key, **place)
                if in_video
                else None,
            )
            for key, in_video in _camera_keys(features)
        )
        yield _episode(
            folder, info, row, folder / str(info.get("data_path") or _V2_DATA).format(**place), cameras, tasks
        )


def _episodes_v3(folder: Path, info: Mapping[str, Any], features: Mapping[str, Any]) -> Iterator[Episode]:
    from pyarrow import parquet

    tasks: dict[int, str] = {}
    tasks_file = folder / "meta" / "tasks.parquet"
    if tasks_file.is_file():
        for row in parquet.read_table(tasks_file).to_pylist():
            # The text is pandas' index there, whose column name differs between versions.
            texts = [value for key, value in row.items() if key != "task_index" and isinstance(value, str)]
            tasks[int(row["task_index"])] = texts[0] if texts else ""
    cameras = _camera_keys(features)
    for file in sorted((folder / "meta" / "episodes").glob("chunk-*/file-*.parquet")):
        columns = [name for name in parquet.read_schema(file).names if not name.startswith("stats/")]
        for row in parquet.read_table(file, columns=columns).to_pylist():
            data = str(info.get("data_path") or _V3_DATA).format(
                chunk_index=row["data/chunk_index"], file_index=row["data/file_index"]
            )
            yield _episode(
                folder,
                info,
                row,
                folder / data,
                tuple(_camera_v3(folder, info, row, key) if in_video else CameraFile(key=key, path=None)
                      for key, in_video in cameras),
                tasks,
            )  # fmt: skip


def _camera_v3(folder: Path, info: Mapping[str, Any], row: Mapping[str, Any], key: str) -> CameraFile:
    path = str(info.get("video_path") or _V3_VIDEO).format(
        video_key=key,
        chunk_index=row[f"videos/{key}/chunk_index"],
        file_index=row[f"videos/{key}/file_index"],
    )
    return CameraFile(key=key, path=folder / path, from_s=float(row[f"videos/{key}/from_timestamp"]))


def _episode(
    folder: Path,
    info: Mapping[str, Any],
    row: Mapping[str, Any],
    data: Path,
    cameras: tuple[CameraFile, ...],
    tasks: Mapping[int, str],
) -> Episode:
    length = row.get("length")
    return Episode(
        folder=folder,
        index=int(row["episode_index"]),
        frames=int(length) if length is not None else None,
        fps=float(info["fps"]),
        data=data,
        cameras=cameras,
        tasks=tasks,
        task=str((row.get("tasks") or [""])[0]),
    )


def _json_lines(path: Path, *, needed: bool = False) -> list[dict[str, Any]]:
    if not needed and not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
