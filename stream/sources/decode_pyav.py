"""Wanted frames of a video into pictures with PyAV: seek and forward decode per needed group of pictures."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from hippocam.stream.errors import SourceError
from hippocam.stream.records import Image
from hippocam.stream.sources.files import open_container
from hippocam.stream.sources.packet_index import JoinedClock, PacketIndex, scaled_size
from hippocam.stream.sources.sampling import TimeGrid, native_rate

log = logging.getLogger(__name__)

# Demuxing this many packets without decoding costs about as much as a seek.
_CHEAPER_THAN_SEEK = 8
# Frames that a decoder may hold back before it shows one (H.264: 16, and one per decoding thread).
_REORDER = 40
# Codecs in which a packet may show nothing by design: VP8's hidden references, MPEG-4's dropped frames.
_HIDING = frozenset({"vp8", "mpeg4", "msmpeg4v3"})


class MissingFramesError(SourceError):
    """Wanted frames never came out of the decoder, although nothing is damaged."""


class Converter:
    """Decoded frames of any pixel format into upright pictures."""

    def __init__(self, size: tuple[int, int]) -> None:
        """Take width and height in pixels before a frame's own rotation is applied."""
        from av.video.reformatter import VideoReformatter

        self._size = size
        # Kept and with one thread: a new scaler with its threads for each frame takes twice the time.
        self._reformatter = VideoReformatter()

    def image(self, frame: Any) -> Image:
        """Turn an av.VideoFrame into uint8 [H, W, 3] RGB."""
        width, height = self._size
        scaled = self._reformatter.reformat(frame, width=width, height=height, format="rgb24", threads=1)
        picture: Image = np.asarray(scaled.to_ndarray(), dtype=np.uint8)
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

    Raises:
        MissingFramesError: After all others were yielded: of an undamaged file some never came.
    """
    converter = Converter(scaled_size(index.size, longest))
    reader = _GroupReader(path, uri, index, seqs, threads)
    missing = set(map(int, seqs))
    try:
        start = 0
        while start < len(seqs):
            key = index.key_before(seqs[start])
            stop = start + 1
            while stop < len(seqs) and index.key_before(seqs[stop]) == key:
                stop += 1
            for seq, frame in reader.read(key, seqs[start:stop]):
                missing.discard(seq)
                yield seq, converter.image(frame)
            start = stop
    finally:
        reader.close()
        if reader.errors:
            log.warning("%s: %d damaged packets skipped", uri, reader.errors)
    headless = {seq for seq in missing if not index.has_key(seq)}
    if headless:
        log.info("%s: %d frames before its first key frame cannot be decoded", uri, len(headless))
    missing -= headless
    if missing and (reader.damaged or reader.codec in _HIDING):
        log.warning("%s: %d of %d wanted frames could not be decoded", uri, len(missing), len(seqs))
    elif missing:
        raise MissingFramesError(
            uri,
            f"{len(missing)} of {len(seqs)} wanted frames never came out of the decoder, the first at "
            f"{float(index.times_s[min(missing)]):.1f} s; all others were kept",
        )


class _GroupReader:
    """A decoder that is moved from one group of pictures to the next."""

    def __init__(self, path: Path, uri: str, index: PacketIndex, seqs: Sequence[int], threads: int) -> None:
        self._path, self._uri, self._index, self._threads = path, uri, index, threads
        self._is_wanted = np.zeros(len(index), dtype=bool)
        self._is_wanted[np.array(seqs, dtype=np.int64)] = True
        self._container: Any = None
        self._packets: Iterator[Any] = iter(())
        self._from = 0  # position of the first packet to decode; those before are only read over
        self._fed = -1  # position of the last packet given to the decoder; -1: before the start
        self._drained = True
        self._ready: list[Any] = []  # decoded frames that no one has asked for yet
        self.errors = 0
        self.damaged = bool(index.damaged.any()) or index.cut
        self.codec = ""

    def close(self) -> None:
        """Close the file."""
        if self._container is not None:
            self._container.close()
            self._container = None

    def read(self, key: int, seqs: Sequence[int]) -> Iterator[tuple[int, Any]]:
        """Yield (seq, frame) of the wanted frames of one group, named by the rank of its key frame."""
        index = self._index
        wanted = {int(index.pts[seq]): seq for seq in seqs}
        last_pts, last_position = int(index.pts[seqs[-1]]), int(index.positions[seqs].max())
        if self._drained or int(index.keys[key]) - self._fed > _CHEAPER_THAN_SEEK:
            self._seek(key)
        while True:
            for at, frame in enumerate(self._ready):
                if frame.pts is not None and frame.pts > last_pts:
                    del self._ready[:at]  # belongs to a later group
                    return
                seq = wanted.pop(frame.pts, None)
                if seq is not None and frame.is_corrupt:
                    self.damaged = True
                elif seq is not None:
                    yield seq, frame
                if not wanted:
                    del self._ready[: at + 1]
                    return
            self._ready.clear()
            if self._drained or self._fed > last_position + _REORDER:
                return
            self._feed()

    def _feed(self) -> None:
        """Give the decoder the next packet and keep what it shows."""
        import av

        try:
            packet = next(self._packets, None)
        except av.FFmpegError:
            self.errors += 1
            self.damaged = True
            packet = None
        try:
            if packet is None or packet.size == 0:
                self._drained = True
                self._ready = self._codec.decode(None)
                return
            position, seq = self._index.position_of(packet.pts), self._index.seq_of(packet.pts)
            if position is not None:
                self._fed = position
            if self._fed < self._from:
                return
            # Frames that nobody wants and no other frame is predicted from need not be decoded at all.
            self._codec.skip_frame = "DEFAULT" if seq is not None and self._is_wanted[seq] else "NONREF"
            self._ready = self._codec.decode(packet)
        except av.FFmpegError:
            self.errors += 1
            self.damaged = True

    def _seek(self, key: int) -> None:
        """Place the file at or before a key frame; demuxers may land late, then aim earlier."""
        self._ready.clear()
        self._from = int(self._index.keys[key])
        step = 0
        while not self._land(key - step):
            step = 2 * step + 1
        self._drained = False

    def _land(self, aim: int) -> bool:
        """Move to the key frame of that rank; tell whether the next packet is not too late.

        Below the first key frame the file is opened anew: some containers cannot seek to their own start.
        """
        import av

        self._fed = -1
        if aim <= 0:
            self.close()
            self._container = open_container(self._path, self._uri)
            self._stream = self._container.streams[self._index.stream_index]
            self._codec = self._stream.codec_context
            self.codec = self._codec.name
            self._codec.thread_count = self._threads
            self._codec.thread_type = "AUTO" if self._threads != 1 else "SLICE"
            self._packets = self._container.demux(self._stream)
            return True
        if self._container is None:
            self._land(0)
        try:
            self._container.seek(int(self._index.key_pts[aim]), stream=self._stream, backward=True)
            self._packets = self._container.demux(self._stream)
            seen, position = [], None
            for packet in self._packets:
                seen.append(packet)
                position = self._index.position_of(packet.pts)
                if position is not None:
                    break
        except av.FFmpegError:
            return False
        if position is None or position > self._from:
            return False
        self._packets = chain(seen, self._packets)
        return True


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
    converter = Converter(scaled_size(index.size, longest))
    with open_container(path, uri) as container:
        stream = container.streams[index.stream_index]
        stream.codec_context.thread_count = threads
        time_s = last_s = -1.0 / index.nominal_fps
        seq = -1
        for frame in _decode_all(container, stream, av.FFmpegError):
            seq += 1
            ticks = frame.pts if frame.pts is not None else frame.dts
            if ticks is None:
                time_s += 1.0 / index.nominal_fps
            else:
                time_s = float(ticks * index.time_base) - index.origin_s
            time_s = last_s = max(time_s, last_s)  # a damaged timestamp does not take time back
            if grid.keeps(time_s) and seq > after_seq and not frame.is_corrupt:
                yield seq, time_s, converter.image(frame)


def _decode_all(container: Any, stream: Any, ffmpeg_error: type[Exception]) -> Iterator[Any]:
    packets, clock = container.demux(stream), JoinedClock(container)
    while True:
        try:
            packet = next(packets, None)
            if packet is not None:
                clock.set(packet)
        except ffmpeg_error:
            packet = None
        try:
            yield from stream.codec_context.decode(packet if packet is not None and packet.size else None)
        except ffmpeg_error:
            log.debug("a damaged packet was skipped")
        if packet is None or packet.size == 0:
            return
