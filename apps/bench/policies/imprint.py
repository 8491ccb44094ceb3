"""Imprint's rule: what recurs, what is recent and what is distinctive stays.

Shapes: N slots.
"""

from __future__ import annotations

import numpy as np

from hippocam.apps.bench.policies.base import FloatArray, KeyCodec, cosine
from hippocam.apps.bench.policies.events import Event, EventSlots


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
