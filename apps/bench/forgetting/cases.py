"""Random memories of several streams, with one stream, or some of its time, to be forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.config import MemoryConfig
from hippocam.memory.filter import Filter
from hippocam.memory.memory import Memory
from hippocam.stream.records import Embedding, EncoderSpec, FloatArray, Note, Repeat, Sensed, Thing

DIM = 32
SPEC = EncoderSpec(id="planned:1", dim=DIM, normalised=True, midpoint=0.5, slope=20.0)
_STREAMS = ("hall", "yard", "road")
_LOOKS = (40, 130)
_BUDGET_BYTES = 16_000_000
_LOOK_DIM = 8

Items = tuple[Embedding | Repeat | Note, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What was seen, and what of it is to be forgotten.

    Attributes:
        streams: What each stream shows, in order.
        order: Which stream's next item comes when.
        forget: A whole stream, or some of its time.
        secret: Words that only what is to be forgotten says.
    """

    streams: Mapping[str, Items]
    order: tuple[str, ...]
    forget: Filter
    secret: str

    @property
    def whole(self) -> bool:
        """Whether a whole stream is to be forgotten."""
        return self.forget.after_s is None

    def rest(self) -> Mapping[str, Items]:
        """What is seen by somebody who never sees what is to be forgotten."""
        forgotten, (after_s, before_s) = str(self.forget.stream), self.window
        if self.whole:
            return {stream: items for stream, items in self.streams.items() if stream != forgotten}
        kept = tuple(item for item in self.streams[forgotten] if not after_s <= time_of(item) <= before_s)
        return {**self.streams, forgotten: kept}

    @property
    def window(self) -> tuple[float, float]:
        """The time that is to be forgotten."""
        after_s, before_s = self.forget.after_s, self.forget.before_s
        return -np.inf if after_s is None else after_s, np.inf if before_s is None else before_s


def draw(seed: int) -> Case:
    """Draw a case: half of them forget a stream, half a stretch of one."""
    rng = np.random.default_rng(seed)
    secret = f"zyxomma{seed}"
    chosen = _STREAMS[int(rng.integers(len(_STREAMS)))]
    looks = {stream: int(rng.integers(*_LOOKS)) for stream in _STREAMS}
    window = (-np.inf, np.inf)
    if rng.random() < 0.5:
        start_s = float(rng.integers(5, looks[chosen] - 20)) - 0.5
        window = (start_s, start_s + float(rng.integers(3, 15)))
    streams = {
        stream: _items(stream, looks[stream], rng, window if stream == chosen else None, secret)
        for stream in _STREAMS
    }
    order = rng.permutation([stream for stream, items in streams.items() for _ in items]).tolist()
    whole = not np.isfinite(window[0])
    forget = Filter(stream=chosen) if whole else Filter(stream=chosen, after_s=window[0], before_s=window[1])
    return Case(streams=streams, order=tuple(order), forget=forget, secret=secret)


def write(folder: Path, streams: Mapping[str, Items], order: Sequence[str]) -> None:
    """Write what is seen into a new memory, as it comes."""
    with Memory.open_writer(folder, encoder="planned", spec=SPEC, config=config()) as memory:
        for stream in streams:
            memory.begin(stream, uri=f"planned/{stream}", fps=1.0, senses=("things planned:1", "screen planned:1"))
        coming = {stream: iter(items) for stream, items in streams.items()}
        for stream in order:
            item = next(coming[stream], None) if stream in coming else None
            if item is not None:
                memory.write([item])
        for stream in streams:
            memory.finish(stream)


def config() -> MemoryConfig:
    """How the memories of cases are opened: with room for all."""
    return MemoryConfig(budget_bytes=_BUDGET_BYTES)


def _items(
    stream: str, looks: int, rng: np.random.Generator, window: tuple[float, float] | None, secret: str
) -> Items:
    scenes = [_unit(rng.normal(size=DIM)) for _ in range(6)]
    items, scene = list[Embedding | Repeat | Note](), 0
    for seq in range(looks):
        time_s = float(seq)
        hidden = window is not None and window[0] <= time_s <= window[1]
        if rng.random() < 0.12:
            scene = int(rng.integers(len(scenes)))
        said = secret if hidden else "plain"
        vector = _unit(scenes[scene] + 0.15 * _unit(rng.normal(size=DIM)))
        person = Thing(
            label="person",
            score=0.8,
            box=(0.1 + 0.1 * scene, 0.2, 0.2 + 0.1 * scene, 0.6),
            vector=_unit(rng.normal(size=_LOOK_DIM)),
        )
        if items and isinstance(items[-1], Embedding) and rng.random() < 0.1:
            items.append(Repeat(stream=stream, seq=seq, time_s=time_s))
            continue
        items.append(
            Embedding(
                stream=stream,
                seq=seq,
                time_s=time_s,
                vector=vector,
                jpeg=f"{said} {stream}@{seq}".encode().ljust(300, b"."),
                text=f"{said} {scene}" if scene == 3 else "",
                sensed=Sensed(
                    things=(person,) if scene < 2 else (), screen=(f"{said} line {scene}",) if scene == 4 else ()
                ),
            )
        )
        if rng.random() < 0.03:
            words = f"{said} words {seq}"
            items.append(Note(stream=stream, kind="speech", t0_s=time_s, t1_s=time_s + 0.4, text=words))
    return tuple(items)


def time_of(item: Embedding | Repeat | Note) -> float:
    """When an item was seen or said."""
    return item.t0_s if isinstance(item, Note) else item.time_s


def _unit(vector: NDArray[np.floating]) -> FloatArray:
    return (vector / np.linalg.norm(vector)).astype(np.float32)
