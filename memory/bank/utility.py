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

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.bank.state import Keys, pack_keys, unpack_keys
from hippocam.memory.codec import products, quantised
from hippocam.stream.records import FloatArray

# Rows at which a sketch is folded, and rows that are left then.
FULL_ROWS = 32
FOLDED_ROWS = 24
# With fewer events met again than this, every key is worth the same.
MIN_AGAIN = 20
# How entries fade where nothing was trained: see BankConfig.
FADE_S = 86400.0
FADE_POWER = 0.1


def keys_of(keys_ND: FloatArray) -> Keys:
    """Keys, float32 [N, D], as they are stored."""
    return Keys(*quantised(keys_ND))


class Directions(NamedTuple):
    """The rows of a sketch at some time, and how many rows were taken in by then."""

    rows: Keys
    taken: int

    def energy(self, keys: Keys) -> FloatArray:
        """About the mean squared cosine of each key with the rows that were taken in, float32 [N].

        A key's energy is the same to the last digit whatever other keys are measured with it.
        """
        if not len(self.rows.scales):
            return np.zeros(len(keys.scales), np.float32)
        cosines_LN = products(self.rows.codes, keys.codes) * self.rows.scales[:, None] * keys.scales
        sums_LN = np.add.accumulate(np.square(cosines_LN), axis=0)  # row by row, unlike a sum
        energy: FloatArray = (sums_LN[-1] / max(self.taken, 1)).astype(np.float32)
        return energy


