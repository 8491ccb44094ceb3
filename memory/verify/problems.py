"""What can be wrong with a memory."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hippocam.memory.store.schema import SUMMED

# Tables whose damaged rows are given up; in the others they stay as they are found.
GIVEN_UP = frozenset(SUMMED) - {"meta", "stream"}


class Kind(StrEnum):
    """Which part of a memory a problem is in."""

    DATABASE = "database"  # its pages, its tables
    ROW = "row"
    TOTAL = "total"  # how many rows a table has
    WORDS = "words"  # the full text
    PICTURE = "picture"
    BUDGET = "budget"
    PENDING = "pending"
    LEFTOVER = "leftover"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that is not as it should be.

    Attributes:
        kind: Which part of the memory it is in.
        what: What was found, in a line.
        repair: What a repair does about it.
    """

    kind: Kind
    what: str
    repair: str
