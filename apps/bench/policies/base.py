"""What a rule for keeping memories is, and the array of slots that most of them write to.

Shapes: N slots, S spans a slot, D dimensions. The budget counts bytes, not slots: a plain slot is a float16 key
and the times of its first and last frame in float64, `slot_bytes(D)` together; whatever else a rule must
remember for a slot (a weight, a usage) is 4 bytes more, and so are the vectors of its buffers. A rule that needs
more gets fewer slots. No paper says how many bytes a number of a key is, so each published rule is there three
times: as above, with int8 keys and with the signs of keys alone, as the product has them; what else it remembers
is then as short as the product has it, 2 bytes for a number and 7 for a span. A slot's span names its first and
its last frame: evaluation adds the time that the last frame stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.codec import rounded, signs

FloatArray = NDArray[np.floating]
KeyCodec = Literal["float16", "int8", "signs"]
SPAN_BYTES = 16  # two float64
NUMBER_BYTES = 4  # for any other number that a rule keeps
# The same beside keys that are stored as ours. Of a span 4 bytes for its start and 3 for its length, in hundredths
# of a second: that is exact for up to 497 and 1.9 days, and our blocks take 4 bytes for both where slots follow
# each other.
SHORT_BYTES = 2
SHORT_SPAN_BYTES = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Bank:
    """What is left in memory when questions come.

    Attributes:
        keys_ND: float32 [N, D], rounded as they are stored; need not have unit length.
        t0_NS: Time in seconds of each span's first frame, float64 [N, S], NaN where a slot has fewer spans.
        t1_NS: Time of its last frame.
        bytes: The most that the rule held after any frame, buffers included.
        writes: Slots that were added, overwritten or merged into.
        unit: Whether keys are compared with a question by cosine; else by inner product, which estimates one.
    """

    keys_ND: FloatArray
    t0_NS: FloatArray
    t1_NS: FloatArray
    bytes: int
    writes: int = 0
    unit: bool = True


class Policy(Protocol):
    """A rule for keeping memories within a budget; sees a stream once, frame by frame."""

    def push(self, frame_D: FloatArray, time_s: float) -> None:
        """See the next frame: a unit vector [D] and its time."""

    def finish(self) -> None:
        """The stream is over: put what is still open into the bank."""

    def bank(self) -> Bank:
        """What is remembered."""


PolicyFactory = Callable[[int, int, int], Policy]
"""Builds a rule from budget_bytes, dim and seed."""


class NoRoomError(Exception):
    """A budget holds not one slot of a rule: then it remembers nothing."""


def slot_bytes(dim: int, numbers: int = 0, spans: int = 1, key_codec: KeyCodec = "float16") -> int:
    """Bytes of a slot with a key, some spans and some other numbers.

    A number takes four bytes beside a float16 key, as its authors keep it, and two beside a key in our codecs, as
    our blocks keep it; so is a span shorter there.
    """
    each = NUMBER_BYTES if key_codec == "float16" else SHORT_BYTES
    return key_bytes(dim, key_codec) + span_bytes(key_codec) * spans + each * numbers


def span_bytes(key_codec: KeyCodec) -> int:
    """Bytes of two times."""
    return SPAN_BYTES if key_codec == "float16" else SHORT_SPAN_BYTES


def key_bytes(dim: int, key_codec: KeyCodec) -> int:
    """Bytes of a key alone."""
    if key_codec == "signs":
        return SHORT_BYTES + -(-dim // 8)  # its scale has eleven bits
    return 2 * dim if key_codec == "float16" else dim + NUMBER_BYTES


def slots_in(budget_bytes: int, each_bytes: int) -> int:
    """How many slots a budget holds.

    Raises:
        NoRoomError: Not one.
    """
    count = budget_bytes // each_bytes
    if count < 1:
        raise NoRoomError(f"a budget of {budget_bytes} bytes holds no slot of {each_bytes}; give it more")
    return count


def half(x: FloatArray) -> FloatArray:
    """Round through float16, as a key is stored."""
    return x.astype(np.float16).astype(np.float32)


def cosine(a: FloatArray, b: FloatArray) -> FloatArray:
    """Cosines of the vectors on the last axis; 0 where one is zero."""
    lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    found: FloatArray = np.einsum("...d,...d->...", a, b) / np.maximum(lengths, 1e-12)
    return found


CODECS: dict[KeyCodec, Callable[[FloatArray], FloatArray]] = {"float16": half, "int8": rounded, "signs": signs}
"""Each rounds a key through the bytes that it is stored in."""


class Slots:
    """An array of slots in the order of writing; removal keeps the order.

    Attributes:
        count: Slots in use.
        writes: Slots added or changed so far.
    """

    def __init__(
        self,
        capacity: int,
        dim: int,
        *,
        numbers: Sequence[str] = (),
        spans: int = 1,
        key_codec: KeyCodec = "float16",
    ) -> None:
        self.count = 0
        self.stored = CODECS[key_codec]
        self.writes = 0
        self._keys = np.zeros((capacity + 1, dim), dtype=np.float32)  # one to spare: a rule may write, then choose
        self._t0 = np.full((capacity + 1, spans), np.nan)
        self._t1 = np.full((capacity + 1, spans), np.nan)
        self._numbers = {name: np.zeros(capacity + 1, dtype=np.float32) for name in numbers}

    @property
    def keys_ND(self) -> FloatArray:
        """Keys in use, a view."""
        return self._keys[: self.count]

    @property
    def t0_NS(self) -> FloatArray:
        """Times of first frames, a view."""
        return self._t0[: self.count]

    @property
    def t1_NS(self) -> FloatArray:
        """Times of last frames, a view."""
        return self._t1[: self.count]

    def __getitem__(self, name: str) -> FloatArray:
        """A number of each slot, a view."""
        return self._numbers[name][: self.count]

    def add(self, key_D: FloatArray, t0_s: float, t1_s: float, **numbers: float) -> int:
        """Append a slot with one span; numbers not given are 0. Returns its index."""
        i = self.count
        self.count += 1
        for column in self._numbers.values():
            column[i] = 0.0
        self.write(i, key_D, t0_s, t1_s, **numbers)
        return i

    def write(self, i: int, key_D: FloatArray, t0_s: float, t1_s: float, **numbers: float) -> None:
        """Overwrite slot `i`; numbers not given stay."""
        self.writes += 1
        self._keys[i] = self.stored(key_D)
        self._t0[i], self._t1[i] = np.nan, np.nan
        self._t0[i, 0], self._t1[i, 0] = t0_s, t1_s
        for name, value in numbers.items():
            self._numbers[name][i] = value

    def insert(self, i: int, key_D: FloatArray, time_s: float) -> None:
        """Put a slot with one frame before slot `i`."""
        self.count += 1
        for column in (self._keys, self._t0, self._t1, *self._numbers.values()):
            column[i + 1 : self.count] = column[i : self.count - 1].copy()
        self.write(i, key_D, time_s, time_s)

    def remove(self, i: int) -> None:
        """Remove slot `i`; later ones move up."""
        for column in (self._keys, self._t0, self._t1, *self._numbers.values()):
            column[i : self.count - 1] = column[i + 1 : self.count]
        self.count -= 1

    def keep(self, which: NDArray[np.intp] | NDArray[np.bool_]) -> None:
        """Keep only the slots of a mask or of rising indices."""
        for column in (self._keys, self._t0, self._t1, *self._numbers.values()):
            kept = column[: self.count][which]
            column[: len(kept)] = kept
        self.count = len(kept)

    def merge(self, i: int, j: int, weights: tuple[float, float] = (1.0, 1.0)) -> None:
        """Put slot `j` into `i < j`: weighted mean of the keys, hull of the times; `i` keeps its numbers."""
        a, b = weights
        key_D = (a * self._keys[i] + b * self._keys[j]) / (a + b)
        t0_s, t1_s = float(np.nanmin(self._t0[[i, j]])), float(np.nanmax(self._t1[[i, j]]))
        self.write(i, key_D, t0_s, t1_s)
        self.remove(j)


class SlotPolicy:
    """Common part of the rules: arrays of slots, and a watch on the bytes. Subclasses say what a frame does.

    Args:
        budget_bytes: For everything that is held between two frames.
        dim: Length D of a frame's vector.
        seed: Seed of whatever is random.
        key_codec: How keys are stored.
    """

    def __init__(self, budget_bytes: int, dim: int, seed: int, *, key_codec: KeyCodec = "float16") -> None:
        self.key_codec = key_codec
        self.budget_bytes = budget_bytes
        self.dim = dim
        self.rng = np.random.default_rng(seed)
        self._peak_bytes = 0

    def push(self, frame_D: FloatArray, time_s: float) -> None:
        """See the next frame."""
        self._see(frame_D, time_s)
        self._peak_bytes = max(self._peak_bytes, self._held_bytes())

    def finish(self) -> None:
        """Nothing is open."""

    @property
    def _key_bytes(self) -> int:
        return key_bytes(self.dim, self.key_codec)

    def _slot_bytes(self, numbers: int = 0, spans: int = 1) -> int:
        return slot_bytes(self.dim, numbers, spans, self.key_codec)

    def _slots(self, capacity: int, *, numbers: Sequence[str] = (), spans: int = 1) -> Slots:
        return Slots(capacity, self.dim, numbers=numbers, spans=spans, key_codec=self.key_codec)

    def bank(self) -> Bank:
        """All arrays, one after the other."""
        arrays = self._arrays()
        return Bank(
            keys_ND=np.concatenate([a.keys_ND for a in arrays]),
            t0_NS=np.concatenate([a.t0_NS for a in arrays]),
            t1_NS=np.concatenate([a.t1_NS for a in arrays]),
            bytes=max(self._peak_bytes, self._held_bytes()),
            writes=sum(a.writes for a in arrays),
        )

    def _see(self, frame_D: FloatArray, time_s: float) -> None:
        raise NotImplementedError

    def _held_bytes(self) -> int:
        raise NotImplementedError

    def _arrays(self) -> Sequence[Slots]:
        raise NotImplementedError
