"""The long-term bank as consolidation sees it: which entry is met again, and which gives up what next.

When room is needed, the next step is the one that costs the least worth (worth.py) for the bytes that it frees
(ladder.py). An entry whose twin (twins.py) is as good as itself is merged into it: the twin takes over its spans,
so that no time is lost. Three things are learned on the way and kept with the memory: from which cosine keys are
the same (thresholds.py), which keys are worth keeping (utility.py), and which rule of utility to trust
(chooser.py).

Nothing here reads or writes a file; whoever owns the bank carries the steps out, and keeps what `take_changes`
gives, with which a bank that is loaded again goes on as this one would (state.py).

Shapes: N entries, D embedding dimension.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.bank.chooser import Chooser
from hippocam.memory.bank.codes import Codes, Signs
from hippocam.memory.bank.columns import Columns
from hippocam.memory.bank.config import BankConfig
from hippocam.memory.bank.ladder import ROW_BYTES, Ladder
from hippocam.memory.bank.learning import Learning
from hippocam.memory.bank.packing import lay_out, take_changed
from hippocam.memory.bank.ranking import Ranking
from hippocam.memory.bank.slots import Slots
from hippocam.memory.bank.state import BankChange, BankState, short
from hippocam.memory.bank.thresholds import Thresholds
from hippocam.memory.bank.twins import Compared, Twins
from hippocam.memory.bank.utility import Utility
from hippocam.memory.bank.worth import MAX_REDUNDANCY, Appraiser, Worth
from hippocam.memory.records import Level, Slot, id_of
from hippocam.stream.records import FloatArray

# Keys that are written at once when a bank is loaded.
_KEYS = 4096
# Surprise never falls to nothing, or redundancy would no longer matter.
_LEAST_SURPRISE = 0.05
# Columns that are as the entries' own rows tell them.
_TOLD = ("place", "last_s", "strength", "met", "uses", "level", "pinned", "short", "words_bytes")


class Step(NamedTuple):
    """What an entry gives up next.

    Attributes:
        entry_id: Its id.
        to: The level that it falls to; None if it is given up whole.
        short: Whether of its vectors only a short outline is kept.
        twin: Id of the entry that takes over its spans, None if none does.
        worth: What the entry was worth.
        redundancy: Share of that worth which its twin holds too, 0 to 0.95.
        freed_bytes: About how many bytes that frees, 1 or more.
    """

    entry_id: int
    to: Level | None
    short: bool
    twin: int | None
    worth: float
    redundancy: float
    freed_bytes: int


class Match(NamedTuple):
    """The entry that an event is most like.

    Attributes:
        entry_id: Its id.
        cosine: Between their keys.
        same: Whether they are the same thing in the same place, so that one entry holds both.
        again: Whether the thing was met again, after some time.
    """

    entry_id: int
    cosine: float
    same: bool
    again: bool


class Bank:
    """All entries of one memory.

    Args:
        dim: Length D of a key.
        config: See BankConfig.
        utility: What was learned so far; a new one by default.
        row_bytes: About how many bytes an entry takes without vectors, words and picture.
        block_bytes: The same of one whose vectors were reduced; None for as many.
        vectors: How many vectors each entry keeps.
        codes: What vectors are reduced to; None for signs.

    Attributes:
        learning: What it learns of its events.
        codes: As given.
        picture_bytes: What the pictures of all entries take.
    """

    def __init__(
        self,
        dim: int,
        config: BankConfig | None = None,
        utility: Utility | None = None,
        *,
        row_bytes: int = ROW_BYTES,
        block_bytes: int | None = None,
        vectors: int = 2,
        codes: Codes | None = None,
    ) -> None:
        self.config = config = config or BankConfig()
        self.utility = utility or Utility(dim)
        self.codes = codes = codes or Codes(Signs(dim))
        self.picture_bytes = 0
        learned_fade_s, learned_fade_power = self.utility.fade
        self._columns = Columns(dim)
        self._compared: Compared | None = None  # the newest event's key, until a key changes
        self._twins = Twins(self._columns, config.window)
        self._ladder = Ladder(
            self._columns,
            row_bytes=row_bytes,
            block_bytes=row_bytes if block_bytes is None else block_bytes,
            vectors=vectors,
            codes=codes,
        )
        self._thresholds = Thresholds(
            same_deviations=config.same,
            alike_deviations=config.alike,
            least_same=config.least_same,
            most_same=config.most_same,
        )
        self._appraiser = Appraiser(
            self._columns,
            self._thresholds,
            self.utility,
            arm=config.arm,
            fade_s=learned_fade_s if config.fade_s is None else config.fade_s,
            fade_power=learned_fade_power if config.fade_power is None else config.fade_power,
        )
        self._ranking = Ranking(self._columns, self._appraiser, self._ladder, merged_from=MAX_REDUNDANCY)
        self.learning = Learning(self._columns, self.utility, self._thresholds, self._appraiser.chooser)

    def __len__(self) -> int:
        return len(self._columns)

    def __contains__(self, entry_id: int) -> bool:
        return entry_id in self._columns

    def __iter__(self) -> Iterator[int]:
        """Ids of all entries, the oldest first."""
        columns = self._columns
        return iter(columns.entry_id[columns.oldest_first(columns.all_rows())].tolist())

    @property
    def chooser(self) -> Chooser:
        """Which rule of utility has proved itself."""
        return self._appraiser.chooser

    @property
    def thresholds(self) -> tuple[float, float]:
        """The cosine from which keys are redundant, and the one from which they are the same."""
        return self._thresholds.alike, self._thresholds.same

    # events and entries in -------------------------------------------------------------------------------

    def match(self, stream: str, place: int, key_D: FloatArray, t0_s: float) -> Match | None:
        """Look for an event among the entries, and learn from what is found.

        Args:
            stream: Stream of the event.
            place: Place of the event.
            key_D: float32 [D], its key.
            t0_s: When it began.

        Returns:
            The entry of its stream that it is most like; None if there is none to compare with.
        """
        columns = self._columns
        self._ranking.forget()
        found = None
        again = False
        rows = columns.window.rows(self.config.window)
        if len(rows):
            cosines = columns.cosines(rows, key_D)
            self._thresholds.observe(cosines)
            self._compared = Compared(key_D, rows, cosines)
            own = columns.stream[rows] == columns.streams.number(stream)
            best = int(np.argmax(cosines))
            pause_s = t0_s - columns.last_s[rows[best]] if own[best] else math.inf
            again = bool(cosines[best] >= self._thresholds.same and pause_s > self.config.again_s)
            if again:
                self._appraiser.met_again(int(rows[best]))
            if own.any():
                best = int(np.argmax(np.where(own, cosines, -2)))
                found = self._match_with(int(rows[best]), float(cosines[best]), place, t0_s)
        if self.learning.take_in(key_D, again=again):
            self._ranking.shorten()
        return found

    def _match_with(self, row: int, cosine: float, place: int, t0_s: float) -> Match:
        """Tell how the entry in a row relates to an event in a place."""
        columns, alike = self._columns, cosine >= self._thresholds.same
        same = alike and columns.place[row] == place and columns.level[row] < Level.WORDS
        apart = t0_s - columns.last_s[row] > self.config.again_s
        return Match(int(columns.entry_id[row]), cosine, bool(same), bool(apart and alike))

    def add(self, slot: Slot) -> None:
        """Add an entry, the newest of all."""
        self._ranking.forget()
        columns = self._columns
        row = columns.add(slot.entry_id, slot.stream)
        columns.first_seq[row] = slot.first_seq if id_of(slot.stream, slot.first_seq) == slot.entry_id else -1
        columns.surprise[row] = max(slot.utility, _LEAST_SURPRISE)
        columns.picture_bytes[row] = slot.jpeg_bytes
        for name in _TOLD:
            getattr(columns, name)[row] = getattr(slot, name)
        columns.see(row, slot.last_s)
        columns.informed[row] = self.utility.knows
        self.picture_bytes += slot.jpeg_bytes
        if slot.key_D is not None:
            columns.set_keys(np.array([row]), slot.key_D[None])
            columns.energy[row] = columns.first_energy[row] = short(self.utility.energies(slot.key_D[None])[0])
            self._twins.pair(row, self._compared)
        self._compared = None
        self.learning.take_up(self._ladder.new_bytes(slot))

    def load(
        self, slots: Slots, ends_s: Mapping[str, float] | None = None, state: BankState | None = None
    ) -> None:
        """Hold these entries and no others, and go on as the bank whose state this is; if it has none, anew.

        Args:
            slots: The entries.
            ends_s: Up to when each stream was watched.
            state: What was kept of what `take_changes` gave.
        """
        columns, state = self._columns, state or BankState()
        columns.clear()
        self._compared = None
        self._ranking.forget()
        self.picture_bytes = 0
        streams = dict(zip(slots.entry_id.tolist(), slots.stream, strict=True))
        laid_out = bool(state.blocks) and lay_out(columns, state.blocks, streams, trained=self.utility.trained)
        if not laid_out:
            for k in slots.by_stream():
                columns.add(int(slots.entry_id[k]), slots.stream[k])
        rows = self._fill(slots)[slots.keyed]
        for start in range(0, len(rows), _KEYS):
            columns.set_keys(rows[start : start + _KEYS], slots.keys[start : start + _KEYS])
        for stream, end_s in (ends_s or {}).items():
            columns.streams.reach(stream, end_s)
        if self.learning.restore(state, laid_out=laid_out):
            self._ranking.restore(state.sketches.get("few", b""))
        else:
            columns.informed[columns.all_rows()] = self.utility.knows
            self._twins.pair_all()
            self.learning.begin_anew()
            self._ranking.shorten()

    def _fill(self, slots: Slots) -> NDArray[np.int64]:
        """Write what the entries' own rows tell into rows of the bank; return these."""
        columns, ids = self._columns, slots.entry_id.tolist()
        rows = np.array([columns.row(entry_id) for entry_id in ids], np.int64)
        untold = columns.first_seq[rows] < 0  # by the state of a bank
        told = zip(ids, slots.stream, slots.first_seq.tolist(), strict=True)
        columns.first_seq[rows[untold]] = [
            seq if id_of(stream, seq) == entry_id else -1
            for entry_id, stream, seq in itertools.compress(told, untold.tolist())
        ]
        columns.surprise[rows] = np.maximum(slots.utility, _LEAST_SURPRISE)
        columns.picture_bytes[rows] = slots.jpeg_bytes
        for name in _TOLD:
            getattr(columns, name)[rows] = getattr(slots, name)
        columns.see_all(rows)
        self.picture_bytes += int(slots.jpeg_bytes.sum())
        return rows

    # changes of an entry ---------------------------------------------------------------------------------

    def touch(self, entry_id: int, *, last_s: float, met: int = 0, strength: float | None = None) -> None:
        """Note that an entry was seen at a later time, `met` times more."""
        columns, row = self._columns, self._columns.row(entry_id)
        self._ranking.forget()
        columns.last_s[row] = max(columns.last_s[row], last_s)
        columns.met[row] += met
        if strength is not None:
            columns.strength[row] = strength
        columns.see(row, last_s)

    def use(self, entry_id: int, *, strength: float) -> None:
        """Note that an entry was used as evidence: what is asked for was worth keeping, like what is met again."""
        columns, row = self._columns, self._columns.row(entry_id)
        self._ranking.forget()
        if not columns.uses[row]:
            self._appraiser.met_again(row)
        if columns.scale[row] > 0:
            self.learning.learn(columns.keys(np.array([row]))[0], again=True)
        columns.uses[row] += 1
        columns.strength[row] = strength

    def met(self, entry_id: int) -> int:
        """How often an entry was seen."""
        return int(self._columns.met[self._columns.row(entry_id)])

    def pin(self, entry_id: int, pinned: bool) -> None:
        """Never give up an entry, or do so like any other."""
        self._ranking.forget()
        self._columns.pinned[self._columns.row(entry_id)] = pinned

    def demote(
        self,
        entry_ids: Sequence[int],
        level: Level,
        *,
        jpeg_bytes: int = 0,
        reduced: Slots | None = None,
        short: bool = False,
    ) -> None:
        """Note that entries keep less of their evidence.

        Args:
            entry_ids: Their ids.
            level: What each keeps.
            jpeg_bytes: Bytes of its picture.
            reduced: The entries as they are then, in the same order; None to reduce their keys here.
            short: Whether of their vectors only a short outline is kept.
        """
        columns = self._columns
        rows = np.array([columns.row(entry_id) for entry_id in entry_ids], np.int64)
        self._compared = None
        self.picture_bytes += jpeg_bytes * len(rows) - int(columns.picture_bytes[rows].sum())
        columns.level[rows], columns.picture_bytes[rows], columns.short[rows] = level, jpeg_bytes, short
        if reduced is not None:
            columns.words_bytes[rows] = reduced.words_bytes
            columns.surprise[rows] = np.maximum(reduced.utility, _LEAST_SURPRISE)
        if level == Level.SIGNS:
            if reduced is not None:
                keys_ND = reduced.keys
            else:
                keys_ND = np.stack([self.codes.code(short=short).reduced(key_D) for key_D in columns.keys(rows)])
            columns.set_keys(rows, keys_ND)
            columns.tell_apart(rows)
            self.learning.measure_again(rows)
        if level == Level.WORDS:
            for row in rows.tolist():
                columns.clear_key(row)
            columns.tell_apart(rows)
            self._twins.unpair(rows)
            self._ranking.forget()
        self._ranking.again(rows)

    def rekey(self, entry_id: int, key_D: FloatArray) -> None:
        """Give an entry another key, float32 [D]."""
        self._compared = None
        columns, rows = self._columns, np.array([self._columns.row(entry_id)])
        self._ranking.forget()
        columns.set_keys(rows, key_D[None])
        columns.tell_apart(rows)
        self.learning.measure_again(rows, rekeyed=True)
        self._twins.unpair(rows)
        self._twins.pair(int(rows[0]))

    def delete(self, *entry_ids: int) -> None:
        """Delete entries, and find a new twin for each entry whose twin was one of them."""
        self._compared = None
        self._ranking.forget()
        rows = np.array([self._columns.delete(entry_id) for entry_id in entry_ids], np.int64)
        self.picture_bytes -= int(self._columns.picture_bytes[rows].sum())
        self._twins.unpair(rows)

    # what is given up next ---------------------------------------------------------------------------------

    def next_step(self) -> Step | None:
        """The step that costs the least worth for its bytes; among equals, that of the smallest id.

        Returns:
            None if nothing more may be given up.
        """
        return next(iter(self.next_steps(1, 1)), None)

    def next_steps(self, least_bytes: int, most: int) -> list[Step]:
        """The steps that cost the least worth for their bytes, to be taken at once; none where nothing may go.

        Args:
            least_bytes: About how many bytes they free, if there are so many.
            most: How many they are at most.
        """
        return [
            Step(
                entry_id=int(self._columns.entry_id[least.row]),
                to=least.to,
                short=least.short,
                twin=self._twins.of(least.row) if least.merges else None,
                worth=least.worth,
                redundancy=least.redundancy,
                freed_bytes=least.freed_bytes,
            )
            for least in self._ranking.least(least_bytes, most)
        ]

    def explain(self, entry_id: int) -> Worth:
        """What an entry is worth now and why.

        Raises:
            KeyError: It is not held.
        """
        row = self._columns.row(entry_id)
        return self._appraiser.explain(row, self._twins.of(row))

    def worths(self, entry_ids: Iterable[int]) -> NDArray[np.float64]:
        """What some entries are worth now, in the order given."""
        return self._appraiser.worths(np.array([self._columns.row(each) for each in entry_ids], np.int64))

    # what is learned -------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Fit what was learned to the entries that are held."""
        self.learning.refresh()
        self._ranking.shorten()

    def reach(self, stream: str, time_s: float) -> None:
        """Note that a stream was watched up to a time."""
        self._ranking.forget()
        self._columns.streams.reach(stream, time_s)

    def take_changes(self) -> BankChange:
        """What is to be kept so that a bank which is loaded with it goes on as this one, since the last call."""
        changed = take_changed(self._columns, trained=self.utility.trained)
        change = self.learning.take_changes(changed)
        if change.sketches is None:
            return change
        return replace(change, sketches={**change.sketches, "few": self._ranking.few()})
