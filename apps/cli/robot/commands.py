"""`hippocam robot ...`: logs that are replayed into a memory, a memory that robots talk to, policies.

Nothing heavy is imported before a command runs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from hippocam.apps.cli.robot.policy import add_policies
from hippocam.apps.cli.robot.serve import add_serve

DEFAULT_MEMORY = "hippocam-memory"


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `robot` to the command line."""
    robot = commands.add_parser("robot", help="robots: replay logs, serve a memory, teach policies")
    names = robot.add_subparsers(title="commands", required=True, metavar="COMMAND")

    replay = names.add_parser("replay", help="watch logs: LeRobot, ROS bags, MCAP, RLDS, TUM RGB-D")
    replay.add_argument("sources", nargs="+", metavar="DATASET", help="folder, file or quoted glob")
    replay.add_argument("--fps", type=float, default=5.0, metavar="F", help="frames a second (default 5)")
    replay.add_argument("--rerun", type=Path, metavar="FILE", help="also write what was seen for Rerun (.rrd)")
    replay.add_argument("--json", action="store_true", help="one JSON object on the last line")
    replay.set_defaults(run=_replay)

    serve = add_serve(names)
    add_policies(names)
    for command in (replay, serve):
        command.add_argument("--memory", type=Path, default=Path(DEFAULT_MEMORY), metavar="DIR")
        command.add_argument("--encoder", metavar="NAME", help="as for watch")
        command.add_argument("--budget-mb", type=float, metavar="N", help="what the memory may take on disk")
        command.add_argument("--config", metavar="NAME", help="settings: one that ships, or a YAML file")


def _replay(options: argparse.Namespace) -> int:
    from hippocam.apps.cli.progress import WatchBar
    from hippocam.apps.cli.watched import tell_watched
    from hippocam.apps.session import Session
    from hippocam.apps.settings import load_settings

    settings = load_settings(options.config)
    with Session(options.memory, encoder=options.encoder, settings=settings) as session, WatchBar() as bar:
        report = session.watch(
            options.sources, fps=options.fps, budget_mb=options.budget_mb, on_progress=bar.update
        )
    if options.rerun is not None:
        from hippocam.apps.robot.rerun_file import write_rerun

        write_rerun(options.rerun, options.sources, options.memory, fps=options.fps)
    return tell_watched(report, as_json=options.json)
