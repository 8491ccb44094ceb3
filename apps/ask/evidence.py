"""Makes evidence of what recall found: its times, picture and notes, why it was found and what it looks like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from hippocam.apps.sentences.sentences import Sentences
from hippocam.memory.entities.describing import box_at
from hippocam.memory.memory import Memory
from hippocam.memory.recall.notes import SHOWN, whole_screen
from hippocam.memory.recall.query import Candidate, Query
from hippocam.memory.records import Evidence, Level, Span, format_id
from hippocam.models.readers.note_text import told_notes


class Finder(Protocol):
    """A memory that found something, among others maybe."""

    @property
    def memory(self) -> Memory:
        """The memory."""

    @property
    def prefix(self) -> str:
        """What stands before its streams and ids."""

    @property
    def sentences(self) -> Sentences:
        """What its moments look like, in words."""


def evidence_of(member: Finder, query: Query, found: Sequence[Candidate]) -> tuple[Evidence, ...]:
    """Make evidence of what a memory found for a query.

    Args:
        member: The memory that found it; its prefix stands before each stream and id.
        query: What was looked for.
        found: Candidates; their order is kept.
    """
    memory, prefix = member.memory, member.prefix
    coarse, at_s = memory.store.streams.coarse(), query.at_s

    def times(span: Span) -> tuple[float, float]:
        return span.t0_s, span.t1_s if at_s is None else min(span.t1_s, at_s)

    def evidence(candidate: Candidate) -> Evidence:
        entry, (t0_s, t1_s) = candidate.entry, times(candidate.cited)
        speaks = candidate.speaking is not None
        visit = None if speaks or candidate.thing is None else candidate.thing.visit
        spans = candidate.spans if visit is None else (candidate.cited,)
        near = memory.notes(
            entry.stream,
            t0_s if query.after_s is None else max(t0_s, query.after_s),
            t1_s if query.before_s is None else min(t1_s, query.before_s),
            at_s=at_s,
        )
        holding = whole_screen(candidate.noted, near) if candidate.noted else ()
        notes = [*holding, *(note for note in near if note not in holding)][: max(SHOWN, len(holding))]
        return Evidence(
            id=prefix + format_id(entry.id),
            stream=prefix + entry.stream,
            t0_s=t0_s,
            t1_s=t1_s,
            score=candidate.score,
            why=_why(candidate, prefix),
            image=str(memory.image(entry.id).resolve()) if entry.level < Level.VECTORS else "",
            frame_s=entry.frame_s,
            sentence=member.sentences.of_entry(entry, at_s),
            text=entry.text,
            sensors=entry.sensors,
            spans=tuple(map(times, spans)),
            met=entry.met if at_s is None else len(candidate.spans),
            place=entry.place,
            coarse=entry.stream in coarse,
            notes=tuple(replace(note, stream=prefix + note.stream) for note in notes),
            noted=min(len(holding), len(notes)) if speaks else 0,
            thing="" if visit is None else visit.label,
            visit="" if visit is None else prefix + format_id(visit.id),
            box=None if visit is None else box_at(visit, entry.frame_s),
            witnessed=candidate.witnessed,
            claimed=candidate.claimed,
            told=candidate.told,
            imported="" if candidate.made_by is None else format_id(candidate.made_by),
        )

    return tuple(map(evidence, found))


def _why(candidate: Candidate, prefix: str) -> str:
    if candidate.beside is not None:
        return f"stands beside {prefix}{format_id(candidate.beside)} in time"
    seen = "picture" if candidate.thing is None else f"{candidate.thing.visit.label}, by its own picture,"
    parts = [f"{seen} against words: cosine {candidate.cosine:.2f}, belief {candidate.seen:.0%}"]
    if candidate.noted is not None:
        told = told_notes(candidate.noted.notes)
        parts = [f"{told} (belief {candidate.noted.belief:.0%})", *(parts if candidate.seen else ())]
    if candidate.words:
        parts.append("named in it: " + ", ".join(candidate.words))
    if candidate.claimed:
        parts.append("a claim: no picture bears it out")
    if candidate.made_by is not None:
        parts.append(f"from import {format_id(candidate.made_by)}")
    return "; ".join(parts)
