"""`hippocam bench scale`: large indexes, long streams, and how long writes and questions wait."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from hippocam.apps.cli.bench.options import numbers
from hippocam.apps.terminal import tell, tell_json


def add_scale(names: Any, hours: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    """Add the bench among the others; `hours` measures many memories."""
    parser: argparse.ArgumentParser = names.add_parser(
        "scale", help="a million keys, and a million frames under a small budget"
    )
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
    parser.set_defaults(run=lambda options: _scale(options) if options.hours is None else hours(options))
    return parser


def _scale(options: argparse.Namespace) -> int:
    from hippocam.apps.bench import scale
    from hippocam.apps.bench.sections import write_section
    from hippocam.apps.bench.waiting import waiting

    result = scale.run(rows=options.keys, dims=options.dims, entries=options.entries, frames=options.frames)
    tables, measured = {"Scale": scale.table(result)}, asdict(result)
    if options.seconds:
        waited = waiting.run(seconds=options.seconds)
        tables["Waiting"], measured["waiting"] = waiting.table(waited), asdict(waited)
    for title, table in tables.items():
        tell(*table.splitlines())
        if options.out and table:
            write_section(options.out, title, table, command="hippocam bench scale", encoders=[])
    if options.json:
        tell_json(measured)
    return 0
