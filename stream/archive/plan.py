"""Footage into segments of some minutes, cut on key frames, from the file alone.

How many segments a video has follows from the length that its header says, and where they are cut from its packet
index: segment k holds the wanted frames of the groups of pictures whose key frame lies in the k-th stretch of
time, so that no group is decoded twice. Neither depends on who makes them. All other sources, and videos whose
timestamps cannot be sorted, are one segment.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hippocam.stream.errors import SourceError
from hippocam.stream.protocols import Source
from hippocam.stream.records import Observation
from hippocam.stream.sources.packet_index import PacketIndex, build_index
from hippocam.stream.sources.sampling import pick_indices
from hippocam.stream.sources.video import VideoSource, read_seqs, sample_video, told_end


@dataclass(frozen=True, slots=True, kw_only=True)
class Footage:
    """A source that is archived.

    Attributes:
        source: What is watched.
        key: A file name that tells its content, and how it is encoded, from all others'.
        segments: Into how many it is cut, 1 or more.
        after_seq: Only frames after this position are wanted, -1 for all; segments before it stay empty.
        after_s: Only notes that are known from this time on are wanted; None for all.
    """

    source: Source
    key: str
    segments: int
    after_seq: int = -1
    after_s: float | None = None


class Segment(NamedTuple):
    """One of them: of which footage, by its place in the list, and which, from 0."""

    place: int
    number: int


def count_segments(source: Source, segment_s: float) -> int:
    """How many segments a source has; opens the header of a video, nothing else."""
    if not isinstance(source, VideoSource) or not source.duration_s:
        return 1
    return max(1, round(source.duration_s / segment_s))


class FootageReader:
    """Reads segments; remembers the packet index of the latest video, also beside its parts for others.

    Args:
        segment_s: Length of a segment in seconds, above 0.
        longest_px: Longer side of decoded pictures, pixels.
        fps: Frames a second; None for every one.
    """

    def __init__(self, *, segment_s: float, longest_px: int, fps: float | None) -> None:
        self._segment_s, self._longest_px, self._fps = segment_s, longest_px, fps
        self._latest: tuple[Path, PacketIndex] | None = None

    def observations(self, footage: Footage, number: int, index_file: Path) -> Iterator[Observation]:
        """Yield the observations of a segment, in the order of their seq.

        Args:
            footage: The source.
            number: Which segment.
            index_file: Where the packet index of a video is kept while it is archived.

        Raises:
            SourceError: The source cannot be read, or breaks off here.
        """
        source = footage.source
        if not isinstance(source, VideoSource):
            yield from source.observations(fps=self._fps, after_seq=footage.after_seq)
            return
        last = number == footage.segments - 1
        path, index = Path(source.uri), self._index(source.uri, index_file)
        if index.linear:
            if last:
                yield from self._linear(path, index, footage.after_seq)
        else:
            seqs = self._seqs(index, number, footage.segments)
            if seqs and seqs[-1] > footage.after_seq:
                for seq, image in read_seqs(path, source.uri, index, seqs, longest=self._longest_px, threads=1):
                    yield Observation(seq=seq, time_s=float(index.times_s[seq]), images={"": image})
        if last and index.cut:
            raise SourceError(
                source.uri,
                f"truncated: read up to {told_end(index)}; the part before it was kept, "
                "copy or download the file again for the rest",
            )

    def _linear(self, path: Path, index: PacketIndex, after_seq: int) -> Iterator[Observation]:
        frames = sample_video(
            path,
            str(path),
            index,
            fps=self._fps,
            after_seq=after_seq,
            longest=self._longest_px,
            threads=1,
            decoder="pyav",
        )
        for seq, time_s, image in frames:
            yield Observation(seq=seq, time_s=time_s, images={"": image})

    def _seqs(self, index: PacketIndex, number: int, segments: int) -> list[int]:
        """The wanted frames of a segment."""
        usable = np.flatnonzero(~index.damaged)
        picks = usable[pick_indices(index.times_s[usable], self._fps)]
        keys = np.array([index.key_before(int(seq)) for seq in picks], np.int64)
        key_s = index.key_pts[keys] * float(index.time_base) - index.origin_s
        segment = np.clip(np.floor(key_s / self._segment_s), 0, segments - 1)
        return [int(seq) for seq in picks[np.maximum.accumulate(segment) == number]]

    def _index(self, uri: str, file: Path) -> PacketIndex:
        """The packet index of a video; read from its packets once, whoever needs it first."""
        if self._latest is None or self._latest[0] != file:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.with_suffix(".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)  # others wait for the first; freed with its process
                if not file.exists():
                    save_index(build_index(Path(uri), uri), file)
            self._latest = (file, load_index(file))
        return self._latest[1]


def save_index(index: PacketIndex, path: Path) -> None:
    """Write a packet index, whole or not at all; about 25 bytes a frame."""
    values = asdict(index)
    values["time_base"] = [index.time_base.numerator, index.time_base.denominator]
    values["declared_s"] = [] if index.declared_s is None else [index.declared_s]
    new = path.with_name(f"{path.name}.new-{os.uname().nodename}-{os.getpid()}.npz")
    arrays: dict[str, Any] = {name: np.asarray(value) for name, value in values.items()}
    np.savez(new, **arrays)
    os.replace(new, path)


def load_index(path: Path) -> PacketIndex:
    """Read a packet index that `save_index` wrote."""
    with np.load(path, allow_pickle=False) as file:
        values = {field.name: file[field.name] for field in fields(PacketIndex)}
    numerator, denominator = map(int, values["time_base"])
    declared = values["declared_s"].tolist()
    plain = {name: value.tolist() for name, value in values.items() if not value.ndim}
    return PacketIndex(
        **{
            **values,
            **plain,
            "time_base": Fraction(numerator, denominator),
            "size": tuple(values["size"].tolist()),
            "declared_s": declared[0] if declared else None,
        }
    )
