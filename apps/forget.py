"""Deletes what a user names, in a memory and in all that is kept beside it.

Beside a memory there may be footage and pictures of its live cameras, videos that were uploaded to its page or
made to be played there, and what an archive run left when it was cut short. They are deleted first and the
memory's rows last: if that is cut short, the memory still has what was named, so it can be asked for again.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hippocam.apps.archive.unit import delete_copy
from hippocam.apps.archive.work import HIDDEN, work_folder_of
from hippocam.apps.ask.where import check_stream, on_clock
from hippocam.apps.ids import find_entry
from hippocam.apps.live.forget import delete_footage
from hippocam.memory.errors import LockedError
from hippocam.memory.filter import Filter
from hippocam.memory.forget import Deleted, FinishedDeletion
from hippocam.memory.lock import WriterLock
from hippocam.memory.memory import MemoryWriter
from hippocam.memory.provenance.records import Origin
from hippocam.memory.records import Entry, format_id
from hippocam.stream.errors import HippocamError


def delete(memory: MemoryWriter, what: Filter | Origin | Sequence[str], *, ended_only: bool = False) -> Deleted:
    """Delete entries, all that a stream, a camera or a stretch of time left behind, or by provenance.

    Args:
        memory: Open for writing.
        what: A filter, an origin, or ids of entries or their beginnings.
        ended_only: Of visits delete only those that ended within the times; who is in sight stays so.

    Raises:
        HippocamError: An entry or the stream is not known, a time is not on the clock of a stream that is meant,
            or an archive run works beside the memory.
        OSError: A file cannot be deleted.
    """
    if memory.finished is not None and _same(what, memory.finished):  # asked for again, after it was cut short
        return memory.finished.gone
    if isinstance(what, Origin):  # neither an import nor a sense has files beside the memory
        with _archive_leftovers(memory.folder):
            return memory.forget(what)
    if isinstance(what, Filter) and what.stream is not None:
        check_stream(what.stream, memory.streams())
    if isinstance(what, Filter):
        what = on_clock(what, memory.streams(), dates=True)
    found = [] if isinstance(what, Filter) else [find_entry(memory, entry) for entry in what]
    entries = [entry for entry_id in found if (entry := memory.entry(entry_id)) is not None]
    with _archive_leftovers(memory.folder):
        for wanted in [what] if isinstance(what, Filter) else list(_times_of(entries)):
            delete_footage(memory.folder, wanted)
        files, kept = _delete_uploads(memory, what if isinstance(what, Filter) else entries)
        _delete_of_page(memory, what if isinstance(what, Filter) else entries)
        gone = memory.forget(what if isinstance(what, Filter) else found, ended_only=ended_only)
    return gone._replace(files=files, kept=kept)


def _same(what: Filter | Origin | Sequence[str], finished: FinishedDeletion) -> bool:
    """Whether a deletion that was finished is the one that is asked for."""
    deletion = finished.deletion
    if isinstance(what, Origin) or deletion.origin is not None:
        return what == deletion.origin
    if isinstance(what, Filter) or deletion.wanted:
        return (what,) == deletion.wanted
    ids = list(map(format_id, deletion.entry_ids))
    return all(any(entry_id.startswith(written.strip().lower()) for entry_id in ids) for written in what)


def _times_of(entries: Sequence[Entry]) -> Iterator[Filter]:
    for entry in entries:
        for span in entry.spans:
            yield Filter(stream=entry.stream, after_s=span.t0_s, before_s=span.t1_s)


def _delete_uploads(
    memory: MemoryWriter, what: Filter | Sequence[Entry]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Delete the uploaded videos of which the memory keeps nothing.

    Returns:
        Paths of the deleted ones; and of those that stay, each with the reason.
    """
    from hippocam.apps.web.beside import uploads_folder

    folder = uploads_folder(memory.folder)
    if isinstance(what, Filter):
        of_it = {row.id for row in memory.progress() if what.of_stream(row.id)}
        whole = what.after_s is None and what.before_s is None
    else:
        of_it, whole = {entry.stream for entry in what}, False
    streams_of: dict[Path, set[str]] = {}
    for row in memory.progress():
        path = Path(row.source)
        if path.parent == folder and path.is_file():
            streams_of.setdefault(path, set()).add(row.id)
    deleted, kept = [], []
    for path, streams in streams_of.items():
        if not streams & of_it:
            continue
        if not whole:
            kept.append(
                f"{path}: stays, since only a part of it is forgotten; forget the whole stream to delete it"
            )
        elif streams - of_it:
            kept.append(f"{path}: stays, since {', '.join(sorted(streams - of_it))} comes from it too")
        else:
            path.unlink()
            deleted.append(str(path))
    return tuple(deleted), tuple(kept)


def _delete_of_page(memory: MemoryWriter, what: Filter | Sequence[Entry]) -> None:
    """Delete what the page has of the streams that are meant.

    Its own versions of their videos are made again on demand; the titles of streams go with the whole stream.
    """
    from hippocam.apps.web.beside import delete_converted
    from hippocam.apps.web.titles import Titles

    if not isinstance(what, Filter):
        delete_converted(memory.folder, {entry.stream for entry in what})
        return
    streams = [row.id for row in memory.progress() if what.of_stream(row.id)]
    delete_converted(memory.folder, streams)
    if what.after_s is None and what.before_s is None:
        Titles(memory.folder).forget(streams)


@contextmanager
def _archive_leftovers(memory: Path) -> Iterator[None]:
    """Delete what an archive run that was cut short keeps of a memory, and keep a new run out meanwhile.

    Its copy of the memory is deleted, so the next run goes on from the memory as it is then. All its parts are
    deleted: they do not tell what they are of, and the next run makes them again.
    """
    hidden = memory.resolve().parent / HIDDEN
    if not hidden.is_dir():
        yield
        return
    try:
        lock = WriterLock(hidden / "lock")
    except LockedError as error:
        raise HippocamError(f"{hidden.parent}: a process archives into it; wait for it to end") from error
    try:
        work = work_folder_of(hidden.parent)
        for name in (memory.resolve().name, f"{memory.resolve().name}.new"):
            delete_copy(work / "copies" / name)
        shutil.rmtree(work / "work", ignore_errors=True)
        yield
    finally:
        lock.release()
