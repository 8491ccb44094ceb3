"""The streams that a question names, in any wording: "in cam1 and cam2", "the left camera", "the trailer".

A stream may be called by its whole id, its camera, its source, or by some of the words of these where they can
mean nothing else: two of them ("house tour"), or one that is a word for footage ("trailer") or stands beside such
a word ("the bunny film").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from hippocam.apps.ask.question.description import tidy

_KINDS = r"(?:camera|cam|video|clip|stream|file|recording|film|movie|footage)s?"
_THE = r"(?:the|this|that|my|our)(?: (?:whole|entire|full))?"
_AND = r"(?:, and|, or|,| and| or)"
# What stands before a name, and goes with it.
_PREPOSITION = r"(?:in|into|on|onto|from|at|by|to|of|for|through|past|inside|near|during|than|between)"
# After these a plain word is the stream of this name, as "the driveway" in "leave the driveway".
_BEFORE_PLAIN = (
    rf"(?:\b(?:{_PREPOSITION}|leave|leaves|left|enter|enters|entered|show|shows|shown|{_KINDS}"
    r"|summari[sz]e|describe|compare|is|was|are|were|and|or|the whole|did|does|recap)"
    r"(?:,? (?:the|this|that|my|our))?|,|^(?:the|this|that|my|our)|^)\s*"
)
# One of these alone means the stream that has it in its name.
_FOOTAGE = frozenset(
    "trailer tour talk lecture slides presentation screencast webinar interview meeting match game race concert"
    " show lesson demo session walk drive ride trip party wedding documentary episode news speech podcast tutorial"
    " review vlog stream cctv film movie clip teaser".split()
)
# Words that tell nothing of a stream by themselves.
_EMPTY = frozenset(
    "a an and at by for from hd i in is it mp4 mkv avi mov my new no of on one or our out raw the this to two up"
    " video videos clip clips camera cam film movie recording file final full long short copy part edit x264 h264"
    " web".split()
)


class Names(NamedTuple):
    """A question, and the streams that it names.

    Attributes:
        rest: The question without the names.
        described: The same with those that are also words of what is there ("in the kitchen").
        streams: Ids of those that it names.
    """

    rest: str
    described: str
    streams: list[str]


class _Found(NamedTuple):
    """A name in a question: where it stands with the words around it, and what it means."""

    start: int
    end: int
    streams: list[str]
    plain_word: bool


def take_streams(question: str, streams: Sequence[str]) -> Names:
    """Split a question from the streams that it names.

    Args:
        question: In plain words.
        streams: Ids of those that it may be about. Of a single one the name is taken out, and `streams` stays
            empty: it says nothing.
    """
    every = [
        *_whole_names(question, streams),
        *_parts_of_names(question, streams),
        *_partial_names(question, streams),
    ]
    kept = list[_Found]()
    for found in sorted(every, key=lambda f: (f.start - f.end, f.start)):
        if all(found.end <= other.start or found.start >= other.end for other in kept):
            kept.append(found)
    kept.sort()
    rest, described = question, question
    for found in reversed(kept):
        rest = rest[: found.start] + " " + rest[found.end :]
        if not found.plain_word:
            described = described[: found.start] + " " + described[found.end :]
    named = list(dict.fromkeys(stream for found in kept for stream in found.streams))
    return Names(_joined(rest, kept), _joined(described, kept), named if len(streams) > 1 else [])


def stream_of_place(text: str, streams: Sequence[str]) -> list[str]:
    """The streams that have the place of a text in their names: "in the driveway" of driveway_60s."""
    found = re.fullmatch(r"(?:in|on|at|of|from) (?:the |this |my |our )?([^\W\d_]+)", text, re.IGNORECASE)
    if found is None:
        return []
    return [stream for stream in streams if found[1].casefold() in _words_of(stream)]


def names_of(stream: str) -> set[str]:
    """What people may call a stream: by its whole id, its camera, its source, an episode of that."""
    *parents, _ = stream.split("/")
    return {stream, *stream.split("/"), *("/".join(parents[: k + 1]) for k in range(len(parents)))}


def plain(name: str) -> str:
    """A name without capitals and signs: "Yard-Left" and "yard left" are one."""
    return " ".join(re.split(r"[ _\-/.]+", name.casefold())).strip()


def _joined(text: str, kept: Sequence[_Found]) -> str:
    """Repair a question where names were taken out: "between and" had names at both sides."""
    if not kept:
        return tidy(text)
    text = re.sub(r"(?:,|\b(?:and|or))\s+(?=(?:and|or)\b|,)", " ", text)
    return tidy(re.sub(r"^[:,\s]+|,(?=\s*(?:,|(?:and|or)\b|$))", "", tidy(text)))


def _whole_names(question: str, streams: Sequence[str]) -> list[_Found]:
    names: dict[str, list[str]] = {}
    for stream in streams:
        for name in names_of(stream):
            names.setdefault(plain(name), []).append(stream)
    words = sorted((re.escape(name).replace(r"\ ", r"[ _\-/.]+") for name in names if name), key=len, reverse=True)
    if not words:
        return []
    name = rf"(?:{'|'.join(words)})"
    listed = rf"(?:{_THE} )?(?:{_KINDS} )?{name}(?:\.\w+)?(?: {_KINDS})?"
    found = list[_Found]()
    for match in re.finditer(
        rf"(?<![\w-])(?:(?P<before>{_PREPOSITION}) )?(?P<list>{listed}(?:{_AND} {listed})*)(?![\w-])",
        question,
        re.IGNORECASE,
    ):
        text = match["list"]
        explicit = re.search(rf"\b{_KINDS}\b|[\d_/.]", text, re.IGNORECASE) or not re.search(
            r"\b(?:the|this|that|my|our)\b", text, re.IGNORECASE
        )
        before = question[: match.start("list")]
        if not re.search(rf"\b{_KINDS}\b|[\d_/.]", text, re.IGNORECASE) and not re.search(
            rf"{_BEFORE_PLAIN}$", before, re.IGNORECASE
        ):
            continue
        ids = [s for each in re.findall(name, text, re.IGNORECASE) for s in names.get(plain(each), [])]
        found.append(
            _Found(match.start(), match.end(), list(dict.fromkeys(ids)), explicit is None or not explicit)
        )
    return found


def _parts_of_names(question: str, streams: Sequence[str]) -> list[_Found]:
    """Parts of names that are written as no word of a sentence is: "one_by_one"."""
    found = list[_Found]()
    for part in re.finditer(r"[^\W_]+(?:_[^\W_]+)+", question):
        ids = [stream for stream in streams if f" {plain(part[0])} " in f" {plain(stream)} "]
        if ids:
            start, end, _ = _around(question, *part.span())
            found.append(_Found(start, end, ids, False))
    return found


def _partial_names(question: str, streams: Sequence[str]) -> list[_Found]:
    """Runs of words that only some streams' names have."""
    held = {stream: _words_of(stream) for stream in streams}
    words = list(re.finditer(r"[^\W_]+", question))
    found = list[_Found]()
    first = 0
    while first < len(words):
        last = _run(words, first, held)
        if last is None:
            first += 1
            continue
        run = [word[0].casefold() for word in words[first : last + 1]]
        start, end, marked = _around(question, words[first].start(), words[last].end())
        ids = [stream for stream, own in held.items() if set(run) - _EMPTY <= own]
        telling = set(run) - _EMPTY
        if len(telling) > 1 or (
            len(telling) == 1 and (marked or (telling & _FOOTAGE and start < words[first].start()))
        ):
            found.append(_Found(start, end, ids, False))
        first = last + 1
    return found


