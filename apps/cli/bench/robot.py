"""`hippocam bench robot`: what a robot's control loop waits for."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from hippocam.apps.cli.bench.options import numbers
from hippocam.apps.cli.bench.outcome import Section, tell_outcome


def add_robot(parser: argparse.ArgumentParser) -> None:
    """Add the options of the bench."""
    parser.add_argument(
        "--entries", type=numbers, default=[1000, 10_000, 100_000], metavar="N,N", help="of the memories"
    )
    parser.add_argument("--encoder", default="bundled", metavar="NAME")
    parser.add_argument("--seconds", type=float, default=20.0, metavar="S", help="of each loop")
    parser.set_defaults(run=_robot)


def _robot(options: argparse.Namespace) -> int:
    from hippocam.apps.bench.robot.run import run, table

    result = run(options.entries, encoder=options.encoder, loop_s=options.seconds)
    section = Section(title="A control loop", body=table(result), encoders=[result.encoder])
    return tell_outcome(options, asdict(result), section)