class Sketch:
    """Frequent Directions: the sum of the outer products of many rows, in few.

    Args:
        dim: Length D of a row.
    """

    def __init__(self, dim: int) -> None:
        self._dim = dim
        self._rows = Keys(np.zeros((FULL_ROWS, dim), np.int8), np.zeros(FULL_ROWS, np.float32))
        self._used = 0
        self.count = 0

    def add(self, row: Keys) -> None:
        """Take in a row, [1, D]."""
        if self._used == FULL_ROWS:
            self._fold()
        self._rows.codes[self._used], self._rows.scales[self._used] = row.codes[0], row.scales[0]
        self._used += 1
        self.count += 1

    def _fold(self) -> None:
        """Leave the strongest directions, each weakened by the strongest that is left out.

        They come from the small side: the eigenvectors of R R^T, [L, L], give those of R^T R, [D, D].
        """
        rows_LD = self._rows.codes * self._rows.scales[:, None].astype(np.float64)
        squares, mixes = np.linalg.eigh(rows_LD @ rows_LD.T)
        squares, mixes = squares[::-1], mixes[:, ::-1]  # the strongest first
        rank = min(rows_LD.shape)
        left_out = squares[FOLDED_ROWS] if rank > FOLDED_ROWS else 0.0
        kept = min(FOLDED_ROWS, rank)
        weaker = np.sqrt(np.maximum(squares[:kept] - left_out, 0) / np.maximum(squares[:kept], 1e-12))
        self._fill(keys_of((weaker[:, None] * (mixes[:, :kept].T @ rows_LD)).astype(np.float32)))

    def _fill(self, rows: Keys) -> None:
        self._used = len(rows.scales)
        self._rows.codes[: self._used], self._rows.scales[: self._used] = rows.codes, rows.scales

    def now(self) -> Directions:
        """What it holds now, until the next row is taken in."""
        return Directions(Keys(self._rows.codes[: self._used], self._rows.scales[: self._used]), self.count)

    def directions(self) -> Directions:
        """What it holds now, for good."""
        rows, taken = self.now()
        return Directions(Keys(rows.codes.copy(), rows.scales.copy()), taken)

    def energy(self, keys_ND: FloatArray) -> FloatArray:
        """About the mean squared cosine of each key with the rows that were taken in, float32 [N]."""
        return self.now().energy(keys_of(keys_ND))

    def dump(self) -> bytes:
        """The sketch as bytes, without loss."""
        return np.asarray(self.count, "<i8").tobytes() + pack_keys(self.directions().rows)

    def load(self, blob: bytes) -> None:
        """Go on from a sketch that `dump` wrote."""
        self.count = int(np.frombuffer(blob[:8], "<i8")[0])
        self._fill(unpack_keys(blob[8:], self._dim))


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
        self._fitted = self.again.directions(), self.all.directions()
        self._levels = np.array([[0.0, 1.0], [0.0, 1.0]])  # mean and sd of the energies held: trained, own

    @property
    def fade(self) -> tuple[float, float]:
        """What was learned of how entries fade: fade_s and fade_power as in BankConfig."""
        return (self._prior.fade_s, self._prior.fade_power) if self._prior else (FADE_S, FADE_POWER)

    @property
    def knows(self) -> bool:
        """Whether enough was met again to tell keys apart."""
        return self.again.count + (self._prior.events if self._prior else 0) >= MIN_AGAIN

    @property
    def trained(self) -> bool:
        """Whether something was trained elsewhere."""
        return self._prior is not None

    def clear(self) -> None:
        """Go back to what was trained."""
        self.again, self.all = Sketch(self._dim), Sketch(self._dim)
        self.fit()

    def learn(self, key_D: FloatArray, *, again: bool) -> Keys:
        """Take in the key of an event, and whether the event was met before; return it as it was taken in."""
        key = keys_of(key_D[None])
        self.take_in(key, again=again)
        return key

    def take_in(self, key: Keys, *, again: bool) -> None:
        """Take in a key that `learn` gave."""
        if not self._online:
            return
        self.all.add(key)
        if again:
            self.again.add(key)

    def energies(self, keys_ND: FloatArray) -> FloatArray:
        """Trained and own energy of each key, float32 [N, 2]."""
        keys = keys_of(keys_ND)
        own = self.again.now().energy(keys) - self.all.now().energy(keys)
        return np.stack([self.trained_energies(keys_ND), own], axis=1).astype(np.float32)

    def trained_energies(self, keys_ND: FloatArray) -> FloatArray:
        """Trained energy of each key, float32 [N]."""
        return self._prior.energy(keys_ND) if self._prior else np.zeros(len(keys_ND), np.float32)

    def fit(self) -> None:
        """From now on let `fitted_energies` go by what was learned up to here."""
        self._fitted = self.again.directions(), self.all.directions()

    def fitted_energies(self, keys: Keys) -> FloatArray:
        """Own energy of each key by what was learned up to the last `fit`, float32 [N]."""
        again, every = self._fitted
        return again.energy(keys) - every.energy(keys)

    def level(self, energies_N2: FloatArray) -> None:
        """Measure utility from now on against the energies of the keys that are held."""
        if len(energies_N2):
            spread = np.maximum(energies_N2.std(axis=0), 1e-9)
            self._levels = np.stack([energies_N2.mean(axis=0), spread], axis=1).astype(np.float64)

    def sketches(self) -> dict[str, bytes]:
        """What was learned, to be kept."""
        return {"again": self.again.dump(), "all": self.all.dump()}

    def restore(self, sketches: Mapping[str, bytes]) -> None:
        """Go on from what `sketches` gave."""
        self.again, self.all = Sketch(self._dim), Sketch(self._dim)
        for name, sketch in (("again", self.again), ("all", self.all)):
            if name in sketches:
                sketch.load(sketches[name])
        self.fit()

    @property
    def levels(self) -> list[float]:
        """Mean and standard deviation of the trained energies that are held, then of the own."""
        numbers: list[float] = self._levels.reshape(-1).tolist()
        return numbers

    @levels.setter
    def levels(self, numbers: list[float]) -> None:
        self._levels = np.asarray(numbers, np.float64).reshape(2, 2)

    def of(self, energies_N2: FloatArray) -> NDArray[np.float64]:
        """Utility for energies, 0 to 1, float64 [N]; one half for all before enough was met again."""
        if not self.knows:
            return np.full(len(energies_N2), 0.5)
        weights = np.array([self._prior.events if self._prior else 0.0, self.again.count])
        scores = (energies_N2 - self._levels[:, 0]) / self._levels[:, 1]
        utility: NDArray[np.float64] = 1 / (1 + np.exp(-(scores @ weights) / weights.sum() / 2))
        return utility
