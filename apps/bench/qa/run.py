"""Watch each video once, ask its questions at their time, of the memory and of each baseline with the same reader.

Multiple choice with a reader that has a model: the reader gets the options and names one. With the extractive
reader: the option is chosen whose statement, behind the question's, is believed most; "yes" or "no" by whether the
question's own statement is believed, and "unable to answer" where no other option is.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from hippocam.apps.ask.reader import Reader
from hippocam.apps.bench.qa.files import YES_NO
from hippocam.apps.bench.qa.items import QaFile, QaItem, before_evidence
from hippocam.apps.bench.qa.options import LETTERS, chosen_option, normal
from hippocam.apps.bench.qa.pasts import (
    LAST,
    UNIFORM,
    FramesPast,
    MemoryPast,
    Past,
    WordsPast,
    all_frames,
    looked_for,
)
from hippocam.apps.bench.qa.summary import TOP, Outcome, QaResult, summarise
from hippocam.apps.bench.qa.videos import Videos
from hippocam.apps.bench.sessions import BenchSession, OpenSession
from hippocam.apps.records import Answer
from hippocam.apps.settings import Settings
from hippocam.models.readers.context import Context, ContextConfig, estimated_tokens
from hippocam.models.readers.extractive import ExtractiveReader
from hippocam.models.readers.reading import SEEN_FROM, Reading
from hippocam.models.registry import make_encoder, make_reader
from hippocam.stream.errors import HippocamError
from hippocam.stream.sources import open_sources

BUDGET_MB = 64.0
_UNABLE = re.compile(r"\b(?:unable to answer|cannot be (?:answered|determined)|not enough information)\b", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class QaConfig:
    """How questions are asked.

    Attributes:
        reader: Name of the reader.
        encoder: Name of the encoder; None for the default.
        budget_mb: What the memory of each video may take, in millions of bytes, 1 or more.
        baselines: Whether the baselines are asked as well.
        too_early: Whether questions are also asked before their evidence, to be answered with "not seen".
        memories: Folder in which the memories stay, to be asked again without watching; None for none.
        settings: Everything else that can be set.
    """

    reader: str = "extractive"
    encoder: str | None = None
    budget_mb: float = BUDGET_MB
    baselines: bool = True
    too_early: bool = True
    memories: Path | None = None
    settings: Settings = field(default_factory=Settings)


def plan(files: Sequence[QaFile], *, limit: int | None = None, too_early: bool = True) -> dict[str, list[QaItem]]:
    """The questions to ask, by name of their video.

    Args:
        files: Question files. What no clip shows is asked of every video of a local file.
        limit: At most this many questions of each file.
        too_early: Whether questions are also asked before their evidence.

    Raises:
        HippocamError: Two questions have the same id, or things that no clip shows stand without a local file.
    """
    local = dict.fromkeys(item.video for file in files if file.layout == "local" for item in file.items)
    asked: dict[str, list[QaItem]] = {}
    for file in files:
        items = list(file.items[:limit])
        items += [early for item in items if too_early and (early := before_evidence(item))]
        if file.layout == "absent":
            if not local:
                raise HippocamError("things that no clip shows are asked of local files: name one of these too")
            items = [replace(i, video=v, id=f"{Path(v).stem}/{i.id}") for v in local for i in file.items[:limit]]
        for item in items:
            asked.setdefault(item.video, []).append(item)
    counts = Counter(item.id for items in asked.values() for item in items)
    repeated = [name for name, count in counts.items() if count > 1]
    if repeated:
        raise HippocamError(f"several questions have the id {repeated[0]!r}: ask these files one at a time")
    return asked


def run(
    files: Sequence[QaFile],
    videos: Videos,
    config: QaConfig,
    *,
    open_session: OpenSession,
    limit: int | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> QaResult:
    """Watch every video that is there, and ask its questions.

    Args:
        files: Question files.
        videos: Where the videos are.
        config: How to ask.
        open_session: Opens the memory of a video.
        limit: At most this many questions of each file.
        report: Gets a line a video.

    Raises:
        HippocamError: No video of the questions is there, one cannot be watched, or the reader fails.
    """
    asked = plan(files, limit=limit, too_early=config.too_early)
    found = {name: path for name in asked if (path := videos.find(name)) is not None}
    left_out = sum(file.left_out for file in files) + sum(len(asked[n]) for n in asked if n not in found)
    if not found:
        raise HippocamError(f"--videos: none of the {len(asked)} videos is there, as {next(iter(asked), 'any')!r}")
    reader: Reader = make_reader(config.reader, config.settings.reader)
    outcomes: dict[str, list[Outcome]] = {}
    watched_s, taken, encoder = 0.0, 0, ""
    with tempfile.TemporaryDirectory() as folder:
        for count, (name, path) in enumerate(found.items(), start=1):
            report(f"{count} of {len(found)}: {name}, {len(asked[name])} questions")
            with ExitStack() as stack:
                kept = (config.memories or Path(folder)) / re.sub(r"[^\w.-]+", "_", name).strip("_.")
                session = stack.enter_context(open_session(kept, encoder=config.encoder, settings=config.settings))
                video = _watch(stack, session, config, reader, path)
                watched_s, taken, encoder = watched_s + video.seen_s, taken + video.bytes, video.encoder
                for past in video.pasts:
                    past.find("anything", None, 1)  # so that no question's latency is that of loading the encoder
                    outcomes.setdefault(past.name, []).extend(_ask(past, asked[name], video.seen_s, reader))
    return QaResult(
        encoder=encoder,
        reader=reader.id,
        layouts=tuple(dict.fromkeys(file.layout for file in files)),
        videos=len(found),
        watched_s=watched_s,
        memory_bytes=taken,
        budget_mb=config.budget_mb,
        moments=reader.budget.moments,
        fps=config.settings.pipeline.fps,
        left_out=left_out,
        summaries=tuple(summarise(name, made) for name, made in outcomes.items()),
        outcomes={name: tuple(made) for name, made in outcomes.items()},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Watched:
    """A video that was watched: who answers its questions, its length in seconds, its memory's size."""

    pasts: tuple[Past, ...]
    seen_s: float
    bytes: int
    encoder: str


