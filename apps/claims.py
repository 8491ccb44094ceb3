"""Sources into jobs: under which name a source is in the memory, and from where it is watched on.

What was watched before is recognised by its content (size and both ends of a file, the names and sizes in a
folder), so a moved, linked or touched file is not watched twice; one that has grown is gone on with; and other
content under the same name becomes a stream of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hippocam.memory.memory import Memory
from hippocam.memory.store import Progress
from hippocam.stream.pipeline import Job
from hippocam.stream.protocols import Source

# A start that a recording has already when it is cut off early, and an end that tells its content.
_START_BYTES, _END_BYTES = 1 << 12, 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A source under the name that it has in the memory.

    Attributes:
        job: What is left to do.
        complete: Whether nothing is.
        resumed: Whether some or all of it was watched before.
    """

    job: Job
    complete: bool
    resumed: bool


def claim_all(memory: Memory, sources: Sequence[Source], fps: float | None) -> list[Claim]:
    """Claim a name for each source, no two the same; sources with work left are announced to the memory."""
    taken: set[str] = set()
    return [_claim(memory, source, fps, taken) for source in sources]


def _claim(memory: Memory, source: Source, fps: float | None, taken: set[str]) -> Claim:
    fingerprint = fingerprint_of(source.uri)
    name, known = _name(memory, source, fingerprint, taken)
    taken.add(name)
    complete = bool(known) and all(p.complete and p.fingerprint == fingerprint for p in known)
    if complete and not Path(known[0].source).exists():
        memory.relocate(name, source.uri)
    after = -1 if complete else memory.begin(name, uri=source.uri, fingerprint=fingerprint, fps=fps)
    return Claim(job=Job(source=source, name=name, after_seq=after), complete=complete, resumed=bool(known))


def _name(memory: Memory, source: Source, fingerprint: str, taken: set[str]) -> tuple[str, list[Progress]]:
    """The name of the recording that a source is, or a free one, and what is known of it."""
    if fingerprint:
        for progress in memory.progress(fingerprint=fingerprint):
            if progress.recording not in taken:
                return progress.recording, memory.progress(recording=progress.recording)
    number = 1
    while True:
        name = source.id if number == 1 else f"{source.id}-{number}"
        known = memory.progress(recording=name)
        if name not in taken and all(_goes_on(p, source.uri, fingerprint) for p in known):
            return name, known
        number += 1


def _goes_on(progress: Progress, uri: str, fingerprint: str) -> bool:
    """Whether a source is what was watched before, or that with more behind it."""
    if progress.source != uri:
        return False
    if progress.fingerprint == fingerprint:
        return True
    old, new = progress.fingerprint.split(":"), fingerprint.split(":")
    return len(old) == len(new) == 3 and old[1] == new[1] and int(new[0]) > int(old[0])


def fingerprint_of(uri: str) -> str:
    """Tell one content from another: "size:start:end" of a file or folder, "" where it cannot be told.

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
