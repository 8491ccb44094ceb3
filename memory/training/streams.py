"""Streams to learn consolidation from: their events in order, and how well questions point at each.

They come from events just cut, or from a memory that watched them before. Nobody has to label anything.

Shapes: N events of a stream; Q questions; D embedding dimension.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.errors import MemoryFolderError, NoMemoryError, memory_errors
from hippocam.memory.records import Event, Slot
from hippocam.memory.store.database import Store
from hippocam.stream.records import EncoderSpec, FloatArray

# A question goes to the events in the shares of a softmax of its cosines with this temperature.
_TEMPERATURE = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingStream:
    """The events of one stream, by time.

    Attributes:
        keys_ND: float32 [N, D], what was new in each, of length 1.
        surprises_N: As in Event.
        utilities_N: As in Event.
        places_N: As in Event.
        t0_N: Starts, in seconds.
        t1_N: Ends.
        pointed_N: How well questions point at each, 1 for the usual event; None where none were asked.
    """

    keys_ND: FloatArray
    surprises_N: NDArray[np.float64]
    utilities_N: NDArray[np.float64]
    places_N: NDArray[np.int64]
    t0_N: NDArray[np.float64]
    t1_N: NDArray[np.float64]
    pointed_N: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        count = len(self.keys_ND)
        for name in ("surprises_N", "utilities_N", "places_N", "t0_N", "t1_N", "pointed_N"):
            values = getattr(self, name)
            if values is not None and len(values) != count:
                raise ValueError(f"TrainingStream.{name} must be [{count}] as the keys are, found {len(values)}")
        if (np.diff(self.t0_N) < 0).any():
            raise ValueError("TrainingStream must be in the order of t0_N")

    def __len__(self) -> int:
        return len(self.keys_ND)

    def pieces(self, count: int) -> list[TrainingStream]:
        """Cut the stream into so many, one after the other."""
        return [self.where(rows) for rows in np.array_split(np.arange(len(self)), count)]

    def where(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> TrainingStream:
        """Some of its events: a mask, or rising positions."""
        return TrainingStream(
            keys_ND=self.keys_ND[rows],
            surprises_N=self.surprises_N[rows],
            utilities_N=self.utilities_N[rows],
            places_N=self.places_N[rows],
            t0_N=self.t0_N[rows],
            t1_N=self.t1_N[rows],
            pointed_N=None if self.pointed_N is None else self.pointed_N[rows],
        )


def stream_from_events(events: Sequence[Event], questions_QD: FloatArray | None = None) -> TrainingStream:
    """The events of one stream as working memory closed them.

    Args:
        events: In any order.
        questions_QD: float32 [Q, D], texts that somebody might ask for; most will point at nothing that is there.
    """
    events = sorted(events, key=lambda event: (event.t0_s, event.first_seq))
    keys_ND, scenes_ND = np.stack([event.key for event in events]), np.stack([event.scene for event in events])
    return TrainingStream(
        keys_ND=keys_ND,
        surprises_N=np.array([event.surprise for event in events]),
        utilities_N=np.array([event.utility for event in events]),
        places_N=np.array([event.place for event in events]),
        t0_N=np.array([event.t0_s for event in events]),
        t1_N=np.array([event.t1_s for event in events]),
        pointed_N=None if questions_QD is None else pointed_at(keys_ND, scenes_ND, questions_QD),
    )


def streams_from_memory(
    folder: Path, questions_QD: FloatArray | None = None
) -> tuple[EncoderSpec, list[TrainingStream]]:
    """The streams of a memory as it holds them: each span of an entry is an event.

    What was asked before counts as well: entries that were used as evidence, and those that answer a question that
    the memory has kept.

    Args:
        folder: The memory's; it is only read.
        questions_QD: As for `stream_from_events`.

    Returns:
        The spec of its encoder, and its streams by name.

    Raises:
        MemoryFolderError: There is no memory, or nothing was watched into it.
    """
    with memory_errors(folder):
        if not (folder / "memory.db").is_file():
            raise NoMemoryError(folder)
        store = Store(folder / "memory.db", writable=False)
        try:
            with store.snapshot():
                encoder = store.meta.encoder()
                if encoder is None:
                    raise MemoryFolderError(folder, "nothing was watched yet")
                asked = [probe for probe in store.probes.every() if probe.kind == "question"]
                grouped = groupby(store.entries.slots(), key=lambda slot: slot.stream)
                groups = [(name, [slot for slot in group if slot.key_D is not None]) for name, group in grouped]
                streams = [
                    _held(store, slots, questions_QD, [probe.times[0] for probe in asked if probe.stream == name])
                    for name, slots in groups
                    if slots
                ]
        finally:
            store.close()
    return encoder[1], streams


def _held(
    store: Store, slots: list[Slot], questions_QD: FloatArray | None, asked: list[tuple[float, float]]
) -> TrainingStream:
    entries = [entry for slot in slots if (entry := store.entries.get(slot.entry_id)) is not None]
    keys_ND, scenes_ND = store.entries.vectors([slot.entry_id for slot in slots])
    showings = sorted(
        (span.t0_s, span.t1_s, number) for number, entry in enumerate(entries) for span in entry.spans
    )
    t0_N = np.array([t0_s for t0_s, _, _ in showings])
    t1_N = np.array([t1_s for _, t1_s, _ in showings])
    of_N = np.array([number for _, _, number in showings])
    uses_N = np.array([entries[number].uses for number in of_N], np.float64)
    answers_N = np.zeros(len(showings))
    for t0_s, t1_s in asked:
        answers_N += (t0_N < t1_s) & (t1_N > t0_s)
    pointed_N = None
    if questions_QD is not None:
        pointed_N = pointed_at(keys_ND[of_N], scenes_ND[of_N], questions_QD) + uses_N + answers_N
    elif (uses_N + answers_N).any():
        pointed_N = uses_N + answers_N
    return TrainingStream(
        keys_ND=keys_ND[of_N],
        surprises_N=np.array([entries[number].surprise for number in of_N]),
        utilities_N=np.array([entries[number].utility for number in of_N]),
        places_N=np.array([entries[number].place for number in of_N]),
        t0_N=t0_N,
        t1_N=t1_N,
        pointed_N=pointed_N,
    )


def pointed_at(keys_ND: FloatArray, scenes_ND: FloatArray, questions_QD: FloatArray) -> NDArray[np.float64]:
    """How much of many questions goes to each event, 1 on average.

    Each question is spread over the events by a softmax of its cosine with key and scene, so that one that is near
    to nothing in particular says little.
    """
    both_ND = (keys_ND + scenes_ND) / 2
    shares_N = np.zeros(len(keys_ND))
    for start in range(0, len(questions_QD), 256):
        cosine_QN = (questions_QD[start : start + 256] @ both_ND.T).astype(np.float64)
        share_QN = np.exp((cosine_QN - cosine_QN.max(axis=1, keepdims=True)) / _TEMPERATURE)
        shares_N += (share_QN / share_QN.sum(axis=1, keepdims=True)).sum(axis=0)
    return shares_N * (len(keys_ND) / max(len(questions_QD), 1))
