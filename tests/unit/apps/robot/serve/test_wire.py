"""openpi's messages, against its own client's codec where that is installed, and against damage."""

import msgpack
import numpy as np
import pytest

from hippocam.apps.robot.serve.wire import WireError, pack, unpack


def theirs(value):
    """What openpi_client/msgpack_numpy.py does with an array or a number, as its source has it."""
    if isinstance(value, np.ndarray):
        return {b"__ndarray__": True, b"data": value.tobytes(), b"dtype": value.dtype.str, b"shape": value.shape}
    return {b"__npgeneric__": True, b"data": value.item(), b"dtype": value.dtype.str}


@pytest.mark.parametrize("dtype", ["u1", "i8", "f4", "f8", "?", ">f4", "f2"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4), (0, 7)])
def test_arrays_come_back_as_they_were(dtype, shape):
    array = np.ones(shape, dtype)
    for data in (pack({"a": array}), msgpack.packb({"a": array}, default=theirs)):
        found = unpack(data)["a"]
        assert found.dtype == array.dtype
        assert np.array_equal(found, array)


def test_numbers_of_numpy_and_nested_values_come_back():
    value = {"a": np.float32(1.5), "b": [1, "x", {"c": np.int64(-3)}], "d": None}
    assert unpack(pack(value)) == value
    assert unpack(msgpack.packb(value, default=theirs)) == value


def test_what_this_side_writes_is_what_theirs_writes():
    value = {"actions": np.zeros((10, 7), np.float32)}
    assert unpack(msgpack.packb(value, default=theirs))["actions"].shape == (10, 7)
    assert msgpack.unpackb(pack(value)) == msgpack.unpackb(msgpack.packb(value, default=theirs))


@pytest.mark.parametrize("value", [np.array([object()]), np.array([1j]), np.zeros(2, "V4"), object()])
def test_objects_records_and_complex_numbers_are_not_sent(value):
    with pytest.raises(WireError):
        pack({"a": value})


@pytest.mark.parametrize(
    "content",
    [
        {b"__ndarray__": True, b"data": b"abcd", b"dtype": "|O", b"shape": [1]},
        {b"__ndarray__": True, b"data": b"abcd", b"dtype": "<f4", b"shape": [2]},
        {b"__ndarray__": True, b"data": b"abcd", b"dtype": "<f4", b"shape": [-1]},
        {b"__ndarray__": True, b"data": b"abcd", b"dtype": "no type", b"shape": [1]},
        {b"__ndarray__": True, b"data": "text", b"dtype": "<f4", b"shape": [1]},
        {b"__ndarray__": True, b"data": b"", b"dtype": "<f4", b"shape": [0, 1 << 60]},
        {b"__ndarray__": True},
        {b"__npgeneric__": True, b"data": [1], b"dtype": "|O"},
        {b"__npgeneric__": True, b"data": 300, b"dtype": "|i1"},
        {b"__npgeneric__": True, b"data": 1, b"dtype": "(1,"},
    ],
)
def test_arrays_that_cannot_be_are_refused_in_one_line(content):
    told = []
    try:
        assert unpack(msgpack.packb(content)).size == 0  # an empty array of a large shape takes no memory
    except WireError as error:
        told.append(str(error))
    assert "\n" not in "".join(told)


@pytest.mark.parametrize("seed", range(200))
def test_damage_is_an_error_of_ours_or_a_value(seed):
    rng = np.random.default_rng(seed)
    data = bytearray(pack({"observation/image": np.zeros((4, 4, 3), np.uint8), "prompt": "pick", "n": [1, 2, 3]}))
    for _ in range(int(rng.integers(1, 6))):
        data[int(rng.integers(len(data)))] = int(rng.integers(256))
    told = []
    try:
        unpack(bytes(data[: int(rng.integers(1, len(data) + 1))]))
    except WireError as error:
        told.append(str(error))
    assert "\n" not in "".join(told)
