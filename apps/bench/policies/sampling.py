"""Rules that keep single frames and never look at them: the last ones, every k-th, a random sample."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hippocam.apps.bench.policies.base import FloatArray, KeyCodec, SlotPolicy, Slots, slots_in


class _Frames(SlotPolicy):
    """Keeps frames as plain slots."""

    def __init__(self, budget_bytes: int, dim: int, seed: int, *, key_codec: KeyCodec = "float16") -> None:
        super().__init__(budget_bytes, dim, seed, key_codec=key_codec)
        self.capacity = slots_in(budget_bytes, self._slot_bytes())
        self.slots = self._slots(self.capacity)
        self.seen = 0

    def push(self, frame_D: FloatArray, time_s: float) -> None:
        """See the next frame."""
        super().push(frame_D, time_s)
        self.seen += 1

    def _held_bytes(self) -> int:
        return self.slots.count * self._slot_bytes()

    def _arrays(self) -> Sequence[Slots]:
        return [self.slots]


class Recent(_Frames):
    """The last frames, as a sliding-window reader has them (StreamingVLM, Xu et al. 2025, arXiv:2510.09608)."""

    def _see(self, frame_D: FloatArray, time_s: float) -> None:
        if self.slots.count < self.capacity:
            self.slots.add(frame_D, time_s, time_s)
        else:
            self.slots.write(self.seen % self.capacity, frame_D, time_s, time_s)


class Uniform(_Frames):
    """Every k-th frame of a stream of unknown length: when full, k doubles and every second frame is dropped."""

    stride = 1

    def _see(self, frame_D: FloatArray, time_s: float) -> None:
        if self.seen % self.stride == 0:
            if self.slots.count == self.capacity:
                self.stride *= 2
                self.slots.keep(np.arange(0, self.capacity, 2))
            if self.seen % self.stride == 0:
                self.slots.add(frame_D, time_s, time_s)


class Reservoir(_Frames):
    """A uniform random sample of the frames so far: algorithm R (Vitter 1985, ACM TOMS 11(1))."""

    def _see(self, frame_D: FloatArray, time_s: float) -> None:
        if self.slots.count < self.capacity:
            self.slots.add(frame_D, time_s, time_s)
        elif (j := int(self.rng.integers(self.seen + 1))) < self.capacity:
            self.slots.write(j, frame_D, time_s, time_s)
