"""Watch annotated films, ask the questions of each alone and of all together, and ask the baselines the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hippocam.apps.ask.reader import Reader
from hippocam.apps.bench.answers.baselines import Always, Baseline, NotSeen, Pieces
from hippocam.apps.bench.answers.figures import ALONE, TOGETHER, AnswersResult, Outcome
from hippocam.apps.bench.answers.films import Film
from hippocam.apps.bench.answers.memories import kept_memory
from hippocam.apps.bench.answers.score import judge, said
from hippocam.apps.bench.sessions import BenchSession, OpenSession
from hippocam.apps.settings import Settings
from hippocam.models.registry import make_encoder, make_reader
from hippocam.models.senses.build import make_senses
from hippocam.stream.errors import HippocamError

_END = re.compile(r"\W*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersConfig:
    """How films are watched and asked.

    Attributes:
        reader: Name of the reader; None for the settings'.
        encoder: Name of the encoder; None for the default.
        settings: Everything else that can be set.
    """

    reader: str | None = None
    encoder: str | None = None
    settings: Settings = field(default_factory=Settings)


def run(
    films: Sequence[Film],
    config: AnswersConfig,
    *,
    open_session: OpenSession,
    report: Callable[[str], None] = lambda line: None,
) -> AnswersResult:
    """Watch films, each into a memory of its own that is kept for the next run, and ask their questions.

    Args:
        films: With their questions.
        config: How to watch and ask.
        open_session: Opens a memory, or several as one.
        report: Gets a line a film.

    Raises:
        HippocamError: A film cannot be watched, or the reader fails.
    """
    reader: Reader = make_reader(config.reader or config.settings.reader.name, config.settings.reader)
    folders, streams, alone = list[Path](), dict[str, str](), list[Outcome]()
    made_with, encoder = "", ""
    for film in films:
        report(f"{film.name}: {film.duration_s:.0f} s, {len(film.questions)} questions")
        folder = kept_memory(film.name, film.video, config.encoder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with open_session(folder, encoder=config.encoder, settings=config.settings) as session:
            streams[film.name] = stream = _watch(session, film)
            made_with, spec = session.memory_encoder()
            encoder = spec.id
            alone += _asked(session, reader, film, stream, named="")
        folders.append(folder)
    outcomes = {ALONE: tuple(alone)}
    if len(films) > 1:
        report(f"all {len(films)} films together")
        with open_session(folders, settings=config.settings) as session:
            outcomes[TOGETHER] = tuple(
                outcome
                for film in films
                for outcome in _asked(
                    session, reader, film, f"{film.name}/{streams[film.name]}", named=streams[film.name]
                )
            )
    for baseline in (NotSeen(), Always(), Pieces(make_encoder(made_with))):
        report(baseline.name)
        outcomes[baseline.name] = tuple(o for film in films for o in _answered(baseline, film))
    senses = make_senses(config.settings.senses)
    heard = [sense.id for sense in (*senses.looking, senses.reading, senses.hearing) if sense is not None]
    return AnswersResult(
        encoder=encoder, reader=reader.id, senses=tuple(heard), films=tuple(films), outcomes=outcomes
    )


def _watch(session: BenchSession, film: Film) -> str:
    """Watch a film, or find that it was watched; the id of its stream."""
    watched = session.watch([film.video])
    if watched.failed or not watched.streams:
        raise HippocamError(f"{film.video}: {watched.failed[0].reason if watched.failed else 'nothing to watch'}")
    return watched.streams[0].id


def _asked(session: BenchSession, reader: Reader, film: Film, stream: str, *, named: str) -> Iterator[Outcome]:
    """Ask a film's questions, with its stream named where there are several."""
    for question in film.questions:
        words = name_stream(question.question, named) if named else question.question
        answer = session.ask(words, reader=reader, at_s=question.asked_at_s)
        if answer.failed:
            raise HippocamError(f"the reader failed, and a bench lets no other answer for it: {answer.failed}")
        told = said(answer)
        yield Outcome(
            film=film,
            question=question,
            asked=words,
            answer=told,
            verdict=judge(question, film, told, stream),
            latency_ms=answer.latency_ms,
        )


def name_stream(question: str, stream: str) -> str:
    """A question with the stream named at its end, as people name it: "Is there a tree in driveway?"."""
    end = _END.search(question)
    assert end is not None  # it may be empty
    return f"{question[: end.start()]} in {stream}{end[0]}"


def _answered(baseline: Baseline, film: Film) -> Iterator[Outcome]:
    for question in film.questions:
        told = baseline.answer(question, film, film.name)
        verdict = judge(question, film, told, film.name)
        yield Outcome(film=film, question=question, asked=question.question, answer=told, verdict=verdict)
