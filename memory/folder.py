"""The folder that a memory is in: whether one is there, whose it is, how many bytes it takes."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from hippocam.memory.errors import EncoderMismatchError, NotAMemoryError, OlderFormatError
from hippocam.memory.store.database import Store
from hippocam.stream.records import EncoderSpec

DATABASE = "memory.db"
EXEMPLARS = "exemplars"
LOCK = "writer.lock"
# What a folder in which a memory is being made, or brought to the present format, may hold beside the database.
_UNFINISHED = (EXEMPLARS, LOCK, DATABASE, *(f"{DATABASE}.new{end}" for end in ("", "-wal", "-shm")))


def has_memory(folder: Path) -> bool:
    """Whether a memory, or something of its name, is in a folder."""
    database = folder / DATABASE
    return database.is_file() and database.stat().st_size > 0


def check_writable(folder: Path) -> None:
    """Refuse to make a memory in a folder that holds something else, before anything is written there.

    Raises:
        NotAMemoryError: It is a file, a link to nowhere, or holds something that is no memory.
    """
    if folder.exists() and not folder.is_dir():
        raise NotAMemoryError(folder, "is a file")
    if folder.is_symlink() and not folder.exists():
        raise NotAMemoryError(folder, "is a link to nowhere")
    if has_memory(folder):
        # Through SQLite: closing a file handle of our own would drop the POSIX locks of every connection that
        # this process has to it, and another process would then remove the log under our writer.
        with suppress(OlderFormatError):  # the writer brings it to the present format
            Store(folder / DATABASE, writable=False).close()
    elif folder.is_dir():
        foreign = sorted(path.name for path in folder.iterdir() if path.name not in _UNFINISHED)
        if foreign:
            raise NotAMemoryError(folder, f"holds {foreign[0]!r} and no memory")


def folder_bytes(folder: Path) -> int:
    """Bytes of a folder with all that is in it, as `du -sb` counts them."""
    total = folder.stat().st_size
    for root, folders, files in os.walk(folder):
        for name in (*folders, *files):
            with suppress(FileNotFoundError):  # a writer may remove a file while we count
                total += (Path(root) / name).stat().st_size
    return total


def adopt(store: Store, *, encoder: str, spec: EncoderSpec, budget_bytes: int) -> None:
    """Keep the encoder and the budget of a memory; from the first writer on it takes vectors of one encoder alone.

    Args:
        store: The memory's database, writable.
        encoder: The name by which the encoder is built again.
        spec: The encoder's spec.
        budget_bytes: What the folder may take.

    Raises:
        EncoderMismatchError: The memory was made with another encoder.
    """
    known = store.meta.encoder()
    if known is not None and _space(known[1]) != _space(spec):
        raise EncoderMismatchError(
            store.path.parent, known[0], known[1].id, asked_for=encoder, asked_for_id=spec.id
        )
    with store.transaction():
        if known is None:
            store.meta.set_encoder(encoder, spec)
            store.meta.put(created_unix_s=round(time.time(), 3))
        if budget_bytes != store.meta.get("budget_bytes"):
            store.meta.put(budget_bytes=budget_bytes)


def _space(spec: EncoderSpec) -> tuple[str, int, bool]:
    """What vectors must agree in to be compared; how sure a cosine is may be calibrated anew."""
    return spec.id, spec.dim, spec.normalised
