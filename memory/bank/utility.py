"""Learned utility: how much an event looks like those that are met again.

Nobody labels a memory's events, but its streams do: what is met again was worth keeping, what never comes back
mostly was not. Two sketches are kept, of the keys that were met again and of all keys, and the difference of their
second moments is a low-rank energy that is high where things come back more often than things do on the whole (a
contrastive PCA, Abid et al. 2018, on Frequent Directions, Liberty 2013):

    e(k) = |B_again k|^2 / n_again - |B_all k|^2 / n_all,        u(k) = 1 / (1 + exp(-z(k) / 2))

with z the energy's standard score among the keys that are held. What was trained elsewhere in the same space
(memory/training/consolidation.py) is an energy of the same form, a sum of signed squares; its score enters z with
the weight of a number of events met again, so that a new memory begins with it and a long stream outgrows it.

Shapes: D embedding dimension, L rows of a sketch, H projections, N keys.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.codec import pack, rounded, unpack
from hippocam.stream.records import FloatArray

# Rows at which a sketch is folded, and rows that are left then.
FULL_ROWS = 32
FOLDED_ROWS = 24
# With fewer events met again than this, every key is worth the same.
MIN_AGAIN = 20
# How entries fade where nothing was trained: see BankConfig.
FADE_S = 86400.0
FADE_POWER = 0.1


class Sketch:
    """Frequent Directions: the sum of the outer products of many rows, in few.

    Args:
        dim: Length D of a row.
    """

    def __init__(self, dim: int) -> None:
        self._rows = np.zeros((FULL_ROWS, dim), np.float32)
        self._used = 0
        self.count = 0

    def add(self, row_D: FloatArray) -> None:
        """Take in a row."""
        if self._used == FULL_ROWS:
            self._fold()
        self._rows[self._used] = rounded(row_D)
        self._used += 1
        self.count += 1

    def _fold(self) -> None:
        """Leave the strongest directions, each weakened by the strongest that is left out."""
        _, sizes, directions = np.linalg.svd(self._rows, full_matrices=False)
        squares = np.square(sizes)
        left_out = squares[FOLDED_ROWS] if len(squares) > FOLDED_ROWS else 0.0
        left = np.sqrt(np.maximum(squares[:FOLDED_ROWS] - left_out, 0))
        self._rows[:] = 0
        for index, row in enumerate(left[:, None] * directions[: len(left)]):
            self._rows[index] = rounded(row)  # as they are stored
        self._used = len(left)

    def energy(self, keys_ND: FloatArray) -> FloatArray:
        """About the mean squared cosine of each key with the rows that were taken in, float32 [N]."""
        energy: FloatArray = np.square(keys_ND @ self._rows[: self._used].T).sum(axis=1) / max(self.count, 1)
        return energy

    def dump(self) -> bytes:
        """The sketch as bytes, without loss."""
        packed = b"".join(pack(row) for row in self._rows[: self._used])
        return np.asarray(self.count, "<i8").tobytes() + packed

    def load(self, blob: bytes) -> None:
        """Go on from a sketch that `dump` wrote."""
        width = self._rows.shape[1] + 4
        self.count = int(np.frombuffer(blob[:8], "<i8")[0])
        self._used = (len(blob) - 8) // width
        self._rows[:] = 0
        for index in range(self._used):
            self._rows[index] = unpack(blob[8 + index * width : 8 + (index + 1) * width])


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """What was trained elsewhere: an energy, e(k) = sum_h sign_h (rows_h . k)^2, and how entries fade.

    Attributes:
        rows: float32 [H, D].
        signs: float32 [H], 1 or -1.
        events: Weight of the energy, in events that were met again; 0 if it did not prove its worth.
        fade_s: As in BankConfig.
        fade_power: As in BankConfig.
    """

    rows: FloatArray
    signs: FloatArray
    events: float
    fade_s: float = FADE_S
    fade_power: float = FADE_POWER

    def energy(self, keys_ND: FloatArray) -> FloatArray:
        """Energy of each key, float32 [N]."""
        energy: FloatArray = np.square(keys_ND @ self.rows.T) @ self.signs
        return energy


class Utility:
    """Learns from a memory's own events which keys are worth keeping.

    Args:
        dim: Length D of a key.
        prior: What was trained elsewhere in the same space.
        online: Whether it learns from this memory's events too, or uses the prior alone.
    """

    def __init__(self, dim: int, prior: Prior | None = None, *, online: bool = True) -> None:
        self._dim = dim
        self.again, self.all = Sketch(dim), Sketch(dim)
        self._prior = prior
        self._online = online
        self._levels = np.array([[0.0, 1.0], [0.0, 1.0]])  # mean and sd of the energies held: trained, own

    @property
    def fade(self) -> tuple[float, float]:
        """What was learned of how entries fade: fade_s and fade_power as in BankConfig."""
        return (self._prior.fade_s, self._prior.fade_power) if self._prior else (FADE_S, FADE_POWER)

    @property
    def knows(self) -> bool:
        """Whether enough was met again to tell keys apart."""
        return self.again.count + (self._prior.events if self._prior else 0) >= MIN_AGAIN

    def clear(self) -> None:
        """Go back to what was trained."""
        self.again, self.all = Sketch(self._dim), Sketch(self._dim)

    def learn(self, key_D: FloatArray, *, again: bool) -> None:
        """Take in the key of an event, and whether the event was met before."""
        if not self._online:
            return
        self.all.add(key_D)
        if again:
            self.again.add(key_D)

    def energies(self, keys_ND: FloatArray) -> FloatArray:
        """Trained and own energy of each key, float32 [N, 2]."""
        trained = self._prior.energy(keys_ND) if self._prior else np.zeros(len(keys_ND), np.float32)
        own = self.again.energy(keys_ND) - self.all.energy(keys_ND)
        return np.stack([trained, own], axis=1).astype(np.float32)

    def level(self, energies_N2: FloatArray) -> None:
        """Measure utility from now on against the energies of the keys that are held."""
        if len(energies_N2):
            spread = np.maximum(energies_N2.std(axis=0), 1e-9)
            self._levels = np.stack([energies_N2.mean(axis=0), spread], axis=1).astype(np.float64)

    def of(self, energies_N2: FloatArray) -> NDArray[np.float64]:
        """Utility for energies, 0 to 1, float64 [N]; one half for all before enough was met again."""
        if not self.knows:
            return np.full(len(energies_N2), 0.5)
        weights = np.array([self._prior.events if self._prior else 0.0, self.again.count])
        scores = (energies_N2 - self._levels[:, 0]) / self._levels[:, 1]
        utility: NDArray[np.float64] = 1 / (1 + np.exp(-(scores @ weights) / weights.sum() / 2))
        return utility
