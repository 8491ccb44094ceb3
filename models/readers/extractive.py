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
# Moments this near to each other, in seconds, are told as one.
_GAP_S = 0.05


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
                f"{_span(best.stream, best.t0_s, best.t1_s)}, with a belief of {best.score:.0%}.",
                unknown=True,
            )
        likely = [e for e in evidence if e.score >= max(SEEN_FROM, _ALSO * best.score)]
        first, *others = _joined(likely)
        answer = f"Best match: {_span(*first)} (belief {best.score:.0%}){_shows(best)}."
        if others:
            answer += " Also likely: " + "; ".join(_span(*other) for other in others[:3]) + "."
        return Reading(answer=answer, unknown=False, evidence_ids=tuple(e.id for e in likely))


def _joined(evidence: Sequence[Evidence]) -> list[tuple[str, float, float]]:
    """Streams and spans of moments, the strongest first; those that follow one another are told as one."""
    spans: list[tuple[str, float, float]] = []
    for moment in evidence:
        stream, t0_s, t1_s = moment.stream, moment.t0_s, moment.t1_s
        touching = [s for s in spans if s[0] == stream and t0_s <= s[2] + _GAP_S and s[1] <= t1_s + _GAP_S]
        joined = (stream, min([t0_s, *(s[1] for s in touching)]), max([t1_s, *(s[2] for s in touching)]))
        place = spans.index(touching[0]) if touching else len(spans)
        spans = [s for s in spans if s not in touching]
        spans.insert(place, joined)
    return spans


def _span(stream: str, t0_s: float, t1_s: float) -> str:
    return f"{format_time(t0_s)} to {format_time(t1_s)} in {stream}"


def _shows(evidence: Evidence) -> str:
    return f", which looks like {', '.join(evidence.labels[:3])}" if evidence.labels else ""
