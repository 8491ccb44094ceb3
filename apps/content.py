"""What tells the content of a file or folder from another's: a cheap fingerprint, and a hash of all of it.

    SIZE:START:END                       looked at whenever something is given to be watched
    SIZE:START:END:~SAMPLES:CHANGED      written down when watching it begins
    SIZE:START:END:CONTENT:CHANGED       written down once it was watched

The cheap part finds candidates. Cameras write files of one size, with the same header and padded ends, and
pictures of one size under the same names. So before something counts as watched under another path, all of it is
compared. A file is hashed right after it was watched, when the system still holds it in its cache; SHA-256, which
processors know, takes some seconds a gigabyte, a small share of what watching takes. Of what was interrupted there
are samples from all over it. Under the same path all is compared once more where the system says that it was
changed since: a picture may have been replaced by another of its size. Of a file on object storage the server's
word for its content (size, ETag, time) stands for all of it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from hippocam.stream.sources.pictures.kinds import IMAGE_SUFFIXES
from hippocam.stream.sources.remote import RemotePath, path_of

# Bytes at a file's start: few, so that a recording has them soon and they stay the same while it grows.
_START_BYTES = 1 << 12
# Bytes at a file's end, which differ between most files.
_END_BYTES = 1 << 16
# Samples that are taken of what may be interrupted, and bytes of each.
_SAMPLES = 64
_SAMPLE_BYTES = 1 << 12
# Fields of a cheap fingerprint; what a field of samples begins with.
_CHEAP = 3
_SAMPLED = "~"


def fingerprint_of(uri: str) -> str:
    """Return the cheap "SIZE:START:END" of a file or folder; "" if it cannot be read.

    A file's start and end are hashes of its first 4 and last 64 KiB; a folder's size is the number of files in it,
    its start the first name, its end a hash of all names and sizes.
    """
    try:
        path = path_of(uri)
        if path.is_dir():
            files = sorted((p.name, p.stat().st_size) for p in path.iterdir() if p.is_file())
            first = files[0][0] if files else ""
            return f"{len(files)}:{_hash(os.fsencode(first))}:{_hash(repr(files).encode())}"
        with path.open("rb") as file:
            size = path.stat().st_size
            start = file.read(_START_BYTES)
            file.seek(max(0, size - _END_BYTES))
            return f"{size}:{_hash(start)}:{_hash(file.read(_END_BYTES))}"
    except (OSError, ValueError):  # a name with a zero byte is a ValueError
        return ""


def with_content(uri: str, fingerprint: str) -> str:
    """Append the hash of all content to the fingerprint of what was watched.

    The fingerprint stays as it is if that cannot be told: if it is empty, or the content cannot be read or has
    changed since.
    """
    if not fingerprint:
        return fingerprint
    changed, content = _changed_of(uri), _content_of(uri)
    cheap = cheap_part(fingerprint)
    return f"{cheap}:{content}:{changed}" if content and fingerprint_of(uri) == cheap else fingerprint


def with_samples(uri: str, fingerprint: str) -> str:
    """Append samples of the content to the fingerprint of what will be watched, in case that is interrupted."""
    changed, samples = _changed_of(uri), _samples_of(uri)
    return f"{cheap_part(fingerprint)}:{_SAMPLED}{samples}:{changed}" if fingerprint and samples else fingerprint


def renewed(uri: str, fingerprint: str) -> str:
    """The fingerprint of what was compared and found unchanged, so that it need not be compared again."""
    content = content_part(fingerprint)
    return f"{cheap_part(fingerprint)}:{content}:{_changed_of(uri)}" if content else fingerprint


def cheap_part(fingerprint: str) -> str:
    """The part of a fingerprint that is there from the beginning."""
    return ":".join(fingerprint.split(":")[:_CHEAP])


def content_part(fingerprint: str) -> str:
    """The part of a fingerprint that is there once the content was watched; "" before."""
    told = _field(fingerprint, _CHEAP)
    return "" if told.startswith(_SAMPLED) else told


def _samples_part(fingerprint: str) -> str:
    told = _field(fingerprint, _CHEAP)
    return told.removeprefix(_SAMPLED) if told.startswith(_SAMPLED) else ""


def _changed_part(fingerprint: str) -> str:
    return _field(fingerprint, _CHEAP + 1)


def _field(fingerprint: str, index: int) -> str:
    return dict(enumerate(fingerprint.split(":"))).get(index, "")


def alike(fingerprint: str, other: str) -> bool:
    """Whether two fingerprints may be of the same content, as far as both tell."""
    contents = {content_part(fingerprint), content_part(other)} - {""}
    return cheap_part(fingerprint) == cheap_part(other) and len(contents) < 2


def is_same(source: str, fingerprint: str, uri: str, uri_fingerprint: str) -> bool:
    """Whether something is what was watched before; if it has another path now, all of it is compared.

    What was interrupted, and is no longer where it was, is compared by its samples.

    Args:
        source: Where that was watched.
        fingerprint: Its fingerprint, with the hash of its content if that is known.
        uri: Where the thing is.
        uri_fingerprint: Fingerprint of the thing.
    """
    if not uri_fingerprint or not alike(fingerprint, uri_fingerprint):
        return False
    if source == uri:
        return not replaced(fingerprint, uri)
    unchanged = fingerprint_of(source) == cheap_part(fingerprint)
    if unchanged and _same_place(source, uri):
        return True
    before = content_part(fingerprint) or (_content_of(source) if unchanged else "")
    if before:
        return before == (content_part(uri_fingerprint) or _content_of(uri))
    samples = _samples_part(fingerprint)
    return samples != "" and samples == _samples_of(uri)


def replaced(fingerprint: str, uri: str) -> bool:
    """Whether other content, of the same size and ends, has taken the place of what was watched there.

    It is compared only where the system says that something was changed since.
    """
    changed, content, samples = _changed_part(fingerprint), content_part(fingerprint), _samples_part(fingerprint)
    if not changed or changed == _changed_of(uri):
        return False
    return content != _content_of(uri) if content else samples != _samples_of(uri)


def _same_place(source: str, uri: str) -> bool:
    try:
        return os.path.samefile(source, uri)
    except OSError:
        return False


def _changed_of(uri: str) -> str:
    """When a file, or the newest of a folder's files, was last changed in any way, as its system counts."""
    try:
        path = path_of(uri)
        files = path.iterdir() if path.is_dir() else [path]
        return str(max((file.stat().st_ctime_ns for file in files if file.is_file()), default=0))
    except (OSError, ValueError):
        return ""


