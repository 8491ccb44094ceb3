"""Entries as a bank weighs them, column by column: so 100,000 of them are read in a fraction of a second.

Shapes: N entries; K of them with a key; D embedding dimension.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.records import Slot
from hippocam.stream.records import FloatArray

Wholes = NDArray[np.int64]
Reals = NDArray[np.float64]
Marks = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slots:
    """Entries; columns as in Slot, of N each but for the keys.

    Attributes:
        keyed: Indexes of those that have a key, rising, K of them.
        keys: Their keys, float32 [K, D].
    """

    entry_id: Wholes
    stream: Sequence[str]
    first_seq: Wholes
    place: Wholes
    utility: Reals
    last_s: Reals
    jpeg_bytes: Wholes
    words_bytes: Wholes
    strength: Reals
    met: Wholes
    uses: Wholes
    pinned: Marks
    level: Wholes
    short: Marks
    keyed: Wholes
    keys: FloatArray

    def __len__(self) -> int:
        return len(self.entry_id)

    def by_stream(self) -> list[int]:
        """Their indexes, each stream's in the order of its events as far as that is told."""
        return sorted(range(len(self)), key=lambda k: (self.stream[k], self.first_seq[k]))

    @classmethod
    def of(cls, slots: Iterable[Slot]) -> Slots:
        """Entries that are there one by one."""
        every = list(slots)
        keys = [slot.key_D for slot in every if slot.key_D is not None]
        return cls(
            entry_id=np.array([slot.entry_id for slot in every], np.int64),
            stream=[slot.stream for slot in every],
            first_seq=np.array([slot.first_seq for slot in every], np.int64),
            place=np.array([slot.place for slot in every], np.int64),
            utility=np.array([slot.utility for slot in every], np.float64),
            last_s=np.array([slot.last_s for slot in every], np.float64),
            jpeg_bytes=np.array([slot.jpeg_bytes for slot in every], np.int64),
            words_bytes=np.array([slot.words_bytes for slot in every], np.int64),
            strength=np.array([slot.strength for slot in every], np.float64),
            met=np.array([slot.met for slot in every], np.int64),
            uses=np.array([slot.uses for slot in every], np.int64),
            pinned=np.array([slot.pinned for slot in every], np.bool_),
            level=np.array([slot.level for slot in every], np.int64),
            short=np.array([slot.short for slot in every], np.bool_),
            keyed=np.flatnonzero([slot.key_D is not None for slot in every]),
            keys=np.stack(keys) if keys else np.zeros((0, 0), np.float32),
        )
