"""Sources into jobs: the name that a source has in the memory, and where watching it goes on.

What was watched before is recognised by its content (see content.py), so a moved, linked or touched file is not
watched twice. If a file has grown, only the rest is watched. Other content under the same name becomes a
stream of its own.

A preview (a video's key frames alone) is a stream "NAME/preview" beside that of the video: it answers questions
until the video was watched whole, and is then deleted. What was watched whole is not previewed any more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hippocam.apps.content import cheap_part, fingerprint_of, is_same, renewed, replaced, with_samples
from hippocam.memory.errors import DiskError
from hippocam.memory.filter import Filter
from hippocam.memory.memory import Memory, MemoryWriter
from hippocam.memory.records import KEY_FRAMES
from hippocam.memory.store.streams import StreamRow
from hippocam.stream.pipeline import Job
from hippocam.stream.protocols import Source
from hippocam.stream.sources.remote import path_of

log = logging.getLogger(__name__)

# The last part of a preview's name, after that of its video.
_PREVIEW = "preview"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A source under the name that it has in the memory.

    Attributes:
        job: What is left to do.
        complete: Whether nothing is left to do.
        resumed: Whether some or all of it was watched before.
        preview: Whether only its key frames are looked at.
        fingerprint: The cheap part of the watched content's fingerprint; "" where it has none.
        recorded_s: When it begins, seconds since 1970, where its times in the memory count from 1970; else None.
    """

    job: Job
    complete: bool
    resumed: bool
    preview: bool = False
    fingerprint: str = ""
    recorded_s: float | None = None


def claim_all(
    memory: MemoryWriter,
    sources: Sequence[Source],
    fps: float | None,
    senses: Sequence[str] = (),
    *,
    start_of: Callable[[str], float | None] = lambda _: None,
) -> list[Claim]:
    """Claim a name for each source, no two the same, and begin a recording for each that has work left.

    Args:
        memory: Open for writing.
        sources: What is to be watched.
        fps: Frames looked at a second; None for every frame.
        senses: What will perceive beside the encoder, as `Senses.named`.
        start_of: When a recording begins, seconds since 1970, for times that count from then; None for times that
            count from its start. What was watched in part keeps the times that it has.
    """
    taken: set[str] = set()
    coarse = memory.store.streams.coarse()
    return [_claim(memory, source, fps, senses, taken, coarse, start_of) for source in sources]


def _claim(
    memory: MemoryWriter,
    source: Source,
    fps: float | None,
    senses: Sequence[str],
    taken: set[str],
    coarse: frozenset[str],
    start_of: Callable[[str], float | None],
) -> Claim:
    fingerprint = fingerprint_of(source.uri)
    preview = source.keyframes_only
    name, known = _name(memory, source, fingerprint, taken, coarse)
    if preview and not _whole(known, fingerprint):
        name, known = _preview_name(memory, source, fingerprint, taken, coarse)
    else:
        preview = False
    taken.add(name)
    complete = _whole(known, fingerprint)
    if complete:
        moved = not path_of(known[0].source).exists()
        uri = source.uri if moved else known[0].source
        now = renewed(uri, known[0].fingerprint)
        if moved or now != known[0].fingerprint:
            memory.relocate(name, uri, now)
    rate = KEY_FRAMES if preview else fps
    sampled = "" if complete else with_samples(source.uri, fingerprint)
    begun = complete or any(row.last_seq >= 0 for row in known)
    recorded_s = memory.store.streams.recorded_s(name) if begun else start_of(source.uri)
    after = -1
    if not complete:
        after = memory.begin(
            name,
            uri=source.uri,
            fingerprint=sampled,
            fps=rate,
            senses=tuple(senses),
            recorded_s=recorded_s,
        )
    end_s = memory.end_s(name) if after >= 0 else None
    return Claim(
        job=Job(source=source, name=name, after_seq=after, after_s=end_s),
        complete=complete,
        resumed=bool(known),
        preview=preview,
        fingerprint=fingerprint,
        recorded_s=recorded_s,
    )


def _whole(known: Sequence[StreamRow], fingerprint: str) -> bool:
    """Whether the content with this fingerprint was watched to its end."""
    return bool(known) and all(row.complete and cheap_part(row.fingerprint) == fingerprint for row in known)


def _name(
    memory: Memory, source: Source, fingerprint: str, taken: set[str], coarse: frozenset[str]
) -> tuple[str, list[StreamRow]]:
    """Return the name of a source's recording, or a free name, and what is known of it; ignore previews."""
    rows = memory.progress(fingerprint=fingerprint) if fingerprint else []
    # What was watched from here before goes first: nothing need be compared.
    for row in sorted(rows, key=lambda row: row.source != source.uri):
        fresh = row.recording not in taken and row.id not in coarse
        if fresh and is_same(row.source, row.fingerprint, source.uri, fingerprint):
            return row.recording, memory.progress(recording=row.recording)
    number = 1
    while True:
        name = source.id if number == 1 else f"{source.id}-{number}"
        known = memory.progress(recording=name)
        if name not in taken and all(_goes_on(row, source.uri, fingerprint) for row in known):
            return name, known
        number += 1


def _preview_name(
    memory: Memory, source: Source, fingerprint: str, taken: set[str], coarse: frozenset[str]
) -> tuple[str, list[StreamRow]]:
    """Return the name of a source's preview, or a free name, and what is known of it."""
    every = memory.progress()
    streams = {row.id for row in every}
    for row in every:
        if row.id in coarse and row.recording not in taken and _is_of(row, source.uri, fingerprint):
            return row.recording, [row]
    number = 1
    while True:
        name = f"{source.id}/{_PREVIEW}" if number == 1 else f"{source.id}-{number}/{_PREVIEW}"
        if name not in taken and name not in streams:
            return name, []
        number += 1


def delete_previews(memory: MemoryWriter, claims: Sequence[Claim]) -> None:
    """Delete the previews of what has been watched whole."""
    coarse = memory.store.streams.coarse()
    previews = [row for row in memory.progress() if row.id in coarse] if coarse else []
    for claim in claims if previews else ():
        known = memory.progress(recording=claim.job.name)
        if claim.preview or not known or not all(row.complete for row in known):
            continue
        uri, fingerprint = claim.job.source.uri, known[0].fingerprint
        for preview in previews:
            if _is_of(preview, uri, fingerprint):
                try:
                    memory.forget(Filter(stream=preview.id))
                except DiskError as error:
                    # Traces of it may stay in the log. The video itself is kept, so they give nothing away.
                    log.warning("%s", error)


def _is_of(row: StreamRow, uri: str, fingerprint: str) -> bool:
    """Whether a stream is of a source, wherever that was, or of what that was before it grew."""
    return is_same(row.source, row.fingerprint, uri, fingerprint) or _goes_on(row, uri, fingerprint)


def _goes_on(row: StreamRow, uri: str, fingerprint: str) -> bool:
    """Whether a source is what was watched before, possibly with more at its end."""
    if row.source != uri:
        return False
    old, new = (cheap_part(each).split(":") for each in (row.fingerprint, fingerprint))
    if old == new:
        return not replaced(row.fingerprint, uri)
    return len(old) == len(new) == 3 and old[1] == new[1] and int(new[0]) > int(old[0])
