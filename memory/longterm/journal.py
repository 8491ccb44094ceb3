"""Why things happened to entries, written down within the journal's share of the budget."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from hippocam.memory.records import Entry
from hippocam.memory.store.journal import JournalTable

Why = dict[str, float | str]


class Noted(NamedTuple):
    """What happens to an entry.

    Attributes:
        entry: It, as it was.
        now_s: The time of its stream.
        action: See JournalRow.
        other_id: Another entry that had part in it.
        why: The numbers behind it.
    """

    entry: Entry
    now_s: float
    action: str
    other_id: int | None
    why: Why


class Journal:
    """Writes the journal, of which the newest rows are kept; inside a transaction of the caller.

    Args:
        rows: The table.
        most_rows: How many rows are kept.
    """

    def __init__(self, rows: JournalTable, most_rows: int) -> None:
        self._rows = rows
        self._most_rows = most_rows

    def add(
        self,
        stream: str,
        time_s: float,
        action: str,
        entry_id: int,
        other_id: int | None = None,
        why: Why | None = None,
    ) -> None:
        """Note what happened to an entry.

        Args:
            stream: Stream of the entry.
            time_s: The stream's time.
            action: See JournalRow.
            entry_id: The entry that it happened to.
            other_id: Another entry that had part in it.
            why: The numbers behind it.
        """
        self._rows.add(stream, time_s, action, entry_id, other_id, reasons(why or {}), keep=self._most_rows)

    def add_all(self, notes: Sequence[Noted]) -> None:
        """Note what happens to some entries, with their times: their rows may be gone soon."""
        rows = [
            (
                one.entry.stream,
                one.now_s,
                one.action,
                one.entry.id,
                one.other_id,
                reasons(_told(one.entry) | one.why),
            )
            for one in notes
        ]
        self._rows.add_all(rows, keep=self._most_rows)

    def delete_of(self, entry_id: int) -> None:
        """Delete what the journal says of an entry, except that its id is gone."""
        self._rows.delete_of(entry_id)
        self.add_deleted(entry_id)

    def add_deleted(self, entry_id: int) -> None:
        """Tell an index that an id is gone, and nothing else."""
        self.add("", 0.0, "forgotten", entry_id)


def _told(entry: Entry) -> dict[str, float | str]:
    """What the journal tells of an entry itself."""
    return {"t0_s": entry.t0_s, "t1_s": entry.spans[-1].t1_s, "surprise": entry.surprise, "met": entry.met}


def reasons(why: Why) -> str:
    """Numbers behind a decision as short JSON."""
    return json.dumps(
        {k: round(v, 4) if isinstance(v, float) else v for k, v in why.items()}, separators=(",", ":")
    )
