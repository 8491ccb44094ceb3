"""What takes the time of a real cluster, replaced by waits: an encoder, and the process that writes a memory.

All else is the product's own: Ray, the queue, decoding, part files, memories, units, the ledger.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hippocam.apps.archive.book import ArchiveBook
from hippocam.apps.archive.writer import ArchiveWriter, Taken, Todo
from hippocam.models.encoders.palette import PaletteEncoder
from hippocam.stream.archive.plan import Segment
from hippocam.stream.records import EncodedImages, Image

_LOOK_S = 0.1


class WaitingEncoder(PaletteEncoder):
    """Colours, after a wait. It waits for the start of the measurement too, so that all workers begin at once.

    Args:
        wait_s: Seconds that each chunk of pictures takes.
        go: A file that is there once the measurement has begun.
    """

    def __init__(self, wait_s: float, go: Path) -> None:
        super().__init__()
        self._wait_s, self._go = wait_s, go
        self._prepared = False

    def encode_images(self, images: Sequence[Image]) -> EncodedImages:
        """Encode as `PaletteEncoder` does, later; the picture that networks are loaded with takes no time."""
        if self._prepared:
            while not self._go.exists():
                time.sleep(_LOOK_S)
            time.sleep(self._wait_s)
        self._prepared = True
        return super().encode_images(images)


class WaitingWriter(ArchiveWriter):
    """Writes into a memory, and waits: what a real segment would take here."""

    wait_s = 0.0

    def take(self, todo: Todo, number: int, is_last: bool) -> Taken:
        """Write as `ArchiveWriter` does, and wait."""
        time.sleep(self.wait_s)
        return super().take(todo, number, is_last)


def _make(wait_s: float, *arguments: Any) -> WaitingWriter:
    writer = WaitingWriter(*arguments)
    writer.wait_s = wait_s
    return writer


class MeasuringBook(ArchiveBook):
    """Keeps book, begins the measurement once all workers are ready, and notes when each segment was taken.

    Attributes:
        began_s: When it began, seconds that only rise; None before.
        taken_s: When each segment was taken.
    """

    def measure(self, workers: int, write_s: float, go: Path) -> None:
        """Say what is waited for: so many workers, and so many seconds for each segment that is written."""
        self._expected, self._write_s, self._go = workers, write_s, go
        self.began_s: float | None = None
        self.taken_s: list[float] = []

    def writer_of(self, memory: str) -> Callable[[], ArchiveWriter]:
        """What makes a writer that waits."""
        made = super().writer_of(memory)
        assert isinstance(made, partial)
        return partial(_make, self._write_s, *made.args)

    def workers(self, count: int) -> None:
        """Begin once all are there."""
        super().workers(count)
        if count >= self._expected and self.began_s is None:
            self.began_s = time.monotonic()
            self._go.touch()

    def end(self, segment: Segment, taken: Taken) -> None:
        """Note when a segment was taken."""
        super().end(segment, taken)
        self.taken_s.append(time.monotonic())
