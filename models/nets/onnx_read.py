"""The bytes of an ONNX model into its numbers, without the `onnx` package.

An ONNX file is a protocol buffer (see `onnx_graph.py`, which writes one). Only raw float32 constants
are given, which is what weights are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from hippocam.stream.records import FloatArray

_FLOAT = 1
_BYTES = 2
_WIDTHS = {1: 8, 5: 4}


class Field(NamedTuple):
    """A field of a message: its number, and a number or where its bytes begin and end."""

    number: int
    value: int
    start: int
    end: int


def read_constants(model: bytes) -> dict[str, FloatArray]:
    """Give a model's float32 constants by the names of what uses them, as views of its bytes.

    A convolution's or a product's constants are called after their layer, with ".weight" and ".bias"
    ("blocks.0.mlp.fc1.weight"), others after themselves without "model.". A product's weight is
    [inputs, outputs], the transpose of torch's.

    Args:
        model: The file.
    """
    graph = next(field for field in _fields(model, 0, len(model)) if field.number == 7)
    constants: dict[str, FloatArray] = {}
    names: dict[str, str] = {}
    for field in _fields(model, graph.start, graph.end):
        if field.number == 5:
            constants |= _constant(model, field)
        elif field.number == 1:
            names |= _uses(model, field)
    return {names.get(name, name.removeprefix("model.")): values for name, values in constants.items()}


def _constant(model: bytes, tensor: Field) -> dict[str, FloatArray]:
    shape, name, kind, raw = [], "", 0, tensor
    for field in _fields(model, tensor.start, tensor.end):
        if field.number == 1:
            shape += _packed(model, field)
        elif field.number == 2:
            kind = field.value
        elif field.number == 8:
            name = model[field.start : field.end].decode()
        elif field.number == 9:
            raw = field
    if kind != _FLOAT or raw is tensor:
        return {}
    values = np.frombuffer(model, "<f4", (raw.end - raw.start) // 4, raw.start)
    return {name: values.reshape(shape)}


def _uses(model: bytes, node: Field) -> dict[str, str]:
    """Give the inputs of a convolution or a product after the first, and what to call them."""
    texts: dict[int, list[str]] = {1: [], 3: [], 4: []}
    for field in _fields(model, node.start, node.end):
        if field.number in texts:
            texts[field.number].append(model[field.start : field.end].decode())
    if texts[4] not in (["Conv"], ["MatMul"]) or not texts[3]:
        return {}
    layer = texts[3][0].strip("/").replace("/", ".").removeprefix("model.").rpartition(".")[0]
    return dict(zip(texts[1][1:], (f"{layer}.weight", f"{layer}.bias"), strict=False))


def _packed(model: bytes, field: Field) -> list[int]:
    """Give repeated numbers, which may stand alone or many in one field."""
    if field.start == field.end:
        return [field.value]
    values, at = [], field.start
    while at < field.end:
        value, at = _varint(model, at)
        values.append(value)
    return values


def _fields(model: bytes, at: int, end: int) -> Iterator[Field]:
    while at < end:
        key, at = _varint(model, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = _varint(model, at)
            yield Field(number, value, at, at)
        else:
            size, at = _varint(model, at) if kind == _BYTES else (_WIDTHS[kind], at)
            yield Field(number, 0, at, at + size)
            at += size


def _varint(model: bytes, at: int) -> tuple[int, int]:
    """Give a number and where the next begins; seven bits a byte, the least first."""
    value, shift = 0, 0
    while True:
        byte = model[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
