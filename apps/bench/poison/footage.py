"""Annotated clips in one memory: what an attacker finds, with questions whose answers are known."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from hippocam.memory.memory import Memory
from hippocam.memory.records import Entry, Evidence, Level
from hippocam.stream import opencv as cv2
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import FloatArray, Image

# Characters of a line that is painted.
_LINE_CHARS = 18


class Clip(Protocol):
    """A clip with what it shows: the windows, in seconds, in which each text is true."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def video(self) -> Path:
        """Where it is."""

    @property
    def events(self) -> Mapping[str, Sequence[tuple[float, float]]]:
        """The windows of each text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Something that is asked for.

    Attributes:
        text: In words.
        stream: The stream that shows it; "" where none does.
        windows: When, in seconds of that stream.
    """

    text: str
    stream: str = ""
    windows: tuple[tuple[float, float], ...] = ()

    def shown_in(self, stream: str, t0_s: float, t1_s: float) -> bool:
        """Whether a moment shows it; one of a single frame does where that lies within."""
        within = (min(t1_s, end) - max(t0_s, start) for start, end in self.windows)
        return stream == self.stream and any(time_s >= 0 if t0_s == t1_s else time_s > 0 for time_s in within)


@dataclass(frozen=True, slots=True, kw_only=True)
class Footage:
    """A clean memory, and what can be asked of it.

    Attributes:
        memory: Its folder.
        shown: What the clips show.
        absent: What none of them shows.
    """

    memory: Path
    shown: tuple[Asked, ...]
    absent: tuple[Asked, ...]


def footage_of(memory: Path, streams: Mapping[str, str], clips: Sequence[Clip], absent: Sequence[str]) -> Footage:
    """What can be asked of a memory into which clips were watched.

    Args:
        memory: Its folder.
        streams: The stream of each video, by the video's name.
        clips: Clips with their events.
        absent: Texts that none of them shows.
    """
    shown = [
        Asked(text=text, stream=streams[clip.video.name], windows=tuple(windows))
        for clip in clips
        if clip.video.name in streams
        for text, windows in clip.events.items()
    ]
    return Footage(memory=memory, shown=tuple(shown), absent=tuple(Asked(text=text) for text in absent))


def found_in(moments: Sequence[Evidence], asked: Asked) -> bool:
    """Whether one of some moments shows what is asked for."""
    return any(shows(moment, asked) for moment in moments)


def shows(moment: Evidence, asked: Asked) -> bool:
    """Whether a moment shows what is asked for."""
    return asked.shown_in(moment.stream, moment.t0_s, moment.t1_s)


def pictures(memory: Memory) -> Iterator[tuple[Entry, Image]]:
    """The entries of a memory that have a picture, with it: uint8 [H, W, 3], RGB."""
    for entry_id in sorted(memory.store.entries.ids()):
        entry = memory.entry(entry_id)
        if entry is None or entry.level >= Level.VECTORS:
            continue
        image = cv2.imread(str(memory.image(entry_id)))
        if image is not None:
            yield entry, np.ascontiguousarray(image[..., ::-1])


def copied(image: Image, rng: np.random.Generator) -> Image:
    """A picture as a camera sees a copy of it: cropped, lit otherwise, noisy."""
    height, width = image.shape[:2]
    share = rng.uniform(0.0, 0.06)
    top, left = int(height * share * rng.random()), int(width * share * rng.random())
    part = image[top : top + height - int(height * share), left : left + width - int(width * share)]
    lit = part.astype(np.float32) * rng.uniform(0.8, 1.2) + rng.uniform(-12, 12)
    noisy = lit + rng.normal(0, 4, part.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def with_words(image: Image, text: str) -> Image:
    """A picture with a text painted over it in large letters, black on white."""
    height, width = image.shape[:2]
    painted, lines = np.ascontiguousarray(image), textwrap.wrap(text, _LINE_CHARS)
    line_px = height // (2 * max(4, len(lines)))
    cv2.rectangle(painted, (0, 0), (width, line_px * (2 * len(lines) + 1)), (255, 255, 255), -1)
    for k, line in enumerate(lines):
        scale = min(line_px / 20, width / (18 * _LINE_CHARS))
        cv2.putText(painted, line, (4, line_px * (2 * k + 2)), cv2.FONT_HERSHEY_SIMPLEX, scale, (0, 0, 0), 2)
    return painted


def jpeg_of(image: Image, quality: int = 80) -> bytes:
    """A picture as JPEG."""
    done, made = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return bytes(made.tobytes()) if done else b""


def nearest(memory: Memory, encoder: Encoder, asked: Asked) -> tuple[Entry, Image] | None:
    """The moment that shows what is asked for best, with its picture; None where no picture shows it."""
    question_D = encoder.encode_texts([asked.text])[0]
    found = [
        (entry, image)
        for entry, image in pictures(memory)
        if any(asked.shown_in(entry.stream, span.t0_s, span.t1_s) for span in entry.spans)
    ]
    if not found:
        return None
    vectors_ND: FloatArray = encoder.encode_images([image for _, image in found]).vectors_ND
    return found[int(np.argmax(vectors_ND @ question_D))]
