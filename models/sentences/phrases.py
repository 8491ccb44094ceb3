"""The bank of phrases that a sentence is made from: `assets/phrases.txt`, written by us, read once."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

FILE = Path(__file__).parents[1] / "assets" / "phrases.txt"


class Part(Enum):
    """What a phrase is in a sentence."""

    SCENE = "scene"
    PLACE = "place"
    ACTION = "action"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """Words that a picture may look like.

    Attributes:
        part: What it is in a sentence.
        setting: What sort of picture it is of: room, street, screen, drawing; "" for what somebody does.
        words: As it stands in the sentence: "in a kitchen", "reading a book".
        encoded: As the encoder gets it: "a kitchen", "a person reading a book".
        several: Whether it is of several people; of an action there are two phrases.
    """

    part: Part
    setting: str
    words: str
    encoded: str
    several: bool = False


@functools.cache
def phrases() -> tuple[Phrase, ...]:
    """Give the bank, in the order of its file."""
    return tuple(_read(FILE.read_text(encoding="utf-8")))


@functools.cache
def bank_id() -> str:
    """Give a short name of the bank, which changes when a phrase does."""
    said = "\n".join(phrase.encoded for phrase in phrases())
    return hashlib.blake2b(said.encode(), digest_size=6).hexdigest()


def _read(text: str) -> Iterator[Phrase]:
    part, setting = Part.SCENE, ""
    for line in text.splitlines():
        if line.startswith("["):
            name, _, setting = line.strip("[]").partition(" ")
            part = Part(name)
        elif line and not line.startswith("#"):
            yield from _phrases_of(part, setting, line)


def _phrases_of(part: Part, setting: str, words: str) -> Iterator[Phrase]:
    if part is Part.ACTION:
        yield Phrase(part=part, setting="", words=words, encoded=f"a person {words}")
        yield Phrase(part=part, setting="", words=words, encoded=f"people {words}", several=True)
    else:
        encoded = words.partition(" ")[2] if part is Part.PLACE else words
        yield Phrase(part=part, setting=setting, words=words, encoded=encoded)
