"""What was answered against what is right: options by letter or text, free answers by numbers and words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

LETTERS = "ABCDEFGHIJ"
_ARTICLES = frozenset(("a", "an", "the"))
_NUMBERS = {
    word: str(number)
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen".split()
    )
} | {"once": "1", "twice": "2", "none": "0", "nobody": "0"}
# What our answers say beside the answer: "[2]", "(inference)", "(belief 73%)"; and times, which are not counts.
_ASIDES = re.compile(r"\[[^\]]*\]|\((?:inference|belief[^)]*)\)")
_TIMES = re.compile(r"\b\d+(?::\d\d)+(?:\.\d+)?|\b\d+(?:\.\d+)? ?%")
_LEAD = re.compile(r"^\s*\(?([A-Ja-j])(?:[.):]|\)\s*[.:]?)\s*")
_ALONE = re.compile(
    r"^\W*(?:(?:the )?(?:best |correct |final )?(?:answer|option|choice)(?: is)?\W*)?([A-J])\W*$", re.I
)
_SAID = re.compile(r"\b(?:answer|option|choice)\b(?: is)?\s*[:=]?\s*\(?([A-J])\b(?!')")
_NAKED = re.compile(r"^\W*([A-J])\s+(?=\S)")


def without_letter(option: str) -> str:
    """An option's text without the letter before it: "A. a dog" and "A.a dog" are "a dog"."""
    return _LEAD.sub("", option, count=1).strip() or option.strip()


def chosen_option(said: str, options: Sequence[str]) -> int | None:
    """Which option an answer names: by its letter ("B", "(B)", "B. text", "The answer is B"), else by its text.

    Args:
        said: The answer, with or without marks of moments.
        options: Texts without letters.

    Returns:
        The option's index; None where none is named, or the text of several is.
    """
    text = _ASIDES.sub(" ", said).strip()
    whole = normal(text)
    same = [k for k, option in enumerate(options) if normal(option) == whole]
    if len(same) == 1:
        return same[0]
    for pattern in (_ALONE, _LEAD, _SAID):
        found = pattern.search(text)
        if found and (index := LETTERS.index(found[1].upper())) < len(options):
            return index
    held = [k for k, option in enumerate(options) if option.strip() and f" {normal(option)} " in f" {whole} "]
    # A longer option that holds a shorter one is what was meant.
    held = [k for k in held if not any(k != o and normal(options[k]) in normal(options[o]) for o in held)]
    if len(held) == 1:
        return held[0]
    naked = _NAKED.match(text)
    if naked and not held and naked[1] != "A" and naked[1] != "I":
        index = LETTERS.index(naked[1])
        return index if index < len(options) else None
    return None


def normal(text: str) -> str:
    """Lower case, number words as digits, without punctuation and articles; as SQuAD's scorer does it."""
    words = re.findall(r"\d+\.\d+|\w+", text.lower())
    return " ".join(_NUMBERS.get(word, word) for word in words if word not in _ARTICLES)


def free_match(said: str, answer: str, also: Sequence[str] = ()) -> float:
    """How well a free answer matches, 0 to 1: not a benchmark's accuracy, which needs a judge.

    Where the right answer begins with a number, the first number said, times and percentages apart, must be the
    same; else the F1 of the words (Rajpurkar et al. 2016), both normalised, the best of the answers that count.
    """
    return max(_match(_TIMES.sub(" ", _ASIDES.sub(" ", said)), right) for right in (answer, *also))


def _match(said: str, right: str) -> float:
    words, wanted = normal(said).split(), normal(right).split()
    if not words or not wanted:
        return float(words == wanted)
    if _is_number(wanted[0]):
        return float(next((word for word in words if _is_number(word)), None) == wanted[0])
    shared = sum((Counter(words) & Counter(wanted)).values())
    return 2 * shared / (len(words) + len(wanted))


def _is_number(word: str) -> bool:
    return word.replace(".", "", 1).isdigit()
