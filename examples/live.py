"""A live camera into a memory: an alert while it runs, and a question afterwards.

The camera is a file that is played as if it were live; an address such as rtsp://cam/front is watched alike.
"""

from __future__ import annotations

import threading
from pathlib import Path
from tempfile import TemporaryDirectory

from examples.clip import draw
from hippocam import Session
from hippocam.apps import AlertConfig, LiveConfig, Settings, watch_live


def main() -> None:
    """Watch a camera until it ends, then ask."""
    with TemporaryDirectory() as folder:
        clip, memory = Path(folder, "yard.mp4"), Path(folder, "memory")
        draw(clip, ["blue", "red", "blue"], seconds_each=2)
        cameras = watch_live(
            memory,
            [f"yard={clip}"],
            settings=Settings(),
            config=LiveConfig(look_back_mb=0),
            encoder="palette",
            fps=4,
            alerts=[AlertConfig(text="something red")],
            stop=threading.Event(),
            on_status=lambda cameras: None,
            on_alert=lambda alert: print(f"alert: {alert['text']} on {alert['stream']}", flush=True),
        )
        print(f"{cameras[0].stream}: {cameras[0].seen} frames seen, {cameras[0].encoded} encoded")
        with Session(memory) as session:
            print(session.ask("When is something red?").answer)


if __name__ == "__main__":
    main()
