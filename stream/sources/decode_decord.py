"""Every frame of a plain MP4 into pictures with decord, in one pass with its own decoding threads.

decord 3.4 (decord2) cannot be trusted with random access: where a wanted frame lies behind its key frame it
skips forward, gives up after 10,000 polls of its decoder, logs that and returns an earlier frame instead
(4 of 635 seeks on a 10-minute film, two busy cores). Nothing is skipped here: frames are taken one by one
from a key frame on, and only where decord's index is the same as ours.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from hippocam.stream.records import Image
from hippocam.stream.sources.packet_index import PacketIndex, scaled_size

log = logging.getLogger(__name__)


def read_frames(
    path: Path, uri: str, index: PacketIndex, seqs: Sequence[int], longest: int, threads: int
) -> Iterator[tuple[int, Image]]:
    """Yield wanted frames from the first on, in order; may stop before the last, without an error.

    decord sometimes fails near the end of a file; whoever calls goes on behind the last frame with PyAV.

    Args:
        path: The file, an upright MP4 or MOV.
        uri: Its name in messages.
        index: Its packet index, not linear.
        seqs: Wanted frames, strictly increasing.
        longest: Longer side of the pictures in pixels, at most.
        threads: Decoding threads, 0 for one per core.

    Yields:
        The frame's seq and its picture, uint8 [H, W, 3] RGB.
    """
    import decord

    decord.logging.set_level(decord.logging.QUIET)
    width, height = scaled_size(index.size, longest)
    try:
        reader = decord.VideoReader(str(path), width=width, height=height, num_threads=threads)
        if not _same_index(reader, index):
            log.info("%s: decord counts frames differently, PyAV reads it", uri)
            return
        at = int(np.searchsorted(index.pts, index.key_pts[index.key_before(seqs[0])]))
        if at:
            reader.seek(at)
        wanted = iter(seqs)
        seq = next(wanted)
        while True:
            picture = reader.next()
            if picture.shape != (height, width, 3):  # at some widths padding becomes a channel
                log.info("%s: decord gives %s, PyAV reads it", uri, picture.shape)
                return
            if at == seq:
                yield seq, picture.asnumpy()
                following = next(wanted, None)
                if following is None:
                    return
                seq = following
            at += 1
    except (decord.DECORDError, StopIteration, RuntimeError) as error:
        log.info("%s: decord stopped, PyAV goes on: %s", uri, str(error).splitlines()[:1])


def _same_index(reader: object, index: PacketIndex) -> bool:
    """Tell whether decord sees the same frames at the same times, and the same key frames."""
    if len(reader) != len(index):  # type: ignore[arg-type]
        return False
    starts_s = reader.get_frame_timestamp(range(len(index)))[:, 0]  # type: ignore[attr-defined]
    ours_s = index.times_s - index.times_s[0]
    key_seqs = np.searchsorted(index.pts, index.key_pts)
    same_keys = list(reader.get_key_indices()) == key_seqs.tolist()  # type: ignore[attr-defined]
    return same_keys and bool(np.all(np.abs(starts_s - starts_s[0] - ours_s) < 0.0015))  # decord has float32