def _run(words: Sequence[re.Match[str]], first: int, held: dict[str, set[str]]) -> int | None:
    """Index of the last word of the longest run from `first` that one stream's name has; None for no run."""
    last, run = None, set[str]()
    for index in range(first, len(words)):
        word = words[index][0].casefold()
        if word in _EMPTY and index == first:
            return None
        run.add(word)
        if not any(run - _EMPTY <= own for own in held.values()) or (word in _EMPTY and not _has(word, held)):
            break
        last = index
    while last is not None and words[last][0].casefold() in _EMPTY and last > first:
        last -= 1
    return last


def _has(word: str, held: dict[str, set[str]]) -> bool:
    return any(word in own for own in held.values())


def _words_of(stream: str) -> set[str]:
    return {word for word in re.findall(r"[^\W_]+", stream.casefold()) if not word.isdigit()}


def _around(question: str, start: int, end: int) -> tuple[int, int, bool]:
    """A name with the words around it that belong to it, and whether a word for footage is among them."""
    marked = False
    after = re.match(rf" {_KINDS}\b", question[end:], re.IGNORECASE)
    if after is not None:
        end, marked = end + after.end(), True
    before = re.search(
        rf"(?:\b{_PREPOSITION} )?(?:\b{_THE} )(?:(?P<kind>{_KINDS}) )?$|\b{_PREPOSITION} (?:{_KINDS} )?$",
        question[:start],
        re.IGNORECASE,
    )
    if before is not None:
        start, marked = before.start(), marked or bool(before.groupdict().get("kind"))
    return start, end, marked
