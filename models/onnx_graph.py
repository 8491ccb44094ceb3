"""Layers written down one by one into the bytes of an ONNX model, without the `onnx` package.

ONNX Runtime runs a convolutional network about twice as fast on a CPU as torch does, and some weights are
published for torch only. An ONNX file is a protocol buffer: fields, each a number, a kind and a value
(protobuf.dev/programming-guides/encoding); the numbers below are those of onnx/onnx.proto.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hippocam.stream.records import FloatArray

_FLOAT, _IR_VERSION, _OPSET = 1, 8, 13
_INT, _STRING, _INTS = 2, 3, 7  # kinds of attribute


class OnnxGraph:
    """Collects layers; `to_bytes` gives a model that onnxruntime.InferenceSession takes.

    Args:
        name: Name of the input.
        shape: Its shape; float32.
    """

    def __init__(self, name: str, shape: Sequence[int]) -> None:
        self._input = _value_info(name, shape)
        self._nodes: list[bytes] = []
        self._constants: list[bytes] = []

    def constant(self, name: str, values: FloatArray) -> str:
        """Add fixed float32 numbers and give their name."""
        fields = [_varint_field(1, size) for size in values.shape]
        fields += [_varint_field(2, _FLOAT), _bytes_field(8, name.encode())]
        fields += [_bytes_field(9, np.ascontiguousarray(values, "<f4").tobytes())]
        self._constants.append(b"".join(fields))
        return name

    def node(self, operator: str, inputs: Sequence[str], **attributes: int | str | Sequence[int]) -> str:
        """Add an operator with its attributes and give the name of its output."""
        output = f"{operator}_{len(self._nodes)}"
        fields = [_bytes_field(1, name.encode()) for name in inputs]
        fields += [_bytes_field(2, output.encode()), _bytes_field(4, operator.encode())]
        fields += [_bytes_field(5, _attribute(name, value)) for name, value in attributes.items()]
        self._nodes.append(b"".join(fields))
        return output

    def to_bytes(self, output: str, shape: Sequence[int], *others: tuple[str, Sequence[int]]) -> bytes:
        """Give the model whose result is the named output of the given shape, and then any others."""
        fields = [_bytes_field(1, node) for node in self._nodes] + [_bytes_field(2, b"graph")]
        fields += [_bytes_field(5, constant) for constant in self._constants]
        fields += [_bytes_field(11, self._input)]
        fields += [_bytes_field(12, _value_info(name, shape)) for name, shape in ((output, shape), *others)]
        opset = _bytes_field(8, _bytes_field(1, b"") + _varint_field(2, _OPSET))
        return _varint_field(1, _IR_VERSION) + opset + _bytes_field(7, b"".join(fields))


def _attribute(name: str, value: int | str | Sequence[int]) -> bytes:
    if isinstance(value, int):
        body = _varint_field(3, value) + _varint_field(20, _INT)
    elif isinstance(value, str):
        body = _bytes_field(4, value.encode()) + _varint_field(20, _STRING)
    else:
        body = b"".join(_varint_field(8, item) for item in value) + _varint_field(20, _INTS)
    return _bytes_field(1, name.encode()) + body


def _value_info(name: str, shape: Sequence[int]) -> bytes:
    sizes = b"".join(_bytes_field(1, _varint_field(1, size)) for size in shape)
    tensor = _varint_field(1, _FLOAT) + _bytes_field(2, sizes)
    return _bytes_field(1, name.encode()) + _bytes_field(2, _bytes_field(1, tensor))


def _varint_field(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _bytes_field(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    """Seven bits a byte, the least first; the top bit says that more follow."""
    assert value >= 0
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
