"""A running `hippocam live add` and a real RTSP server, for tests; load it through the fixture `load_helpers`."""

from __future__ import annotations

import functools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from hippocam.apps import Session
from hippocam.apps.ask.question.description import description
from hippocam.apps.live.endpoint import ask_live
from hippocam.apps.live.folder import LiveFolder
from hippocam.apps.live.open_frames import open_moments
from hippocam.memory.recall.query import Query
from hippocam.models.registry import make_encoder

HERE = Path(__file__).resolve().parent
HIPPOCAM = Path(sys.executable).parent / "hippocam"
# Long enough for a machine that is busy with other things; nothing here waits for it unless it fails.
LONG_S = 600.0
_CHECK = (
    "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import Gst, GstRtspServer;"
    "Gst.init(None); assert all(map(Gst.ElementFactory.find, ['videotestsrc', 'x264enc', 'rtph264pay',"
    " 'audiotestsrc', 'alawenc', 'rtppcmapay']))"
)


def until(what, timeout_s=LONG_S, every_s=0.05):
    """Wait until what() is true; give what it gave."""
    deadline_s = time.monotonic() + timeout_s
    while not (found := what()):
        assert time.monotonic() < deadline_s, f"not within {timeout_s:g} s: {what}"
        time.sleep(every_s)
    return found


class Live:
    """A live process in a process group of its own. A context manager."""

    def __init__(self, memory, *arguments, encoder="palette"):
        self.memory, self.place = Path(memory), LiveFolder(memory)
        unread = () if "--read-share" in arguments else ("--read-share", 0)  # what nobody reads loads no network
        command = [
            HIPPOCAM,
            "live",
            "add",
            *arguments,
            *unread,
            "--memory",
            memory,
            "--encoder",
            encoder,
            "--json",
        ]
        self.process = subprocess.Popen(
            list(map(str, command)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.lines, self.errors = [], []
        self._readers = [
            threading.Thread(target=lambda p=p, to=to: to.extend(p), daemon=True)
            for p, to in ((self.process.stdout, self.lines), (self.process.stderr, self.errors))
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(LONG_S)
        self._close()

    def _close(self):
        for reader in self._readers:
            reader.join(LONG_S)
        self.process.stdout.close()
        self.process.stderr.close()

    def cameras(self):
        """Status by stream; empty before it runs."""
        assert self.process.poll() is None, "".join(self.errors)
        answer = ask_live(self.place.socket, {"op": "status"})
        return {row["stream"]: row for row in (answer or {}).get("cameras", ())}

    def camera(self, name=None):
        """Status of a camera, of the only one where none is named."""
        cameras = self.cameras()
        return cameras.get(name) if name else next(iter(cameras.values()), None)

    def wait_for(self, condition, name=None, timeout_s=LONG_S):
        """Wait until a camera's status meets a condition; give it."""
        return until(lambda: (row := self.camera(name)) and condition(row) and row, timeout_s)

    def end(self, number=signal.SIGTERM):
        """End it in order; give its exit code."""
        self.process.send_signal(number)
        return self.process.wait(LONG_S)

    def logged(self, event):
        """Rows of its log."""
        path = self.place.log
        rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [row for row in rows if row["event"] == event]


@functools.cache
def encoder(name):
    """An encoder, built once."""
    return make_encoder(name)


def find(memory, text, *, name="palette", **conditions):
    """What a question gives now: the memory's moments and those of open events, believed ones alone."""
    with Session(memory) as session:
        held = session.search(text, **conditions)
    query = Query(text=text, vector=encoder(name).encode_texts([description(text)])[0], **conditions)
    every = (*held, *open_moments(Path(memory), held, query))
    return [moment for moment in sorted(every, key=lambda moment: -moment.score) if moment.score > 0.5]


def spans(memory, *texts):
    """All times at which some things were seen, by time."""
    return sorted({span for text in texts for moment in find(memory, text, top=99) for span in moment.spans})


@functools.cache
def rtsp_python():
    """A Python with GStreamer's RTSP server, None where there is none."""
    for python in ("/usr/bin/python3", sys.executable):
        with_it = Path(python).exists() and subprocess.run(
            [python, "-c", _CHECK], capture_output=True, check=False
        )
        if with_it and with_it.returncode == 0:
            return python
    return None


class RtspServer:
    """GStreamer's RTSP server with one camera. A context manager."""

    def __init__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"rtsp://me:secret@127.0.0.1:{self.port}/cam"
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()

    def start(self, colour="green"):
        """Start it; to be called again after `kill`."""
        command = [rtsp_python(), str(HERE / "rtsp_server.py"), str(self.port)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout.readline().strip() == "ready"
        self.say(colour)

    def say(self, line):
        """Change what it shows: "red", "size 320x180"."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def signal(self, number):
        """Send it a signal: SIGSTOP is a network that is cut, SIGCONT brings it back."""
        self.process.send_signal(number)

    def kill(self):
        """Take it away at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(LONG_S)
            self.process.stdin.close()
            self.process.stdout.close()
            self.process = None
