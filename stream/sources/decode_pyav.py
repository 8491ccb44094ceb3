"""Wanted frames of a video into pictures with PyAV: a seek and forward decode per needed group of pictures."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from hippocam.stream.records import Image
from hippocam.stream.sources.packet_index import PacketIndex, open_container
from hippocam.stream.sources.sampling import TimeGrid, native_rate

log = logging.getLogger(__name__)

# Demuxing this many packets without decoding costs about as much as a seek.
_CHEAPER_THAN_SEEK = 8
# Frames that a decoder may hold back before it shows one (H.264: 16, and one per decoding thread).
_REORDER = 40


def scaled_size(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """Return width and height with the longer side at most longest pixels, the shape kept, never enlarged."""
    width, height = size
    scale = min(1.0, longest / max(width, height, 1))
    return max(1, round(width * scale)), max(1, round(height * scale))


def to_image(frame: Any, size: tuple[int, int]) -> Image:
    """Turn a decoded frame of any pixel format into an upright picture, uint8 [H, W, 3] RGB.

    Args:
        frame: An av.VideoFrame.
        size: Width and height in pixels before the frame's own rotation is applied.
    """
    picture: Image = frame.reformat(width=size[0], height=size[1], format="rgb24").to_ndarray()
    quarter_turns = round(frame.rotation / 90) % 4  # the display matrix, counter-clockwise
    return np.ascontiguousarray(np.rot90(picture, quarter_turns)) if quarter_turns else picture


def read_frames(
    path: Path, uri: str, index: PacketIndex, seqs: Sequence[int], longest: int, threads: int
) -> Iterator[tuple[int, Image]]:
    """Yield the wanted frames that can be decoded, in order.

    Args:
        path: The file.
        uri: Its name in messages.
        index: Its packet index, not linear.
        seqs: Wanted frames, strictly increasing.
        longest: Longer side of the pictures in pixels, at most.
        threads: Decoding threads, 0 for one per core.

    Yields:
        The frame's seq and its picture, uint8 [H, W, 3] RGB. Frames whose data are damaged are left out.
    """
    with open_container(path, uri) as container:
        reader = _GroupReader(container, index, threads)
        size = scaled_size(index.size, longest)
        start = 0
        while start < len(seqs):
            key = index.key_before(seqs[start])
            stop = start + 1
            while stop < len(seqs) and index.key_before(seqs[stop]) == key:
                stop += 1
            for seq, frame in reader.read(key, seqs[start:stop]):
                yield seq, to_image(frame, size)
            start = stop
        if reader.errors:
            log.warning("%s: %d damaged packets skipped", uri, reader.errors)


class _GroupReader:
    """A decoder that is moved from one group of pictures to the next."""

    def __init__(self, container: Any, index: PacketIndex, threads: int) -> None:
        self._container = container
        self._index = index
        self._stream = container.streams[index.stream_index]
        self._codec = self._stream.codec_context
        self._codec.thread_count = threads
        self._codec.thread_type = "AUTO" if threads != 1 else "SLICE"
        self._packets: Iterator[Any] = iter(())
        self._fed = -1  # position of the last packet given to the decoder; -1: before the start
        self._drained = True
        self._ready: list[Any] = []  # decoded frames that no one has asked for yet
        self.errors = 0

    def read(self, key: int, seqs: Sequence[int]) -> Iterator[tuple[int, Any]]:
        """Yield (seq, frame) of the wanted frames of one group, named by the rank of its key frame."""
        index = self._index
        wanted = {int(index.pts[seq]): seq for seq in seqs}
        last_pts, last_position = int(index.pts[seqs[-1]]), int(index.positions[seqs].max())
        key_position = int(index.keys[key]) if len(index.keys) else 0
        if self._drained or not key_position - self._fed <= _CHEAPER_THAN_SEEK:
            self._seek(key)
        while True:
            for at, frame in enumerate(self._ready):
                if frame.pts is not None and frame.pts > last_pts:
                    del self._ready[:at]  # belongs to a later group
                    return
                seq = wanted.pop(frame.pts, None)
                if seq is not None and not frame.is_corrupt:
                    yield seq, frame
                if not wanted:
                    del self._ready[: at + 1]
                    return
            self._ready.clear()
            if self._drained or self._fed > last_position + _REORDER:
                return
            self._feed(wanted)

    def _feed(self, wanted: dict[int, int]) -> None:
        """Give the decoder the next packet and keep what it shows."""
        import av

        try:
            packet = next(self._packets, None)
        except av.FFmpegError:
            self.errors += 1
            packet = None
        try:
            if packet is None or packet.size == 0:
                self._drained = True
                self._ready = self._codec.decode(None)
                return
            self._fed = self._position(packet)
            # Frames that nobody wants and no other frame is predicted from need not be decoded at all.
            self._codec.skip_frame = "DEFAULT" if packet.pts in wanted else "NONREF"
            self._ready = self._codec.decode(packet)
        except av.FFmpegError:
            self.errors += 1

    def _position(self, packet: Any) -> int:
        """Position of a packet in decode order; one outside the index (edit list) counts as the last."""
        if packet.pts is None:
            return self._fed
        rank = int(np.searchsorted(self._index.pts, packet.pts))
        if rank == len(self._index) or self._index.pts[rank] != packet.pts:
            return self._fed
        return int(self._index.positions[rank])

    def _seek(self, key: int) -> None:
        """Place the demuxer at or before a key frame; demuxers may land late, then aim earlier."""
        import av

        self._ready.clear()
        step = 0
        while True:
            aim = max(0, key - step)
            target = (
                int(self._index.key_pts[aim]) if aim else int(min(self._index.pts[0], self._index.key_pts[0]))
            )
            try:
                self._container.seek(target, stream=self._stream, backward=True)
                first, landed = self._peek()
            except av.FFmpegError:
                first, landed = None, len(self._index)
            if landed <= int(self._index.keys[key]) or aim == 0:
                break
            step = 2 * step + 1
        self._fed = landed - 1
        self._drained = False
        if first is not None:
            rest = self._packets
            self._packets = _chain(first, rest)

    def _peek(self) -> tuple[list[Any], int]:
        """Return the packets up to the first one that is in the index, and that one's position."""
        self._packets = self._container.demux(self._stream)
        seen = []
        for packet in self._packets:
            seen.append(packet)
            self._fed = -1
            position = self._position(packet)
            if packet.size == 0:
                return seen, len(self._index)
            if position >= 0:
                return seen, position
        return seen, len(self._index)


