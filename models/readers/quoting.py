"""Words that nobody vouches for into quoted data: they cannot end the quotation, nor pass for our own marks.

Labels, captions, speech, text on screen and names of files and streams come from outside. In what a model is
given they stand as JSON strings in which every character is escaped that could open or close anything: quotes,
brackets, angles, braces, bars, line ends. So no marker that we write, as `<data>`, `<12.0 seconds>` or `[E1]`, and
none of a chat template, as `<|im_end|>` or `[INST]`, can stand in them.

A model believes what it reads, however it is quoted. So where something is asked for that is seen, words that
speak of it are kept back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hippocam.memory.recall.words import content_words
from hippocam.memory.records import Evidence
from hippocam.models.readers.reading import SEEN_FROM

# Everything but letters, digits and signs that are harmless in every chat template.
_RISKY = re.compile(r"[^\w !#$%&'()*+,\-./:;=?@^~]")
# Characters of one piece of outside text that a reader is given.
MOST_CHARS = 400
# Share of a question's words from which on a stream's name claims what is asked for.
_SHARE = 0.5
Value = str | float | int | Sequence["Value"]


def quoted(text: str, most_chars: int = MOST_CHARS) -> str:
    """A text as a JSON string of harmless characters, cut where it is longer than most_chars."""
    cut = text if len(text) <= most_chars else text[:most_chars] + "..."
    return '"' + _RISKY.sub(lambda found: _escape(found[0]), cut) + '"'


def _escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def data_line(values: Mapping[str, Value]) -> str:
    """A JSON object in one line whose strings are quoted as above; keys are ours."""
    return "{" + ", ".join(f'"{key}": {_value(value)}' for key, value in values.items()) + "}"


def _value(value: Value) -> str:
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Sequence):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value)


def without_claims(moment: Evidence, question: str) -> Evidence:
    """A moment without outside words that speak of what is asked for; its picture speaks for itself.

    Words that somebody put beside a picture would tell a model which of several moments to name.

    Args:
        moment: The moment; it keeps its picture and its times.
        question: What is asked for, to be seen.

    Returns:
        It, with notes, an import's words and stream's name as far as none of the question's words is in them, and
        without a phrase that may quote such notes. Where its picture is not believed, the same holds for all its
        words; it is believed as without them, and a name with most of the question's words claims it, as other
        words do.
    """
    asked = set(content_words(question))

    def silent(text: str) -> bool:
        return asked.isdisjoint(content_words(text))

    believed = moment.score >= SEEN_FROM
    named = asked.intersection(content_words(moment.stream))
    notes = tuple(note for note in moment.notes if silent(note.text))
    quotes = len(notes) < len(moment.notes)
    told = replace(
        moment,
        stream="" if named else moment.stream,
        notes=notes,
        text=moment.text if silent(moment.text) or (believed and not moment.imported) else "",
        sentence=moment.sentence if silent(moment.sentence) or (believed and not quotes) else "",
    )
    if believed:
        return told
    return replace(
        told,
        claimed=moment.claimed or len(named) > _SHARE * len(asked),
        score=moment.score if moment.witnessed is None else moment.witnessed,
    )
