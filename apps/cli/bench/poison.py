"""`hippocam bench poison`: what strangers can plant, tried against recall and readers."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from hippocam.apps.cli.bench.options import FOOTAGE, annotated, numbers
from hippocam.apps.cli.bench.outcome import Section, tell_outcome
from hippocam.apps.terminal import warn


def add_poison(parser: argparse.ArgumentParser) -> None:
    """Add the options of the bench."""
    parser.add_argument("--videos", type=Path, required=True, metavar="DIR", help="where the clips are")
    parser.add_argument("--truth", type=Path, nargs="+", metavar="FILE", help="annotations")
    parser.add_argument("--absent", type=Path, metavar="FILE", help="not shown")
    parser.add_argument("--seeds", type=numbers, default=[1, 2, 3], metavar="1,2,3", help="of what is drawn")
    parser.add_argument("--targets", type=int, default=6, metavar="N", help="questions an attack and a seed")
    parser.add_argument("--readers", nargs="*", default=[], metavar="NAME", help="tried beside our own")
    parser.add_argument("--encoder", default="bundled", metavar="NAME")
    parser.add_argument("--title", default="Planted memories", metavar="TEXT", help="of the section")
    parser.set_defaults(run=_poison)


def _poison(options: argparse.Namespace) -> int:
    from hippocam.apps.bench.moments import read_clips
    from hippocam.apps.bench.poison import report
    from hippocam.apps.bench.poison.gullible import GullibleReader
    from hippocam.apps.bench.poison.product import Product
    from hippocam.apps.bench.poison.run import run
    from hippocam.apps.session import Session
    from hippocam.models.readers.config import ReaderConfig
    from hippocam.models.registry import make_encoder, make_reader

    def watch(videos: Sequence[Path], memory: Path) -> dict[str, str]:
        with Session(memory, encoder=options.encoder) as session:
            return {Path(stream.source).name: stream.id for stream in session.watch(videos).streams}

    truth, absent = annotated(options, FOOTAGE)
    named = [make_reader(name, ReaderConfig()) for name in ("extractive", *options.readers)]
    result = run(
        list(read_clips(options.videos, truth)),
        absent,
        options.seeds,
        [*named, GullibleReader(sees=True), GullibleReader(sees=False)],
        watch=watch,
        product=Product(make_encoder(options.encoder), options.encoder),
        targets=options.targets,
        report=warn,
    )
    section = Section(title=options.title, body=report.table(result), encoders=[result.encoder])
    return tell_outcome(options, asdict(result) | {"worst": result.worst}, section)
