"""How one record leads to the next."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Link(StrEnum):
    """How one record leads to the next."""

    FOUND = "found"
    SAME_THING = "same thing, before"


class Step(NamedTuple):
    """A record on the way to an answer.

    Attributes:
        link: How it was come by.
        stream: Which stream.
        t0_s: Its start.
        t1_s: Its end.
    """

    link: Link
    stream: str
    t0_s: float
    t1_s: float
