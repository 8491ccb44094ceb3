"""What a user puts into quarantine, by where it came from: kept, and never recalled until it is released."""

from __future__ import annotations

from pathlib import Path

from hippocam.apps.folders import Folders
from hippocam.apps.ids import origin_of
from hippocam.apps.records import SetApart
from hippocam.apps.settings import Settings
from hippocam.memory.memory import Memory
from hippocam.memory.provenance.records import Import


def set_apart(folder: Path) -> SetApart:
    """What is in quarantine in a memory.

    Raises:
        HippocamError: There is no memory.
    """
    with Memory.open_reader(folder) as memory:
        return _told(memory, changed=False)


def quarantine(
    folder: Path,
    *,
    stream: str | None = None,
    import_id: str | None = None,
    sense: str | None = None,
    settings: Settings | None = None,
) -> SetApart:
    """Put what came from somewhere into quarantine: it is kept, and not recalled until it is released.

    Args:
        folder: The memory's folder.
        stream: This stream, or the cameras of this source, with what they are going to bring.
        import_id: What came with this import: its id, or the beginning of it.
        sense: Only notes, and those of this sense: screen, speech, subtitle, chapter or mark.
        settings: How the memory is opened.

    Raises:
        HippocamError: There is no memory, somebody else writes to it, nothing was named, or what is not known.
        ValueError: There is no such sense.
    """
    with Folders((folder,), encoder=None, settings=settings or Settings()).changing() as memory:
        origin = origin_of(memory, stream, import_id, sense)
        with memory.store.transaction():
            changed = memory.store.provenance.set_apart(origin)
        return _told(memory, changed=changed)


def release(
    folder: Path,
    *,
    stream: str | None = None,
    import_id: str | None = None,
    sense: str | None = None,
    settings: Settings | None = None,
) -> SetApart:
    """Take what was put into quarantine out of it, named as it was then; else as `quarantine`."""
    with Folders((folder,), encoder=None, settings=settings or Settings()).changing() as memory:
        origin = origin_of(memory, stream, import_id, sense)
        with memory.store.transaction():
            changed = memory.store.provenance.release(origin)
        return _told(memory, changed=changed)


def _told(memory: Memory, *, changed: bool) -> SetApart:
    streams: dict[Import, list[str]] = {}
    for stream, part in memory.store.provenance.parts().items():
        streams.setdefault(part.made_by, []).append(stream)
    imports = tuple((one, tuple(streams[one])) for one in sorted(streams, key=lambda one: (one.made_s, one.id)))
    return SetApart(origins=memory.store.provenance.quarantine().origins, imports=imports, changed=changed)
