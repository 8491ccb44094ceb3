"""A copy of the bank to try things out on, and fixed probes that say what was lost by them.

Sleep never tries anything on the memory itself. It copies what is held (Replica), reduces vectors and merges
there, and asks the probes again (Replay). What costs too much is taken back on the copy, at no risk.

Shapes: N entries, Q probes, D embedding dimension, S = 4 spans.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.bank.codes import Code, Signs
from hippocam.memory.bank.ladder import BLOCK_BYTES, ROW_BYTES
from hippocam.memory.codec import rounded
from hippocam.memory.records import Held, Level
from hippocam.memory.sleep.views import recallable
from hippocam.memory.sleep.windows import EntryFeatures
from hippocam.memory.spans import MAX_SPANS, union_of
from hippocam.memory.store.probes import Probe, Times
from hippocam.memory.stress import stressed, to_reduce
from hippocam.memory.working.context import unit
from hippocam.stream.records import FloatArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# The longest span that merging may make: a citation of a quarter of an hour cites nothing.
LONGEST_S = 60.0
# Least mass: with none, an entry that is never found could be merged into anything.
LEAST_MASS = 0.02
# How many first answers count.
FIRST = (1, 5)


class Merge(NamedTuple):
    """Entries that become one.

    Attributes:
        heir: Row of the one that stays: its id, exemplar, labels and words.
        others: Rows of those that go into it.
        key_D: Its key from now on, as it will be stored; None where it keeps its own vectors.
        scene_D: Its scene from now on, likewise.
    """

    heir: int
    others: tuple[int, ...]
    key_D: FloatArray | None
    scene_D: FloatArray | None


def united(heir: Held, others: Sequence[Held], key_D: FloatArray | None, scene_D: FloatArray | None) -> Held:
    """Make one entry of several, with all their times and meetings and the heir's evidence.

    Where the vectors are new, they rest on the latest of all frames, and the first span says so: before that, the
    entry was not known. If they were in several places, its place is not known.
    """
    every = (heir, *others)
    spans = union_of([span for one in every for span in one.spans])
    if key_D is not None:
        spans[0] = replace(spans[0], known_s=max(span.known_s for span in spans))
    return replace(
        heir,
        key_D=heir.key_D if key_D is None else key_D,
        scene_D=heir.scene_D if scene_D is None else scene_D,
        spans=tuple(spans),
        strength=max(one.strength for one in every),
        met=sum(one.met for one in every),
        place=heir.place if len({one.place for one in every}) == 1 else 0,
        slept=heir.slept + sum(1 + one.slept for one in others),
        mass=sum(one.mass for one in every),
    )


def reduced(one: Held, code: Code) -> Held:
    """An entry whose vectors are reduced."""
    key_D, scene_D = map(
        code.reduced, to_reduce(one.key_D, one.scene_D, as_searched=code.as_searched, as_one=False)
    )
    return replace(one, key_D=key_D, scene_D=scene_D, level=Level.SIGNS)


class Replica:
    """What is held, with changes that can be taken back.

    Args:
        held: Entries with vectors.
        code: What vectors are reduced to; None for signs.
    """

    def __init__(self, held: Sequence[Held], code: Code | None = None) -> None:
        self.held = list(held)
        self.code = code or Signs(len(held[0].key_D) if held else 0)
        self.alive = np.ones(len(held), bool)
        self.members = [[row] for row in range(len(held))]
        self._whole_bytes = ROW_BYTES + 2 * (len(held[0].key_D) + 4) if held else 1

    def __len__(self) -> int:
        return int(self.alive.sum())

    def bytes_of(self, row: int) -> int:
        """About how many bytes an entry takes on the disk, without its words."""
        one = self.held[row]
        return one.picture_bytes + (self._whole_bytes if one.level < Level.SIGNS else self._reduced_bytes(row))

    def freed_by_reducing(self, row: int) -> int:
        """How many of them an entry without a picture gives up where its vectors are reduced."""
        return self.bytes_of(row) - self._reduced_bytes(row)

    def freed_by_merging(self, rows: Sequence[int]) -> int:
        """How many of them go when entries become one."""
        return sum(self.bytes_of(row) for row in rows) - self.bytes_of(self.heir(rows))

    def _reduced_bytes(self, row: int) -> int:
        one = self.held[row]
        return (ROW_BYTES if one.text else BLOCK_BYTES) + 2 * self.code.size

    @property
    def bytes(self) -> int:
        """What all entries take, counted like that."""
        return sum(self.bytes_of(int(row)) for row in np.flatnonzero(self.alive))

    def surplus(self, target: float) -> int:
        """Bytes by which what is held exceeds a share of what it would take had no sleep touched any of it.

        They are those of whole entries: what is less than one is no surplus.
        """
        held = [self.held[row] for row in np.flatnonzero(self.alive)]
        count = sum(1 + one.slept for one in held)
        ever = sum((1 + one.slept) * (one.picture_bytes + self._whole_bytes) for one in held)
        entries = int((self.bytes - target * ever) * count / ever + 1e-9) if held else 0
        return max(0, entries) * ever // count if held else 0

    def reducible(self) -> list[int]:
        """Rows of the entries whose vectors may be reduced: they are neither pinned nor have a picture."""
        alive = (int(row) for row in np.flatnonzero(self.alive))
        return [row for row in alive if self.held[row].level == Level.VECTORS and not self.held[row].pinned]

    def streams(self) -> list[tuple[Ints, EntryFeatures]]:
        """Rows of each stream that are still held, and what the proposer sees of them."""
        rows: dict[str, list[int]] = {}
        for row in np.flatnonzero(self.alive):
            rows.setdefault(self.held[row].stream, []).append(int(row))
        return [(np.array(rows[name]), entries_of([self.held[r] for r in rows[name]])) for name in sorted(rows)]

    def allowed(self, rows: Sequence[int]) -> bool:
        """Whether rows may become one entry without losing a time, a pin or words."""
        if not len(set(rows)) == len(rows) > 1 or not all(self.alive[row] for row in rows):
            return False
        held = [self.held[row] for row in rows]
        if len({one.stream for one in held}) > 1 or sum(one.pinned for one in held) > 1:
            return False
        if len({one.text for one in held if one.text}) > 1:
            return False
        spans = [span for one in held for span in one.spans]
        union = union_of(spans)
        longest = max(LONGEST_S, *(span.t1_s - span.t0_s for span in spans))
        return len(union) <= MAX_SPANS and max(span.t1_s - span.t0_s for span in union) <= longest

    def heir(self, rows: Sequence[int]) -> int:
        """Which of some rows stays: the pinned one, else one with words, with a picture, the worthiest."""

        def rank(row: int) -> tuple[bool, bool, bool, bool, float, int]:
            one = self.held[row]
            whole = one.level < Level.SIGNS
            return one.pinned, bool(one.text), one.level < Level.VECTORS, whole, one.worth, -one.id

        return max(rows, key=rank)

    def groups(self) -> list[tuple[int, list[int]]]:
        """Each row into which others were merged, with those others."""
        found = ((int(row), self.members[row]) for row in np.flatnonzero(self.alive))
        return [(row, [other for other in members if other != row]) for row, members in found if len(members) > 1]

    def alone(self) -> list[int]:
        """Rows that are held and into which nothing was merged."""
        return [int(row) for row in np.flatnonzero(self.alive) if len(self.members[row]) == 1]


class Before(NamedTuple):
    """What was replaced when something was tried out: of rows that it changed, and of those it merged away."""

    rows: Sequence[int]
    merged: Sequence[int]
    held: list[Held]
    members: list[list[int]]
    score_QM: FloatArray
    right_QM: Bools
    found: dict[int, Bools]
    best_right_Q: FloatArray
    best_wrong_Q: FloatArray


class Replay:
    """Asks the probes of a replica; those that nothing in it answers are left out.

    Args:
        replica: What is asked.
        probes: What it is asked.
        key_weight: As in RecallConfig, where a question is compared with an entry; a view is compared with keys
            alone.
    """

    def __init__(self, replica: Replica, probes: Sequence[Probe], *, key_weight: float = 1.0) -> None:
        self.replica = replica
        held, self._key_weight = replica.held, key_weight
        times = _padded([_times(one) for one in held])
        streams = np.array([one.stream for one in held], object)
        asked_for = [(probe.stream, tuple((t0_s, t1_s) for t0_s, t1_s in probe.times)) for probe in probes]
        rows = {
            key: (streams == key[0]) & _overlap(times, key[1]) for key in set(asked_for)
        }  # many ask for the same
        right = [rows[key] for key in asked_for]
        self.probes = [probe for probe, own_N in zip(probes, right, strict=True) if own_N.any()]
        count, dim = len(held), len(held[0].key_D) if held else 0
        asked = len(self.probes)
        self._right_QN = np.array([own_N for own_N in right if own_N.any()], bool).reshape(asked, count)
        self._asked_QD = np.array([probe.vector_D for probe in self.probes], np.float32).reshape(asked, dim)
        self._plain_Q = np.array([probe.kind == "question" for probe in self.probes], bool)
        keys = np.array([one.key_D for one in held], np.float32).reshape(count, dim)
        scenes = np.array([one.scene_D for one in held], np.float32).reshape(count, dim)
        self._score_QN = self._scores(keys, scenes)
        kinds = sorted({probe.kind for probe in self.probes})
        self._kinds = [np.array([probe.kind == kind for probe in self.probes]) for kind in kinds]
        every = np.arange(len(self.probes))
        self.found = {first: np.zeros(len(every), bool) for first in FIRST}
        self._best_right_Q = self._best_wrong_Q = np.zeros(len(every), np.float32)
        self._ask(every)
        bits = np.array([-1 if probe.found is None else probe.found for probe in self.probes], np.int64)
        self.before = {
            first: np.where(bits < 0, self.found[first], (bits >> bit) & 1 > 0) for bit, first in enumerate(FIRST)
        }

    def weigh(self) -> None:
        """Give each entry the mass that follows from how often its views are found."""
        held = self.replica.held
        asked, row = np.nonzero(self._right_QN)
        plain = ~self._plain_Q[asked]
        utility = np.array([one.utility for one in held])
        mass = recallable(utility, utility[row[plain]], self.found[1][asked[plain]])
        for index, one in enumerate(held):
            held[index] = replace(one, mass=float(max(mass[index], LEAST_MASS)) * (1 + one.slept))

    def recall(self, found: dict[int, Bools]) -> dict[int, float]:
        """Share of probes that found their answer, by how many first answers count; 1 without a probe."""
        return {first: float(hits.mean()) if len(hits) else 1.0 for first, hits in found.items()}

    def holds(self, max_loss: float) -> bool:
        """Whether no kind of probes has lost, since the start, more than this share net of what it gained."""
        for chosen in self._kinds:
            for first in FIRST:
                lost = int(self.before[first][chosen].sum()) - int(self.found[first][chosen].sum())
                if lost > max_loss * int(chosen.sum()) + 1e-9:
                    return False
        return True

    def choose(self, rows: Sequence[int], key_D: FloatArray, scene_D: FloatArray) -> Merge:
        """A merge of some rows with the key that does better on the probes: the heir's own, or the merged one."""
        heir = self.replica.heir(rows)
        others = tuple(row for row in rows if row != heir)
        new_D, new_scene_D = rounded(key_D), rounded(scene_D)
        ours_Q = self._right_QN[:, list(rows)].any(axis=1)
        keys = np.stack([self.replica.held[row].key_D for row in rows])

        def good(key_D: FloatArray, scene_D: FloatArray) -> tuple[int, float]:
            score_Q = self._scores(key_D[None], scene_D[None])[:, 0]
            hits = (score_Q > self._best_wrong_Q) & ours_Q
            in_the_way = (score_Q >= self._best_right_Q) & (self._best_right_Q > self._best_wrong_Q) & ~ours_Q
            return int(hits.sum()) - int(in_the_way.sum()), float((keys @ key_D).sum())

        one = self.replica.held[heir]
        if one.level < Level.SIGNS and good(new_D, new_scene_D) > good(one.key_D, one.scene_D):
            return Merge(heir, others, new_D, new_scene_D)
        return Merge(heir, others, None, None)

    def try_out(self, merges: Sequence[Merge]) -> Before:
        """Merge, with no row in two merges, and ask again; return what is needed to take it back."""
        replica = self.replica
        heirs = [merge.heir for merge in merges]
        before = self._before(heirs, [row for merge in merges for row in merge.others])
        for merge in merges:
            others = [replica.held[row] for row in merge.others]
            one = united(replica.held[merge.heir], others, merge.key_D, merge.scene_D)
            replica.held[merge.heir] = one
            replica.alive[list(merge.others)] = False
            inherited = [member for row in merge.others for member in replica.members[row]]
            replica.members[merge.heir] = [*replica.members[merge.heir], *inherited]
            self._right_QN[:, merge.heir] |= self._right_QN[:, list(merge.others)].any(axis=1)
        self._ask_again(before)
        return before

    def reduce(self, rows: Sequence[int]) -> Before:
        """Reduce the vectors of some entries and ask again; return what is needed to take it back."""
        before = self._before(rows, ())
        for row in rows:
            self.replica.held[row] = reduced(self.replica.held[row], self.replica.code)
        self._ask_again(before)
        return before

    def cost_of_reducing(self, rows: Sequence[int]) -> NDArray[np.int64]:
        """About how many probes less would find their answer first, for each of some rows by itself."""
        entries = [reduced(self.replica.held[row], self.replica.code) for row in rows]
        now_QM, right_QM = self._score_QN[:, rows], self._right_QN[:, rows]
        then_QM = self._scores(
            np.stack([one.key_D for one in entries]), np.stack([one.scene_D for one in entries])
        )
        right_Q1, wrong_Q1 = self._best_right_Q[:, None], self._best_wrong_Q[:, None]
        found_Q1 = self.found[1][:, None]
        own_QM = right_QM & (now_QM >= right_Q1) & (then_QM <= wrong_Q1)  # it was the answer
        others_QM = ~right_QM & (then_QM >= right_Q1)  # it would come before the answer
        gained_QM = ~found_Q1 & right_QM & (then_QM > wrong_Q1)
        lost: NDArray[np.int64] = (found_Q1 & (own_QM | others_QM)).sum(axis=0) - gained_QM.sum(axis=0)
        return lost

    def _before(self, rows: Sequence[int], merged: Sequence[int]) -> Before:
        replica, rows = self.replica, list(rows)
        return Before(
            rows,
            list(merged),
            [replica.held[row] for row in rows],
            [replica.members[row] for row in rows],
            self._score_QN[:, rows].copy(),
            self._right_QN[:, rows].copy(),
            {first: hits.copy() for first, hits in self.found.items()},
            self._best_right_Q.copy(),
            self._best_wrong_Q.copy(),
        )

    def _ask_again(self, before: Before) -> None:
        """Ask those to whom a change of some rows can have made a difference."""
        rows, held = before.rows, self.replica.held
        every = [*rows, *before.merged]
        highest_Q = self._score_QN[:, every].max(axis=1, initial=-np.inf)
        touched_Q = self._right_QN[:, every].any(axis=1)
        self._score_QN[:, rows] = self._scores(
            np.stack([held[row].key_D for row in rows]), np.stack([held[row].scene_D for row in rows])
        )
        highest_Q = np.maximum(highest_Q, self._score_QN[:, rows].max(axis=1))
        least_Q = np.minimum(self._best_right_Q, self._best_wrong_Q)
        self._ask(np.flatnonzero(touched_Q | (highest_Q >= least_Q)))

    def rekey(self, rows: Sequence[int], keys_MD: FloatArray, max_loss: float) -> bool:
        """Give some entries other keys, as they will be stored; False if less is found than before."""
        before, held = self._before(rows, ()), self.replica.held
        for row, key_D in zip(rows, keys_MD, strict=True):
            one = held[row]
            spans = (replace(one.spans[0], known_s=max(span.known_s for span in one.spans)), *one.spans[1:])
            held[row] = replace(one, key_D=rounded(key_D), spans=spans)
        self._ask_again(before)
        now, then = (sum(int(hits.sum()) for hits in each.values()) for each in (self.found, before.found))
        if now >= then and self.holds(max_loss):
            return True
        self.take_back(before)
        return False

    def take_back(self, before: Before) -> None:
        """Undo what was tried out last."""
        replica = self.replica
        for row, held, members in zip(before.rows, before.held, before.members, strict=True):
            replica.held[row], replica.members[row] = held, members
        replica.alive[list(before.merged)] = True
        self._score_QN[:, before.rows], self._right_QN[:, before.rows] = before.score_QM, before.right_QM
        self.found = before.found
        self._best_right_Q, self._best_wrong_Q = before.best_right_Q, before.best_wrong_Q

    def _ask(self, asked: Ints) -> None:
        """Look again which of some probes find their answer."""
        alive = np.flatnonzero(self.replica.alive)
        score, right = self._score_QN[np.ix_(asked, alive)], self._right_QN[np.ix_(asked, alive)]
        best_right = np.where(right, score, -np.inf).max(axis=1, initial=-np.inf)
        best_wrong = np.where(right, -np.inf, score).max(axis=1, initial=-np.inf)
        above = ((score >= best_right[:, None]) & ~right).sum(axis=1)  # of equal scores the wrong one counts first
        for first in FIRST:
            self.found[first][asked] = above < first
        self._best_right_Q, self._best_wrong_Q = self._best_right_Q.copy(), self._best_wrong_Q.copy()
        self._best_right_Q[asked], self._best_wrong_Q[asked] = best_right, best_wrong

    def _scores(self, keys_MD: FloatArray, scenes_MD: FloatArray) -> FloatArray:
        score_QM: FloatArray = self._asked_QD @ keys_MD.T
        if self._plain_Q.any():
            rows_MD = stressed(keys_MD, scenes_MD, self._key_weight)
            score_QM[self._plain_Q] = self._asked_QD[self._plain_Q] @ rows_MD.T
        return score_QM


