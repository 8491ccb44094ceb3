"""The clock and the table of tracks in the bytes of an MPEG transport stream, and the clock of a program stream.

ISO/IEC 13818-1: packets of 188 bytes that begin with 0x47 (in .m2ts behind 4 more bytes; with 16 behind them on
some links); a program's clock stands in some packets' adaptation fields, its tracks in a table (PMT) that another
table (PAT) points at. In a program stream the clock stands behind each pack's start code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_SYNC = 0x47
# Bytes of a packet, and of a packet with what some recorders and links put around it.
_PACKET = 188
_SIZES = (188, 192, 204)
_PACK = b"\x00\x00\x01\xba"
# A clock counts so often a second.
_HZ = 90_000
# Stream types of pictures in a table of tracks: MPEG-1, 2 and 4, H.264, HEVC, VVC, AVS, VC-1, Dirac.
_PICTURES = frozenset({0x01, 0x02, 0x10, 0x1B, 0x24, 0x33, 0x42, 0xD1, 0xD2, 0xD4, 0xEA})
_BLOCK_BYTES = 1 << 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """A clock that was found.

    Attributes:
        pid: Of which packets it is; -1 in a program stream.
        time_s: What it says, seconds.
    """

    pid: int
    time_s: float


def read(data: bytes, pid: int | None = None) -> Clock | None:
    """Return the first clock in a piece of a stream; of a pid if it is among them.

    Args:
        data: Some bytes from anywhere in the stream.
        pid: Whose clock is wanted, None for any.
    """
    packets = _packets(data)
    if packets is None:
        return _pack_clock(data)
    found: Clock | None = None
    has_clock = (packets[:, 3] & 0x20 > 0) & (packets[:, 4] > 6) & (packets[:, 5] & 0x10 > 0)
    for packet in packets[has_clock]:
        base = int.from_bytes(packet[6:10].tobytes(), "big") << 1 | int(packet[10]) >> 7
        seen = Clock(pid=_pid(packet), time_s=base / _HZ)
        if pid in (None, seen.pid):
            return seen
        found = found or seen
    return found


def _pid(packet: NDArray[np.uint8]) -> int:
    return (int(packet[1]) & 0x1F) << 8 | int(packet[2])


def _packets(data: bytes) -> NDArray[np.uint8] | None:
    """Uint8 [P, 188]: the transport packets from the first one on that has others behind it; None without any."""
    found = _sync(data)
    if found is None:
        return None
    first, size = found
    count = (len(data) - first - _PACKET) // size + 1
    rows = np.lib.stride_tricks.as_strided(
        np.frombuffer(data, np.uint8, offset=first), (count, _PACKET), (size, 1), writeable=False
    )
    broken = np.flatnonzero(rows[:, 0] != _SYNC)
    return rows[: int(broken[0])] if len(broken) else rows


def _sync(data: bytes) -> tuple[int, int] | None:
    """Where the first transport packet begins, and how far it is to the next; None where there is none."""
    first = data.find(_SYNC)
    while 0 <= first < len(data) - 4 * _PACKET:
        for size in _SIZES:
            if all(data[at] == _SYNC for at in range(first, min(len(data), first + 5 * size), size)):
                return first, size
        first = data.find(_SYNC, first + 1)
    return None


def _pack_clock(data: bytes) -> Clock | None:
    at = data.find(_PACK)
    if at < 0 or at + 10 > len(data):
        return None
    bits = int.from_bytes(data[at + 4 : at + 10], "big")
    if bits >> 46 == 0b01:  # MPEG-2: 3, 15 and 15 bits with a mark behind each
        base = (bits >> 43 & 7) << 30 | (bits >> 27 & 0x7FFF) << 15 | bits >> 11 & 0x7FFF
    else:  # MPEG-1: the same, two bits and a byte later
        base = (bits >> 41 & 7) << 30 | (bits >> 25 & 0x7FFF) << 15 | bits >> 9 & 0x7FFF
    return Clock(pid=-1, time_s=base / _HZ)


def other_tracks_from(path: Path) -> int | None:
    """Return the byte from which on a transport stream has pictures that its first tables do not announce."""
    tables: set[int] = set()
    announced: set[int] = set()  # tables that the first table of programs names, and that have not come yet
    known: set[tuple[int, int]] = set()
    for at, packet in _table_packets(path, tables):
        pid = _pid(packet)
        if pid == 0:
            named = set(_table_pids(packet))
            announced |= set() if tables else named
            tables |= named
        elif pid in announced:
            announced.remove(pid)
            known |= _pictures(packet)
        elif not _pictures(packet) <= known:
            return at
    return None


def _table_packets(path: Path, tables: set[int]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Yield the packets that begin a table, of programs or one that was found in it, by position."""
    size, at = path.stat().st_size, 0
    with path.open("rb") as file:
        while at < size:
            file.seek(at)
            data = file.read(_BLOCK_BYTES)
            found, packets = _sync(data), _packets(data)
            if found is None or packets is None or not len(packets):
                at += max(1, len(data) - 5 * max(_SIZES))
                continue
            first, step = found
            begins = packets[:, 1] & 0x40 > 0
            pids = (packets[:, 1].astype(np.int32) & 0x1F) << 8 | packets[:, 2]
            for row in np.flatnonzero(begins & (pids < 0x1FFF)).tolist():
                if pids[row] == 0 or int(pids[row]) in tables:
                    yield at + first + row * step, packets[row]
            at += first + len(packets) * step


def _section(packet: NDArray[np.uint8]) -> bytes:
    """The table that begins in a packet, as far as it is in this packet."""
    data = packet.tobytes()
    start = 5 + data[4] if data[3] & 0x20 else 4
    if start >= len(data):
        return b""
    start += 1 + data[start]
    section = data[start:]
    if len(section) < 3:
        return b""
    length = 3 + ((section[1] & 0x0F) << 8 | section[2])
    return section[: max(0, length - 4)]  # without its checksum


def _table_pids(packet: NDArray[np.uint8]) -> Iterator[int]:
    section = _section(packet)
    for at in range(8, len(section) - 3, 4):
        if section[at] or section[at + 1]:  # program 0 is about the network
            yield (section[at + 2] & 0x1F) << 8 | section[at + 3]


def _pictures(packet: NDArray[np.uint8]) -> set[tuple[int, int]]:
    """Pid and stream type of the pictures in a program's table of tracks."""
    section = _section(packet)
    if len(section) < 12 or section[0] != 2:
        return set()
    found = set()
    at = 12 + ((section[10] & 0x0F) << 8 | section[11])
    while at + 5 <= len(section):
        if section[at] in _PICTURES:
            found.add(((section[at + 1] & 0x1F) << 8 | section[at + 2], section[at]))
        at += 5 + ((section[at + 3] & 0x0F) << 8 | section[at + 4])
    return found
