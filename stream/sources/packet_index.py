"""A video file into its packet index: every frame's true time and key flag, without decoding anything.

Legend: N number of frames. "Decode order" is the order of packets in the file, "presentation order" that of
true time; a frame's seq is its rank in presentation order.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hippocam.stream.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

log = logging.getLogger(__name__)

# A header's duration may exceed the last packet by rounding, never by more than this (seconds, share).
_SLACK_S, _SLACK_SHARE = 1.0, 0.01
_MP4_BOXES = (b"ftyp", b"mdat", b"free", b"wide", b"skip", b"moov", b"styp", b"pnot")


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketIndex:
    """Where each frame of a video is, in presentation order.

    Attributes:
        stream_index: Which stream of the container is the video.
        time_base: Seconds per tick of a presentation timestamp.
        pts: int64 [N], presentation timestamps in ticks, strictly increasing unless linear.
        times_s: float64 [N], true seconds; 0 is what a browser's player shows as 0.
        positions: int64 [N], rank of each frame's packet in decode order.
        keys: int64 [K], positions (decode order) of key frames, ascending.
        key_pts: int64 [K], their timestamps in ticks.
        damaged: bool [N], packets that the demuxer marked corrupt.
        origin_s: Container time that is shown as 0, in seconds.
        size: Width and height in pixels as displayed before rotation (square pixels).
        container: FFmpeg's name of the container format, "mov,mp4,m4a,3gp,3g2,mj2" for instance.
        linear: Timestamps are missing, repeated or jump back: only decoding from the start gives the order.
        nominal_fps: The header's frame rate, for frames that carry no time at all.
        cut: The file ends before its header says.
        declared_s: Length in seconds that the header says, None where it says none.
    """

    stream_index: int
    time_base: Fraction
    pts: NDArray[np.int64]
    times_s: NDArray[np.float64]
    positions: NDArray[np.int64]
    keys: NDArray[np.int64]
    key_pts: NDArray[np.int64]
    damaged: NDArray[np.bool_]
    origin_s: float
    size: tuple[int, int]
    container: str
    linear: bool
    nominal_fps: float
    cut: bool
    declared_s: float | None

    def __len__(self) -> int:
        return len(self.pts)

    def key_before(self, seq: int) -> int:
        """Return the rank in keys of the key frame from which frame seq can be decoded.

        A picture that is shown before its own key frame (open group of pictures) needs the key frame before.
        """
        rank = int(np.searchsorted(self.keys, self.positions[seq], side="right")) - 1
        while rank > 0 and self.key_pts[rank] > self.pts[seq]:
            rank -= 1
        return max(rank, 0)


def open_container(path: Path, uri: str) -> Any:
    """Open a video file with PyAV.

    Raises:
        SourceError: The file is missing, empty, unreadable or no video, with what to do about it.
    """
    import av

    check_file(path, uri)
    try:
        return av.open(str(path), metadata_errors="ignore")
    except av.error.PermissionError as error:
        raise SourceError(uri, "no permission to read it; change its mode or owner") from error
    except av.FFmpegError as error:
        raise SourceError(uri, _why_unopened(path)) from error


def check_file(path: Path, uri: str) -> None:
    """Refuse what cannot be a media file, without opening a decoder.

    Raises:
        SourceError: Missing, no regular file, empty, not readable, or plainly another kind of file.
    """
    try:
        if not path.exists():
            raise SourceError(uri, "no such file; check the spelling, or mount the disk it is on")
        if not path.is_file():
            raise SourceError(uri, "not a regular file; give a video file or a folder")
        if path.stat().st_size == 0:
            raise SourceError(uri, "the file is empty (0 bytes); copy or record it again")
        with path.open("rb") as file:
            head = file.read(512)
    except PermissionError as error:
        raise SourceError(uri, "no permission to read it; change its mode or owner") from error
    except OSError as error:
        raise SourceError(uri, f"cannot be read ({error.strerror}); check the disk") from error
    if (
        head[:4] == b"PK\x03\x04"
        or head[:6] in (b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c")
        or head[:2] == b"\x1f\x8b"
    ):
        raise SourceError(uri, "an archive, not a video; unpack it and give the files inside")
    if _is_text(head):
        raise SourceError(uri, "text, not a video; is it a web page or a link saved under a video's name?")


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:  # not just a letter cut in two
            return False
        text = head[: error.start].decode("utf-8")
    # YUV4MPEG is the one video format with a text header.
    return text.replace("\n", " ").replace("\r", " ").replace("\t", " ").isprintable() and text[:9] != "YUV4MPEG2"


def _why_unopened(path: Path) -> str:
    """Tell the usual reasons apart for a file that no demuxer takes."""
    with path.open("rb") as file:
        head = file.read(64)
    if head[4:8] in _MP4_BOXES:
        return (
            "the MP4 has no index (moov box): the recording was cut off before its end was written, or is "
            "damaged; copy it again, or rebuild it with a tool such as untrunc"
        )
    return "not a video that can be read (unknown or damaged format); convert it to MP4 or WebM"


def build_index(path: Path, uri: str) -> PacketIndex:
    """Read all packets of a file once, without decoding (about 5 microseconds a packet).

    Raises:
        SourceError: The file cannot be opened, has no moving picture, or its codec is unknown.
    """
    import av

    with open_container(path, uri) as container:
        stream = video_stream(container, uri)
        pts: list[int | None] = []
        dts: list[int | None] = []
        keys: list[bool] = []
        damaged: list[bool] = []
        end_s, outside = 0.0, 0
        try:
            for packet in container.demux():
                if packet.size == 0:  # the end marker, or a sample that says "no change"
                    continue
                if packet.is_discard:  # decoded for others' sake, but outside the edit list
                    outside += packet.stream_index == stream.index
                    continue
                last = packet.pts if packet.pts is not None else packet.dts
                if last is not None and packet.time_base:
                    end_s = max(end_s, float((last + (packet.duration or 0)) * packet.time_base))
                if packet.stream_index != stream.index:
                    continue
                pts.append(packet.pts)
                dts.append(packet.dts)
                keys.append(packet.is_keyframe)
                damaged.append(packet.is_corrupt)
        except av.FFmpegError as error:
            log.info("%s: reading packets stopped early: %s", uri, error)
        if not pts:
            raise SourceError(uri, "no frame in it: truncated right after its header; copy it again")
        origin_s = _origin_s(container, stream, pts)
        declared_s = container.duration / 1e6 if container.duration else None
        cut = _ends_beyond_file(path)
        if cut and 0 < stream.frames <= outside + len(pts):
            cut = False  # what is missing at the end is no picture
        if cut is None:  # other containers do not say how many bytes they should have
            slack_s = max(_SLACK_S, _SLACK_SHARE * (declared_s or 0.0))
            cut = declared_s is not None and declared_s - (end_s - origin_s) > slack_s
        times_known = [p for p in pts if p is not None]
        linear = (
            len(times_known) < len(pts)
            or len(set(times_known)) < len(pts)
            or _goes_back(dts)
            or not any(keys)
            or not stream.time_base
        )
        ticks = np.array([p if p is not None else 0 for p in pts], dtype=np.int64)
        order = np.arange(len(ticks)) if linear else np.argsort(ticks, kind="stable")
        time_base = stream.time_base or Fraction(1, 1000)
        key_positions = np.flatnonzero(np.array(keys))
        rate = stream.average_rate or stream.guessed_rate
        return PacketIndex(
            stream_index=stream.index,
            time_base=time_base,
            pts=ticks[order],
            times_s=ticks[order] * (time_base.numerator / time_base.denominator) - origin_s,
            positions=order.astype(np.int64),
            keys=key_positions.astype(np.int64),
            key_pts=ticks[key_positions],
            damaged=np.array(damaged)[order],
            origin_s=origin_s,
            size=_display_size(stream),
            container=container.format.name,
            linear=linear,
            nominal_fps=float(rate) if rate else 25.0,
            cut=cut,
            declared_s=declared_s,
        )


def video_stream(container: Any, uri: str) -> Any:
    """Return the moving picture of an open container.

    Raises:
        SourceError: There is none (audio only), or no decoder for it.
    """
    from av.stream import Disposition

    # A cover picture in a music file is a video stream of one frame.
    videos = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not videos:
        kinds = sorted({s.type for s in container.streams})
        if not kinds:
            raise SourceError(uri, "nothing in it: truncated within its header; copy or download it again")
        if "audio" in kinds:
            raise SourceError(uri, "only sound in it, no picture; give a file with video")
        raise SourceError(uri, f"no picture in it (found: {', '.join(kinds)}); give a file with video")
    best = container.streams.best("video")
    stream = best if best in videos else videos[0]
    if stream.codec_context is None:
        raise SourceError(uri, "its video codec is unknown or encrypted (DRM); convert it to H.264 or VP9 first")
    return stream


def _origin_s(container: Any, stream: Any, pts: Sequence[int | None]) -> float:
    """Return the container time that players show as 0: the earliest start of picture and sound."""
    starts = [
        float(s.start_time * s.time_base)
        for s in container.streams
        if s.type in ("video", "audio") and s.start_time is not None and s.time_base
    ]
    if stream.start_time is not None and starts:
        return min(starts)
    known = [p for p in pts if p is not None]
    return float(min(known) * stream.time_base) if known and stream.time_base else 0.0


def _goes_back(dts: Sequence[int | None]) -> bool:
    known = np.array([d for d in dts if d is not None], dtype=np.int64)
    return bool(np.any(np.diff(known) < 0))


def _display_size(stream: Any) -> tuple[int, int]:
    """Width and height with square pixels; the shape is kept, neither side grows."""
    width, height = int(stream.width or 0), int(stream.height or 0)
    aspect = stream.sample_aspect_ratio
    if aspect and aspect > 1:
        height = max(1, round(height / aspect))
    elif aspect and 0 < aspect < 1:
        width = max(1, round(width * aspect))
    return width, height


def scaled_size(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """Return width and height with the longer side at most longest pixels, the shape kept, never enlarged."""
    width, height = size
    scale = min(1.0, longest / max(width, height, 1))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _ends_beyond_file(path: Path) -> bool | None:
    """Tell whether an MP4 or AVI should have more bytes than it has; None for other containers.

    Both are made of boxes that begin with their length; in a truncated file the last one is too long.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] == b"RIFF":
            # Beyond 4 GB the length is kept elsewhere; a player rounds an odd one up.
            return bool(size < 2**32 - 16 and int.from_bytes(head[4:8], "little") + 8 > size + 1)
        if head[4:8] not in _MP4_BOXES:
            return None
        at = 0
        while at + 8 <= size:
            file.seek(at)
            head = file.read(16)
            length = int.from_bytes(head[:4], "big")
            if length == 1:
                length = int.from_bytes(head[8:16], "big")
            if length == 0:  # up to the end of the file
                return False
            if length < 8:  # no box: what follows is damaged, not missing
                return False
            at += length
        return at > size
