"""`hippocam robot ...`: logs that are replayed into a memory, a memory that robots talk to, policies.

Nothing heavy is imported before a command runs.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from hippocam.apps.cli.policy import add_policies
from hippocam.apps.terminal import tell

DEFAULT_MEMORY = "hippocam-memory"
# The key that clients must send, where others than this machine can reach the server.
KEY_VARIABLE = "HIPPOCAM_API_KEY"


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

    serve = names.add_parser("serve", help="a memory behind openpi's websocket protocol")
    serve.add_argument("--upstream", metavar="URL", help="ws://... of the policy server that answers")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    serve.add_argument("--port", type=int, default=8000, help="port (default 8000)")
    serve.add_argument("--top", type=int, default=4, metavar="N", help="moments that are recalled (default 4)")
    serve.add_argument("--deadline-ms", type=float, default=50.0, metavar="MS", help="of recall (default 50)")
    serve.set_defaults(run=_serve)
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


def _serve(options: argparse.Namespace) -> int:
    from hippocam.apps.robot.memory import RobotMemory
    from hippocam.apps.settings import load_settings
    from hippocam.stream.errors import HippocamError

    try:
        from hippocam.apps.robot.serve.server import MemoryServer, ServeConfig
    except ImportError as error:
        raise HippocamError(
            "serving robots needs websockets and msgpack: pip install 'hippocam[robot]'"
        ) from error
    config = ServeConfig(
        host=options.host,
        port=options.port,
        upstream=options.upstream,
        api_key=os.environ.get(KEY_VARIABLE) or None,
        deadline_ms=options.deadline_ms,
        top=options.top,
    )
    opened = RobotMemory.open(
        options.memory,
        encoder=options.encoder or "auto",
        budget_mb=options.budget_mb,
        settings=load_settings(options.config),
    )
    with opened as memory:
        server = MemoryServer(memory, config)
        before = f" before {options.upstream}" if options.upstream else ""
        tell(f"listening on ws://{options.host}:{server.port}{before}; Ctrl-C ends it")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            server.shutdown()
        told = memory.status()
    dropped, refused = dict(told.dropped) or "none", dict(told.refused) or "none"
    tell(f"{told.observed} observations; dropped: {dropped}; refused: {refused}")
    return 0
