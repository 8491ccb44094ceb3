"""Which recordings are duplicates of others: byte for byte, or encoded again, scaled, or in another container.

A duplicate lasts as long as its original, begins when it does where the names of both say so, and what changes
in its pictures changes alike. That pictures look alike is not enough: those of a still camera do on any day. So
the mean of a file's pictures is taken off each, and what is left is compared; where next to nothing is left,
nobody can tell, and both are archived.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from hippocam.apps.content import cheap_part, is_same
from hippocam.stream.records import FloatArray
from hippocam.stream.sources.decode.looks import Looks, looks_at
from hippocam.stream.sources.remote import path_of

# The fewest moments at which two files are compared. They are a power of two apart, so that files whose lengths
# differ a little have moments in common; and a little late, so that none falls on the border of two frames.
_MOMENTS, _LATE_S = 16, 0.01
# Seconds by which length and start may differ: containers round, and sound may go on after the last picture.
_LENGTH_S, _START_S = 0.5, 2.0
# How many recordings of one length each may be compared with; undated footage of a still camera may have more.
_MOST = 500
# Grey levels by which an even picture differs from itself.
_EVEN = 4.0
# Correlation from which two pictures may be of one moment, and from which two files change alike. Other encodings
# of calibration footage are above .96 where it moves enough, other times of the same camera below .6.
_LIKE, _ALIKE = 0.9, 0.9
# What a file's pictures must differ by, as a share of their contrast: less is the flicker of an encoder.
_MOVING = 0.02
_READERS = 8

_SAME_BYTES = "byte for byte"
_SAME_PICTURES = "encoded, scaled or packed anew"


class Recording(NamedTuple):
    """A recording that may be a duplicate, or have some.

    Attributes:
        uri: Where it is.
        fingerprint: Of its content.
        length_s: Its length, seconds; None where it is no video file or that is not known.
        start_s: When it begins by its names, seconds since 1970; None where they do not tell.
        home: What its memory would be of.
    """

    uri: str
    fingerprint: str
    length_s: float | None
    start_s: float | None
    home: str = ""


class Duplicate(NamedTuple):
    """What a recording is a duplicate of.

    Attributes:
        original: Where the other one is.
        reason: What tells, for people.
    """

    original: str
    reason: str


def find_duplicates(kept: Sequence[Recording], new: Sequence[Recording]) -> dict[str, Duplicate]:
    """Tell which new recordings are duplicates of others.

    Of several new ones the original is the one whose home has the most recordings, so that copies in another
    folder make no memory of their own; else the one in the fewest folders; else the largest file.

    Args:
        kept: What is archived already, or has been begun.
        new: What is not.

    Returns:
        The duplicates by their addresses.
    """
    homes = Counter(recording.home for recording in (*kept, *new))
    ranked = sorted(new, key=lambda each: (-homes[each.home], each.uri.count("/"), -_size(each)))
    found = _same_bytes(kept, ranked)
    _same_pictures(kept, [recording for recording in ranked if recording.uri not in found], found)
    return found


def _size(recording: Recording) -> int:
    return int(recording.fingerprint.partition(":")[0] or 0)


def _same_bytes(kept: Sequence[Recording], ranked: Sequence[Recording]) -> dict[str, Duplicate]:
    originals: defaultdict[str, list[Recording]] = defaultdict(list)
    for recording in kept:
        originals[cheap_part(recording.fingerprint)].append(recording)
    found: dict[str, Duplicate] = {}
    for recording in ranked:
        alike = originals[cheap_part(recording.fingerprint)] if recording.fingerprint else []
        for other in alike:
            if is_same(other.uri, other.fingerprint, recording.uri, recording.fingerprint):
                found[recording.uri] = _duplicate(other, _SAME_BYTES)
                break
        else:
            alike.append(recording)
    return found


def _same_pictures(kept: Sequence[Recording], ranked: Sequence[Recording], found: dict[str, Duplicate]) -> None:
    pairs = _pairs(kept, ranked)
    firsts = _looked(pairs, lambda length_s: _moments_s(length_s)[:1])
    pairs = {
        one: [other for other in others if other in firsts and _may_be_like(firsts[one], firsts[other])]
        for one, others in pairs.items()
        if one in firsts
    }
    looks = _looked(pairs, _moments_s)
    for recording in ranked:
        for other in pairs.get(recording, ()):
            both_read = recording in looks and other in looks
            if both_read and other.uri not in found and _change_alike(looks[recording], looks[other]):
                found[recording.uri] = _duplicate(other, _SAME_PICTURES)
                break


def _pairs(kept: Sequence[Recording], ranked: Sequence[Recording]) -> dict[Recording, list[Recording]]:
    """Of which each may be a duplicate by length and start: kept ones, and those that rank before it."""
    shelves = _Shelves()
    for recording in kept:
        shelves.add(recording)
    pairs: dict[Recording, list[Recording]] = {}
    for recording in ranked:
        if others := shelves.like(recording):
            pairs[recording] = others
        shelves.add(recording)
    return pairs


class _Shelves:
    """Recordings by length and by start, both in steps of what they may differ by."""

    def __init__(self) -> None:
        self._dated: defaultdict[tuple[int, int], list[Recording]] = defaultdict(list)
        self._undated: defaultdict[int, list[Recording]] = defaultdict(list)
        self._all: defaultdict[int, list[Recording]] = defaultdict(list)

    def add(self, recording: Recording) -> None:
        """Put a recording where it belongs; one without a length is left out."""
        if recording.length_s is None:
            return
        length = int(recording.length_s / _LENGTH_S)
        self._all[length].append(recording)
        if recording.start_s is None:
            self._undated[length].append(recording)
        else:
            self._dated[length, int(recording.start_s / _START_S)].append(recording)

    def like(self, recording: Recording) -> list[Recording]:
        """Those that last as long and may begin at the same time; none where they are too many to compare."""
        if recording.length_s is None:
            return []
        near = list(self._near(recording, int(recording.length_s / _LENGTH_S)))
        if sum(map(len, near)) > _MOST:
            return []
        return [other for shelf in near for other in shelf if _may_be_one(recording, other)]

    def _near(self, recording: Recording, length: int) -> Iterator[list[Recording]]:
        for step in (length - 1, length, length + 1):
            if recording.start_s is None:
                yield self._all.get(step, [])
                continue
            yield self._undated.get(step, [])
            start = int(recording.start_s / _START_S)
            for at in (start - 1, start, start + 1):
                yield self._dated.get((step, at), [])


def _may_be_one(one: Recording, other: Recording) -> bool:
    if one.length_s is None or other.length_s is None or abs(one.length_s - other.length_s) > _LENGTH_S:
        return False
    return one.start_s is None or other.start_s is None or abs(one.start_s - other.start_s) <= _START_S


class _Seen(NamedTuple):
    """What a file shows at some moments, in seconds."""

    moments_s: list[float]
    looks: Looks


def _looked(
    pairs: Mapping[Recording, Sequence[Recording]], moments_of: Callable[[float], list[float]]
) -> dict[Recording, _Seen]:
    """What all recordings of some pairs show at the moments of their lengths; without what cannot be read."""
    every = list(dict.fromkeys(each for one, others in pairs.items() if others for each in (one, *others)))
    moments = [moments_of(recording.length_s or 0.0) for recording in every]

    def look(recording: Recording, moments_s: list[float]) -> Looks | None:
        return looks_at(path_of(recording.uri), recording.uri, moments_s)

    with ThreadPoolExecutor(_READERS) as readers:
        found = list(readers.map(look, every, moments))
    return {
        one: _Seen(moments_s, looks)
        for one, moments_s, looks in zip(every, moments, found, strict=True)
        if looks is not None
    }


def _moments_s(length_s: float) -> list[float]:
    """The moments of a file of that length, but for its end, where one of two may be over."""
    shown_s = max(length_s - _LENGTH_S, 0.01)
    step_s = 2.0 ** math.floor(math.log2(shown_s / _MOMENTS))
    return [number * step_s + _LATE_S for number in range(math.ceil(shown_s / step_s))]


def _may_be_like(one: _Seen, other: _Seen) -> bool:
    """Whether two files may show the same at their start; of an even picture nobody can tell."""
    if min(float(one.looks.std()), float(other.looks.std())) < _EVEN:
        return True
    return float((_plain(one.looks) * _plain(other.looks)).mean()) >= _LIKE


def _change_alike(one: _Seen, other: _Seen) -> bool:
    """Whether what changes in the pictures of two files changes alike."""
    _, at, at_other = np.intersect1d(one.moments_s, other.moments_s, return_indices=True)
    changes = [plain - plain.mean(0) for plain in (_plain(one.looks[at]), _plain(other.looks[at_other]))]
    moved = [float(np.sqrt(np.square(change).mean())) for change in changes]
    return min(moved) >= _MOVING and float((changes[0] * changes[1]).mean()) >= _ALIKE * moved[0] * moved[1]


def _plain(looks: Looks) -> FloatArray:
    """Pictures without their brightness and contrast, which encodings change: float32 [moments, pixels]."""
    flat = looks.reshape(len(looks), -1).astype(np.float32)
    flat -= flat.mean(1, keepdims=True)
    plain: FloatArray = flat / np.maximum(flat.std(1, keepdims=True), _EVEN)
    return plain


def _duplicate(other: Recording, how: str) -> Duplicate:
    return Duplicate(other.uri, f"a duplicate of {other.uri} ({how})")
