"""`hippocam bench poison`: what strangers can plant, tried against recall and readers."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from hippocam.apps.terminal import tell, tell_json, warn

# Annotation files, and texts that no clip shows.
Annotations = Callable[[argparse.Namespace], tuple[list[Path], list[str]]]
# `hippocam.apps.bench.poison.product.Product`, `hippocam.apps.Session`, and what exports and imports.
Parts = Callable[[], tuple[Any, Any, Any]]


def add_poison(poison: argparse.ArgumentParser, annotations: Annotations, parts: Parts) -> None:
    """Add the options of the bench.

    Args:
        poison: Its parser.
        annotations: Gives those that were named, else our own.
        parts: Loads what makes the product as attacks meet it, opens a session, exports and imports.
    """
    poison.add_argument("--videos", type=Path, required=True, metavar="DIR", help="where the clips are")
    poison.add_argument("--truth", type=Path, nargs="+", metavar="FILE", help="annotations")
    poison.add_argument("--absent", type=Path, metavar="FILE", help="not shown")
    poison.add_argument("--seeds", type=_numbers, default=[1, 2, 3], metavar="1,2,3", help="of what is drawn")
    poison.add_argument("--targets", type=int, default=6, metavar="N", help="questions an attack and a seed")
    poison.add_argument("--readers", nargs="*", default=[], metavar="NAME", help="tried beside our own")
    poison.add_argument("--encoder", default="bundled", metavar="NAME")
    poison.add_argument("--title", default="Planted memories", metavar="TEXT", help="of the section")
    poison.set_defaults(run=partial(_poison, annotations=annotations, parts=parts))


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _poison(options: argparse.Namespace, *, annotations: Annotations, parts: Parts) -> int:
    from hippocam.apps.bench.moments import read_clips
    from hippocam.apps.bench.poison import report
    from hippocam.apps.bench.poison.gullible import GullibleReader
    from hippocam.apps.bench.poison.run import run
    from hippocam.apps.bench.sections import write_section
    from hippocam.models.readers.config import ReaderConfig
    from hippocam.models.registry import make_encoder, make_reader

    product, session_of, transfer = parts()

    def watch(videos: Sequence[Path], memory: Path) -> dict[str, str]:
        with session_of(memory, encoder=options.encoder) as session:
            return {Path(stream.source).name: stream.id for stream in session.watch(videos).streams}

    truth, absent = annotations(options)
    named = [make_reader(name, ReaderConfig()) for name in ("extractive", *options.readers)]
    result = run(
        list(read_clips(options.videos, truth)),
        absent,
        options.seeds,
        [*named, GullibleReader(sees=True), GullibleReader(sees=False)],
        watch=watch,
        product=product(make_encoder(options.encoder), options.encoder, transfer),
        targets=options.targets,
        report=warn,
    )
    tell(*report.table(result).splitlines())
    if options.out:
        truths, seeds = " ".join(map(os.path.relpath, truth)), ",".join(map(str, options.seeds))
        command = f"hippocam bench poison --videos {options.videos} --truth {truths} --seeds {seeds}"
        command += f" --targets {options.targets} --encoder {options.encoder}"
        command += f" --readers {' '.join(options.readers)}" if options.readers else ""
        body = report.table(result)
        write_section(options.out, options.title, body, command=command, encoders=[result.encoder])
    if options.json:
        tell_json(asdict(result) | {"worst": result.worst})
    return 0
