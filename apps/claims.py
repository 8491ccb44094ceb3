"""Sources into jobs: the name that a source has in the memory, and where watching it goes on.

What was watched before is recognised by its content (size and both ends of a file, the names and sizes in a
folder), so a moved, linked or touched file is not watched twice. Of a file that has grown only the rest is
watched. Other content under the same name becomes a stream of its own.

A preview (a video's key frames alone) is a stream "NAME/preview" beside that of the video: it answers questions
until the video was watched whole, and is then deleted. What was watched whole is not previewed any more.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hippocam.memory.errors import DiskError
from hippocam.memory.filter import Filter
from hippocam.memory.memory import Memory, MemoryWriter
from hippocam.memory.records import KEY_FRAMES
from hippocam.memory.store.streams import StreamRow
from hippocam.stream.pipeline import Job
from hippocam.stream.protocols import Source

log = logging.getLogger(__name__)

# Bytes at a file's start: few, so that a recording has them soon and they stay the same while it grows.
_START_BYTES = 1 << 12
# Bytes at a file's end, which tell its content.
_END_BYTES = 1 << 16
# The last part of a preview's name, behind that of its video.
_PREVIEW = "preview"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A source under the name that it has in the memory.

    Attributes:
        job: What is left to do.
        complete: Whether nothing is left to do.
        resumed: Whether some or all of it was watched before.
        preview: Whether only its key frames are looked at.
    """

    job: Job
    complete: bool
    resumed: bool
    preview: bool = False


def claim_all(memory: MemoryWriter, sources: Sequence[Source], fps: float | None) -> list[Claim]:
    """Claim a name for each source, no two the same, and begin a recording of each with work left."""
    taken: set[str] = set()
    coarse = memory.store.streams.coarse()
    return [_claim(memory, source, fps, taken, coarse) for source in sources]


def _claim(
    memory: MemoryWriter, source: Source, fps: float | None, taken: set[str], coarse: frozenset[str]
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
    if complete and not Path(known[0].source).exists():
        memory.relocate(name, source.uri)
    rate = KEY_FRAMES if preview else fps
    after = -1 if complete else memory.begin(name, uri=source.uri, fingerprint=fingerprint, fps=rate)
    end_s = memory.end_s(name) if after >= 0 else None
    job = Job(source=source, name=name, after_seq=after, after_s=end_s)
    return Claim(job=job, complete=complete, resumed=bool(known), preview=preview)


def _whole(known: Sequence[StreamRow], fingerprint: str) -> bool:
    """Whether the content of this fingerprint was watched to its end."""
    return bool(known) and all(row.complete and row.fingerprint == fingerprint for row in known)


def _name(
    memory: Memory, source: Source, fingerprint: str, taken: set[str], coarse: frozenset[str]
) -> tuple[str, list[StreamRow]]:
    """Return the name of a source's recording, or a free name, and what is known of it; ignore previews."""
    if fingerprint:
        for row in memory.progress(fingerprint=fingerprint):
            if row.recording not in taken and row.id not in coarse:
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
        same = row.fingerprint == fingerprint != "" or _goes_on(row, source.uri, fingerprint)
        if row.id in coarse and row.recording not in taken and same:
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
            if preview.fingerprint == fingerprint != "" or _goes_on(preview, uri, fingerprint):
                try:
                    memory.forget(Filter(stream=preview.id))
                except DiskError as error:
                    # Traces of it are left in the log. The video itself is kept, so they give nothing away.
                    log.warning("%s", error)


def _goes_on(row: StreamRow, uri: str, fingerprint: str) -> bool:
    """Whether a source is what was watched before, possibly with more at its end."""
    if row.source != uri:
        return False
    if row.fingerprint == fingerprint:
        return True
    old, new = row.fingerprint.split(":"), fingerprint.split(":")
    return len(old) == len(new) == 3 and old[1] == new[1] and int(new[0]) > int(old[0])


def fingerprint_of(uri: str) -> str:
    """Return "size:start:end" of a file or folder, which differs for other content; "" if it cannot be read.

    A file's start and end are hashes of its first 4 and last 64 KiB; a folder's size is the number of files in it,
    its start the first name, its end a hash of all names and sizes.
    """
    path = Path(uri)
    try:
        if path.is_dir():
            files = sorted((p.name, p.stat().st_size) for p in path.iterdir() if p.is_file())
            first = files[0][0] if files else ""
            return f"{len(files)}:{_hash(first.encode())}:{_hash(repr(files).encode())}"
        with path.open("rb") as file:
            size = path.stat().st_size
            start = file.read(_START_BYTES)
            file.seek(max(0, size - _END_BYTES))
            return f"{size}:{_hash(start)}:{_hash(file.read(_END_BYTES))}"
    except OSError:
        return ""


def _hash(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=8).hexdigest()
