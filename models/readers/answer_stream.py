"""Pieces of a JSON reply, as a model writes it, into pieces of the answer that stands in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

_ANSWER = re.compile(r'"answer"\s*:\s*"((?:[^"\\]|\\(?:u[0-9a-fA-F]{4}|[^u]))*)')
# A pair of escapes of which the second half is still to come.
_HALF_PAIR = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}$")


class AnswerStream:
    """Passes on the words of a reply's "answer" as they come.

    Args:
        on_text: Gets each piece, unchecked: only the finished reading is checked.
    """

    def __init__(self, on_text: Callable[[str], None]) -> None:
        self._on_text = on_text
        self._reply = ""
        self._given = 0

    def __call__(self, piece: str) -> None:
        """Take the next piece of the reply."""
        self._reply += piece
        found = _ANSWER.search(self._reply)
        if found is None:
            return
        whole: str = json.loads(f'"{_HALF_PAIR.sub("", found[1])}"', strict=False)
        if len(whole) > self._given:
            self._on_text(whole[self._given :])
            self._given = len(whole)
