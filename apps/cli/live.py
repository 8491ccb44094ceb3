"""`hippocam live ...`: cameras that never end.

Nothing heavy is imported before a command runs.
"""

from __future__ import annotations

import argparse
import re
import signal
import sys
import threading
import time
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from hippocam.apps.cli.where import duration
from hippocam.apps.terminal import tell, tell_json, warn
from hippocam.apps.wording import legible
from hippocam.stream.errors import HippocamError
from hippocam.stream.timecode import format_time

if TYPE_CHECKING:
    from hippocam.apps.live.status import LiveStatus

DEFAULT_MEMORY = "hippocam-memory"


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `live` to the command line."""
    live = commands.add_parser("live", help="watch cameras that never end, and ask meanwhile")
    names = live.add_subparsers(title="commands", required=True, metavar="COMMAND")

    add = names.add_parser("add", help="watch cameras until Ctrl-C")
    add.add_argument(
        "sources", nargs="+", metavar="[NAME=]SOURCE", help="rtsp://..., http://..., /dev/video0, or a file"
    )
    _common(add)
    add.add_argument("--config", metavar="NAME", help="settings: one that ships, or a YAML file")
    add.add_argument("--encoder", metavar="NAME", help="as for watch")
    add.add_argument("--fps", type=float, metavar="F", help="frames looked at a second (default 1)")
    add.add_argument("--budget-mb", type=float, metavar="N", help="what the memory may take on disk (default 256)")
    add.add_argument("--loop", action="store_true", help="begin files again where they end")
    add.add_argument("--for", dest="for_s", type=duration, metavar="T", help="end after 30s, 5m, 2h")
    add.add_argument(
        "--look-back-mb", type=float, default=256.0, metavar="N", help="footage as it came, for clip (default 256)"
    )
    add.add_argument("--no-sound", action="store_true", help="keep no sound in that footage")
    add.add_argument(
        "--keep",
        choices=("nothing", "alerts", "things", "motion", "all"),
        default="nothing",
        help="footage that is kept for longer, of which events",
    )
    add.add_argument("--keep-mb", type=float, default=1024.0, metavar="N", help="for all that (default 1024)")
    add.add_argument("--keep-before", type=duration, default=5.0, metavar="T", help="with so much before (5s)")
    add.add_argument("--keep-after", type=duration, default=10.0, metavar="T", help="and so much after (10s)")
    add.add_argument(
        "--read-share",
        type=float,
        default=0.1,
        metavar="S",
        help="read text for this share of the time (0.1)",
    )
    add.add_argument(
        "--hear-share", type=float, default=0.25, metavar="S", help="hear speech for this share of a core (0.25)"
    )
    add.add_argument("--days", type=float, metavar="N", help="delete what was seen more than so many days ago")
    add.add_argument("--look-back", type=duration, default=600.0, metavar="T", help="how far back (default 10m)")
    add.add_argument(
        "--alert", action="append", type=legible, default=[], metavar="TEXT", help="tell when this is shown"
    )
    add.add_argument("--alerts", type=Path, metavar="FILE", help="standing questions in a YAML file")
    add.add_argument("--zones", type=Path, metavar="FILE", help="zones and masks of cameras in a YAML file")
    add.add_argument("--webhook", metavar="URL", help="where alerts are posted as JSON")
    add.add_argument(
        "--webhook-private", action="store_true", help="the webhook may be in a private network, or here"
    )
    add.add_argument("--stall", type=duration, default=10.0, metavar="T", help="no frame for so long: start again")
    add.add_argument("--restarts", type=int, default=1000, metavar="N", help="in a row; 0 for no end")
    add.add_argument(
        "--executor", choices=("local", "ray"), default="local", help="cameras in processes, or on Ray"
    )
    add.set_defaults(run=_add)
    service = names.add_parser("service", help="print a systemd unit that runs `live add` with what follows")
    service.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="as for live add")
    service.set_defaults(run=_service)

    remove = names.add_parser("remove", help="watch a camera no more; what was seen of it is kept")
    remove.add_argument("streams", nargs="+", metavar="NAME", help="a stream, as live status names it")
    _common(remove)
    remove.set_defaults(run=_remove)
    status = names.add_parser("status", help="how the cameras of the running process are")
    _common(status)
    status.set_defaults(run=_status)
    stop = names.add_parser("stop", help="end the running process in order")
    _common(stop)
    stop.set_defaults(run=_stop)


def _common(command: argparse.ArgumentParser) -> None:
    command.add_argument("--memory", default=DEFAULT_MEMORY, metavar="DIR", help=f"default {DEFAULT_MEMORY}")
    command.add_argument("--json", action="store_true", help="JSON objects, one a line")


def _add(options: argparse.Namespace) -> int:
    from hippocam.apps.live.alerts_file import read_alerts
    from hippocam.apps.live.config import LiveConfig
    from hippocam.apps.live.endpoint import ask_live
    from hippocam.apps.live.folder import LiveFolder
    from hippocam.apps.live.keeping import KeepConfig
    from hippocam.apps.live.live import watch_live
    from hippocam.apps.live.standing import AlertConfig
    from hippocam.apps.settings import load_settings
    from hippocam.apps.zones.files import read_zones
    from hippocam.stream.live.address import parse_addresses
    from hippocam.stream.live.camera import CameraConfig, State
    from hippocam.stream.live.retry import RetryConfig

    added = ask_live(LiveFolder(options.memory).socket, {"op": "add", "sources": _absolute(options.sources)})
    if added is not None:
        if options.json:
            tell_json(added)
        else:
            tell(f"added to the live process that runs, with its options: {', '.join(added['added'])}")
        return 0
    alerts = [AlertConfig(text=text) for text in options.alert]
    alerts += read_alerts(options.alerts) if options.alerts else []
    if options.webhook and not alerts:
        raise HippocamError("--webhook has nothing to post; say what to look for with --alert or --alerts")
    stall = max(options.stall, 2.0)
    config = LiveConfig(
        camera=CameraConfig(
            open_s=max(20.0, 2 * stall), stall_s=stall, retry=RetryConfig(budget=options.restarts)
        ),
        loop=options.loop,
        look_back_mb=options.look_back_mb,
        look_back_s=options.look_back,
        sound=not options.no_sound,
        executor=options.executor,
        zones=read_zones(options.zones) if options.zones else None,
        keep=KeepConfig(
            what=options.keep, mb=options.keep_mb, before_s=options.keep_before, after_s=options.keep_after
        ),
        read_share=options.read_share,
        hear_share=options.hear_share,
        days=options.days,
    )
    named = {address.id for address in parse_addresses(options.sources)}
    if missing := [name for name in config.zones or {} if not any(fnmatchcase(each, name) for each in named)]:
        warn(f"hippocam: zones: no camera is called {', '.join(missing)}")
    stop, printer = threading.Event(), _Printer(options.json)
    with _StopOnSignal(stop):
        cameras = watch_live(
            Path(options.memory),
            options.sources,
            settings=load_settings(options.config),
            config=config,
            encoder=options.encoder,
            fps=options.fps,
            budget_mb=options.budget_mb,
            alerts=alerts,
            webhook=options.webhook,
            webhook_private=options.webhook_private,
            stop=stop,
            for_s=options.for_s,
            on_status=printer.show,
            on_alert=printer.alert,
        )
    _Printer(options.json).show(cameras)
    lost = [status for status in cameras if status.camera.state is State.GIVEN_UP]
    for status in lost:
        warn(f"hippocam: {status.source}: given up, {status.camera.error}")
    return 1 if lost else 0


def _absolute(sources: list[str]) -> list[str]:
    """Sources as another process, in another folder, must be told them."""
    found = list[str]()
    for source in sources:
        name, equals, rest = source.partition("=")
        path = Path(rest if equals and not Path(source).exists() else source)
        if path.exists():
            source = f"{name}={path.absolute()}" if equals and not Path(source).exists() else str(path.absolute())
        found.append(source)
    return found


def _remove(options: argparse.Namespace) -> int:
    answer = _ask(options, "remove", streams=options.streams)
    if options.json:
        tell_json(answer)
    else:
        tell(f"no longer watched: {', '.join(answer['removed'])}")
    return 0


def _service(options: argparse.Namespace) -> int:
    """Print a unit for `systemctl --user`, or for the system with a user of its own."""
    if not options.arguments:
        raise HippocamError("say what to watch, as for hippocam live add: hippocam live service rtsp://cam/front")
    command = [sys.executable, "-m", "hippocam.apps.cli.main", "live", "add", *options.arguments]
    tell(
        "[Unit]",
        "Description=Hippocam watches live cameras",
        "Wants=network-online.target",
        "After=network-online.target",
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        f"WorkingDirectory={str(Path.cwd()).replace('%', '%%')}",
        f"ExecStart={' '.join(map(_quoted, command))}",
        "Restart=on-failure",
        "RestartSec=5",
        "KillSignal=SIGINT",
        "KillMode=mixed",
        "TimeoutStopSec=60",
        "UMask=0077",
        "NoNewPrivileges=yes",
        "",
        "[Install]",
        "WantedBy=default.target",
    )
    return 0


def _quoted(word: str) -> str:
    """A word of a command as a unit has it."""
    word = word.replace("\\", "\\\\").replace("%", "%%").replace("$", "$$").replace('"', '\\"')
    return f'"{word}"' if not word or re.search(r"[\s';]", word) else word


class _Printer:
    """Prints a line for each camera every few seconds, and at once when its state changes."""

    def __init__(self, as_json: bool, every_s: float = 5.0) -> None:
        self._json, self._every_s = as_json, every_s
        self._shown_s = -float("inf")
        self._states: list[str] = []

    def alert(self, alert: dict[str, Any]) -> None:
        """Print an alert."""
        if self._json:
            tell_json(alert)
        else:
            when = format_time(alert["time_s"])
            tell(f"{alert['stream']}: ALERT {alert['text']}  {when}  {alert['belief']:.0%}  {alert['image']}")

    def show(self, cameras: list[LiveStatus]) -> None:
        """Print the states if it is time."""
        from hippocam.apps.api import camera_json, cameras_json

        now_s, states = time.monotonic(), [status.camera.state.value for status in cameras]
        if states == self._states and now_s - self._shown_s < self._every_s:
            return
        self._states, self._shown_s = states, now_s
        if self._json:
            tell_json(cameras_json(cameras))
            return
        for status in cameras:
            tell(camera_line(camera_json(status)))


def camera_line(row: dict[str, Any]) -> str:
    """Describe a camera's state in one line; the argument is what `camera_json` gives."""
    when = format_time(row["last_s"]) if row["last_s"] else "no frame yet"
    line = (
        f"{row['stream']}: {row['state']}  {when}  {row['size'][0]}x{row['size'][1]} {row['fps_in']:.1f} fps  "
        f"found after {1000 * row['latency_s']:.0f} ms  {row['seen']} seen, {row['encoded']} encoded  "
        f"{row['dropped']} dropped  {row['restarts']} restarts  {row['gaps']} gaps"
    )
    if row["heard_s"] or row["unheard_s"]:
        line += f"  {row['heard_s']:.0f} s heard, {row['unheard_s']:.0f} s left out"
    return line + (f"  ({row['error']})" if row["error"] and row["state"] != "live" else "")


