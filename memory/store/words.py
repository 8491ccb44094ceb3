"""The full text of the words of entries: labels, and what their sources gave."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

_FOUND = "{matching} LIMIT :most"
_FOUND_AMONG = "SELECT rowid FROM ({matching}) WHERE rowid IN (SELECT value FROM json_each(:ids))"


class Blocks(Protocol):
    """The entries, those that are in blocks among them."""

    def select_words(self, statement: str, values: Mapping[str, object]) -> list[Any]:
        """The rows of a statement that reads {matching}: ids of entries with the words of the value "match"."""


class EntryWords:
    """Finds entries by their words.

    Args:
        blocks: Know where their full text is.
    """

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks

    def match(self, words: Sequence[str], column: str, among: Sequence[int], most: int = 5000) -> dict[int, int]:
        """How many of the words each entry holds in its "labels" or its "text"; entries with none are left out.

        Args:
            words: What is looked for.
            column: "labels" or "text".
            among: Entries in which every word is counted.
            most: A word that more entries than this hold tells little: it is counted only in those of `among`.
        """
        found: dict[int, int] = {}
        ids = json.dumps(list(among))
        for word in words:
            values = {"match": f'{column} : "{word}"', "most": most + 1, "ids": ids}
            rows = self._blocks.select_words(_FOUND, values)
            if len(rows) > most:
                rows = self._blocks.select_words(_FOUND_AMONG, values)
            for (entry_id,) in rows:
                found[entry_id] = found.get(entry_id, 0) + 1
        return found
