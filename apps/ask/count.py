"""Questions that count: the number from a memory's entities, and the moments that it rests on."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from hippocam.apps.ask.count_rules import RULES, Count, CountQuestion, EntityView
from hippocam.memory.entities.records import Entity
from hippocam.memory.memory import Memory
from hippocam.memory.records import Evidence
from hippocam.models.readers.reading import Reading, Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class CountAnswer:
    """A count as a reader would word it.

    Attributes:
        reading: The sentence.
        evidence: The moments that it rests on, by time, each with the times at which something was counted.
    """

    reading: Reading
    evidence: tuple[Evidence, ...]


def answer_count(
    memory: Memory,
    question: str,
    *,
    stream: str | None,
    at_s: float | None,
    top: int,
    moment: Callable[[int], Evidence | None],
) -> CountAnswer | None:
    """Answer a question that counts, with the entries that show what was counted.

    The belief in a count is how sure the detector was of the least sure entity in it, and one half where it counts
    none.

    Args:
        memory: Where to count.
        question: In the user's words.
        stream: Only this stream, by its whole id; None for all.
        at_s: As if the streams ended here.
        top: Entries to show at most.
        moment: Makes evidence of an entry, by its id; None where the memory no longer holds it.

    Returns:
        None where the question does not count, or no entity was recognised.
    """
    entities = memory.entities
    count = count_entities(question, entities, stream=stream, at_s=at_s)
    if count is None:
        return None
    chosen = [e for e in entities.entities(stream, None, at_s) if e.id in set(count.entities)]
    belief = min((max(visit.score for visit in entity.visits) for entity in chosen), default=0.5)
    shown: dict[int, list[tuple[float, float]]] = {}
    for name, t0_s, t1_s in sorted(count.spans, key=lambda span: (span[1], span[0])):
        entry_id = memory.entry_at(name, _best_s(chosen, name, t0_s, t1_s))
        if entry_id is not None and (entry_id in shown or len(shown) < top):
            shown.setdefault(entry_id, []).append((t0_s, t1_s))
    evidence = tuple(
        replace(
            found,
            t0_s=spans[0][0],
            t1_s=spans[0][1],
            spans=tuple(spans),
            score=belief,
            why="counted: seen by the detector at these times",
            met=len(spans),
        )
        for entry_id, spans in shown.items()
        if (found := moment(entry_id)) is not None
    )
    sentence = Sentence(text=f"{count.text}.", evidence_ids=tuple(found.id for found in evidence))
    return CountAnswer(reading=Reading(sentences=(sentence,), unknown=False, confidence=belief), evidence=evidence)


def count_entities(
    question: str, view: EntityView, *, stream: str | None = None, at_s: float | None = None
) -> Count | None:
    """Answer a question that counts.

    Args:
        question: In the user's words.
        view: What was seen.
        stream: Which stream is meant; None for all.
        at_s: The time of asking; None for the end. Nothing that was known later is used.

    Returns:
        The answer; None where the question does not count, some of its words are not known, or no entity was ever
        recognised.
    """
    words = " ".join(re.sub(r"[?!.,;]+(?=\s|$)", " ", question.casefold()).split())
    plain = CountQuestion(words, view, stream, view.end_s(stream) if at_s is None else at_s)
    for rule in RULES:
        found = rule(plain)
        if found is not None:
            # Where no entity was ever recognised, "none" may be wrong, so nothing is said.
            return found if view.entities(stream, None, plain.at_s) else None
    return None


def _best_s(entities: Sequence[Entity], stream: str, t0_s: float, t1_s: float) -> float:
    """The time in a stretch at which the detector was surest of what was there, else the middle."""
    best = [v for e in entities for v in e.visits if v.stream == stream and t0_s <= v.frame_s <= t1_s]
    return max(best, key=lambda visit: visit.score).frame_s if best else (t0_s + t1_s) / 2
