"""`hippocam pin` and `unpin`: entries that are never given up, by their ids or by when they were seen."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from hippocam.apps.cli.where import add_times
from hippocam.apps.terminal import tell, tell_json
from hippocam.stream.errors import HippocamError


class Pins(Protocol):
    """Who pins: a `Session`, as far as it is needed here."""

    @property
    def folder(self) -> Path:
        """The memory's folder."""

    def pin(self, entries: Sequence[str], pinned: bool = True) -> tuple[str, ...]:
        """Pin entries, or let them go; return their ids."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of both commands."""
    command.add_argument("entries", nargs="*", metavar="ENTRY", help="id, or the first digits of it")
    add_times(command)


def pin(session: Pins, options: argparse.Namespace, *, pinned: bool) -> int:
    """Pin what the options name, or let it go.

    Raises:
        HippocamError: As Session.pin; nothing was named or both kinds, or nothing was seen then.
    """
    from hippocam.apps.api import pinned_json
    from hippocam.apps.ids import entries_of
    from hippocam.memory.filter import Filter

    wanted = Filter(stream=options.stream, camera=options.camera, after_s=options.after, before_s=options.before)
    if bool(options.entries) == bool(wanted):
        raise HippocamError("name entries, or a stream, a camera or a time")
    entries = session.pin(options.entries or entries_of(session.folder, wanted), pinned)
    if options.json:
        tell_json(pinned_json(entries, pinned))
    else:
        tell(*(f"{'pinned' if pinned else 'unpinned'} {entry}" for entry in entries))
    return 0
