"""`hippocam bench forget`: what a memory is after something was forgotten, beside one that never saw it."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from hippocam.apps.terminal import tell, tell_json, warn


def add_forgetting(names: Any) -> argparse.ArgumentParser:
    """Add the bench among the others.

    Args:
        names: What takes its parser.
    """
    parser: argparse.ArgumentParser = names.add_parser(
        "forget", help="a memory that forgot something beside one that never saw it"
    )
    parser.add_argument("--cases", type=int, default=1000, metavar="N", help="random memories, one after another")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="seed of the first")
    parser.set_defaults(run=_forget)
    return parser


def _forget(options: argparse.Namespace) -> int:
    from hippocam.apps.bench.forgetting.run import run, table
    from hippocam.apps.bench.sections import write_section

    outcomes = run(range(options.first, options.first + options.cases), warn)
    tell(*table(outcomes).splitlines())
    if options.out:
        command = f"hippocam bench forget --cases {options.cases} --first {options.first}"
        write_section(options.out, "Forgetting", table(outcomes), command=command, encoders=[])
    if options.json:
        unequal = [asdict(one) for one in outcomes if not one.equal]
        tell_json({"cases": len(outcomes), "equal": len(outcomes) - len(unequal), "unequal": unequal})
    return 0
