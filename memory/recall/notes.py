"""A question's words into the notes that hold them: what was read, heard or given, with a belief each.

The belief grows with the square of the share of the question's words that are found, so that one word among
several says little. A single word is less sure than a phrase: it is said often without being what was asked for. A
question that is plainly about words ("when does she say ...") is answered by them; for any other they are a hint
that what they name is there. Words that stand in several notes close to each other count together: a sentence is
cut in two, a title has two lines.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from hippocam.memory.filter import Filter
from hippocam.memory.provenance.table import ProvenanceTable
from hippocam.memory.recall.words import content_words
from hippocam.memory.records import Span
from hippocam.memory.store.notes import NoteRow, NoteTable, as_of
from hippocam.stream.records import Note

# Belief when all words of a question are found: of one about words, of any other, of one with a single word.
_ABOUT_WORDS = 0.9
_PHRASE = 0.8
_ONE_WORD = 0.55
# Notes that are this near to each other in time, in seconds, are taken together.
_NEAR_S = 1.5
# Notes that are looked at more closely.
_CLOSER = 200
# Notes that are given with a moment, at most.
SHOWN = 6
# What says that something was said or written, not what. Words that may as well name a thing (a sign, a screen, a
# man who is reading) are not among them.
_SAYING = re.compile(
    r"\b(?:say|says|said|saying|mention\w*|spoken|pronounc\w*|quot(?:e|es|ed)|subtitle\w*|captions?|chapters?|titled?"
    r"|text|words?|sentences?|written|writes?|wrote|on (?:the )?screen"
    r"|(?:talk|speak|spoke|tell|told|read|ask)\w* about)\b",
    re.IGNORECASE,
)
# What asks for speech, and what bears writing: what a sign says is read.
_SPEECH = re.compile(
    r"\b(?:say|says|said|saying|mention\w*|spoken|pronounc\w*|(?:talk|speak|spoke|tell|told)\w* about)\b",
    re.IGNORECASE,
)
_WRITING = re.compile(
    r"\b(?:signs?|slides?|screens?|texts?|titles?|captions?|labels?|posters?|banners?|boards?|blackboards?|pages?|books?"
    r"|papers?|notes?|cards?|headlines?|plates?|displays?|terminals?|logos?|letters?|credits|menus?|stickers?|words?"
    r"|written|writing)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[\"“”„«»]|(?<!\w)'[^']{3,}'(?!\w)")


class Tables(Protocol):
    """Notes, and where they came from, in one database."""

    notes: NoteTable
    provenance: ProvenanceTable


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteHit:
    """Notes that hold a question's words.

    Attributes:
        stream: Stream of all of them.
        notes: One or a few, close to each other, by time.
        words: The question's words in them.
        belief: That they are what was asked for, 0 to 1.
        span: Their time.
    """

    stream: str
    notes: tuple[Note, ...]
    words: tuple[str, ...]
    belief: float
    span: Span


def find_notes(notes: NoteTable, text: str, wanted: Filter, most: int) -> list[NoteHit]:
    """Find the notes that hold most of a question's words, the strongest first, none twice.

    Args:
        notes: Notes of a memory.
        text: The question.
        wanted: Which streams and times count. Notes have no place.
        most: How many hits at most.
    """
    words, about_words = asked_words(text)
    if not words:
        return []
    holding = _holding(notes, text, words)
    best = sorted(holding, key=lambda note_id: (-len(holding[note_id]), note_id))[:_CLOSER]
    rows = [row for row in notes.get(best) if _counts(row, wanted)]
    rows.sort(key=lambda row: (-len(holding[row.id]), row.note.stream, row.note.t0_s, row.id))
    hits, taken = list[NoteHit](), set[int]()
    for row in rows:
        if row.id not in taken:
            group = _together(row, [r for r in rows if r.id not in taken], holding, len(words))
            taken.update(r.id for r in group)
            hits.append(_hit(group, holding, words, about_words, wanted.at_s))
    hits.sort(key=lambda hit: (-hit.belief, hit.stream, hit.span.t0_s))
    return hits[:most]


def notes_at(store: Tables, stream: str, t0_s: float, t1_s: float, at_s: float | None) -> list[Note]:
    """The notes of a stretch of a stream's time that are not in quarantine, by time; see `NoteTable.known`."""
    apart = store.provenance.quarantine()
    return [note for note in store.notes.known(stream, t0_s, t1_s, at_s) if not apart.holds_note(note)]


def asked_words(text: str) -> tuple[list[str], bool]:
    """Return the words of a question that notes may hold, and whether it plainly asks for words."""
    plain = _SAYING.sub(" ", text)
    words = content_words(plain)
    return words or content_words(text), plain != text or bool(_QUOTED.search(text))


def about_speech(text: str) -> bool:
    """Whether a question asks for what was said: no picture shows that."""
    return _SPEECH.search(text) is not None and _WRITING.search(text) is None


def _holding(notes: NoteTable, text: str, words: Sequence[str]) -> dict[int, set[str]]:
    """Map notes to the words that they hold, also where text recognition joined two words into one."""
    holding = notes.match(words)
    spoken = re.findall(r"[^\W_]+", text.lower())
    for first, second in itertools.pairwise(spoken):
        both = {word for word in (first, second) if word in words}
        if both and len(first + second) > 4:
            for note_id in notes.match([first + second]):
                holding.setdefault(note_id, set()).update(both)
    return holding


def _counts(row: NoteRow, wanted: Filter) -> bool:
    return (
        wanted.of_stream(row.note.stream)
        and wanted.place is None
        and wanted.near is None
        and wanted.overlaps(row.note.t0_s, row.note.t1_s, row.known_s)
        and (wanted.apart is None or not wanted.apart.holds_note(row.note))
    )


def _together(
    seed: NoteRow, rows: Sequence[NoteRow], holding: Mapping[int, set[str]], total: int
) -> list[NoteRow]:
    """Join a note with those near it that hold words which it lacks; return them by time."""
    group, words = [seed], set(holding[seed.id])
    for row in rows:
        if len(words) == total:
            break
        if row.note.stream == seed.note.stream and row.id != seed.id and _near(row.note, seed.note):
            more = holding[row.id] - words
            if more:
                group.append(row)
                words |= more
    return sorted(group, key=lambda row: (row.note.t0_s, row.note.t1_s, row.id))


def _near(a: Note, b: Note) -> bool:
    return a.t0_s <= b.t1_s + _NEAR_S and b.t0_s <= a.t1_s + _NEAR_S


def _hit(
    group: Sequence[NoteRow],
    holding: Mapping[int, set[str]],
    words: Sequence[str],
    about_words: bool,
    at_s: float | None,
) -> NoteHit:
    found = set().union(*(holding[row.id] for row in group))
    most = _ABOUT_WORDS if about_words else _PHRASE if len(words) > 1 else _ONE_WORD
    notes = tuple(as_of(row, at_s) for row in group)
    # lines that stand together: the time that they share; sentences in a row: all of their time
    t0_s, t1_s = max(note.t0_s for note in notes), min(note.t1_s for note in notes)
    if t0_s > t1_s or len({note.kind for note in notes}) > 1:
        t0_s, t1_s = min(note.t0_s for note in notes), max(note.t1_s for note in notes)
    return NoteHit(
        stream=notes[0].stream,
        notes=notes,
        words=tuple(word for word in words if word in found),
        belief=most * (len(found) / len(words)) ** 2,
        span=Span(t0_s=t0_s, t1_s=t1_s, known_s=max(row.known_s for row in group)),
    )
