"""Sources into a memory: what is left to watch of each, its frames as they come, and a report at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from hippocam.apps.claims import Claim, claim_all, delete_previews
from hippocam.apps.content import with_content
from hippocam.apps.errors import BrokenOffError
from hippocam.apps.records import Failure, StreamReport, WatchProgress, WatchReport
from hippocam.memory.memory import Memory, MemoryWriter
from hippocam.stream.guard import length_s
from hippocam.stream.ingest import run_local
from hippocam.stream.metrics import Meter
from hippocam.stream.pipeline import Chunk, Job, PipelineConfig, Senses
from hippocam.stream.protocols import Encoder, Source
from hippocam.stream.records import Note, later
from hippocam.stream.sources.dates import recorded_at
from hippocam.stream.sources.remote import path_of

Executor = Literal["local", "ray"]
# A longer step from one frame to the next is a gap, and no footage, seconds.
_LONGEST_STEP_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is done with the frames of a source before they are written.

    Attributes:
        encoder: Makes their vectors in this process.
        make_encoder: Makes the same encoder in another process.
        pipeline: Sampling rate, gate, pictures.
        senses: What looks at pictures beside the encoder.
        dated: Whether times are dates where it is known when a recording was made.
    """

    encoder: Encoder
    make_encoder: Callable[[], Encoder]
    pipeline: PipelineConfig
    senses: Senses
    dated: bool = False

    def run(self, jobs: Sequence[Job], executor: Executor) -> Iterator[Chunk]:
        """Do it in this process ("local") or on Ray actors ("ray"); the chunks are the same."""
        if executor == "ray":
            from hippocam.stream.ray_runner import run_ray

            return run_ray(jobs, self.make_encoder, self.pipeline, self.senses)
        return run_local(jobs, self.encoder, self.pipeline, self.senses)


def watch_sources(
    memory: MemoryWriter,
    sources: Sequence[Source],
    work: Work,
    *,
    executor: Executor = "local",
    started: float,
    on_progress: Callable[[WatchProgress], None] | None = None,
) -> WatchReport:
    """Watch sources into a memory that is open for writing; what was watched before is skipped or gone on with.

    Args:
        memory: Where they are written.
        sources: What to watch, each opened.
        work: What is done with their frames.
        executor: Where it is done.
        started: When the watch began, seconds of the monotonic clock.
        on_progress: Called after every chunk; it may raise BrokenOffError.

    Returns:
        The outcome. A source that broke off stands in `failed`; what could be read of it is kept.
    """
    start_of = _start_s if work.dated else lambda _: None
    claims = claim_all(memory, sources, work.pipeline.fps, work.senses.named, start_of=start_of)
    return watch_claimed(memory, claims, work, executor=executor, started=started, on_progress=on_progress)


def watch_claimed(
    memory: MemoryWriter,
    claims: Sequence[Claim],
    work: Work,
    *,
    executor: Executor = "local",
    started: float,
    on_progress: Callable[[WatchProgress], None] | None = None,
) -> WatchReport:
    """Watch sources that have names in the memory already; the arguments are those of `watch_sources`."""
    writing = _Writing(memory, [claim for claim in claims if not claim.complete], started)
    try:
        for chunk in work.run(writing.jobs, executor):
            writing.write(chunk)
            if on_progress is not None:
                on_progress(writing.progress(chunk.job))
    except (KeyboardInterrupt, BrokenOffError):
        writing.break_off()
        raise
    delete_previews(memory, claims)
    memory.idle()
    seconds = time.monotonic() - started
    return WatchReport(
        streams=tuple(_stream_reports(memory, claims)),
        memory_bytes=memory.bytes(),
        budget_bytes=memory.budget_bytes(),
        seconds=seconds,
        times_real_time=writing.watched_s / seconds if seconds > 0 else 0.0,
        failed=tuple(writing.failed),
        stages=writing.meter.status(),
    )


def _start_s(uri: str) -> float | None:
    """When a recording was begun, as its names or its file say; of an episode of a dataset nobody asks."""
    recorded = None if "#" in uri else recorded_at(path_of(uri))
    return None if recorded is None else recorded.start_s


