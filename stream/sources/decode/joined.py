"""Recordings that were joined byte by byte: whether a file is so, and a time that only goes on.

Cameras and their owners join pieces with `cat a.ts b.ts`. Of some containers all pieces are read, and each counts
time from its own start. Of others a player, and FFmpeg, reads the first piece only; what lies behind it is told.
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from hippocam.stream.sources.decode import clocks

# Decoding timestamps that go back by more than this begin again; less is careless muxing.
_JITTER_S = 0.1
# A picture that is no key frame begins again where it goes back by more than frames are ever reordered.
_REORDERED_S = 1.0
# A pause within a recording is shorter than this.
_LEAP_S = 3600.0
# The clock of a transport or program stream counts 33 bits of 1 / 90,000 s, then begins again at zero.
_TURN_S = (1 << 33) / 90_000
_TURNING = ("mpegts", "mpeg")
# Clocks of a file that are looked at to tell whether it was joined, and how far each is looked for, in bytes.
_PROBES = 64
_PROBE_BYTES = 1 << 19
# What a Matroska file begins with; so much of its start holds its two first headers.
_EBML = b"\x1a\x45\xdf\xa3"
_HEAD_BYTES = 1 << 12
# The first page of a recording in Ogg, and the header of one in FLV.
_OGG_PAGE = b"OggS"
_OGG_BEGINS = b"OggS\x00\x02"
_FLV_BEGINS = b"FLV\x01"
_FLV_HEADER = b"\x00\x00\x00\x09\x00\x00\x00\x00"


# In a program stream frames get other timestamps where reading begins in its midst: it is read over up to there.
READ_ON = "mpeg"


class JoinedClock:
    """Moves the timestamps of one stream's packets so that they never begin again.

    A player goes on with the next part where the last one ended, and so does this: at a jump back, and in a
    transport stream at a leap of hours, which is a jump back that the demuxer took for the clock's overflow. The
    first picture of a part is shown when the last one of the part before it ends. Where the clock itself begins
    again, after a day, the recording goes on; the demuxer knows that of the first part only.

    Args:
        container: The open file.
        shifts_s: Seconds by which another stream of the file was moved at each jump. This one is moved alike,
            so that sound and pictures stay together over many parts.

    Attributes:
        shifts_s: Seconds by which timestamps were moved from each jump on.
        moved: Whether any timestamp was moved, at a jump or where the clock began again.
    """

    def __init__(self, container: Any, shifts_s: Sequence[float] = ()) -> None:
        self.shifts_s: list[float] = []
        self.moved = False
        self._given_s = shifts_s
        self._leap_s = _LEAP_S if container.format.name == "mpegts" else math.inf
        self._turns = container.format.name in _TURNING
        self._told: int | None = None  # decoding timestamp of the last packet, on a clock that never begins again
        self._shift = 0  # ticks, added to all timestamps from now on
        self._last: int | None = None  # decoding timestamp of the last packet, moved
        self._newest = 0  # when the picture that is shown last begins, moved
        self._end: int | None = None  # when the picture that is shown last ends, moved
        self._step = 0  # ticks between two packets

    @property
    def jumps(self) -> int:
        """How often time began again so far."""
        return len(self.shifts_s)

    def set(self, packet: Any) -> None:
        """Move the timestamps of the stream's next packet."""
        if packet.is_discard:
            return
        if self._turns and packet.time_base:
            self._unturn(packet)
        shown = packet.pts if packet.pts is not None else packet.dts
        if shown is not None and packet.time_base:
            self._go_on(packet, shown)
        if self._shift:
            self.moved = True
            packet.pts = None if packet.pts is None else packet.pts + self._shift
            packet.dts = None if packet.dts is None else packet.dts + self._shift

    def _unturn(self, packet: Any) -> None:
        """Add as many turns of the clock to a packet's timestamps as bring them nearest to the last packet's."""
        told = packet.dts if packet.dts is not None else packet.pts
        if told is None:
            return
        if self._told is not None:
            turn = round(_TURN_S / packet.time_base)
            turns = {name: round((self._told - getattr(packet, name)) / turn) for name in _times_of(packet)}
            for name, count in turns.items():
                if count:
                    setattr(packet, name, getattr(packet, name) + count * turn)
                    self.moved = True
        self._told = packet.dts if packet.dts is not None else packet.pts

    def _go_on(self, packet: Any, shown: int) -> None:
        if self._begins_again(packet, shown):
            self._jump(shown, packet.time_base)
        moved = shown + self._shift
        if packet.dts is not None:
            if self._last is not None:
                self._step = max(packet.dts + self._shift - self._last, 0) or self._step
            self._last = packet.dts + self._shift
        self._newest = max(self._newest, moved) if self._end is not None else moved
        self._end = max(moved if self._end is None else self._end, moved + (packet.duration or self._step))

    def _begins_again(self, packet: Any, shown: int) -> bool:
        if self._end is None:
            return False
        gap_s = 0.0
        if packet.dts is not None and self._last is not None:
            gap_s = float((packet.dts + self._shift - self._last) * packet.time_base)
        back_s = float((self._newest - shown - self._shift) * packet.time_base)
        if gap_s >= self._leap_s:
            return True
        if packet.is_keyframe:  # is shown behind all that came before it
            return max(-gap_s, back_s) > _JITTER_S
        return -gap_s > _JITTER_S and back_s > _REORDERED_S

    def _jump(self, shown: int, time_base: Fraction) -> None:
        assert self._end is not None
        if self.jumps < len(self._given_s):
            self._shift = round(self._given_s[self.jumps] / time_base)
        else:
            self._shift = self._end - shown
        self.shifts_s.append(float(self._shift * time_base))


