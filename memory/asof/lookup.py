"""A memory's records into whereabouts: of things, of places and of words."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from hippocam.memory.asof.coverage import Coverage
from hippocam.memory.asof.table import CoverageTable
from hippocam.memory.asof.whereabouts import Stay, Whereabouts, whereabouts
from hippocam.memory.entities.bank import EntityMemory
from hippocam.memory.entities.records import Visit
from hippocam.memory.filter import Filter
from hippocam.memory.store.entries import EntryTable
from hippocam.memory.store.lookup import EntryLookup
from hippocam.memory.store.notes import NoteTable
from hippocam.stream.records import Box

THINGS, WORDS, HEARD = "things", "screen", "speech"
# How long a line may stand on a picture that moves before it is read again, or found missing; see ReadingConfig.
_READ_AGAIN_S = 5.0


class Tables(Protocol):
    """The tables that tell of presence, in one database."""

    coverage: CoverageTable
    notes: NoteTable
    entries: EntryTable
    lookup: EntryLookup


def of_things(tables: Tables, things: EntityMemory, labels: Sequence[str], wanted: Filter) -> list[Whereabouts]:
    """Whereabouts of things with any of some labels, in each stream that is meant and in which a detector looked.

    Args:
        tables: Tables of the memory.
        things: The same memory's things.
        labels: The detector's labels.
        wanted: In which streams and when. With neither `after_s` nor `before_s` the moment of asking is meant: the
            last look, or `at_s`.
    """
    visits = dict[str, list[Visit]]()
    for entity in things.entities(at_s=wanted.at_s):
        if entity.label in labels and wanted.of_stream(entity.stream):
            visits.setdefault(entity.stream, []).extend(entity.visits)

    def stays_in(stream: str, until_s: float) -> list[Stay]:
        return [stay for visit in visits.get(stream, []) for stay in stays_of(visit, until_s)]

    def sense_of(stream: str) -> str | None:
        found = stream in visits or things.presence(labels, Filter(stream=stream, at_s=wanted.at_s)).looked
        return None if found else THINGS  # whoever found anything has looked, whether or not that was noted

    every = _each(tables, wanted, stays_in, sense_of)
    coverage = tables.coverage.every()
    return [one for one in every if sense_of(one.stream) is None or _looked_with(coverage[one.stream], THINGS)]


def _looked_with(coverage: Coverage, sense: str) -> bool:
    """Whether a sense ever looked at a stream, as far as is known."""
    return any(run.has(sense) is not False for run in coverage.runs)


def stays_of(visit: Visit, until_s: float) -> list[Stay]:
    """The stays of a visit as known at a time: it may have been out of sight in between."""
    stays, from_s = list[Stay](), visit.t0_s
    for hidden_s, back_s in visit.gaps:
        stays.append(Stay(from_s, hidden_s, hidden_s, _last_box(visit, hidden_s)))
        from_s = back_s
    if visit.gaps and visit.gaps[-1][1] >= until_s:
        return stays  # it is out of sight now
    gone_s = None if visit.cut_off else visit.gone_s
    return [*stays, Stay(from_s, visit.t1_s, gone_s, _last_box(visit, visit.t1_s))]


def _last_box(visit: Visit, until_s: float) -> Box:
    """Where a thing was at the newest known point of its path until a time."""
    points = [box for time_s, box in visit.path if time_s <= until_s]
    return points[-1] if points else visit.box


def of_words(
    tables: Tables, words: str, wanted: Filter, kinds: Sequence[str] = ("screen", "subtitle", "mark")
) -> list[Whereabouts]:
    """Whereabouts of words that were read or heard, in each stream that is meant.

    Args:
        tables: Tables of the memory.
        words: What a note's text must hold, whatever its case, spaces and signs.
        wanted: As for `of_things`.
        kinds: Kinds of notes that count.
    """
    key = _key(words)

    def stays_in(stream: str, until_s: float) -> list[Stay]:
        notes = tables.notes.known(stream, -math.inf, until_s, until_s)
        runs = tables.coverage.of(stream).within(-math.inf, until_s)
        return [
            Stay(note.t0_s, note.t1_s, first_without_s(runs, note.t1_s, until_s, _READ_AGAIN_S))
            for note in notes
            if note.kind in kinds and note.t0_s <= until_s and key in _key(note.text)
        ]

    sense = HEARD if list(kinds) == ["speech"] else WORDS if "screen" in kinds else None
    return list(_each(tables, wanted, stays_in, lambda stream: sense))


def of_place(tables: Tables, stream: str, place: int, wanted: Filter) -> list[Whereabouts]:
    """Whereabouts of a camera with regard to one of its places: whether it was there.

    Args:
        tables: Tables of the memory.
        stream: The camera's stream.
        place: The number of the place.
        wanted: As for `of_things`.
    """

    def stays_in(own: str, until_s: float) -> list[Stay]:
        held = tables.entries.several(tables.lookup.select(Filter(stream=own, place=place)))
        spans = sorted(
            (span.t0_s, min(span.t1_s, until_s))
            for entry in held.values()
            for span in entry.spans
            if span.known_s <= until_s
        )
        coverage = tables.coverage.of(own).within(-math.inf, until_s)
        joined = list[Stay]()
        for t0_s, t1_s in spans:
            if joined and t0_s <= joined[-1].t1_s + 1e-6:
                joined[-1] = joined[-1]._replace(t1_s=max(joined[-1].t1_s, t1_s))
            else:
                joined.append(Stay(t0_s, t1_s))
        return [stay._replace(gone_s=first_without_s(coverage, stay.t1_s, until_s)) for stay in joined]

    return list(_each(tables, replace(wanted, stream=stream, camera=None), stays_in, lambda own: None))


def _key(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _each(
    tables: Tables,
    wanted: Filter,
    stays_in: Callable[[str, float], list[Stay]],
    sense_of: Callable[[str], str | None],
) -> Iterator[Whereabouts]:
    for stream, coverage in sorted(tables.coverage.every().items()):
        if wanted.of_stream(stream):
            t0_s, t1_s = _window(coverage, wanted)
            yield whereabouts(coverage, stays_in(stream, t1_s), t0_s, t1_s, sense=sense_of(stream))


def _window(coverage: Coverage, wanted: Filter) -> tuple[float, float]:
    """The time that is asked about in a stream."""
    last_s = coverage.last_s or 0.0
    end_s = last_s if wanted.at_s is None else wanted.at_s
    if wanted.after_s is None and wanted.before_s is None:
        return end_s, end_s
    if wanted.before_s is not None:
        end_s = min(end_s, wanted.before_s)
    return min(-math.inf if wanted.after_s is None else wanted.after_s, end_s), end_s


def first_without_s(coverage: Coverage, last_s: float, until_s: float, after_s: float = 0.0) -> float | None:
    """The first look, until a time, that did not show what another look was the last to show; None for none.

    Args:
        coverage: When the stream was looked at.
        last_s: Time of the last look that showed it.
        until_s: The time until which looks count.
        after_s: How long a look may miss it; seconds.
    """
    run = coverage.at(last_s)
    if run is not None:
        next_s = last_s + max(after_s, 1 / run.rate if run.rate else 0.0)
        if next_s <= min(run.t1_s, until_s):
            return next_s
    return min((each.t0_s for each in coverage.runs if last_s < each.t0_s <= until_s), default=None)
