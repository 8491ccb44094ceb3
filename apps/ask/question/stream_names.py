"""The streams that a question names: "in cam1 and cam2", "on the driveway camera"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hippocam.apps.ask.question.time_words import tidy

_KINDS = r"(?:camera|cam|video|clip|stream|file|recording)s?"
_AND = r"(?:,| and| or|, and|, or)"


def take_streams(question: str, streams: Sequence[str]) -> tuple[str, list[str]]:
    """Split a question from the streams that it names; one that is also a word of what is there stays in it.

    Args:
        question: In plain words.
        streams: Ids of those that it may be about; if there is only one, naming it says nothing.

    Returns:
        The rest of the question, and the ids of the streams.
    """
    if len(streams) < 2:
        return question, []
    names, name, listed = _patterns(streams)
    found = re.search(
        rf"\b(?:in|on|from|at|by) (?P<list>{listed}(?:{_AND} {listed})*)(?![\w-])", question, re.IGNORECASE
    )
    if found is None:
        return question, []
    # a name that is also a word of what is there ("in the kitchen") may stay in the description
    explicit = re.search(rf"\b{_KINDS}\b|[\d_/]", found["list"], re.IGNORECASE)
    rest = question[: found.start()] + question[found.end() :] if explicit else question
    return tidy(rest), _named(found["list"], name, names)


def take_all_names(question: str, streams: Sequence[str]) -> tuple[str, list[str]]:
    """Split a question that counts from the streams that it names anywhere, since a name means nothing else there.

    Without "in", "of" and the like before it a name counts only where it can be no plain word ("did cam1 see",
    "the yard camera saw").
    """
    if not streams:
        return question, []
    names, name, listed = _patterns(streams)
    several = rf"{listed}(?:{_AND} {listed})*"
    before = r"\b(?:in|into|on|onto|from|at|by|to|of|for|through|past|inside|near)"
    found = re.search(rf"{before} (?P<list>{several})(?:\.\w+)?(?![\w-])", question, re.IGNORECASE)
    if found is None:
        bare = re.finditer(rf"(?<![\w-])(?P<list>{several})(?![\w-])", question, re.IGNORECASE)
        found = next((each for each in bare if re.search(rf"\b{_KINDS}\b|[\d_/]", each["list"])), None)
    if found is None:
        return question, []
    rest = tidy(question[: found.start()] + " " + question[found.end() :])
    return rest.lstrip(": "), _named(found["list"], name, names)


def names_of(stream: str) -> set[str]:
    """What people may call a stream: by its whole id, its camera, its source."""
    return {stream, stream.rpartition("/")[2], stream.partition("/")[0]}


def plain(name: str) -> str:
    """A name without capitals and signs: "Yard-Left" and "yard left" are one."""
    return " ".join(re.split(r"[ _\-/.]+", name.casefold())).strip()


def _patterns(streams: Sequence[str]) -> tuple[dict[str, list[str]], str, str]:
    """The ids that each plain name stands for; patterns of a name, and of one with words around it."""
    names: dict[str, list[str]] = {}
    for stream in streams:
        for name in names_of(stream):
            names.setdefault(plain(name), []).append(stream)
    words = sorted((re.escape(name).replace(r"\ ", r"[ _\-/.]+") for name in names if name), key=len, reverse=True)
    any_name = rf"(?:{'|'.join(words)})"
    return names, any_name, rf"(?:the )?(?:{_KINDS} )?{any_name}(?: {_KINDS})?"


def _named(listed: str, name: str, names: dict[str, list[str]]) -> list[str]:
    found = [stream for each in re.findall(name, listed, re.IGNORECASE) for stream in names.get(plain(each), [])]
    return list(dict.fromkeys(found))
