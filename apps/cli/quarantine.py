"""`hippocam quarantine` and `hippocam release`: what is kept and not recalled, by where it came from."""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hippocam.apps.cli.where import add_provenance
from hippocam.apps.terminal import tell, tell_json

if TYPE_CHECKING:
    from hippocam.apps.records import SetApart


def add_arguments(command: argparse.ArgumentParser, *, released: bool = False) -> None:
    """Add the arguments of `hippocam quarantine`, or of `hippocam release`."""
    command.add_argument("--stream", metavar="ID", help="this stream, or the cameras of this source")
    add_provenance(command)
    command.set_defaults(run=_release if released else _quarantine)


def _quarantine(options: argparse.Namespace) -> int:
    from hippocam.apps.quarantine import quarantine, set_apart
    from hippocam.apps.settings import load_settings

    folder = Path(options.memory)
    if not any((options.stream, options.import_id, options.sense)):
        return _tell(options, set_apart(folder), "")
    settings = load_settings(options.config)
    found = quarantine(
        folder,
        stream=options.stream,
        import_id=options.import_id,
        sense=options.sense,
        settings=settings,
    )
    return _tell(options, found, "" if found.changed else "was in quarantine already")


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
    return _tell(options, found, "" if found.changed else "was not in quarantine: name it as it stands there")


def _tell(options: argparse.Namespace, found: SetApart, remark: str) -> int:
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
