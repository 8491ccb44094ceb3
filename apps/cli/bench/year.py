"""`hippocam bench year`: a year of frames, or some days of it, in one memory."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from hippocam.apps.cli.bench.outcome import Section, tell_outcome
from hippocam.apps.terminal import warn


def add_year(parser: argparse.ArgumentParser) -> None:
    """Add the options of the bench."""
    parser.add_argument("--days", type=float, default=7.0, metavar="N", help="how many; 365 for the whole year")
    parser.add_argument("--numbers", type=int, default=64, metavar="D", help="numbers of a vector")
    parser.add_argument("--budget-mb", type=float, default=1000.0, metavar="MB", help="what the memory may take")
    parser.add_argument(
        "--seconds", type=float, default=60.0, metavar="S", help="how long frames come beside questions"
    )
    parser.set_defaults(run=_year)


def _year(options: argparse.Namespace) -> int:
    from hippocam.apps.bench.year.run import run, table

    result = run(
        options.days,
        numbers=options.numbers,
        budget_bytes=int(options.budget_mb * 1e6),
        seconds=options.seconds,
        report=warn,
    )
    section = Section(title=f"A year, {options.numbers} numbers", body=table(result))
    return tell_outcome(options, asdict(result), section)
