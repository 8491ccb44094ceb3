"""The folder that a memory is in: whether one is there, whose it is, how many bytes it takes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from hippocam.memory.errors import EncoderMismatchError, NotAMemoryError, OlderFormatError
from hippocam.memory.lock import WriterLock
from hippocam.memory.store.database import Store
from hippocam.memory.store.meta import DEFAULT_BUDGET_BYTES
from hippocam.memory.store.schema import page_bytes_of, unfinished
from hippocam.stream import private
from hippocam.stream.records import EncoderSpec

DATABASE = "memory.db"
EXEMPLARS = "exemplars"
LOCK = "writer.lock"


def has_memory(folder: Path) -> bool:
    """Whether a folder holds a memory, or something of its name."""
    database = folder / DATABASE
    return database.is_file() and database.stat().st_size > 0


def check_writable(folder: Path) -> None:
    """Refuse to make a memory in a folder that holds something else, before anything is written there.

    Raises:
        NotAMemoryError: It is a file, a link to nowhere, or holds something that is no memory, or pictures whose
            database is gone.
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
        # What a folder in which the making of a memory was cut short may hold.
        begun = {EXEMPLARS, LOCK, DATABASE, *(path.name for path in unfinished(folder / DATABASE))}
        foreign = sorted(path.name for path in folder.iterdir() if path.name not in begun)
        if foreign:
            raise NotAMemoryError(folder, f"holds {foreign[0]!r} and no memory")
        if (folder / EXEMPLARS).is_dir() and any((folder / EXEMPLARS).iterdir()):
            raise NotAMemoryError(folder, f"holds pictures and no {DATABASE}: bring it back, or delete the folder")


def make_folder(folder: Path) -> None:
    """Make the folder of a memory, and that of its pictures, for their owner alone.

    Raises:
        OSError: That cannot be done.
    """
    private.make_folder(folder)
    if not has_memory(folder):
        with suppress(PermissionError):  # it was there, and is somebody else's
            folder.chmod(private.FOLDER_MODE)
    private.make_folder(folder / EXEMPLARS)


def folder_bytes(folder: Path) -> int:
    """Bytes of a folder with all that is in it, as `du -sb` counts them."""
    total = folder.stat().st_size
    for root, folders, files in os.walk(folder):
        for name in (*folders, *files):
            with suppress(FileNotFoundError):  # a writer may remove a file while we count
                total += (Path(root) / name).stat().st_size
    return total


@contextmanager
def opened_to_write(
    folder: Path, *, encoder: str, spec: EncoderSpec, budget_bytes: int | None
) -> Iterator[tuple[WriterLock, Store]]:
    """Lock a memory and open its database, making it where the folder is missing or empty.

    Both stay open behind the `with`, unless its body fails: then they are closed again.

    Args:
        folder: Where it is.
        encoder: The name by which the encoder is built again.
        spec: The encoder's spec.
        budget_bytes: What the folder may take; None keeps what the memory was made with.

    Raises:
        MemoryFolderError: The folder is foreign, locked by another writer, or of another format.
        EncoderMismatchError: The memory was made with another encoder.
    """
    with ExitStack() as undo:
        check_writable(folder)
        make_folder(folder)
        lock = WriterLock(folder / LOCK)
        undo.callback(lock.release)
        page_bytes = page_bytes_of(budget_bytes or DEFAULT_BUDGET_BYTES)
        store = Store(folder / DATABASE, writable=True, new_page_bytes=page_bytes)
        undo.callback(store.close)
        _adopt(store, encoder=encoder, spec=spec, budget_bytes=budget_bytes or store.meta.budget_bytes())
        yield lock, store
        undo.pop_all()


def _adopt(store: Store, *, encoder: str, spec: EncoderSpec, budget_bytes: int) -> None:
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
