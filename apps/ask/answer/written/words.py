"""What is written and what was said, from notes: all of it, in order, where the question names nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hippocam.apps.ask.answer.facts import READ, SPOKEN, WRITTEN, Facts
from hippocam.apps.ask.answer.phrases import stretch
from hippocam.apps.ask.answer.told import ON_SCREEN, TO_BE_READ, Told, on_screen, told
from hippocam.memory.recall.words import content_words
from hippocam.memory.records import Evidence
from hippocam.models.readers.note_text import one_line
from hippocam.models.readers.question_kind import QuestionKind
from hippocam.models.readers.reading import SEEN_FROM
from hippocam.models.readers.surety import Surety, hedged
from hippocam.stream.records import Note

_LINES = 12
_FEW = 4
# How near in time to a moment a line stands that was read in it.
_BESIDE_S = 1.5
# Titles stand at the beginning: so many of the first screens are told for one, and of what was said first.
_TITLE = re.compile(
    r"\btitles?\b|\b(?:it|film|movie|video|trailer|show) (?:is )?(?:called|named)\b", re.IGNORECASE
)
_FIRST = 2
# What was said first, or last.
_EDGE = re.compile(r"\b(?:first|last)\b", re.IGNORECASE)
# Until when a title comes: seconds, or the share of a long recording; that the recording is called like the film.
_BEGINS_S, _BEGINS = 15.0, 0.1
_NAMED = 0.6
# That all words are told.
_ALL = 0.95
# That the few lines that were read are those that are meant.
_ALL_THERE_IS = 0.6
_SHOWN = re.compile(
    r"\b(?:shows?|shown|displays?|says?|reads?|asks?|has|have|screen|camera|clock|dialog|form|sign|slide|plate|written)\b",
    re.IGNORECASE,
)
# What a voice may do as well as a screen.
_EITHER = re.compile(r"\b(?:it|they) says?\b", re.IGNORECASE)
# A name is asked for, of whom the rest of the question tells.
_NAME = re.compile(r"(?:who|whom|whose|which)\b", re.IGNORECASE)
# What is asked for, and the form that it has wherever it is written; the first are asked of what is shown, too.
_OF_SHOWN = 4
_MONTH = r"(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_FORMS = tuple(
    (re.compile(asked, re.IGNORECASE), re.compile(form))
    for asked, form in (
        (
            r"\bdate\b",
            rf"\b\d{{1,4}}[-/.]\d{{1,2}}[-/.]\d{{2,4}}|\b\d{{1,2}}\.? ?{_MONTH}|\b{_MONTH}[a-z]*\.? \d{{1,2}}\b",
        ),
        (r"\b(?:what time|clock)\b", r"\b\d{1,2}:\d{2}\b"),
        (r"\b(?:price|cost|how much)\b", r"[$€£] ?\d|\d+[.,]\d\d\b"),
        (r"\basks?\b", r"\w\W+\w.*\?"),
        (r"\bresolution\b", r"\d{3,4} ?[x×] ?\d{3,4}"),
        (r"\be-?mail\b", r"\S@\S"),
        (r"\b(?:website|web address|url|link)\b", r"www\.|https?:|\w\.(?:com|org|net|io|de|edu|gov)\b"),
        (r"\bversion\b", r"\b[vV]?\d+\.\d+"),
        (r"\bper ?cent(?:age)?\b", r"\d ?%"),
        (r"\b(?:temperature|degrees)\b", r"\d ?°"),
        (r"\b(?:what|which) speed\b|\bhow fast\b", r"(?i:\d ?(?:km/?h|kph|mph|m/s|knots|kn)\b)"),
        (r"\b(?:what|which) year\b", r"\b(?:19|20)\d\d\b"),
        (r"\b(?:tele)?phone number\b", r"\+?\d[\d ()/-]{6,}\d"),
        (r"\b(?:licen[cs]e|number) plate\b", r"^(?=.*\d)[A-Z0-9][A-Z0-9 -]{3,9}$"),
        (
            r"\b(?:under (?:what|which)|(?:what|which)) licen[cs]es?\b(?! plate)",
            r"(?i:\blicen[cs]ed\b|/licen[cs]es/|\bcreative commons\b|\bpublic domain\b"
            r"|\b(?:GPL|MIT|BSD) licen[cs]e\b)",
        ),
        (r"\bip address\b", r"\b\d{1,3}(?:\.\d{1,3}){3}\b"),
        (r"\b(?:what|which) (?:file|script)\b|\bfile ?name\b", r"\b[\w-]+\.[a-z][a-z0-9]{1,4}\b"),
        (r"\b(?:what|which) command\b", r"^\S*[$#>%] ?\w"),
        (r"\b(?:dialog(?:ue)?s?|confirmation|prompts?|pop-?ups?)\b", r"\w\W+\w.*\?"),
    )
)
_CHARS = 900
# Lines that come within so many seconds of each other are of one screen.
_SCREEN_S = 1.0
# "Is anything written on the bottle?"; that there is nothing where nothing was read: small text is missed.
_WHETHER = re.compile(r"(?:is|are|was|were|can|could|do|does|did|any)\b", re.IGNORECASE)
_NONE_READ = 0.7
# A window so short stands for a moment; looks are a second apart.
_MOMENT_S, _LOOK_S = 12.0, 1.0
# What is asked for, and not what it says.
_ASKING = re.compile(
    r"\b(?:what|which|who|does|did|do|is|are|was|were|say|says|said|saying|read|reads|written|spoken|mention\w*|discuss\w*"
    r"|talk\w*|text|texts|words?|screens?|slides?|letters?|titles?|shown|seen|show|visible|being|about|speaker|voice"
    r"|people|person|man|woman|narrator|somebody|anybody|he|she|they|it|there|first|last|hear|heard|quote|can|be|out"
    r"|film|video|display|terminal|stands?|stood|appears?|appeared|displayed|things?|sentences?|cards?|captions?"
    r"|corners?|top|bottom|upper|lower|left|right|middle|side|picture|image|overlay|bar)\b",
    re.IGNORECASE,
)


def words(facts: Facts) -> Told | None:
    """List what was to be read, or was said, at the time that the question is about.

    Returns:
        None where the question names what the words are on or about, or no words are kept.
    """
    said = facts.kind == QuestionKind.SAID
    if facts.beside or _NAME.match(facts.question):
        return None
    if not said and _WHETHER.match(facts.question) and facts.watched and not facts.notes(WRITTEN):
        return told("No: no words were read there or anywhere.", belief=_NONE_READ)
    if _names_something(facts):
        return None
    notes = facts.notes(SPOKEN if said else WRITTEN)
    if not notes and not said and _EITHER.search(facts.question):
        said, notes = True, facts.notes(SPOKEN)
    if not notes:
        what = "Nothing that was said is kept" if said else "No words were read"
        return told(f"{what} of that time.", unknown=True, belief=0.1)
    told_lines, shown = list[str](), list[tuple[str, float, float, float]]()
    title = _TITLE.search(facts.question) is not None and not said
    if title and (named := _named_only(facts, notes)) is not None:
        return named
    groups = _screens(notes)
    if said and (edge := _EDGE.search(facts.question)) is not None:
        groups = groups[:_FIRST] if edge[0].casefold() == "first" else groups[-_FIRST:]
    for group in groups[: _FIRST if title else None]:
        line = "; ".join(dict.fromkeys(one_line(note.text) for note in group))
        t0_s, t1_s = min(n.t0_s for n in group), max(n.t1_s for n in group)
        if len(told_lines) == _LINES or sum(map(len, told_lines)) + len(line) > _CHARS:
            told_lines.append("and more")
            break
        told_lines.append(f"{line} ({stretch(t0_s, t1_s)})")
        shown.append((group[0].stream, t0_s, t1_s, (t0_s + t1_s) / 2))
    streams = list(dict.fromkeys(note.stream for note in notes))
    where = f" in {streams[0]}" if len(streams) == 1 else ""
    belief = ON_SCREEN if title else _ALL
    evidence = facts.shown(shown, "said at these times" if said else TO_BE_READ, belief)
    text = f"{'Said' if said else 'On screen'}{where}: {'; '.join(told_lines)}"
    return told(
        hedged(f"first on screen{where}: {'; '.join(told_lines)}", Surety.of(belief)) if title else f"{text}.",
        evidence,
        belief=belief,
    )


def _named_only(facts: Facts, notes: Sequence[Note]) -> Told | None:
    """The name of a recording at whose beginning nothing was read: titles are often drawn, and not written."""
    each = facts.watched[0]
    begins_s = each.start_s + max(_BEGINS_S, _BEGINS * (each.end_s - each.start_s))
    if len(facts.watched) != 1 or any(note.t0_s <= begins_s for note in notes):
        return None
    name = " ".join(re.split(r"[\W_]+", each.stream)).strip()
    return told(f"No title was read; the recording is called {name}.", belief=_NAMED)


def few_lines(facts: Facts, evidence: Sequence[Evidence]) -> Told | None:
    """Tell all lines that were read, where they are few and none is plainly the one that is asked for.

    Whoever asks what the sign says has seen a sign; where little was read, it is most likely that.

    Args:
        facts: The question with its records.
        evidence: What was found for it; where a moment is believed, that says more.
    """
    best = evidence[0] if evidence and evidence[0].score >= SEEN_FROM else None
    if facts.beside or _NAME.match(facts.question) or (best is not None and (best.notes or best.text)):
        return None
    read = facts.notes(READ)
    if (then := _of_the_moment(facts, read)) is not None:
        return then
    if best is not None:  # what was read elsewhere is not on what was seen there
        read = [note for note in read if _is_beside(note, best)]
    lines = {_line_of(note.text): note for note in reversed(read)}
    if not 0 < len(lines) <= _FEW:
        return None
    notes = sorted(lines.values(), key=lambda note: (note.t0_s, note.line))
    told_lines = [f"{one_line(note.text)} ({stretch(note.t0_s, note.t1_s)})" for note in notes]
    spans = [(note.stream, note.t0_s, note.t1_s, (note.t0_s + note.t1_s) / 2) for note in notes]
    text = hedged(f"on screen in {notes[0].stream}: {'; '.join(told_lines)}", Surety.PERHAPS)
    return told(text, facts.shown(spans, "all that was read", _ALL_THERE_IS), belief=_ALL_THERE_IS)


def _of_the_moment(facts: Facts, read: Sequence[Note]) -> Told | None:
    """All lines that stood at the time that the question names, where it is so short that one screen is meant."""
    if len(facts.watched) != 1 or facts.watched[0].end_s - facts.watched[0].start_s > _MOMENT_S:
        return None
    stream, start_s, end_s = facts.watched[0]
    at_s = (start_s + end_s) / 2
    standing = [note for note in read if note.t0_s - _LOOK_S <= at_s <= note.t1_s + _LOOK_S]
    notes = sorted({note.text: note for note in standing}.values(), key=lambda note: note.line)[:_LINES]
    if not notes:
        return None
    text = hedged(f"on screen in {stream}: {one_line('; '.join(n.text for n in notes), _CHARS)}", Surety.PERHAPS)
    shown = facts.shown([(stream, at_s, at_s, at_s)], "all that was read then", _ALL_THERE_IS)
    return told(text, shown, belief=_ALL_THERE_IS)


def _line_of(text: str) -> str:
    """What two readings of one line have in common: of a clock what is no figure, else the letters and figures."""
    letters, figures = re.sub(r"[\W\d_]", "", text.casefold()), re.sub(r"\D", "", text)
    return letters if len(figures) > len(letters) else letters + figures


def _is_beside(note: Note, moment: Evidence) -> bool:
    return (
        note.stream == moment.stream
        and note.t0_s <= moment.t1_s + _BESIDE_S
        and note.t1_s >= moment.t0_s - _BESIDE_S
    )


def read_only(facts: Facts, evidence: Sequence[Evidence]) -> Told | None:
    """Tell the lines that have what a question says was spoken of, where nobody was heard to say it.

    Args:
        facts: The question with its records.
        evidence: What was found for it; where it was said, that is the answer.
    """
    asked = set(content_words(_ASKING.sub(" ", facts.text)))
    if facts.beside or not asked or any(moment.noted and moment.score >= SEEN_FROM for moment in evidence):
        return None
    lines = {note.text: note for note in facts.notes(WRITTEN) if asked <= set(content_words(note.text))}
    notes = list(lines.values())[:_FEW]
    if not notes:
        return None
    told_lines = [f"{one_line(note.text)} ({stretch(note.t0_s, note.t1_s)})" for note in notes]
    spans = [(note.stream, note.t0_s, note.t1_s, (note.t0_s + note.t1_s) / 2) for note in notes]
    text = hedged(f"on screen in {notes[0].stream}, not heard: {'; '.join(told_lines)}", Surety.PERHAPS)
    return told(text, facts.shown(spans, TO_BE_READ, _ALL_THERE_IS), belief=_ALL_THERE_IS)


def lines_like(facts: Facts) -> Told | None:
    """Tell the lines that have the form of what is asked for: a date, a time of day, a price, a question.

    Returns:
        None where the question asks for no such form, or no line has it.
    """
    in_a_row = facts.kind in (QuestionKind.FIRST, QuestionKind.LAST)
    forms = _FORMS if _SHOWN.search(facts.question) and not in_a_row else _FORMS[_OF_SHOWN:]
    form = next((form for asked, form in forms if asked.search(facts.question)), None)
    notes = [] if form is None else [note for note in facts.notes(WRITTEN) if form.search(note.text)]
    if not notes:
        return None
    asked = set(content_words(facts.question))
    if in_a_row:
        ends = sorted(notes, key=lambda note: note.t1_s)
        notes = [ends[-1]] if facts.kind == QuestionKind.LAST else [min(notes, key=lambda note: note.t0_s)]
    notes.sort(key=lambda note: (-len(asked & set(content_words(note.text))), note.t0_s))
    lines = list({note.text: note for note in notes}.values())[:_FEW]
    told_lines = [f"{one_line(note.text)} ({stretch(note.t0_s, note.t1_s)})" for note in lines]
    spans = [(note.stream, note.t0_s, note.t1_s, (note.t0_s + note.t1_s) / 2) for note in lines]
    return on_screen(facts, lines[0].stream, "; ".join(told_lines), spans)


def _names_something(facts: Facts) -> bool:
    """Whether the question names a sign or a subject, so that only some of the words are meant."""
    question = facts.text  # without the words that say when
    for each in facts.watched:
        for name in re.split(r"[\W_]+", each.stream):
            question = re.sub(rf"\b{re.escape(name)}\b", " ", question, flags=re.IGNORECASE) if name else question
    return bool(content_words(_ASKING.sub(" ", question)))


def _screens(notes: Sequence[Note]) -> list[list[Note]]:
    """Lines that stood together, in reading order, as one."""
    groups = list[list[Note]]()
    for note in notes:
        last = groups[-1][0] if groups else None
        if last is not None and note.stream == last.stream and abs(note.t0_s - last.t0_s) <= _SCREEN_S:
            groups[-1].append(note)
        else:
            groups.append([note])
    return groups
