"""Rules that cut the stream where it surprises, and keep events: a queue, EM-LLM, SelectStream, Imprint, surprise.

Shapes: L frames of an event. The cut is one for all: surprise is 1 - cosine to the recent mean of the open
event, and an event ends where surprise exceeds mean + gamma standard deviations of its recent values (the
threshold of EM-LLM, Fountas et al. 2024, arXiv:2407.09450, there on -log p of a token). With gamma 0.5 and 3
frames at least, it finds most short bursts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hippocam.apps.bench.policies.base import (
    NUMBER_BYTES,
    SPAN_BYTES,
    FloatArray,
    KeyCodec,
    SlotPolicy,
    Slots,
    cosine,
    half,
    slots_in,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A piece of the stream that was cut out.

    Attributes:
        mean_D: Mean of its frames.
        residual_D: The mean less its projection on the background: what is new.
        t0_s: Time of its first frame.
        t1_s: Time of its last frame.
        frames: How many.
    """

    mean_D: FloatArray
    residual_D: FloatArray
    t0_s: float
    t1_s: float
    frames: int

    @property
    def surprise(self) -> float:
        """Length of the residual."""
        return float(np.linalg.norm(self.residual_D))


class Segmenter:
    """Cuts a stream into events at surprise, and tells what is new in each.

    Holds three vectors (the open event's mean, its recent mean, a slow background) and the surprise's mean and
    variance; all means forget exponentially.

    Args:
        dim: Length D of a frame's vector.
        gamma: Standard deviations above the mean surprise at which an event ends.
        shortest: Fewest frames of an event.
        longest: Most frames of an event.
        recent: Frames of the open event that the next one is compared with.
        history: Frames that the surprise's mean and variance look back on.
    """

    def __init__(
        self,
        dim: int,
        *,
        gamma: float = 0.5,
        shortest: int = 3,
        longest: int = 64,
        recent: int = 8,
        history: int = 128,
    ) -> None:
        self.gamma, self.shortest, self.longest = gamma, shortest, longest
        self.recent, self.history = recent, history
        self.bytes = 3 * 2 * dim + SPAN_BYTES + 4 * NUMBER_BYTES
        self._mean_D = self._near_D = np.zeros(dim, dtype=np.float32)
        self._background_D: FloatArray | None = None
        self._frames = self._surprises = 0
        self._mean = self._variance = 0.0  # of the surprise
        self._t0_s = self._t1_s = 0.0

    def push(self, frame_D: FloatArray, time_s: float) -> Event | None:
        """See the next frame; returns the event that it ends, if it does."""
        ended = None
        if self._frames:
            surprise = 1 - float(cosine(frame_D, self._near_D))
            if self._frames >= self.longest or (self._judge(surprise) and self._frames >= self.shortest):
                ended = self.close()
        if not self._frames:
            self._t0_s = time_s
        self._t1_s = time_s
        self._frames += 1
        if self._frames == 1:
            self._mean_D = self._near_D = half(frame_D)
        else:
            self._mean_D = half(self._mean_D + (frame_D - self._mean_D) / self._frames)
            self._near_D = half(self._near_D + (frame_D - self._near_D) / min(self._frames, self.recent))
        return ended

    def close(self) -> Event | None:
        """End the open event, if there is one."""
        if not self._frames:
            return None
        mean_D = self._mean_D
        back_D = mean_D if self._background_D is None else self._background_D
        event = Event(
            mean_D=mean_D,
            residual_D=mean_D - back_D * (float(mean_D @ back_D) / max(float(back_D @ back_D), 1e-12)),
            t0_s=self._t0_s,
            t1_s=self._t1_s,
            frames=self._frames,
        )
        fresh = self._background_D is None or self._frames > 16
        self._background_D = mean_D if fresh else half(0.8 * back_D + 0.2 * mean_D)
        self._frames = 0
        return event

    def _judge(self, surprise: float) -> bool:
        """Whether a surprise ends an event, judged by the recent surprises."""
        self._surprises += 1
        rate = 1 / min(self._surprises, self.history)
        off = surprise - self._mean
        self._mean += rate * off
        self._variance = (1 - rate) * (self._variance + rate * off * off)
        return surprise > self._mean + self.gamma * math.sqrt(self._variance)


