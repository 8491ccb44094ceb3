"""A TFLite file into its tensors and operators, without TensorFlow.

The file is a FlatBuffer (flatbuffers.dev/internals): tables whose fields are found by their number through a table
of offsets. The numbers below are those of tensorflow/lite/schema/schema.fbs. Whatever reads an offset checks it: a
file that lies about itself ends in an error of struct or NumPy, and no code in it is run.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hippocam.stream.records import FloatArray

_FLOAT = 0
_INT32 = 2
_INT8 = 9
_DTYPES = {_FLOAT: "<f4", _INT32: "<i4", _INT8: "i1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorInfo:
    """One tensor: its shape, and its numbers as float32 where they stand in the file (None: they are computed)."""

    shape: tuple[int, ...]
    values: FloatArray | None


class Operator(NamedTuple):
    """One step: code as in BuiltinOperator, indices of tensors, and the numbers of its options in their order."""

    code: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: tuple[int, ...]


class TfliteModel(NamedTuple):
    """The first subgraph of a model, its operators in the order in which they run."""

    tensors: tuple[TensorInfo, ...]
    operators: tuple[Operator, ...]


def read_tflite(data: bytes) -> TfliteModel:
    """Read a model; quantised constants become float32.

    Raises:
        ValueError: It is no TFLite file, or has constants of another kind than float32, int32 and int8.
    """
    if data[4:8] != b"TFL3":
        raise ValueError("not a TFLite file: bytes 4 to 8 must be TFL3")
    model = _Table(data, struct.unpack_from("<I", data, 0)[0])
    codes = [max(code.number(0, "b"), code.number(3, "i")) for code in model.tables(1)]
    buffers, graph = model.tables(4), model.tables(2)[0]
    tensors = tuple(_tensor(tensor, buffers) for tensor in graph.tables(0))
    operators = tuple(
        Operator(
            code=codes[operator.number(0, "I")],
            inputs=operator.ints(1),
            outputs=operator.ints(2),
            options=() if (options := operator.table(4)) is None else options.small_numbers(),
        )
        for operator in graph.tables(3)
    )
    return TfliteModel(tensors, operators)


def _tensor(tensor: _Table, buffers: list[_Table]) -> TensorInfo:
    shape, kind = tensor.ints(0), tensor.number(1, "b")
    raw = buffers[tensor.number(2, "I")].vector(0, "u1")
    if not raw.size:
        return TensorInfo(shape=shape, values=None)
    if kind not in _DTYPES:
        raise ValueError(f"a constant of kind {kind} cannot be read; known are {sorted(_DTYPES)}")
    values = raw.view(_DTYPES[kind]).reshape(shape).astype(np.float32)
    quantisation = tensor.table(4)
    if quantisation is not None and (scale := np.asarray(quantisation.vector(2, "<f4"), np.float32)).size:
        zero, along = quantisation.vector(3, "<i8"), quantisation.number(6, "i")
        spread = [1] * len(shape)
        spread[along] = len(scale)  # one scale a channel, or one for all
        values = (values - zero.astype(np.float32).reshape(spread)) * scale.reshape(spread)
    return TensorInfo(shape=shape, values=values)


class _Table:
    """A table of a FlatBuffer at an offset in its bytes."""

    def __init__(self, data: bytes, offset: int) -> None:
        self._data, self._start = data, offset
        self._offsets = offset - struct.unpack_from("<i", data, offset)[0]
        self._fields = (struct.unpack_from("<H", data, self._offsets)[0] - 4) // 2

    def number(self, field: int, kind: str) -> int:
        """An integer field of a struct kind; 0 where it is left out."""
        offset = self._field(field)
        return int(struct.unpack_from(f"<{kind}", self._data, offset)[0]) if offset else 0

    def small_numbers(self) -> tuple[int, ...]:
        """All fields, as far as their first byte tells: strides, padding and activations are small."""
        return tuple(self.number(field, "b") for field in range(self._fields))

    def table(self, field: int) -> _Table | None:
        offset = self._field(field)
        return _Table(self._data, self._follow(offset)) if offset else None

    def tables(self, field: int) -> list[_Table]:
        offset = self._field(field)
        if not offset:
            return []
        start = self._follow(offset)
        (count,) = struct.unpack_from("<I", self._data, start)
        return [_Table(self._data, self._follow(start + 4 * (1 + i))) for i in range(count)]

    def vector(self, field: int, dtype: str) -> np.ndarray[tuple[int], np.dtype[np.generic]]:
        offset = self._field(field)
        if not offset:
            return np.zeros(0, dtype)
        start = self._follow(offset)
        (count,) = struct.unpack_from("<I", self._data, start)
        return np.frombuffer(self._data, dtype, count, start + 4)

    def ints(self, field: int) -> tuple[int, ...]:
        return tuple(int(number) for number in self.vector(field, "<i4"))

    def _field(self, field: int) -> int:
        if field >= self._fields:
            return 0
        (offset,) = struct.unpack_from("<H", self._data, self._offsets + 4 + 2 * field)
        return self._start + int(offset) if offset else 0

    def _follow(self, offset: int) -> int:
        return offset + int(struct.unpack_from("<I", self._data, offset)[0])
