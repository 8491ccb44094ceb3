"""What is left of a time whose moments were given up: the lines that outlive them, with times and words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple, Protocol

from hippocam.memory.asof.table import CoverageTable
from hippocam.memory.filter import Filter
from hippocam.memory.store.lookup import EntryLookup
from hippocam.memory.store.summaries import Summary, SummaryTable

# Words of a line.
_WORDS = 5


class Tables(Protocol):
    """The tables that tell what is left, in one database."""

    coverage: CoverageTable
    lookup: EntryLookup
    summaries: SummaryTable


class Remains(NamedTuple):
    """A line that outlives the moments that it was made of.

    Attributes:
        stream: Which stream.
        t0_s: Start of the time that it is about.
        t1_s: Its end.
        events: How many events it was made of.
        words: What was most often said, read or detected in it, the most frequent first. Untrusted.
    """

    stream: str
    t0_s: float
    t1_s: float
    events: int
    words: tuple[str, ...]


def remains(tables: Tables, wanted: Filter) -> Iterator[Remains]:
    """What is left of a time, in each stream that was looked at then and of which no moment is held.

    Args:
        tables: Tables of the memory.
        wanted: In which streams and when; `at_s` as ever.
    """
    after_s = -math.inf if wanted.after_s is None else wanted.after_s
    before_s = math.inf if wanted.before_s is None else wanted.before_s
    for stream, coverage in sorted(tables.coverage.every().items()):
        if not wanted.of_stream(stream) or not coverage.within(after_s, before_s).runs:
            continue
        if tables.lookup.select(replace(wanted, stream=stream, camera=None)):
            continue
        for summary in _finest(tables.summaries.of(stream), wanted, after_s, before_s):
            words = tuple(word for word, _ in summary.words[:_WORDS])
            yield Remains(stream, summary.t0_s, summary.t1_s, summary.events, words)


def _finest(summaries: list[Summary], wanted: Filter, after_s: float, before_s: float) -> list[Summary]:
    """The summaries of the finest kind that there is for a time, by time."""
    about = [
        each
        for each in summaries
        if each.t0_s < before_s and each.t1_s > after_s and (wanted.at_s is None or each.known_s <= wanted.at_s)
    ]
    finest = min((each.kind for each in about), default=None)
    return sorted((each for each in about if each.kind == finest), key=lambda each: each.t0_s)
