"""RLDS episodes (Ramos et al. 2021) as TensorFlow Datasets writes them, read without TensorFlow.

A file holds records: length (uint64), its checksum (uint32), a tf.train.Example, its checksum. An Example is an
episode: each feature, by a path such as steps/observation/image, is a flat list over all steps.

    Example    { Features features = 1 }
    Features   { map<string, Feature> feature = 1 }
    Feature    { BytesList = 1 | FloatList = 2 | Int64List = 3, each { repeated value = 1 } }
"""

from __future__ import annotations

import functools
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hippocam.stream.errors import SourceError
from hippocam.stream.records import FloatArray, Sensors, known
from hippocam.stream.sources.logs.source import Instant, LogSource
from hippocam.stream.sources.pictures.decoding import decode_image
from hippocam.stream.sources.video import LONGEST_PX

_FILE = re.compile(r".+\.tfrecord-\d{5}-of-\d{5}|.+\.tfrecord")
# Steps a second: RLDS does not say.
STEPS_A_SECOND = 5.0
_TASKS = ("natural_language_instruction", "language_instruction")
_STATES = ("state", "proprio", "joint_pos", "robot_state")
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG")
_LARGEST = 1 << 31

Feature = list[bytes] | FloatArray | NDArray[np.int64]


def is_rlds(path: Path) -> bool:
    """Tell by its name whether a file holds RLDS records."""
    return _FILE.fullmatch(path.name) is not None


def rlds_sources(path: Path, *, name: str) -> tuple[list[LogSource], list[SourceError]]:
    """A source for each episode of a file, `<name>/episode_000010`, and an error where the file breaks off."""
    found: list[LogSource] = []
    failed: list[SourceError] = []
    try:
        for index, (start, size) in enumerate(_records(path)):
            found.append(LogSource(_Episode(path, index, start, size), id=f"{name}/episode_{index:06d}"))
    except SourceError as error:
        failed.append(error)
    if not found and not failed:
        failed.append(SourceError(str(path), "no record in it"))
    return found, failed


@dataclass(frozen=True, slots=True)
class _Episode:
    path: Path
    index: int
    start: int
    size: int

    @property
    def uri(self) -> str:
        return f"{self.path}#episode_{self.index:06d}"

    def duration_s(self) -> float | None:
        _, pictures = self._read()
        return max(map(len, pictures.values())) / STEPS_A_SECOND

    def instants(self) -> Iterator[Instant]:
        features, pictures = self._read()
        steps = max(map(len, pictures.values()))
        state, action = self._numbers(features, _STATES, steps), self._numbers(features, ("action",), steps)
        task = next(
            (
                values[0].decode("utf-8", "replace")
                for key, values in features.items()
                if key.rpartition("/")[2] in _TASKS and isinstance(values, list) and values
            ),
            "",
        )
        for step in range(steps):
            yield Instant(
                time_s=step / STEPS_A_SECOND,
                images={
                    camera: functools.partial(decode_image, values[step], LONGEST_PX)
                    for camera, values in pictures.items()
                    if step < len(values) and values[step]
                },
                sensors=Sensors(
                    state=None if state is None else known(state[step]),
                    action=None if action is None else known(action[step]),
                ),
                text=task,
            )

    def _read(self) -> tuple[dict[str, Feature], dict[str, list[bytes]]]:
        """Its features, and the pictures of each camera."""
        try:
            with self.path.open("rb") as file:
                file.seek(self.start)
                features = read_example(file.read(self.size))
        except (OSError, ValueError, IndexError, struct.error) as error:
            raise SourceError(self.uri, f"its record cannot be read ({error})") from error
        pictures = {
            key.rpartition("/")[2]: values
            for key, values in features.items()
            if isinstance(values, list) and values and values[0].startswith(_PICTURES)
        }
        if not pictures:
            raise SourceError(self.uri, "no pictures in its steps")
        return features, pictures

    @staticmethod
    def _numbers(features: dict[str, Feature], names: tuple[str, ...], steps: int) -> FloatArray | None:
        """The numbers of a feature, float32 [steps, n]; None where there is none, or not so many of each step."""
        for name in names:
            for key, values in features.items():
                numbers = isinstance(values, np.ndarray) and len(values) > 0 and len(values) % steps == 0
                if numbers and key.rpartition("/")[2] == name:
                    rows: FloatArray = np.asarray(values, np.float32).reshape(steps, -1)
                    return rows
        return None


def _records(path: Path) -> Iterator[tuple[int, int]]:
    """Where each record of a file begins, and its size."""
    try:
        end = path.stat().st_size
        with path.open("rb") as file:
            at = 0
            while at < end:
                file.seek(at)
                head = file.read(12)
                size = struct.unpack("<Q", head[:8])[0] if len(head) == 12 else _LARGEST
                if size >= _LARGEST or at + 16 + size > end:
                    raise SourceError(str(path), f"its records break off at byte {at}; download it again")
                yield at + 12, size
                at += 16 + size
    except OSError as error:
        raise SourceError(str(path), f"cannot be read ({error.strerror})") from error


def read_example(data: bytes) -> dict[str, Feature]:
    """Read the features of a serialised tf.train.Example, by name.

    Raises:
        ValueError: It is none.
    """
    found: dict[str, Feature] = {}
    for number, features in _fields(data):
        for entry_number, entry in _fields(features) if number == 1 else ():
            if entry_number == 1:
                parts = dict(_fields(entry))
                found[parts[1].decode("utf-8", "replace")] = _feature(parts.get(2, b""))
    return found


def _feature(data: bytes) -> Feature:
    for kind, values in _fields(data):
        if kind == 1:
            return [value for _, value in _fields(values)]
        packed = b"".join(value for _, value in _fields(values))
        if kind == 2:
            floats: FloatArray = np.frombuffer(packed, "<f4").astype(np.float32)
            return floats
        return np.array(list(_varints(packed)), np.int64)
    return []


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of a message: number, and content; single numbers are given as bytes, too."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 0:
            start = at
            _, at = _varint(data, at)
            yield key >> 3, data[start:at]
            continue
        if kind == 2:
            size, at = _varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError(f"field of kind {kind}")
        if at + size > len(data):
            raise ValueError("a field is longer than its message")
        yield key >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number has too many bytes")


def _varints(data: bytes) -> Iterator[int]:
    at = 0
    while at < len(data):
        value, at = _varint(data, at)
        yield value - (1 << 64) if value >= 1 << 63 else value
