"""A question into an answer: what it means, the moments that bear on it, a reader that words what they show."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

from hippocam.apps.ask.answer.answer import answer_beside, answer_from_records, told_records, trusted
from hippocam.apps.ask.answer.closeup import Pictures
from hippocam.apps.ask.asof import Known, is_present, with_states
from hippocam.apps.ask.away import with_away
from hippocam.apps.ask.belief.likely import named_first
from hippocam.apps.ask.belief.regions import on_its_scale
from hippocam.apps.ask.deep import DeepConfig, SecondLook, look_again, thin
from hippocam.apps.ask.links import where_before
from hippocam.apps.ask.order import order
from hippocam.apps.ask.question.before_after import JUST_S
from hippocam.apps.ask.question.description import description
from hippocam.apps.ask.question.meaning import Meaning, Turn
from hippocam.apps.ask.question.timeline import away
from hippocam.apps.ask.question.understand import understand
from hippocam.apps.ask.reader import Reader
from hippocam.apps.ask.records import facts_of, not_watched
from hippocam.apps.ask.remains import Known as Left
from hippocam.apps.ask.remains import with_remains
from hippocam.apps.ask.robot.answer import answer_of_robot
from hippocam.apps.ask.robot.places import with_place
from hippocam.apps.ask.where import TOP, Where, filter_of, narrowed
from hippocam.apps.records import Answer
from hippocam.apps.zones.asking import Asked, InZone, of_zone, zone_named
from hippocam.memory.filter import Filter
from hippocam.memory.records import Evidence
from hippocam.models.encoders.absent import AbsentEncoder
from hippocam.models.errors import ReaderError
from hippocam.models.readers.context import build_context
from hippocam.models.readers.extractive import ExtractiveReader
from hippocam.models.readers.question_kind import QuestionKind
from hippocam.models.readers.reading import SEEN_FROM, Reading, Sentence
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import Embedding


class Askable(Asked, Known, Left, Protocol):
    """Where an answer is looked for; `Search` is one, over one memory or several."""


def ask(
    memory: Askable,
    encoder: Encoder,
    question: str,
    where: Where,
    reader: Reader,
    *,
    latest: Callable[[str], Sequence[Embedding]],
    on_token: Callable[[str], None] | None = None,
    before: Turn | None = None,
    deep: DeepConfig | None = None,
) -> Answer:
    """Answer a question with the moments that the answer rests on.

    A reader that fails does not keep the evidence back: the extractive reader words it then, and the answer
    says so in `failed`.

    Args:
        memory: Where to look.
        encoder: The one that made its vectors.
        question: In plain words.
        where: Conditions; streams and entries have their whole names.
        reader: Who words the answer.
        latest: Gives the newest frames of a stream that is being watched.
        on_token: Gets the words of the answer as they come, before they are checked.
        before: The last question of the conversation, if it is one.
        deep: When and how far sources are looked at again; None for never.

    Raises:
        HippocamError: There is nothing to look for, a condition is out of its range or names what is not known.
    """
    zone = zone_named(question, memory.marked())
    found = _found(
        memory if zone is None else InZone(memory, zone),
        encoder,
        question if zone is None else zone.rest,
        where,
        reader,
        latest=latest,
        on_token=on_token,
        before=before,
        deep=deep,
    )
    if zone is not None:
        return of_zone(with_away(found, memory.streams(), where, present=False), zone.name)
    if found.unknown and isinstance(encoder, AbsentEncoder):
        return found  # nobody could look, so nothing is told of when it was not seen
    held = memory.streams()
    told = with_states(memory, found, where, missing=away(held))
    present = found.understood is not None and is_present(found.understood.question)
    told = with_remains(memory, with_away(told, held, where, present=present), where)
    return with_place(memory.robot, told, where)


def _found(
    memory: Asked,
    encoder: Encoder,
    question: str,
    where: Where,
    reader: Reader,
    *,
    latest: Callable[[str], Sequence[Embedding]],
    on_token: Callable[[str], None] | None,
    before: Turn | None,
    deep: DeepConfig | None,
) -> Answer:
    """Find the answer; the arguments are those of `ask`."""
    started = time.monotonic()
    budget, at_s, top = reader.budget, where.get("at_s"), where.get("top")
    recalled = [stream for stream in memory.streams() if stream.quarantined != "all"]
    streams = [stream for stream in recalled if filter_of(where).of_stream(stream.id)]
    meaning = understand(question, streams, at_s=at_s, before=before)
    count = memory.count(question, where)
    if count is not None:
        return _answer(meaning, count.evidence, count.reading, "counting", started)
    of_robot = answer_of_robot(
        memory.robot, meaning, streams, where, lambda stream, time_s: memory.moment_at(stream, time_s, at_s)
    )
    if of_robot is not None:
        return _answer(meaning, of_robot.evidence, of_robot.reading, "records", started)
    linked = where_before(memory, meaning.question, where)
    if linked is not None:
        return replace(_answer(meaning, linked.evidence, linked.reading, "records", started), path=linked.path)
    facts = facts_of(memory, meaning, streams, where, top=top or TOP)
    spans = [own for span in meaning.spans if (own := narrowed(where, span)) is not None]
    in_order = (
        order(memory, facts, meaning.anchor, spans)
        if facts is not None and not isinstance(encoder, AbsentEncoder)
        else None
    )
    if in_order is not None:
        return _answer(meaning, in_order.evidence, in_order.reading, "records", started)
    if facts is not None and (missed := not_watched(facts, meaning, streams)):
        return _answer(meaning, (), Reading(sentences=(Sentence(text=missed),), unknown=True), "records", started)
    recorded = answer_from_records(facts) if facts is not None else None
    if recorded is not None and (recorded.final or reader.id == ExtractiveReader.id):
        return _answer(meaning, recorded.evidence, recorded.reading, "records", started)
    limits: Where = {
        **where,
        "top": budget.moments if top is None else top,
        "in_words": meaning.in_words,
        "presupposed": meaning.presupposed,
    }
    if meaning.kind in (QuestionKind.BEFORE, QuestionKind.AFTER):
        # all of them, since those that go on from the best one are told as one with it
        limits["beside"], limits["far"] = max(limits["top"] or TOP, where.get("beside") or 0), True
    searches, missing = _searches(memory, meaning, limits)
    if missing:
        reading = Reading(sentences=(Sentence(text=missing),), unknown=True)
        return _answer(meaning, (), reading, reader.id, started)
    evidence = _gather(memory, meaning, searches, limits["top"] or TOP)
    absent = isinstance(encoder, AbsentEncoder)
    if facts is not None and not absent:
        evidence = trusted(facts, evidence)
        recorded = answer_beside(facts, evidence, Pictures(encoder)) or recorded
    if recorded is not None and (recorded.final or reader.id == ExtractiveReader.id):
        return _answer(meaning, recorded.evidence, recorded.reading, "records", started)
    looked: SecondLook | None = None
    if deep is not None and not absent and meaning.sought and thin(evidence, deep, sees=budget.frames > 0):
        looked = look_again(
            evidence,
            encoder.encode_texts([description(meaning.sought)])[0],
            encoder,
            streams,
            deep,
            compared=sum(stream.entries for stream in streams),
            at_s=at_s,
            marked=memory.marked(),
            scaled=partial(on_its_scale, encoder=encoder),
        )
        evidence = looked.evidence
    context = build_context(
        meaning.question,
        evidence,
        _live(memory, where, latest) if budget.live_frames else [],
        budget,
        kind=meaning.kind,
        closer=looked.pictures if looked else {},
        records=told_records(facts, recorded) if facts is not None else (),
    )
    try:
        reading, who, failed = reader.read(context, on_token), reader.id, ""
    except ReaderError as error:
        fallback = ExtractiveReader()
        reading, who, failed = fallback.read(context), fallback.id, f"{reader.id}: {error}"
    said = bool(evidence) and evidence[0].noted > 0
    if reading.unknown and not said and isinstance(encoder, AbsentEncoder):
        unseen = Reading(sentences=(Sentence(text=f"Not known: {encoder.why}."),), unknown=True)
        return _answer(meaning, (), unseen, who, started)
    return replace(_answer(meaning, evidence, reading, who, started), failed=failed, looked=looked)


def _answer(
    meaning: Meaning, evidence: tuple[Evidence, ...], reading: Reading, who: str, started: float
) -> Answer:
    """Make an answer of what a reader said; "[2]" in it stands for the second moment of the evidence."""
    marks = {moment.id: str(rank) for rank, moment in enumerate(evidence, start=1)}
    marks |= {given.id: f"live {given.time_s:.1f} s" for given in reading.given if given.id not in marks}
    return Answer(
        answer=reading.cited_answer(marks),
        unknown=reading.unknown,
        confidence=reading.confidence,
        evidence=evidence,
        cited=reading.evidence_ids,
        reader=who,
        latency_ms=(time.monotonic() - started) * 1000,
        sentences=reading.sentences,
        given=reading.given,
        prompt=reading.prompt,
        understood=meaning,
        surety=reading.surety,
    )


def _searches(memory: Asked, meaning: Meaning, where: Where) -> tuple[list[Where], str]:
    """The conditions of each search that a question needs; or why there is nothing to search."""
    searches = [own for span in meaning.spans if (own := narrowed(where, span)) is not None]
    anchor = meaning.anchor
    if anchor is None:
        return searches, ""
    t0_s, t1_s, stream = anchor.t0_s, anchor.t1_s, anchor.stream
    if t0_s is None or t1_s is None:
        beside: Where = {"top": TOP, "beside": 0, "presupposed": True, "in_words": False}
        found = [m for own in searches for m in memory.search(anchor.text, {**own, **beside})]
        found.sort(key=lambda moment: -moment.score)
        best = next(iter(named_first(anchor.text, found)), None)
        if best is None or best.score < SEEN_FROM:
            return [], f'Not seen: nothing matches "{anchor.text}", {anchor.side} which to look.'
        t0_s, t1_s, stream = best.t0_s, best.t1_s, best.stream
    if anchor.side == "before":
        span = Filter(stream=stream, after_s=t0_s - JUST_S if anchor.just else None, before_s=t0_s)
    else:
        span = Filter(stream=stream, after_s=t1_s, before_s=t1_s + JUST_S if anchor.just else None)
    return [both for own in searches if (both := narrowed(own, span)) is not None], ""


def _gather(memory: Asked, meaning: Meaning, searches: Sequence[Where], top: int) -> tuple[Evidence, ...]:
    """Moments of all searches, the strongest first; for a question for what there was, by time."""
    if not meaning.sought:
        found = [pair for where in searches for pair in memory.notable(where, top)]
        best = [moment for _, moment in sorted(found, key=lambda pair: -pair[0])[:top]]
        return tuple(sorted(best, key=lambda m: (m.spans[0][0], m.stream, m.id)))
    moments = {m.id: m for where in searches for m in memory.search(meaning.sought, where)}
    ranked = sorted(moments.values(), key=lambda m: (-m.score, m.stream, m.t0_s))
    ranked = named_first(meaning.sought, ranked)
    if meaning.kind in (QuestionKind.BEFORE, QuestionKind.AFTER):
        return tuple(ranked)  # what stands beside a moment comes in addition, and is believed less
    return tuple(ranked[: max(top, len(searches))])


def _live(memory: Asked, where: Where, latest: Callable[[str], Sequence[Embedding]]) -> list[Embedding]:
    """Newest frames of the streams that a question is about; none where it asks for a place: frames have none."""
    if where.get("near") is not None or where.get("place_of") is not None:
        return []
    wanted = filter_of(where)
    recalled = [stream for stream in memory.streams() if stream.quarantined != "all"]
    frames = [f for stream in recalled if wanted.of_stream(stream.id) for f in latest(stream.id)]
    seen = [f for f in frames if wanted.overlaps(f.time_s, f.time_s, f.time_s)]
    return sorted(seen, key=lambda frame: (frame.time_s, frame.stream))
