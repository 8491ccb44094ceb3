"""`hippocam robot ...`: logs that are replayed into a memory, a memory that robots talk to, policies.

Nothing heavy is imported before a command runs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from hippocam.apps.cli.robot.policy import add_policies
from hippocam.apps.cli.robot.serve import add_serve
from hippocam.apps.terminal import tell
from hippocam.stream.timecode import format_time

DEFAULT_MEMORY = "hippocam-memory"


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `robot` to the command line."""
    robot = commands.add_parser("robot", help="replay logs, serve a memory, teach policies")
    names = robot.add_subparsers(title="commands", required=True, metavar="COMMAND")

    replay = names.add_parser("replay", help="watch logs: LeRobot, ROS bags, MCAP, RLDS, TUM RGB-D")
    replay.add_argument("sources", nargs="+", metavar="DATASET", help="folder, file or quoted glob")
    replay.add_argument("--fps", type=float, default=5.0, metavar="F", help="frames a second (default 5)")
    replay.add_argument("--rerun", type=Path, metavar="FILE", help="also write what was seen for Rerun (.rrd)")
    replay.add_argument("--json", action="store_true", help="one JSON object on the last line")
    replay.set_defaults(run=_replay)

    serve = add_serve(names)
    overhead = names.add_parser("map", help="a picture from above: where the robot was, and what it saw there")
    overhead.add_argument("--memory", type=Path, default=Path(DEFAULT_MEMORY), metavar="DIR")
    overhead.add_argument("--out", type=Path, required=True, metavar="FILE", help="the picture (.png)")
    overhead.add_argument("--find", default="", metavar="TEXT", help="also mark the moments that show this")
    overhead.set_defaults(run=_map)
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

        count = write_rerun(options.rerun, options.sources, options.memory, fps=options.fps)
        tell(
            f"{options.rerun}: {count} pictures with what the memory keeps of them; rerun {options.rerun} shows it"
        )
    return tell_watched(report, as_json=options.json)


def _map(options: argparse.Namespace) -> int:
    from hippocam.apps.session import Session
    from hippocam.apps.shown.overhead import overhead
    from hippocam.apps.shown.overhead_picture import draw
    from hippocam.models.readers.reading import SEEN_FROM
    from hippocam.stream.errors import HippocamError

    with Session(options.memory) as session:
        found = session.search(options.find, top=8) if options.find else ()
        found = tuple(moment for moment in found if moment.score >= SEEN_FROM)
        seen = overhead(session.opened.memories().members, session.entities(), found)
    if seen is None:
        raise HippocamError(f"{options.memory}: no position of a robot is known in this memory")
    try:
        options.out.write_bytes(draw(seen, title=options.find))
    except OSError as error:
        raise HippocamError(f"{options.out}: cannot be written ({error.strerror})") from error
    tell(f"{options.out}: {len(seen.paths)} recordings, {sum(not mark.found for mark in seen.marks)} things seen")
    for mark, moment in zip([mark for mark in seen.marks if mark.found], found, strict=False):
        where = f"{seen.axes[0]} {mark.point[0]:.2f} m, {seen.axes[1]} {mark.point[1]:.2f} m"
        tell(f"{mark.text}. {format_time(moment.frame_s)} in {moment.stream}: {where}")
    if options.find and not found:
        tell(f'not seen: nothing matches "{options.find}" well enough')
    return 0
