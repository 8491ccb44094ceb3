"""The ceiling: a memory that was told beforehand what will be asked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hippocam.apps.bench.policies.base import FloatArray, KeyCodec, SlotPolicy, Slots, slots_in
from hippocam.apps.worlds.worlds import Planted


class Oracle(SlotPolicy):
    """Keeps the mean frame of each needle and each entity's last and first visit, as far as slots last."""

    def __init__(self, budget_bytes: int, dim: int, seed: int, *, key_codec: KeyCodec = "float16") -> None:
        super().__init__(budget_bytes, dim, seed, key_codec=key_codec)
        self.capacity = slots_in(budget_bytes, self._slot_bytes())
        self.slots = self._slots(self.capacity)
        self._wanted: list[tuple[float, float]] = []
        self._sum_D = np.zeros(dim, dtype=np.float32)
        self._frames = 0
        self._t0_s = self._t1_s = 0.0

    def foresee(self, planted: Sequence[Planted]) -> None:
        """Be told what is planted, before the stream starts; which needles are kept, if not all, is drawn."""
        needles = [p for p in planted if p.kind == "needle"]
        visits = [p for p in planted if p.kind == "entity"]
        last = {p.identity: p for p in visits}
        first = {p.identity: p for p in reversed(visits)}
        drawn = [needles[i] for i in self.rng.permutation(len(needles))]
        spans = [(p.t0_s, p.t1_s) for p in (*drawn, *last.values(), *first.values())]
        self._wanted = sorted(list(dict.fromkeys(spans))[: self.capacity])

    def finish(self) -> None:
        """Close what the stream ended in."""
        if self._frames:
            self.slots.add(self._sum_D / self._frames, self._t0_s, self._t1_s)
            self._frames = 0

    def _see(self, frame_D: FloatArray, time_s: float) -> None:
        while self._wanted and time_s >= self._wanted[0][1]:
            self.finish()
            self._wanted.pop(0)
        if self._wanted and time_s >= self._wanted[0][0]:
            if not self._frames:
                self._sum_D[:], self._t0_s = 0, time_s
            self._sum_D += frame_D
            self._frames += 1
            self._t1_s = time_s

    def _held_bytes(self) -> int:
        return self.slots.count * self._slot_bytes()

    def _arrays(self) -> Sequence[Slots]:
        return [self.slots]
