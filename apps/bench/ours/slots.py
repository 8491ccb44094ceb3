"""Events into slots under a byte budget, as the product's long-term memory has them, without a disk.

A slot costs its vectors as int8 with a scale, what is new and the scene (or, once it was demoted, what the
one vector that is left of both, see `in_one`, was reduced to), its spans (four at most, of seven bytes as
beside all keys that are stored as ours), and what it is weighed by, as blocks have it: its surprise to eleven
bits, its place and the times that it was met in a byte each. The sketches of what was learned count too. What
follows from the keys when an entry is new (its energy, its twin) does not count, as no rule's similarities do, nor
do weights trained beforehand.

Shapes: N slots, S spans, D dimensions.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from hippocam.apps.bench.ours.parts import Parts
from hippocam.apps.bench.policies.base import Bank, FloatArray, half, key_bytes, slots_in, span_bytes
from hippocam.memory.bank.bank import Bank as Consolidation
from hippocam.memory.bank.codes import Code, Signs
from hippocam.memory.bank.slots import Slots
from hippocam.memory.bank.utility import FULL_ROWS, Utility
from hippocam.memory.codec import HEAD_BYTES, coarse, rounded
from hippocam.memory.recall.query import RecallConfig
from hippocam.memory.records import Event, Level, Slot, Span, id_of
from hippocam.memory.spans import join_spans
from hippocam.memory.stress import in_one, stressed

STREAM = "stream"
SCALE_BYTES = 4
MAX_SPANS = 4
# The surprise, the place and the times met.
_WEIGHED_BYTES = 4
# Largest share of a budget that the sketches may take; below it, what was trained beforehand must do.
_SKETCH_SHARE = 0.15


class OurSlots:
    """Slots of events within a budget.

    Args:
        budget_bytes: What they may take, sketches included.
        dim: Length D of a vector.
        parts: Which parts of the product take part.
        encoder: Id of the vectors' space.
        vectors: How many a slot has as int8: what is new, by which things are known again and weighed, and the
            scene, as in the product; or from the beginning the one that is left of both.

    Raises:
        HippocamError: The budget has no room for one slot.

    Attributes:
        writes: Slots that were added or joined.
    """

    def __init__(
        self, budget_bytes: int, dim: int, parts: Parts, encoder: str | None, *, vectors: Literal[1, 2]
    ) -> None:
        self._parts = parts
        self._two = vectors == 2 and parts.stressed and parts.background and parts.codec == "ladder"
        self._dim = dim
        self._budget_bytes = budget_bytes
        self._key_bytes = 2 * dim if parts.codec == "float16" else dim + SCALE_BYTES
        self._key_bytes *= 1 + self._two
        self._slot_bytes = self._key_bytes + _WEIGHED_BYTES
        self._span_bytes = span_bytes("float16" if parts.codec == "float16" else "signs")
        slots_in(budget_bytes, self._slot_bytes + self._span_bytes)
        sketch_bytes = 2 * FULL_ROWS * (dim + SCALE_BYTES)
        online = sketch_bytes <= _SKETCH_SHARE * budget_bytes
        self._sketch_bytes = sketch_bytes * online
        self._codes = parts.codes_for(encoder, dim)
        self._as_searched = self._codes.first is not None and self._codes.first.as_searched
        self._bank = Consolidation(
            dim,
            parts.bank,
            Utility(dim, parts.prior_for(encoder, dim), online=online),
            row_bytes=self._slot_bytes + self._span_bytes - self._key_bytes // (1 + self._two),
            block_bytes=_WEIGHED_BYTES + self._span_bytes,
            vectors=1,
            codes=self._codes,
        )
        self._round = half if parts.codec == "float16" else rounded
        self._keys: dict[int, FloatArray] = {}
        self._whole: dict[int, tuple[Slot, FloatArray]] = {}  # slots of two vectors, each with its scene
        self._reduced: dict[int, int] = {}  # bytes of the key of each slot that was demoted
        self._spans: dict[int, list[Span]] = {}
        self._spans_held = 0
        self.writes = 0

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def learns(self) -> bool:
        """Whether it learns on the way."""
        return self._sketch_bytes > 0

    @property
    def knows(self) -> bool:
        """Whether anything was learned, on the way or beforehand."""
        return self._bank.utility.knows

    @property
    def bytes(self) -> int:
        """What is held."""
        slots = len(self._keys) * self._slot_bytes + self._spans_held * self._span_bytes
        freed = len(self._reduced) * self._key_bytes - sum(self._reduced.values())
        return slots - freed + self._sketch_bytes

    def take(self, event: Event) -> None:
        """Take in an event: the same thing again joins its slot, anything else is a new one."""
        if not self._parts.background:
            event = replace(event, key=event.scene)
        elif self._parts.stressed and not self._two:
            event = replace(event, key=in_one(event.key, event.scene, as_searched=self._as_searched))
        if not self._parts.surprise:
            event = replace(event, utility=1.0)
        event = replace(event, key=self._round(event.key), utility=coarse(event.utility))
        span = Span(t0_s=event.t0_s, t1_s=event.t1_s, known_s=event.known_s)
        match = self._bank.match(STREAM, event.place, event.key, event.t0_s)
        self.writes += 1
        if match is not None and match.same:
            self._join(match.entry_id, [span])
            self._bank.touch(match.entry_id, last_s=event.t1_s, met=1)
        else:
            self._add(event, span)
        self._fit()

    def use(self, question_D: FloatArray) -> None:
        """Answer a question, and mark the slot that is found as used."""
        ids = list(self._keys)
        if ids:
            found = ids[int(np.argmax(np.stack(list(self._keys.values())) @ question_D))]
            self._bank.use(found, strength=2.0)

    def bank(self, most_bytes: int) -> Bank:
        """What is remembered.

        Args:
            most_bytes: The most that the whole rule held.
        """
        ids = list(self._bank)
        t0_NS, t1_NS = (np.full((len(ids), MAX_SPANS), np.nan) for _ in range(2))
        for row, entry_id in enumerate(ids):
            for column, span in enumerate(self._spans[entry_id]):
                t0_NS[row, column], t1_NS[row, column] = span.t0_s, span.known_s
        keys = [
            _searched(self._keys[entry_id], self._whole[entry_id][1])
            if entry_id in self._whole
            else self._keys[entry_id]
            for entry_id in ids
        ]
        keys_ND = np.stack(keys) if keys else np.zeros((0, self._dim), np.float32)
        return Bank(keys_ND=keys_ND, t0_NS=t0_NS, t1_NS=t1_NS, bytes=most_bytes, writes=self.writes, unit=False)

    def _add(self, event: Event, span: Span) -> None:
        entry_id = id_of(STREAM, event.first_seq)
        slot = Slot(
            entry_id=entry_id,
            stream=STREAM,
            place=event.place,
            key_D=event.key,
            utility=event.utility,
            last_s=event.t1_s,
            level=Level.VECTORS,
        )
        self._bank.add(slot)
        if self._two:
            self._whole[entry_id] = slot, self._round(event.scene)
        self._keys[entry_id], self._spans[entry_id] = event.key, [span]
        self._spans_held += 1

    def _fit(self) -> None:
        """Give up slots until all are within the budget."""
        while self.bytes > self._budget_bytes and (step := self._bank.next_step()) is not None:
            if step.to == Level.SIGNS:
                self._reduce(step.entry_id, short=step.short)
                continue
            if step.twin is not None:
                met = self._bank.met(step.entry_id)
                self._join(step.twin, self._spans[step.entry_id])
                self._bank.touch(step.twin, last_s=self._spans[step.entry_id][-1].t1_s, met=met)
            self._bank.delete(step.entry_id)
            self._spans_held -= len(self._spans.pop(step.entry_id))
            self._reduced.pop(step.entry_id, None)
            self._whole.pop(step.entry_id, None)
            del self._keys[step.entry_id]

    def _reduce(self, entry_id: int, *, short: bool) -> None:
        """Reduce the one vector that is left of both of a slot."""
        slot, scene_D = self._whole.pop(entry_id, (None, None))
        chosen = self._codes.code(short=short)
        key_D = self._keys[entry_id]
        if scene_D is not None:
            key_D = in_one(key_D, scene_D, as_searched=chosen.as_searched)
        key_D = chosen.reduced(key_D)
        reduced = None if slot is None else Slots.of([replace(slot, key_D=key_D)])
        self._bank.demote([entry_id], Level.SIGNS, reduced=reduced, short=short)
        self._keys[entry_id] = key_D
        self._reduced[entry_id] = _code_bytes(chosen)

    def _join(self, entry_id: int, spans: list[Span]) -> None:
        self._spans_held -= len(self._spans[entry_id])
        self._spans[entry_id] = join_spans([*self._spans[entry_id], *spans])
        self._spans_held += len(self._spans[entry_id])


def _searched(key_D: FloatArray, scene_D: FloatArray) -> FloatArray:
    """The vector that recall searches: the scene with what is new in it stressed."""
    row_D: FloatArray = stressed(key_D[None], scene_D[None], RecallConfig().key_weight)[0]
    return row_D


def _code_bytes(code: Code) -> int:
    """Bytes of a code as blocks have it: what names tables stands there once, the scale of signs in two bytes."""
    if isinstance(code, Signs):
        return key_bytes(code.dim, "signs")
    return code.size - HEAD_BYTES
