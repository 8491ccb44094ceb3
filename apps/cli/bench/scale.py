"""`hippocam bench scale`: large indexes, long streams, and how long writes and questions wait."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from hippocam.apps.cli.bench.options import numbers
from hippocam.apps.cli.bench.outcome import Section, tell_outcome
from hippocam.apps.terminal import warn
from hippocam.stream.errors import HippocamError


def add_scale(parser: argparse.ArgumentParser) -> None:
    """Add the options of the bench."""
    parser.add_argument("--keys", type=int, default=1_000_000, metavar="N", help="keys that are searched")
    parser.add_argument("--dims", type=numbers, default=[64, 512], metavar="64,512", help="their dimensions")
    parser.add_argument("--entries", type=int, default=20_000, metavar="N", help="entries of a whole recall")
    parser.add_argument("--frames", type=int, default=1_000_000, metavar="N", help="frames that are written")
    parser.add_argument(
        "--seconds",
        type=float,
        default=60.0,
        metavar="S",
        help="how long frames are written at 30 a second beside questions",
    )
    parser.add_argument(
        "--hours",
        type=int,
        metavar="N",
        help="only this: up to N hours in many memories, and what a cluster needs",
    )
    parser.add_argument(
        "--speed", type=float, metavar="V", help="of --hours: times real time a core, from bench ingest"
    )
    parser.add_argument(
        "--minutes",
        type=float,
        default=5.0,
        metavar="M",
        help="of --hours: what is not done by then is arithmetic",
    )
    parser.set_defaults(run=lambda options: _scale(options) if options.hours is None else _hours(options))


def _scale(options: argparse.Namespace) -> int:
    from hippocam.apps.bench import scale
    from hippocam.apps.bench.waiting import waiting

    result = scale.run(rows=options.keys, dims=options.dims, entries=options.entries, frames=options.frames)
    tables, found = {"Scale": scale.table(result)}, asdict(result)
    if options.seconds:
        waited = waiting.run(seconds=options.seconds)
        tables["Waiting"], found["waiting"] = waiting.table(waited), asdict(waited)
    return tell_outcome(
        options, found, *(Section(title=title, body=body) for title, body in tables.items() if body)
    )


def _hours(options: argparse.Namespace) -> int:
    from hippocam.apps.bench import scale_hours, scale_report

    if options.hours < 1:
        raise HippocamError(f"--hours must be 1 or more, found {options.hours}")
    sizes = [hours for hours in scale_hours.HOURS if hours < options.hours] + [options.hours]
    result = scale_hours.run(sizes, seconds=60 * options.minutes, report=warn)
    body = scale_report.table(result, speed=options.speed)
    return tell_outcome(options, asdict(result), Section(title=f"Scale, {options.hours:,} hours", body=body))
