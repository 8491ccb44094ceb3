"""Why an entry is held, or was given up, and where it came from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hippocam.memory.asof.coverage import Run
from hippocam.memory.bank.worth import Worth
from hippocam.memory.provenance.records import Provenance
from hippocam.memory.records import Entry
from hippocam.memory.store.database import Store
from hippocam.memory.store.journal import JournalRow
from hippocam.stream.records import EncoderSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What is known of an entry and why.

    Attributes:
        entry: As it is held, None where it is not (any more).
        journal: What happened to it, the oldest first.
        worth: What keeps it now, None where it is not held.
        provenance: Where it came from, None where it is not held.
        sentence: What it looks like, as in Evidence.
        looked: The run of looks that it is of, None where that is not known.
    """

    entry: Entry | None
    journal: list[JournalRow]
    worth: Worth | None
    provenance: Provenance | None = None
    sentence: str = ""
    looked: Run | None = None


def explain(store: Store, entry_id: int, worth_of: Callable[[EncoderSpec], Worth | None]) -> Explanation:
    """Tell what is known of an entry.

    Args:
        store: The memory's database.
        entry_id: Its id.
        worth_of: Weighs it, where it is held; given the spec of the memory's encoder.
    """
    made_with, entry = store.meta.encoder(), store.entries.get(entry_id)
    return Explanation(
        entry=entry,
        journal=store.journal.rows(entry_id),
        worth=None if entry is None or made_with is None else worth_of(made_with[1]),
        provenance=None if entry is None else _provenance_of(store, entry),
        looked=None if entry is None else store.coverage.of(entry.stream).at(entry.shown.t0_s),
    )


def _provenance_of(store: Store, entry: Entry) -> Provenance:
    """Where an entry of a memory came from."""
    rows = {row.id: row for row in store.streams.rows()}
    made_with, row = store.meta.encoder(), rows.get(entry.stream)
    shown = entry.shown
    kinds = (note.kind for note in store.notes.known(entry.stream, shown.t0_s, shown.t1_s, None))
    named = ["picture"] * bool(entry.frames) + ["words"] * bool(entry.text)
    return Provenance(
        source="" if row is None else row.source,
        encoder="" if made_with is None else made_with[1].id,
        senses=tuple(dict.fromkeys([*named, *kinds])),
        frames=entry.frames,
        repeats=entry.repeats,
        made_by=store.provenance.import_of(entry),
        quarantined=store.provenance.quarantine().holds_entry(entry.stream, entry.first_seq),
    )
