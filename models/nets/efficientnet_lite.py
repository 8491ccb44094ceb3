"""Pictures into ImageNet class probabilities: EfficientNet-Lite2.

Tan and Le 2019, run by ONNX Runtime. The Lite variant has ReLU6 instead of swish and no squeeze-and-excitation.
Its weights are published for torch (ported from Google's TensorFlow checkpoint); batch normalisation is folded
into the convolutions and the graph is written as ONNX in memory, which is about twice as fast on a CPU.

Shapes: K = 1000 classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from hippocam.models.nets.onnx_graph import OnnxGraph
from hippocam.models.nets.onnx_session import open_session
from hippocam.models.pictures import to_network
from hippocam.models.weights import fetch
from hippocam.stream.records import FloatArray, Image

CLASSES = 1000
_INPUT_PX = 260
_MEAN = np.full(3, 127, np.float32)
_DEVIATION = np.full(3, 128, np.float32)
# Repeats, stride, expansion, channels out: EfficientNet-B0's stages at width 1.1 and depth 1.2. As in
# every Lite network, the first and last stage keep the repeats and the stem keeps the width of B0.
_STAGES = (
    (1, 1, 1, 16),
    (3, 2, 6, 24),
    (3, 2, 6, 48),
    (4, 2, 6, 88),
    (4, 1, 6, 120),
    (5, 2, 6, 208),
    (1, 1, 6, 352),
)
_STEM_CHANNELS = 32
_BATCH_NORM_EPS = 1e-3


class EfficientNetLite2:
    """The classifier; weights are fetched and read on construction.

    Args:
        threads: Threads for one picture, 0 for as many as ONNX Runtime likes (one per core).
    """

    def __init__(self, threads: int = 0) -> None:
        self._session = open_session(lite2_model(_read(fetch("efficientnet-lite2"))), threads)

    def classify(self, image: Image) -> FloatArray:
        """Give the probability of each class, float32 [1000].

        Args:
            image: uint8 [H, W, 3], RGB, any size.
        """
        picture = to_network(image, _INPUT_PX, _MEAN, _DEVIATION)
        (probabilities_1K,) = self._session.run(None, {"image": picture})
        return np.asarray(probabilities_1K[0], np.float32)


def lite2_model(weights: Mapping[str, FloatArray]) -> bytes:
    """Write the network as ONNX: "image", float32 [1, 3, 260, 260], to probabilities.

    Args:
        weights: The checkpoint's arrays by name.
    """
    graph = OnnxGraph("image", (1, 3, _INPUT_PX, _INPUT_PX))
    bounds = [graph.constant(name, np.array(value, np.float32)) for name, value in (("zero", 0), ("six", 6))]

    def relu6(x: str) -> str:
        return graph.node("Clip", [x, *bounds])

    def conv(x: str, name: str, norm: str, stride: int = 1) -> str:
        kernels, bias = _fold(weights, name, norm)
        outputs, inputs, size, _ = kernels.shape
        parts = [x, graph.constant(name, kernels), graph.constant(norm, bias)]
        groups = outputs if inputs == 1 else 1  # one input channel per kernel: each channel by itself
        sizes = {"kernel_shape": (size, size), "strides": (stride, stride)}
        return graph.node("Conv", parts, group=groups, auto_pad="SAME_UPPER", **sizes)

    x, inputs, block = relu6(conv("image", "_conv_stem", "_bn0", 2)), _STEM_CHANNELS, 0
    for repeats, first_stride, expansion, outputs in _STAGES:
        for repeat in range(repeats):
            stride, name, before = first_stride if repeat == 0 else 1, f"_blocks.{block}.", x
            if expansion > 1:
                x = relu6(conv(x, f"{name}_expand_conv", f"{name}_bn0"))
            x = relu6(conv(x, f"{name}_depthwise_conv", f"{name}_bn1", stride))
            x = conv(x, f"{name}_project_conv", f"{name}_bn2")
            if stride == 1 and inputs == outputs:
                x = graph.node("Add", [before, x])
            inputs, block = outputs, block + 1
    x = relu6(conv(x, "_conv_head", "_bn1"))
    pooled = graph.node("Flatten", [graph.node("GlobalAveragePool", [x])])
    classifier = [graph.constant(name, weights[name]) for name in ("_fc.weight", "_fc.bias")]
    logits = graph.node("Gemm", [pooled, *classifier], transB=1)
    return graph.to_bytes(graph.node("Softmax", [logits], axis=1), (1, CLASSES))


def _fold(weights: Mapping[str, FloatArray], conv: str, norm: str) -> tuple[FloatArray, FloatArray]:
    scale = weights[f"{norm}.weight"] / np.sqrt(weights[f"{norm}.running_var"] + _BATCH_NORM_EPS)
    bias = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale
    return weights[f"{conv}.weight"] * scale[:, None, None, None], bias


def _read(path: Path) -> dict[str, FloatArray]:
    import torch

    state = torch.load(path, map_location="cpu", weights_only=True)  # so it cannot run code
    return {name: tensor.numpy() for name, tensor in state.items()}
