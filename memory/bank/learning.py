"""What a bank learns of its events, and what of all that it holds is to be kept, so that it can go on from there.

Between two refreshes, what is learned grows by the key of each event; energies and thresholds are measured against
what was known at the last refresh. So it suffices to keep what was known then, the keys since, and a few numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from hippocam.memory.bank.chooser import ARMS, Chooser
from hippocam.memory.bank.columns import Columns, Rows
from hippocam.memory.bank.state import BankChange, BankState, Keys, Lesson, short
from hippocam.memory.bank.thresholds import Thresholds
from hippocam.stream.records import FloatArray

# Events after which what is learned is fitted anew, and entries from which on more: it takes time in proportion to
# these.
REFRESH_EVENTS = 64
_REFRESH_ENTRIES = 4096
# Entries like the newest whose bytes are counted as taken at most: those that came while there was room cost none.
_MOST_TAKEN = 64
# Keys whose energies are measured in one batch.
_BATCH = 4096
# How many numbers each part of the state takes.
_THRESHOLDS, _CHOOSER, _LEVELS = 5, 1 + len(ARMS), 4


class Utility(Protocol):
    """Learns which keys are worth keeping."""

    levels: list[float]

    def clear(self) -> None:
        """Go back to what was trained."""

    def learn(self, key_D: FloatArray, *, again: bool) -> Keys:
        """Take in the key of an event; return it as it was taken in."""

    def take_in(self, key: Keys, *, again: bool) -> None:
        """Take in a key that `learn` gave."""

    def energies(self, keys_ND: FloatArray) -> FloatArray:
        """Trained and own energy of each key, float32 [N, 2]."""

    def trained_energies(self, keys_ND: FloatArray) -> FloatArray:
        """Trained energy of each key, float32 [N]."""

    def fit(self) -> None:
        """From now on let `fitted_energies` go by what was learned up to here."""

    def fitted_energies(self, keys: Keys) -> FloatArray:
        """Own energy of each key by what was learned up to the last `fit`, float32 [N]."""

    def level(self, energies_N2: FloatArray) -> None:
        """Measure utility against these energies."""

    def sketches(self) -> dict[str, bytes]:
        """What was learned, to be kept."""

    def restore(self, sketches: Mapping[str, bytes]) -> None:
        """Go on from what `sketches` gave."""


class Learning:
    """Learns from events, and fits what was learned to the entries that are held.

    Args:
        columns: The entries.
        utility: Which keys are worth keeping.
        thresholds: From which cosine keys are the same.
        chooser: Which rule of utility to trust.

    Attributes:
        events: How many events there were so far.
        given_up: Steps that were taken to make room since the last event, and about how many more bytes such steps
            have freed than events took.
    """

    def __init__(self, columns: Columns, utility: Utility, thresholds: Thresholds, chooser: Chooser) -> None:
        self._columns = columns
        self._utility = utility
        self._thresholds = thresholds
        self._chooser = chooser
        self.events = 0
        self.given_up = (0, 0)
        self._refreshed = 0  # how many entries had been added at the last refresh
        self._lessons = list[Lesson]()  # since the changes were taken
        self._counted = 0  # lessons since the last refresh
        self._sketches: Mapping[str, bytes] | None = None  # as a refresh left them, until the changes are taken
        self._numbers = b""  # as they were when the changes were taken

    def take_in(self, key_D: FloatArray, *, again: bool) -> bool:
        """Learn from the key of an event, and whether the event was met before; return whether all was fitted."""
        self.learn(key_D, again=again)
        self.events += 1
        due = self.events % (REFRESH_EVENTS * max(1, len(self._columns) // _REFRESH_ENTRIES)) == 0
        if due:
            self.refresh()
        return due

    def take_up(self, new_bytes: int) -> None:
        """Count the bytes of a new entry as taken; those of a few entries are counted at most, or were freed."""
        most_bytes = _MOST_TAKEN * new_bytes
        self.given_up = 0, min(max(self.given_up[1], -most_bytes), most_bytes) - new_bytes

    def learn(self, key_D: FloatArray, *, again: bool) -> None:
        """Learn from a key, float32 [D], that is no event."""
        self._counted += 1
        self._lessons.append(Lesson(self._utility.learn(key_D, again=again), again, self._counted))

    def relearn(self) -> None:
        """Learn again from only the entries that are held, in the order in which they came."""
        columns = self._columns
        self._utility.clear()
        for row in columns.oldest_first(columns.rows_with_key()):
            again = bool(columns.met[row] > 1 or columns.uses[row] > 0)
            self._utility.learn(columns.keys(np.array([row]))[0], again=again)
        self._lessons = []
        self.refresh()

    def refresh(self) -> None:
        """Fit what was learned to the entries that are held."""
        columns = self._columns
        self._utility.fit()
        rows = columns.rows_with_key()
        self._measure(rows)
        self._utility.level(columns.energy[rows])
        self._thresholds.fit()
        self._refreshed, self._sketches, self._counted = columns.added, self._utility.sketches(), 0

    def measure_again(self, rows: Rows, *, rekeyed: bool = False) -> None:
        """Measure entries whose keys are others now; with `rekeyed`, as if they were new."""
        columns = self._columns
        known = columns.order[rows] <= self._refreshed
        if rekeyed:
            energies = short(self._utility.energies(columns.keys(rows)))
            columns.energy[rows] = energies
            columns.first_energy[rows, 0] = energies[:, 0]
            columns.first_energy[rows[~known], 1] = energies[~known, 1]
            columns.changed.update(rows.tolist())
        self._measure(rows[known])

    def _measure(self, rows: Rows) -> None:
        """Measure own energies of entries by what was known at the last refresh."""
        columns = self._columns
        for start in range(0, len(rows), _BATCH):
            batch = rows[start : start + _BATCH]
            columns.energy[batch, 1] = self._utility.fitted_energies(
                Keys(columns.key[batch], columns.scale[batch])
            )

    # what is kept ------------------------------------------------------------------------------------------

    def take_changes(self, blocks: Mapping[int, bytes]) -> BankChange:
        """What has changed since the last call, with the blocks of rows that did."""
        numbers, lessons, sketches = self._told(), self._lessons, self._sketches
        change = BankChange(
            numbers=None if numbers == self._numbers else numbers,
            sketches=sketches,
            lessons=lessons,
            counted=self._counted,
            blocks=blocks,
        )
        self._numbers, self._lessons, self._sketches = numbers, [], None
        return change

    def restore(self, state: BankState, *, laid_out: bool) -> bool:
        """Go on from a state.

        Args:
            state: What was kept.
            laid_out: Whether the entries have the rows of this state.

        Returns:
            Whether the entries are measured as they were; else `begin_anew` must be called.
        """
        columns, numbers = self._columns, np.frombuffer(state.numbers or b"", "<f8").tolist()
        self._lessons, self._sketches = [], None
        self._counted = max((lesson.number for lesson in state.lessons), default=0)
        self._utility.restore(state.sketches)
        if numbers:
            self.events = int(numbers.pop(0))
            self._thresholds.restore(numbers[:_THRESHOLDS])
            self._chooser.restore(numbers[_THRESHOLDS:][:_CHOOSER])
        numbers = numbers[_THRESHOLDS + _CHOOSER :]
        exact = bool(laid_out and numbers)
        if exact:
            self._utility.levels = numbers[:_LEVELS]
            columns.added, self._refreshed, *given_up = map(int, numbers[_LEVELS:])
            self.given_up = given_up[0], given_up[1]
            rows = columns.rows_with_key()
            self._measure(rows[columns.order[rows] <= self._refreshed])
        for lesson in state.lessons:
            self._utility.take_in(lesson.key, again=lesson.again)
        self._numbers = self._told()
        return exact

    def begin_anew(self) -> None:
        """Measure entries of which nothing but their rows is known, as in a memory of an older format."""
        columns = self._columns
        rows = columns.all_rows()
        columns.energy[rows, 0] = short(self._utility.trained_energies(columns.keys(rows)))
        self.refresh()
        columns.first_energy[rows] = short(columns.energy[rows])

    def _told(self) -> bytes:
        told = [
            self.events,
            *self._thresholds.state(),
            *self._chooser.state(),
            *self._utility.levels,
            self._columns.added,
            self._refreshed,
            *self.given_up,
        ]
        return np.asarray(told, "<f8").tobytes()
