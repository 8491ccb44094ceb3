"""Events that were cut before, such as sentences with their times, into our slots.

Shapes: D dimensions.
"""

from __future__ import annotations

from dataclasses import replace

from hippocam.apps.bench.ours.parts import Parts
from hippocam.apps.bench.ours.slots import SCALE_BYTES, STREAM, OurSlots
from hippocam.apps.bench.policies.base import NUMBER_BYTES, Bank, FloatArray
from hippocam.memory.records import Event
from hippocam.memory.working.context import ContextConfig
from hippocam.memory.working.working import WorkingConfig, WorkingMemory
from hippocam.stream.records import Embedding

_PLACES_SHARE = 0.02
_LEAST_PLACES = 2
# Nothing here is a gap: an event ends when it is said to.
_NO_GAP_S = 1e12


class OurEvents:
    """The product's consolidation of events, within a budget.

    A slot has one vector, the one that recall searches: sentences are asked by sentences, so what they share with
    those beside them is asked for too.

    Args:
        budget_bytes: What it may hold.
        dim: Length D of a vector.
        parts: Which parts of the product take part; all by default.
        encoder: Id of the vectors' space; the prior that ships with it is taken where none is given.

    Raises:
        HippocamError: The budget has no room for one slot beside the rest.
    """

    def __init__(
        self, budget_bytes: int, dim: int, *, parts: Parts | None = None, encoder: str | None = None
    ) -> None:
        place_bytes, usual = dim + SCALE_BYTES + 2 * NUMBER_BYTES, ContextConfig()
        places = max(_LEAST_PLACES, int(_PLACES_SHARE * budget_bytes) // place_bytes)
        context = replace(usual, places=min(usual.places, places))
        self._working = WorkingMemory(STREAM, WorkingConfig(gap_s=_NO_GAP_S, context=context))
        self._fixed_bytes = context.places * place_bytes + 2 * dim  # and the recent past
        self.slots = OurSlots(budget_bytes - self._fixed_bytes, dim, parts or Parts(), encoder, vectors=1)
        self._most = 0
        self._seq = 0

    def see(self, vector_D: FloatArray, t0_s: float, t1_s: float) -> None:
        """See the next event.

        Args:
            vector_D: float32 [D] of length 1.
            t0_s: When it begins; may lie before the last one's end.
            t1_s: When it ends.
        """
        item = Embedding(stream=STREAM, seq=self._seq, time_s=t0_s, vector=vector_D.astype("float32"))
        self._seq += 1
        for closed in (*self._working.push(item), *self._working.flush(t1_s)):
            if isinstance(closed, Event):
                self.slots.take(replace(closed, known_s=t1_s))
        self._most = max(self._most, self._fixed_bytes + self.slots.bytes)

    def bank(self) -> Bank:
        """What is remembered."""
        return self.slots.bank(self._most)
