"""What travels between the parts of `bench lifelog`.

Shapes: N sentences; D embedding dimension.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hippocam.apps.bench.policies.base import Bank
from hippocam.stream.records import FloatArray

# Intersection over union of a cited span with the true one, from which an answer is right.
LEAST_IOU = 0.5
# Seconds between the items that a memory on disk is given.
ITEM_S = 2.0
# One question in this many is asked before, when what it is about has just passed.
ASKED_EVERY = 10
# Bytes of a memory on disk, as `du -sb` counts them: without pressure, the targets, and the smallest there is.
DISK_BYTES = (40_000_000, 1_000_000, 400_000, 256_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one annotator said, by time.

    Attributes:
        texts: The sentences, N of them.
        t0_N: When what they say begins, in seconds of the lifelog, rising.
        t1_N: When it ends.
    """

    texts: tuple[str, ...]
    t0_N: NDArray[np.float64]
    t1_N: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifelog:
    """What happened, and what is asked of it.

    Attributes:
        seen: What happened.
        asked: What is asked; each has the time that it is about.
        seconds: How long all of it is.
    """

    seen: Told
    asked: Told
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """What a rule is shown, in order.

    Attributes:
        vectors_ND: float32 [N, D] of length 1.
        t0_N: Starts in seconds, rising.
        t1_N: Ends.
    """

    vectors_ND: FloatArray
    t0_N: NDArray[np.float64]
    t1_N: NDArray[np.float64]


Keeper = Callable[[Observations, int, int], Bank | None]
"""Shows observations to a rule with a budget in bytes and a seed; None where it would take too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Shares of the questions whose first answer is right, and one of whose first five is.

    Attributes:
        r1: Share with the first right.
        r5: Share with one of five right.
        bytes: The most that was held.
    """

    r1: float
    r5: float
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A memory's folder.

    Attributes:
        score: What it finds; its bytes are the most that `du -sb` would have counted.
        entries: Entries that it holds.
        items: Items that were written.
        write_us: Processor time of writing, microseconds an item.
        closed_bytes: What `du -sb` counts once it is closed.
        table_bytes: Pages of each table then, with its indexes, in bytes, the largest first.
    """

    score: Score
    entries: int
    items: int
    write_us: float
    closed_bytes: int
    table_bytes: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A rule at a share; means over the seeds.

    Attributes:
        r1: Share of the questions whose first answer is right.
        r5: Share with one of the first five right.
        of_unbounded: R@1 over that of the unbounded list, of each seed.
        sd: Standard deviation of `of_unbounded` over the seeds.
        bytes: The most that was held.
    """

    r1: float
    r5: float
    of_unbounded: float
    sd: float
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """What ours finds of what an unbounded list does, R@1 over R@1.

    Attributes:
        asked_again: Of the questions that were asked before, when what they are about had just passed.
        one_off: Of the others.
    """

    asked_again: float
    one_off: float


Table = Mapping[str, Mapping[int, Cell]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LifelogResult:
    """What `bench lifelog` found.

    Attributes:
        encoder: Id of the space of the vectors.
        hours: How long the lifelog is.
        seen: Sentences in it.
        asked: Questions about it.
        seeds: Each draws an order of the videos.
        shares: Each the unbounded list's bytes are divided by.
        unbounded: The list of all sentences.
        signs: The list of all sentences' signs.
        table: rule -> share -> cell.
        again: share -> what ours finds of questions that are asked again, and of others; means over the seeds.
        disk: rule -> bytes -> cell, of the first seed: ours is a memory's folder by `du -sb`, of the others
            their own bytes.
        disk_bytes: What these memories may take.
        item_s: Seconds between the items that they are given.
        stored: What the memory's folders hold, by bytes; of the first seed.
        seconds: Processor time of each rule, all shares and seeds together.
    """

    encoder: str
    hours: float
    seen: int
    asked: int
    seeds: tuple[int, ...]
    shares: tuple[int, ...]
    unbounded: Cell
    signs: Cell
    table: Table
    again: Mapping[int, Again]
    disk: Table
    disk_bytes: tuple[int, ...]
    item_s: float
    stored: Mapping[int, Stored | None]
    seconds: Mapping[str, float]
