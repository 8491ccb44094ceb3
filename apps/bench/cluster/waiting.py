"""What takes the time of a real cluster, replaced by waits: an encoder, and the process that writes a memory.

All else is the product's own: Ray, the queue, decoding, part files, memories, units, the ledger.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hippocam.apps.archive.writer import ArchiveWriter, Taken, Todo
from hippocam.models.encoders.palette import PaletteEncoder
from hippocam.stream.records import EncodedImages, Image

_LOOK_S = 0.1


class WaitingEncoder(PaletteEncoder):
    """Colours, after a wait. It waits for the start of the measurement too.

    Workers of a run that has gone on for a while are not in step with each other, so each first waits for a share
    of the time that a segment takes.

    Args:
        wait_s: Seconds that each chunk of pictures takes.
        go: A file that is there once the measurement has begun; beside it each worker writes when it was at work.
    """

    def __init__(self, wait_s: float, go: Path) -> None:
        super().__init__()
        self._wait_s, self._go = wait_s, go
        self._prepared, self._begun = False, False

    def encode_images(self, images: Sequence[Image]) -> EncodedImages:
        """Encode as `PaletteEncoder` does, later; the picture that networks are loaded with takes no time."""
        if self._prepared:
            while not self._go.exists():
                time.sleep(_LOOK_S)
            share = 1.0 if self._begun else random.Random(os.getpid()).random()
            self._begun = True
            began_s = time.monotonic()
            time.sleep(self._wait_s * share)
            write_work(self._go, began_s, time.monotonic())
        self._prepared = True
        return super().encode_images(images)


def write_work(go: Path, began_s: float, ended_s: float) -> None:
    """Note that this worker was at work; all processes of a machine have the same clock."""
    with _work_of(go, os.getpid()).open("a") as file:
        file.write(f"{began_s} {ended_s}\n")


def read_work(go: Path) -> list[tuple[float, float]]:
    """When any worker was at work: from and to, in seconds that only rise."""
    lines = [line for path in go.parent.glob(f"{go.name}-*.work") for line in path.read_text().splitlines()]
    return [(float(began_s), float(ended_s)) for began_s, ended_s in map(str.split, lines)]


def _work_of(go: Path, process: int) -> Path:
    return go.with_name(f"{go.name}-{process}.work")


class WaitingWriter(ArchiveWriter):
    """Writes into a memory, and waits: what a real segment would take here."""

    wait_s = 0.0

    def take(self, todo: Todo, number: int, is_last: bool) -> Taken:
        """Write as `ArchiveWriter` does, and wait."""
        time.sleep(self.wait_s)
        return super().take(todo, number, is_last)


def waiting_writer(wait_s: float, *arguments: Any) -> WaitingWriter:
    """A writer of the arguments of `ArchiveWriter` that waits so many seconds for each segment."""
    writer = WaitingWriter(*arguments)
    writer.wait_s = wait_s
    return writer
