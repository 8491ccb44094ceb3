"""Key frames of a video into pictures with PyAV: nothing else is decoded, so a preview costs next to nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hippocam.stream.records import Image
from hippocam.stream.sources.decode.packet_index import PacketIndex
from hippocam.stream.sources.decode.pyav import Converter
from hippocam.stream.sources.files import open_container, packets_of
from hippocam.stream.sources.sampling import TimeGrid

log = logging.getLogger(__name__)

# Least seconds between two key frames of a preview: some files have one a second, or nothing else.
PREVIEW_STEP_S = 4.0


def preview_fps(fps: float | None) -> float:
    """Return how many frames a second a preview gives at most where fps are asked for (None: every one)."""
    return 1 / PREVIEW_STEP_S if fps is None else min(fps, 1 / PREVIEW_STEP_S)


def pick_keyframes(index: PacketIndex, fps: float) -> NDArray[np.int64]:
    """Return the seqs of the key frames that a preview looks at: the first at or after each point k / fps.

    Args:
        index: Index of the video.
        fps: Frames a second at most, above 0.

    Returns:
        int64 [P], strictly increasing; damaged ones are left out.

    Raises:
        ValueError: fps is not a positive number.
    """
    grid = TimeGrid(fps)
    seqs = np.flatnonzero(np.isin(index.positions, index.keys) & ~index.damaged)
    return np.array([s for s in seqs.tolist() if grid.keeps(float(index.times_s[s]))], dtype=np.int64)


def read_keyframes(
    path: Path, uri: str, index: PacketIndex, seqs: Sequence[int], longest: int, threads: int
) -> Iterator[tuple[int, Image]]:
    """Yield wanted key frames that can be decoded, in order; all other packets are only read over.

    Args:
        path: The file.
        uri: Its name in messages.
        index: Its packet index, not linear.
        seqs: Wanted key frames, strictly increasing.
        longest: Longer side of the pictures in pixels, at most.
        threads: Decoding threads, 0 for one per core.

    Yields:
        The frame's seq and its picture, uint8 [H, W, 3] RGB. Frames whose data are damaged are left out.
    """
    import av

    wanted = {int(index.pts[seq]): int(seq) for seq in seqs}
    errors = 0
    with open_container(path, uri) as container:
        stream = container.streams[index.stream_index]
        codec, converter = stream.codec_context, Converter(stream, uri, longest)
        codec.thread_count = threads
        codec.thread_type = "AUTO" if threads != 1 else "SLICE"
        codec.skip_frame = "NONKEY"
        packets = packets_of(container, stream)
        while wanted:
            try:
                packet = next(packets, None)
            except av.FFmpegError:
                packet, errors = None, errors + 1
            if packet is None or packet.size == 0:
                break
            seq = None if packet.pts is None else wanted.pop(packet.pts, None)
            if seq is None:
                continue
            try:
                # Each is decoded by itself: across open groups a decoder would look for what was left out.
                frames = [*codec.decode(packet), *codec.decode(None)]
            except av.FFmpegError:
                frames, errors = [], errors + 1
            codec.flush_buffers()
            for frame in frames[:1]:
                if not frame.is_corrupt:
                    yield seq, converter.image(frame)
    if errors:
        log.warning("%s: %d damaged packets skipped", uri, errors)
