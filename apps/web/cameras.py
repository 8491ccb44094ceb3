"""The live process that the page starts: all its cameras in one, started anew when one is added or taken away."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hippocam.apps.errors import LiveError
from hippocam.apps.live.endpoint import ask_live
from hippocam.apps.live.folder import LiveFolder
from hippocam.apps.live.standing import AlertConfig
from hippocam.apps.zones.files import kept_zones, write_zones
from hippocam.stream.live.address import parse_address
from hippocam.stream.zones.polygons import CameraZones

# How long the live process has to end in order, seconds.
_END_S = 20.0
_MOST_CAMERAS, _MOST_ALERTS = 16, 32


@dataclass(slots=True)
class _Wanted:
    """What the live process is to watch; addresses may hold passwords and are kept in main memory alone."""

    sources: dict[str, str] = field(default_factory=dict)  # by stream
    alerts: list[AlertConfig] = field(default_factory=list)


class Cameras:
    """Starts and stops a memory's live process. Safe to use from several threads.

    Args:
        memory: The memory's folder.
        config: The settings, as `load_settings` takes them.
    """

    def __init__(self, memory: Path, config: str | None = None) -> None:
        self._memory, self._config = memory, config
        self._folder = LiveFolder(memory)
        self._why = ""
        self._wanted = _Wanted()
        self._process: subprocess.Popen[bytes] | None = None
        self._mutex = threading.Lock()

    def running(self) -> bool:
        """Whether the process that this page started runs."""
        return self._process is not None and self._process.poll() is None

    def streams(self) -> list[str]:
        """The streams that this page has watched."""
        return list(self._wanted.sources)

    def alerts(self) -> list[AlertConfig]:
        """The standing questions of this page's cameras."""
        return list(self._wanted.alerts)

    def zones(self) -> dict[str, CameraZones]:
        """What is marked in the pictures of cameras, by stream; also of those that another process watches."""
        return kept_zones(self._folder.zones)

    def mark(self, stream: str, marked: CameraZones) -> None:
        """Mark zones and masks in a camera's picture; who watches it looks so from now on.

        Raises:
            HippocamError: A standing question looks in a zone that would be gone, or the file cannot be used.
        """
        with self._mutex:
            zones = self.zones() | {stream: marked}
            _check_zones(self._wanted.alerts, zones)
            self._folder.make()
            write_zones(self._folder.zones, zones)
        ask_live(
            self._folder.socket,
            {"op": "mark", "stream": stream, "zones": dict(marked.zones), "masks": list(marked.masks)},
        )

    def failed(self) -> str:
        """Why the process ended by itself, in a line; "" where it did not."""
        process = self._process
        if process is None or process.poll() is None or not self._wanted.sources:
            return ""
        if not self._why:
            assert process.stdout is not None
            self._why = process.stdout.read().decode(errors="replace").strip()
        return self._why or f"the live process ended ({process.returncode}); the terminal of the server shows why"

    def add(self, address: str, name: str) -> str:
        """Watch a camera.

        Args:
            address: rtsp://..., http://..., or a device.
            name: What its stream is called; "" for a name made of the address.

        Returns:
            The stream's name.

        Raises:
            HippocamError: The address is not understood, is a file, or another process watches already.
        """
        text = f"{name}={address}" if name else address
        parsed = parse_address(text)
        if parsed.kind == "file":
            raise LiveError("a camera is an address or a device; add files in the library")
        with self._mutex:
            if parsed.id in self._wanted.sources or len(self._wanted.sources) >= _MOST_CAMERAS:
                raise LiveError(f"{parsed.id} is watched already, or there are {_MOST_CAMERAS} cameras")
            self._wanted.sources[parsed.id] = text
            self._restart()
        return parsed.id

    def remove(self, stream: str) -> bool:
        """Stop watching a camera; what was seen stays. Whether it was watched by this page."""
        with self._mutex:
            if self._wanted.sources.pop(stream, None) is None:
                return False
            self._restart()
            return True

    def set_alerts(self, alerts: Sequence[AlertConfig]) -> None:
        """Set the standing questions.

        Raises:
            HippocamError: One looks in a zone that no camera has.
        """
        with self._mutex:
            _check_zones(alerts, self.zones())
            self._wanted.alerts = list(alerts)[:_MOST_ALERTS]
            if self._wanted.sources:
                self._restart()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let the live process rest, as while the memory gets another budget: there is one writer."""
        with self._mutex:
            self._stop()
            try:
                yield
            finally:
                self._restart()

    def close(self) -> None:
        """End the process in order; its open events are kept."""
        with self._mutex:
            self._stop()

    def _restart(self) -> None:
        self._stop()
        if not self._wanted.sources:
            return
        if ask_live(self._folder.socket, {"op": "status"}) is not None:
            raise LiveError("another live process watches into this memory; stop it first: hippocam live stop")
        wanted = {
            "memory": str(self._memory),
            "config": self._config,
            "sources": list(self._wanted.sources.values()),
            "alerts": [{"text": alert.text, "zone": alert.zone} for alert in self._wanted.alerts],
        }
        command = [sys.executable, "-m", "hippocam.apps.web.camera_process"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._why = ""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(wanted).encode() + b"\n")
        self._process.stdin.flush()

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def _check_zones(alerts: Sequence[AlertConfig], zones: Mapping[str, CameraZones]) -> None:
    known = {name for marked in zones.values() for name in marked.zones}
    for alert in alerts:
        if alert.zone and alert.zone not in known:
            raise LiveError(f"{alert.text!r} looks in the zone {alert.zone!r}, which no camera would have")
