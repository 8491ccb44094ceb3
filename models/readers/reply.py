"""A language model's reply into a checked answer: it is asked once more if it cites what it was not given.

Belief in an answer joins two estimates: the memory's own, which is calibrated, that the best cited moment shows
what was asked for, and the model's word, which is mostly too sure. A model that saw the pictures knows something
new: the two are averaged as log odds (Satopää et al. 2014, "Combining multiple probability predictions using a
simple logit model"). One that read only what the memory knows cannot be surer than the memory.

Where words, or a name, claim what no picture bears out, they may deceive a model as they would a person: its word
is then no second estimate, whether it saw the pictures or not. And where something was to be seen, no model's word
alone makes an answer: a reply that names only moments which the memory itself does not believe is told as not
confirmed.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from hippocam.models.readers.context import Context
from hippocam.models.readers.grounding import grounded
from hippocam.models.readers.marks import MARK, MARKS, marks_in
from hippocam.models.readers.prompt import Message, messages, written
from hippocam.models.readers.reading import SEEN_FROM, Reading, Sentence

NOTHING = "Not seen: the memory holds nothing for that time and place."
_SENTENCES = re.compile(r"(?<=[.!?])\s+(?=[^a-z\s])")
# Marks after a full stop belong to the sentence before it, unless they begin the next: "[E2] shows a cat."
_TRAILING = re.compile(rf"([.!?])\s*((?:{MARKS.pattern}\s*)+)(?=$|[^a-z\s])")
_THINKING = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
_MOST_ANSWER = 2000
_MOST_ECHO = 2000
_MOST_SEARCHED = 50_000
# Tokens that asking again takes, in addition to the rejected reply.
AGAIN_TOKENS = 150
_LEAST_BELIEF = 0.02


class ReplyError(Exception):
    """A reply breaks the rules. The message is all our own words: it is shown to people and to the model."""


def converse(context: Context, complete: Callable[[list[Message]], str], *, reader: str, sees: bool) -> Reading:
    """Ask a model and check its reply; if that breaks the rules, ask once more.

    Args:
        context: What it is given.
        complete: Gives the model's reply to a conversation.
        reader: Who it is, for the answer.
        sees: Whether it is given the pictures.

    Returns:
        Its answer, or an unknown one if both replies broke the rules: nothing is shown as an answer that rests on
        nothing.
    """
    if not context.shown:
        return Reading(sentences=(Sentence(text=NOTHING),), unknown=True)
    turns = messages(context)
    asked = written(turns)
    problem = ""
    for _ in range(2):
        reply = complete(turns)
        try:
            found = read_reply(reply, context, reader=reader, sees=sees)
        except ReplyError as error:
            problem = str(error)
            turns = [*turns, Message(role="assistant", parts=(_echo(reply),)), _again(context, problem)]
            continue
        return _with(found, context, asked)
    text = f"No supported answer: {reader} was asked twice, and its reply {problem}."
    return _with(Reading(sentences=(Sentence(text=text),), unknown=True), context, asked)


def read_reply(reply: str, context: Context, *, reader: str, sees: bool) -> Reading:
    """Check a reply against what was given.

    Raises:
        ReplyError: It is no JSON as asked for, cites what was not given, or cites nothing.
    """
    value = _object(reply)
    known = {shown.mark: shown for shown in context.shown}
    unknown, answer = value.get("unknown", False), value.get("answer", "")
    listed = _listed(value.get("evidence", []))
    if not isinstance(unknown, bool) or not isinstance(answer, str):
        raise ReplyError('has an "answer" that is no text, or an "unknown" that is neither true nor false')
    if unknown:
        text = f"Not seen: {reader} found no answer in what it was given."
        return Reading(sentences=(Sentence(text=text),), unknown=True)
    answer = _plain(answer)[:_MOST_ANSWER]
    if not MARKS.sub("", answer).strip(" .!?"):
        raise ReplyError('has an empty "answer"')
    cited = tuple(dict.fromkeys((*marks_in(answer), *listed)))
    if not cited:
        raise ReplyError("names no moment that its answer rests on")
    if any(mark not in known for mark in cited):
        raise ReplyError("names a moment that was not given")
    independent = sees and not any(shown.claimed for shown in context.shown)
    believed = max(known[mark].belief for mark in cited)
    confidence = _confidence(value.get("confidence"), believed, independent)
    if not independent and confidence < SEEN_FROM:
        text = "Not seen: no moment that the answer could rest on matches well enough."
        return Reading(sentences=(Sentence(text=text),), unknown=True, confidence=confidence)
    if believed < SEEN_FROM and not context.in_words:
        text = (
            f'Not confirmed: the memory believes none of the moments that {reader} names for "{_unmarked(answer)}"'
        )
        return Reading(sentences=(Sentence(text=f"{text}."),), unknown=True, confidence=believed)
    sentences = []
    for text, marks in _sentences(answer, listed):
        if not sees and not grounded(text, [known[mark] for mark in marks], context.question):
            marks = ()  # an inference at best
        sentences.append(Sentence(text=text, evidence_ids=tuple(known[mark].id for mark in marks), marks=marks))
    if not any(sentence.evidence_ids for sentence in sentences):
        raise ReplyError("says what stands in no record that it names")
    return Reading(sentences=tuple(sentences), unknown=False, confidence=confidence)


def _unmarked(answer: str) -> str:
    return " ".join(MARKS.sub(" ", answer).split()).rstrip(" .")


def _with(reading: Reading, context: Context, prompt: str) -> Reading:
    return replace(reading, given=context.given, prompt=prompt)


def _again(context: Context, problem: str) -> Message:
    marks = ", ".join(shown.mark for shown in context.shown)
    return Message(
        role="user",
        parts=(
            f"That reply was rejected: it {problem}. Reply again with the JSON object alone. The only marks that "
            f"were given are {marks}. Where none of these moments answers the question, unknown is true.",
        ),
    )


def _echo(reply: str) -> str:
    """A reply as the model is shown it again: without what could open or close anything in a chat template."""
    return re.sub(r"[<>|]", " ", reply)[:_MOST_ECHO] or "(empty)"


def _object(reply: str) -> Mapping[str, Any]:
    """The JSON object in a reply, whatever stands around it: fences, thoughts, a greeting."""
    text = _THINKING.sub("", reply[:_MOST_SEARCHED])
    decoder = json.JSONDecoder()
    at = text.find("{")
    while at >= 0:
        try:
            value, _ = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict) and {"answer", "unknown"} & value.keys():
            return value
        at = text.find("{", at + 1)
    raise ReplyError("holds no JSON object as it was asked for")


def _listed(value: object) -> tuple[str, ...]:
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise ReplyError('has an "evidence" that is no list of marks')
    marks = [item.strip(" []") for item in items]
    if not all(MARK.fullmatch(mark) for mark in marks):
        raise ReplyError("names a moment that was not given")
    return tuple(dict.fromkeys(marks))


def _confidence(stated: object, belief: float, independent: bool) -> float:
    if stated is None:
        return belief
    if isinstance(stated, bool) or not isinstance(stated, int | float) or not 0 <= stated <= 100:
        raise ReplyError('has a "confidence" that is no number 0 to 1')
    word = stated / 100 if stated > 1 else float(stated)
    if not independent:
        return min(word, belief)
    odds = sum(math.log(p / (1 - p)) for p in (_inside(word), _inside(belief))) / 2
    return 1 / (1 + math.exp(-odds))


def _inside(p: float) -> float:
    return min(1 - _LEAST_BELIEF, max(_LEAST_BELIEF, p))


def _plain(text: str) -> str:
    """A text without line ends and terminal codes."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _sentences(answer: str, listed: tuple[str, ...]) -> list[tuple[str, tuple[str, ...]]]:
    """Sentences with their marks; where none has any, the first answers the question and takes those listed."""
    moved = _TRAILING.sub(lambda found: f" {found[2].strip()}{found[1]} ", answer).strip()
    found = [(text, marks_in(text)) for text in _SENTENCES.split(moved)]
    if not any(marks for _, marks in found):
        found[0] = (found[0][0], listed)
    return found
