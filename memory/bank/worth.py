"""What entries are worth: utility x (1 - redundancy) x decay.

Utility joins an entry's surprise with what was learned (utility.py, chooser.py), and grows with the logarithm of
the times that the entry was used as evidence: what was asked for is asked for again. Redundancy rises as its
nearest neighbour among the keys of its stream comes nearer than chance explains; decay falls with the time since
it was last met, and slower the stronger it is.

Shapes: N rows.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.bank.chooser import Chooser
from hippocam.memory.bank.columns import Columns, Rows
from hippocam.memory.bank.thresholds import Thresholds
from hippocam.stream.records import FloatArray

Doubles = NDArray[np.float64]

# Redundancy takes no more than this: of two entries that are the same, one is still worth something.
MAX_REDUNDANCY = 0.95
# Among so many entries, and less than twice as many, the chooser sees where one was ranked: to a hundredth.
_RANKED = 2048
# By how much the first use as evidence raises an entry's utility; the third does so once more, then the seventh.
_USED = 0.5


class Worth(NamedTuple):
    """What an entry is worth now and why.

    Attributes:
        surprise: Its surprise over that of its stream's usual event.
        learned: How much it looks like what is met again, 0 to 1.
        arm: Which of the two, or their product, is its utility now.
        used: Factor on that for its uses as evidence; 1 for an entry that was never used.
        redundancy: Share of it which its twin holds too, 0 to 0.95.
        twin: Id of its nearest neighbour, None where there is none.
        decay: What time has left of it, 0 to 1.
        worth: The product of all this.
        rank: 1 for the entry that is worth most.
        of: How many entries are ranked.
    """

    surprise: float
    learned: float
    arm: str
    used: float
    redundancy: float
    twin: int | None
    decay: float
    worth: float
    rank: int
    of: int


class LearnedUtility(Protocol):
    """Tells which keys are worth keeping, as far as was learned."""

    def of(self, energies_N2: FloatArray) -> Doubles:
        """Utility for energies, 0 to 1."""


class Appraiser:
    """Says what entries are worth.

    Args:
        columns: The entries.
        thresholds: From which cosines keys are redundant.
        utility: What was learned of keys.
        arm: As in BankConfig.
        fade_s: As in BankConfig.
        fade_power: As in BankConfig.
    """

    def __init__(
        self,
        columns: Columns,
        thresholds: Thresholds,
        utility: LearnedUtility,
        *,
        arm: str,
        fade_s: float,
        fade_power: float,
    ) -> None:
        self._columns = columns
        self._thresholds = thresholds
        self._utility = utility
        self._arm = arm
        self._fade_s, self._fade_power = fade_s, fade_power
        self.chooser = Chooser()

    def worths(self, rows: Rows) -> Doubles:
        """What some rows are worth now."""
        columns = self._columns
        learned_N = self._utility.of(columns.energy[rows])
        utility_N = self.chooser.value(self.arm(), columns.surprise[rows], learned_N)
        utility_N = utility_N * self._used(rows)
        worths: Doubles = utility_N * (1 - self.redundancy(rows)) * self._decay(rows)
        return worths

    def redundancy(self, rows: Rows) -> Doubles:
        """Share of each row's worth which its twin holds too, 0 to 0.95."""
        width = max(self._thresholds.same - self._thresholds.alike, 1e-6)
        cosines = self._columns.twin_cosine[rows].astype(np.float64)
        excess: Doubles = (cosines - self._thresholds.alike) / width
        return np.clip(excess, 0, 1) * MAX_REDUNDANCY

    def arm(self) -> str:
        """The rule of utility in force now."""
        return self.chooser.best() if self._arm == "choose" else self._arm

    def explain(self, row: int, twin: int | None) -> Worth:
        """What a row is worth now and why.

        Args:
            row: Row of the entry.
            twin: Id of its twin.
        """
        columns, rows, one = self._columns, self._columns.all_rows(), np.array([row])
        worths = self.worths(rows)
        index = int(np.flatnonzero(rows == row)[0])
        return Worth(
            surprise=float(columns.surprise[row]),
            learned=float(self._utility.of(columns.energy[one])[0]),
            arm=self.arm(),
            used=float(self._used(one)[0]),
            redundancy=float(self.redundancy(one)[0]),
            twin=twin,
            decay=float(self._decay(one)[0]),
            worth=float(worths[index]),
            rank=1 + int((worths > worths[index]).sum()),
            of=len(rows),
        )

    def met_again(self, row: int) -> None:
        """Show the chooser where each rule had ranked an entry that is met again, before that was known.

        Only the first time counts, and only where utility was known when the entry was new.
        """
        columns = self._columns
        if columns.met[row] == 1 and columns.informed[row]:
            rows = columns.spread(_RANKED)
            rows = rows[columns.informed[rows] & (rows != row)]
            rows = np.insert(rows, np.searchsorted(rows, row), row)
            learned_N = self._utility.of(columns.first_energy[rows])
            self.chooser.probe(columns.surprise[rows], learned_N, int(np.searchsorted(rows, row)))

    def _used(self, rows: Rows) -> Doubles:
        used: Doubles = 1 + _USED * np.log2(1 + self._columns.uses[rows])
        return used

    def _decay(self, rows: Rows) -> Doubles:
        columns = self._columns
        age_s = np.maximum(columns.streams.ends_s()[columns.stream[rows]] - columns.last_s[rows], 0)
        decay: Doubles = (1 + age_s / (self._fade_s * columns.strength[rows])) ** -self._fade_power
        return decay
