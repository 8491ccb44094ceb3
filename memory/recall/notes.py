"""A question's words into the notes that hold them: what was read, heard or given, with a belief each.

The belief grows with the square of the share of the question's words that are found, so that one word among
several says little. A single word is less sure than a phrase: it is said often without being what was asked for. A
question that is plainly about words ("when does she say ...") is answered by them; for any other they are a hint
that what they name is there. Words that stand in several notes close to each other count together: a sentence is
cut in two, a title has two lines.

Notes are found by what they mean, too, where somebody can tell: "it costs nothing" is "and it's free!"
(passages.py). Only a question about words is answered by meaning alone.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hippocam.memory.filter import Filter
from hippocam.memory.recall.passages import SCREEN, Passage, Sentences, believed, passages
from hippocam.memory.recall.query import NoteHit
from hippocam.memory.recall.words import Words, content_words
from hippocam.memory.records import Span
from hippocam.memory.store.notes import SPEECH, NoteRow, NoteTable, as_of
from hippocam.stream.records import WORDLESS, Note

# Belief when all words of a question are found: of one about words, of any other, of one with a single word.
_ABOUT_WORDS = 0.9
_PHRASE = 0.8
_ONE_WORD = 0.55
# Notes that are this near to each other in time, in seconds, are taken together.
_NEAR_S = 1.5
# Notes that are looked at more closely.
_CLOSER = 200
# Notes whose meaning is compared, the newest, at most.
_MEANT = 20_000
# Belief when the meaning is the same: of a question about words, of any other.
_ABOUT_MEANING = 0.85
_MEANING = 0.45
# Belief below which what is alike is not worth a look.
_LEAST = 0.1
# Notes that are given with a moment, at most.
SHOWN = 6
# Lines that are given of a screen of which one was found, at most.
_LINES = 24
# What says that something was said or written, not what. Words that may as well name a thing (a sign, a screen, a
# man who is reading) are not among them.
_SAYING = re.compile(
    r"\b(?:say|says|said|saying|mention\w*|spoken|pronounc\w*|quot(?:e|es|ed)|subtitle\w*|captions?|chapters?|titled?"
    r"|text|words?|sentences?|written|writes?|wrote|on (?:the )?screen"
    r"|slides?(?= (?:about|of|on|for|that|which|with|where|is|was|are|were|shown)\b)"
    r"|screens?(?= (?:shows?|showed|tells?|told|asks?|asked|reads?|talks?|speaks?)\b)"
    r"|(?:talk|speak|spoke|spoken|tell|told|read|ask)\w* (?:about|of))\b",
    re.IGNORECASE,
)
# In a question about words these only say how the words came.
_FILLER = frozenset(
    """
    appear appears appeared come comes displayed line lines narrator screen screens show showed shown shows slide
    slides speaker talk talks video visible voice
    """.split()
)
# What asks for speech.
_SPEECH = re.compile(
    r"\b(?:say|says|said|saying|mention\w*|spoken|pronounc\w*|(?:talk|speak|spoke|tell|told)\w* about)\b",
    re.IGNORECASE,
)
# What is writing and nothing else; and things that bear writing, and are seen as well: a plate, a book, a board.
_WRITTEN = (
    r"slides?|screens?|texts?|titles?|captions?|headlines?|displays?|terminals?|pages?|credits|menus?|words?|written"
    r"|writing"
)
_BEARING = (
    r"signs?|labels?|posters?|banners?|boards?|blackboards?|books?|papers?|notes?|cards?|plates?|logos?|letters?"
    r"|stickers?"
)
_WRITING = re.compile(rf"\b(?:{_WRITTEN}|{_BEARING})\b", re.IGNORECASE)
# What asks for what is said or written, wherever it came from.
_TELLS = re.compile(
    r"\b(?:say|says|said|saying|mention\w*|spoken|pronounc\w*|quot(?:e|es|ed)|subtitle\w*|captions?|chapters?|titled"
    r"|words?|sentences?"
    r"|(?:talk|speak|spoke|tell|told|read|ask)\w* (?:about|of)"
    r"|screens? (?:tells?|told|asks?|asked|reads?|talks?|speaks?))\b",
    re.IGNORECASE,
)
# What asks for the writing on something: "the sign about the door", and not "a black screen".
_READ = re.compile(
    rf"\b(?:titles?|text|written|writing|writes?|wrote|on (?:the )?screen"
    r"|slides? (?:about|of|on|for|that|which|where)"
    rf"|(?:{_WRITTEN}|{_BEARING}) (?:about|reading|titled|named|called|labell?ed|names?|lists?|listing"
    r"|explain\w*|thank\w*)"
    r"|(?:number|licen[cs]e) plates?)\b",
    re.IGNORECASE,
)
# Words that say nothing of what is shown, beside a name: "when does Ann Smith appear".
_SHOWN = frozenset("appear appears appeared shown visible show shows name named mr mrs ms dr".split())
# What can only be a name or a term: capitals, digits or signs in it.
_NAME = re.compile(r"[A-Z\d].*|.*\w[.@/]\w.*")
_QUOTED = re.compile(r"[\"“”„«»]|(?<!\w)'(?:[^']|(?<=\w)'(?=\w)){3,}'(?!\w)")


def find_notes(
    notes: NoteTable,
    text: str,
    wanted: Filter,
    most: int,
    *,
    sentences: Sentences | None = None,
    about_words: bool = False,
) -> list[NoteHit]:
    """Find the notes that hold most of a question's words, or say the same, the strongest first, none twice.

    A question about words that names none ("what does the screen say?") is answered by all of them, by time.

    Args:
        notes: Notes of a memory.
        text: The question.
        wanted: Which streams and times count. Notes have no place.
        most: How many hits at most.
        sentences: Tells which sentences are alike; None to go by words alone.
        about_words: Whether words are asked for, also where the text does not say so.
    """
    named, says_so = _named(text)
    about_words = about_words or says_so
    if not named and about_words and (hits := _every(notes, text, wanted)):
        return hits[:most]
    words = named or content_words(text)
    if not words:
        return []
    hits = _by_words(notes, text, words, about_words, wanted)
    if sentences is not None and named and not (about_words and _unheard_name(notes, text)):
        _add_alike(hits, _by_meaning(notes, " ".join(named), about_words, wanted, sentences))
    hits.sort(key=lambda hit: (-hit.belief, hit.stream, hit.span.t0_s))
    return hits[:most]


def _by_words(
    notes: NoteTable, text: str, words: Sequence[str], about_words: bool, wanted: Filter
) -> list[NoteHit]:
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
    return hits


def _every(notes: NoteTable, text: str, wanted: Filter) -> list[NoteHit]:
    """All that was said, or all that was written, by time."""
    spoken = about_speech(text)
    rows = [row for row in notes.newest(_MEANT) if (row.note.kind == SPEECH) == spoken and _counts(row, wanted)]
    hits = [_passage_hit(passage, _ABOUT_WORDS, wanted.at_s) for passage in passages(rows)]
    return sorted(hits, key=lambda hit: (hit.stream, hit.span.t0_s))


def _by_meaning(
    notes: NoteTable, meant: str, about_words: bool, wanted: Filter, sentences: Sentences
) -> list[NoteHit]:
    """Find the passages that say what is meant, however they word it."""
    told = passages(row for row in notes.newest(_MEANT) if _counts(row, wanted))
    if not told:
        return []
    most = _ABOUT_MEANING if about_words else _MEANING
    beliefs = [most * believed(cosine) for cosine in sentences.likeness(meant, [p.text for p in told]).tolist()]
    found = zip(told, beliefs, strict=True)
    return [_passage_hit(passage, belief, wanted.at_s) for passage, belief in found if belief > _LEAST]


def _add_alike(hits: list[NoteHit], alike: Sequence[NoteHit]) -> None:
    """Add hits by meaning to those by words; where both found a note they are one, as sure as the surer."""
    place = {note: index for index, hit in enumerate(hits) for note in hit.notes}
    for hit in alike:
        index = next((place[note] for note in hit.notes if note in place), None)
        if index is None:
            hits.append(hit)
        elif hit.belief > hits[index].belief:
            hits[index] = replace(hit, words=hits[index].words)


def _passage_hit(passage: Passage[NoteRow], belief: float, at_s: float | None) -> NoteHit:
    told = tuple(as_of(row, at_s) for row in passage.rows)
    t1_s = min(note.t1_s for note in told)  # lines that begin together: as long as all of them stand
    known_s = max(row.known_s for row in passage.rows)
    span = Span(t0_s=told[0].t0_s, t1_s=t1_s, known_s=known_s)
    return NoteHit(stream=told[0].stream, notes=told, words=(), belief=belief, span=span)


def whole_screen(hit: NoteHit, beside: Sequence[Note]) -> tuple[Note, ...]:
    """Give the notes of a hit; of lines on a screen all that stand there, in the order in which one reads them.

    Args:
        hit: What was found.
        beside: The notes of its stream at its time.
    """
    if any(note.kind != SCREEN for note in hit.notes):
        return hit.notes
    middle_s = (hit.span.t0_s + hit.span.t1_s) / 2
    there = [note for note in beside if note.kind == SCREEN and note.t0_s <= middle_s <= note.t1_s]
    lines = dict.fromkeys([*hit.notes, *there])
    return tuple(sorted(list(lines)[:_LINES], key=lambda note: (note.line, note.t0_s, note.text)))


def asked_words(text: str) -> tuple[list[str], bool]:
    """Return the words of a question that notes may hold, and whether it plainly asks for words."""
    named, about_words = _named(text)
    return named or content_words(text), about_words


def _unheard_name(notes: NoteTable, text: str) -> bool:
    """Whether a text has a name within it that no note holds: what is meant is not there in other words either."""
    names = [word.strip("?!.,;:\"'()") for word in text.split()[1:]]
    names = [name for name in names if name[:1].isupper() and content_words(name)]
    return any(not notes.match(content_words(name)) for name in names)


def _named(text: str) -> tuple[list[str], bool]:
    """The words for what is looked for, none where a question names nothing; and whether it asks for words."""
    plain = _SAYING.sub(" ", text)
    about_words = plain != text or bool(_QUOTED.search(text))
    words = content_words(plain)
    return [word for word in words if not about_words or word not in _FILLER], about_words


def words_that_answer(text: str) -> Words:
    """Which words can be the answer: all of a question for what is said or written, or for a name alone.

    Of a slide or a sign about something what was read in a picture is. A thing that bears writing is seen, too, so
    naming it, or how it looks, asks for no words: "a black screen", "a slide with a map".
    """
    if _TELLS.search(text) or _QUOTED.search(text) or names_alone(text):
        return Words.ALL
    return Words.READ if _READ.search(text) else Words.NONE


def names_alone(text: str) -> bool:
    """Whether a text is a name and nothing else, as "Stanford Law School": it can only be read or heard."""
    words = [word.strip("?!.,;:\"'()") for word in text.split()]
    named = [word for word in words if (said := content_words(word)) and not _SHOWN.issuperset(said)]
    return bool(named) and all(_NAME.fullmatch(word) for word in named)


def about_speech(text: str) -> bool:
    """Whether a question asks for what was said: no picture shows that."""
    return _SPEECH.search(text) is not None and not about_writing(text)


def about_writing(text: str) -> bool:
    """Whether a question names something that bears writing: a sign, a slide, a page."""
    return _WRITING.search(text) is not None


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
        row.note.kind not in WORDLESS
        and wanted.of_stream(row.note.stream)
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
    return sorted(group, key=lambda row: (row.note.t0_s, row.note.line, row.note.t1_s, row.id))


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
