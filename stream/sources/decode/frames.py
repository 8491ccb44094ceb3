"""Wanted frames of a video file, by the decoder that suits the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from hippocam.stream.records import Image
from hippocam.stream.sources.decode.cuts import CutFinder
from hippocam.stream.sources.decode.packet_index import PacketIndex
from hippocam.stream.sources.decode.pyav import display_matrix, is_untagged_hd
from hippocam.stream.sources.files import open_container
from hippocam.stream.sources.sampling import pick_indices

Decoder = Literal["auto", "pyav", "decord"]

# From this share of wanted frames on, decoding all of them in one pass beats moving from group to group.
_DENSE = 0.5


def sample_video(
    path: Path,
    uri: str,
    index: PacketIndex,
    *,
    fps: float | None,
    after_seq: int,
    longest: int,
    threads: int,
    decoder: Decoder,
    keyframes_only: bool = False,
    cuts: CutFinder | None = None,
) -> Iterator[tuple[int, float, Image]]:
    """Yield (seq, true seconds, picture) of the frames that fps keeps, by the decoder that suits the file.

    `cuts` sees the frames that PyAV decodes, from the one that was kept before the first on.

    A file whose timestamps cannot be sorted, or that shows no key frame (an edit list may hide the only one), is
    previewed at the same rate by any frames, since all of it must be decoded for any of them.
    """
    if keyframes_only:
        from hippocam.stream.sources.decode.keyframes import pick_keyframes, preview_fps, read_keyframes

        fps = preview_fps(fps)
        picks = pick_keyframes(index, fps)
        if not index.linear and len(picks):
            seqs = [int(seq) for seq in picks[picks > after_seq]]
            for seq, image in read_keyframes(path, uri, index, seqs, longest, threads):
                yield seq, float(index.times_s[seq]), image
            return
    if index.linear:
        from hippocam.stream.sources.decode.pyav import read_linear

        yield from read_linear(path, uri, index, fps=fps, after_seq=after_seq, longest=longest, threads=threads)
        return
    usable = np.flatnonzero(~index.damaged)
    picks = usable[pick_indices(index.times_s[usable], fps)]
    if decoder == "auto":
        # Measured: where decord must scale too it is slower than PyAV, and where it must skip it is not exact.
        suits = threads != 1 and len(picks) >= _DENSE * len(index) and max(index.size) <= longest
        decoder = "decord" if suits else "pyav"
    wanted = [int(seq) for seq in picks[picks > after_seq]]
    if cuts is not None and wanted:
        wanted = [
            int(seq) for seq in picks[picks <= after_seq][-1:]
        ] + wanted  # the first one's cut lies behind it
    for seq, image in read_seqs(
        path, uri, index, wanted, longest=longest, threads=threads, decoder=decoder, cuts=cuts
    ):
        if seq > after_seq:
            yield seq, float(index.times_s[seq]), image
        elif cuts is not None:
            cuts.take()


def read_between(
    path: Path,
    uri: str,
    index: PacketIndex,
    t0_s: float,
    t1_s: float,
    *,
    fps: float | None,
    longest: int,
    threads: int,
) -> Iterator[tuple[float, Image]]:
    """Yield true seconds and picture of the frames in a stretch of time, at about fps a second (None: all)."""
    from hippocam.stream.sources.decode import pyav

    if index.linear:  # only decoding tells its times
        for _, time_s, image in pyav.read_linear(
            path, uri, index, fps=fps, after_seq=-1, longest=longest, threads=threads, from_s=t0_s
        ):
            if time_s > t1_s:
                return
            yield time_s, image
        return
    usable = np.flatnonzero(~index.damaged & (index.times_s >= t0_s) & (index.times_s <= t1_s))
    wanted = [int(seq) for seq in usable[pick_indices(index.times_s[usable], fps)]]
    for seq, image in read_seqs(path, uri, index, wanted, longest=longest, threads=threads):
        yield float(index.times_s[seq]), image


def read_seqs(
    path: Path,
    uri: str,
    index: PacketIndex,
    seqs: Sequence[int],
    *,
    longest: int,
    threads: int,
    decoder: Decoder = "pyav",
    cuts: CutFinder | None = None,
) -> Iterator[tuple[int, Image]]:
    """Yield (seq, picture) of the wanted frames that can be decoded; seqs strictly increase.

    `cuts` sees the frames that PyAV decodes one after the other, up to the one that is yielded.
    """
    from hippocam.stream.sources.decode import pyav

    if not len(seqs):
        return
    if index.linear:
        wanted = set(seqs)
        for seq, _, image in pyav.read_linear(
            path, uri, index, fps=None, after_seq=min(seqs) - 1, longest=longest, threads=threads
        ):
            if seq in wanted:
                yield seq, image
        return
    left = list(seqs)
    if decoder == "decord" and _is_plain(path, uri, index):
        from hippocam.stream.sources.decode import decord

        done = -1
        for seq, image in decord.read_frames(path, uri, index, seqs, longest, threads):
            done = seq
            yield seq, image
        left = [seq for seq in seqs if seq > done]
    yield from pyav.read_frames(path, uri, index, left, longest, threads, cuts)


def _is_plain(path: Path, uri: str, index: PacketIndex) -> bool:
    """Tell whether a file is an undamaged, upright MP4 with square pixels: what decord reads as PyAV does."""
    if "mp4" not in index.container or index.cut or bool(index.damaged.any()):
        return False
    import av

    with open_container(path, uri) as container:
        stream = container.streams[index.stream_index]
        try:
            first = next(container.decode(stream), None)
        except av.FFmpegError:
            return False
        if first is None or display_matrix(first) is not None or is_untagged_hd(first):
            return False
        return index.size == (stream.width, stream.height)
