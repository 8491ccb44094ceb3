"""A part: the file that holds what a worker made of one segment, on its way into a memory.

    {"part": 3}
    {"camera": "", "seq": 0, "time_s": 0.0, "labels": ["cat"], "text": "", "sizes": [256, 5120, 0, 0, 0]}
    ... 256 + 5120 bytes: vector, JPEG, and state, action and pose where there are any ...
    {"camera": "", "seq": 1, "time_s": 1.0}                      a frame without change has no bytes
    {"camera": "", "note": ["subtitle", 1.0, 2.5, "Hello!"]}     kind, start, end, words
    {"end": 2, "error": "", "first_s": 0.0, "last_s": 1.0, "cpu_s": 0.3}

A frame that senses looked at also has "screen", the lines that were read, and "things", each with its label,
score, box and colours; their vectors follow the other bytes, then their portraits, empty where there is none.
Lines are JSON, numbers little-endian float32, those of a pose float64 where they came so. A part is written under
another name, flushed to the disk and renamed, so that it is whole wherever it exists. Writer and reader hold one
frame at a time.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from hippocam.stream import private
from hippocam.stream.errors import PartError
from hippocam.stream.records import (
    NO_SENSORS,
    Embedding,
    FloatArray,
    Item,
    Note,
    Repeat,
    Sensed,
    Sensors,
    Thing,
    known,
    stream_id,
)

_FORMAT = 4
_SENSORS = ("state", "action", "pose")
_DOUBLE_POSE_BYTES = 7 * 8


@dataclass(frozen=True, slots=True, kw_only=True)
class PartEnd:
    """What the last line of a part says.

    Attributes:
        end: Number of frames, unchanged ones included.
        error: Why the source broke off; "" where it did not.
        first_s: True time of the first frame, seconds; None where there is no frame.
        last_s: True time of the last frame, likewise.
        cpu_s: Processor seconds that the part took to make.
    """

    end: int
    error: str
    first_s: float | None
    last_s: float | None
    cpu_s: float


@contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PartError(
            f"{path}: cannot be written ({error.strerror}); see to its disk and archive again"
        ) from error


class PartWriter:
    """Writes one part. A context manager; left without a call of `end`, it leaves no part behind.

    Args:
        path: Where the part will be; its folder is made if it is missing.

    Raises:
        PartError: The disk is full or gone. The methods raise it too.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._new = path.with_name(f"{path.name}.new-{os.uname().nodename}-{os.getpid()}")
        self._count = 0
        self._first_s: float | None = None
        self._last_s: float | None = None
        with _written(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = private.open_file(self._new, "wb")
            self._line({"part": _FORMAT})

    def __enter__(self) -> PartWriter:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # the disk is full, which has been raised already
            self._file.close()
        self._new.unlink(missing_ok=True)

    def add(self, items: Iterable[tuple[str, Item]]) -> None:
        """Write frames and notes, each given with the name of its camera."""
        with _written(self._path):
            for camera, item in items:
                self._add(camera, item)

    def _add(self, camera: str, item: Item) -> None:
        if isinstance(item, Note):
            self._line({"camera": camera, "note": [item.kind, item.t0_s, item.t1_s, item.text, item.line]})
            return
        self._count += 1
        self._first_s = item.time_s if self._first_s is None else self._first_s
        self._last_s = item.time_s
        head: dict[str, Any] = {"camera": camera, "seq": int(item.seq), "time_s": float(item.time_s)}
        sensors = [_bytes(getattr(item.sensors, name)) for name in _SENSORS]
        if isinstance(item, Repeat):
            still = {"still": [len(piece) for piece in sensors]} if any(sensors) else {}
            self._line(head | still)
            self._file.write(b"".join(sensors))
            return
        vector = _bytes(item.vector)
        things = item.sensed.things
        looks = [thing.vector.astype("<f4").tobytes() for thing in things]
        portraits = [b"" if t.portrait is None else t.portrait.astype("<f4").tobytes() for t in things]
        pieces = [vector, item.jpeg, *sensors, *looks, *portraits]
        head |= {"labels": item.labels, "text": item.text, "sizes": [len(p) for p in pieces]}
        if item.sensed.screen is not None:
            head["screen"] = item.sensed.screen
        if item.cut_s is not None:
            head["cut_s"] = float(item.cut_s)
        if item.mark:
            head["mark"] = item.mark
        if things:
            head["things"] = [[t.label, float(t.score), [*map(float, t.box)], t.colours] for t in things]
        self._line(head)
        self._file.write(b"".join(pieces))

    def end(self, *, error: str, cpu_s: float) -> None:
        """Write the last line, and give the part its final name."""
        end = PartEnd(
            end=self._count,
            error=error,
            first_s=self._first_s,
            last_s=self._last_s,
            cpu_s=round(cpu_s, 3),
        )
        with _written(self._path):
            self._line(asdict(end))
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            os.replace(self._new, self._path)

    def _line(self, value: dict[str, Any]) -> None:
        self._file.write(json.dumps(value, separators=(",", ":")).encode() + b"\n")


def read_part(path: Path, name: str) -> Iterator[Item | PartEnd]:
    """Yield the frames and notes of a part, then what its last line says.

    Args:
        path: The part.
        name: Name of the recording; its streams are named after it.

    Raises:
        PartError: The file is not a part, or is truncated.
    """
    try:
        with path.open("rb") as file:
            if json.loads(file.readline()) != {"part": _FORMAT}:
                raise ValueError("of another format")
            while "end" not in (head := json.loads(file.readline())):
                yield _item(head, name, file)
            yield PartEnd(**head)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PartError(
            f"{path}: cannot be read ({error}); delete its folder and archive again: its footage is encoded anew"
        ) from error


def _item(head: dict[str, Any], name: str, file: IO[bytes]) -> Item:
    stream = stream_id(name, head["camera"])
    if "note" in head:
        kind, t0_s, t1_s, text, *line = head["note"]  # parts that an older hippocam began have no lines
        return Note(stream=stream, kind=kind, t0_s=t0_s, t1_s=t1_s, text=text, line=line[0] if line else 0)
    if "sizes" not in head:
        known = _sensors([_exactly(file, size) for size in head.get("still", ())])
        return Repeat(stream=stream, seq=head["seq"], time_s=head["time_s"], sensors=known)
    vector, jpeg, *others = [_exactly(file, size) for size in head["sizes"]]
    sensors, of_things = others[: len(_SENSORS)], others[len(_SENSORS) :]
    told_things = head.get("things", ())
    looks, portraits = of_things[: len(told_things)], of_things[len(told_things) :]
    things = tuple(
        Thing(
            label=label,
            score=score,
            box=tuple(box),
            vector=_floats(look),
            colours=tuple(colours),
            portrait=_floats(portrait) if portrait else None,
        )
        for (label, score, box, colours), look, portrait in zip(told_things, looks, portraits, strict=True)
    )
    screen = head.get("screen")
    return Embedding(
        stream=stream,
        seq=head["seq"],
        time_s=head["time_s"],
        vector=_floats(vector),
        labels=tuple(head["labels"]),
        jpeg=jpeg,
        sensors=_sensors(sensors),
        text=head["text"],
        sensed=Sensed(things=things, screen=None if screen is None else tuple(screen)),
        cut_s=head.get("cut_s"),
        mark=head.get("mark", ""),
    )


def _bytes(numbers: FloatArray | NDArray[np.float64] | None) -> bytes:
    return b"" if numbers is None else numbers.astype("<f8" if numbers.dtype == np.float64 else "<f4").tobytes()


def _sensors(pieces: Sequence[bytes]) -> Sensors:
    """State, action and pose, from the bytes of each; nothing where there are none."""
    if not any(pieces):
        return NO_SENSORS
    state, action = (known(_floats(data)) if data else None for data in pieces[:2])
    return Sensors(state=state, action=action, pose=known(_pose(pieces[2])))


def _exactly(file: IO[bytes], size: int) -> bytes:
    data = file.read(size)
    if len(data) != size:
        raise ValueError(f"{size - len(data)} bytes are missing")
    return data


def _pose(data: bytes) -> FloatArray | NDArray[np.float64] | None:
    if len(data) == _DOUBLE_POSE_BYTES:
        return np.frombuffer(data, "<f8").astype(np.float64)
    return _floats(data) if data else None


def _floats(data: bytes) -> FloatArray:
    return np.frombuffer(data, "<f4").astype(np.float32)