def _chain(first: list[Any], rest: Iterator[Any]) -> Iterator[Any]:
    yield from first
    yield from rest


def read_linear(
    path: Path, uri: str, index: PacketIndex, *, fps: float | None, after_seq: int, longest: int, threads: int
) -> Iterator[tuple[int, float, Image]]:
    """Yield sampled frames of a file whose timestamps cannot be sorted, by decoding all of it in order.

    Args:
        path: The file.
        uri: Its name in messages.
        index: Its packet index, linear.
        fps: Sampling rate in frames a second, None for every frame.
        after_seq: Only frames with a greater seq (those before are still decoded).
        longest: Longer side of the pictures in pixels, at most.
        threads: Decoding threads, 0 for one per core.

    Yields:
        The frame's seq, its true time in seconds and its picture, uint8 [H, W, 3] RGB.
    """
    import av

    grid = TimeGrid(fps, native_rate(np.sort(index.times_s)) or index.nominal_fps)
    size = scaled_size(index.size, longest)
    with open_container(path, uri) as container:
        stream = container.streams[index.stream_index]
        stream.codec_context.thread_count = threads
        time_s = -1.0 / index.nominal_fps
        seq = -1
        for frame in _decode_all(container, stream, av.FFmpegError):
            seq += 1
            ticks = frame.pts if frame.pts is not None else frame.dts
            if ticks is None:
                time_s += 1.0 / index.nominal_fps
            else:
                time_s = float(ticks * index.time_base) - index.origin_s
            if grid.keeps(time_s) and seq > after_seq and not frame.is_corrupt:
                yield seq, time_s, to_image(frame, size)


def _decode_all(container: Any, stream: Any, ffmpeg_error: type[Exception]) -> Iterator[Any]:
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except ffmpeg_error:
            packet = None
        try:
            yield from stream.codec_context.decode(packet if packet is not None and packet.size else None)
        except ffmpeg_error:
            log.debug("a damaged packet was skipped")
        if packet is None or packet.size == 0:
            return
