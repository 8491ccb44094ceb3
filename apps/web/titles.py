"""The names that people gave to streams on the page; the memory goes on calling them what they are."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from hippocam.apps.web.beside import page_folder
from hippocam.stream.private import make_folder, replace_bytes


class Titles:
    """Titles by stream, in a file beside the memory. Safe to use from several threads.

    Args:
        memory: The memory's folder.
    """

    def __init__(self, memory: Path) -> None:
        self._path = page_folder(memory) / "titles.json"
        self._mutex = threading.Lock()

    def every(self) -> dict[str, str]:
        """The titles that were given, by stream; none where the file cannot be read."""
        try:
            found = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return {}
        return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}

    def put(self, stream: str, title: str) -> None:
        """Give a stream a title; "" takes it back."""
        with self._mutex:
            titles = self.every()
            titles.pop(stream, None)
            if title:
                titles[stream] = title
            make_folder(self._path.parent)
            replace_bytes(self._path, json.dumps(titles, ensure_ascii=False).encode())
