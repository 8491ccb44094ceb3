"""Memories of other kinds, as published or as anybody would write them first; all tell the encoder's similarity.

Each takes every step of an episode and gives what its rule kept of it, in the order of time. Bytes are those of
what is kept: vector and pose as float32, time as float64, how something went as one byte.
"""

from __future__ import annotations

import numpy as np

from hippocam.models.policies.playing import OUTCOMES, Turn
from hippocam.models.policies.records import Recollection, nothing
from hippocam.stream.records import FloatArray

# Moments that a bounded rule keeps, steps that a stack holds, and moments that a hard read takes.
KEEPS, STACK, READS = 48, 8, 8
_POSE_BYTES, _TIME_BYTES, _OUTCOME_BYTES = 12, 8, 1


class Steps:
    """Rows of vectors, poses, times and outcomes that grow.

    Args:
        dim: D, numbers of a vector.
    """

    def __init__(self, dim: int) -> None:
        self._vectors = np.zeros((64, dim), np.float32)
        self._poses = np.zeros((64, 3))
        self._times = np.zeros(64)
        self._outcomes = np.zeros(64, np.float32)
        self.count = 0

    def add(self, turn: Turn) -> None:
        """Add a step."""
        if self.count == len(self._times):
            for name in ("_vectors", "_poses", "_times", "_outcomes"):
                rows = getattr(self, name)
                setattr(self, name, np.concatenate([rows, np.zeros_like(rows)]))
        self.put(self.count, turn)
        self.count += 1

    def put(self, row: int, turn: Turn) -> None:
        """Write a row anew."""
        self._vectors[row], self._poses[row], self._times[row] = turn.vector_D, turn.pose, turn.time_s
        self._outcomes[row] = OUTCOMES.get(turn.mark, 0.0)

    def merge(self, row: int) -> None:
        """Make a row and the next one their mean; poses and outcomes have none: the later one stays."""
        both = slice(row, row + 2)
        self._vectors[row + 1], self._times[row + 1] = self._vectors[both].mean(0), self._times[both].mean()
        self._outcomes[row + 1] = self._outcomes[row + 1] or self._outcomes[row]
        self.drop(row)

    def drop(self, row: int) -> None:
        """Take a row out."""
        for rows in (self._vectors, self._poses, self._times, self._outcomes):
            rows[row : self.count - 1] = rows[row + 1 : self.count]
        self.count -= 1

    def similar(self) -> FloatArray:
        """Cosine of each row with the next: [count - 1]."""
        vectors = self._vectors[: self.count]
        lengths = np.linalg.norm(vectors, axis=1)
        cosines: FloatArray = (vectors[:-1] * vectors[1:]).sum(1) / (lengths[:-1] * lengths[1:])
        return cosines

    def recalled(self, goal_D: FloatArray, now_s: float) -> Recollection:
        """All rows, compared with a goal."""
        if not self.count:
            return nothing(len(goal_D))
        vectors = self._vectors[: self.count]
        return Recollection(
            vectors_KD=vectors,
            cosines_K=vectors @ goal_D / np.linalg.norm(vectors, axis=1),
            poses_K3=self._poses[: self.count],
            ages_K=(now_s - self._times[: self.count]).astype(np.float32),
            outcomes_K=self._outcomes[: self.count],
        )

    def bytes(self) -> int:
        """What is kept."""
        return self.count * (self._vectors.shape[1] * 4 + _POSE_BYTES + _TIME_BYTES + _OUTCOME_BYTES)


class Full:
    """The whole history.

    Args:
        dim: D, numbers of a vector.
    """

    def __init__(self, dim: int) -> None:
        self.steps = Steps(dim)

    def observe(self, turn: Turn) -> None:
        """Keep a step."""
        self.steps.add(turn)

    def named(self) -> None:
        """Another task changes nothing."""

    def recall(self, goal_D: FloatArray, now_s: float) -> Recollection:
        """All that is kept."""
        return self.steps.recalled(goal_D, now_s)

    def bytes(self) -> int:
        """What is kept."""
        return self.steps.bytes()


class Hard(Full):
    """The whole history, of which the steps most similar to the goal are read."""

    def recall(self, goal_D: FloatArray, now_s: float) -> Recollection:
        """The most similar steps, the nearest first."""
        every = super().recall(goal_D, now_s)
        return every.only(np.argsort(-every.cosines_K, kind="stable")[:READS])


class Fifo(Full):
    """The last steps.

    Args:
        dim: D, numbers of a vector.
        keeps: How many.
    """

    def __init__(self, dim: int, keeps: int = KEEPS) -> None:
        super().__init__(dim)
        self._keeps = keeps

    def observe(self, turn: Turn) -> None:
        """Keep a step in place of the oldest."""
        super().observe(turn)
        if self.steps.count > self._keeps:
            self.steps.drop(0)


class Memoryless(Fifo):
    """Nothing."""

    def __init__(self, dim: int) -> None:
        super().__init__(dim, keeps=0)


class Stack(Fifo):
    """The last few steps, as frames are stacked."""

    def __init__(self, dim: int) -> None:
        super().__init__(dim, keeps=STACK)


class Uniform(Full):
    """A uniform sample of all steps (Vitter 1985).

    Args:
        dim: D, numbers of a vector.
        seed: Of the sample.
    """

    def __init__(self, dim: int, seed: int = 0) -> None:
        super().__init__(dim)
        self._rng, self._seen = np.random.default_rng(seed), 0

    def observe(self, turn: Turn) -> None:
        """Keep a step by chance, in place of another one."""
        self._seen += 1
        if self.steps.count < KEEPS:
            self.steps.add(turn)
        elif self._rng.random() < KEEPS / self._seen:
            self.steps.drop(int(self._rng.integers(KEEPS)))
            self.steps.add(turn)


class Merging(Full):
    """MemoryVLA's bank (Shi et al. 2025): where it is full, the two neighbours most alike become their mean."""

    def observe(self, turn: Turn) -> None:
        """Keep a step, and make room."""
        self.steps.add(turn)
        if self.steps.count > KEEPS:
            self.steps.merge(int(np.argmax(self.steps.similar())))
