"""Hippocam's own consolidation as one of the rules that the bench compares: the product's parts without a disk.

A slot costs its int8 key with a scale (or, once it was demoted, a bit a number), its spans (two float64 each, four
spans at most), and three numbers (surprise, place, times met). Everything else that holds vectors counts too: the
open event, the recent past and the places, the sketches of what was learned. What follows from the keys (an
entry's energy, its twin) does not count, as no rule's similarities do, nor do weights trained beforehand.

A small budget has fewer places and no sketches, and goes by what was trained beforehand alone.

Shapes: N slots, S spans, D dimensions.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from hippocam.apps.bench.policies import OURS, Entry
from hippocam.apps.bench.policies.base import NUMBER_BYTES, SPAN_BYTES, Bank, FloatArray, slots_in
from hippocam.memory.bank.bank import Bank as Consolidation
from hippocam.memory.bank.config import BankConfig
from hippocam.memory.bank.priors import load_prior
from hippocam.memory.bank.utility import FULL_ROWS, Prior, Utility
from hippocam.memory.codec import rounded, sign_bytes, signs
from hippocam.memory.records import Continuation, Event, Level, Slot, Span, id_of
from hippocam.memory.spans import join_spans
from hippocam.memory.trained import SHIPPED
from hippocam.memory.working.context import ContextConfig
from hippocam.memory.working.working import WorkingConfig, WorkingMemory
from hippocam.stream.records import Embedding, EncoderSpec

_NUMBERS = 3
_SCALE_BYTES = 4
_MAX_SPANS = 4
# Largest shares of a budget that places, sketches and the open event may take.
_PLACES_SHARE = 0.08
_SKETCH_SHARE = 0.15
_OPEN_SHARE = 0.5
_LEAST_PLACES = 2


class Ours:
    """Events, identity, learned utility, redundancy and decay, as `Memory.write` has them.

    Args:
        budget_bytes: What it may hold.
        dim: Length D of a frame's vector.
        seed: Not used: nothing is drawn.
        config: Settings of the bank; the product's by default.
        prior: What was trained on other streams of the same space.
        encoder: Id of that space; the prior that ships with it is taken where none is given.
        key_bytes: Bytes of a number of a key: 1 as in the product, 2 for float16 (an ablation).

    Raises:
        HippocamError: The budget has no room for one slot beside the rest.
    """

    def __init__(
        self,
        budget_bytes: int,
        dim: int,
        seed: int,
        *,
        config: BankConfig | None = None,
        prior: Prior | None = None,
        encoder: str | None = None,
        key_bytes: int = 1,
    ) -> None:
        if prior is None and encoder is not None:
            prior = load_prior(EncoderSpec(id=encoder, dim=dim, normalised=True, midpoint=0.0, slope=1.0), SHIPPED)
        place_bytes, sketch_bytes = dim + _SCALE_BYTES + 2 * NUMBER_BYTES, 2 * FULL_ROWS * (dim + _SCALE_BYTES)
        usual = WorkingConfig()
        most_places = max(_LEAST_PLACES, int(_PLACES_SHARE * budget_bytes) // place_bytes)
        most_frames = max(usual.min_frames, int(_OPEN_SHARE * budget_bytes) // (2 * dim))
        self._config = replace(
            usual,
            context=ContextConfig(places=min(usual.context.places, most_places)),
            max_frames=min(usual.max_frames, most_frames),
        )
        self._working = WorkingMemory("stream", self._config)
        online = sketch_bytes <= _SKETCH_SHARE * budget_bytes
        self._fixed_bytes = self._config.context.places * place_bytes + sketch_bytes * online
        self._bank = Consolidation(
            dim,
            config,
            Utility(dim, prior, online=online),
            row_bytes=_NUMBERS * NUMBER_BYTES + SPAN_BYTES,
            vectors=1,
            by_signs=key_bytes == 1,
        )
        self._key_bytes = dim * key_bytes + (_SCALE_BYTES if key_bytes == 1 else 0)
        self._round = rounded if key_bytes == 1 else (lambda v: v.astype(np.float16).astype(np.float32))
        self._budget_bytes = budget_bytes
        self._keys: dict[int, FloatArray] = {}
        self._levels: dict[int, Level] = {}
        self._spans: dict[int, list[Span]] = {}
        self._spans_held = self._signed = 0
        self._dim = dim
        self._longest = self._config.min_frames
        self._most = 0
        self._writes = 0
        self._seq = 0
        slots_in(budget_bytes - self._bytes(), self._slot_bytes + SPAN_BYTES)

    def push(self, frame_D: FloatArray, time_s: float) -> None:
        """See the next frame."""
        item = Embedding(stream="stream", seq=self._seq, time_s=time_s, vector=frame_D.astype(np.float32))
        self._seq += 1
        for closed in self._working.push(item):
            self._take(closed)
        self._longest = max(self._longest, self._working.open_frames)
        self._fit()

    def finish(self) -> None:
        """The stream is over."""
        for closed in self._working.flush():
            self._take(closed)
        self._fit()

    def bank(self) -> Bank:
        """What is remembered."""
        ids = list(self._bank)
        t0_NS = np.full((len(ids), _MAX_SPANS), np.nan)
        t1_NS = np.full((len(ids), _MAX_SPANS), np.nan)
        for row, entry_id in enumerate(ids):
            for column, span in enumerate(self._spans[entry_id]):
                t0_NS[row, column], t1_NS[row, column] = span.t0_s, span.known_s
        keys = [self._keys[entry_id] for entry_id in ids]
        keys_ND = np.stack(keys) if keys else np.zeros((0, self._dim), np.float32)
        return Bank(keys_ND=keys_ND, t0_NS=t0_NS, t1_NS=t1_NS, bytes=self._most, writes=self._writes, unit=False)

    @property
    def _slot_bytes(self) -> int:
        return self._key_bytes + _NUMBERS * NUMBER_BYTES

    def _bytes(self) -> int:
        slots = len(self._keys) * self._slot_bytes + self._spans_held * SPAN_BYTES
        slots -= self._signed * (self._dim + _SCALE_BYTES - sign_bytes(self._dim))
        vectors = self._longest + 3  # the open event and its sum, the recent past, the last frame
        return slots + self._fixed_bytes + vectors * 2 * self._dim + self._config.window * NUMBER_BYTES

    def _take(self, closed: Event | Continuation) -> None:
        if isinstance(closed, Continuation):
            return
        event = replace(closed, key=self._round(closed.key))
        span = Span(t0_s=event.t0_s, t1_s=event.t1_s, known_s=event.known_s)
        match = self._bank.match("stream", event.place, event.key, event.t0_s)
        self._writes += 1
        if match is not None and match.same:
            self._join(match.entry_id, [span])
            self._bank.touch(match.entry_id, last_s=event.t1_s, met=1)
        else:
            entry_id = id_of("stream", event.first_seq)
            self._bank.add(
                Slot(
                    entry_id=entry_id,
                    stream="stream",
                    place=event.place,
                    key_D=event.key,
                    utility=event.utility,
                    last_s=event.t1_s,
                    level=Level.VECTORS,
                )
            )
            self._keys[entry_id], self._spans[entry_id] = event.key, [span]
            self._spans_held += 1
        self._fit()

    def _fit(self) -> None:
        """Give up slots until everything is within the budget."""
        while self._bytes() > self._budget_bytes and (step := self._bank.next_step()) is not None:
            if step.to == Level.SIGNS:
                self._bank.demote(step.entry_id, step.to, 0)
                self._keys[step.entry_id] = signs(self._keys[step.entry_id])
                self._levels[step.entry_id] = step.to
                self._signed += 1
                continue
            if step.twin is not None:
                met = self._bank.met(step.entry_id)
                self._join(step.twin, self._spans[step.entry_id])
                self._bank.touch(step.twin, last_s=self._spans[step.entry_id][-1].t1_s, met=met)
            self._bank.delete(step.entry_id)
            self._spans_held -= len(self._spans.pop(step.entry_id))
            self._signed -= self._levels.pop(step.entry_id, None) is not None
            del self._keys[step.entry_id]
        self._most = max(self._most, self._bytes())

    def _join(self, entry_id: int, spans: list[Span]) -> None:
        self._spans_held -= len(self._spans[entry_id])
        self._spans[entry_id] = join_spans([*self._spans[entry_id], *spans])
        self._spans_held += len(self._spans[entry_id])


def entries() -> dict[str, Entry]:
    """The product's rule, and what it is without one of its parts."""
    return {
        OURS: Entry(build=Ours, standing=OURS, trained=True),
        "ours-untrained": Entry(build=Ours, standing="ablation", source="no prior"),
        "ours-float16": Entry(
            build=partial(Ours, key_bytes=2), standing="ablation", source="float16 keys", trained=True
        ),
        "ours-surprise": Entry(
            build=partial(Ours, config=BankConfig(arm="surprise")), standing="ablation", source="surprise alone"
        ),
    }
