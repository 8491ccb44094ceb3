"""The reader that needs no weights: it states the best evidence in a sentence, or that there is none."""

from __future__ import annotations

from collections.abc import Sequence

from hippocam.memory.records import Evidence
from hippocam.models.readers.reading import Reading
from hippocam.stream.timecode import format_time

# Below this belief the best evidence is no answer.
SEEN_FROM = 0.5
# Further moments are named when they are at least this share of the best one.
_ALSO = 0.8


class ExtractiveReader:
    """Answers "when" and "where" with the moment itself."""

    id = "extractive"

    def read(self, question: str, evidence: Sequence[Evidence]) -> Reading:
        """State the best evidence.

        Args:
            question: As it was asked; not interpreted here.
            evidence: The strongest first.
        """
        if not evidence:
            return Reading(answer="Not seen: the memory holds nothing for that time and place.", unknown=True)
        best = evidence[0]
        if best.score < SEEN_FROM:
            return Reading(
                answer="Not seen: nothing in the memory matches well enough. The nearest is "
                f"{_moment(best)}, with a belief of {best.score:.0%}.",
                unknown=True,
            )
        others = [e for e in evidence[1:4] if e.score >= max(SEEN_FROM, _ALSO * best.score)]
        answer = f"Best match: {_moment(best)} (belief {best.score:.0%}){_shows(best)}."
        if others:
            answer += " Also likely: " + "; ".join(_moment(e) for e in others) + "."
        return Reading(answer=answer, unknown=False, evidence_ids=tuple(e.id for e in (best, *others)))


def _moment(evidence: Evidence) -> str:
    return f"{format_time(evidence.t0_s)} to {format_time(evidence.t1_s)} in {evidence.stream}"


def _shows(evidence: Evidence) -> str:
    return f", which looks like {', '.join(evidence.labels[:3])}" if evidence.labels else ""
