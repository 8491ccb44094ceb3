"""Why things happened to entries, written down within the journal's share of the budget."""

from __future__ import annotations

import json
from collections.abc import Mapping

from hippocam.memory.records import Entry
from hippocam.memory.store.journal import JournalTable

Why = Mapping[str, float | str]


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

    def add_of(self, entry: Entry, now_s: float, action: str, other_id: int | None, why: Why) -> None:
        """Note what happens to an entry, with its times: its row may be gone soon."""
        times = {"t0_s": entry.t0_s, "t1_s": entry.spans[-1].t1_s, "surprise": entry.surprise, "met": entry.met}
        self.add(entry.stream, now_s, action, entry.id, other_id, {**times, **why})

    def delete_of(self, entry_id: int) -> None:
        """Delete what the journal says of an entry, except that its id is gone."""
        self._rows.delete_of(entry_id)
        self.add_deleted(entry_id)

    def add_deleted(self, entry_id: int) -> None:
        """Tell an index that an id is gone, and nothing else."""
        self.add("", 0.0, "forgotten", entry_id)


def reasons(why: Why) -> str:
    """Numbers behind a decision as short JSON."""
    return json.dumps(
        {k: round(v, 4) if isinstance(v, float) else v for k, v in why.items()}, separators=(",", ":")
    )
