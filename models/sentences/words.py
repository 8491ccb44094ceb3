"""Numbers, kinds and read lines in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from hippocam.models.sentences.moment import Subject

_NUMBERS = ("no", "a", "two", "three", "four", "five", "six")
# From so many on they are not counted: a detector misses some of a crowd.
_MANY = 7
_PLURALS = {"person": "people", "bus": "buses", "sheep": "sheep", "knife": "knives", "mouse": "mice",
            "man": "men", "woman": "women", "child": "children",
            "skis": "skis", "scissors": "scissors"}  # fmt: skip
_NAMES = {
    "person": "person", "cell phone": "mobile phone", "tv": "screen", "couch": "sofa", "dining table": "table",
    "potted plant": "plant", "airplane": "aeroplane", "sports ball": "ball", "truck": "lorry", "donut": "doughnut",
}  # fmt: skip
_TIME = re.compile(r"\d+\s*[:.]\s*\d+|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")
_LEAST_LETTERS = 4
_MOST_CHARS = 48


def plural(noun: str) -> str:
    """The plural of a noun for people or things: "women", "buses"."""
    if noun in _PLURALS:
        return _PLURALS[noun]
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "ch", "sh")) else f"{noun}s"


def counted(subject: Subject) -> str:
    """Write a number of things: "a person in black", "two people", "several white cars"."""
    name = subject.kind or _NAMES.get(subject.label, subject.label)
    if subject.count > 1:
        name = plural(name)
    if subject.label == "person":  # "a person in black", "a black car"
        name += f" in {subject.colour}" if subject.colour else ""
    elif subject.colour:
        name = f"{subject.colour} {name}"
    if subject.count == 1:
        return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
    return f"{_NUMBERS[subject.count] if subject.count < _MANY else 'several'} {name}"


def listed(words: Sequence[str]) -> str:
    """Join words: "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def telling(lines: Iterable[str], most: int) -> list[str]:
    """The lines that tell most, `most` at most, in their order: long ones of letters, no times and no dates."""
    good = []
    for line in dict.fromkeys(" ".join(line.split()) for line in lines):
        letters = sum(c.isalpha() for c in line)
        if letters >= _LEAST_LETTERS and letters > 0.6 * len(line.replace(" ", "")) and not _TIME.search(line):
            good.append(line)
    best = sorted(good, key=lambda line: -min(len(line), _MOST_CHARS))[:most]
    return [line for line in good if line in best]


def quoted(line: str) -> str:
    """A read line in quotes, cut where it is long."""
    if len(line) > _MOST_CHARS:
        line = line[:_MOST_CHARS].rsplit(" ", 1)[0] + " ..."
    return f"“{line}”"
