"""A copy of the bank to try things out on, and fixed probes that say what was lost by it.

Sleep never tries anything on the memory itself. It takes a copy of what is held (Replica), merges there, and asks the
probes again (Replay). What costs too much is taken back, here and at no risk.

Shapes: N entries, Q probes, D embedding dimension, S = 4 spans.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.bank import join_spans, joined
from hippocam.memory.codec import rounded
from hippocam.memory.consolidator import Entries
from hippocam.memory.records import Level, Span
from hippocam.stream.records import FloatArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Times = Sequence[tuple[float, float]]

# Spans that one entry keeps, and how long merging may make one: what cites a quarter of an hour cites nothing.
MOST_SPANS, LONGEST_S = 4, 60.0
# An answer counts among the first so many.
FIRST = (1, 5)


@dataclass(slots=True, kw_only=True)
class Held:
    """An entry with vectors, as sleep sees it; fields as in Entry.

    Attributes:
        worth: What the bank says that it is worth now.
        slept: Entries that went into it in earlier sleeps.
    """

    id: int
    stream: str
    key_D: FloatArray
    scene_D: FloatArray
    spans: list[Span]
    utility: float
    strength: float = 1.0
    met: int = 1
    pinned: bool = False
    level: Level = Level.FULL
    text: str = ""
    worth: float = 0.0
    slept: int = 0


class Merge(NamedTuple):
    """Entries that become one.

    Attributes:
        heir: Row of the one that stays: its id, exemplar, labels and words.
        others: Rows of those that go into it.
        key_D: Its key from now on, as it is stored.
        scene_D: The same of its scene.
    """

    heir: int
    others: tuple[int, ...]
    key_D: FloatArray
    scene_D: FloatArray


class _Before(NamedTuple):
    held: Held
    members: list[int]
    column_Q: FloatArray
    right_Q: Bools


class Replica:
    """What is held, with merges that can be taken back.

    Args:
        held: Entries with vectors.
    """

    def __init__(self, held: Sequence[Held]) -> None:
        self.held = list(held)
        self.alive = np.ones(len(held), bool)
        self.members = [[row] for row in range(len(held))]

    def __len__(self) -> int:
        return int(self.alive.sum())

    def streams(self) -> list[tuple[Ints, Entries]]:
        """Rows of each stream that are held still, and what the proposer sees of them."""
        rows: dict[str, list[int]] = {}
        for row in np.flatnonzero(self.alive):
            rows.setdefault(self.held[row].stream, []).append(int(row))
        return [(np.array(rows[stream]), entries_of([self.held[r] for r in rows[stream]])) for stream in sorted(rows)]

    def allowed(self, rows: Sequence[int]) -> bool:
        """Whether rows may become one entry: no time, no pin and no words are lost by it."""
        held = [self.held[row] for row in rows]
        spans = [span for one in held for span in one.spans]
        longest = max(LONGEST_S, *(span.t1_s - span.t0_s for span in spans))
        union = joined(spans)
        return (
            len(set(rows)) == len(rows) > 1
            and all(self.alive[row] for row in rows)
            and len({one.stream for one in held}) == 1
            and sum(one.pinned for one in held) <= 1
            and len({one.text for one in held if one.text}) <= 1
            and len(union) <= MOST_SPANS
            and max(span.t1_s - span.t0_s for span in union) <= longest
        )

    def heir(self, rows: Sequence[int]) -> int:
        """Which of some rows stays: the pinned one, one with words, one with a picture, the worthiest."""

        def rank(row: int) -> tuple[bool, bool, bool, float, int]:
            one = self.held[row]
            return one.pinned, bool(one.text), one.level < Level.VECTORS, one.worth, -one.id

        return max(rows, key=rank)

    def groups(self) -> list[tuple[int, list[int]]]:
        """Each row that others went into, and these."""
        return [
            (int(row), [other for other in self.members[row] if other != row])
            for row in np.flatnonzero(self.alive)
            if len(self.members[row]) > 1
        ]


class Probe(NamedTuple):
    """Something to ask, and where its answer is.

    Attributes:
        kind: "view" of an event that was held out of its key, "question" of somebody, "drawn" (views.py).
        stream: Of the answer.
        times: Start and end of each stretch that answers it.
        vector_D: Of length 1.
        found: What was found when it was first asked, as bits of FIRST; None where it never was.
        id: In the store; None for a drawn one.
    """

    kind: str
    stream: str
    times: Times
    vector_D: FloatArray
    found: int | None = None
    id: int | None = None


class Replay:
    """The probes against a replica. Those that nothing held answers are left out.

    Args:
        replica: What is asked.
        probes: With what.
        key_weight: Share of the key's cosine for a question, as in RecallConfig; a view is compared with keys alone.
    """

    def __init__(self, replica: Replica, probes: Sequence[Probe], *, key_weight: float = 0.5) -> None:
        self.replica = replica
        held, self._weight = replica.held, np.float32(key_weight)
        times = _padded([_times(one) for one in held])
        streams = np.array([one.stream for one in held])
        right = [(streams == probe.stream) & _overlap(times, probe.times) for probe in probes]
        self.probes = [probe for probe, own_N in zip(probes, right, strict=True) if own_N.any()]
        self._right_QN = np.array([own_N for own_N in right if own_N.any()], bool).reshape(-1, len(held))
        dim = len(held[0].key_D) if held else 0
        self._asked_QD = np.array([probe.vector_D for probe in self.probes], np.float32).reshape(-1, dim)
        self._plain_Q = np.array([probe.kind == "question" for probe in self.probes], bool)
        keys = np.array([one.key_D for one in held], np.float32).reshape(-1, dim)
        scenes = np.array([one.scene_D for one in held], np.float32).reshape(-1, dim)
        self._score_QN = self._asked_QD @ keys.T
        if self._plain_Q.any():
            rows = self._weight * keys + (1 - self._weight) * scenes
            self._score_QN[self._plain_Q] = self._asked_QD[self._plain_Q] @ rows.T
        self._kinds = {kind: np.array([p.kind == kind for p in self.probes]) for kind in {p.kind for p in self.probes}}
        self.now = self.hits()
        bits = np.array([-1 if p.found is None else p.found for p in self.probes], np.int64)
        self.before = {
            first: np.where(bits < 0, self.now[first], bits >> place & 1 > 0) for place, first in enumerate(FIRST)
        }
        self._bests()

    def hits(self) -> dict[int, Bools]:
        """Which probes find their answer among the first so many."""
        score = np.where(self.replica.alive, self._score_QN, -np.inf)
        best_Q = np.where(self._right_QN, score, -np.inf).max(axis=1, initial=-np.inf)
        above_Q = ((score >= best_Q[:, None]) & ~self._right_QN & self.replica.alive).sum(axis=1)
        return {first: above_Q < first for first in FIRST}

    def recall(self, hits: dict[int, Bools]) -> dict[int, float]:
        """Share of the probes that found their answer, by how many of the first count; 1 without a probe."""
        return {first: float(found.mean()) if len(found) else 1.0 for first, found in hits.items()}

    def holds(self, max_loss: float) -> bool:
        """Ask again; whether of no kind of probes so large a share more is lost than was found, since the start."""
        self.now = self.hits()
        for chosen in self._kinds.values():
            for first in FIRST:
                lost = int(self.before[first][chosen].sum()) - int(self.now[first][chosen].sum())
                if lost > max_loss * int(chosen.sum()) + 1e-9:
                    return False
        return True

    # trying out -----------------------------------------------------------------------------------------

    def merge(self, merge: Merge) -> _Before:
        """Try a merge out; what is needed to take it back."""
        replica, heir = self.replica, merge.heir
        one = replica.held[heir]
        before = _Before(one, replica.members[heir], self._score_QN[:, heir].copy(), self._right_QN[:, heir].copy())
        others = [replica.held[row] for row in merge.others]
        spans = join_spans([span for each in (one, *others) for span in each.spans])
        replica.held[heir] = Held(
            id=one.id,
            stream=one.stream,
            key_D=merge.key_D,
            scene_D=merge.scene_D,
            spans=spans,
            utility=one.utility,
            strength=max(each.strength for each in (one, *others)),
            met=sum(each.met for each in (one, *others)),
            pinned=one.pinned,
            level=one.level,
            text=one.text,
            worth=one.worth,
            slept=one.slept + sum(1 + each.slept for each in others),
        )
        replica.alive[list(merge.others)] = False
        replica.members[heir] = [*replica.members[heir], *(m for row in merge.others for m in replica.members[row])]
        self._score_QN[:, heir] = self._scores(merge.key_D, merge.scene_D)
        self._right_QN[:, heir] |= self._right_QN[:, list(merge.others)].any(axis=1)
        return before

    def take_back(self, merge: Merge, before: _Before) -> None:
        """Undo a merge; the last one first."""
        replica, heir = self.replica, merge.heir
        replica.held[heir], replica.members[heir] = before.held, before.members
        replica.alive[list(merge.others)] = True
        self._score_QN[:, heir], self._right_QN[:, heir] = before.column_Q, before.right_Q

    def choose(self, rows: Sequence[int], key_D: FloatArray, scene_D: FloatArray) -> Merge:
        """A merge of some rows with the key that does better on the probes: that of the heir, or the merged one."""
        heir = self.replica.heir(rows)
        one = self.replica.held[heir]
        others = tuple(row for row in rows if row != heir)
        own = Merge(heir, others, one.key_D, one.scene_D)
        new = Merge(heir, others, rounded(key_D), rounded(scene_D))
        ours_Q = self._right_QN[:, list(rows)].any(axis=1)
        keys = np.stack([self.replica.held[row].key_D for row in rows])

        def good(merge: Merge) -> tuple[int, float]:
            score_Q = self._scores(merge.key_D, merge.scene_D)
            found = (score_Q > self._wrong_Q) & ours_Q
            in_the_way = (score_Q >= self._right_Q) & (self._right_Q > self._wrong_Q) & ~ours_Q
            return int(found.sum()) - int(in_the_way.sum()), float((keys @ merge.key_D).sum())

        return max(own, new, key=good)

    def settle(self) -> None:
        """What was tried out stays: later keys are measured against it."""
        self._bests()

    def _bests(self) -> None:
        """The best right and wrong score of each probe."""
        score = np.where(self.replica.alive, self._score_QN, -np.inf)
        self._right_Q = np.where(self._right_QN, score, -np.inf).max(axis=1, initial=-np.inf)
        self._wrong_Q = np.where(self._right_QN, -np.inf, score).max(axis=1, initial=-np.inf)

    def _scores(self, key_D: FloatArray, scene_D: FloatArray) -> FloatArray:
        score_Q = self._asked_QD @ key_D
        if self._plain_Q.any():
            row = self._weight * key_D + (1 - self._weight) * scene_D
            score_Q[self._plain_Q] = self._asked_QD[self._plain_Q] @ row
        return score_Q


def entries_of(held: Sequence[Held]) -> Entries:
    """What the proposer sees of entries."""
    return Entries(
        keys_ND=np.stack([one.key_D for one in held]),
        scenes_ND=np.stack([one.scene_D for one in held]),
        spans_NS2=_padded([_times(one) for one in held]),
        utility_N=np.array([one.utility for one in held]),
        strength_N=np.array([one.strength for one in held]),
        met_N=np.array([one.met for one in held], np.int64),
        level_N=np.array([one.level for one in held], np.int64),
        pinned_N=np.array([one.pinned for one in held], bool),
    )


def _times(held: Held) -> Times:
    return [(span.t0_s, span.t1_s) for span in held.spans]


def _padded(times: Sequence[Times]) -> NDArray[np.float64]:
    """Spans of N entries as [N, S, 2], NaN where there is none."""
    spans = np.full((len(times), MOST_SPANS, 2), np.nan)
    for row, each in enumerate(times):
        spans[row, : len(each)] = each
    return spans


def _overlap(spans_NS2: NDArray[np.float64], times: Times) -> Bools:
    """Which entries have a span that overlaps one of these times."""
    found = np.zeros(len(spans_NS2), bool)
    for t0_s, t1_s in times:
        start, end = spans_NS2[..., 0], spans_NS2[..., 1]
        both = np.minimum(end, t1_s) > np.maximum(start, t0_s)
        inside = (start >= t0_s) & (end <= t1_s) | (start <= t0_s) & (end >= t1_s)  # where one of them is an instant
        found |= (both | inside & (t1_s - t0_s <= 0) | inside & (end - start <= 0)).any(axis=1)
    return found
