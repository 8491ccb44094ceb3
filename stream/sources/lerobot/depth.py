"""A LeRobot dataset's depth cameras: each picture of distances into nine of them, in metres.

Distances are no pictures: an encoder has never seen any, and a detector takes their shapes for things. So what is
kept of them are numbers behind the robot's state: the median distance in each field of a grid of three by three.

Shapes: H, W a picture's height and width.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hippocam.stream import opencv as cv2
from hippocam.stream.records import FloatArray

# Of the grid: see `FIELDS`.
_ROWS = _COLUMNS = 3
# Pixels of the shorter side that are looked at: a median needs no more.
_LOOKED_AT = 96
# How LeRobot codes distances in a video where it does not say otherwise: shift in metres, by logarithm.
_SHIFT_M, _BY_LOG = 3.5, True
_MM = 0.001
# Share of the greatest code up to which nothing was measured: a lossy video does not leave a 0 at 0.
_NOTHING = 1 / 256
# Share of a field's pixels that must be measured: what a lossy video smears over an edge is not.
_LEAST = 1 / 8


class UnknownScaleError(ValueError):
    """Nobody says how far away a value of a depth camera is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DepthScale:
    """How a depth camera's numbers are read: in a unit, or as codes between two distances; 0 is "not measured".

    Attributes:
        unit_m: Metres that one is; None for 1 where numbers are floating, a thousandth where they are whole.
        near_m: Distance of the code 0; None where numbers are no codes.
        far_m: Distance of the greatest code.
        shift_m: Added to distances before their logarithm is taken.
        by_log: Whether codes are evenly spaced in the logarithm.
    """

    unit_m: float | None = None
    near_m: float | None = None
    far_m: float = 0.0
    shift_m: float = 0.0
    by_log: bool = False

    def metres(self, numbers: NDArray[Any], bits: int) -> FloatArray:
        """Distances of some numbers of so many bits; 0 where nothing was measured.

        Raises:
            UnknownScaleError: They have 8 bits, which a picture for people has.
        """
        measured = numbers > 0
        if self.near_m is not None:  # as lerobot's depth_utils has it
            share = numbers.astype(np.float32) / ((1 << bits) - 1)
            if self.by_log:
                low, high = np.log(self.near_m + self.shift_m), np.log(self.far_m + self.shift_m)
                metres = np.exp(low + share * (high - low)) - self.shift_m
            else:
                metres = self.near_m + share * (self.far_m - self.near_m)
            measured = share > _NOTHING
        elif bits <= 8:
            raise UnknownScaleError("its distances have 8 bits and no scale")
        else:
            unit_m = self.unit_m or (1.0 if numbers.dtype.kind == "f" else _MM)
            metres = numbers.astype(np.float32) * unit_m
        return np.where(measured & np.isfinite(metres), metres, 0.0).astype(np.float32)


def is_depth(key: str, feature: Mapping[str, Any]) -> bool:
    """Tell whether a feature holds distances, by its marks, its pixels of more than 8 bits, or its name."""
    told = _told(feature)
    if told.get("is_depth_map"):
        return True
    return bool(re.match("gray(9|1)", str(told.get("pix_fmt")))) or "depth" in re.split(r"[^a-z]+", key.casefold())


def scale_of(feature: Mapping[str, Any]) -> DepthScale | None:
    """How a feature's distances are read; None where nobody knows."""
    told = _told(feature)
    near, far = _number(told.get("depth_min")), _number(told.get("depth_max"))
    shift, by_log = _number(told.get("shift", _SHIFT_M)), bool(told.get("use_log", _BY_LOG))
    if near is not None and far is not None and shift is not None and near < far:
        known = near + shift > 0 or not by_log
        return DepthScale(near_m=near, far_m=far, shift_m=shift, by_log=by_log) if known else None
    unit_m = {"m": 1.0, "mm": _MM}.get(str(told.get("depth_unit")))
    wide = str(told.get("pix_fmt")).startswith("gray16")
    return DepthScale(unit_m=unit_m) if wide or feature.get("dtype") != "video" else None


def _told(feature: Mapping[str, Any]) -> dict[str, Any]:
    """What a feature says of itself, wherever; names without "video."."""
    parts = (feature, feature.get("video_info"), feature.get("info"))
    return {
        str(name).removeprefix("video."): value
        for part in parts
        if isinstance(part, Mapping)
        for name, value in part.items()
        if value is not None
    }


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and np.isfinite(value) else None


def of_frame(frame: Any, scale: DepthScale) -> FloatArray:
    """The nine distances of a video's frame, whose first plane holds them.

    Raises:
        UnknownScaleError: It has 8 bits.
    """
    bits = int(frame.format.components[0].bits)
    plane = frame.planes[0]
    numbers = np.frombuffer(plane, "<u2" if bits > 8 else np.uint8)
    lines = numbers.reshape(plane.height, -1)[:, : plane.width]
    return nine(scale.metres(_thinned(lines), bits))


def of_value(value: Any, scale: DepthScale) -> FloatArray | None:
    """The nine distances of a file's bytes (PNG, TIFF) or of rows of numbers; None where it is broken.

    Raises:
        UnknownScaleError: It has 8 bits.
    """
    if isinstance(value, bytes):
        try:
            found: Any = cv2.imdecode(np.frombuffer(value, np.uint8), cv2.IMREAD_UNCHANGED)
        except cv2.error:
            return None
    else:
        try:
            found = np.array(value)
        except ValueError:  # rows of several lengths
            return None
    if found is None or found.dtype.kind not in "iuf":
        return None
    numbers = found.squeeze()
    if numbers.ndim == 3 and found.dtype == np.uint8:
        raise UnknownScaleError("its distances have 8 bits and no scale")
    if numbers.ndim != 2 or min(numbers.shape) < _ROWS:
        return None
    return nine(scale.metres(_thinned(numbers), 8 * found.dtype.itemsize))


def _thinned(numbers: NDArray[Any]) -> NDArray[Any]:
    step = max(1, min(numbers.shape) // _LOOKED_AT)
    return numbers[::step, ::step]


def nine(metres_HW: FloatArray) -> FloatArray:
    """The median of what was measured in each field of a picture, by `FIELDS`; 0 where that is next to nothing."""
    fields = [field for row in np.array_split(metres_HW, _ROWS) for field in np.array_split(row, _COLUMNS, axis=1)]
    known = [field[field > 0] for field in fields]
    medians = [
        np.median(some) if some.size > _LEAST * field.size else 0.0
        for some, field in zip(known, fields, strict=True)
    ]
    return np.array(medians, np.float32)
