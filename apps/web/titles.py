"""The names that people gave to streams on the page: kept beside the memory, read in questions, told in answers.

The memory goes on calling streams what they are, and so do addresses: a link still works after another name.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from pathlib import Path

from hippocam.apps.web.beside import page_folder, read_json, write_json

# What stands before a stream's name in a question or an answer. A plain word may be no name ("a driveway"), so it
# is taken for one behind these alone, or where a text begins with it.
_BEFORE = r"(?:\b(?:in|of|from|at|than|between|and|or)\s+|[,;:]\s+|^)"
_PLAIN = re.compile(r"[^\W\d_]+")


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
        found = read_json(self._path)
        return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}

    def put(self, stream: str, title: str) -> None:
        """Give a stream a title; "" takes it back."""
        with self._mutex:
            titles = self.every()
            titles.pop(stream, None)
            if title:
                titles[stream] = title
            write_json(self._path, titles)

    def forget(self, streams: Iterable[str]) -> None:
        """Take the titles of some streams back: they tell of what is forgotten."""
        with self._mutex:
            titles, gone = self.every(), set(streams)
            if gone & titles.keys():
                left = {stream: title for stream, title in titles.items() if stream not in gone}
                write_json(self._path, left)

    def read(self, question: str) -> str:
        """A question with the streams' own names in place of the titles that it names."""
        streams = {title: stream for stream, title in self.every().items()}
        return _renamed(question, streams, re.IGNORECASE, article=r"(?:the\s+)?")

    def told(self, text: str) -> str:
        """An answer's text with titles in place of the streams' own names."""
        return _renamed(text, self.every(), re.NOFLAG)


def _renamed(text: str, names: dict[str, str], flags: re.RegexFlag, *, article: str = "") -> str:
    """A text with each of some names replaced, all at once: the longest first, and none within another word.

    Args:
        text: The text.
        names: What stands there, and what is to stand there.
        flags: IGNORECASE where capitals do not matter.
        article: What may stand between what is before a name and the name, and goes.
    """
    new = {_folded(old, flags): name for old, name in names.items()}
    longest_first = sorted((name for name in names if name), key=len, reverse=True)
    if not longest_first:
        return text
    every = "|".join(re.escape(name) for name in longest_first)
    pattern = re.compile(rf"(?P<before>{_BEFORE})?{article}(?<![\w/-])(?P<name>{every})(?![\w/-])", flags)

    def replaced(found: re.Match[str]) -> str:
        name, before = found["name"], found["before"]
        if before is None and _PLAIN.fullmatch(name):
            return found[0]
        return (before or "") + new[_folded(name, flags)]

    return pattern.sub(replaced, text)


def _folded(name: str, flags: re.RegexFlag) -> str:
    return name.casefold() if flags & re.IGNORECASE else name