def _watch(stack: ExitStack, session: BenchSession, config: QaConfig, reader: Reader, path: Path) -> _Watched:
    watched = session.watch([path], budget_mb=config.budget_mb)
    if watched.failed or not watched.streams:
        reason = watched.failed[0].reason if watched.failed else "nothing in it can be watched"
        raise HippocamError(f"{path}: {reason}")
    made_with, spec = session.memory_encoder()
    memory = MemoryPast(session)
    pasts: tuple[Past, ...] = (memory,)
    if config.baselines:
        pipeline, budget = config.settings.pipeline, reader.budget
        encoder = make_encoder(made_with)
        sources = open_sources([path], config.settings.sources).sources
        frames = sorted((f for s in sources for f in all_frames(s, encoder, pipeline)), key=lambda f: f.time_s)
        pictures = Path(stack.enter_context(tempfile.TemporaryDirectory())) if budget.frames else None
        period_s = 1 / pipeline.fps if pipeline.fps else (frames[-1].time_s / max(1, len(frames) - 1))
        last, uniform = (
            FramesPast(
                name=kind,
                frames=frames,
                count=budget.moments,
                period_s=period_s,
                encoder=encoder,
                pictures=pictures,
            )
            for kind in (LAST, UNIFORM)
        )
        pasts = (memory, last, uniform, WordsPast(session=session))
    seen_s = max(stream.duration_s for stream in watched.streams)
    return _Watched(pasts=pasts, seen_s=seen_s, bytes=watched.memory_bytes, encoder=spec.id)


def _ask(past: Past, items: Sequence[QaItem], seen_s: float, reader: Reader) -> Iterator[Outcome]:
    for item in items:
        until_s = seen_s if item.asked_at_s is None else min(seen_s, item.asked_at_s)
        if item.options and isinstance(reader, ExtractiveReader):
            yield _believed(past, item, until_s)
            continue
        told = _Told(reader, _prompt(item)) if item.asks or item.options else reader
        answer = past.ask(item.question, item.asked_at_s, told)
        pictures = sum(given.picture for given in answer.given)
        yield Outcome(
            item=item,
            seen_s=until_s,
            answer=answer.answer,
            choice=chosen_option(answer.answer, item.options) if item.options else None,
            unknown=answer.unknown,
            cited=answer.cited,
            moments=_moments(answer),
            latency_ms=answer.latency_ms,
            tokens=estimated_tokens(answer.prompt, pictures, reader.budget) if answer.prompt else 0,
            frames=pictures,
            given=len(answer.given),
        )


def _believed(past: Past, item: QaItem, until_s: float) -> Outcome:
    """Choose an option without a model: the one whose statement is believed most."""
    started = time.monotonic()
    asked = looked_for(item.question)
    evidence = past.find(asked, item.asked_at_s, TOP)
    belief = evidence[0].score if evidence else 0.0
    best = evidence[:1]
    if _is_yes_no(item.options):
        said = "yes" if belief >= SEEN_FROM else "no"
        choice: int | None = [option.strip(" .").lower() for option in item.options].index(said)
    else:
        tried = {
            k: past.find(f"{asked} {option}", item.asked_at_s, 1)
            for k, option in enumerate(item.options)
            if not _UNABLE.search(option)
        }
        choice = max(tried, key=lambda k: (tried[k][0].score if tried[k] else 0.0, -k), default=None)
        best = tried[choice] if choice is not None else ()
        belief = best[0].score if best else 0.0
        unable = next((k for k in range(len(item.options)) if k not in tried), None)
        if unable is not None and belief < SEEN_FROM:
            choice = unable
    return Outcome(
        item=item,
        seen_s=until_s,
        answer="" if choice is None else f"{LETTERS[choice]}. {item.options[choice]}",
        choice=choice,
        unknown=belief < SEEN_FROM,
        cited=tuple(e.id for e in best if e.score >= SEEN_FROM),
        moments=tuple((e.t0_s, e.t1_s, e.score) for e in evidence),
        latency_ms=(time.monotonic() - started) * 1000,
        given=len(evidence),
    )


def _is_yes_no(options: Sequence[str]) -> bool:
    return sorted(normal(option) for option in options) == sorted(option.lower() for option in YES_NO)


def _prompt(item: QaItem) -> str:
    """What a reader with a model is asked: the question, what to say of it, and the options."""
    lines = [item.question, *([item.asks] if item.asks else [])]
    lines += [f"{LETTERS[index]}. {option}" for index, option in enumerate(item.options)]
    if item.options:
        lines.append("Answer with the letter of one option.")
    return "\n".join(lines)


def _moments(answer: Answer) -> tuple[tuple[float, float, float], ...]:
    return tuple((e.t0_s, e.t1_s, e.score) for e in answer.evidence)


class _Told:
    """A reader that is told more than is searched for: options would lead the search astray."""

    def __init__(self, reader: Reader, question: str) -> None:
        self._reader = reader
        self._question = question

    @property
    def id(self) -> str:
        """That of the reader."""
        return self._reader.id

    @property
    def budget(self) -> ContextConfig:
        """That of the reader."""
        return self._reader.budget

    def read(self, context: Context, on_token: Callable[[str], None] | None = None) -> Reading:
        """Put the whole question to the reader."""
        return self._reader.read(replace(context, question=self._question), on_token)
