"""Pictures into boxes with a label and a score: EfficientDet-Lite0 (Tan et al. 2020), run in its own int8.

MediaPipe publishes it for LiteRT, trained on COCO. A box is given as its shift and growth against one of nine
anchors at each point of five grids; among boxes of one label that overlap by more than half, the surest stays.

Shapes: A = 19206 anchors; K = 90 labels; N boxes.
"""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hippocam.models.nets.litert_model import LiteRtModel
from hippocam.models.weights import fetch
from hippocam.stream import opencv as cv2
from hippocam.stream.records import FloatArray, Image

# The labels of COCO by the ids that the file has; "" for ids that COCO never used.
LABELS = tuple(
    (
        "person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,,"
        "stop sign,parking meter,bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,,"
        "backpack,umbrella,,,handbag,tie,suitcase,frisbee,skis,snowboard,sports ball,kite,"
        "baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,,wine glass,cup,fork,"
        "knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,"
        "chair,couch,potted plant,bed,,dining table,,,toilet,,tv,laptop,mouse,remote,keyboard,"
        "cell phone,microwave,oven,toaster,sink,refrigerator,,book,clock,vase,scissors,teddy bear,"
        "hair drier,toothbrush"
    ).split(",")
)
_INPUT_PX = 320
_GREY = 127  # what the network takes for nothing: the mean of its input
_GRIDS = (40, 20, 10, 5, 3)
_ANCHOR_SCALE = 4.0
_OCTAVES = 3
_ASPECTS = (1.0, 2.0, 0.5)
_OVERLAP = 0.5
_LARGEST_LOG = 4.0  # no box is more than 55 times its anchor


class Found(NamedTuple):
    """A box: label, score 0 to 1, and left, top, right, bottom as shares of the picture."""

    label: str
    score: float
    box: tuple[float, float, float, float]


class EfficientDetLite0:
    """The detector; weights are fetched and read on construction.

    Args:
        threads: Threads for one picture, 0 for one on each core that this process may use.
    """

    def __init__(self, threads: int = 0) -> None:
        self._model = LiteRtModel(fetch("efficientdet-lite0").read_bytes(), threads)
        self._anchors_A4 = _anchors()

    def find(self, image: Image, least: float, most: int) -> list[Found]:
        """Give what is found, the surest first.

        Args:
            image: uint8 [H, W, 3], RGB, any size; it keeps its proportions, and grey fills the square, since
                people who are squeezed are not seen.
            least: Lowest score, above 0 and below 1.
            most: Most boxes.
        """
        height, width = image.shape[:2]
        side = max(height, width)
        scores_AK, shifts_A4 = (array[0] for array in self._model.run(_to_input(image)))
        # by one index, since NumPy finds what is not zero ten times faster in one dimension
        rows, columns = np.divmod(np.flatnonzero(scores_AK > least), len(LABELS))
        scores_N = scores_AK[rows, columns]
        of_square_N4 = _boxes(shifts_A4[rows], self._anchors_A4[rows])
        boxes_N4 = np.clip(of_square_N4 * np.array([side / width, side / height] * 2, np.float32), 0, 1)
        whole = (boxes_N4[:, 2] - boxes_N4[:, 0] > 1e-3) & (boxes_N4[:, 3] - boxes_N4[:, 1] > 1e-3)
        kept = np.flatnonzero(whole & np.array([LABELS[k] != "" for k in columns], bool))
        chosen = _apart(boxes_N4, scores_N, columns, kept)[:most]
        return [Found(LABELS[columns[i]], float(scores_N[i]), _four(boxes_N4[i])) for i in chosen]


def _to_input(image: Image) -> NDArray[np.uint8]:
    """The picture at the top left of the network's square, as in training; uint8 [1, 320, 320, 3]."""
    height, width = image.shape[:2]
    scale = _INPUT_PX / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(np.ascontiguousarray(image), size, interpolation=how)
    square = np.full((1, _INPUT_PX, _INPUT_PX, 3), _GREY, np.uint8)
    square[0, : small.shape[0], : small.shape[1]] = small
    return square


def _anchors() -> FloatArray:
    """Centre x, centre y, width, height of each anchor in pixels of the input, float32 [A, 4]."""
    sizes = [
        (scale * math.sqrt(aspect), scale / math.sqrt(aspect))
        for scale, aspect in itertools.product([2 ** (i / _OCTAVES) for i in range(_OCTAVES)], _ASPECTS)
    ]
    rows = [
        ((x + 0.5) * stride, (y + 0.5) * stride, _ANCHOR_SCALE * stride * width, _ANCHOR_SCALE * stride * height)
        for stride, grid in ((_INPUT_PX / grid, grid) for grid in _GRIDS)
        for y, x in itertools.product(range(grid), repeat=2)
        for width, height in sizes
    ]
    return np.array(rows, np.float32)


def _boxes(shifts_N4: FloatArray, anchors_N4: FloatArray) -> FloatArray:
    """Left, top, right, bottom as shares of the square.

    A shift is dy and dx in sizes of the anchor, then the logarithms of its growth in height and width.
    """
    centre_N2 = anchors_N4[:, :2] + shifts_N4[:, 1::-1] * anchors_N4[:, 2:]
    half_N2 = anchors_N4[:, 2:] * np.exp(np.minimum(shifts_N4[:, 3:1:-1], _LARGEST_LOG)) / 2
    corners_N4 = np.concatenate([centre_N2 - half_N2, centre_N2 + half_N2], axis=1)
    return np.asarray(corners_N4 / _INPUT_PX, np.float32)


def _apart(
    boxes_N4: FloatArray, scores_N: FloatArray, labels_N: NDArray[np.intp], kept: NDArray[np.intp]
) -> list[int]:
    """The boxes that do not overlap a surer one of their label, the surest first."""
    if not len(kept):
        return []
    left_top_width_height = [
        [float(x0), float(y0), float(x1 - x0), float(y1 - y0)] for x0, y0, x1, y1 in boxes_N4[kept]
    ]
    chosen = cv2.dnn.NMSBoxesBatched(
        left_top_width_height, scores_N[kept].tolist(), labels_N[kept].tolist(), 0.0, _OVERLAP
    )
    numbers = kept[np.asarray(chosen, np.intp).reshape(-1)]
    return sorted((int(i) for i in numbers), key=lambda i: (-float(scores_N[i]), i))


def _four(box_4: FloatArray) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = (float(value) for value in box_4)
    return x0, y0, x1, y1
