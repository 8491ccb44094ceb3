"""`hippocam bench lifelog`: a week of one annotator's sentences in little room, asked by another's."""

from __future__ import annotations

import argparse
from pathlib import Path

from hippocam.apps.cli.bench.options import numbers
from hippocam.apps.cli.bench.outcome import Section, tell_outcome
from hippocam.apps.terminal import warn


def add_lifelog(parser: argparse.ArgumentParser) -> None:
    """Add the options of the bench."""
    parser.add_argument(
        "--data", type=Path, required=True, metavar="FOLDER", help="holds val_1.json and val_2.json of ActivityNet"
    )
    parser.add_argument(
        "--shares",
        type=numbers,
        default=[4, 12, 50],
        metavar="4,12,50",
        help="what the bytes of plain vectors of all sentences are divided by",
    )
    parser.add_argument(
        "--seeds", type=numbers, default=[1, 2, 3], metavar="1,2,3", help="of the order of the videos"
    )
    parser.add_argument("--rules", nargs="+", metavar="NAME", help="only these rules")
    parser.add_argument(
        "--untaught",
        action="store_true",
        help="only videos from whose sentences the shipped outline did not learn",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--no-disk", action="store_true", help="measure no memory on disk")
    where.add_argument("--only-disk", action="store_true", help="measure memories on disk alone")
    parser.add_argument(
        "--disk-bytes",
        type=numbers,
        metavar="1000000,400000",
        help="what memories on disk may take (40 MB, 1 MB, 400 kB and 256 kB)",
    )
    parser.add_argument(
        "--item-s", type=float, metavar="S", help="seconds between the items that they are given (2)"
    )
    parser.add_argument("--ask-every", type=int, default=1, metavar="N", help="ask one question in N (all)")
    parser.set_defaults(run=_lifelog)


def _lifelog(options: argparse.Namespace) -> int:
    from hippocam.apps.bench.lifelog import report, run
    from hippocam.apps.bench.lifelog.again import asked_again
    from hippocam.apps.bench.lifelog.disk import on_disk
    from hippocam.apps.bench.lifelog.records import DISK_BYTES, ITEM_S
    from hippocam.apps.bench.lifelog.rules import keepers
    from hippocam.memory.training.outline import taught
    from hippocam.models.registry import make_encoder

    encoder = make_encoder("bundled")
    result = run.run(
        options.data,
        encoder,
        shares=() if options.only_disk else options.shares,
        seeds=options.seeds,
        keepers=keepers(encoder.spec.id),
        rules=options.rules,
        on_disk=None if options.no_disk else on_disk,
        disk_bytes=options.disk_bytes or DISK_BYTES,
        item_s=ITEM_S if options.item_s is None else options.item_s,
        asked_every=options.ask_every,
        asked_again=asked_again,
        of=(lambda video: not taught(video)) if options.untaught else None,
        report=warn,
    )
    section = Section(title=report.TITLE, body=report.to_markdown(result), encoders=[encoder.spec.id])
    return tell_outcome(options, report.to_json(result), section)
