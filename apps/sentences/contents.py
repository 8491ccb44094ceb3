"""A stream into its table of contents: a few chapters in a row, each with a title of its own.

Neighbours are put together, the most alike first, until as many chapters are left as somebody reads; those that
would be called the same are put together too. A chapter is called after the moment in it that is nearest to its
mean. Chapters that the source itself names are kept as they are.

Shapes: N moments; D embedding dimension.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from hippocam.apps.sentences.sentences import Sentences
from hippocam.memory.filter import Filter
from hippocam.memory.memory import Memory
from hippocam.memory.records import Entry, Level
from hippocam.stream.records import FloatArray, Note

# Twice the root of the time in units of so many seconds is how many chapters there are, and no more than this.
_UNIT_S = 10.0
MOST = 12
# Moments that are looked at; of more, every second, third and so on.
_MOST_MOMENTS = 600
# Moments of a chapter whose sentences are tried for a title that no other has.
_TRIED = 4
_AGAIN = ", again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A stretch of a stream under one title.

    Attributes:
        t0_s: Start.
        t1_s: End: the start of the next one, unless there is a gap.
        title: What it looks like, in one phrase.
        entry_id: The entry that it is called after.
    """

    t0_s: float
    t1_s: float
    title: str
    entry_id: int


class _Moment(NamedTuple):
    """A span in which an entry's thing was seen."""

    t0_s: float
    t1_s: float
    entry: Entry


class _Piece(NamedTuple):
    """Moments in a row: positions from first to last, and their mean by duration, not scaled."""

    first: int
    last: int
    sum_D: FloatArray
    seconds: float


def contents(
    memory: Memory,
    sentences: Sentences,
    stream: str,
    *,
    after_s: float | None = None,
    before_s: float | None = None,
    most: int = MOST,
    at_s: float | None = None,
) -> list[Chapter]:
    """The chapters of a stream, or of a stretch of it, by time; none where nothing is held of it.

    Args:
        memory: Where the stream is.
        sentences: Words its moments.
        stream: Its name.
        after_s: Start of the stretch.
        before_s: End of the stretch.
        most: Most chapters, 1 or more.
        at_s: As if the stream ended here.
    """
    wanted = Filter(stream=stream, after_s=after_s, before_s=before_s, at_s=at_s)
    moments = _moments(memory, wanted)
    if not moments:
        return []
    named = [n for n in memory.notes(stream, moments[0].t0_s, moments[-1].t1_s, at_s=at_s) if n.kind == "chapter"]
    if len(named) > 1:
        return [_named(note, moments, sentences, at_s) for note in named]
    vectors_ND = _vectors(memory, [moment.entry for moment in moments])
    seconds = np.array([max(moment.t1_s - moment.t0_s, 0.1) for moment in moments])
    count = round(2 * math.sqrt((moments[-1].t1_s - moments[0].t0_s) / _UNIT_S))
    told: list[Chapter] = []
    used: set[str] = set()
    for piece in _merged(vectors_ND, seconds, max(1, min(most, count))):
        inside = moments[piece.first : piece.last + 1]
        order = np.argsort(-(vectors_ND[piece.first : piece.last + 1] @ piece.sum_D), kind="stable")
        by_nearness = [inside[k].entry for k in order]
        title, entry = _title(by_nearness, used, lambda found: sentences.of_entry(found, at_s))
        next_s = moments[piece.last + 1].t0_s if piece.last + 1 < len(moments) else math.inf
        t0_s, t1_s = inside[0].t0_s, min(next_s, max(moment.t1_s for moment in inside))
        if told and told[-1].title in (title, title + _AGAIN):
            told[-1] = replace(told[-1], t1_s=max(told[-1].t1_s, t1_s))
        else:
            again = _AGAIN if title in used else ""
            told.append(Chapter(t0_s=t0_s, t1_s=t1_s, title=title + again, entry_id=entry.id))
        used.add(title)
    return told


