"""`hippocam bench year`: a year of frames, or some days of it, in one memory."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from hippocam.apps.terminal import tell, tell_json, warn


def add_year(names: Any) -> argparse.ArgumentParser:
    """Add the bench among the others.

    Args:
        names: What takes its parser.
    """
    parser: argparse.ArgumentParser = names.add_parser(
        "year", help="a year of frames in a gigabyte, or some days of it"
    )
    parser.add_argument("--days", type=float, default=7.0, metavar="N", help="how many; 365 for the whole year")
    parser.add_argument("--numbers", type=int, default=64, metavar="D", help="numbers of a vector")
    parser.add_argument("--budget-mb", type=float, default=1000.0, metavar="MB", help="what the memory may take")
    parser.add_argument(
        "--seconds", type=float, default=60.0, metavar="S", help="how long frames come beside questions"
    )
    parser.set_defaults(run=_year)
    return parser


def _year(options: argparse.Namespace) -> int:
    from hippocam.apps.bench.sections import write_section
    from hippocam.apps.bench.year.run import run, table

    result = run(
        options.days,
        numbers=options.numbers,
        budget_bytes=int(options.budget_mb * 1e6),
        seconds=options.seconds,
        report=warn,
    )
    body = table(result)
    tell(*body.splitlines())
    if options.out:
        command = (
            f"hippocam bench year --days {options.days:g} --numbers {options.numbers} "
            f"--budget-mb {options.budget_mb:g} --seconds {options.seconds:g}"
        )
        write_section(options.out, f"A year, {options.numbers} numbers", body, command=command, encoders=[])
    if options.json:
        tell_json(asdict(result))
    return 0
