"""What a question is answered from: the memory, or one of the baselines, each with the same reader.

A baseline gives the same reader as many moments as the memory does: the newest frames before the question, frames
at equal distances, or the words of all entries without a picture. A frame stands for the time until the next one
is looked at, and is believed as the memory would believe it: by the encoder's calibration, of so many compared.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from hippocam.apps.ask.question.description import description, statement
from hippocam.apps.ask.reader import Reader
from hippocam.apps.bench.sessions import BenchSession
from hippocam.apps.records import Answer
from hippocam.memory.recall.recall import belief
from hippocam.memory.recall.weighing import LABEL_WEIGHT, TEXT_WEIGHT
from hippocam.memory.recall.words import content_words
from hippocam.memory.records import Evidence, format_id, id_of
from hippocam.models.readers.context import build_context
from hippocam.stream.errors import HippocamError
from hippocam.stream.ingest import Ingest
from hippocam.stream.pipeline import Job, PipelineConfig
from hippocam.stream.protocols import Encoder, Source
from hippocam.stream.records import Embedding, Note

_EVERY = 1_000_000


class Past(Protocol):
    """What was seen of a video, as far as somebody kept it."""

    @property
    def name(self) -> str:
        """Its name in the report."""

    def find(self, text: str, at_s: float | None, top: int) -> tuple[Evidence, ...]:
        """Moments that show what a text describes, the strongest first, of what was seen by then."""

    def ask(self, question: str, at_s: float | None, reader: Reader) -> Answer:
        """Answer a question from what was seen by then."""


class MemoryPast:
    """The memory itself, through the library."""

    name = "memory"

    def __init__(self, session: BenchSession) -> None:
        self._session = session

    def find(self, text: str, at_s: float | None, top: int) -> tuple[Evidence, ...]:
        """Search as `hippocam search` does."""
        return self._session.search(text, at_s=at_s, top=top)

    def ask(self, question: str, at_s: float | None, reader: Reader) -> Answer:
        """Ask as `hippocam ask` does.

        Raises:
            HippocamError: The reader failed, and another would have answered instead.
        """
        answer = self._session.ask(question, reader=reader, at_s=at_s)
        if answer.failed:
            raise HippocamError(f"the reader failed, and a bench lets no other answer for it: {answer.failed}")
        return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class FramesPast:
    """Some of a video's frames: the newest before the question, or some at equal distances.

    Attributes:
        name: "last frames" or "uniform frames".
        frames: All frames that were looked at, by time.
        count: How many of them are taken.
        period_s: Time between two frames.
        encoder: Compares them with words.
        pictures: Folder for their pictures; None where the reader looks at none.
    """

    name: str
    frames: Sequence[Embedding]
    count: int
    period_s: float
    encoder: Encoder
    pictures: Path | None = None

    def chosen(self, at_s: float | None) -> list[Embedding]:
        """The frames that are taken for a question at a time."""
        seen = [f for f in self.frames if at_s is None or f.time_s <= at_s]
        if self.name == LAST:
            return seen[-self.count :]
        taken = min(self.count, len(seen))
        return [seen[int((k + 0.5) * len(seen) / taken)] for k in range(taken)]

    def find(self, text: str, at_s: float | None, top: int) -> tuple[Evidence, ...]:
        """The frames that are taken, ranked by their cosine with a text."""
        chosen = self.chosen(at_s)
        if not chosen:
            return ()
        asked_D = self.encoder.encode_texts([description(text)])[0]
        asked_D = asked_D / max(float(np.linalg.norm(asked_D)), 1e-9)
        spec = self.encoder.spec
        scores = [belief(float(f.vector @ asked_D), spec, len(chosen)) for f in chosen]
        ranked = sorted(zip(scores, chosen, strict=True), key=lambda pair: (-pair[0], pair[1].time_s))
        return tuple(self._evidence(frame, score, at_s) for score, frame in ranked[:top])

    def ask(self, question: str, at_s: float | None, reader: Reader) -> Answer:
        """Give the frames to the reader."""
        return _read(self, question, at_s, reader, self.count)

    def _evidence(self, frame: Embedding, score: float, at_s: float | None) -> Evidence:
        end_s = frame.time_s + self.period_s
        name, image = format_id(id_of(frame.stream, frame.seq)), ""
        if self.pictures is not None:
            path = self.pictures / f"{name}.jpg"
            path.write_bytes(frame.jpeg)
            image = str(path)
        return Evidence(
            id=name,
            stream=frame.stream,
            t0_s=frame.time_s,
            t1_s=end_s if at_s is None else max(frame.time_s, min(end_s, at_s)),
            score=score,
            why="a frame of the video",
            image=image,
            frame_s=frame.time_s,
            text=frame.text,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WordsPast:
    """The sentences and words of all entries of a memory, and no picture."""

    session: BenchSession
    name: str = "captions"

    def find(self, text: str, at_s: float | None, top: int) -> tuple[Evidence, ...]:
        """All entries ranked by the words that they share with a text, weighed as in recall."""
        wanted = content_words(text)
        entries = self.session.search(text, at_s=at_s, top=_EVERY)
        ranked = [replace(e, score=_worded(e, wanted), image="", why="its words alone") for e in entries]
        return tuple(sorted(ranked, key=lambda e: (-e.score, e.t0_s))[:top])

    def ask(self, question: str, at_s: float | None, reader: Reader) -> Answer:
        """Give all entries to the reader; what does not fit its budget it leaves out."""
        return _read(self, question, at_s, reader, _EVERY)


LAST = "last frames"
UNIFORM = "uniform frames"


def all_frames(source: Source, encoder: Encoder, config: PipelineConfig) -> list[Embedding]:
    """Every frame that is looked at, by time; an unchanged one has the vector and picture of the one before.

    Raises:
        SourceError: The source cannot be read to its end.
    """
    newest, frames = dict[str, Embedding](), list[Embedding]()
    for items in Ingest(encoder, config).run(Job(source=source, name=source.id)):
        for item in items:
            if isinstance(item, Note):
                continue
            if isinstance(item, Embedding):
                newest[item.stream] = item
            frames.append(replace(newest[item.stream], seq=item.seq, time_s=item.time_s))
    return sorted(frames, key=lambda frame: frame.time_s)


def looked_for(question: str) -> str:
    """What a question describes, or all of it where it describes nothing."""
    return statement(question) or question


def _read(past: Past, question: str, at_s: float | None, reader: Reader, top: int) -> Answer:
    started = time.monotonic()
    evidence = past.find(looked_for(question), at_s, top)
    reading = reader.read(build_context(question, evidence, [], reader.budget))
    names = {moment.id: str(rank) for rank, moment in enumerate(evidence, start=1)}
    return Answer(
        answer=reading.cited_answer(names),
        unknown=reading.unknown,
        confidence=reading.confidence,
        evidence=evidence,
        cited=reading.evidence_ids,
        reader=reader.id,
        latency_ms=(time.monotonic() - started) * 1000,
        sentences=reading.sentences,
        given=reading.given,
        prompt=reading.prompt,
    )


def _worded(entry: Evidence, wanted: Sequence[str]) -> float:
    """Belief by words alone: noisy-or of the text's and the sentence's share of the question's words."""
    held_by = (set(content_words(entry.text)), set(content_words(entry.sentence)))
    by_text, by_sentence = (sum(word in held for word in wanted) / max(1, len(wanted)) for held in held_by)
    return 1 - (1 - TEXT_WEIGHT * by_text**2) * (1 - LABEL_WEIGHT * by_sentence)
