"""Every frame of a plain MP4 into pictures with decord, in one pass with its own decoding threads.

decord 3.4 (decord2) cannot be trusted with random access: where a wanted frame lies behind its key frame it
skips forward, gives up after 10,000 polls of its decoder, logs that and returns an earlier frame instead
(4 of 635 seeks on a 10-minute film, two busy cores). Nothing is skipped here: frames are taken one by one
from a key frame on, and only where decord's index is the same as ours.

On damaged files it ends the whole process (`bad_alloc`), so it runs in a process of its own:

    child   {"starts_s": [...], "keys": [...]}     one line, what decord makes of the file
    parent  {"at": 0, "seqs": [...]}               one line, where to begin and what is wanted
    child   the wanted pictures, H x W x 3 bytes each, as far as it gets
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np

from hippocam.stream.records import Image
from hippocam.stream.sources.decode.packet_index import PacketIndex, scaled_size

log = logging.getLogger(__name__)

_CHILD = "from hippocam.stream.sources.decode.decord import serve; serve()"


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
    width, height = scaled_size(index.size, longest)
    command = [sys.executable, "-c", _CHILD, str(path), str(width), str(height), str(threads)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            told = child.stdout.readline()
            if not told or not _same_index(json.loads(told), index):
                log.info("%s: decord gives up or counts frames differently, PyAV reads it", uri)
                return
            at = int(np.searchsorted(index.pts, index.key_pts[index.key_before(seqs[0])]))
            child.stdin.write(json.dumps({"at": at, "seqs": [int(seq) for seq in seqs]}).encode() + b"\n")
            child.stdin.flush()
            for seq in seqs:
                picture = child.stdout.read(height * width * 3)
                if len(picture) < height * width * 3:
                    log.info("%s: decord stopped, PyAV goes on", uri)
                    return
                yield seq, np.frombuffer(bytearray(picture), np.uint8).reshape(height, width, 3)
        except (BrokenPipeError, ValueError) as error:
            log.info("%s: decord stopped, PyAV goes on: %s", uri, error)
        finally:
            child.kill()


def serve() -> None:
    """Decode for `read_frames`, in a process that may end any moment."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what C libraries print is no picture
    import decord

    path, *numbers = sys.argv[1:]
    width, height, threads = map(int, numbers)
    decord.logging.set_level(decord.logging.QUIET)
    reader = decord.VideoReader(path, width=width, height=height, num_threads=threads)
    starts_s = reader.get_frame_timestamp(range(len(reader)))[:, 0]
    keys = list(map(int, reader.get_key_indices()))
    out.write(json.dumps({"starts_s": starts_s.tolist(), "keys": keys}).encode() + b"\n")
    out.flush()
    asked = json.loads(sys.stdin.readline())
    _give(reader, asked["at"], asked["seqs"], (height, width, 3), out)


def _give(reader: object, at: int, seqs: list[int], shape: tuple[int, int, int], out: IO[bytes]) -> None:
    if at:
        reader.seek(at)  # type: ignore[attr-defined]
    for seq in seqs:
        while True:
            picture = reader.next()  # type: ignore[attr-defined]
            at += 1
            if at > seq:
                break
        if picture.shape != shape:  # at some widths padding becomes a channel
            return
        out.write(picture.asnumpy().tobytes())
    out.flush()


def _same_index(told: dict[str, list[float]], index: PacketIndex) -> bool:
    """Tell whether decord sees the same frames at the same times, and the same key frames."""
    starts_s = np.array(told["starts_s"])
    if len(starts_s) != len(index):
        return False
    ours_s = index.times_s - index.times_s[0]
    key_seqs = np.searchsorted(index.pts, index.key_pts)
    same_keys = told["keys"] == key_seqs.tolist()
    return same_keys and bool(np.all(np.abs(starts_s - starts_s[0] - ours_s) < 0.0015))  # decord has float32