def _samples_of(uri: str) -> str:
    """Hash pieces from all over a file, or of pictures from all over a folder; "" if it cannot be read."""
    path = path_of(uri)
    if isinstance(path, RemotePath):
        return path.content_id()
    try:
        if not path.is_dir():
            return _hash(b"".join(_pieces(path, _SAMPLES)))
        files = sorted(p for p in path.iterdir() if p.suffix.casefold() in IMAGE_SUFFIXES and p.is_file())
        picked = [files[len(files) * k // _SAMPLES] for k in range(_SAMPLES)] if len(files) > _SAMPLES else files
        return _hash(b"".join(piece for file in picked for piece in _pieces(file, 4)))
    except (OSError, ValueError):
        return ""


def _pieces(path: Path, count: int) -> Iterator[bytes]:
    """Pieces of a file at even distances, the first from its start."""
    size = path.stat().st_size
    with path.open("rb") as file:
        for k in range(count):
            file.seek(size * k // count)
            yield file.read(_SAMPLE_BYTES)


def _content_of(uri: str) -> str:
    """Hash all of a file, or names and content of all pictures in a folder; "" if it cannot be read."""
    path = path_of(uri)
    if isinstance(path, RemotePath):
        return path.content_id()
    try:
        if not path.is_dir():
            return _hash_of(path)
        files = sorted(p for p in path.iterdir() if p.suffix.casefold() in IMAGE_SUFFIXES and p.is_file())
        return _hash("".join(f"{_hash_of(file)} {file.name!r}\n" for file in files).encode())
    except (OSError, ValueError):
        return ""


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]


def _hash(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=8).hexdigest()
