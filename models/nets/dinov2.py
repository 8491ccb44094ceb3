"""Pictures into tokens of 384 numbers, one of the whole and 8 x 8 of its parts: DINOv2 ViT-S/14 in int8.

Oquab et al. 2023, "DINOv2: Learning Robust Visual Features without Supervision". It learned from pictures alone,
142 million of them, so it knows rooms, drawings and scenes beside the kinds of things that ImageNet names.

The weights are published as an ONNX model in float32. Here the same network is written again with the products of
its layers in int8, which takes about a third of the time: weights have one scale for each output, inputs one for
each picture (as in ONNX Runtime's dynamic quantisation). Weights keep to 7 bits, since processors without VNNI add
pairs of products in 16 bits: so all processors get the same whole numbers. The two layers of the first block stay
as they are.

Shapes: S = 257 tokens inside, T = 65 given; C = 384 channels.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hippocam.models.nets.onnx_graph import OnnxGraph
from hippocam.models.nets.onnx_read import read_constants
from hippocam.models.nets.onnx_session import open_session
from hippocam.models.pictures import IMAGENET_DEVIATION, IMAGENET_MEAN, to_network
from hippocam.models.weights import fetch
from hippocam.stream.records import FloatArray, Image

TOKENS = 65
CHANNELS = 384
_INPUT_PX = 224
_PATCH_PX = 14
_GRID = 16
_POOLED = 8
_BLOCKS = 12
_HEADS = 6
_EPSILON = 1e-6
# Positions of the patches, which were learned on a finer grid.
_POSITIONS = "onnx::Reshape_1360"
_LEARNED_GRID = 37
_LARGEST = 63  # largest whole number of a weight
_EXACT = "blocks.0.mlp"  # flat areas of drawn pictures give single numbers here that are far from the others


class DinoV2:
    """The network; weights are fetched, read and rounded on construction.

    Args:
        threads: Threads for one picture, 0 for one on each core that this process may use.
        rounded: Whether the products are in int8; float32 otherwise, as published.
    """

    def __init__(self, threads: int = 0, *, rounded: bool = True) -> None:
        constants = read_constants(fetch("dinov2").read_bytes())
        self._session = open_session(_Writer(constants, rounded).model(), threads)

    def tokens(self, image: Image) -> FloatArray:
        """Give float32 [65, 384]: the whole picture's token, then the patches', row by row from the top left.

        Four patches of the network's 16 x 16 are averaged into one.

        Args:
            image: uint8 [H, W, 3], RGB, any size.
        """
        picture = to_network(image, _INPUT_PX, IMAGENET_MEAN, IMAGENET_DEVIATION)
        (tokens_1SC,) = self._session.run(None, {"input": picture})
        whole_C, patches_SC = tokens_1SC[0, 0], tokens_1SC[0, 1:]
        fours = patches_SC.reshape(_POOLED, 2, _POOLED, 2, CHANNELS)
        return np.concatenate([whole_C[None], fours.mean((1, 3)).reshape(-1, CHANNELS)])


class _Writer:
    """Writes the network down from its constants, named as `read_constants` names them."""

    def __init__(self, constants: Mapping[str, FloatArray], rounded: bool) -> None:
        self._constants, self._rounded = constants, rounded
        self._graph = OnnxGraph("input", (1, 3, _INPUT_PX, _INPUT_PX))

    def model(self) -> bytes:
        node = self._graph.node
        tokens = self._embedded()
        for block in (f"blocks.{index}." for index in range(_BLOCKS)):
            three = self._product(self._normed(tokens, block + "norm1"), block + "attn.qkv")
            heads = self._graph.nodes("Split", [three], 3, axis=2)
            mixed = node("com.microsoft.MultiHeadAttention", heads, num_heads=_HEADS)
            tokens = node("Add", [tokens, self._product(mixed, block + "attn.proj", block + "ls1.gamma")])
            hidden = self._product(self._normed(tokens, block + "norm2"), block + "mlp.fc1")
            hidden = node("com.microsoft.Gelu", [hidden])
            tokens = node("Add", [tokens, self._product(hidden, block + "mlp.fc2", block + "ls2.gamma")])
        return self._graph.to_bytes(self._normed(tokens, "norm"), (1, _GRID**2 + 1, CHANNELS))

    def _embedded(self) -> str:
        """Patches with their positions, behind the token of the whole."""
        graph, numbers = self._graph, self._constants
        weights = [
            graph.constant(f"patch.{part}", numbers[f"patch_embed.proj.{part}"]) for part in ("weight", "bias")
        ]
        patches = graph.node("Conv", ["input", *weights], strides=(_PATCH_PX, _PATCH_PX))
        learned = numbers[_POSITIONS].reshape(1, _LEARNED_GRID, _LEARNED_GRID, CHANNELS).transpose(0, 3, 1, 2)
        ratio = (_GRID + 0.1) / _LEARNED_GRID  # the authors' own: a hair more, against rounding down
        scales = graph.constant("scales", np.array([1, 1, ratio, ratio], np.float32))
        positions = graph.node("Resize", [graph.constant("places", learned), "", scales], mode="linear")
        patches = graph.node("Add", [patches, positions])
        rows = graph.node("Reshape", [patches, graph.constant("rows", np.array([1, CHANNELS, _GRID**2]))])
        whole = graph.constant("whole", 2 * numbers["cls_token"])  # its position is the same numbers
        return graph.node("Concat", [whole, graph.node("Transpose", [rows], perm=(0, 2, 1))], axis=1)

    def _normed(self, name: str, layer: str) -> str:
        weights = [
            self._graph.constant(f"{layer}.{p}", self._constants[f"{layer}.{p}"]) for p in ("weight", "bias")
        ]
        return self._graph.node("LayerNormalization", [name, *weights], axis=2, epsilon=_EPSILON)

    def _product(self, name: str, layer: str, scale: str | None = None) -> str:
        """A layer's product with its weights, into which a scale of its outputs is folded."""
        graph, weights, bias = self._graph, self._constants[f"{layer}.weight"], self._constants[f"{layer}.bias"]
        if scale is not None:
            weights, bias = weights * self._constants[scale], bias * self._constants[scale]
        biases = graph.constant(f"{layer}.bias", bias)
        if not self._rounded or layer.startswith(_EXACT):
            return graph.node("Add", [graph.node("MatMul", [name, graph.constant(layer, weights)]), biases])
        factors = np.abs(weights).max(0) / np.float32(_LARGEST)
        wholes = graph.constant(layer, np.rint(weights / factors).astype(np.int8))
        of_outputs = graph.constant(f"{layer}.factors", factors)
        return graph.node("com.microsoft.DynamicQuantizeMatMul", [name, wholes, of_outputs, "", biases])
