"""Changes of a memory as plain values: carried out here, or by the live process that writes to it.

There is one writer. Where a live process is that, a change goes to its socket (live/endpoint.py) and is made
between two frames; whoever asked gets the same result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Protocol

from hippocam.apps.errors import EntryGivenUpError
from hippocam.apps.forget import delete
from hippocam.apps.ids import find_entry, origin_of
from hippocam.apps.live.endpoint import ask_live
from hippocam.apps.live.folder import LiveFolder
from hippocam.memory.errors import LockedError
from hippocam.memory.filter import Filter
from hippocam.memory.forget import Deleted
from hippocam.memory.memory import MemoryWriter
from hippocam.memory.records import format_id
from hippocam.memory.sleep.sleep import SleepReport

# How long a live process may take for a change: a large memory sleeps for minutes.
_PATIENCE_S = 3600.0


class Changing(Protocol):
    """One memory, which can be opened to be changed."""

    @property
    def single(self) -> Path:
        """Its folder."""

    def changing(self) -> AbstractContextManager[MemoryWriter]:
        """Open it for writing, as it is."""


def pin(folders: Changing, entries: Sequence[str], pinned: bool) -> tuple[str, ...]:
    """Pin entries, or let them go; see `Session.pin`."""
    return tuple(_change(folders, "pin", {"entries": list(entries), "pinned": pinned})["entries"])


def forget(folders: Changing, entries: Sequence[str], wanted: Filter, origin: Mapping[str, str | None]) -> Deleted:
    """Delete entries, what a filter names, or by provenance; see `Session.forget`.

    Args:
        folders: The memory.
        entries: Ids of entries.
        wanted: Stream, camera, after_s, before_s.
        origin: import_id and sense.
    """
    asked = {name: getattr(wanted, name) for name in ("stream", "camera", "after_s", "before_s")}
    gone = _change(folders, "forget", {"entries": list(entries), **asked, **origin})
    return Deleted(**{**gone, "files": tuple(gone["files"]), "kept": tuple(gone["kept"])})


def sleep(folders: Changing, target: float | None) -> SleepReport:
    """Make the memory smaller; see `Session.sleep`."""
    told = _change(folders, "sleep", {"target": target})
    before, after = (
        {int(k): share for k, share in told[name].items()} for name in ("recall_before", "recall_after")
    )
    return SleepReport(**{**told, "recall_before": before, "recall_after": after})


def wake(folders: Changing) -> int:
    """Undo the last sleep; see `Session.wake`."""
    return int(_change(folders, "wake", {})["entries"])


def _change(folders: Changing, name: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """Carry a change out, or have the live process that writes to the memory do so.

    Raises:
        LockedError: Somebody else writes to it, and no live process.
        LiveError: The live process refused, or has just ended.
    """
    try:
        with folders.changing() as memory:
            return carry_out(memory, name, asked)
    except LockedError:
        done = ask_live(
            LiveFolder(folders.single).socket, {"op": "change", "name": name, **asked}, timeout_s=_PATIENCE_S
        )
        if done is None:
            raise
        return done


def carry_out(memory: MemoryWriter, name: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """Carry a change out.

    Args:
        memory: Open for writing.
        name: pin, forget, sleep or wake.
        asked: What is to be changed, as the functions above say it.

    Returns:
        What it did, in JSON's own values.

    Raises:
        HippocamError: As for the methods of Session.
        ValueError: There is no change of that name.
    """
    if name not in _CHANGES:
        raise ValueError(f"change {name!r} is not known; there are {', '.join(_CHANGES)}")
    return _CHANGES[name](memory, asked)


def _pin(memory: MemoryWriter, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    entry_ids = [find_entry(memory, entry) for entry in asked["entries"]]
    gone = [format_id(entry_id) for entry_id in entry_ids if memory.entry(entry_id) is None]
    if gone:
        raise EntryGivenUpError(gone[0])
    for entry_id in entry_ids:
        memory.pin(entry_id, asked["pinned"])
    return {"entries": list(map(format_id, entry_ids))}


def _forget(memory: MemoryWriter, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    if asked["import_id"] is not None or asked["sense"] is not None:
        origin = origin_of(memory, asked["stream"], asked["import_id"], asked["sense"])
        return delete(memory, origin)._asdict()
    wanted = filter_of_change(asked)
    return delete(memory, wanted if wanted else asked["entries"])._asdict()


def filter_of_change(asked: Mapping[str, Any]) -> Filter:
    """The streams and times that a change names."""
    names = {field.name for field in fields(Filter)} & asked.keys()
    return Filter(**{name: asked[name] for name in names})


def _sleep(memory: MemoryWriter, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    return asdict(memory.sleep(asked["target"]))


def _wake(memory: MemoryWriter, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"entries": memory.wake()}


_CHANGES: dict[str, Callable[[MemoryWriter, Mapping[str, Any]], Mapping[str, Any]]] = {
    "pin": _pin,
    "forget": _forget,
    "sleep": _sleep,
    "wake": _wake,
}
