"""The live process that the page starts: `python -m hippocam.apps.web.camera_process`.

What it watches comes as one line of JSON on its standard input, since other users of the machine can read the
arguments of a process, and addresses of cameras hold passwords. It ends when that input is closed: with the page.
On its standard output stands why it could not watch, and nothing else.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
from pathlib import Path

from hippocam.apps.live.config import LiveConfig
from hippocam.apps.live.live import watch_live
from hippocam.apps.live.standing import AlertConfig
from hippocam.apps.settings import load_settings
from hippocam.apps.terminal import tell, warn
from hippocam.stream.errors import HippocamError


def main() -> int:
    """Watch the cameras until the input ends or a signal comes."""
    wanted, stop = json.loads(sys.stdin.readline()), threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the page, which closes the input
    signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
    threading.Thread(target=_end_with_input, args=(stop,), name="hippocam-input", daemon=True).start()
    try:
        watch_live(
            Path(wanted["memory"]),
            wanted["sources"],
            settings=load_settings(wanted["config"]),
            config=LiveConfig(),
            alerts=[AlertConfig(**alert) for alert in wanted["alerts"]],
            stop=stop,
            on_status=lambda status: None,
        )
    except (HippocamError, ValueError) as error:
        warn(f"hippocam: cameras: {error}")
        tell(str(error))  # to the page
        return 2
    return 0


def _end_with_input(stop: threading.Event) -> None:
    sys.stdin.read()
    stop.set()


if __name__ == "__main__":
    sys.exit(main())
