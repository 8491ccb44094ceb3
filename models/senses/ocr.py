"""Pictures into the lines of text in them: a detector finds lines, a recogniser reads each.

Both are PaddleOCR's small networks of PP-OCRv6 as ONNX (the recogniser knows Latin letters with their marks beside
Chinese and others), run as they are described in: Liao et al. 2020, "Real-time Scene Text Detection with
Differentiable Binarization"; Shi et al. 2017, "CRNN". A cheap look comes first, at a small size; only if it sees
text is the picture searched at its own size.

Shapes: H, W of the picture as the detector gets it; T steps of a line, C characters with the blank first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hippocam.models.nets.onnx_session import open_session
from hippocam.models.pictures import UNIT_DEVIATION, UNIT_MEAN
from hippocam.models.weights import fetch
from hippocam.stream import opencv as cv2
from hippocam.stream.records import FloatArray, Image, Sensed

if TYPE_CHECKING:
    import onnxruntime

# The detector takes sides that are multiples of this.
_STEP = 32
# Probability from which a pixel is text.
_PIXEL = 0.3
# Mean probability of its pixels from which a line is text.
_LINE = 0.6
# The detector marks the core of a line, which is grown by this times area over circumference (Liao et al.).
_GROW = 1.6
# Height below which a line cannot be read, in pixels of the detector's picture.
_LEAST_PX = 5.0
# Height of a line for the recogniser.
_READ_PX = 48
# Most lines of a picture that are read, the largest first.
_MOST_LINES = 48
# Largest width of a line for the recogniser.
_MOST_PX = 1280
# Lines are side by side if their middles are no further apart than this share of their height.
_SAME_ROW = 0.5
# A line of one character is an edge or a pattern more often than a word, and nobody can look for it.
_LEAST_CHARS = 2
# What is read around the text that a glance saw, as a share of the picture's longer side.
_MARGIN = 0.1


class _Found(NamedTuple):
    """A line in a picture: corners, float32 [4, 2], top left first and clockwise, in pixels, and its height."""

    corners_42: FloatArray
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OcrConfig:
    """How pictures are read.

    Attributes:
        glance_px: Longer side of the first, cheap look, pixels, 64 to 2048 (on one thread 23 ms at 480, 34 ms at
            576, 42 ms at 640).
        longest_px: Longer side of the picture in the second look, where the first saw text, pixels, 64 to 4096.
        sure: Mean probability of its letters from which a line is believed, 0 to 1.
        threads: Threads, 0 for one on each core.
    """

    glance_px: int = 576
    longest_px: int = 960
    sure: float = 0.8
    threads: int = 1

    def __post_init__(self) -> None:
        for name, low, high in (("glance_px", 64, 2048), ("longest_px", 64, 4096), ("sure", 0.0, 1.0)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"ocr.{name} must be {low} to {high}, found {value}")


class Ocr:
    """Reads what is written in pictures; weights are fetched and read with the first one."""

    id = "ppocr-v6:1"
    weights = ("ocr-detector", "ocr-reader")

    def __init__(self, config: OcrConfig | None = None) -> None:
        self._config = config or OcrConfig()
        self._detector: onnxruntime.InferenceSession | None = None
        self._reader: onnxruntime.InferenceSession | None = None
        self._characters: list[str] = []

    def __getstate__(self) -> OcrConfig:
        """Travel to another process without what was loaded."""
        return self._config

    def __setstate__(self, config: OcrConfig) -> None:
        self.__init__(config)  # type: ignore[misc]

    def look(self, image: Image) -> Sensed:
        """Read a picture, uint8 [H, W, 3] RGB; its lines from top to bottom."""
        part = self._glance(image)
        return Sensed(screen=() if part is None else tuple(self._read(part, max(image.shape[:2]))))

    def read(self, image: Image) -> list[str]:
        """The lines of a picture from top to bottom, without a first, cheap look."""
        return self._read(image, max(image.shape[:2]))

    def _glance(self, image: Image) -> Image | None:
        """The part of a picture, with a margin, in which anything may be text; None where nothing may."""
        is_text_HW = self._detect(image, self._config.glance_px) > _PIXEL
        if not is_text_HW.any():
            return None
        height, width = image.shape[:2]
        margin = _MARGIN * max(height, width)
        top, bottom = _stretch(np.any(is_text_HW, axis=1), height, margin)
        left, right = _stretch(np.any(is_text_HW, axis=0), width, margin)
        return np.ascontiguousarray(image[top:bottom, left:right])

    def _read(self, image: Image, whole_px: int) -> list[str]:
        """The lines of a picture, or of a part of one whose longer side is given, from top to bottom."""
        scale = min(1.0, self._config.longest_px / whole_px)
        longest_px = max(1, round(scale * max(image.shape[:2])))
        found = sorted(self._find(image, longest_px), key=lambda f: -f.height)[:_MOST_LINES]
        texts = [(line, self._text(image, line)) for line in _in_order(found)]
        return [
            text for _, (text, sure) in texts if len(text.strip()) >= _LEAST_CHARS and sure >= self._config.sure
        ]

    def _detect(self, image: Image, longest_px: int) -> FloatArray:
        """How likely each pixel is text, float32 [H, W], with the picture's longer side at a size."""
        if self._detector is None:
            self._detector = open_session(str(fetch(self.weights[0])), self._config.threads)
        height, width = image.shape[:2]
        scale = min(1.0, longest_px / max(height, width))
        size = tuple(max(_STEP, round(side * scale / _STEP) * _STEP) for side in (width, height))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        # trained on pictures as OpenCV reads them, blue first
        input_HWC = (small[:, :, ::-1].astype(np.float32) / 255 - UNIT_MEAN) / UNIT_DEVIATION
        (text_HW,) = self._detector.run(None, {"x": input_HWC.transpose(2, 0, 1)[None]})[0][0]
        return np.asarray(text_HW, np.float32)

    def _find(self, image: Image, longest_px: int) -> list[_Found]:
        """Lines of a picture, by the detector at a size."""
        text_HW = self._detect(image, longest_px)
        bits = (text_HW > _PIXEL).astype(np.uint8)
        if not bits.any():
            return []
        outlines, _ = cv2.findContours(bits, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
        (height, width), (text_height, text_width) = image.shape[:2], text_HW.shape
        back = np.array([width / text_width, height / text_height], np.float32)
        found = (self._line(text_HW, outline, back) for outline in outlines)
        return [line for line in found if line is not None]

    def _line(self, text_HW: FloatArray, outline: Any, back: FloatArray) -> _Found | None:
        """The line whose core an outline of text is; None if it is too low or not sure."""
        centre, (a, b), angle = cv2.minAreaRect(outline)
        if min(a, b) < 2:
            return None
        x, y, w, h = cv2.boundingRect(outline)
        mask = np.zeros((h, w), np.uint8)
        corners = cv2.boxPoints((centre, (a, b), angle)) - np.array([x, y], np.float32)
        cv2.fillPoly(mask, [corners.astype(np.int32)], 1)
        if cv2.mean(text_HW[y : y + h, x : x + w], mask)[0] < _LINE:
            return None
        grow = 2 * _GROW * a * b / (2 * (a + b))
        if min(a, b) + grow < _LEAST_PX:
            return None
        corners_42 = _clockwise(cv2.boxPoints((centre, (a + grow, b + grow), angle))) * back
        down = np.linalg.norm(corners_42[3] - corners_42[0])
        return _Found(corners_42.astype(np.float32), float(down))

    def _text(self, image: Image, line: _Found) -> tuple[str, float]:
        """What a line says, and the mean probability of its letters."""
        if self._reader is None:
            self._reader = open_session(str(fetch(self.weights[1])), self._config.threads)
            told = self._reader.get_modelmeta().custom_metadata_map["character"]
            self._characters = ["", *told.splitlines(), " "]
        corners = line.corners_42
        wide = float(np.linalg.norm(corners[1] - corners[0]))
        high = float(np.linalg.norm(corners[3] - corners[0]))
        width = int(np.clip(round(_READ_PX * wide / max(high, 1)), _READ_PX // 2, _MOST_PX))
        flat = np.array([[0, 0], [width, 0], [width, _READ_PX], [0, _READ_PX]], np.float32)
        strip = cv2.warpPerspective(
            image, cv2.getPerspectiveTransform(corners, flat), (width, _READ_PX), flags=cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        input_HWC = strip[:, :, ::-1].astype(np.float32) / 127.5 - 1
        (steps_TC,) = self._reader.run(None, {"x": input_HWC.transpose(2, 0, 1)[None]})[0]
        return _spelt(steps_TC, self._characters)


def _stretch(has_text_N: NDArray[Any], length: int, margin: float) -> tuple[int, int]:
    """Pixels of a picture's side from the first with text to the last, with a margin.

    Args:
        has_text_N: Which rows, or columns, of the detector's picture have text; one at least.
        length: Of the picture's side, in pixels.
        margin: In pixels.
    """
    where = np.flatnonzero(has_text_N)
    scale = length / len(has_text_N)
    return max(0, int(where[0] * scale - margin)), min(length, int(np.ceil((where[-1] + 1) * scale + margin)))


def _spelt(steps_TC: FloatArray, characters: list[str]) -> tuple[str, float]:
    """The likeliest letters, without repeats and blanks (Graves et al. 2006, greedy), and how sure they are."""
    best_T = steps_TC.argmax(axis=1)
    new_T = (best_T != 0) & np.concatenate([[True], best_T[1:] != best_T[:-1]])
    if not new_T.any():
        return "", 0.0
    sure = float(steps_TC.max(axis=1)[new_T].mean())
    return "".join(characters[k] for k in best_T[new_T]).strip(), sure


def _clockwise(corners_42: FloatArray) -> FloatArray:
    """Corners of a line from its top left: a line is read from left to right."""
    by_x = corners_42[np.argsort(corners_42[:, 0], kind="stable")]
    left, right = by_x[:2], by_x[2:]
    left, right = left[np.argsort(left[:, 1])], right[np.argsort(right[:, 1])]
    ordered: FloatArray = np.stack([left[0], right[0], right[1], left[1]])
    return ordered


def _in_order(found: list[_Found]) -> list[_Found]:
    """Lines from top to bottom, those of one row from left to right."""
    rows: list[list[_Found]] = []
    for line in sorted(found, key=lambda f: float(f.corners_42[:, 1].mean())):
        middle = float(line.corners_42[:, 1].mean())
        last = rows[-1][-1] if rows else None
        if last and abs(float(last.corners_42[:, 1].mean()) - middle) <= _SAME_ROW * min(last.height, line.height):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda f: float(f.corners_42[:, 0].min()))]
