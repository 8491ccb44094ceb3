"""An answer that a memory's own records give, before any reader is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hippocam.memory.records import Evidence
from hippocam.models.readers.reading import Reading, Sentence
from hippocam.models.readers.surety import Surety, hedged

# That lines of a screen which have what is asked for are meant, and what moments that show them rest on.
ON_SCREEN = 0.85
# That somebody is a man, a woman or a child whose portrait shows one.
SHOWN_AS = 0.8
TO_BE_READ = "to be read at these times"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An answer from records.

    Attributes:
        reading: The sentences.
        evidence: The moments that they rest on, each with the times that are meant.
        final: Whether no reader could do better: a number, a length. A reader that sees or reasons is given the
            others as records, and words them itself.
    """

    reading: Reading
    evidence: tuple[Evidence, ...]
    final: bool = True


def told(
    text: str,
    evidence: Sequence[Evidence] = (),
    *,
    belief: float = 1.0,
    unknown: bool = False,
    final: bool = True,
    more: Sequence[Sentence] = (),
) -> Told:
    """Make an answer of a sentence that rests on some moments.

    Args:
        text: The sentence.
        evidence: What it rests on; none where it is about the records themselves, as the length of a video is.
        belief: That it is right, 0 to 1.
        unknown: Whether it says that the memory does not know.
        final: As in Told.
        more: Further sentences.
    """
    first = Sentence(text=text, evidence_ids=tuple(e.id for e in evidence), known=True)
    reading = Reading(sentences=(first, *more), unknown=unknown, confidence=belief)
    return Told(reading=reading, evidence=tuple(evidence), final=final)


class Shows(Protocol):
    """The moments of some spans, as far as they are needed here; see `Facts.shown`."""

    def shown(self, spans: Sequence[tuple[str, float, float, float]], why: str, belief: float) -> list[Evidence]:
        """Moments for some spans, each with these as its times."""


def on_screen(facts: Shows, where: str, lines: str, spans: Sequence[tuple[str, float, float, float]]) -> Told:
    """Tell lines that were read on a screen.

    Args:
        facts: The moments.
        where: In which stream, and when unless the lines say so.
        lines: As they are told.
        spans: Their times.
    """
    text = hedged(f"on screen in {where}: {lines}", Surety.of(ON_SCREEN))
    return told(text, facts.shown(spans, TO_BE_READ, ON_SCREEN), belief=ON_SCREEN)
