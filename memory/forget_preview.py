"""What `forget` would delete, told before it does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hippocam.memory.filter import Filter
from hippocam.memory.forget import Time, filters_of, times_of
from hippocam.memory.provenance.records import Origin
from hippocam.memory.store.database import Store


class ToDelete(NamedTuple):
    """Entries of one stream.

    Attributes:
        stream: Its name.
        entries: How many.
        t0_s: The first start of them, seconds.
        t1_s: The last end.
        seconds: How long all of them together were there.
    """

    stream: str
    entries: int
    t0_s: float
    t1_s: float
    seconds: float = 0.0


def preview(store: Store, what: Filter | Origin | Sequence[int]) -> list[ToDelete]:
    """Tell which entries `forget` deletes, by stream in the order of their names; of a sense it deletes none.

    Args:
        store: The memory's database.
        what: As for `forget`.
    """
    if isinstance(what, Filter | Origin):
        filters = filters_of(store, what) if isinstance(what, Origin) else (what,)
        times = [time for one in filters for time in times_of(store, one)]
        entry_ids = [entry_id for one in filters for entry_id in store.lookup.select(one)]
    else:
        entry_ids = list(what)
        named = [entry for entry_id in what if (entry := store.entries.get(entry_id)) is not None]
        times = [Time(entry.stream, span.t0_s, span.t1_s) for entry in named for span in entry.spans]
    heirs = [heir for time in times for heir in store.tombstones.heirs_within(*time)]
    by_stream = dict[str, ToDelete]()
    for entry_id in dict.fromkeys([*entry_ids, *heirs]):
        entry = store.entries.get(entry_id)
        if entry is None:
            continue
        found = by_stream.get(entry.stream, ToDelete(entry.stream, 0, float("inf"), float("-inf")))
        t0_s, t1_s = min(span.t0_s for span in entry.spans), max(span.t1_s for span in entry.spans)
        by_stream[entry.stream] = ToDelete(
            entry.stream,
            found.entries + 1,
            min(found.t0_s, t0_s),
            max(found.t1_s, t1_s),
            found.seconds + sum(span.t1_s - span.t0_s for span in entry.spans),
        )
    return [by_stream[stream] for stream in sorted(by_stream)]