class EventSlots(SlotPolicy):
    """Keeps events in slots; subclasses say what a new one does.

    Args:
        budget_bytes: As for every rule.
        dim: As for every rule.
        seed: As for every rule.
        key_codec: As for every rule.
        longest: Most frames of an event; 1 where each frame is an event that was cut before.
    """

    numbers: tuple[str, ...] = ()
    spans = 1
    gamma = 0.5
    shortest = 3

    def __init__(
        self, budget_bytes: int, dim: int, seed: int, *, key_codec: KeyCodec = "float16", longest: int = 64
    ) -> None:
        super().__init__(budget_bytes, dim, seed, key_codec=key_codec)
        self._each = self._slot_bytes(len(self.numbers), self.spans)
        self.segmenter = Segmenter(dim, gamma=self.gamma, shortest=self.shortest, longest=longest)
        self.capacity = slots_in(budget_bytes - self.segmenter.bytes, self._each)
        self.slots = self._slots(self.capacity, numbers=self.numbers, spans=self.spans)

    def finish(self) -> None:
        """Close the open event."""
        if (event := self.segmenter.close()) is not None:
            self._store(event)

    def _see(self, frame_D: FloatArray, time_s: float) -> None:
        if (event := self.segmenter.push(frame_D, time_s)) is not None:
            self._store(event)

    def _store(self, event: Event) -> None:
        raise NotImplementedError

    def _held_bytes(self) -> int:
        return self.segmenter.bytes + self.slots.count * self._each

    def _arrays(self) -> Sequence[Slots]:
        return [self.slots]


class FifoEvents(EventSlots):
    """The last events, each as the mean of its frames."""

    def _store(self, event: Event) -> None:
        if self.slots.count == self.capacity:
            self.slots.remove(0)
        self.slots.add(event.mean_D, event.t0_s, event.t1_s)


class EmLlm(FifoEvents):
    """Events cut at surprise, the oldest forgotten: EM-LLM (Fountas et al. 2024, arXiv:2407.09450), variant S.

    This is the variant that its released configs run (gamma 1.0, no refinement). Checked in forks of
    `em-llm/EM-LLM-model` (the authors' own is not in the index): config, `context_manager.py`. Adapted: surprise
    as above; 4 to 64 frames an event instead of 8 to 128 tokens; an event's key is the mean of its frames, not
    of the 4 tokens that attention chose; events are kept while the budget lasts (theirs go to disk, all).
    Contiguous events are not fetched along: a question here gets five slots, whatever the rule.
    """

    gamma = 1.0
    shortest = 4