def _moments(memory: Memory, wanted: Filter) -> list[_Moment]:
    """The spans of entries that meet some conditions, by time; of very many, some that are evenly spread."""
    entry_ids = memory.store.lookup.begun_within(str(wanted.stream), -math.inf, math.inf)
    entry_ids = entry_ids[:: -(-len(entry_ids) // _MOST_MOMENTS) or 1]
    entries = [entry for entry_id in entry_ids if (entry := memory.entry(entry_id)) is not None]
    start_s = -math.inf if wanted.after_s is None else wanted.after_s
    end_s = math.inf if wanted.before_s is None else wanted.before_s
    moments = [
        _Moment(max(span.t0_s, start_s), min(span.t1_s, end_s), entry)
        for entry in entries
        for span in wanted.passing_of(entry)
    ]
    return sorted(moments, key=lambda moment: (moment.t0_s, moment.t1_s, moment.entry.id))


def _named(note: Note, moments: Sequence[_Moment], sentences: Sentences, at_s: float | None) -> Chapter:
    """A chapter that the source itself names, with what it looks like."""
    middle_s = (note.t0_s + note.t1_s) / 2
    nearest = min(moments, key=lambda m: (max(m.t0_s - middle_s, middle_s - m.t1_s, 0.0), m.t0_s))
    told = sentences.of_span(note.stream, note.t0_s, note.t1_s, at_s)
    return Chapter(t0_s=note.t0_s, t1_s=note.t1_s, title=f"{note.text}: {told}", entry_id=nearest.entry.id)


def _title(by_nearness: Sequence[Entry], used: set[str], sentence: Callable[[Entry], str]) -> tuple[str, Entry]:
    """A title that was not used before, of the moments that are nearest to the mean; else that of the nearest."""
    tried = [(sentence(entry), entry) for entry in by_nearness[:_TRIED]]
    return next((pair for pair in tried if pair[0] not in used), tried[0])


def _merged(vectors_ND: FloatArray, seconds: FloatArray, count: int) -> list[_Piece]:
    """Put neighbours together until `count` are left, those first whose union loses least (Ward 1963)."""
    pieces = [
        _Piece(k, k, vector_D * np.float32(length), float(length))
        for k, (vector_D, length) in enumerate(zip(vectors_ND, seconds, strict=True))
    ]
    costs = [_cost(one, two) for one, two in pairwise(pieces)]
    while len(pieces) > count:
        k = int(np.argmin(costs))
        one, two = pieces[k], pieces[k + 1]
        pieces[k : k + 2] = [_Piece(one.first, two.last, one.sum_D + two.sum_D, one.seconds + two.seconds)]
        del costs[k]
        if k > 0:
            costs[k - 1] = _cost(pieces[k - 1], pieces[k])
        if k < len(costs):
            costs[k] = _cost(pieces[k], pieces[k + 1])
    return pieces


def _cost(one: _Piece, two: _Piece) -> float:
    """By how much the sum of squares about the means grows when two pieces become one."""
    apart_D = one.sum_D / one.seconds - two.sum_D / two.seconds
    return one.seconds * two.seconds / (one.seconds + two.seconds) * float(apart_D @ apart_D)


def _vectors(memory: Memory, entries: Sequence[Entry]) -> FloatArray:
    """Scene vectors, float32 [N, D], of length 1; zeros where none is kept."""
    held = list(dict.fromkeys(entry.id for entry in entries if entry.level < Level.WORDS))
    _, scenes_ND = memory.store.entries.vectors(held)
    rows = dict(zip(held, scenes_ND, strict=True))
    zeros = np.zeros(scenes_ND.shape[1] if len(held) else 1, np.float32)
    vectors_ND = np.stack([rows.get(entry.id, zeros) for entry in entries])
    return np.asarray(vectors_ND / np.maximum(np.linalg.norm(vectors_ND, axis=1, keepdims=True), 1e-9), np.float32)
