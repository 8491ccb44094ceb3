"""Frames into our slots: the product's working memory cuts events out of them.

Everything that holds vectors counts: the sum of the open event and the one frame of it that may be held out, the
recent past, the last frame, and the places. The product holds the open event's frames for its picture, and their
mean for its key; here are no pictures, so their sum is what a key needs.

Shapes: D dimensions.
"""

from __future__ import annotations

from dataclasses import replace

from hippocam.apps.bench.ours.parts import Parts
from hippocam.apps.bench.ours.slots import SCALE_BYTES, STREAM, OurSlots
from hippocam.apps.bench.policies.base import NUMBER_BYTES, SPAN_BYTES, Bank, FloatArray, slots_in
from hippocam.memory.records import Continuation
from hippocam.memory.working.context import ContextConfig
from hippocam.memory.working.working import WorkingConfig, WorkingMemory
from hippocam.stream.records import Embedding

# Vectors of the open event, the recent past and the last frame, in float16.
_VECTORS = 4
# Largest share of a budget that places may take, and that the recent surprises may.
_PLACES_SHARE = 0.08
_WINDOW_SHARE = 0.04
_LEAST_PLACES = 2
_LEAST_WINDOW = 16


class Ours:
    """Events, identity, learned utility, redundancy and decay, as `Memory.write` has them.

    A small budget has fewer places, a shorter window of surprises and no sketches.

    Args:
        budget_bytes: What it may hold.
        dim: Length D of a frame's vector.
        seed: Not used: nothing is drawn.
        parts: Which parts of the product take part; all by default.
        encoder: Id of the vectors' space; the prior that ships with it is taken where none is given.

    Raises:
        HippocamError: The budget has no room for one slot beside the rest.
    """

    def __init__(
        self, budget_bytes: int, dim: int, seed: int, *, parts: Parts | None = None, encoder: str | None = None
    ) -> None:
        place_bytes, usual = dim + SCALE_BYTES + 2 * NUMBER_BYTES, WorkingConfig()
        places = max(_LEAST_PLACES, int(_PLACES_SHARE * budget_bytes) // place_bytes)
        window = max(_LEAST_WINDOW, int(_WINDOW_SHARE * budget_bytes) // NUMBER_BYTES)
        config = replace(
            usual,
            context=ContextConfig(places=min(usual.context.places, places)),
            window=min(usual.window, window),
        )
        self._working = WorkingMemory(STREAM, config)
        self._fixed_bytes = config.context.places * place_bytes
        self._fixed_bytes += _VECTORS * 2 * dim + config.window * NUMBER_BYTES + SPAN_BYTES
        slots_in(budget_bytes - self._fixed_bytes, 1)
        self.slots = OurSlots(budget_bytes - self._fixed_bytes, dim, parts or Parts(), encoder, vectors=2)
        self._most = self.bytes
        self._seq = 0

    @property
    def bytes(self) -> int:
        """What is held."""
        return self._fixed_bytes + self.slots.bytes

    def push(self, frame_D: FloatArray, time_s: float) -> None:
        """See the next frame."""
        item = Embedding(stream=STREAM, seq=self._seq, time_s=time_s, vector=frame_D.astype("float32"))
        self._seq += 1
        for closed in self._working.push(item):
            if not isinstance(closed, Continuation):
                self.slots.take(closed)
        self._most = max(self._most, self.bytes)

    def finish(self) -> None:
        """The stream is over."""
        for closed in self._working.flush():
            if not isinstance(closed, Continuation):
                self.slots.take(closed)
        self._most = max(self._most, self.bytes)

    def bank(self) -> Bank:
        """What is remembered."""
        return self.slots.bank(self._most)