def _times_of(packet: Any) -> list[str]:
    """Names of the timestamps that a packet has."""
    return [name for name in ("pts", "dts") if getattr(packet, name) is not None]


def begins_again(path: Path, format_name: str) -> bool:
    """Tell by a few looks into a file whether it holds several recordings, which may be read one after the other.

    In a transport or program stream a part may go unseen that is shorter than a 64th of the file.

    Args:
        path: The file.
        format_name: FFmpeg's name of its format.
    """
    if format_name in ("mpegts", "mpeg"):
        return _clock_begins_again(path)
    return len(list(_starts(path, format_name))) > 1


def _clock_begins_again(path: Path) -> bool:
    size = path.stat().st_size
    last: clocks.Clock | None = None
    with path.open("rb") as file:
        for probe in range(_PROBES):
            file.seek(size * probe // _PROBES)
            seen = clocks.read(file.read(_PROBE_BYTES), last.pid if last else None)
            if seen is None:
                continue
            if last is not None:
                gap_s = math.remainder(seen.time_s - last.time_s, _TURN_S)
                if seen.pid != last.pid or not -_JITTER_S <= gap_s <= _LEAP_S:
                    return True
            last = seen
    return False


def _matroska_starts(path: Path) -> Iterator[int]:
    """First byte of each recording in a Matroska file, as far as each says how long it is."""
    at = 0
    with path.open("rb") as file:
        while True:
            file.seek(at)
            head = file.read(_HEAD_BYTES)
            if head[: len(_EBML)] != _EBML:
                return
            yield at
            length = _segment_end(head)
            if not length:
                return
            at += length


def _segment_end(head: bytes) -> int:
    """Where the segment ends whose header this is; 0 where it does not say."""
    at = 4
    for _ in range(2):  # the EBML header, then the segment: an identifier of four bytes each
        first = head[at] if at < len(head) else 0
        width = 9 - first.bit_length() if first else 9
        number = int.from_bytes(head[at : at + width], "big") & ((1 << 7 * width) - 1)
        if width > 8 or number == (1 << 7 * width) - 1:  # not known, as of a live recording
            return 0
        end = at + width + number
        at = end + 4
    return end


def unread_from(path: Path, format_name: str, parts: int = 1) -> int | None:
    """Return the byte from which on a file holds another recording that is not read with the first one.

    Args:
        path: The file.
        format_name: FFmpeg's name of its format.
        parts: How many recordings are read, one after the other.

    Returns:
        None where there is none.
    """
    if format_name == "mpegts":
        return clocks.other_tracks_from(path) if begins_again(path, format_name) else None
    if format_name == "avi":  # is always read on
        return None
    starts = list(_starts(path, format_name))
    return starts[parts] if len(starts) > parts else None


def _starts(path: Path, format_name: str) -> Iterator[int]:
    """First byte of each recording in a file whose format begins each with a header that cannot be elsewhere."""
    if "mp4" in format_name:
        yield from _mp4_starts(path)
    elif "matroska" in format_name:
        yield from _matroska_starts(path)
    elif format_name == "avi":
        yield from _avi_starts(path)
    elif format_name in ("flv", "ogg"):
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield from _flv_starts(data) if format_name == "flv" else _ogg_starts(data)


def _mp4_starts(path: Path) -> Iterator[int]:
    boxes = list(_boxes(path))
    if any(kind == b"moof" for kind, _ in boxes):  # made of fragments: those behind another header are read
        return
    yield from (at for kind, at in boxes if kind == b"ftyp")


def _avi_starts(path: Path) -> Iterator[int]:
    at = 0
    with path.open("rb") as file:
        while True:
            file.seek(at)
            head = file.read(12)
            if head[:4] != b"RIFF":
                return
            if head[8:] == b"AVI ":  # else it goes on with what is beyond two gigabytes
                yield at
            length = int.from_bytes(head[4:8], "little")
            at += 8 + length + length % 2


def _flv_starts(data: mmap.mmap) -> Iterator[int]:
    at = data.find(_FLV_BEGINS)
    while at >= 0:
        if not at or data[at + 5 : at + 13] == _FLV_HEADER:
            yield at
        at = data.find(_FLV_BEGINS, at + 1)


def _ogg_starts(data: mmap.mmap) -> Iterator[int]:
    at = data.find(_OGG_BEGINS)
    while at >= 0:
        yield at
        while data[at : at + len(_OGG_BEGINS)] == _OGG_BEGINS:  # its tracks all begin before any goes on
            at = data.find(_OGG_PAGE, at + 1)
        at = data.find(_OGG_BEGINS, at) if at > 0 else -1


def _boxes(path: Path) -> Iterator[tuple[bytes, int]]:
    """Kind and first byte of each outermost box of an MP4, as far as they follow each other."""
    size, at = path.stat().st_size, 0
    with path.open("rb") as file:
        while at + 8 <= size:
            file.seek(at)
            head = file.read(16)
            length = int.from_bytes(head[:4], "big")
            if length == 1:
                length = int.from_bytes(head[8:16], "big")
            yield head[4:8], at
            if length < 8:  # up to the end of the file, or damaged
                return
            at += length
