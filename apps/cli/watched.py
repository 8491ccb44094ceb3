"""What came of watching, told as every command that watches tells it."""

from __future__ import annotations

from hippocam.apps.api import watch_json
from hippocam.apps.cli.advice import advice_on_source
from hippocam.apps.cli.report import watch_lines
from hippocam.apps.records import WatchReport
from hippocam.apps.terminal import tell, tell_json, warn


def tell_watched(report: WatchReport, *, as_json: bool) -> int:
    """Tell a watch's outcome, and each source that failed; return the command's exit code."""
    if as_json:
        tell_json(watch_json(report))
    else:
        tell(*watch_lines(report))
    for failure in report.failed:
        warn(f"hippocam: {failure.source}: {failure.reason}{advice_on_source(failure.source)}")
    return 1 if report.failed else 0
