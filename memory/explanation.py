"""Why an entry is held, or was given up."""

from __future__ import annotations

from dataclasses import dataclass

from hippocam.memory.bank.worth import Worth
from hippocam.memory.records import Entry
from hippocam.memory.store.journal import JournalRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What is known of an entry and why.

    Attributes:
        entry: As it is held, None where it is not (any more).
        journal: What happened to it, the oldest first.
        worth: What keeps it now, None where it is not held.
    """

    entry: Entry | None
    journal: list[JournalRow]
    worth: Worth | None
