"""The folder beside a memory where its live process keeps what the memory's budget does not count.

MEMORY.live/
ask.sock          where the running process is asked; see endpoint.py
look-back/ID/     the newest footage of each camera, under its own budget
kept/ID/          what of it was kept by event, under another; see keeping.py
alerts.jsonl      alerts that fired; alerts/ holds their pictures
log.jsonl         gaps in time, cameras that broke off and came back
shown/            pictures of open events that were asked for
zones.yaml        zones and masks of cameras, as people marked them; see apps/zones/files.py
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hippocam.stream import private
from hippocam.stream.sources.naming import slug

log = logging.getLogger(__name__)
LOG_BYTES = 4_000_000
# As much of the end of a file is read for its newest lines.
_TAIL_BYTES = 200_000


class LiveFolder:
    """The live folder of a memory, and the paths in it.

    Args:
        memory: The memory's folder.
    """

    def __init__(self, memory: str | Path) -> None:
        resolved = Path(os.path.realpath(memory))  # unlike `resolve`, also of a link to itself
        self.path = resolved.with_name(resolved.name + ".live")
        self.socket = self.path / "ask.sock"
        self.alerts = self.path / "alerts.jsonl"
        self.alert_pictures = self.path / "alerts"
        self.log = self.path / "log.jsonl"
        self.shown = self.path / "shown"
        self.zones = self.path / "zones.yaml"

    def make(self) -> None:
        """Make the folder, for its owner alone."""
        private.make_folder(self.path)

    def look_back(self, stream: str) -> Path:
        """Folder of a stream's footage."""
        return self.path / "look-back" / slug(stream)

    def kept(self, stream: str) -> Path:
        """Folder of a stream's footage that is kept by event."""
        return self.path / "kept" / slug(stream)


class JsonLines:
    """A bounded file of JSON lines: when it is full it is renamed to FILE.1, which replaces the previous one.

    Args:
        path: The file.
        most_bytes: Size from which it is full.
    """

    def __init__(self, path: Path, most_bytes: int = LOG_BYTES) -> None:
        self._path, self._most = path, most_bytes
        self._told = False

    def add(self, record: Mapping[str, object]) -> None:
        """Write a line; where it cannot be written that is said once, for whoever watches goes on watching."""
        line = json.dumps(record, ensure_ascii=False) + "\n"
        try:
            private.make_folder(self._path.parent)
            with private.open_file(self._path, "a", encoding="utf-8") as file:
                file.write(line)
                size = file.tell()
            if size > self._most:
                os.replace(self._path, self._path.with_name(self._path.name + ".1"))
        except OSError as error:
            if not self._told:
                log.warning("%s: not written (%s)", self._path, error.strerror or error)
            self._told = True
        else:
            self._told = False


def newest_lines(path: Path, most: int) -> list[dict[str, Any]]:
    """The newest records of a file of JSON lines, the latest first; none where there is no file."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            lines = file.read().splitlines()
    except OSError:
        return []
    rows = list[dict[str, Any]]()
    for line in reversed(lines):
        try:
            row = json.loads(line)
        except ValueError:  # the first one is cut, the last one may be on its way
            continue
        if isinstance(row, dict):
            rows.append(row)
        if len(rows) == most:
            break
    return rows


class Pictures:
    """A folder with a bounded number of JPEGs: each new one beyond that deletes the oldest.

    Args:
        folder: Made if it is missing.
        most: Most pictures, 1 or more.
    """

    def __init__(self, folder: Path, most: int) -> None:
        self._folder, self._most = folder, most

    def add(self, stream: str, seq: int, time_s: float, jpeg: bytes) -> Path:
        """Write a picture unless it is there already."""
        private.make_folder(self._folder)
        path = self._folder / f"{round(time_s * 1000):013d}-{slug(stream)}-{seq}.jpg"
        if not path.exists():
            begun = path.with_suffix(f".{threading.get_ident()}")
            private.write_bytes(begun, jpeg)
            os.replace(begun, path)
            for old in sorted(self._folder.iterdir())[: -self._most]:  # what a kill left half, too
                old.unlink(missing_ok=True)
        return path
