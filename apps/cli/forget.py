"""`hippocam forget`, `quarantine` and `release`: what is deleted for good, or kept and not recalled."""

from __future__ import annotations

import argparse
import datetime
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from hippocam.apps.cli.where import add_provenance, add_times
from hippocam.apps.terminal import tell, tell_json, warn
from hippocam.stream.timecode import format_time

if TYPE_CHECKING:
    from hippocam.apps.records import SetApart
    from hippocam.memory.forget import Deleted
    from hippocam.memory.forget_preview import ToDelete


class Forgets(Protocol):
    """Who deletes: a `Session`, as far as it is needed here."""

    @property
    def folder(self) -> Path:
        """The memory's folder."""

    def forget(
        self,
        entries: Sequence[str] = (),
        *,
        stream: str | None = None,
        camera: str | None = None,
        after_s: float | None = None,
        before_s: float | None = None,
        import_id: str | None = None,
        sense: str | None = None,
    ) -> Deleted:
        """Delete entries, what a stream, a camera or a stretch of time left behind, or by provenance."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `hippocam forget`."""
    command.add_argument("entries", nargs="*", metavar="ENTRY", help="id, or the first digits of it")
    add_times(command)
    add_provenance(command)
    command.add_argument("--yes", action="store_true", help="do not ask; needed where nobody is at a terminal")


def forget(session: Forgets, options: argparse.Namespace) -> int:
    """Delete what the options name, once it was told and somebody said yes: at the terminal, or by `--yes`.

    Raises:
        HippocamError: As Session.forget.
    """
    from hippocam.apps.api import deletion_json
    from hippocam.apps.forget_preview import check_known, footage_preview, forget_preview, notes_preview
    from hippocam.memory.filter import Filter

    wanted = Filter(stream=options.stream, camera=options.camera, after_s=options.after, before_s=options.before)
    origin = {"import_id": options.import_id, "sense": options.sense}
    if _well_named(options):  # else the session refuses
        check_known(session.folder, options.entries, wanted)
        if options.sense is None:
            found = forget_preview(session.folder, options.entries, wanted, **origin)
            lines = preview_lines(found, footage_preview(session.folder, wanted))
        else:
            notes = notes_preview(session.folder, options.stream, options.import_id, options.sense)
            lines = [f"to be deleted: {notes} {'note' if notes == 1 else 'notes'}, and no entries"]
        tell(*lines, file=sys.stderr if options.json else sys.stdout)
        if not options.yes and not sys.stdin.isatty():
            warn("hippocam: nothing was deleted: nobody is there to be asked; say it again with --yes")
            return 2
        if not options.yes and not _agreed():
            warn("nothing was deleted")
            return 1
    gone = session.forget(
        options.entries,
        stream=options.stream,
        camera=options.camera,
        after_s=options.after,
        before_s=options.before,
        **origin,
    )
    if options.json:
        tell_json(deletion_json(gone))
    else:
        parts = f"{gone.entries} entries, {gone.notes} notes, {gone.summaries} summaries"
        tell(f"forgot {parts} and {gone.streams} whole streams")
        for line in (*(f"deleted {file}" for file in gone.files), *gone.kept):
            tell(line)
    return 0


def preview_lines(found: Sequence[ToDelete], footage: int = 0) -> list[str]:
    """What will be deleted, a line for each stream.

    Args:
        found: Entries of streams.
        footage: Bytes of footage and pictures beside the memory.
    """
    lines = [
        f"to be deleted: {one.entries} {'entry' if one.entries == 1 else 'entries'} of {one.stream}, "
        f"{format_time(one.t0_s)} to {format_time(one.t1_s)}{_of_it(one)}"
        for one in found
    ] or ["to be deleted: no entries"]
    return [*lines, *([f"and {footage / 1e6:.1f} MB of footage and pictures of live cameras"] if footage else [])]


def _of_it(one: ToDelete) -> str:
    """How much of the time between the first and the last is meant; "" for all of it."""
    from hippocam.apps.ask.answer.phrases import lasting

    return "" if one.t1_s - one.t0_s - one.seconds < 1.0 else f", {lasting(one.seconds)} of it"


def _well_named(options: argparse.Namespace) -> bool:
    """Whether one kind of thing is named: entries; or a stream, a camera, a time; or where it came from."""
    narrowed = any(each is not None for each in (options.camera, options.after, options.before))
    if options.import_id is not None or options.sense is not None:  # only a stream may be named beside them
        return not options.entries and not narrowed
    return bool(options.entries) != (narrowed or options.stream is not None)


def _agreed() -> bool:
    """Ask whoever is at the terminal."""
    tell("delete for good, with all that was made of it? [y/N] ", end="", file=sys.stderr)
    return sys.stdin.readline().strip().casefold() in ("y", "yes")


def add_quarantine(command: argparse.ArgumentParser, *, released: bool = False) -> None:
    """Add the arguments of `hippocam quarantine`, or of `hippocam release`."""
    command.add_argument("--stream", metavar="ID", help="this stream, or the cameras of this source")
    add_provenance(command)
    command.set_defaults(run=_release if released else _quarantine)


def _quarantine(options: argparse.Namespace) -> int:
    from hippocam.apps.quarantine import quarantine, set_apart
    from hippocam.apps.settings import load_settings

    folder = Path(options.memory)
    if not any((options.stream, options.import_id, options.sense)):
        return _tell_quarantine(options, set_apart(folder), "")
    settings = load_settings(options.config)
    found = quarantine(
        folder,
        stream=options.stream,
        import_id=options.import_id,
        sense=options.sense,
        settings=settings,
    )
    return _tell_quarantine(options, found, "" if found.changed else "was in quarantine already")


def _release(options: argparse.Namespace) -> int:
    from hippocam.apps.quarantine import release
    from hippocam.apps.settings import load_settings

    found = release(
        Path(options.memory),
        stream=options.stream,
        import_id=options.import_id,
        sense=options.sense,
        settings=load_settings(options.config),
    )
    return _tell_quarantine(
        options, found, "" if found.changed else "was not in quarantine: name it as it stands there"
    )


def _tell_quarantine(options: argparse.Namespace, found: SetApart, remark: str) -> int:
    """Print what is in quarantine, and which imports there are."""
    if options.json:
        from hippocam.apps.api import quarantine_json

        tell_json(quarantine_json(found))
        return 0
    tell(*([remark] if remark else []))
    tell(*[f"in quarantine: {origin}" for origin in found.origins] or ["nothing is in quarantine"])
    for one, streams in found.imports:
        when = datetime.datetime.fromtimestamp(one.made_s).strftime("%Y-%m-%d %H:%M")
        tell(f"import {one.id:016x}, {when}, of {one.file}: {', '.join(streams)}")
    return 0
