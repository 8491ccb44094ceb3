"""The long-term bank as consolidation sees it: which entry is met again, and which gives up what next.

An entry is worth utility x (1 - redundancy) x decay. Utility joins its surprise with what was learned (utility.py,
chooser.py); redundancy rises as its nearest neighbour among the keys of its stream comes nearer than chance
explains; decay falls with the time since it was last met, and slower the stronger it is. When room is needed, the
step that costs the least worth for its bytes is taken: a smaller picture, no picture, of its vectors the signs
alone, words alone, nothing. An entry whose twin is as good as itself is merged into it: the twin takes over its
spans, so that no time is lost.

Nothing here reads or writes a file; longterm.py carries the steps out.

Shapes: N entries, D embedding dimension.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.codec import sign_bytes, sign_error, signs
from hippocam.memory.longterm.chooser import Chooser
from hippocam.memory.longterm.utility import Utility
from hippocam.memory.records import Level, Slot, Span
from hippocam.stream.records import FloatArray

Doubles = NDArray[np.float64]

# What is learned is fitted anew after so many events.
REFRESH_EVENTS = 64
# Utility never falls to nothing, or redundancy would no longer matter.
MIN_UTILITY = 0.05
MAX_REDUNDANCY = 0.95
# Bytes of a thumbnail, of a row without vectors and words, about.
SMALL_BYTES, ROW_BYTES = 2500, 300
# Share of an entry's worth that goes with each level of evidence.
_SHARES = {Level.FULL: 0.15, Level.SMALL: 0.45, Level.VECTORS: 0.35, Level.WORDS: 0.05}
# Of the share that goes with the vectors, what goes with all but their signs: this for each unit of a cosine's
# error.
_SIGN_SHARE = 2.0
MAX_SPANS = 4
# Entries that are compared at once when a bank is loaded: a block with itself and the one before.
_LOAD_BLOCK = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class BankConfig:
    """When two events are the same thing, and how memories fade.

    Attributes:
        same: Standard deviations above the mean cosine of two keys from which they are the same thing.
        alike: The same, from which they begin to be redundant; at most `same`.
        least_same: Cosine below which two keys are never the same thing, -1 to 1.
        most_same: Cosine above which they always are.
        again_s: Seconds after which a thing that is seen again was met again, above 0.
        fade_s: Time in which an entry that was met once begins to fade, seconds above 0; None as was learned.
        fade_power: How fast it fades then, 0 or more: decay = (1 + age / (fade_s * strength)) ** -fade_power;
            None as was learned.
        window: Newest entries with which a new one is compared, so that writing takes no longer as a memory grows.
        arm: "surprise", "utility" or "product" for one of them always; "choose" for the best so far.
    """

    same: float = 5.0
    alike: float = 4.5
    least_same: float = 0.6
    most_same: float = 0.95
    again_s: float = 60.0
    fade_s: float | None = None
    fade_power: float | None = None
    window: int = 4096
    arm: str = "choose"

    def __post_init__(self) -> None:
        limits = {
            "same": (0, math.inf),
            "alike": (0, self.same),
            "least_same": (-1, self.most_same),
            "most_same": (-1, 1),
            "again_s": (1e-3, math.inf),
            "fade_s": (1e-3, math.inf),
            "fade_power": (0, 10),
            "window": (1, 1 << 30),
        }
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise ValueError(f"bank.{name} must be {low} to {high}, found {value}")
        if self.arm not in ("choose", *Chooser.ARMS):
            raise ValueError(f"bank.arm must be choose, {', '.join(Chooser.ARMS)}, found {self.arm!r}")


class Step(NamedTuple):
    """What an entry gives up next.

    Attributes:
        entry: Its id.
        to: The level that it falls to; None where it goes altogether.
        twin: Id of the entry that takes over its spans, None where nobody does.
        worth: What the entry was worth.
        redundancy: How much of that its twin holds too, 0 to 0.95.
    """

    entry: int
    to: Level | None
    twin: int | None
    worth: float
    redundancy: float


class Match(NamedTuple):
    """The entry that an event is most like.

    Attributes:
        entry: Its id.
        cosine: Between their keys.
        same: Whether they are the same thing in the same place, so that one entry holds both.
        again: Whether the thing was met again, after some time.
    """

    entry: int
    cosine: float
    same: bool
    again: bool


class Worth(NamedTuple):
    """What an entry is worth now and why.

    Attributes:
        surprise: Its surprise over that of its stream's usual event.
        learned: How much it looks like what is met again, 0 to 1.
        arm: Which of the two, or their product, is its utility now.
        redundancy: How much of it its twin holds too, 0 to 0.95.
        twin: Id of its nearest neighbour, None where there is none.
        decay: 0 to 1.
        worth: All together.
        rank: 1 for the entry that is worth most.
        of: Entries in all.
    """

    surprise: float
    learned: float
    arm: str
    redundancy: float
    twin: int | None
    decay: float
    worth: float
    rank: int
    of: int


@dataclass(slots=True)
class _Columns:
    """One array a field, one row an entry; free rows are worth infinity."""

    dim: int
    size: int = 64
    entry: NDArray[np.int64] = field(init=False)
    stream: NDArray[np.int32] = field(init=False)
    place: NDArray[np.int32] = field(init=False)
    order: NDArray[np.int64] = field(init=False)
    key: NDArray[np.int8] = field(init=False)
    scale: NDArray[np.float32] = field(init=False)
    surprise: NDArray[np.float64] = field(init=False)
    energy: NDArray[np.float32] = field(init=False)
    first_energy: NDArray[np.float32] = field(init=False)
    last_s: NDArray[np.float64] = field(init=False)
    strength: NDArray[np.float64] = field(init=False)
    met: NDArray[np.int64] = field(init=False)
    level: NDArray[np.int8] = field(init=False)
    picture: NDArray[np.int64] = field(init=False)
    words: NDArray[np.int64] = field(init=False)
    pinned: NDArray[np.bool_] = field(init=False)
    twin: NDArray[np.int64] = field(init=False)
    cosine: NDArray[np.float32] = field(init=False)
    used: NDArray[np.bool_] = field(init=False)
    informed: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        kinds = {
            "entry": np.int64, "stream": np.int32, "place": np.int32, "order": np.int64, "scale": np.float32,
            "surprise": np.float64, "last_s": np.float64,
            "strength": np.float64, "met": np.int64, "level": np.int8, "picture": np.int64, "words": np.int64,
            "pinned": np.bool_, "twin": np.int64, "cosine": np.float32, "used": np.bool_, "informed": np.bool_,
        }  # fmt: skip
        for name, kind in kinds.items():
            setattr(self, name, np.zeros(self.size, kind))
        self.key = np.zeros((self.size, self.dim), np.int8)
        self.energy = np.zeros((self.size, 2), np.float32)
        self.first_energy = np.zeros((self.size, 2), np.float32)

    def grow(self) -> None:
        """Make room for twice as many rows."""
        for name in self.__slots__:
            column = getattr(self, name)
            if isinstance(column, np.ndarray):
                setattr(self, name, np.concatenate([column, np.zeros_like(column)]))
        self.size *= 2


class Bank:
    """All entries of one memory as columns.

    Args:
        dim: Length D of a key.
        config: See BankConfig.
        utility: What was learned so far; a new one by default.
        row_bytes: What an entry takes without vectors, words and picture, about.
        vectors: How many vectors are kept of an entry.
        by_signs: Whether vectors may be reduced to their signs.
    """

    def __init__(
        self,
        dim: int,
        config: BankConfig | None = None,
        utility: Utility | None = None,
        *,
        row_bytes: int = ROW_BYTES,
        vectors: int = 2,
        by_signs: bool = True,
    ) -> None:
        self.config = config or BankConfig()
        self._row_bytes, self._vectors = row_bytes, vectors
        self._by_signs = by_signs
        self.utility = utility or Utility(dim)
        learned_s, learned_power = self.utility.fade
        self._fade_s = learned_s if self.config.fade_s is None else self.config.fade_s
        self._fade_power = learned_power if self.config.fade_power is None else self.config.fade_power
        self.chooser = Chooser()
        self.events = 0
        self._columns = _Columns(dim)
        self._row: dict[int, int] = {}
        self._free = list(range(63, -1, -1))
        self._streams: dict[str, int] = {}
        self._now: dict[int, float] = {}
        self._adds = 0
        self._alike = np.zeros(3)  # pairs of keys compared by chance, their cosines summed up, and squared
        self._same_at, self._alike_at = self.config.most_same, self.config.least_same
        self.picture_bytes = 0

    def __len__(self) -> int:
        return len(self._row)

    def __contains__(self, entry: int) -> bool:
        return entry in self._row

    def ids(self) -> list[int]:
        """Ids of all entries."""
        return list(self._row)

    @property
    def thresholds(self) -> tuple[float, float]:
        """Cosines at which keys begin to be redundant, and are the same."""
        return self._alike_at, self._same_at

    # events in -------------------------------------------------------------------------------------------

    def match(self, stream: str, place: int, key_D: FloatArray, t0_s: float) -> Match | None:
        """Look for an event among the entries, and learn from what is found.

        Args:
            stream: Of the event.
            place: Of the event.
            key_D: float32 [D], its key.
            t0_s: When it began.

        Returns:
            The entry of its stream that it is most like; None where there is none to compare with.
        """
        columns = self._columns
        found = None
        again = False
        rows = self._recent_rows()
        if len(rows):
            cosines = self._cosines(rows, key_D)
            self._alike += (len(rows), float(cosines.sum()), float(np.square(cosines).sum()))
            own = columns.stream[rows] == self._streams.get(stream, -1)
            best = int(np.argmax(cosines))
            met_s = t0_s - columns.last_s[rows[best]] if own[best] else math.inf
            again = bool(cosines[best] >= self._same_at and met_s > self.config.again_s)
            if again:
                self._probe(int(rows[best]))
            if own.any():
                best = int(np.argmax(np.where(own, cosines, -2)))
                row, cosine = int(rows[best]), float(cosines[best])
                same = cosine >= self._same_at and columns.place[row] == place and columns.level[row] < Level.WORDS
                apart = t0_s - columns.last_s[row] > self.config.again_s
                found = Match(int(columns.entry[row]), cosine, same, apart and cosine >= self._same_at)
        self.utility.learn(key_D, again=again)
        self.events += 1
        if self.events % REFRESH_EVENTS == 0:
            self.refresh()
        return found

    def add(self, slot: Slot) -> None:
        """Take up an entry, the newest of all."""
        if not self._free:
            self._free = list(range(2 * self._columns.size - 1, self._columns.size - 1, -1))
            self._columns.grow()
        columns, row = self._columns, self._free.pop()
        stream = self._streams.setdefault(slot.stream, len(self._streams))
        self._row[slot.entry_id] = row
        self._adds += 1
        columns.entry[row], columns.stream[row], columns.place[row] = slot.entry_id, stream, slot.place
        columns.order[row], columns.surprise[row] = self._adds, max(slot.utility, MIN_UTILITY)
        columns.last_s[row], columns.strength[row], columns.met[row] = slot.last_s, slot.strength, slot.met
        columns.level[row], columns.pinned[row] = slot.level, slot.pinned
        columns.picture[row], columns.words[row] = slot.jpeg_bytes, slot.words_bytes
        columns.twin[row], columns.cosine[row], columns.used[row] = -1, -1.0, True
        columns.key[row], columns.scale[row], columns.informed[row] = 0, 0.0, self.utility.knows
        self.picture_bytes += slot.jpeg_bytes
        self._now[stream] = max(self._now.get(stream, -math.inf), slot.last_s)
        if slot.key_D is None:
            return
        scale = float(np.abs(slot.key_D).max(initial=0.0)) / 127 or 1.0
        columns.key[row], columns.scale[row] = np.rint(slot.key_D / scale), scale
        columns.energy[row] = columns.first_energy[row] = self.utility.energies(slot.key_D[None])[0]
        self._pair(row)

    def load(self, slots: Iterable[Slot]) -> None:
        """Take up many entries at once, each stream in the order of its events, and pair them blockwise."""
        for slot in slots:
            self.add(replace(slot, key_D=None))
            if slot.key_D is not None:
                row = self._row[slot.entry_id]
                scale = float(np.abs(slot.key_D).max(initial=0.0)) / 127 or 1.0
                self._columns.key[row], self._columns.scale[row] = np.rint(slot.key_D / scale), scale
        columns = self._columns
        rows = np.flatnonzero(columns.used & (columns.scale > 0))
        rows = rows[np.argsort(columns.order[rows], kind="stable")]
        for start in range(0, len(rows), _LOAD_BLOCK):
            block = rows[start : start + _LOAD_BLOCK]
            self._pair_block(block, rows[max(0, start - _LOAD_BLOCK) : start + _LOAD_BLOCK])

    def touch(self, entry: int, *, last_s: float, met: int = 0, strength: float | None = None) -> None:
        """Note that an entry was seen at a later time, so many times more."""
        columns, row = self._columns, self._row[entry]
        stream = int(columns.stream[row])
        columns.last_s[row] = max(columns.last_s[row], last_s)
        columns.met[row] += met
        if strength is not None:
            columns.strength[row] = strength
        self._now[stream] = max(self._now.get(stream, -math.inf), last_s)

    def met(self, entry: int) -> int:
        """How often an entry was seen."""
        return int(self._columns.met[self._row[entry]])

    def pin(self, entry: int, pinned: bool) -> None:
        """Never give up an entry, or do so like any other."""
        self._columns.pinned[self._row[entry]] = pinned

    # room out ---------------------------------------------------------------------------------------------

    def next_step(self) -> Step | None:
        """The step that costs the least worth for its bytes, of equal ones that of the smallest id.

        Returns:
            None where nothing is left that may be given up.
        """
        columns = self._columns
        rows = np.flatnonzero(columns.used & ~columns.pinned)
        if not len(rows):
            return None
        worth, redundancy = self._worths(rows), self._redundancy(rows)
        target, freed, share = self._next_levels(rows)
        merged = redundancy >= MAX_REDUNDANCY
        everything = self._vector_bytes(columns.level[rows]) + self._row_bytes + columns.picture[rows]
        cost = np.where(merged, worth / (everything + columns.words[rows]), worth * share / np.maximum(freed, 1))
        lowest = np.flatnonzero(cost == cost.min())
        at = int(lowest[np.argmin(columns.entry[rows[lowest]])])
        entry = int(columns.entry[rows[at]])
        told = float(worth[at]), float(redundancy[at])
        if merged[at]:
            return Step(entry, None, self._twin(int(rows[at])), *told)
        return Step(entry, Level(target[at]) if target[at] <= Level.WORDS else None, None, *told)

    def _next_levels(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], Doubles]:
        """Level that each row falls to next (beyond the last: nothing stays), bytes freed, share of worth lost."""
        columns, dim = self._columns, self._columns.key.shape[1]
        level, picture, words = columns.level[rows], columns.picture[rows], columns.words[rows]
        vectors, gone = self._vector_bytes(level), int(Level.WORDS) + 1
        by_signs = min(0.5, _SIGN_SHARE * sign_error(dim)) * _SHARES[Level.VECTORS]
        # by the first case that holds, in the order of the levels
        cases = [
            (level == Level.FULL) & (picture > 2 * SMALL_BYTES),
            picture > 0,
            (level <= Level.VECTORS) & self._by_signs,
            (level < Level.WORDS) & (words > 0),
        ]
        signs_bytes = self._vector_bytes(np.array([Level.SIGNS]))
        target = np.select(cases, [Level.SMALL, Level.VECTORS, Level.SIGNS, Level.WORDS], gone)
        freed = np.select(
            cases,
            [picture - SMALL_BYTES, picture, vectors - signs_bytes, vectors],
            vectors + self._row_bytes + words,
        )
        left = _SHARES[Level.VECTORS] - by_signs * (level == Level.SIGNS)
        share = np.select(
            cases,
            [_SHARES[Level.FULL], _SHARES[Level.SMALL], by_signs, left],
            np.where(level == Level.WORDS, 0.0, left) + _SHARES[Level.WORDS],
        )
        return target.astype(np.int64), freed.astype(np.int64), share.astype(np.float64)

    def _vector_bytes(self, level: NDArray[np.integer]) -> NDArray[np.int64]:
        """Bytes of the vectors of an entry at each of some levels."""
        dim = self._columns.key.shape[1]
        each = np.zeros(int(Level.WORDS) + 1, np.int64)
        each[: Level.SIGNS], each[Level.SIGNS] = dim + 4, sign_bytes(dim)
        total: NDArray[np.int64] = self._vectors * each[level]
        return total

    def demote(self, entry: int, level: Level, jpeg_bytes: int) -> None:
        """Note that an entry keeps less of its evidence."""
        columns, row = self._columns, self._row[entry]
        self.picture_bytes += jpeg_bytes - int(columns.picture[row])
        columns.level[row], columns.picture[row] = level, jpeg_bytes
        if level == Level.SIGNS:
            key_D = signs(self._keys(np.array([row]))[0])
            columns.scale[row] = float(np.abs(key_D).max()) / 127
            columns.key[row] = np.where(key_D > 0, 127, -127)
        if level == Level.WORDS:
            columns.key[row], columns.scale[row], columns.energy[row] = 0, 0.0, 0.0
            self._unpair(row)

    def rekey(self, entry: int, key_D: FloatArray) -> None:
        """Give an entry another key."""
        columns, row = self._columns, self._row[entry]
        scale = float(np.abs(key_D).max(initial=0.0)) / 127 or 1.0
        columns.key[row], columns.scale[row] = np.rint(key_D / scale), scale
        columns.energy[row] = self.utility.energies(key_D[None])[0]
        self._unpair(row)
        self._pair(row)

    def remove(self, entry: int) -> None:
        """Drop an entry; those whose twin it was look for another."""
        row = self._row.pop(entry)
        self.picture_bytes -= int(self._columns.picture[row])
        self._columns.used[row] = False
        self._columns.key[row], self._columns.scale[row] = 0, 0.0
        self._unpair(row)
        self._free.append(row)

    # what is learned ----------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Fit what was learned to the entries that are held."""
        columns = self._columns
        rows = np.flatnonzero(columns.used & (columns.scale > 0))
        for start in range(0, len(rows), 4096):
            batch = rows[start : start + 4096]
            columns.energy[batch] = self.utility.energies(self._keys(batch))
        self.utility.level(columns.energy[rows])
        pairs, total, squares = self._alike
        if pairs >= REFRESH_EVENTS:
            mean = total / pairs
            spread = math.sqrt(max(squares / pairs - mean**2, 1e-6))
            config = self.config
            self._same_at = min(config.most_same, max(config.least_same, mean + config.same * spread))
            self._alike_at = self._same_at - (config.same - config.alike) * spread

    def relearn(self) -> None:
        """Learn again from the entries that are held alone, in the order in which they came."""
        self.utility.clear()
        for entry in self.entries():
            row = self._row[entry]
            if self._columns.scale[row] > 0:
                self.utility.learn(self._keys(np.array([row]))[0], again=bool(self._columns.met[row] > 1))
        self.refresh()

    def learned(self) -> dict[str, bytes]:
        """What was learned from this memory's streams, to be kept with it."""
        numbers = [self.events, *self._alike, self._same_at, self._alike_at, *self.chooser.state()]
        return {
            "again": self.utility.again.dump(),
            "all": self.utility.all.dump(),
            "bank": np.asarray(numbers, "<f8").tobytes(),
        }

    def restore(self, learned: dict[str, bytes]) -> None:
        """Take up what `learned` gave."""
        for name, sketch in (("again", self.utility.again), ("all", self.utility.all)):
            if name in learned:
                sketch.load(learned[name])
        if "bank" in learned:
            numbers = np.frombuffer(learned["bank"], "<f8").tolist()
            self.events, self._alike = int(numbers[0]), np.asarray(numbers[1:4])
            self._same_at, self._alike_at = numbers[4:6]
            self.chooser.restore(numbers[6:])

    def explain(self, entry: int) -> Worth:
        """What an entry is worth now and why.

        Raises:
            KeyError: It is not held.
        """
        columns, row = self._columns, self._row[entry]
        rows = np.flatnonzero(columns.used)
        worths = self._worths(rows)
        at = int(np.flatnonzero(rows == row)[0])
        one = np.array([row])
        return Worth(
            surprise=float(columns.surprise[row]),
            learned=float(self.utility.of(columns.energy[one])[0]),
            arm=self._arm(),
            redundancy=float(self._redundancy(one)[0]),
            twin=self._twin(row),
            decay=float(self._decay(one)[0]),
            worth=float(worths[at]),
            rank=1 + int((worths > worths[at]).sum()),
            of=len(rows),
        )

    def worths(self, entries: Iterable[int]) -> Doubles:
        """What some entries are worth now, in the order given."""
        return self._worths(np.array([self._row[entry] for entry in entries], np.int64))

    def _arm(self) -> str:
        return self.chooser.best() if self.config.arm == "choose" else self.config.arm

    def _worths(self, rows: NDArray[np.int64]) -> Doubles:
        columns = self._columns
        utility = self.chooser.value(self._arm(), columns.surprise[rows], self.utility.of(columns.energy[rows]))
        worths: Doubles = utility * (1 - self._redundancy(rows)) * self._decay(rows)
        return worths

    def _redundancy(self, rows: NDArray[np.int64]) -> Doubles:
        width = max(self._same_at - self._alike_at, 1e-6)
        excess: Doubles = (self._columns.cosine[rows].astype(np.float64) - self._alike_at) / width
        return np.clip(excess, 0, 1) * MAX_REDUNDANCY

    def _decay(self, rows: NDArray[np.int64]) -> Doubles:
        columns = self._columns
        now = np.zeros(len(self._streams) + 1)
        for stream, time_s in self._now.items():
            now[stream] = time_s
        age = np.maximum(now[columns.stream[rows]] - columns.last_s[rows], 0)
        decay: Doubles = (1 + age / (self._fade_s * columns.strength[rows])) ** -self._fade_power
        return decay

    def _probe(self, row: int) -> None:
        """An entry was met again: let the chooser see where each arm had it among all, before that was known."""
        columns = self._columns
        if columns.met[row] == 1 and columns.informed[row]:
            rows = np.flatnonzero(columns.used & columns.informed)
            self.chooser.probe(
                columns.surprise[rows],
                self.utility.of(columns.first_energy[rows]),
                int(np.flatnonzero(rows == row)[0]),
            )

    # neighbours ---------------------------------------------------------------------------------------------

    def _recent_rows(self) -> NDArray[np.int64]:
        """Rows with a key, the newest `window` of them."""
        columns = self._columns
        oldest = self._adds - self.config.window
        return np.flatnonzero(columns.used & (columns.scale > 0) & (columns.order > oldest))

    def _keys(self, rows: NDArray[np.int64]) -> FloatArray:
        return self._columns.key[rows].astype(np.float32) * self._columns.scale[rows, None]

    def _cosines(self, rows: NDArray[np.int64], key_D: FloatArray) -> FloatArray:
        return (self._columns.key[rows].astype(np.float32) @ key_D) * self._columns.scale[rows]

    def _cosines_of(self, row: int, rows: NDArray[np.int64]) -> FloatArray:
        """Cosines of the key of one row with those of others."""
        cosines = self._cosines(rows, self._keys(np.array([row]))[0])
        mended: FloatArray = self._of_signs(cosines[None], np.array([row]), rows)[0]
        return mended

    def _of_signs(self, cosines: FloatArray, these: NDArray[np.int64], those: NDArray[np.int64]) -> FloatArray:
        """Mend the cosines [N, M] between keys of which both kept their signs alone.

        The cosine of two sign vectors is 2 / pi asin(c) where that of the vectors was c (Charikar 2002).
        """
        columns = self._columns
        one, other = columns.level[these] == Level.SIGNS, columns.level[those] == Level.SIGNS
        if one.any() and other.any():
            length = 127 * np.sqrt(columns.key.shape[1])
            at = np.ix_(one, other)
            sizes = length**2 * np.outer(columns.scale[these[one]], columns.scale[those[other]])
            cosines[at] = np.sin(np.pi / 2 * np.clip(cosines[at] / np.maximum(sizes, 1e-9), -1, 1))
        return cosines

    def _pair(self, row: int) -> None:
        """Find the twin of an entry, and let those that it is nearer to than theirs have it."""
        columns = self._columns
        rows = self._recent_rows()
        rows = rows[(columns.stream[rows] == columns.stream[row]) & (rows != row)]
        if not len(rows):
            return
        cosines = self._cosines_of(row, rows)
        best = int(np.argmax(cosines))
        columns.twin[row], columns.cosine[row] = rows[best], cosines[best]
        nearer = rows[cosines > columns.cosine[rows]]
        columns.twin[nearer], columns.cosine[nearer] = row, cosines[cosines > columns.cosine[rows]]

    def _pair_block(self, block: NDArray[np.int64], others: NDArray[np.int64]) -> None:
        """Let each row of a block, and of the others, have its nearest among the two."""
        columns = self._columns
        cosines = self._of_signs(self._keys(block) @ self._keys(others).T, block, others)
        cosines[columns.stream[block][:, None] != columns.stream[others][None]] = -2
        cosines[block[:, None] == others[None]] = -2
        for these, those, table in ((block, others, cosines), (others, block, cosines.T)):
            best = table.argmax(axis=1)
            value = table[np.arange(len(these)), best]
            nearer = value > np.maximum(columns.cosine[these], -1)
            columns.twin[these[nearer]], columns.cosine[these[nearer]] = those[best[nearer]], value[nearer]

    def _unpair(self, row: int) -> None:
        columns = self._columns
        columns.twin[row], columns.cosine[row] = -1, -1.0
        for other in np.flatnonzero(columns.used & (columns.twin == row)):
            columns.twin[other], columns.cosine[other] = -1, -1.0
            self._find_twin(int(other))

    def _find_twin(self, row: int) -> None:
        columns = self._columns
        rows = self._recent_rows()
        rows = rows[(columns.stream[rows] == columns.stream[row]) & (rows != row)]
        if len(rows):
            cosines = self._cosines_of(row, rows)
            best = int(np.argmax(cosines))
            columns.twin[row], columns.cosine[row] = rows[best], cosines[best]

    def _twin(self, row: int) -> int | None:
        twin = int(self._columns.twin[row])
        return int(self._columns.entry[twin]) if twin >= 0 else None

    def entries(self) -> Iterator[int]:
        """Ids, the oldest first."""
        rows = np.flatnonzero(self._columns.used)
        for row in rows[np.argsort(self._columns.order[rows])]:
            yield int(self._columns.entry[row])


def join_spans(spans: list[Span]) -> list[Span]:
    """The spans that one entry keeps of a thing: first, latest, and the two in between that stand most alone.

    Spans that touch or overlap become one; the rest are whole or dropped, never averaged.
    """
    joined = union_of(spans)
    while len(joined) > MAX_SPANS:
        middle = range(1, len(joined) - 1)
        alone = [min(joined[i].t0_s - joined[i - 1].t1_s, joined[i + 1].t0_s - joined[i].t1_s) for i in middle]
        del joined[1 + int(np.argmin(alone))]
    return joined


def union_of(spans: list[Span]) -> list[Span]:
    """All times of some spans: those that touch or overlap become one."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.t0_s, s.t1_s)):
        if joined and span.t0_s <= joined[-1].t1_s:
            last = joined[-1]
            joined[-1] = Span(
                t0_s=last.t0_s, t1_s=max(last.t1_s, span.t1_s), known_s=max(last.known_s, span.known_s)
            )
        else:
            joined.append(span)
    return joined
