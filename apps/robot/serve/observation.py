"""A policy's observation, as openpi's clients send it, into what a robot's memory takes.

Pictures are all arrays of three dimensions with three channels, first or last, bytes or numbers from 0 to 1; a
list of them, or a fourth dimension, holds all pictures since the last call, the newest last. So do lists of poses,
marks, times, and vectors of an encoder. Keys may be nested, or have slashes: "observation/wrist_image",
{"images": {"wrist": ...}}. Keys that are not known are passed over; what stands under one that is, and cannot be
used, is told.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hippocam.apps.robot import checks
from hippocam.stream.records import FloatArray, Image

Doubles = NDArray[np.float64]
T = TypeVar("T")

# Between two instants of one observation whose times are not told; seconds.
BETWEEN_S = 1e-3
# Instants in one observation, and maps or lists in one another.
_MOST_INSTANTS, _DEEPEST = 1000, 16
_PROMPTS = ("prompt", "task", "instruction", "language_instruction", "task_description")
_STATES = ("state", "states", "qpos", "joint_position", "joint_positions", "proprio")
_POSES, _VECTORS, _GOALS = ("pose", "base_pose"), ("vector", "embedding"), ("goal", "goal_image", "goal_vector")
# What stands around a camera's name: "observation/wrist_image" is of the camera "wrist".
_AROUND = ("observation", "observations", "images", "image", "rgb", "pixels", "obs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What of an observation a memory takes.

    Attributes:
        images: Pictures of each camera since the last call, the newest last: uint8 [H, W, 3].
        vectors: What the robot's own encoder made of its pictures since the last call: float32 [D] each.
        poses: Where it was then: float64 [3] (x, y, heading) or [7] (x, y, z and a quaternion) each; None where
            that cannot be told.
        marks: Why each was a key event; "" where it was none.
        times_s: The robot's own times of them, where they are told.
        state: float32 [S], or None.
        prompt: The task.
        goal: What is asked for, where no words say it: a picture, uint8 [H, W, 3], or a vector, float32 [D].
        env: Which environment, where one is told.
        reset: Whether an episode ended before this.
        only_remember: Whether no answer is wanted, as between two chunks of actions.
        refused: What was told and cannot be used: "picture", "pose", "state", "vector", "goal", "time", "prompt",
            "env".
    """

    images: Mapping[str, Sequence[Image]]
    vectors: Sequence[FloatArray]
    poses: Sequence[Doubles | None]
    marks: Sequence[str]
    times_s: Sequence[float]
    state: FloatArray | None
    prompt: str
    goal: Image | FloatArray | None
    env: str
    reset: bool
    only_remember: bool = False
    refused: Sequence[str] = ()

    @property
    def frames(self) -> int:
        """Instants since the last call, 1 or more."""
        return max(1, len(self.vectors), *map(len, self.images.values()), 1)

    @property
    def time_s(self) -> float | None:
        """The robot's time at the newest instant, where it is told."""
        return self.times_s[-1] if self.times_s else None

    def images_at(self, back: int) -> dict[str, Image]:
        """The pictures of so many instants before the newest, by camera."""
        return {camera: every[-1 - back] for camera, every in self.images.items() if back < len(every)}

    def vector_at(self, back: int) -> FloatArray | None:
        """The vector of so many instants before the newest."""
        return _back(self.vectors, back)

    def pose_at(self, back: int) -> Doubles | None:
        """Where the robot was so many instants before the newest."""
        return _back(self.poses, back)

    def mark_at(self, back: int) -> str:
        """Why an instant was a key event, so many before the newest."""
        return _back(self.marks, back) or ""

    def time_at(self, back: int) -> float | None:
        """When an instant was, so many before the newest, where it is told."""
        return _back(self.times_s, back)


