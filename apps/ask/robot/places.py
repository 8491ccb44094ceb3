"""Where a robot was, told beside an answer that says when something was seen."""

from __future__ import annotations

from dataclasses import replace

from hippocam.apps.ask.robot.records import OWN_RECORD, RobotRecords
from hippocam.apps.ask.robot.wording import place_in_words
from hippocam.apps.ask.where import Where
from hippocam.apps.records import Answer
from hippocam.memory.records import Evidence
from hippocam.models.readers.question_kind import QuestionKind
from hippocam.models.readers.reading import Sentence
from hippocam.stream.timecode import format_time

_PLACED = (QuestionKind.WHERE, QuestionKind.FIRST, QuestionKind.LAST, QuestionKind.ORDINAL)


def with_place(records: RobotRecords, answer: Answer, where: Where) -> Answer:
    """Say beside an answer to where, or to when first or last, where the robot was and which frame shows it.

    Args:
        records: Where it is looked up.
        answer: The answer, as it was found.
        where: The conditions of the question.
    """
    meaning = answer.understood
    if meaning is None or meaning.kind not in _PLACED or answer.unknown:
        return answer
    cited = [moment for moment in answer.evidence if moment.id in answer.cited]
    if not cited or cited[0].why == OWN_RECORD:
        return answer  # which says itself where that was
    latest = meaning.kind == QuestionKind.LAST
    moment = max(cited, key=lambda each: _seen_s(each, latest=True)) if latest else cited[0]
    sample = records.at(moment.stream, _seen_s(moment, latest=latest), where.get("at_s"))
    if sample is None or sample.pose is None:
        return answer
    frame = f"; the frame that is kept of it is of {format_time(moment.frame_s)}" if moment.image else ""
    text = f"The robot was {place_in_words(sample.pose)} then{frame}."
    mark = 1 + [each.id for each in answer.evidence].index(moment.id)
    sentence = Sentence(text=text, evidence_ids=(moment.id,), known=True)
    return replace(
        answer,
        answer=f"{answer.answer} {text.removesuffix('.')} [{mark}].",
        sentences=(*answer.sentences, sentence),
    )


def _seen_s(moment: Evidence, *, latest: bool) -> float:
    """When a moment's thing was seen last, or best."""
    if latest:
        return max(t1_s for _, t1_s in moment.spans or ((moment.t0_s, moment.t1_s),))
    return moment.frame_s if moment.t0_s <= moment.frame_s <= moment.t1_s else moment.t1_s
