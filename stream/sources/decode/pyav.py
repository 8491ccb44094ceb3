"""Wanted frames of a video into pictures with PyAV: seek and forward decode per needed group of pictures."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from hippocam.stream.errors import MissingFramesError
from hippocam.stream.records import Image
from hippocam.stream.sources.decode.cuts import CutFinder, chosen_keys
from hippocam.stream.sources.decode.joined import READ_ON, JoinedClock
from hippocam.stream.sources.decode.packet_index import PacketIndex, display_size, scaled_size
from hippocam.stream.sources.files import open_container, packets_of
from hippocam.stream.sources.sampling import TimeGrid, native_rate

log = logging.getLogger(__name__)

# Demuxing this many packets without decoding costs about as much as a seek.
_CHEAPER_THAN_SEEK = 8
# Frames that a decoder may hold back before it shows one (H.264: 16, and one per decoding thread).
_REORDER = 40
# Frames that a decoder may lose where a recording ends in the midst of one.
_LOST_AT_JOIN = 4
# Codecs in which a packet may show nothing by design: VP8's hidden references, MPEG-4's dropped frames.
_HIDING = frozenset({"vp8", "mpeg4", "msmpeg4v3"})


# a, b, c, d of a display matrix.
Matrix = tuple[int, int, int, int]
# FFmpeg's value for "not said"; the forms of colour that it reads, and makes pictures of.
_UNSPECIFIED = 2
_READ = frozenset({0, 1, _UNSPECIFIED, 4, 5, 6, 7, 9})
# Largest standard-definition picture.
_SD_LINES = 576
_SD_COLUMNS = 1024


class Converter:
    """Decoded frames of any pixel format, size and shape of pixels into upright pictures with square pixels.

    All three may change within a recording: television changes between 4:3 and 16:9 in frames of one size.

    Args:
        stream: The open track that they are decoded from. What its container says of the shape of pixels holds
            until the frames change theirs.
        uri: Name of the source in messages.
        longest: Longer side of the pictures in pixels, at most.
    """

    def __init__(self, stream: Any, uri: str, longest: int) -> None:
        from av.video.reformatter import VideoReformatter

        self._codec, self._aspect, self._longest = stream.codec_context, stream.sample_aspect_ratio, longest
        self._first = self._codec.sample_aspect_ratio
        self._uri, self._told = uri, False
        # Kept and with one thread: a new scaler with its threads for each frame takes twice the time.
        self._reformatter = VideoReformatter()

    def image(self, frame: Any) -> Image:
        """Turn the av.VideoFrame that was decoded last, or nearly, into uint8 [H, W, 3] RGB."""
        if not settle_colours(frame) and not self._told:
            log.warning("%s: its colours are of a form that is not read; they may be shown as others", self._uri)
            self._told = True
        now = self._codec.sample_aspect_ratio
        aspect = now if now and now != self._first else self._aspect
        width, height = scaled_size(display_size(frame.width, frame.height, aspect), self._longest)
        scaled = self._reformatter.reformat(
            frame,
            width=width,
            height=height,
            format="rgb24",
            threads=1,
            src_colorspace="ITU709" if is_untagged_hd(frame) else None,
        )
        return turned(np.asarray(scaled.to_ndarray(), dtype=np.uint8), display_matrix(frame))


def settle_colours(frame: Any) -> bool:
    """Tell whether a frame's form of colour can be read; one that cannot is as if nobody had said its form.

    FFmpeg makes no picture of any other kind of it: of YCgCo, as screens are recorded, ICtCp, or a damaged number.
    """
    if int(frame.colorspace) in _READ:
        return True
    frame.colorspace = _UNSPECIFIED
    return False


def is_untagged_hd(frame: Any) -> bool:
    """Tell whether a frame does not say how its colours are to be read, and is of a size that means BT.709.

    Players read untagged pictures of more than 576 lines so, and smaller ones by BT.601.
    """
    return int(frame.colorspace) == _UNSPECIFIED and (frame.height > _SD_LINES or frame.width > _SD_COLUMNS)


def display_matrix(frame: Any) -> Matrix | None:
    """The rounded 2 x 2 part of a frame's display matrix, of 0, 1 and -1; None where it is shown as it is.

    It tells where a step in the stored picture goes in the shown one: (a, b) a step right, (c, d) a step down.
    """
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return None
    a, b, _, c, d = np.frombuffer(bytes(data), dtype=np.int32)[:5].tolist()
    upright = abs(a) + abs(d) >= abs(b) + abs(c)
    matrix = (_sign(a), 0, 0, _sign(d)) if upright else (0, _sign(b), _sign(c), 0)
    return None if matrix == (1, 0, 0, 1) else matrix


def _sign(value: int) -> int:
    return -1 if value < 0 else 1


def turned(picture: Image, matrix: Matrix | None) -> Image:
    """Turn and mirror a picture as its display matrix says."""
    if matrix is None:
        return picture
    a, b, c, d = matrix
    if a == 0:  # steps right go up or down
        picture = picture.transpose(1, 0, 2)
    flipped = picture[:: -1 if b + d < 0 else 1, :: -1 if a + c < 0 else 1]
    return np.ascontiguousarray(flipped)


def read_frames(
    path: Path,
    uri: str,
    index: PacketIndex,
    seqs: Sequence[int],
    longest: int,
    threads: int,
    cuts: CutFinder | None = None,
) -> Iterator[tuple[int, Image]]:
    """Yield the wanted frames that can be decoded, in order, as pictures.

    Args:
        path: The file.
        uri: Its name in messages.
        index: Its packet index, not linear.
        seqs: Wanted frames, strictly increasing.
        longest: Longer side of the pictures in pixels, at most.
        threads: Decoding threads, 0 for one per core.
        cuts: Sees every frame that is decoded, up to the one that is yielded.

    Yields:
        The frame's seq and its picture, uint8 [H, W, 3] RGB. Frames whose data are damaged are left out.

    Raises:
        MissingFramesError: After all others were yielded: of an undamaged file some never came.
    """
    reader = _GroupReader(path, uri, index, seqs, longest, threads, cuts)
    for seq, frame in _read(reader, uri, index, seqs):
        yield seq, reader.image(frame)


def read_raw(
    path: Path,
    uri: str,
    index: PacketIndex,
    seqs: Sequence[int],
    threads: int,
    cuts: CutFinder | None = None,
) -> Iterator[tuple[int, Any]]:
    """Yield the wanted frames that can be decoded, in order, as PyAV has them: see `read_frames`."""
    yield from _read(_GroupReader(path, uri, index, seqs, 0, threads, cuts), uri, index, seqs)


def _read(reader: _GroupReader, uri: str, index: PacketIndex, seqs: Sequence[int]) -> Iterator[tuple[int, Any]]:
    """Yield wanted frames group by group, then tell which are missing."""
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
                yield seq, frame
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

    def __init__(
        self,
        path: Path,
        uri: str,
        index: PacketIndex,
        seqs: Sequence[int],
        longest: int,
        threads: int,
        cuts: CutFinder | None = None,
    ) -> None:
        self._path, self._uri, self._index, self._threads, self._cuts = path, uri, index, threads, cuts
        self._longest = longest
        # times of the key frames that were put where a film was cut
        self._chosen = set[int]() if cuts is None else set(index.key_pts[chosen_keys(index.keys)].tolist())
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

    def image(self, frame: Any) -> Image:
        """Turn a frame that was just read into a picture."""
        return self._converter.image(frame)

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
                self._look(frame)
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

    def _look(self, frame: Any) -> None:
        """Let the finder of cuts see a frame, if it has a time among the video's."""
        seq = (
            None if self._cuts is None or frame.pts is None or frame.is_corrupt else self._index.seq_of(frame.pts)
        )
        if self._cuts is not None and seq is not None:
            self._cuts.see(float(self._index.times_s[seq]), frame, chosen=frame.pts in self._chosen)

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
            # Frames that nobody wants and no other frame is predicted from need not be decoded at all. What AV1's
            # decoder is told when it opens holds for all frames to come.
            if self._codec.is_open:
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
        if self._index.container != READ_ON:
            while not self._land(key - step):
                step = 2 * step + 1
        elif self._drained:
            self._land(0)
        else:
            self._codec.flush_buffers()
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
            self._converter = Converter(self._stream, self._uri, self._longest)
            self.codec = self._codec.name
            self._codec.thread_count = self._threads
            self._codec.thread_type = "AUTO" if self._threads != 1 else "SLICE"
            self._packets = packets_of(self._container, self._stream)
            return True
        if self._container is None:
            self._land(0)
        try:
            self._container.seek(int(self._index.key_pts[aim]), stream=self._stream, backward=True)
            self._packets = packets_of(self._container, self._stream)
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
    path: Path,
    uri: str,
    index: PacketIndex,
    *,
    fps: float | None,
    after_seq: int,
    longest: int,
    threads: int,
    from_s: float = -math.inf,
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
        from_s: Only frames from this time on, in seconds; those before are still decoded.

    Yields:
        The frame's seq, its true time in seconds and its picture, uint8 [H, W, 3] RGB.

    Raises:
        MissingFramesError: After all others were yielded: of recordings that were joined one never came.
    """
    rate = native_rate(np.sort(index.times_s)) or index.nominal_fps
    grid = TimeGrid(fps, rate)
    with open_container(path, uri) as container:
        stream = container.streams[index.stream_index]
        stream.codec_context.thread_count = threads
        converter = Converter(stream, uri, longest)
        time_s = last_s = -1.0 / rate
        seq = -1
        origin_s: float | None = None if index.reordered else index.origin_s
        for frame in _decode_all(container, stream, uri):
            seq += 1
            ticks = frame.dts if index.reordered or frame.pts is None else frame.pts
            if ticks is None:
                time_s += 1.0 / rate
            else:
                if origin_s is None:  # what the decoder holds back is no delay of the film
                    origin_s = float(ticks * index.time_base) - float(index.times_s[0])
                time_s = float(ticks * index.time_base) - origin_s
            time_s = last_s = max(time_s, last_s)  # a damaged timestamp does not take time back
            if time_s >= from_s and grid.keeps(time_s) and seq > after_seq and not frame.is_corrupt:
                yield seq, time_s, converter.image(frame)
    missing = len(index) - seq - 1
    if index.parts > 1 and missing > _LOST_AT_JOIN * index.parts:
        raise MissingFramesError(
            uri,
            f"{missing} of {len(index)} frames of the {index.parts} recordings that are joined in it "
            "never came out of the decoder; all others were kept",
        )


def _decode_all(container: Any, stream: Any, uri: str) -> Iterator[Any]:
    import av

    packets, clock, errors = packets_of(container, stream), JoinedClock(container), 0
    while True:
        try:
            packet = next(packets, None)
            if packet is not None:
                clock.set(packet)
        except av.FFmpegError:
            packet, errors = None, errors + 1
        try:
            yield from stream.codec_context.decode(packet if packet is not None and packet.size else None)
        except av.FFmpegError:
            errors += 1
        if packet is None or packet.size == 0:
            break
    if errors:
        log.warning("%s: %d damaged packets skipped", uri, errors)
