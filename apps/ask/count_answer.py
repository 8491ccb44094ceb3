"""Counting questions about one memory: the number from its entities, and the moments that it rests on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from hippocam.apps.ask.count import counted
from hippocam.memory.entities.records import Entity
from hippocam.memory.memory import Memory
from hippocam.memory.records import Evidence
from hippocam.models.readers.reading import Reading, Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The answer to a counting question.

    Attributes:
        reading: What is said.
        evidence: The moments that it rests on, by time, with the times that were counted.
    """

    reading: Reading
    evidence: tuple[Evidence, ...]

    def renamed(self, rename: Callable[[Evidence], Evidence]) -> Told:
        """The same with its moments under other names."""
        evidence = tuple(map(rename, self.evidence))
        (sentence,) = self.reading.sentences
        named = replace(sentence, evidence_ids=tuple(moment.id for moment in evidence))
        return Told(reading=replace(self.reading, sentences=(named,)), evidence=evidence)


def count_in(
    memory: Memory,
    question: str,
    *,
    stream: str | None,
    at_s: float | None,
    top: int,
    moment: Callable[[int], Evidence | None],
) -> Told | None:
    """Count, and show the entries in which it was seen.

    The belief in a count is how sure the detector was of the least sure thing in it, and one half where there was
    nothing to be sure of.

    Args:
        memory: What is asked.
        question: As it was asked.
        stream: Only this one, by its whole name; None for all.
        at_s: As if the streams ended here.
        top: Entries at most.
        moment: Gives an entry as evidence; None where there is none of this number any more.

    Returns:
        None where the question does not count, or nothing was recognised.
    """
    entities = memory.entities
    count = counted(question, entities, stream=stream, at_s=at_s)
    if count is None:
        return None
    chosen = [e for e in entities.entities(stream, None, at_s) if e.id in set(count.entities)]
    belief = min((max(visit.score for visit in entity.visits) for entity in chosen), default=0.5)
    shown: dict[int, list[tuple[float, float]]] = {}
    for name, t0_s, t1_s in sorted(count.spans, key=lambda span: (span[1], span[0])):
        number = memory.entry_at(name, _shown_s(chosen, name, t0_s, t1_s))
        if number is not None and (number in shown or len(shown) < top):
            shown.setdefault(number, []).append((t0_s, t1_s))
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
        for number, spans in shown.items()
        if (found := moment(number)) is not None
    )
    sentence = Sentence(text=f"{count.text}.", evidence_ids=tuple(found.id for found in evidence))
    return Told(reading=Reading(sentences=(sentence,), unknown=False, confidence=belief), evidence=evidence)


def _shown_s(entities: Sequence[Entity], stream: str, t0_s: float, t1_s: float) -> float:
    """A time in a stretch at which a detector was sure of what was there, else its middle."""
    best = [v for e in entities for v in e.visits if v.stream == stream and t0_s <= v.frame_s <= t1_s]
    return max(best, key=lambda visit: visit.score).frame_s if best else (t0_s + t1_s) / 2
