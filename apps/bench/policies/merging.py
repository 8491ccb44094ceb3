"""Rules that merge what is next to each other in time: MovieChat, MA-LMM, StreamForest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hippocam.apps.bench.policies.base import (
    NUMBER_BYTES,
    FloatArray,
    KeyCodec,
    SlotPolicy,
    Slots,
    cosine,
    slots_in,
)


class MovieChat(SlotPolicy):
    """Short-term frames are merged to two, which join a queue (Song et al. 2023, arXiv:2307.16449).

    Short-term memory fills with 18 frames; then the two adjacent ones that are most alike become their mean, again
    and again until 2 are left, and these go to long-term memory.

    Checked in `rese1f/MovieChat`, `MovieChat/models/moviechat.py`, where we follow the paper instead: the code
    takes the largest cosine *distance*, so it merges the least alike; it leaves the 2 merged frames in the short
    memory, so they are merged and stored again; and nothing bounds the long-term list.

    Adapted: a full long-term memory drops its oldest slot. Questions see the short-term frames as well, as in the
    paper's breakpoint mode. Under 36 slots, short-term memory is half of them.
    """

    short_length = 18
    merged_length = 2

    def __init__(self, budget_bytes: int, dim: int, seed: int, *, key_codec: KeyCodec = "float16") -> None:
        super().__init__(budget_bytes, dim, seed, key_codec=key_codec)
        total = slots_in(budget_bytes, self._slot_bytes())
        self.short_length = max(1, min(self.short_length, total // 2))
        self.short = self._slots(self.short_length)
        self.capacity = total - self.short_length
        self.long = self._slots(self.capacity)

    def _see(self, frame_D: FloatArray, time_s: float) -> None:
        if self.short.count == self.short_length:
            self._consolidate()
        self.short.add(frame_D, time_s, time_s)

    def _consolidate(self) -> None:
        while self.short.count > self.merged_length:
            i = int(np.argmax(cosine(self.short.keys_ND[:-1], self.short.keys_ND[1:])))
            self.short.merge(i, i + 1)
        for i in range(self.short.count):
            self.long.add(self.short.keys_ND[i], self.short.t0_NS[i, 0], self.short.t1_NS[i, 0])
            if self.long.count > self.capacity:
                self.long.remove(0)
        self.short.count = 0

    def _held_bytes(self) -> int:
        return (self.short.count + self.long.count) * self._slot_bytes()

    def _arrays(self) -> Sequence[Slots]:
        return [self.long, self.short]


class MaLmm(SlotPolicy):
    """With one too many, the two adjacent slots that are most alike become one (MA-LMM).

    He et al. 2024, arXiv:2404.05726. The merged key is the mean weighted by the number of frames in each.
    Checked in `boheumd/MA-LMM`, `memory_bank_compress` in `lavis/models/blip2_models/blip2.py`, which does this
    for each of 32 tokens by itself; here a frame has one. A slot keeps its number of frames. The neighbours'
    similarities are held for speed only (they follow from the keys) and so not counted.
    """

    def __init__(self, budget_bytes: int, dim: int, seed: int, *, key_codec: KeyCodec = "float16") -> None:
        super().__init__(budget_bytes, dim, seed, key_codec=key_codec)
        self.capacity = slots_in(budget_bytes, self._slot_bytes(numbers=1))
        self.slots = self._slots(self.capacity, numbers=("frames",))
        self._alike = np.full(self.capacity + 2, -np.inf)  # of slots i and i + 1

    def _see(self, frame_D: FloatArray, time_s: float) -> None:
        self.slots.add(frame_D, time_s, time_s, frames=1)
        self._compare(self.slots.count - 2)
        if self.slots.count > self.capacity:
            self._merge(int(np.argmax(self._alike[: self.slots.count - 1])))

    def _merge(self, i: int) -> None:
        frames = self.slots["frames"]
        a, b = float(frames[i]), float(frames[i + 1])
        self.slots.merge(i, i + 1, (a, b))
        self.slots["frames"][i] = a + b
        self._alike[i : self.slots.count] = self._alike[i + 1 : self.slots.count + 1]
        self._compare(i - 1)
        self._compare(i)

    def _compare(self, i: int) -> None:
        if 0 <= i < self.slots.count - 1:
            self._alike[i] = cosine(self.slots.keys_ND[i], self.slots.keys_ND[i + 1])

    def _held_bytes(self) -> int:
        return self.slots.count * self._slot_bytes(numbers=1)

    def _arrays(self) -> Sequence[Slots]:
        return [self.slots]


@dataclass(slots=True)
class _Tree:
    """An event of StreamForest: its tokens, in time."""

    keys_ND: FloatArray
    t0_N: FloatArray
    t1_N: FloatArray
    centre: float
    """Its centre, in frames from the start."""
    leaves: int = 1
    """Events that were merged into it."""


class StreamForest(SlotPolicy):
    """Events become trees: neighbours with the least penalty are merged to half (StreamForest).

    Zeng et al. 2025, arXiv:2509.24871. Frames wait in a short-term window of 18; with 8 more, the window's head
    is cut where neighbouring frames are least alike, and becomes an event. While memory is too large, the two
    neighbouring events with the least 0.4 (1 - similarity) + 0.2 age + 0.4 merges are joined and their tokens
    halved by bipartite soft matching (ToMe, Bolya et al. 2023, arXiv:2210.09461); age is the mean centre over
    the time so far, so old ones go first.

    Checked in the authors' `llava/model/multimodal_projector/memory_manager.py` (its three penalties, its
    similarity: the mean of the best matches that would be merged). Adapted: a frame has one token instead of 64;
    tokens are put back in order of time after merging; under 72 slots, the windows are a quarter and an eighth.
    An event keeps its centre, merges, length and similarity.
    """

    weights = (0.4, 0.2, 0.4)
    short_length = 18
    split_length = 8

    def __init__(self, budget_bytes: int, dim: int, seed: int, *, key_codec: KeyCodec = "float16") -> None:
        super().__init__(budget_bytes, dim, seed, key_codec=key_codec)
        total = slots_in(budget_bytes - 5 * NUMBER_BYTES, self._slot_bytes())
        self.short_length = min(self.short_length, total // 4)
        self.split_length = max(1, min(self.split_length, total // 8))
        self.short = self._slots(self.short_length + self.split_length, numbers=("alike",))
        self.forest: list[_Tree] = []
        self._alike: list[float] = []
        self._cut_frames = 0
        self._writes = 0

    def _see(self, frame_D: FloatArray, time_s: float) -> None:
        self.short.add(frame_D, time_s, time_s)
        if self.short.count > 1:
            self.short["alike"][-2] = cosine(self.short.keys_ND[-2], self.short.keys_ND[-1])
        if self.short.count >= self.short_length + self.split_length:
            self._cut(1 + int(np.argmin(self.short["alike"][: self.split_length])))
        while len(self.forest) > 1 and self._held_bytes() > self.budget_bytes:
            self._merge(int(np.argmin(self._penalties())))

    def _cut(self, length: int) -> None:
        self.forest.append(
            _Tree(
                keys_ND=self.short.keys_ND[:length].copy(),
                t0_N=self.short.t0_NS[:length, 0].copy(),
                t1_N=self.short.t1_NS[:length, 0].copy(),
                centre=self._cut_frames + (length - 1) / 2,
            )
        )
        self._writes += length
        self._cut_frames += length
        self.short.keep(np.arange(length, self.short.count))
        if len(self.forest) > 1:
            self._alike.append(_similarity(self.forest[-2], self.forest[-1]))

    def _penalties(self) -> FloatArray:
        centre = np.array([tree.centre for tree in self.forest])
        leaves = np.array([tree.leaves for tree in self.forest])
        merges = (leaves[1:] + leaves[:-1]) / 2
        age = (centre[1:] + centre[:-1]) / 2 / (self._cut_frames + self.short.count)
        alike, time, merged = self.weights
        penalty: FloatArray = alike * (1 - np.array(self._alike)) + time * age + merged * merges / merges.max()
        return penalty

    def _merge(self, i: int) -> None:
        self.forest[i : i + 2] = [_join(self.forest[i], self.forest[i + 1], self.short.stored)]
        self._writes += len(self.forest[i].keys_ND)
        del self._alike[i]
        for j in (i - 1, i):
            if 0 <= j < len(self.forest) - 1:
                self._alike[j] = _similarity(self.forest[j], self.forest[j + 1])

    def _held_bytes(self) -> int:
        tokens = sum(len(tree.keys_ND) for tree in self.forest)
        return (
            self.short.count * self._slot_bytes(numbers=1)
            + tokens * self._slot_bytes()
            + len(self.forest) * 4 * NUMBER_BYTES
        )

    def _arrays(self) -> Sequence[Slots]:
        long = self._slots(sum(len(tree.keys_ND) for tree in self.forest))
        for tree in self.forest:
            for key_D, t0_s, t1_s in zip(tree.keys_ND, tree.t0_N, tree.t1_N, strict=True):
                long.add(key_D, float(t0_s), float(t1_s))
        long.writes = self._writes
        return [long, self.short]


def _match(keys_ND: FloatArray) -> tuple[FloatArray, NDArray[np.intp]]:
    """Find the best odd row for each even row, by cosine: its cosine and its index."""
    unit_ND = keys_ND / np.maximum(np.linalg.norm(keys_ND, axis=1, keepdims=True), 1e-12)
    cosines = unit_ND[::2] @ unit_ND[1::2].T
    return cosines.max(axis=1), cosines.argmax(axis=1)


def _similarity(a: _Tree, b: _Tree) -> float:
    keys_ND = np.concatenate([a.keys_ND, b.keys_ND])
    best, _ = _match(keys_ND)
    return float(np.sort(best)[-(len(keys_ND) // 2) :].mean())


def _join(a: _Tree, b: _Tree, stored: Callable[[FloatArray], FloatArray]) -> _Tree:
    """Two events as one, of half as many tokens (rounded up): each even token joins the odd one most like it."""
    keys_ND = np.concatenate([a.keys_ND, b.keys_ND])
    t0_N, t1_N = np.concatenate([a.t0_N, b.t0_N]), np.concatenate([a.t1_N, b.t1_N])
    best, where = _match(keys_ND)
    order = np.argsort(-best, kind="stable")
    gone, left = order[: len(keys_ND) // 2], order[len(keys_ND) // 2 :]
    to_D, to_t0, to_t1 = keys_ND[1::2].copy(), t0_N[1::2].copy(), t1_N[1::2].copy()
    size = np.ones(len(to_D), dtype=np.float32)
    np.add.at(to_D, where[gone], keys_ND[::2][gone])
    np.add.at(size, where[gone], 1)
    np.minimum.at(to_t0, where[gone], t0_N[::2][gone])
    np.maximum.at(to_t1, where[gone], t1_N[::2][gone])
    new_t0 = np.concatenate([t0_N[::2][left], to_t0])
    in_time = np.argsort(new_t0, kind="stable")
    frames = len(a.keys_ND) + len(b.keys_ND)
    joined_ND = np.concatenate([keys_ND[::2][left], to_D / size[:, None]])[in_time]
    return _Tree(
        keys_ND=np.stack([stored(key_D) for key_D in joined_ND]),
        t0_N=new_t0[in_time],
        t1_N=np.concatenate([t1_N[::2][left], to_t1])[in_time],
        centre=(a.centre * len(a.keys_ND) + b.centre * len(b.keys_ND)) / frames,
        leaves=a.leaves + b.leaves,
    )
