"""What `Session.forget` would delete, told before it does."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from hippocam.apps.ask.where import check_named, on_clock
from hippocam.apps.ids import find_entry, origin_of
from hippocam.apps.live.forget import footage_bytes
from hippocam.memory.filter import Filter
from hippocam.memory.forget import notes_of, pending
from hippocam.memory.forget_preview import ToDelete, preview
from hippocam.memory.memory import Memory
from hippocam.stream.errors import HippocamError


def check_known(folder: Path, entries: Sequence[str], wanted: Filter) -> None:
    """Refuse what the memory does not know, before anybody is asked whether it shall go.

    Where a deletion was cut short nothing is refused: what it named may be gone already, and to name it again
    finishes it.

    Args:
        folder: The memory's folder.
        entries: Ids, as for `Session.forget`.
        wanted: Stream and camera, where no entries are named.

    Raises:
        HippocamError: There is no memory, or it knows no such entry, stream or camera.
    """
    with Memory.open_reader(folder) as memory:
        if pending(memory.store) is not None:
            return
        for entry in entries:
            find_entry(memory, entry)
        check_named(wanted, memory.streams())


def footage_preview(folder: Path, wanted: Filter) -> int:
    """How many bytes of footage and pictures beside a memory `Session.forget` deletes with a stream or a time.

    Args:
        folder: The memory's folder.
        wanted: Stream, camera, after_s, before_s; nothing goes where none is named.

    Raises:
        HippocamError: There is no memory, or a time is not on the clock of a stream that is meant.
    """
    if not wanted:
        return 0
    with Memory.open_reader(folder) as memory:
        return footage_bytes(folder, on_clock(wanted, memory.streams(), dates=True))


def notes_preview(folder: Path, stream: str | None, import_id: str | None, sense: str) -> int:
    """How many notes `Session.forget` deletes by the sense by which they came; entries it deletes none of.

    Args:
        folder: The memory's folder.
        stream: As for `Session.forget`.
        import_id: As for `Session.forget`.
        sense: As for `Session.forget`.

    Raises:
        HippocamError: There is no memory, or the import is not known.
    """
    with Memory.open_reader(folder) as memory:
        return len(notes_of(memory.store, origin_of(memory, stream, import_id, sense)))


def forget_preview(
    folder: Path, entries: Sequence[str], wanted: Filter, *, import_id: str | None = None, sense: str | None = None
) -> list[ToDelete]:
    """Tell by stream which entries `Session.forget` deletes; ids that are not held are left out.

    Args:
        folder: The memory's folder.
        entries: Ids, as for `Session.forget`.
        wanted: Stream, camera, after_s, before_s, where no entries are named.
        import_id: As for `Session.forget`.
        sense: As for `Session.forget`.

    Raises:
        HippocamError: There is no memory, the import is not known, or a time is not on the clock of a stream that
            is meant.
    """
    with Memory.open_reader(folder) as memory:
        if import_id is not None or sense is not None:
            return preview(memory.store, origin_of(memory, wanted.stream, import_id, sense))
        if wanted:
            return preview(memory.store, on_clock(wanted, memory.streams(), dates=True))
        found = list[int]()
        for entry in entries:
            with suppress(HippocamError):  # `Session.forget` says which is not known, or finishes what was begun
                found.append(find_entry(memory, entry))
        return preview(memory.store, found)
