"""`hippocam bench forget`: what a memory is after something was forgotten, beside one that never saw it."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from hippocam.apps.cli.bench.outcome import Section, tell_outcome
from hippocam.apps.terminal import warn


def add_forget(parser: argparse.ArgumentParser) -> None:
    """Add the options of the bench."""
    parser.add_argument("--cases", type=int, default=1000, metavar="N", help="random memories, one after another")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="seed of the first")
    parser.set_defaults(run=_forget)


def _forget(options: argparse.Namespace) -> int:
    from hippocam.apps.bench.forgetting.run import run, table

    outcomes = run(range(options.first, options.first + options.cases), warn)
    unequal = [asdict(one) for one in outcomes if not one.equal]
    found = {"cases": len(outcomes), "equal": len(outcomes) - len(unequal), "unequal": unequal}
    return tell_outcome(options, found, Section(title="Forgetting", body=table(outcomes)))
