"""`hippocam verify`: whether a memory is as it was written."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from hippocam.apps.terminal import tell, tell_json


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `hippocam verify`."""
    command.add_argument("--repair", action="store_true", help="set right what can be: see what it would do first")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command.

    Returns:
        0 where all is well, 1 where something was found.
    """
    from hippocam.apps.verify import mend, problems_of

    folder = Path(options.memory)
    problems = mend(folder) if options.repair else problems_of(folder)
    if options.json:
        tell_json({"ok": not problems, "problems": [asdict(problem) for problem in problems]})
        return 1 if problems else 0
    for problem in problems:
        done = problem.repair if options.repair else f"--repair: {problem.repair}"
        tell(f"{problem.kind}: {problem.what}; {done}")
    found = f"{len(problems)} {'problem' if len(problems) == 1 else 'problems'}"
    tell(f"{folder}: {found}" if problems else f"{folder}: all is as it was written")
    return 1 if problems else 0
