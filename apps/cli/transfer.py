"""`hippocam export` and `hippocam import`: a memory into a file, and its streams into another memory."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hippocam.apps.cli.where import typed_time
from hippocam.apps.terminal import tell, tell_json
from hippocam.apps.transfer import FORMATS
from hippocam.stream.errors import HippocamError

if TYPE_CHECKING:
    from hippocam.apps.settings import Settings


def add_export(export: argparse.ArgumentParser) -> None:
    """Add the arguments of `hippocam export`."""
    export.add_argument("--format", choices=FORMATS, help="default: as FILE ends, else jsonl")
    export.add_argument("--stream", metavar="ID", help="only this stream")
    export.add_argument("--after", type=typed_time, metavar="T", help="only what was there after this time")
    export.add_argument("--before", type=typed_time, metavar="T", help="only what was there before this time")
    export.add_argument("--out", type=Path, metavar="FILE", help="default: stdout")
    export.add_argument("--no-pictures", action="store_true", help="of jsonl: without pictures")
    export.add_argument("--journal", action="store_true", help="of jsonl: with what happened to the entries")
    export.set_defaults(run=_export)


def add_import(take: argparse.ArgumentParser) -> None:
    """Add the arguments of `hippocam import`."""
    take.add_argument(
        "path",
        type=Path,
        metavar="PATH",
        help="JSON lines, as export writes them; or the folder or database of Frigate, screenpipe or Immich",
    )
    take.add_argument("--media", type=Path, metavar="DIR", help="where the footage of that program lies here")
    take.add_argument("--fps", type=float, metavar="F", help="of footage: frames looked at a second (default 1)")
    take.add_argument("--budget-mb", type=float, metavar="N", help="what the memory may take on disk")
    take.add_argument("--encoder", metavar="NAME", help="agree to an encoder that is loaded from elsewhere")
    take.set_defaults(run=_import)


def _export(options: argparse.Namespace) -> int:
    from hippocam.apps.transfer.exporting import export, write_file, write_stdout

    ending = options.out.suffix.casefold().removeprefix(".") if options.out else ""
    pieces = export(
        Path(options.memory),
        options.format or (ending if ending in FORMATS else FORMATS[0]),
        stream=options.stream,
        after_s=options.after,
        before_s=options.before,
        pictures=not options.no_pictures,
        journal=options.journal,
    )
    if options.out:
        write_file(options.out, pieces, memory=Path(options.memory))
    elif sys.stdout.isatty():  # what is exported is for programs; a person only looks at it
        for piece in pieces:
            tell(*piece.splitlines())
    else:
        write_stdout(pieces)
    return 0


def _import_library(options: argparse.Namespace, settings: Settings) -> int | None:
    """Watch what another program has recorded; None where the path is nothing of such a program."""
    from hippocam.apps.cli.progress import WatchBar
    from hippocam.apps.cli.watched import tell_watched
    from hippocam.apps.transfer.libraries import import_library

    with WatchBar() as bar:
        report = import_library(
            options.path,
            Path(options.memory),
            media=options.media,
            fps=options.fps,
            encoder=options.encoder,
            budget_mb=options.budget_mb,
            settings=settings,
            on_progress=bar.update,
        )
    return None if report is None else tell_watched(report, as_json=options.json)


def _import(options: argparse.Namespace) -> int:
    from hippocam.apps.api import import_json
    from hippocam.apps.cli.report import import_lines
    from hippocam.apps.settings import load_settings
    from hippocam.apps.transfer.importing import import_file

    settings = load_settings(options.config)
    if (code := _import_library(options, settings)) is not None:
        return code
    if options.media is not None or options.fps is not None:
        raise HippocamError(f"{options.path}: is nothing that Frigate, screenpipe or Immich keeps")
    report = import_file(
        options.path,
        Path(options.memory),
        encoder=options.encoder,
        budget_mb=options.budget_mb,
        config=settings.memory,
    )
    if options.json:
        tell_json(import_json(report))
    else:
        tell(*import_lines(report))
    return 0
