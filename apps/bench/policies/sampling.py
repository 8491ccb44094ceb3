"""Rules that never look at what they keep: the last frames, every k-th, a random sample, equal pieces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hippocam.apps.bench.policies.base import (
    SPAN_BYTES,
    FloatArray,
    KeyCodec,
    SlotPolicy,
    Slots,
    half,
    slots_in,
)


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


class Newest(_Frames):
    """No memory: the newest frames alone, as many as a memory's sensory tier hands to a reader."""

    most = 8

    def __init__(self, budget_bytes: int, dim: int, seed: int, *, key_codec: KeyCodec = "float16") -> None:
        super().__init__(budget_bytes, dim, seed, key_codec=key_codec)
        self.capacity = min(self.capacity, self.most)

    def _see(self, frame_D: FloatArray, time_s: float) -> None:
        if self.slots.count == self.capacity:
            self.slots.remove(0)
        self.slots.add(frame_D, time_s, time_s)


class Pieces(_Frames):
    """Plain retrieval: the stream in pieces of equal length, each the mean of its frames, thinned as `Uniform` is.

    Args:
        budget_bytes: As for every rule.
        dim: As for every rule.
        seed: As for every rule.
        key_codec: As for every rule.
        length: Frames of a piece.
    """

    def __init__(
        self, budget_bytes: int, dim: int, seed: int, *, key_codec: KeyCodec = "float16", length: int = 5
    ) -> None:
        open_bytes = 2 * dim + SPAN_BYTES  # the sum of the open piece, and its times
        super().__init__(budget_bytes - open_bytes, dim, seed, key_codec=key_codec)
        self.budget_bytes, self._open_bytes = budget_bytes, open_bytes
        self.length = length
        self._sum_D = np.zeros(dim, np.float32)
        self._frames = self._pieces = 0
        self._t0_s = self._t1_s = 0.0
        self.stride = 1

    def finish(self) -> None:
        """Close the open piece."""
        if self._frames:
            self._close()

    def _see(self, frame_D: FloatArray, time_s: float) -> None:
        if not self._frames:
            self._t0_s = time_s
        self._t1_s = time_s
        self._sum_D = half(self._sum_D + frame_D)
        self._frames += 1
        if self._frames == self.length:
            self._close()

    def _close(self) -> None:
        if self._pieces % self.stride == 0 and self.slots.count == self.capacity:
            self.stride *= 2
            self.slots.keep(np.arange(0, self.capacity, 2))
        if self._pieces % self.stride == 0:
            self.slots.add(self._sum_D / self._frames, self._t0_s, self._t1_s)
        self._sum_D = np.zeros_like(self._sum_D)
        self._pieces, self._frames = self._pieces + 1, 0

    def _held_bytes(self) -> int:
        return super()._held_bytes() + self._open_bytes


class Reservoir(_Frames):
    """A uniform random sample of the frames so far: algorithm R (Vitter 1985, ACM TOMS 11(1))."""

    def _see(self, frame_D: FloatArray, time_s: float) -> None:
        if self.slots.count < self.capacity:
            self.slots.add(frame_D, time_s, time_s)
        elif (j := int(self.rng.integers(self.seen + 1))) < self.capacity:
            self.slots.write(j, frame_D, time_s, time_s)
