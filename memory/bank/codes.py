"""What the vectors of an encoder are reduced to: to outlines where tables ship for it, else to their signs.

Shapes: D embedding dimension; W vectors in a table; S sums that are followed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np

from hippocam.memory.codec import (
    HEAD_BYTES,
    OUTLINE_TABLES,
    SHORT_TABLES,
    WORDS,
    Tables,
    pack,
    rounded,
    sign_bytes,
    sign_error,
    signs,
    tables_of,
)
from hippocam.stream.records import FloatArray

# Sums that are followed side by side while the nearest is looked for (Babenko and Lempitsky 2014).
_BEAM = 4


class Code(Protocol):
    """What a vector is reduced to.

    Attributes:
        what: Its name, for people.
        size: Bytes of a vector that is packed.
        error: Standard deviation of the error of a cosine with a vector that was reduced.
        as_searched: Which one vector it is that stands for an entry's key and scene: see `in_one`. Of vectors of
            the encoders that tables ship for more is found by what a question is compared with, of others by what
            lies nearer to the key (docs/benchmarks/lifelog.md).
    """

    @property
    def what(self) -> str:
        """As above."""

    @property
    def size(self) -> int:
        """As above."""

    @property
    def error(self) -> float:
        """As above."""

    @property
    def as_searched(self) -> bool:
        """As above."""

    def pack(self, vector_D: FloatArray) -> bytes:
        """Write a vector, or what is left of one."""

    def reduced(self, vector_D: FloatArray) -> FloatArray:
        """A vector [D] as it comes back from what `pack` writes."""


@dataclass(frozen=True, slots=True)
class Signs:
    """The signs of a vector.

    Attributes:
        dim: Its length D.
    """

    dim: int

    @property
    def what(self) -> str:
        """As in Code."""
        return "signs"

    @property
    def size(self) -> int:
        """As in Code."""
        return sign_bytes(self.dim)

    @property
    def error(self) -> float:
        """As in Code."""
        return sign_error(self.dim)

    @property
    def as_searched(self) -> bool:
        """As in Code."""
        return False

    def pack(self, vector_D: FloatArray) -> bytes:
        """As in Code."""
        return pack(signs(vector_D))

    def reduced(self, vector_D: FloatArray) -> FloatArray:
        """As in Code."""
        return rounded(signs(vector_D))


@dataclass(frozen=True, slots=True)
class Outline:
    """The nearest sum of learned vectors, one of each of the first tables.

    Attributes:
        tables: What was learned.
        count: How many of the tables.
    """

    tables: Tables
    count: int

    @property
    def what(self) -> str:
        """As in Code."""
        return "outline" if self.count == len(self.tables.tables_MWD) else "short outline"

    @property
    def size(self) -> int:
        """As in Code."""
        return HEAD_BYTES + self.count

    @property
    def error(self) -> float:
        """As in Code."""
        return self.tables.errors[self.count]

    @property
    def as_searched(self) -> bool:
        """As in Code."""
        return True

    def pack(self, vector_D: FloatArray) -> bytes:
        """As in Code."""
        return self.tables.blob(self._nearest(vector_D))

    def reduced(self, vector_D: FloatArray) -> FloatArray:
        """As in Code."""
        row: FloatArray = self.tables.unpack(np.frombuffer(self._nearest(vector_D), np.uint8)[None])[0]
        return row

    def _nearest(self, vector_D: FloatArray) -> bytes:
        """Name the vectors of the nearest of the sums that were followed, whatever a vector's length."""
        length = max(float(np.linalg.norm(vector_D)), 1e-9)
        rests_SD = (vector_D / np.float32(length * self.tables.unit)).astype(np.float32)[None]
        left_S1 = np.square(rests_SD).sum(axis=1, keepdims=True)  # squared lengths of the rests
        named_SB = np.zeros((1, 0), np.uint8)
        words_MWD, squares_MW = _as_floats(self.tables)
        for words_WD, squares_W in zip(words_MWD[: self.count], squares_MW, strict=False):
            left_X = (left_S1 + squares_W - 2 * rests_SD @ words_WD.T).reshape(-1)
            best = np.argpartition(left_X, _BEAM)[:_BEAM]
            best = best[np.argsort(left_X[best], kind="stable")]  # the nearest first
            sums, words = np.divmod(best, WORDS)
            left_S1, rests_SD = left_X[best, None], rests_SD[sums] - words_WD[words]
            named_SB = np.concatenate([named_SB[sums], words[:, None].astype(np.uint8)], axis=1)
        named: bytes = named_SB[0].tobytes()
        return named


@cache
def _as_floats(tables: Tables) -> tuple[FloatArray, FloatArray]:
    """Tables as float32 [M, W, D], and the squared lengths of their vectors [M, W]."""
    words_MWD = tables.tables_MWD.astype(np.float32)
    return words_MWD, np.square(words_MWD).sum(axis=2)


@dataclass(frozen=True, slots=True)
class Codes:
    """What vectors are reduced to, one after the other.

    Attributes:
        first: To this; None where they never are.
        short: Then to this; None for no further.
    """

    first: Code | None
    short: Code | None = None

    def code(self, *, short: bool) -> Code:
        """The first one, or the short one."""
        code = self.short if short else self.first
        assert code is not None, "a step that the ladder does not have"
        return code


def codes_of(encoder_id: str, dim: int) -> Codes:
    """What vectors [dim] of an encoder are reduced to."""
    tables = tables_of(encoder_id, dim)
    if tables is None:
        return Codes(Signs(dim))
    return Codes(Outline(tables, OUTLINE_TABLES), Outline(tables, SHORT_TABLES))
