"""Pictures into a 7 x 7 grid of 320 numbers: TinyViT-5M, trained on ImageNet-22k, run by ONNX Runtime.

Wu et al. 2022, "TinyViT: Fast Pretraining Distillation for Small Vision Transformers". Encoders are compared with
ridge regression from its features (apps/bench/perception.py).

Shapes: P = 49 patches; C = 320 channels.
"""

from __future__ import annotations

import numpy as np

from hippocam.models.nets.onnx_session import open_session
from hippocam.models.pictures import IMAGENET_DEVIATION, IMAGENET_MEAN, to_network
from hippocam.models.weights import fetch
from hippocam.stream.records import FloatArray, Image

PATCHES = 49
CHANNELS = 320
_INPUT_PX = 224


class TinyViT:
    """The network; weights are fetched and read on construction.

    Args:
        threads: Threads for one picture, 0 for one on each core that this process may use.
    """

    def __init__(self, threads: int = 0) -> None:
        self._session = open_session(str(fetch("tinyvit")), threads)

    def patches(self, image: Image) -> FloatArray:
        """Give the patches, float32 [49, 320], column by column from the top left.

        Args:
            image: uint8 [H, W, 3], RGB, any size.
        """
        picture = to_network(image, _INPUT_PX, IMAGENET_MEAN, IMAGENET_DEVIATION)
        (grid,) = self._session.run(None, {"input": picture})
        return np.asarray(grid, np.float32).reshape(PATCHES, CHANNELS)