class EmLlmRefined(SlotPolicy):
    """EM-LLM, variant SM: after the cut, an event's end moves back to where modularity is greatest.

    The graph has the cosines of the event's frames, of half as many before it and, as far as the next cut allows,
    after it; the end moves to the best split into before and after (Newman and Girvan), no further back than the
    shortest event. Checked in a fork's `em_llm/attention/similarity_refinement/`. The frames of the open event and
    the end of the last are held for it, and count, so that fewer events fit.
    """

    gamma = EmLlm.gamma
    shortest = EmLlm.shortest
    longest = 64

    def __init__(self, budget_bytes: int, dim: int, seed: int, *, key_codec: KeyCodec = "float16") -> None:
        super().__init__(budget_bytes, dim, seed, key_codec=key_codec)
        self._each = self._slot_bytes()
        self.capacity = slots_in(budget_bytes, self._each)
        self.longest = max(self.shortest + 1, min(self.longest, self.capacity // 6))
        self.segmenter = Segmenter(dim, gamma=self.gamma, shortest=self.shortest, longest=self.longest)
        most = (3 * self._each + self._key_bytes) * self.longest  # open, waiting for its bound, and before
        slots_in(budget_bytes - self.segmenter.bytes - most, self._each)
        self.slots = self._slots(self.capacity)
        self._open = self._slots(4 * self.longest)
        self._bound: int | None = None  # frames of the open event before the surprise
        self._before_LD: FloatArray = np.zeros((0, dim), dtype=np.float32)

    def finish(self) -> None:
        """Close the open event."""
        if self._bound is not None:
            self._settle(self._bound)
        self._store(self._open.count)

    def _see(self, frame_D: FloatArray, time_s: float) -> None:
        if self.segmenter.push(frame_D, time_s) is not None:
            if self._bound is not None:
                self._settle(self._bound)
            self._bound = self._open.count
        self._open.add(frame_D, time_s, time_s)
        if self._bound is not None and self._open.count - self._bound >= self._bound // 2:
            self._settle(self._bound)
        while self.slots.count and self._held_bytes() > self.budget_bytes:
            self.slots.remove(0)

    def _settle(self, bound: int) -> None:
        """Move the bound to the best frame at or before it, and store the frames before that."""
        before_LD = self._before_LD[max(0, len(self._before_LD) - bound // 2) :]
        frames_LD = np.concatenate([before_LD, self._open.keys_ND])
        first = min(bound, max(self.shortest, self._open.count - self.longest))
        gain = modularity(np.maximum(frames_LD @ frames_LD.T, 0))[len(before_LD) + first :][: bound - first + 1]
        self._store(first + int(np.argmax(gain)))
        self._bound = None

    def _store(self, length: int) -> None:
        if self.slots.count == self.capacity:
            self.slots.remove(0)
        frames_LD = self._open.keys_ND[:length]
        self.slots.add(frames_LD.mean(axis=0), self._open.t0_NS[0, 0], self._open.t1_NS[length - 1, 0])
        self._before_LD = frames_LD[length // 2 :].copy()
        self._open.keep(np.arange(length, self._open.count))

    def _held_bytes(self) -> int:
        frames = self._open.count * self._each + len(self._before_LD) * self._key_bytes
        return self.segmenter.bytes + frames + self.slots.count * self._each

    def _arrays(self) -> Sequence[Slots]:
        return [self.slots]


def modularity(graph_LL: FloatArray) -> FloatArray:
    """Modularity of cutting a weighted graph before node p, for p = 0 ... L - 1 (Newman and Girvan 2004).

    The sum over both parts of their inner weight less what their degrees would give, over the whole weight.
    """
    degree_L = graph_LL.sum(axis=1)
    whole = max(float(degree_L.sum()), 1e-12)
    first = np.concatenate([[0.0], np.cumsum(degree_L)[:-1]])
    inside = np.diag(np.cumsum(np.cumsum(graph_LL, axis=0), axis=1))
    within = np.concatenate([[0.0], inside[:-1]])
    across = first - within
    found: FloatArray = (whole - 2 * across - (first**2 + (whole - first) ** 2) / whole) / whole
    return found


class SelectStream(EventSlots):
    """Similar and dull events update a slot; one too many merges the pair that loses least (SelectStream).

    Ge et al. 2026, arXiv:2606.16353. An event joins the slot most like it if their cosine exceeds 0.75 and its
    surprise is under 0.35, else it takes a new slot. When there is one too many, the pair with the least
    (1 - similarity) / 2 + 0.5 surprise + 0.25 reads + 0.25 recency becomes one, each of the last three the mean of
    the pair over its greatest value in memory; keys are averaged by their number of writes, to unit length.

    Checked in `Haonan-Ge/selectstream`, `main/model/lvm_memory.py` (thresholds and weights from its configs).
    Adapted: their gated write needs training, so an update is the mean by number of writes; events are cut as
    for the other rules here (its own windows of 8 frames and more, with a smoothed surprise, recall a quarter of
    that on short bursts). No question comes before the end, so the reads are zero. A slot keeps surprise and
    writes.
    """

    numbers = ("surprise", "writes")
    alike_min = 0.75
    surprise_max = 0.35
    weights = (1.0, 0.5, 0.25)

    def _store(self, event: Event) -> None:
        key_D, surprise = event.mean_D / max(float(np.linalg.norm(event.mean_D)), 1e-12), event.surprise
        i = self.slots.add(key_D, event.t0_s, event.t1_s, surprise=surprise, writes=1)
        if i:
            alike = cosine(self.slots.keys_ND[:i], key_D)
            best = int(np.argmax(alike))
            if alike[best] > self.alike_min and surprise < self.surprise_max:
                self._merge(best, i)
        if self.slots.count > self.capacity:
            self._merge(*self._cheapest())

    def _cheapest(self) -> tuple[int, int]:
        unit_ND = self.slots.keys_ND
        surprise = self.slots["surprise"] / max(float(self.slots["surprise"].max()), 1e-6)
        recency = self.slots.t1_NS[:, 0] - self.slots.t1_NS[:, 0].min()
        recency = recency / max(float(recency.max()), 1e-6)
        by_alike, by_surprise, by_recency = self.weights
        own = (by_surprise * surprise + by_recency * recency) / 2
        penalty = by_alike * (1 - unit_ND @ unit_ND.T) / 2 + own[:, None] + own
        penalty[np.tril_indices(len(penalty))] = np.inf
        i, j = np.unravel_index(int(np.argmin(penalty)), penalty.shape)
        return int(i), int(j)

    def _merge(self, i: int, j: int) -> None:
        writes, surprise = self.slots["writes"], self.slots["surprise"]
        a, b = float(writes[i]), float(writes[j])
        mixed = (a * float(surprise[i]) + b * float(surprise[j])) / (a + b)
        self.slots.merge(i, j, (a, b))
        key_D = self.slots.keys_ND[i]
        key_D[:] = self.slots.stored(key_D / max(float(np.linalg.norm(key_D)), 1e-12))
        self.slots["writes"][i], self.slots["surprise"][i] = a + b, mixed


class Surprise(EventSlots):
    """The most surprising events; the same thing again only updates its slot. A heuristic of our own.

    An event's key is its residual on the background. If a slot is nearer than cosine 0.62, it is the same thing:
    the key becomes the mean, the second span this event's, the surprise the greater of both and 2 % more. Else
    it takes a new slot, and with one too many the least surprising goes. A slot keeps two spans (first and
    latest), a count and the surprise.
    """

    numbers = ("count", "surprise")
    spans = 2
    same_min = 0.62

    def _store(self, event: Event) -> None:
        key_D = event.residual_D / max(event.surprise, 1e-12)
        if self.slots.count:
            alike = cosine(self.slots.keys_ND, key_D)
            i = int(np.argmax(alike))
            if alike[i] > self.same_min:
                self._update(i, key_D, event)
                return
        self.slots.add(key_D, event.t0_s, event.t1_s, count=1, surprise=event.surprise)
        if self.slots.count > self.capacity:
            self.slots.remove(int(np.argmin(self.slots["surprise"])))

    def _update(self, i: int, key_D: FloatArray, event: Event) -> None:
        count, surprise = float(self.slots["count"][i]), float(self.slots["surprise"][i])
        first = float(self.slots.t0_NS[i, 0]), float(self.slots.t1_NS[i, 0])
        mean_D = (count * self.slots.keys_ND[i] + key_D) / (count + 1)
        self.slots.write(i, mean_D, *first, count=count + 1, surprise=max(event.surprise, surprise) * 1.02)
        self.slots.t0_NS[i, 1], self.slots.t1_NS[i, 1] = event.t0_s, event.t1_s


class Imprint(EventSlots):
    """Records of events, of which the one with the least recurrence, recency and distinctiveness goes.

    Imprint 2026, arXiv:2607.00696. A record that an event is like recurs: it counts the event and takes its
    time as the latest. With one too many, the record goes for which the sum of three is least: the logarithm of
    its count over the greatest, its time over the stream's, and one less its cosine with the record most like it.

    Adapted from the paper's summary, since neither its text nor its code could be read: the three weigh alike;
    records are events and not the words of a language model; an event is like a record from the cosine of 0.75
    that SelectStream has. A slot keeps two spans (first and latest) and a count.
    """

    numbers = ("count",)
    spans = 2
    alike_min = 0.75

    def __init__(
        self, budget_bytes: int, dim: int, seed: int, *, key_codec: KeyCodec = "float16", longest: int = 64
    ):
        super().__init__(budget_bytes, dim, seed, key_codec=key_codec, longest=longest)
        # the nearest of the others and its cosine follow from the keys: held for speed, not counted
        self._nearest = np.full(self.capacity + 1, -1)
        self._alike = np.full(self.capacity + 1, -1.0)

    def _store(self, event: Event) -> None:
        key_D = event.mean_D / max(float(np.linalg.norm(event.mean_D)), 1e-12)
        if self.slots.count:
            alike_N = cosine(self.slots.keys_ND, key_D)
            best = int(np.argmax(alike_N))
            if alike_N[best] > self.alike_min:
                self.slots.writes += 1
                self.slots["count"][best] += 1
                self.slots.t0_NS[best, 1], self.slots.t1_NS[best, 1] = event.t0_s, event.t1_s
                return
        at = self.slots.add(key_D, event.t0_s, event.t1_s, count=1)
        self._find_nearest(at)
        if at:
            alike_N = cosine(self.slots.keys_ND[:at], self.slots.keys_ND[at])
            nearer = alike_N > self._alike[:at]
            self._nearest[:at][nearer], self._alike[:at][nearer] = at, alike_N[nearer]
        if self.slots.count > self.capacity:
            self._give_up(int(np.argmin(self._scores())))

    def _scores(self) -> FloatArray:
        count_N = np.log1p(self.slots["count"])
        latest_N = np.nanmax(self.slots.t1_NS, axis=1)
        span_s = max(float(latest_N.max() - np.nanmin(self.slots.t0_NS)), 1e-9)
        recency_N = 1 - (latest_N.max() - latest_N) / span_s
        scores: FloatArray = count_N / count_N.max() + recency_N + 1 - self._alike[: self.slots.count]
        return scores

    def _give_up(self, gone: int) -> None:
        self.slots.remove(gone)
        for column in (self._nearest, self._alike):
            column[gone : self.slots.count] = column[gone + 1 : self.slots.count + 1]
        nearest_N = self._nearest[: self.slots.count]
        widowed = np.flatnonzero(nearest_N == gone)
        nearest_N[nearest_N > gone] -= 1
        for row in widowed:
            self._find_nearest(int(row))

    def _find_nearest(self, row: int) -> None:
        self._nearest[row], self._alike[row] = -1, -1.0
        if self.slots.count > 1:
            alike_N = cosine(self.slots.keys_ND, self.slots.keys_ND[row])
            alike_N[row] = -2
            self._nearest[row] = int(np.argmax(alike_N))
            self._alike[row] = alike_N[self._nearest[row]]
