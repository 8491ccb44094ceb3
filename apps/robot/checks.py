"""What a robot gives, checked: numbers, times, places, names and words that can be kept, or None.

A control loop calls these, so each takes microseconds and none raises.

Shapes: H, W a picture's height and width; S how many numbers there are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hippocam.memory.recall.rows import Condition
from hippocam.stream.records import FloatArray, Image

Doubles = NDArray[np.float64]

# Numbers of a state or an action, and letters of a text, that are kept at most.
MOST_NUMBERS, MOST_LETTERS = 4096, 4000
_MOST_NAME = 200
# The longest side of a picture: JPEG's own is 65,535.
_MOST_SIDE_PX = 32_768
# No robot's clock counts further (3,000 years of seconds), and none is farther from its origin (the sun is).
_FAR_S, _FAR_M = 1e11, 1e11
_ID = re.compile("[0-7][0-9a-f]{15}")  # 63 bits, as SQLite's numbers have
_EIGHTH_OF_A_TURN = math.pi / 4


def pictures_of(images: object) -> Mapping[object, object] | None:
    """Pictures by camera."""
    return {} if images is None else images if isinstance(images, Mapping) else None


def is_picture(image: object) -> TypeGuard[Image]:
    """Whether this is uint8 [H, W, 3], and not too wide or high for a JPEG."""
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3:
        return False
    return bool(image.shape[2] == 3 and image.size and max(image.shape[:2]) <= _MOST_SIDE_PX)


def time_of(value: object) -> float | None:
    """Seconds."""
    if not isinstance(value, (int, float, np.integer, np.floating)):
        return None
    time_s: Any = value
    return float(time_s) if abs(time_s) <= _FAR_S else None  # not a number is nowhere


def numbers_of(values: ArrayLike) -> FloatArray | None:
    """Finite numbers, float32 [S], S from 1 to 4096; a copy."""
    numbers = _doubles(values)
    if numbers is None or not 0 < len(numbers) <= MOST_NUMBERS:
        return None
    return numbers.astype(np.float32) if np.abs(numbers).max() <= np.finfo(np.float32).max else None


def pose_of(values: ArrayLike) -> Doubles | None:
    """x, y, z and a quaternion, float64 [7], of these or of x, y and the heading."""
    numbers = _doubles(values)
    if numbers is None or len(numbers) not in (3, 7):
        return None
    if len(numbers) == 3:
        x, y, heading = numbers
        numbers = np.array([x, y, 0, 0, 0, math.sin(heading / 2), math.cos(heading / 2)])
    return numbers if np.abs(numbers).max() <= _FAR_M and np.abs(numbers[3:]).max() > 0 else None


def name_of(value: object) -> str | None:
    """Name of a camera or an environment; whole numbers are names too."""
    if isinstance(value, (int, np.integer)):
        return str(value)
    told = isinstance(value, str) and len(value) <= _MOST_NAME and (not value or value.isprintable())
    return str(value) if told else None


def words_of(value: object) -> str | None:
    """Words that can be written down."""
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > MOST_LETTERS:
        return None
    return value.encode("utf-8", "replace").decode("utf-8")


def entry_id_of(text: object) -> int | None:
    """The id of an entry as the database has it, of that which people see."""
    return int(text, 16) if isinstance(text, str) and _ID.fullmatch(text) else None


def condition_of(
    *,
    streams: tuple[str, ...] | None,
    near: Sequence[float] | None,
    heading: float | Sequence[float] | None,
    after_s: float | None,
    before_s: float | None,
) -> Condition:
    """What a moment must meet.

    Raises:
        ValueError: A condition is not of finite numbers; says which in one line.
    """
    placed = None if near is None else _finite("near", near, 3)
    if heading is None:
        turned = None
    elif np.ndim(heading):
        turned = _finite("heading", heading, 2)
    else:
        turned = (finite("heading", heading), _EIGHTH_OF_A_TURN)
    return Condition(
        streams=streams,
        after_s=None if after_s is None else finite("after_s", after_s),
        before_s=None if before_s is None else finite("before_s", before_s),
        near=None if placed is None else (placed[0], placed[1], placed[2]),
        heading=None if turned is None else (turned[0], turned[1]),
    )


def finite(name: str, value: object) -> float:
    """A number.

    Raises:
        ValueError: It is none, or not finite; says so in one line.
    """
    return _finite(name, value, 1)[0]


def _finite(name: str, values: object, count: int) -> tuple[float, ...]:
    numbers = _doubles(values)
    if numbers is None or len(numbers) != count:
        wanted = "a finite number" if count == 1 else f"{count} finite numbers"
        raise ValueError(f"{name} must be {wanted}, found {values!r:.100}")
    return tuple(numbers.tolist())


def _doubles(values: object) -> Doubles | None:
    """Finite numbers in one row; None of anything else."""
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "buif":
            return None
        numbers: Doubles = array.astype(np.float64).reshape(-1)
    except (
        TypeError,
        ValueError,
        OverflowError,
        RuntimeError,
    ):  # the last of a tensor that is not on this processor
        return None
    return numbers if np.isfinite(numbers).all() else None
