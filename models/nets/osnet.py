"""A person's picture into 512 numbers that tell people apart: OSNet x1.0, run by ONNX Runtime.

Zhou et al. 2019, "Omni-Scale Feature Learning for Person Re-Identification": branches with one to four small
convolutions see parts of one to four sizes, and a gate weighs them for each channel. The weights were trained on
MSMT17 (people from behind and from the side on a campus; no names) and are published for torch; they are written
as ONNX in memory with the batch normalisation folded in.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from hippocam.models.nets.onnx_graph import OnnxGraph
from hippocam.models.nets.onnx_session import open_session
from hippocam.models.pictures import IMAGENET_DEVIATION, IMAGENET_MEAN
from hippocam.models.weights import fetch
from hippocam.stream import opencv as cv2
from hippocam.stream.records import FloatArray, Image

FEATURES = 512
_HEIGHT_PX = 256
_WIDTH_PX = 128
_BATCH_NORM_EPS = 1e-5
_NOTHING = 1e-12


class OsNet:
    """The network; weights are fetched and read on construction.

    Args:
        threads: Threads for one picture, 0 for as many as ONNX Runtime likes (one per core).
    """

    def __init__(self, threads: int = 0) -> None:
        self._session = open_session(osnet_model(_read(fetch("osnet"))), threads)

    def features(self, image: Image) -> FloatArray:
        """Give the features of a picture of one person, float32 [512], not scaled.

        Args:
            image: uint8 [H, W, 3], RGB, from 1 x 1, cut to the person.
        """
        shrinks = image.shape[0] > _HEIGHT_PX and image.shape[1] > _WIDTH_PX
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        upright = cv2.resize(np.ascontiguousarray(image), (_WIDTH_PX, _HEIGHT_PX), interpolation=how)
        normal = (np.asarray(upright, np.float32) - IMAGENET_MEAN) / IMAGENET_DEVIATION
        (rows,) = self._session.run(None, {"image": np.ascontiguousarray(normal.transpose(2, 0, 1)[None])})
        return np.asarray(rows[0], np.float32)


def osnet_model(weights: Mapping[str, FloatArray]) -> bytes:
    """Write the network as ONNX; its input is "image", float32 [1, 3, 256, 128], its output the features.

    Args:
        weights: The checkpoint's arrays by name.
    """
    writer = _Writer(weights)
    graph = writer.graph
    x = writer.relu(writer.conv("image", "conv1.conv", "conv1.bn", stride=2))
    x = graph.node("MaxPool", [x], kernel_shape=(3, 3), strides=(2, 2), pads=(1, 1, 1, 1))
    for stage in (2, 3, 4):
        for block in (0, 1):
            x = writer.block(x, f"conv{stage}.{block}")
        if stage < 4:
            x = writer.relu(writer.conv(x, f"conv{stage}.2.0.conv", f"conv{stage}.2.0.bn"))
            x = graph.node("AveragePool", [x], kernel_shape=(2, 2), strides=(2, 2))
    x = writer.relu(writer.conv(x, "conv5.conv", "conv5.bn"))
    x = graph.node("Flatten", [graph.node("GlobalAveragePool", [x])])
    scale, shift = writer.norm("fc.1")
    last = [
        graph.constant("fc.weight", weights["fc.0.weight"] * scale[:, None]),
        graph.constant("fc.bias", weights["fc.0.bias"] * scale + shift),
    ]
    return graph.to_bytes(writer.relu(graph.node("Gemm", [x, *last], transB=1)), (1, FEATURES))


class _Writer:
    def __init__(self, weights: Mapping[str, FloatArray]) -> None:
        self._weights = weights
        self.graph = OnnxGraph("image", (1, 3, _HEIGHT_PX, _WIDTH_PX))

    def relu(self, x: str) -> str:
        return self.graph.node("Relu", [x])

    def norm(self, name: str) -> tuple[FloatArray, FloatArray]:
        """Scale and shift of a batch normalisation."""
        scale = self._weights[f"{name}.weight"] / np.sqrt(self._weights[f"{name}.running_var"] + _BATCH_NORM_EPS)
        return scale, self._weights[f"{name}.bias"] - self._weights[f"{name}.running_mean"] * scale

    def conv(self, x: str, name: str, norm: str = "", *, stride: int = 1) -> str:
        """A convolution with its own padding, and a normalisation folded into it."""
        kernels = self._weights[f"{name}.weight"]
        inputs = [x]
        if norm:
            scale, shift = self.norm(norm)
            kernels = kernels * scale[:, None, None, None]
        inputs.append(self.graph.constant(f"{name}.weight", kernels))
        if norm:
            inputs.append(self.graph.constant(f"{name}.bias", shift))
        elif f"{name}.bias" in self._weights:
            inputs.append(self.graph.constant(f"{name}.bias", self._weights[f"{name}.bias"]))
        side = kernels.shape[2]
        return self.graph.node(
            "Conv",
            inputs,
            kernel_shape=(side, side),
            strides=(stride, stride),
            pads=(side // 2,) * 4,
            group=kernels.shape[0] if kernels.shape[1] == 1 else 1,
        )

    def block(self, x: str, name: str) -> str:
        """Four branches of one to four small convolutions, gated and summed, around a shortcut."""
        first = self.relu(self.conv(x, f"{name}.conv1.conv", f"{name}.conv1.bn"))
        gated = []
        for length, letter in enumerate("abcd", start=1):
            y = first
            for step in range(length):
                part = f"{name}.conv2{letter}" + (f".{step}" if length > 1 else "")
                y = self.conv(y, f"{part}.conv1")
                y = self.relu(self.conv(y, f"{part}.conv2", f"{part}.bn"))
            gated.append(self.graph.node("Mul", [y, self._gate(y, name, letter)]))
        y = self.conv(self.graph.node("Sum", gated), f"{name}.conv3.conv", f"{name}.conv3.bn")
        if f"{name}.downsample.conv.weight" in self._weights:
            x = self.conv(x, f"{name}.downsample.conv", f"{name}.downsample.bn")
        return self.relu(self.graph.node("Add", [x, y]))

    def _gate(self, y: str, name: str, letter: str) -> str:
        """One gate serves the four branches; its constants are written once."""
        names = [f"{name}.gate.{layer}.{kind}" for layer in ("fc1", "fc2") for kind in ("weight", "bias")]
        if letter == "a":
            for each in names:
                self.graph.constant(each, self._weights[each])
        small = self.graph.node("Conv", [self.graph.node("GlobalAveragePool", [y]), *names[:2]])
        return self.graph.node("Sigmoid", [self.graph.node("Conv", [self.relu(small), *names[2:]])])


def _read(path: Path) -> dict[str, FloatArray]:
    import torch

    state = torch.load(path, map_location="cpu", weights_only=True)  # so it cannot run code
    return {name.removeprefix("module."): _plain(tensor.numpy()) for name, tensor in state.items()}


def _plain(values: FloatArray) -> FloatArray:
    """The values with the tiniest set to 0: they do nothing, and below 1e-38 each costs ten times the time."""
    return np.where(np.abs(values) < _NOTHING, 0, values).astype(values.dtype)
