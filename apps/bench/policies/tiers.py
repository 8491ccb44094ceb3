"""Rules with several stores: Flash-VStream's clusters, the Pyramid Memory Bank, XMem's three tiers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hippocam.apps.bench.policies.base import (
    NUMBER_BYTES,
    SHORT_BYTES,
    FloatArray,
    KeyCodec,
    SlotPolicy,
    Slots,
    cosine,
    slots_in,
    span_bytes,
)


class FlashVStream(SlotPolicy):
    """Weighted k-means of all frames, and the frames nearest to the heaviest clusters (Zhang et al. 2025).

    After each clip, the context memory (arXiv:2506.23825; its clusters, each with the number of its frames) and
    the clip are clustered anew, from random members, in at most 10 rounds. The detail memory then takes, for
    each of the heaviest clusters, the nearest frame of the feature bank.

    Checked in `IVGSZ/Flash-VStream`, `Flash-VStream-Qwen/models/{compress_functions,vstream_qwen2vl_realtime}.py`:
    twice as many clusters as details (120 and 60), Euclidean distance. Adapted: their feature bank holds every
    frame of the stream on the CPU; under a byte budget it is the details and the clip. A cluster's times are the
    hull of its frames' (theirs is a mean, which no frame need have). The clip is 16 frames, an eighth of the slots
    if that is less.
    """

    clip_length = 16
    rounds = 10
    cluster_share = 2 / 3

    def __init__(self, budget_bytes: int, dim: int, seed: int, *, key_codec: KeyCodec = "float16") -> None:
        super().__init__(budget_bytes, dim, seed, key_codec=key_codec)
        plain, weighted = self._slot_bytes(), self._slot_bytes(numbers=1)
        self.clip_length = max(1, min(self.clip_length, slots_in(budget_bytes, plain) // 8))
        left = budget_bytes - self.clip_length * plain
        self.cluster_count = slots_in(int(left * self.cluster_share), weighted)
        self.detail_count = (left - self.cluster_count * weighted) // plain
        self.clusters = self._slots(self.cluster_count + self.clip_length, numbers=("frames",))
        self.details = self._slots(self.detail_count + self.clip_length)
        self.clip = self._slots(self.clip_length)

    def _see(self, frame_D: FloatArray, time_s: float) -> None:
        if self.clip.count == self.clip_length:
            self._consolidate()
        self.clip.add(frame_D, time_s, time_s)

    def _consolidate(self) -> None:
        for key_D, t0_s in zip(self.clip.keys_ND, self.clip.t0_NS[:, 0], strict=True):
            self.clusters.add(key_D, t0_s, t0_s, frames=1)
            self.details.add(key_D, t0_s, t0_s)
        self.clip.count = 0
        if self.clusters.count > self.cluster_count:
            self._cluster()
        if self.details.count > self.detail_count:
            heaviest = np.argsort(-self.clusters["frames"], kind="stable")[: self.detail_count]
            distance = _distances(self.clusters.keys_ND[heaviest], self.details.keys_ND)
            self.details.keep(np.unique(distance.argmin(axis=1)))

    def _cluster(self) -> None:
        x_ND, frames_N = self.clusters.keys_ND.copy(), self.clusters["frames"].copy()
        t0_N, t1_N = self.clusters.t0_NS[:, 0].copy(), self.clusters.t1_NS[:, 0].copy()
        centres_KD = x_ND[self.rng.permutation(len(x_ND))[: self.cluster_count]]
        for _ in range(self.rounds):
            label_N = _distances(x_ND, centres_KD).argmin(axis=1)
            member_KN = (label_N == np.arange(len(centres_KD))[:, None]) * frames_N
            weight_K = member_KN.sum(axis=1)
            moved_KD = member_KN @ x_ND / np.maximum(weight_K, 1e-9)[:, None]
            empty = weight_K == 0
            moved_KD[empty] = x_ND[self.rng.integers(len(x_ND), size=int(empty.sum()))]
            done = np.linalg.norm(moved_KD - centres_KD, axis=1).sum() < 1e-4
            centres_KD = moved_KD
            if done:
                break
        self.clusters.count = 0
        for k in np.flatnonzero(weight_K):
            of_k = label_N == k
            self.clusters.add(centres_KD[k], t0_N[of_k].min(), t1_N[of_k].max(), frames=weight_K[k])

    def _held_bytes(self) -> int:
        plain = self.details.count + self.clip.count
        return plain * self._slot_bytes() + self.clusters.count * self._slot_bytes(numbers=1)

    def _arrays(self) -> Sequence[Slots]:
        return [self.clusters, self.details, self.clip]


def _distances(a_ND: FloatArray, b_MD: FloatArray) -> FloatArray:
    """Squared Euclidean distances [N, M]."""
    distance: FloatArray = (a_ND**2).sum(1)[:, None] + (b_MD**2).sum(1) - 2 * a_ND @ b_MD.T
    return distance


class PyramidMemoryBank(SlotPolicy):
    """Levels of falling resolution and rising rate; what a full level drops goes down (Huang et al. 2024).

    Every 8th frame enters the top level, every other 4th the middle, the rest the bottom (VideoChat-Online,
    arXiv:2501.00584). A full level gives up the earlier of its two adjacent frames that are most alike, and hands
    it to the level below at that level's resolution; the bottom drops it.

    Checked in `MCG-NJU/VideoChat-Online`, `HierarchicalMemoryBank`. Two defects there are not repeated: what
    comes down into a full middle level pushes nothing on to the bottom, and it is appended at the end, so that
    "adjacent" is no longer adjacent in time. Adapted: resolutions of 256, 64 and 16 tokens become 16, 4 and 1
    bits a dimension (with a scale), as a frame has no grid of tokens here; the levels have equal bytes. With int8
    keys the top level has 8 bits, with signs all levels have one.
    """

    rates = (8, 4, 1)
    bits: tuple[int, ...] = (16, 4, 1)

    def __init__(self, budget_bytes: int, dim: int, seed: int, *, key_codec: KeyCodec = "float16") -> None:
        super().__init__(budget_bytes, dim, seed, key_codec=key_codec)
        most = {"float16": 16, "int8": 8, "signs": 1}[key_codec]
        self.bits = tuple(min(bits, most) for bits in self.bits)
        scale_bytes = SHORT_BYTES if key_codec == "signs" else NUMBER_BYTES
        plain_bytes = span_bytes(key_codec)
        self.level_bytes = [plain_bytes + -(-dim * b // 8) + scale_bytes * (b < 16) for b in self.bits]
        share = budget_bytes // len(self.bits)
        self.capacities = [slots_in(share, each) for each in self.level_bytes]
        self.levels = [
            _Level(capacity, dim, bits) for capacity, bits in zip(self.capacities, self.bits, strict=True)
        ]
        self.seen = 0

    def _see(self, frame_D: FloatArray, time_s: float) -> None:
        level = next(i for i, rate in enumerate(self.rates) if self.seen % rate == 0)
        self._insert(level, frame_D, time_s)
        self.seen += 1

    def _insert(self, level: int, key_D: FloatArray, time_s: float) -> None:
        given_up = self.levels[level].insert(key_D, time_s)
        if given_up is not None and level + 1 < len(self.levels):
            self._insert(level + 1, *given_up)

    def _held_bytes(self) -> int:
        return sum(lv.slots.count * each for lv, each in zip(self.levels, self.level_bytes, strict=True))

    def _arrays(self) -> Sequence[Slots]:
        return [level.slots for level in self.levels]


class _Level:
    """Frames in order of time; the similarity of neighbours is kept for speed (it follows from the keys)."""

    def __init__(self, capacity: int, dim: int, bits: int) -> None:
        self.capacity = capacity
        self.bits = bits
        self.slots = Slots(capacity, dim)
        self._alike = np.zeros(0)  # of slots i and i + 1

    def insert(self, key_D: FloatArray, time_s: float) -> tuple[FloatArray, float] | None:
        """Insert a frame by its time; return the one that was given up for it."""
        given_up = None
        if self.slots.count == self.capacity:
            i = int(np.argmax(self._alike)) if len(self._alike) else 0
            given_up = self.slots.keys_ND[i].copy(), float(self.slots.t0_NS[i, 0])
            self.slots.remove(i)
            self._alike = np.delete(self._alike, min(i, len(self._alike) - 1)) if len(self._alike) else self._alike
            self._compare(i - 1)
        at = int(np.searchsorted(self.slots.t0_NS[:, 0], time_s))
        self.slots.insert(at, quantised(key_D, self.bits), time_s)
        if self.slots.count > 1:
            self._alike = np.insert(self._alike, min(at, len(self._alike)), 0.0)
        self._compare(at - 1)
        self._compare(at)
        return given_up

    def _compare(self, i: int) -> None:
        if 0 <= i < self.slots.count - 1:
            self._alike[i] = cosine(self.slots.keys_ND[i], self.slots.keys_ND[i + 1])


def quantised(key_D: FloatArray, bits: int) -> FloatArray:
    """A key as it is read back from a number of bits a dimension: 16 is float16, 1 a sign, else rounded evenly."""
    if bits >= 16:
        return key_D
    read: FloatArray
    if bits == 1:
        read = np.where(key_D < 0, -1, 1) * np.abs(key_D).mean()
        return read
    steps = 2 ** (bits - 1) - 1
    scale = max(float(np.abs(key_D).max()), 1e-12) / steps
    read = np.rint(key_D / scale) * scale
    return read


class XMem(SlotPolicy):
    """Working memory, from which the most used go to a long-term one that forgets the least used (XMem).

    Cheng and Schwing 2022, arXiv:2207.07115. Every frame reads: a softmax over its 30 best memories adds to their
    usage, and every life grows by one. Every 5th frame enters working memory. With 10 there, all but the first and
    the newest 4 are candidates: the most used for their life become prototypes, the others are lost. Before that,
    long-term memory drops those of least usage for their life, to make room.

    Checked in `hkchengrex/XMem`, `inference/{memory_manager,kv_memory_store,inference_core}.py`. There an element
    is a pixel and 128 of 8,100 candidates become prototypes; here it is a frame, and 1 of 5 does. Not repeated:
    their eviction drops every element that ties with the last one. Potentiation averages the values and leaves the
    keys as they are; a question is matched with keys and cites a time, so no values are held. A slot keeps usage
    and life. Similarity is 10 times the cosine, the scale that their keys and learned shrinkage give.
    """

    memory_every = 5
    working_max = 10
    working_min = 5
    prototypes = 1
    read_best = 30
    sharpness = 10.0

    def __init__(self, budget_bytes: int, dim: int, seed: int, *, key_codec: KeyCodec = "float16") -> None:
        super().__init__(budget_bytes, dim, seed, key_codec=key_codec)
        self._each = self._slot_bytes(numbers=2)
        total = slots_in(budget_bytes, self._each)
        self.working_max = min(self.working_max, max(2, total // 2))
        self.working_min = max(1, min(self.working_min, self.working_max // 2))
        self.capacity = max(0, total - self.working_max)
        self.working = self._slots(self.working_max, numbers=("used", "life"))
        self.long = self._slots(self.capacity, numbers=("used", "life"))
        self.seen = 0

    def _see(self, frame_D: FloatArray, time_s: float) -> None:
        if self.working.count:
            self._read(frame_D)
        if self.seen % self.memory_every == 0:
            self.working.add(frame_D, time_s, time_s, life=1e-7)
            if self.working.count == self.working_max:
                self._consolidate()
        self.seen += 1

    def _read(self, frame_D: FloatArray) -> None:
        scores = self.sharpness * np.concatenate([self.long.keys_ND @ frame_D, self.working.keys_ND @ frame_D])
        best = np.argpartition(-scores, self.read_best)[: self.read_best] if len(scores) > self.read_best else ...
        usage = np.zeros_like(scores)
        usage[best] = np.exp(scores[best] - scores.max())
        usage /= usage.sum()
        for slots, share in ((self.long, usage[: self.long.count]), (self.working, usage[self.long.count :])):
            slots["used"][:] += share
            slots["life"][:] += 1

    def _consolidate(self) -> None:
        candidates = np.arange(1, self.working.count - self.working_min + 1)
        room = min(self.prototypes, len(candidates), self.capacity)
        excess = self.long.count + room - self.capacity
        if excess > 0:
            rate = self.long["used"] / self.long["life"]
            self.long.keep(np.sort(np.argsort(rate, kind="stable")[excess:]))
        rate = self.working["used"][candidates] / self.working["life"][candidates]
        for i in np.sort(candidates[np.argsort(-rate, kind="stable")[:room]]):
            self.long.add(self.working.keys_ND[i], self.working.t0_NS[i, 0], self.working.t1_NS[i, 0], life=1e-7)
        self.working.keep(np.delete(np.arange(self.working.count), candidates))

    def _held_bytes(self) -> int:
        return (self.working.count + self.long.count) * self._each

    def _arrays(self) -> Sequence[Slots]:
        return [self.long, self.working]