def hearing_line(hearing: dict[str, Any]) -> str:
    """Describe in one line how much was heard; the argument is what `LiveHearing.status` gives."""
    line = (
        f"hearing: {hearing['used']:.1%} of a core, of {hearing['share']:.0%} that it may take; "
        f"{hearing['waiting_s']:.0f} s of sound wait"
    )
    return line + (f"  ({hearing['error']})" if hearing["error"] else "")


class _StopOnSignal:
    """SIGINT and SIGTERM set an event; a second one ends the hard way."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        def handle(number: int, frame: FrameType | None) -> None:
            if self._stop.is_set():
                raise KeyboardInterrupt
            self._stop.set()

        with suppress(ValueError):  # not in the main thread
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, handle)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _ask(options: argparse.Namespace, op: str, **more: Any) -> dict[str, Any]:
    from hippocam.apps.live.endpoint import ask_live
    from hippocam.apps.live.folder import LiveFolder

    answer = ask_live(LiveFolder(options.memory).socket, {"op": op, **more})
    if answer is None:
        raise HippocamError(f"{options.memory}: no live process runs; start one with hippocam live add SOURCE")
    return answer


def _status(options: argparse.Namespace) -> int:
    answer = _ask(options, "status")
    if options.json:
        tell_json(answer)
    else:
        tell(*map(camera_line, answer["cameras"]))
        if reading := answer.get("reading"):
            tell(
                f"reading: {reading['used']:.1%} of the time, of {reading['share']:.0%} that it may take; "
                f"{reading['read']} pictures read, {reading['left_out']} left out"
            )
        if hearing := answer.get("hearing"):
            tell(hearing_line(hearing))
    return 0


def _stop(options: argparse.Namespace) -> int:
    answer = _ask(options, "stop")
    if options.json:
        tell_json(answer)
    else:
        tell("stopping; its open events are kept")
    return 0
