"""What `forget` would delete, told before it does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hippocam.memory.filter import Filter
from hippocam.memory.store.database import Store


class ToDelete(NamedTuple):
    """Entries of one stream, and the time from the first start to the last end of them, in seconds."""

    stream: str
    entries: int
    t0_s: float
    t1_s: float


def preview(store: Store, what: Filter | Sequence[int]) -> list[ToDelete]:
    """Tell which entries `forget` deletes, by stream in the order of their names.

    Args:
        store: The memory's database.
        what: As for `forget`.
    """
    if isinstance(what, Filter):
        t0_s = float("-inf") if what.after_s is None else what.after_s
        t1_s = float("inf") if what.before_s is None else what.before_s
        times = [(row.id, t0_s, t1_s) for row in store.streams.rows() if what.of_stream(row.id)]
        entry_ids = store.lookup.select(what)
    else:
        entry_ids = list(what)
        named = [entry for entry_id in what if (entry := store.entries.get(entry_id)) is not None]
        times = [(entry.stream, span.t0_s, span.t1_s) for entry in named for span in entry.spans]
    heirs = [heir for time in times for heir in store.tombstones.heirs_within(*time)]
    by_stream = dict[str, ToDelete]()
    for entry_id in dict.fromkeys([*entry_ids, *heirs]):
        entry = store.entries.get(entry_id)
        if entry is None:
            continue
        found = by_stream.get(entry.stream, ToDelete(entry.stream, 0, float("inf"), float("-inf")))
        t0_s, t1_s = min(span.t0_s for span in entry.spans), max(span.t1_s for span in entry.spans)
        by_stream[entry.stream] = ToDelete(
            entry.stream, found.entries + 1, min(found.t0_s, t0_s), max(found.t1_s, t1_s)
        )
    return [by_stream[stream] for stream in sorted(by_stream)]
