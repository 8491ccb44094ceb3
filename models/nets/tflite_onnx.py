"""A convolutional TFLite model into an ONNX model, so that one runtime runs everything.

Only the operators of MediaPipe's detectors are known. Quantised weights become float32 and so does the arithmetic:
what quantisation rounded away is gone, but nothing is rounded again between layers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hippocam.models.nets.onnx_graph import OnnxGraph
from hippocam.models.nets.tflite_file import Operator, TensorInfo, TfliteModel

_ADD = 0
_CONCATENATION = 2
_CONV = 3
_DEPTHWISE = 4
_DEQUANTIZE = 6
_LOGISTIC = 14
_MAX_POOL = 17
_RESHAPE = 22
_NEAREST = 97
_QUANTIZE = 114
_PADDING = ("SAME_UPPER", "VALID")
_NO_ACTIVATION = 0
_RELU6 = 3
# A hair more than the exact ratio, so that rounding down gives the size and the pixels that were meant.
_HAIR = 1e-4


class Converted(NamedTuple):
    """The bytes of an ONNX model, and the sizes of the tensors that follow one another in its output."""

    model: bytes
    parts: tuple[tuple[int, ...], ...]


def to_onnx(model: TfliteModel) -> Converted:
    """Write a model down as ONNX: one picture float32 [1, 3, H, W] called "input" in, one flat vector out.

    The vector holds what the model concatenates last, one such tensor after the other. A final sigmoid is left
    out, since only few of its values are needed.

    Raises:
        ValueError: The model has an operator that is not known here.
    """
    _, height, width, channels = model.tensors[model.operators[0].inputs[0]].shape
    writer = _Writer(model, OnnxGraph("input", (1, channels, height, width)))
    ends = [o for o in model.operators if o.code == _CONCATENATION]
    for operator in model.operators:
        writer.add(operator)
    flat = [name for end in ends for name in writer.pieces(end)]
    output = writer.graph.node("Concat", flat, axis=1)
    parts = tuple(model.tensors[end.outputs[0]].shape for end in ends)
    size = sum(int(np.prod(part)) for part in parts)
    return Converted(writer.graph.to_bytes(output, (1, size)), parts)


class _Writer:
    def __init__(self, model: TfliteModel, graph: OnnxGraph) -> None:
        self.graph = graph
        self._tensors = model.tensors
        self._names = {model.operators[0].inputs[0]: "input"}
        limits = (np.float32(0), np.float32(6))
        self._limits = [graph.constant(f"limit_{i}", np.array(limit)) for i, limit in enumerate(limits)]

    def add(self, operator: Operator) -> None:
        """Add one step; its name is kept for those that need it."""
        code, options = operator.code, (*operator.options, 0, 0, 0, 0, 0)
        if code in (_CONV, _DEPTHWISE):
            name = self._convolution(operator, options)
        elif code == _ADD:
            name = self._activated(self.graph.node("Add", self._inputs(operator)), options[0])
        elif code == _MAX_POOL:
            name = self.graph.node(
                "MaxPool",
                self._inputs(operator),
                kernel_shape=(options[4], options[3]),
                strides=(options[2], options[1]),
                auto_pad=_PADDING[options[0]],
            )
        elif code == _NEAREST:
            name = self._resized(operator)
        elif code == _RESHAPE:  # a picture into rows: its channels go last, as TFLite has them
            last = self.graph.node("Transpose", self._inputs(operator)[:1], perm=(0, 2, 3, 1))
            name = self.graph.node("Flatten", [last], axis=1)
        elif code in (_QUANTIZE, _DEQUANTIZE, _LOGISTIC):
            name = self._inputs(operator)[0] if operator.inputs[0] in self._names else ""
        elif code == _CONCATENATION:
            return
        else:
            raise ValueError(f"TFLite operator {code} is not known here")
        self._names[operator.outputs[0]] = name

    def pieces(self, end: Operator) -> list[str]:
        """Names of the tensors that are concatenated, each flattened."""
        return self._inputs(end)

    def _inputs(self, operator: Operator) -> list[str]:
        return [self._names[i] for i in operator.inputs if self._tensors[i].values is None]

    def _constant(self, name: str, tensor: TensorInfo, axes: tuple[int, ...]) -> str:
        assert tensor.values is not None
        return self.graph.constant(name, np.transpose(tensor.values, axes))

    def _convolution(self, operator: Operator, options: tuple[int, ...]) -> str:
        weights, bias = (self._tensors[i] for i in operator.inputs[1:])
        depthwise = operator.code == _DEPTHWISE
        label = f"conv_{operator.outputs[0]}"
        # TFLite keeps [out, h, w, in], depthwise [1, h, w, out]; ONNX wants [out, in of the group, h, w]
        axes = (3, 0, 1, 2) if depthwise else (0, 3, 1, 2)
        inputs = [
            *self._inputs(operator),
            self._constant(f"{label}_weights", weights, axes),
            self._constant(f"{label}_bias", bias, (0,)),
        ]
        name = self.graph.node(
            "Conv",
            inputs,
            strides=(options[2], options[1]),
            group=weights.shape[3] if depthwise else 1,
            auto_pad=_PADDING[options[0]],
        )
        return self._activated(name, options[4 if depthwise else 3])

    def _activated(self, name: str, activation: int) -> str:
        if activation == _NO_ACTIVATION:
            return name
        if activation != _RELU6:
            raise ValueError(f"TFLite activation {activation} is not known here")
        return self.graph.node("Clip", [name, *self._limits])

    def _resized(self, operator: Operator) -> str:
        before, after = (self._tensors[i].shape for i in (operator.inputs[0], operator.outputs[0]))
        ratio = [(new + _HAIR) / old for old, new in zip(before[1:3], after[1:3], strict=True)]
        scales = self.graph.constant(f"scales_{operator.outputs[0]}", np.array([1, 1, *ratio], np.float32))
        return self.graph.node(
            "Resize",
            [*self._inputs(operator), "", scales],
            mode="nearest",
            nearest_mode="floor",
            coordinate_transformation_mode="asymmetric",
        )