class _Writing:
    """The jobs of a watch: writes their chunks into the memory and knows how far each has come.

    Args:
        memory: Open for writing.
        claims: Whose jobs they are, in the order in which chunks name them.
        started: When the watch began, seconds of the monotonic clock.
    """

    def __init__(self, memory: MemoryWriter, claims: Sequence[Claim], started: float) -> None:
        self._starts_s = [claim.recorded_s or 0.0 for claim in claims]
        self.jobs = jobs = [
            replace(claim.job, after_s=None if claim.job.after_s is None else claim.job.after_s - start_s)
            for claim, start_s in zip(claims, self._starts_s, strict=True)
        ]
        self._fingerprints = [claim.fingerprint for claim in claims]
        self.failed: list[Failure] = []
        self.meter = Meter()
        self._memory, self._started = memory, started
        self.watched_s = 0.0  # footage so far, over all jobs, without its gaps
        self._begun: set[int] = set()  # by the job's index, as the rest
        self._newest_s = dict.fromkeys(range(len(jobs)), 0.0)  # since the start of each
        self._open = set(range(len(jobs)))

    def write(self, chunk: Chunk) -> None:
        """Write what a chunk holds; if it is its job's last, finish the recording."""
        write_s = time.perf_counter()
        start_s = self._starts_s[chunk.job]
        self._memory.write([later(item, start_s) for item in chunk.items] if start_s else chunk.items)
        self.meter.add("memory", items=len(chunk.items), busy_s=time.perf_counter() - write_s)
        self.meter.join(chunk.stages)
        for item in chunk.items:
            if not isinstance(item, Note):
                self._go_on(chunk.job, item.time_s)
        if chunk.ended:
            self._finish(chunk)

    def _go_on(self, job: int, time_s: float) -> None:
        """Note that a job has come to a time."""
        step_s = time_s - self._newest_s[job]
        if job in self._begun and 0 < step_s <= _LONGEST_STEP_S:
            self.watched_s += step_s
        self._begun.add(job)
        self._newest_s[job] = max(self._newest_s[job], time_s)

    def _finish(self, chunk: Chunk) -> None:
        job = self.jobs[chunk.job]
        whole = chunk.error is None
        end_s = length_s(job.source) if whole else None
        start_s = self._starts_s[chunk.job]
        self._memory.finish(job.name, end_s=None if end_s is None else end_s + start_s, complete=whole)
        uri = job.source.uri
        self._memory.relocate(job.name, uri, with_content(uri, self._fingerprints[chunk.job]))
        if end_s is not None and chunk.job in self._begun:
            self._go_on(chunk.job, end_s)
        self._open.discard(chunk.job)
        if chunk.error is not None:
            self.failed.append(Failure(source=chunk.error.uri, reason=chunk.error.reason))

    def break_off(self) -> None:
        """Close what is open of every unfinished recording, so that a later watch can go on from there."""
        for index in self._open:
            self._memory.finish(self.jobs[index].name, complete=False)

    def progress(self, index: int) -> WatchProgress:
        """How far the whole watch has come; its source is that of the job that wrote last."""
        source = self.jobs[index].source
        return WatchProgress(
            source=source.uri,
            time_s=self._newest_s[index],
            duration_s=length_s(source),
            done=len(self.jobs) - len(self._open),
            total=len(self.jobs),
            watched_s=self.watched_s,
            seconds=time.monotonic() - self._started,
        )


def _stream_reports(memory: Memory, claims: Sequence[Claim]) -> Iterator[StreamReport]:
    held = memory.streams()
    for claim in claims:
        name = claim.job.name
        for stream in held:
            of_claim = stream.id == name or stream.id.startswith(name + "/")
            if of_claim and stream.coarse == claim.preview:
                yield StreamReport(
                    id=stream.id,
                    source=stream.source,
                    duration_s=stream.duration_s,
                    frames_seen=stream.frames_seen,
                    frames_encoded=stream.frames_encoded,
                    events=stream.events,
                    entries=stream.entries,
                    fps=stream.fps,
                    resumed=claim.resumed,
                )
