"""What can be wrong with a memory."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hippocam.memory.store.schema import SUMMED

# Tables of which a damaged row is given up; of the others it stays as it is found.
GIVEN_UP = frozenset(SUMMED) - {"meta", "stream"}


class Kind(StrEnum):
    """What a problem is of."""

    DATABASE = "database"  # its pages, its tables
    ROW = "row"
    WORDS = "words"  # the full text
    PICTURE = "picture"
    BUDGET = "budget"
    PENDING = "pending"
    LEFTOVER = "leftover"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that is not as it should be.

    Attributes:
        kind: What it is of.
        what: What was found, in a line.
        repair: What a repair does about it.
    """

    kind: Kind
    what: str
    repair: str
