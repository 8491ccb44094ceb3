"""A path into an open media file, or into one line that says what is wrong with it and how to mend it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from hippocam.stream.errors import SourceError
from hippocam.stream.opencv import MOST_PIXELS
from hippocam.stream.sources.remote import is_remote

# What FFmpeg may take a file for: containers and raw streams of pictures. Playlists and scripts (concat, hls,
# dash, sdp, image sequences, ...) would have it open other files, or addresses, that the file names. "jpeg_pipe"
# is JPEG after JPEG in the one file.
FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi", "asf", "flv", "live_flv", "mpeg", "mpegts", "mpegvideo",
    "mxf", "ogg", "dv", "ivf", "nut", "obu", "av1", "h261", "h263", "h264", "hevc", "vvc", "evc", "m4v", "mjpeg",
    "mpjpeg", "jpeg_pipe", "mjpeg_2000", "vc1", "dirac", "cavsvideo", "avs2", "yuv4mpegpipe", "gif", "apng",
    "wtv", "ty", "pva", "nuv", "nsv", "rm", "gxf", "lxf", "r3d", "dhav", "dxa", "swf", "flic", "smk", "bink",
    "roq", "ea", "4xm", "kux", "vivo", "ipmovie",
)  # fmt: skip
_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": ",".join(FORMATS)}
# What an ASF begins with; the bytes that each of its objects begins with, and those of the header of a GIF.
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_HEAD_BYTES, _GIF_HEADER_BYTES = 24, 13
# What a Matroska begins with, and the one element behind that header which holds all else.
_EBML, _SEGMENT = bytes.fromhex("1a45dfa3"), bytes.fromhex("18538067")
_CUES, _TAGS = bytes.fromhex("1c53bb6b"), bytes.fromhex("1254c367")
_MP4_BOXES = (b"ftyp", b"mdat", b"free", b"wide", b"skip", b"moov", b"styp", b"pnot")


def open_alone(path: Path) -> Any:
    """Open one media file with PyAV, and nothing that it may name: whoever made it must not choose what is read.

    Raises:
        av.FFmpegError: It cannot be opened, or is of a format that leads elsewhere.
    """
    import av

    opened = path.open("rb") if is_remote(path) else str(path)
    container = av.open(opened, options=dict(_OPTIONS), metadata_errors="ignore")
    for stream in container.streams.video:
        if stream.codec_context is not None:
            stream.codec_context.options = {"max_pixels": str(MOST_PIXELS)}
    return container


def open_container(path: Path, uri: str) -> Any:
    """Open a video file with PyAV.

    Raises:
        SourceError: The file is missing, empty, unreadable or no video, with what to do about it.
    """
    import av

    check_file(path, uri)
    try:
        return open_alone(path)
    except av.error.PermissionError as error:
        raise SourceError(uri, "no permission to read it; change its mode or owner") from error
    except av.FFmpegError as error:
        raise SourceError(uri, _why_unopened(path)) from error


def packets_of(container: Any, *streams: Any) -> Iterator[Any]:
    """Yield the packets of some streams of an open file, of all if none is named.

    A transport stream may begin further tracks in its midst. PyAV leaves those out, and trips over them at the
    end, when everything else was given.

    Raises:
        av.FFmpegError: The file cannot be read on.
    """
    packets = container.demux(*streams)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, IndexError):
            return
        yield packet


def add_copy(container: Any, track: Any) -> Any:
    """Add a track for the packets of another one as they are, also where there is no encoder of their codec."""
    return container.add_stream_from_template(track, opaque=True)


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


def ends_beyond_file(path: Path) -> bool | None:
    """Tell whether an MP4, AVI, ASF, GIF or Matroska should have more bytes than it has; None for others.

    All are made of boxes that begin with their length; in a truncated file the last one is too long.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(16)
        if head[:4] == b"GIF8":
            return _gif_is_cut(file, head[10])
        if head[:4] == _EBML:
            return _matroska_is_cut(file, size)
        if head == _ASF:
            return _asf_is_cut(file, size)
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


def _matroska_is_cut(file: BinaryIO, size: int) -> bool | None:
    """Whether a Matroska or WebM ends within its segment; None where it does not say how long that is.

    What is recorded live says nothing. See RFC 8794, 4 and 6, and RFC 9559, 4.5.
    """
    file.seek(len(_EBML))
    head_bytes = _ebml_number(file)
    if head_bytes is None:
        return None
    file.seek(head_bytes, os.SEEK_CUR)
    if file.read(len(_SEGMENT)) != _SEGMENT:  # damaged, not missing
        return None
    segment_bytes = _ebml_number(file)
    if segment_bytes is None or file.tell() + segment_bytes <= size:
        return None if segment_bytes is None else False
    while first := file.read(1):
        element = first + file.read(8 - first[0].bit_length())
        length = _ebml_number(file)
        if length is None or file.tell() + length > size:
            return element not in (_CUES, _TAGS)  # which hold no pictures
        file.seek(length, os.SEEK_CUR)
    return True


def _ebml_number(file: BinaryIO) -> int | None:
    """A number whose first byte tells by its leading zeros how many follow; None where it is not known."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    more = 8 - first[0].bit_length()
    bits = 7 * (more + 1)
    number = int.from_bytes(first + file.read(more), "big") & ((1 << bits) - 1)
    return None if number == (1 << bits) - 1 else number


def _asf_is_cut(file: BinaryIO, size: int) -> bool:
    """Whether a WMV or another ASF ends within an object: each begins with what it is and its length."""
    at = 0
    while at + _ASF_HEAD_BYTES <= size:
        file.seek(at)
        length = int.from_bytes(file.read(_ASF_HEAD_BYTES)[16:], "little")
        if length < _ASF_HEAD_BYTES:  # not known, as of what is recorded live, or damaged
            return False
        at += length
    return at > size


def _gif_is_cut(file: BinaryIO, flags: int) -> bool:
    """Whether a GIF ends within a block; the flags of its header tell of a table of colours.

    One without a trailer, that ends behind a whole block, lacks nothing. See the GIF89a specification, 18 to 27.
    """
    file.seek(_GIF_HEADER_BYTES + _colours_bytes(flags))
    while True:
        kind = file.read(1)
        if kind == b"!":  # an extension: its label, then blocks
            head = file.read(1)
        elif kind == b",":  # a picture: its place and flags, its colours, the size of its codes, then blocks
            head = file.read(9)
            if len(head) == 9:
                file.seek(_colours_bytes(head[8]), os.SEEK_CUR)
                head = file.read(1)
        else:  # the trailer, the end, or no block: what follows is damaged, not missing
            return False
        if not head:
            return True
        while length := file.read(1):
            if length == b"\0":
                break
            file.seek(length[0], os.SEEK_CUR)
        if not length:
            return True


def _colours_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0
