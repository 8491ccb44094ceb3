"""The streams that a memory holds, as streams to learn consolidation from.

Shapes: N events of a stream; Q questions; D embedding dimension.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import numpy as np

from hippocam.memory.errors import MemoryFolderError, NoMemoryError, memory_errors
from hippocam.memory.folder import DATABASE, has_memory
from hippocam.memory.records import Slot
from hippocam.memory.store.database import Store
from hippocam.memory.training.streams import TrainingStream, pointed_at
from hippocam.stream.records import EncoderSpec, FloatArray


def streams_from_memory(
    folder: Path, questions_QD: FloatArray | None = None
) -> tuple[EncoderSpec, list[TrainingStream]]:
    """Read the streams of a memory as it holds them: each span of an entry is an event.

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
        if not has_memory(folder):
            raise NoMemoryError(folder)
        store = Store(folder / DATABASE, writable=False)
        try:
            with store.snapshot():
                encoder = store.meta.encoder()
                if encoder is None:
                    raise MemoryFolderError(folder, "nothing was watched yet")
                asked = [probe for probe in store.probes.every() if probe.kind == "question"]
                grouped = groupby(store.entries.slots(), key=lambda slot: slot.stream)
                groups = [(name, [slot for slot in group if slot.key_D is not None]) for name, group in grouped]
                streams = [
                    _stream_of(
                        store, slots, questions_QD, [probe.times[0] for probe in asked if probe.stream == name]
                    )
                    for name, slots in groups
                    if slots
                ]
        finally:
            store.close()
    return encoder[1], streams


def _stream_of(
    store: Store, slots: list[Slot], questions_QD: FloatArray | None, asked: list[tuple[float, float]]
) -> TrainingStream:
    """The spans of the entries of one stream, by time, and how well questions point at each."""
    entries = [entry for slot in slots if (entry := store.entries.get(slot.entry_id)) is not None]
    keys_ND, scenes_ND = store.entries.vectors([slot.entry_id for slot in slots])
    showings = sorted((span.t0_s, span.t1_s, index) for index, entry in enumerate(entries) for span in entry.spans)
    t0_N = np.array([t0_s for t0_s, _, _ in showings])
    t1_N = np.array([t1_s for _, t1_s, _ in showings])
    of_N = np.array([index for _, _, index in showings])
    uses_N = np.array([entries[index].uses for index in of_N], np.float64)
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
        surprises_N=np.array([entries[index].surprise for index in of_N]),
        utilities_N=np.array([entries[index].utility for index in of_N]),
        places_N=np.array([entries[index].place for index in of_N]),
        t0_N=t0_N,
        t1_N=t1_N,
        pointed_N=pointed_N,
    )
