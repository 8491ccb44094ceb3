"""Pictures into a 7 x 7 grid of 320 numbers: TinyViT-5M, trained on ImageNet-22k, run by ONNX Runtime.

Wu et al. 2022, "TinyViT: Fast Pretraining Distillation for Small Vision Transformers". Its teacher was a CLIP,
which is why its features take so well to captions.

Shapes: P = 49 patches; C = 320 channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from hippocam.models.onnx_read import read_constants
from hippocam.models.onnx_session import open_session
from hippocam.models.pictures import to_network
from hippocam.models.weights import fetch
from hippocam.stream.records import FloatArray, Image

PATCHES, CHANNELS = 49, 320
_INPUT_PX = 224
_MEAN = np.array([0.485, 0.456, 0.406], np.float32) * 255
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32) * 255


class TinyViT:
    """The network; weights are fetched and read on construction.

    Args:
        threads: Threads for one picture, 0 for as many as ONNX Runtime likes (one per core).
        changes: What is added to its numbers, by their names and laid out as in torch (see `to_torch`).
    """

    def __init__(self, threads: int = 0, changes: Mapping[str, FloatArray] | None = None) -> None:
        model = bytearray(Path(fetch("tinyvit")).read_bytes())
        constants = read_constants(model)
        for name, change in (changes or {}).items():
            number = to_torch(name, constants[name])
            number += change  # in the bytes of the model
        self._session = open_session(bytes(model), threads)

    def patches(self, image: Image) -> FloatArray:
        """Give the patches, float32 [49, 320], column by column from the top left.

        Args:
            image: uint8 [H, W, 3], RGB, any size.
        """
        (grid,) = self._session.run(None, {"input": tinyvit_input(image)})
        return np.asarray(grid, np.float32).reshape(PATCHES, CHANNELS)


def tinyvit_input(image: Image) -> FloatArray:
    """Give a picture as the network wants it, float32 [1, 3, 224, 224]."""
    return to_network(image, _INPUT_PX, _MEAN, _DEVIATION)


def to_torch(name: str, values: FloatArray) -> FloatArray:
    """Give a view of a constant of the ONNX model as torch lays it out: weights of products are turned round."""
    return values.T if name.endswith("weight") and values.ndim == 2 else values
