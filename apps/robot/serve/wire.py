"""openpi's messages: binary msgpack, in which arrays and single numbers of NumPy are maps.

    array    {b"__ndarray__": True, b"data": bytes, b"dtype": str, b"shape": [...]}
    number   {b"__npgeneric__": True, b"data": value, b"dtype": str}

as in openpi_client/msgpack_numpy.py. Arrays of objects, records and complex numbers are refused.
"""

from __future__ import annotations

import math
from typing import Any

import msgpack
import numpy as np

_REFUSED = "VOc"
# The longest nesting, and most values in one message, that are read.
_MOST_VALUES = 1_000_000


class WireError(ValueError):
    """A message that cannot be read; says in one line why."""


def pack(value: object) -> bytes:
    """Write a message.

    Raises:
        WireError: It holds what cannot be sent.
    """
    try:
        data: bytes = msgpack.packb(value, default=_packed)
    except (TypeError, ValueError, OverflowError) as error:
        raise WireError(f"cannot be sent: {error}") from error
    return data


def unpack(data: bytes) -> Any:
    """Read a message; arrays are read-only views of it.

    Raises:
        WireError: It is no such message.
    """
    try:
        return msgpack.unpackb(
            data, object_hook=_unpacked, max_array_len=_MOST_VALUES, max_map_len=_MOST_VALUES, strict_map_key=False
        )
    except WireError:
        raise
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError, msgpack.UnpackException) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise WireError(f"no message of openpi's protocol ({reason:.200})") from error


def _packed(value: object) -> object:
    if isinstance(value, (np.ndarray, np.generic)):
        if value.dtype.kind in _REFUSED:
            raise ValueError(f"unsupported dtype {value.dtype}")
        if isinstance(value, np.ndarray):
            shape = list(value.shape)
            return {b"__ndarray__": True, b"data": value.tobytes(), b"dtype": value.dtype.str, b"shape": shape}
        return {b"__npgeneric__": True, b"data": value.item(), b"dtype": value.dtype.str}
    raise TypeError(f"unsupported type {type(value).__name__}")


def _unpacked(value: dict[Any, Any]) -> object:
    if b"__ndarray__" in value:
        dtype, shape, data = _dtype(value[b"dtype"]), tuple(value[b"shape"]), value[b"data"]
        if not all(isinstance(size, int) and size >= 0 for size in shape):
            raise WireError("an array's shape must be whole numbers of 0 or more")
        if not isinstance(data, bytes) or len(data) != dtype.itemsize * math.prod(shape):
            raise WireError(f"an array of {dtype} {list(shape)} has other than its bytes")
        return np.frombuffer(data, dtype).reshape(shape)
    if b"__npgeneric__" in value:
        return _dtype(value[b"dtype"]).type(value[b"data"])
    return value


def _dtype(name: object) -> np.dtype[Any]:
    try:
        dtype = np.dtype(name.decode() if isinstance(name, bytes) else str(name))
    except SyntaxError as error:  # NumPy reads some names as Python
        raise WireError("no such type of numbers") from error
    if dtype.kind in _REFUSED or dtype.hasobject:
        raise WireError(f"arrays of {dtype} are refused")
    return dtype
