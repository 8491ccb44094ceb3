"""A policy's observation, as openpi's clients send it, into what a robot's memory takes.

Pictures are all arrays of three dimensions with three channels, first or last, bytes or numbers from 0 to 1; a
list of them, or a fourth dimension, holds all pictures since the last call, the newest last. Keys may be nested,
or have slashes: "observation/wrist_image", {"images": {"wrist": ...}}.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hippocam.stream.records import FloatArray, Image

_PROMPTS = ("prompt", "task", "instruction", "language_instruction")
_STATES = ("state", "qpos", "joint_position", "joint_positions", "proprio")
# What stands around a camera's name: "observation/wrist_image" is of the camera "wrist".
_AROUND = ("observation", "observations", "images", "image", "rgb", "pixels", "obs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What of an observation a memory takes.

    Attributes:
        images: Pictures of each camera since the last call, the newest last: uint8 [H, W, 3].
        state: float32 [S], or None.
        prompt: The task.
        prompt_key: Under which key the task stands; None where there is none.
        env: Which environment, where one is told.
        time_s: The robot's own time, where it is told.
        reset: Whether an episode ends here, and nothing else is observed.
    """

    images: Mapping[str, Sequence[Image]]
    state: FloatArray | None
    prompt: str
    prompt_key: str | None
    env: str
    time_s: float | None
    reset: bool


def observed(message: object) -> Observed:
    """Read an observation; what it does not understand is passed over.

    Raises:
        ValueError: It is no map.
    """
    if not isinstance(message, Mapping):
        raise ValueError(f"an observation must be a map, found {type(message).__name__}")
    flat = dict(_flat(message, ""))
    images = {camera_of(key): pictures for key, value in flat.items() if (pictures := _pictures(value))}
    states = [_numbers(value) for key, value in sorted(flat.items()) if _last(key) in _STATES]
    parts = [state for state in states if state is not None]
    prompts = ((key, _text(value)) for key, value in flat.items() if _last(key) in _PROMPTS)
    prompt_key, prompt = next(((key, text) for key, text in prompts if text is not None), (None, ""))
    time_s = flat.get("time_s", flat.get("timestamp"))
    return Observed(
        images=images,
        state=np.concatenate(parts) if parts else None,
        prompt=prompt or "",
        prompt_key=prompt_key,
        env=_text(flat.get("env")) or "",
        time_s=float(time_s) if isinstance(time_s, (int, float, np.number)) and math.isfinite(time_s) else None,
        reset=bool(flat.get("reset") is True),
    )


def camera_of(key: str) -> str:
    """Name of a camera by the key of its pictures; "camera" where the key says nothing of it."""
    parts = [part for part in key.replace(".", "/").split("/") if part not in _AROUND]
    name = "_".join(parts).removesuffix("_image").removesuffix("_rgb").removeprefix("image_")
    return name or "camera"


def _flat(value: Mapping[Any, Any], before: str) -> Iterator[tuple[str, Any]]:
    for key, inner in value.items():
        name = f"{before}{key.decode('utf-8', 'replace') if isinstance(key, bytes) else key}"
        if isinstance(inner, Mapping):
            yield from _flat(inner, name + "/")
        else:
            yield name, inner


def _last(key: str) -> str:
    return key.rpartition("/")[2]


def _pictures(value: object) -> list[Image]:
    """Pictures of a value: one, several in a list or along the first dimension, or none."""
    if isinstance(value, (list, tuple)):
        return [picture for each in value for picture in _pictures(each)]
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
    return [np.ascontiguousarray(np.clip(picture, 0, 255).astype(np.uint8))]


def _numbers(value: object) -> FloatArray | None:
    if not isinstance(value, (np.ndarray, list, tuple)):
        return None
    try:
        numbers: FloatArray = np.asarray(value, np.float32).reshape(-1)
    except (TypeError, ValueError):
        return None
    return numbers if len(numbers) else None


def _text(value: object) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value) if isinstance(value, (str, int, np.str_)) else None
