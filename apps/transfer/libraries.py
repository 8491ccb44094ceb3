"""What other programs have recorded, watched into a memory; their folders are only read."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from hippocam.apps.claims import Claim
from hippocam.apps.folders import Folders
from hippocam.apps.records import Failure, WatchProgress, WatchReport
from hippocam.apps.settings import Settings, budget_bytes
from hippocam.apps.watch import Work, watch_claimed
from hippocam.memory.memory import MemoryWriter
from hippocam.models.registry import make_encoder
from hippocam.models.senses.build import make_senses
from hippocam.stream import opencv
from hippocam.stream.pipeline import Job
from hippocam.stream.sources.libraries import screenpipe
from hippocam.stream.sources.libraries.opening import Library, open_library
from hippocam.stream.sources.libraries.pieces import PieceSource


def import_library(
    path: Path,
    folder: Path,
    *,
    media: Path | None = None,
    fps: float | None = None,
    encoder: str | None = None,
    budget_mb: float | None = None,
    settings: Settings | None = None,
    on_progress: Callable[[WatchProgress], None] | None = None,
) -> WatchReport | None:
    """Watch what Frigate, screenpipe or Immich has recorded, with its true times and its words as notes.

    Run again, it goes on with what has come since.

    Args:
        path: Its database, of Immich a dump, or its folder.
        folder: The memory's folder.
        media: The folder in which its footage lies here; None for that of `path`.
        fps: Frames a second that are looked at; None for the settings' rate.
        encoder: Name of the encoder of a new memory.
        budget_mb: What the memory's folder may take, in millions of bytes; None keeps its own.
        settings: Everything else that can be set.
        on_progress: Called after every chunk.

    Returns:
        What was watched; None where the path is nothing of these programs.

    Raises:
        HippocamError: The database cannot be read, its footage is not here, or the memory cannot be used.
        ValueError: fps or budget_mb is out of its range.
    """
    started, settings = time.monotonic(), settings or Settings()
    library = open_library(path, media)
    if library is None:
        return None
    pipeline, config = settings.pipeline, settings.memory
    if fps is not None:
        pipeline = replace(pipeline, fps=fps)
    if budget_mb is not None:
        config = replace(config, budget_bytes=budget_bytes(budget_mb))
    senses = settings.senses
    if library.program == screenpipe.NAME:  # it has read its screens itself
        senses = replace(senses, text="off")
    opencv.load()
    folders = Folders((folder,), encoder=encoder, settings=settings)
    try:
        name, model = folders.writing_encoder()
        make = functools.partial(make_encoder, name)
        work = Work(encoder=model, make_encoder=make, pipeline=pipeline, senses=make_senses(senses))
        with folders.writing(name, model.spec, config) as memory:
            claims = [_claim(memory, source, work) for source in library.sources]
            report = watch_claimed(memory, claims, work, started=started, on_progress=on_progress)
    finally:
        folders.close()
    return replace(report, failed=(*report.failed, *_missing(path, library)))


def _claim(memory: MemoryWriter, source: PieceSource, work: Work) -> Claim:
    """Go on with a stream where the last import ended, or begin it: a library grows, so it is never complete."""
    name, number = source.id, 1
    while any(row.source != source.uri for row in memory.progress(recording=name)):
        number += 1
        name = f"{source.id}-{number}"
    known = memory.progress(recording=name)
    after = memory.begin(name, uri=source.uri, fps=work.pipeline.fps, senses=work.senses.named)
    end_s = memory.end_s(name) if after >= 0 else None
    job = Job(source=source, name=name, after_seq=after, after_s=end_s)
    return Claim(job=job, complete=False, resumed=bool(known))


def _missing(path: Path, library: Library) -> tuple[Failure, ...]:
    if not library.missing:
        return ()
    files = "1 file" if library.missing == 1 else f"{library.missing} files"
    return (Failure(source=str(path), reason=f"{files} that {library.program} names cannot be found here"),)
