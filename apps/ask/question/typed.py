"""A question as people type it into the words that the rules know: short forms, missing apostrophes, slips.

Only words that can hardly mean anything else are replaced, and nothing in quotes: what is written on a sign stays
as it was written. Names of streams join their words with other letters ("whats_new"), so they are safe.
"""

from __future__ import annotations

import re

from hippocam.apps.ask.question.same_words import in_same_words

# What is typed, and what it stands for. "What's" is "what is", since rules that know one know the other.
_WORDS = {
    "whats": "what is", "what's": "what is", "wheres": "where is", "where's": "where is", "whos": "who is",
    "who's": "who is", "hows": "how is", "how's": "how is", "whens": "when is", "when's": "when is",
    "theres": "there is", "there's": "there is", "ppl": "people", "persons": "people", "vid": "video",
    "vids": "videos", "pic": "picture", "pics": "pictures", "pls": "please", "plz": "please", "u": "you",
    "wat": "what", "waht": "what", "wich": "which", "whcih": "which", "wehn": "when", "hwo": "how", "teh": "the",
    "poeple": "people", "peopel": "people", "pepole": "people", "sombody": "somebody", "somone": "someone",
    "anyting": "anything", "colur": "colour", "coulour": "colour", "bycicle": "bicycle", "bicylce": "bicycle",
    "vehical": "vehicle", "vehicel": "vehicle", "thier": "their", "hapens": "happens", "happend": "happened",
    "happenes": "happens",
}  # fmt: skip
# "Isn't there a dog?" asks the same as "is there a dog?".
_NOT_ASKED = {
    "isn't": "is", "isnt": "is", "aren't": "are", "arent": "are", "wasn't": "was", "wasnt": "was",
    "weren't": "were", "werent": "were", "doesn't": "does", "doesnt": "does", "didn't": "did", "didnt": "did",
    "don't": "do", "dont": "do", "hasn't": "has", "hasnt": "has", "haven't": "have", "havent": "have",
}  # fmt: skip
# "The words THE END" quotes them.
_CAPITALS = re.compile(r"\b(?P<said>the words?) (?P<words>[A-Z][A-Z0-9'&-]*(?: [A-Z0-9'&-]+)*)(?![\w\"])")
# Words in single quotes are quoted, too; an apostrophe has a letter on both sides.
_SINGLE = re.compile(r"(?<![\w\"])'(?P<words>[^\"]+?)'(?![\w\"])")
_WORD = re.compile(r"\"[^\"]*\"|“[^”]*”|[\w'-]+")
# "How many cars?" asks how many there are.
_BARE_COUNT = re.compile(r"^(how many [a-z]+)\s*[?!.]*$", re.IGNORECASE)
# "How come the man left?" asks why, and the moment answers it.
_HOW_COME = re.compile(r"^how come\b", re.IGNORECASE)


def as_meant(question: str) -> str:
    """A question with its short forms and slips written out; a second time it changes nothing."""
    plain = " ".join(question.replace("’", "'").split())
    plain = _SINGLE.sub(r'"\g<words>"', plain)
    plain = _CAPITALS.sub(r'\g<said> "\g<words>"', plain)
    plain = _WORD.sub(lambda found: _written_out(found[0]), plain)
    first, _, rest = plain.partition(" ")
    if rest and (asked := _NOT_ASKED.get(first.casefold())):
        plain = f"{_like(asked, first)} {rest}"
    plain = _HOW_COME.sub("why did", _BARE_COUNT.sub(r"\1 are there?", plain))
    return in_same_words(plain)


def _written_out(word: str) -> str:
    meant = _WORDS.get(word.casefold())
    return word if meant is None else _like(meant, word)


def _like(meant: str, typed: str) -> str:
    """The words that are meant, with a capital where one was typed."""
    return meant[:1].upper() + meant[1:] if typed[:1].isupper() else meant