def entries_of(held: Sequence[Held]) -> EntryFeatures:
    """What the proposer sees of entries."""
    return EntryFeatures(
        keys_ND=np.stack([unit(one.key_D) for one in held]),
        scenes_ND=np.stack([unit(one.scene_D) for one in held]),
        spans_NS2=_padded([_times(one) for one in held]),
        utility_N=np.array([one.utility for one in held]),
        strength_N=np.array([one.strength for one in held]),
        met_N=np.array([one.met for one in held], np.int64),
        level_N=np.array([one.level for one in held], np.int64),
        pinned_N=np.array([one.pinned for one in held], bool),
        mass_N=np.array([one.mass for one in held], np.float32),
    )


def _times(held: Held) -> Times:
    return [(span.t0_s, span.t1_s) for span in held.spans]


def _padded(times: Sequence[Times]) -> NDArray[np.float64]:
    """Spans of N entries as [N, S, 2], NaN where there is none."""
    spans = np.full((len(times), MAX_SPANS, 2), np.nan)
    for row, each in enumerate(times):
        spans[row, : len(each)] = each
    return spans


def _overlap(spans_NS2: NDArray[np.float64], times: Times) -> Bools:
    """Which entries have a span that overlaps one of these times; an instant overlaps what it lies in."""
    found = np.zeros(len(spans_NS2), bool)
    start, end = spans_NS2[..., 0], spans_NS2[..., 1]
    for t0_s, t1_s in times:
        meet = (np.minimum(end, t1_s) >= np.maximum(start, t0_s)) & ((end <= start) | (t1_s <= t0_s))
        found |= ((np.minimum(end, t1_s) > np.maximum(start, t0_s)) | meet).any(axis=1)
    return found
