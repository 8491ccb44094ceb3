"""A line of JSON that is not trusted, read field by field; kind, range and size of each are checked."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, NoReturn

import numpy as np

from hippocam.apps.errors import LineError
from hippocam.memory.codec import sign_bytes, unpack
from hippocam.memory.records import Span
from hippocam.stream.records import FloatArray

# Most characters of a name.
MAX_NAME = 1024
# Most characters of words.
MAX_WORDS = 65536
# Largest picture.
MAX_JPEG_BYTES = 16 << 20
# Most bytes of one sensor's values.
MAX_SENSOR_BYTES = 1 << 20
MAX_LINE = 3 * MAX_JPEG_BYTES // 2
MAX_COUNT = 1 << 53
MAX_NUMBER = 1e9
# Vectors have length 1 (or 0), rounding aside.
MAX_LENGTH = 1.05
_MAX_SPANS = 4
_MAX_LABELS = 64
# Most seconds from 1970, or before: no calendar has a day beyond the year 9999.
MAX_TIME_S = 2.5e11


class Fields:
    """The fields of one line, to be taken one by one; errors name the line.

    Args:
        text: The line.
        where: File and number of the line, for messages.
    """

    def __init__(self, text: str, where: str) -> None:
        self.where = where
        try:
            values = json.loads(text, parse_constant=self._no_number)
        except (ValueError, RecursionError) as error:
            raise LineError(f"{where}: not a line of JSON ({error}); export the memory again") from error
        if not isinstance(values, dict):
            self.refuse("is no object")
        self._values: dict[str, Any] = values

    def refuse(self, what: str) -> NoReturn:
        """Raise the error that says what is wrong with the line.

        Raises:
            LineError: Always.
        """
        raise LineError(f"{self.where}: {what}; export the memory again")

    def end(self) -> None:
        """Refuse fields that have not been taken."""
        if self._values:
            self.refuse(f"unknown field {min(self._values)!r:.60}")

    def take(self, name: str) -> Any:
        """Take a field without checking it."""
        if name not in self._values:
            self.refuse(f"{name!r} is missing")
        return self._values.pop(name)

    def has(self, name: str) -> bool:
        """Whether a field is there and was not taken: exports of an older format lack some."""
        return name in self._values

    def number(self, name: str, low: float, high: float) -> float:
        """A finite number."""
        return self._number(name, self.take(name), low, high)

    def maybe_number(self, name: str, low: float, high: float) -> float | None:
        """A finite number or null."""
        value = self.take(name)
        return None if value is None else self._number(name, value, low, high)

    def whole(self, name: str, low: int = 0, high: int = MAX_COUNT) -> int:
        """A whole number."""
        value = self.take(name)
        if not _is_whole(value, low, high):
            self.refuse(f"{name!r} must be a whole number from {low} to {high}, found {short(value)}")
        return int(value)

    def time(self, name: str) -> float:
        """A time in seconds."""
        return self.number(name, -MAX_TIME_S, MAX_TIME_S)

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self.take(name)
        if not isinstance(value, bool):
            self.refuse(f"{name!r} must be true or false, found {short(value)}")
        return value

    def text(self, name: str, most: int = MAX_NAME) -> str:
        """Words, in whole characters."""
        return self._text(name, self.take(name), most)

    def name(self, name: str) -> str:
        """A name: words in one line, not empty."""
        value = self.text(name)
        if not value or any(ord(c) < 32 or ord(c) == 127 for c in value):
            self.refuse(f"{name!r} must be a name without control characters, found {short(value)}")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of labels."""
        values = self.take(name)
        if not isinstance(values, list) or len(values) > _MAX_LABELS:
            self.refuse(f"{name!r} must be a list of {_MAX_LABELS} labels at most")
        labels = tuple(self._text(name, value, MAX_NAME) for value in values)
        if any(not label or ", " in label for label in labels):
            self.refuse(f"{name!r} must hold labels without commas")
        return labels

    def counts(self, name: str) -> tuple[tuple[str, int], ...]:
        """Words with how often they came."""
        values = self.take(name)
        if not isinstance(values, list) or len(values) > _MAX_LABELS:
            self.refuse(f"{name!r} must be a list of {_MAX_LABELS} words at most")
        for value in values:
            if not isinstance(value, list) or len(value) != 2 or not _is_whole(value[1], 1, MAX_COUNT):
                self.refuse(f"{name!r} must hold [word, count], found {short(value)}")
        return tuple((self._text(name, word, MAX_NAME), count) for word, count in values)

    def pairs(self, name: str, most: int, *, flat: bool = False) -> list[tuple[float, float]]:
        """Pairs of times or shares, `most` of them at most; if flat, exactly so many, as one list of numbers."""
        values = self.take(name)
        if flat and isinstance(values, list):
            if len(values) != 2 * most:
                self.refuse(f"{name!r} must hold {2 * most} numbers")
            values = [values[index : index + 2] for index in range(0, 2 * most, 2)]
        if not isinstance(values, list) or len(values) > most:
            self.refuse(f"{name!r} must be a list of {most} pairs at most")
        if any(not isinstance(value, list) or len(value) != 2 for value in values):
            self.refuse(f"{name!r} must hold pairs of numbers")
        first, second = ([self._number(name, v[k], -MAX_TIME_S, MAX_TIME_S) for v in values] for k in (0, 1))
        return list(zip(first, second, strict=True))

    def id(self, name: str) -> int:
        """An entry's id, 16 hexadecimal digits."""
        return self._id(name, self.take(name))

    def maybe_id(self, name: str) -> int | None:
        """An entry's id or null."""
        value = self.take(name)
        return None if value is None else self._id(name, value)

    def blob(self, name: str, most: int) -> bytes | None:
        """Bytes from base64, or null."""
        value = self.take(name)
        if value is None:
            return None
        if not isinstance(value, str) or len(value) > 4 * (most // 3 + 1):
            self.refuse(f"{name!r} must be base64 of {most} bytes at most")
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            self.refuse(f"{name!r} is not base64")

    def vector(self, name: str, dim: int) -> bytes | None:
        """A packed vector [dim] of length 1 or less, or null."""
        blob = self.blob(name, dim + 4)
        if blob is None:
            return None
        with np.errstate(all="ignore"):
            try:
                vector = unpack(blob)
            except ValueError:
                vector = np.zeros(0, np.float32)
            length = float(np.linalg.norm(vector))
        if len(vector) != dim:
            self.refuse(
                f"{name!r} must be {dim + 4} bytes, or {sign_bytes(dim)} of signs alone, as the encoder's {dim} "
                f"dimensions ask, found {len(blob)}"
            )
        most = max(MAX_LENGTH, dim**0.5 if len(blob) < dim + 4 else 0)
        if not length <= most:  # true for NaN as well
            self.refuse(f"{name!r} must be a vector of length 1, found {length:.3g}")
        return blob

    def floats(self, name: str) -> FloatArray | None:
        """Little-endian float32 values, or null."""
        blob = self.blob(name, MAX_SENSOR_BYTES)
        if blob is None:
            return None
        if len(blob) % 4:
            self.refuse(f"{name!r} must be float32 values, found {len(blob)} bytes")
        return np.frombuffer(blob, "<f4").astype(np.float32)

    def spans(self, name: str) -> tuple[Span, ...]:
        """Spans, one to four."""
        values = self.take(name)
        if not isinstance(values, list) or not 1 <= len(values) <= _MAX_SPANS:
            self.refuse(f"{name!r} must be a list of 1 to {_MAX_SPANS} spans")
        spans = []
        for value in values:
            if not isinstance(value, list) or len(value) != 3:
                self.refuse(f"{name!r} must hold [t0_s, t1_s, known_s], found {short(value)}")
            t0_s, t1_s, known_s = (self._number(name, time_s, -MAX_TIME_S, MAX_TIME_S) for time_s in value)
            if t1_s < t0_s:
                self.refuse(f"{name!r} holds a span that ends at {t1_s:g} s, before its start at {t0_s:g} s")
            spans.append(Span(t0_s=t0_s, t1_s=t1_s, known_s=known_s))
        return tuple(spans)

    def _number(self, name: str, value: object, low: float, high: float) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            self.refuse(f"{name!r} must be a number from {low:g} to {high:g}, found {short(value)}")
        return float(value)

    def _text(self, name: str, value: object, most: int) -> str:
        if not isinstance(value, str) or len(value) > most:
            self.refuse(f"{name!r} must be text of {most} characters at most, found {short(value)}")
        try:
            value.encode()
        except UnicodeEncodeError:
            self.refuse(f"{name!r} holds half a character")
        return value

    def _id(self, name: str, value: object) -> int:
        if not isinstance(value, str) or len(value) != 16 or set(value) - set("0123456789abcdef"):
            self.refuse(f"{name!r} must be 16 hexadecimal digits, found {short(value)}")
        number = int(value, 16)
        if number >> 63:
            self.refuse(f"{name!r} must be below 8000000000000000, found {value}")
        return number

    def _no_number(self, constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not a number here")


def _is_whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def short(value: object) -> str:
    """Shorten a value for a message."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > MAX_COUNT:
        return "a huge number"
    return f"{value!r:.60}" if isinstance(value, str | int | float | None) else f"a {type(value).__name__}"
