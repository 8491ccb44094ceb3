"""Layers written down one by one into the bytes of an ONNX model, without the `onnx` package.

ONNX Runtime runs a convolutional network about twice as fast on a CPU as torch does, and some weights are
published for torch only. An ONNX file is a protocol buffer: fields, each a number, a kind and a value
(protobuf.dev/programming-guides/encoding); the numbers below are those of onnx/onnx.proto.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_IR_VERSION = 8
_OPSETS = {"": 17, "com.microsoft": 1}  # by who defines the operators
_KINDS = {"float32": 1, "int8": 3, "int64": 7}  # of numbers
# Kinds of attribute.
_FLOAT = 1
_INT = 2
_STRING = 3
_INTS = 7


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

    def constant(self, name: str, values: NDArray[np.float32] | NDArray[np.int8] | NDArray[np.int64]) -> str:
        """Add fixed numbers, float32, int8 or int64, and give their name."""
        fields = [_varint_field(1, size) for size in values.shape]
        fields += [_varint_field(2, _KINDS[values.dtype.name]), _bytes_field(8, name.encode())]
        fields += [_bytes_field(9, np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes())]
        self._constants.append(b"".join(fields))
        return name

    def node(self, operator: str, inputs: Sequence[str], **attributes: int | float | str | Sequence[int]) -> str:
        """Add an operator with its attributes and give the name of its output.

        Args:
            operator: Its name, after "com.microsoft." where it is ONNX Runtime's own.
            inputs: Names of what it reads, "" for what it may do without.
            attributes: By their names.
        """
        (output,) = self.nodes(operator, inputs, 1, **attributes)
        return output

    def nodes(
        self, operator: str, inputs: Sequence[str], outputs: int, **attributes: int | float | str | Sequence[int]
    ) -> list[str]:
        """Add an operator with several outputs, and give their names; see `node`."""
        domain, _, kind = operator.rpartition(".")
        names = [f"{kind}_{len(self._nodes)}_{i}" for i in range(outputs)]
        fields = [_bytes_field(1, name.encode()) for name in inputs]
        fields += [_bytes_field(2, name.encode()) for name in names]
        fields += [_bytes_field(4, kind.encode()), _bytes_field(7, domain.encode())]
        fields += [_bytes_field(5, _attribute(name, value)) for name, value in attributes.items()]
        self._nodes.append(b"".join(fields))
        return names

    def to_bytes(self, output: str, shape: Sequence[int]) -> bytes:
        """Give the model whose result is the named output of the given shape."""
        fields = [_bytes_field(1, node) for node in self._nodes] + [_bytes_field(2, b"graph")]
        fields += [_bytes_field(5, constant) for constant in self._constants]
        fields += [_bytes_field(11, self._input)]
        fields += [_bytes_field(12, _value_info(output, shape))]
        opsets = [_bytes_field(1, domain.encode()) + _varint_field(2, _OPSETS[domain]) for domain in _OPSETS]
        asked = b"".join(_bytes_field(8, opset) for opset in opsets)
        return _varint_field(1, _IR_VERSION) + asked + _bytes_field(7, b"".join(fields))


def _attribute(name: str, value: int | float | str | Sequence[int]) -> bytes:
    if isinstance(value, int):
        body = _varint_field(3, value) + _varint_field(20, _INT)
    elif isinstance(value, float):
        body = _varint(2 << 3 | 5) + struct.pack("<f", value) + _varint_field(20, _FLOAT)
    elif isinstance(value, str):
        body = _bytes_field(4, value.encode()) + _varint_field(20, _STRING)
    else:
        body = b"".join(_varint_field(8, item) for item in value) + _varint_field(20, _INTS)
    return _bytes_field(1, name.encode()) + body


def _value_info(name: str, shape: Sequence[int]) -> bytes:
    sizes = b"".join(_bytes_field(1, _varint_field(1, size)) for size in shape)
    tensor = _varint_field(1, _KINDS["float32"]) + _bytes_field(2, sizes)
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
