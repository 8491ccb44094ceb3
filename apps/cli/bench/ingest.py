"""`hippocam bench ingest`: how fast clips are watched on one core, beside what that must take."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from hippocam.apps.cli.bench.outcome import Section, tell_outcome
from hippocam.apps.terminal import warn


def add_ingest(parser: argparse.ArgumentParser) -> None:
    """Add the options of the bench."""
    parser.add_argument("--videos", type=Path, nargs="+", required=True, metavar="FILE", help="clips, by name")
    parser.add_argument("--encoder", default="bundled", metavar="NAME")
    parser.add_argument("--fps", type=float, default=1.0, metavar="F", help="frames looked at a second")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="of which the medians are taken")
    parser.set_defaults(run=_ingest)


def _ingest(options: argparse.Namespace) -> int:
    from hippocam.apps.bench import ingest
    from hippocam.models.registry import make_encoder

    result = ingest.run(
        options.videos, encoder=options.encoder, fps=options.fps, rounds=options.rounds, report=warn
    )
    title, ids = f"Ingest, encoder {options.encoder}", [make_encoder(options.encoder).spec.id]
    return tell_outcome(options, asdict(result), Section(title=title, body=ingest.table(result), encoders=ids))
