"""A tiny TFLite file, written here with flatbuffers' own builder, against the same network in torch."""

from __future__ import annotations

import flatbuffers
import numpy as np
import pytest

from hippocam.models.nets.tflite_file import read_tflite
from hippocam.models.nets.tflite_onnx import to_onnx

CONV, DEPTHWISE, ADD, POOL, NEAREST, RESHAPE, CONCAT = 3, 4, 0, 17, 97, 22, 2


class File:
    """Writes tables of tensorflow/lite/schema/schema.fbs by the numbers of their fields."""

    def __init__(self) -> None:
        self.builder = flatbuffers.Builder(1024)
        self.tensors: list[int] = []
        self.buffers: list[int] = [self.table({})]
        self.operators: list[tuple[int, list[int], list[int], list[int]]] = []

    def table(self, fields) -> int:
        """Fields by number: an int8 ("b", n), an int32 ("i", n), or the offset of what was written before."""
        self.builder.StartObject(max(fields, default=-1) + 1)
        for number, value in fields.items():
            if isinstance(value, tuple) and value[0] == "b":
                self.builder.PrependInt8Slot(number, value[1], 127)
            elif isinstance(value, tuple):
                self.builder.PrependInt32Slot(number, value[1], -9999)
            else:
                self.builder.PrependUOffsetTRelativeSlot(number, value, 0)
        return self.builder.EndObject()

    def offsets(self, offsets) -> int:
        self.builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self.builder.PrependUOffsetTRelative(offset)
        return self.builder.EndVector()

    def vector(self, values, dtype) -> int:
        return self.builder.CreateNumpyVector(np.asarray(values, dtype).ravel())

    def tensor(self, shape, values=None, scale=None) -> int:
        buffer, fields = 0, {0: self.vector(shape, np.int32), 1: ("b", 0)}
        if values is not None:
            kind = {np.dtype("int8"): 9, np.dtype("int32"): 2, np.dtype("float32"): 0}[values.dtype]
            raw = self.vector(np.frombuffer(values.tobytes(), np.uint8), np.uint8)
            self.buffers.append(self.table({0: raw}))
            buffer, fields[1] = len(self.buffers) - 1, ("b", kind)
        if scale is not None:
            scales, zeros = self.vector(scale, np.float32), self.vector(np.zeros(len(scale)), np.int64)
            along = int(np.argmax(np.array(shape) == len(scale))) if len(scale) > 1 else 0
            fields[4] = self.table({2: scales, 3: zeros, 6: ("i", along)})
        fields[2] = ("i", buffer)
        self.tensors.append(self.table(fields))
        return len(self.tensors) - 1

    def add(self, code, inputs, output, options) -> int:
        self.operators.append((code, inputs, [output], options))
        return output

    def bytes(self) -> bytes:
        codes = sorted({code for code, *_ in self.operators})
        operators = []
        for code, inputs, outputs, options in self.operators:
            chosen = self.table({i: ("b", value) for i, value in enumerate(options)})
            ins, outs = self.vector(inputs, np.int32), self.vector(outputs, np.int32)
            operators.append(self.table({0: ("i", codes.index(code)), 1: ins, 2: outs, 4: chosen}))
        kinds = [self.table({0: ("b", code), 3: ("i", code)}) for code in codes]
        graph = self.table({0: self.offsets(self.tensors), 3: self.offsets(operators)})
        model = self.table({1: self.offsets(kinds), 2: self.offsets([graph]), 4: self.offsets(self.buffers)})
        self.builder.Finish(model, b"TFL3")
        return bytes(self.builder.Output())


def written():
    """A network of every operator that is known, and what it gives for a picture, by torch."""
    import torch
    from torch.nn import functional as f

    rng, file = np.random.default_rng(0), File()
    kernels, deep = rng.integers(-127, 127, (6, 3, 3, 3), np.int8), rng.integers(-127, 127, (1, 3, 3, 6), np.int8)
    scales, deep_scale = rng.uniform(0.001, 0.01, 6), [0.004]
    bias = rng.integers(-500, 500, 6).astype(np.int32)
    picture = file.tensor((1, 7, 7, 3))
    first = file.add(
        CONV,
        [picture, file.tensor(kernels.shape, kernels, scales), file.tensor((6,), bias, [0.002])],
        file.tensor((1, 4, 4, 6)),
        [0, 2, 2, 3],  # same padding, strides, relu6
    )
    second = file.add(
        DEPTHWISE,
        [first, file.tensor(deep.shape, deep, deep_scale), file.tensor((6,), np.zeros(6, np.int32), [1.0])],
        file.tensor((1, 4, 4, 6)),
        [0, 1, 1, 1, 0],
    )
    third = file.add(ADD, [first, second], file.tensor((1, 4, 4, 6)), [3])
    pooled = file.add(POOL, [third], file.tensor((1, 2, 2, 6)), [0, 2, 2, 3, 3])
    grown = file.add(
        NEAREST, [pooled, file.tensor((2,), np.array([5, 5], np.int32))], file.tensor((1, 5, 5, 6)), []
    )
    rows = [
        file.add(RESHAPE, [each, file.tensor((3,), np.array([1, -1, 3], np.int32))], file.tensor(shape), [])
        for each, shape in ((third, (1, 32, 3)), (grown, (1, 50, 3)))
    ]
    file.add(CONCAT, rows, file.tensor((1, 82, 3)), [1])

    image = rng.normal(size=(1, 3, 7, 7)).astype(np.float32)
    weights = torch.from_numpy((kernels * scales[:, None, None, None]).astype(np.float32).transpose(0, 3, 1, 2))
    depth = torch.from_numpy((deep * deep_scale[0]).astype(np.float32).transpose(3, 0, 1, 2))
    x = f.pad(torch.from_numpy(image), (1, 1, 1, 1))
    a = f.relu6(f.conv2d(x, weights, torch.from_numpy((bias * 0.002).astype(np.float32)), stride=2))
    b = f.conv2d(f.pad(a, (1, 1, 1, 1)), depth, groups=6)
    c = f.relu6(a + b)
    d = f.max_pool2d(f.pad(c, (0, 1, 0, 1), value=-torch.inf), 3, stride=2)
    e = d[:, :, [0, 0, 0, 1, 1]][:, :, :, [0, 0, 0, 1, 1]]  # floor(i * 2 / 5)
    expected = np.concatenate([each.numpy().transpose(0, 2, 3, 1).reshape(-1, 3) for each in (c, e)])
    return file.bytes(), image, expected


def test_the_converted_network_gives_what_torch_gives():
    from hippocam.models.nets.onnx_session import open_session

    data, image, expected = written()
    model, parts = to_onnx(read_tflite(data))
    assert parts == ((1, 82, 3),)
    (flat,) = open_session(model, threads=1).run(None, {"input": image})
    np.testing.assert_allclose(flat.reshape(-1, 3), expected, rtol=1e-4, atol=1e-5)
    assert expected.std() > 0.1


def test_what_is_not_known_is_said():
    with pytest.raises(ValueError, match="TFL3"):
        read_tflite(b"nothing of the kind")
    file = File()
    file.add(99, [file.tensor((1, 4, 4, 3))], file.tensor((1, 4, 4, 3)), [])
    with pytest.raises(ValueError, match="operator 99"):
        to_onnx(read_tflite(file.bytes()))
