"""Weighs what speaks for an entry: its picture, a thing in it, words of its source, labels, notes of its time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hippocam.memory.entities.describing import box_at
from hippocam.memory.filter import Filter
from hippocam.memory.recall.query import Candidate, NoteHit
from hippocam.memory.recall.thing_hit import ThingHit
from hippocam.memory.recall.trust import Beliefs, Trust
from hippocam.memory.recall.words import content_words
from hippocam.memory.records import Entry, Span, unheld_entry
from hippocam.memory.store.entries import EntryTable
from hippocam.memory.store.lookup import EntryLookup
from hippocam.memory.store.notes import note_id

# Belief when all of a question's words stand in the source's own text.
TEXT_WEIGHT = 0.9
# Belief when all of them stand among the recognised labels.
LABEL_WEIGHT = 0.3


class Tables(Protocol):
    """Entries, in one database."""

    entries: EntryTable
    lookup: EntryLookup


def weighed(
    trust: Trust,
    entry: Entry,
    spans: tuple[Span, ...],
    seen: float,
    cosine: float,
    words: Sequence[str],
    counts: tuple[int, int],
    noted: NoteHit | None,
    thing: ThingHit | None,
) -> Candidate:
    """Make a candidate of an entry, with all that speaks for it.

    A thing speaks for it where its own picture is believed more than the frames. The two are no independent
    causes: the frames show the thing too.

    Args:
        trust: Judges what speaks for it.
        entry: The entry.
        spans: Those of its spans that count.
        seen: Belief that its picture shows what is asked for.
        cosine: What that rests on.
        words: Words of the question.
        counts: How many of these its source's text holds, and its labels.
        noted: Notes that speak for it.
        thing: A thing that does.
    """
    if thing is not None and thing.belief <= seen:
        thing = None
    if thing is not None:
        seen, cosine = thing.belief, thing.cosine
    total = max(1, len(words))
    beliefs = Beliefs(
        seen=seen,
        labels=LABEL_WEIGHT * counts[1] / total,
        text=TEXT_WEIGHT * (counts[0] / total) ** 2,
        notes=noted.belief if noted is not None else 0.0,
        box=box_at(thing.visit, entry.frame_s) if thing is not None else None,
    )
    told = (noted.notes, noted.words) if noted is not None else ((), ())
    judged = trust.judge(entry, beliefs, *told)
    holds = set(content_words(entry.text)) | set(content_words(" ".join(entry.labels)))
    return Candidate(
        entry=entry,
        score=judged.score,
        seen=judged.seen,
        cosine=cosine,
        words=tuple(word for word in words if word in holds),
        spans=spans,
        noted=noted,
        thing=thing,
        witnessed=judged.witnessed,
        claimed=judged.claimed,
        told=0.0 if judged.witnessed is None or judged.doubted else beliefs.notes,
        made_by=judged.made_by,
        doubted=judged.doubted,
    )


def lend_notes(store: Tables, hits: Sequence[NoteHit], wanted: Filter) -> tuple[dict[int, NoteHit], list[NoteHit]]:
    """Give each note to the entry with which it shares most time.

    Returns:
        The strongest hit of each entry, and the hits whose time no entry holds any more.
    """
    lent, alone = dict[int, NoteHit](), list[NoteHit]()
    for hit in hits:
        shared = dict[int, float]()
        for entry_id in store.lookup.passed_by(hit.stream, hit.span.t0_s, hit.span.t1_s):
            entry = store.entries.get(entry_id)
            for span in wanted.passing_of(entry) if entry is not None else ():
                common_s = min(span.t1_s, hit.span.t1_s) - max(span.t0_s, hit.span.t0_s)
                if common_s >= 0:
                    shared[entry_id] = max(common_s, shared.get(entry_id, 0.0))
        if shared:
            best = min(shared, key=lambda entry_id: (-shared[entry_id], entry_id))
            lent.setdefault(best, hit)
        else:
            alone.append(hit)
    return lent, alone


def note_by_itself(trust: Trust, hit: NoteHit) -> Candidate:
    """Make a candidate without a picture of notes whose time no entry holds any more."""
    score, claimed = trust.told(hit.belief, hit.notes)
    first, span = hit.notes[0], hit.span
    entry = unheld_entry(
        note_id(first.stream, first.kind, first.t0_s, first.text), hit.stream, span, frame_s=span.t0_s
    )
    return Candidate(
        entry=entry,
        score=score,
        seen=0.0,
        cosine=0.0,
        words=hit.words,
        spans=(span,),
        noted=hit,
        witnessed=0.0 if claimed else None,
        claimed=claimed,
        told=hit.belief if claimed else 0.0,
    )


def thing_by_itself(trust: Trust, hit: ThingHit) -> Candidate:
    """Make a candidate without a picture of a thing whose time no entry holds any more."""
    judged = trust.unseen(hit.visit, hit.belief)
    return Candidate(
        entry=unheld_entry(hit.visit.id, hit.visit.stream, hit.span, frame_s=hit.visit.frame_s),
        score=judged.score,
        seen=judged.seen,
        cosine=hit.cosine,
        words=(),
        spans=(hit.span,),
        thing=hit,
        witnessed=judged.witnessed,
        claimed=judged.claimed,
        made_by=judged.made_by,
        doubted=judged.doubted,
    )
