"""`hippocam sleep`: the memory made smaller, what that cost, and the last sleep undone."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from hippocam.apps.terminal import tell, tell_json

if TYPE_CHECKING:
    from hippocam.apps.session import Session


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    command.add_argument(
        "--target", type=float, metavar="F", help="share of the entries' bytes to be left (default 0.25)"
    )
    command.add_argument(
        "--undo", action="store_true", help="undo the last sleep: its entries come back, without pictures"
    )


def sleep(session: Session, options: argparse.Namespace) -> int:
    """Let a memory sleep, or undo that.

    Raises:
        HippocamError: As Session.sleep and Session.wake.
    """
    from hippocam.apps.api import sleep_json

    if options.undo:
        return _wake(session.wake(), json_output=options.json)
    report = session.sleep(options.target)
    if options.json:
        tell_json(sleep_json(report))
        return 0
    reduced = f", {report.reduced} of them with reduced vectors" if report.reduced else ""
    tell(
        f"{report.before} entries became {report.after}{reduced}; {report.bytes_before / 1e6:.1f} MB became "
        f"{report.bytes_after / 1e6:.1f} MB"
    )
    shares = (
        f"{100 * report.recall_before[k]:.1f} % before, {100 * report.recall_after[k]:.1f} % after among the "
        f"first {k}"
        for k in report.recall_before
    )
    tell(f"{report.probes} probes found their moment: {'; '.join(shares)}")
    tell(
        f"{report.committed} changes were written, {report.rolled_back} would have lost too much and were not made"
    )
    return 0


def _wake(back: int, *, json_output: bool) -> int:
    if json_output:
        tell_json({"back": back})
    elif back:
        tell(f"the last sleep is undone: {back} entries are what they were, but for their pictures")
    else:
        tell("no sleep is remembered: nothing to undo")
    return 0