def observed(message: object) -> Observed:
    """Read an observation; what it does not understand is passed over.

    Raises:
        ValueError: It is no map, or too deep or too long a one.
    """
    if not isinstance(message, Mapping):
        raise ValueError(f"an observation must be a map, found {type(message).__name__}")
    flat = {key: value for key, value in _flat(message, "", _DEEPEST) if value is not None}
    goals = [value for key, value in flat.items() if _last(key) in _GOALS]
    shown = {key: _pictures(value) for key, value in flat.items() if _last(key) not in _GOALS}
    images = {camera_of(key): pictures for key, pictures in shown.items() if pictures}
    states = [checks.numbers_of(value) for key, value in sorted(flat.items()) if _last(key) in _STATES]
    parts = [state for state in states if state is not None]
    prompts = [_text(value) for key, value in flat.items() if _last(key) in _PROMPTS]
    poses = [row if checks.pose_of(row) is not None else None for row in _rows(flat, _POSES)]
    poses = [] if all(row is None for row in poses) else poses
    vectors = [row.astype(np.float32) for row in _rows(flat, _VECTORS)]
    vectors = vectors if all(np.isfinite(row).all() for row in vectors) else []
    goal = _goal(goals[0]) if goals else None
    told_time = flat.get("time_s", flat.get("timestamp"))
    times_s = _times(told_time)
    failed = {
        "picture": any(_should_be_pictures(key, flat[key]) and not pictures for key, pictures in shown.items()),
        "pose": any(_last(key) in _POSES for key in flat) and (not poses or any(row is None for row in poses)),
        "state": any(state is None for state in states),
        "vector": any(_last(key) in _VECTORS for key in flat) and not vectors,
        "goal": bool(goals) and goal is None,
        "time": told_time is not None and not times_s,
        "prompt": None in prompts,
        "env": "env" in flat and _text(flat["env"]) is None,
    }
    seen = Observed(
        images=images,
        vectors=vectors,
        poses=poses,
        marks=_marks(flat.get("mark")),
        times_s=times_s,
        state=np.concatenate(parts) if parts else None,
        prompt=next((text for text in prompts if text is not None), ""),
        goal=goal,
        env=_text(flat.get("env")) or "",
        reset=bool(flat.get("reset") is True),
        only_remember=bool(flat.get("remember") is True),
        refused=tuple(what for what, cannot in failed.items() if cannot),
    )
    if seen.frames > _MOST_INSTANTS:
        raise ValueError(f"an observation may have {_MOST_INSTANTS} instants, found {seen.frames}")
    return seen


def camera_of(key: str) -> str:
    """Name of a camera by the key of its pictures; "camera" where the key says nothing of it."""
    parts = [part for part in key.replace(".", "/").split("/") if part not in _AROUND]
    name = "_".join(parts).removesuffix("_image").removesuffix("_rgb").removeprefix("image_")
    return name or "camera"


def _flat(value: Mapping[Any, Any], before: str, deeper: int) -> Iterator[tuple[str, Any]]:
    if not deeper:
        raise ValueError(f"an observation may have {_DEEPEST} maps in one another, found more")
    for key, inner in value.items():
        name = f"{before}{key.decode('utf-8', 'replace') if isinstance(key, bytes) else key}"
        if isinstance(inner, Mapping):
            yield from _flat(inner, name + "/", deeper - 1)
        else:
            yield name, inner


def _last(key: str) -> str:
    return key.rpartition("/")[2]


def _should_be_pictures(key: str, value: object) -> bool:
    """Whether a value is told as a camera's, which a list of other things is not."""
    return isinstance(value, np.ndarray) and bool({"image", "images", "rgb"} & set(re.split(r"[^a-z]+", key)))


def _pictures(value: object, deeper: int = 2) -> list[Image]:
    """Pictures of a value: one, several in a list or along the first dimension, or none."""
    if isinstance(value, (list, tuple)):
        return [picture for each in value for picture in _pictures(each, deeper - 1)] if deeper else []
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "uif" or not value.size:
        return []
    if value.ndim == 4:
        return [picture for each in value for picture in _pictures(each)]
    if value.ndim != 3 or 3 not in (value.shape[0], value.shape[2]):
        return []
    picture = value if value.shape[2] == 3 else value.transpose(1, 2, 0)
    if picture.dtype.kind == "f":
        bright = 255 if float(picture.max(initial=0)) <= 1.0 else 1
        picture = np.nan_to_num(picture) * bright
    whole = np.ascontiguousarray(np.clip(picture, 0, 255).astype(np.uint8))
    return [whole] if checks.is_picture(whole) else []


def _rows(flat: Mapping[str, Any], keys: Sequence[str]) -> list[Doubles]:
    """Rows of numbers under one of some keys: one, or several since the last call."""
    value = next((value for key, value in flat.items() if _last(key) in keys), None)
    if not isinstance(value, (np.ndarray, list, tuple)):
        return []
    try:
        rows = np.atleast_2d(np.asarray(value, np.float64))
    except (TypeError, ValueError):
        return []
    return list(rows) if rows.ndim == 2 and rows.size else []


def _goal(value: object) -> Image | FloatArray | None:
    """What is asked for: a picture or a vector."""
    pictures = _pictures(value)
    if pictures:
        return pictures[-1]
    rows = _rows({"goal": value}, ("goal",))
    return rows[-1].astype(np.float32) if rows and np.isfinite(rows[-1]).all() else None


def _times(value: object) -> list[float]:
    """Times that are numbers, the newest last; none where one of them is not."""
    several: Sequence[Any] = np.atleast_1d(value).tolist() if isinstance(value, np.ndarray) else value  # type: ignore[assignment]
    several = several if isinstance(several, (list, tuple)) else [several]
    is_told = all(isinstance(one, (int, float, np.number)) and math.isfinite(one) for one in several)
    return [float(one) for one in several] if is_told else []


def _marks(value: object) -> list[str]:
    several = value if isinstance(value, (list, tuple)) else [value]
    return [_text(one) or "" for one in several]


def _back(rows: Sequence[T], back: int) -> T | None:
    return rows[-1 - back] if back < len(rows) else None


def _text(value: object) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value) if isinstance(value, (str, int, np.str_)) else None
