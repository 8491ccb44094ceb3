"""The bytes of a broken animation, WebP or PNG, into its whole pictures, and into a file of the first of them.

WebP: chunks of RIFF, a picture in each ANMF. PNG: a picture begins with fcTL; its data are in IDAT or fdAT.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from hippocam.stream.sources.pictures.kinds import PNG

_RIFF_HEADER = 12
# Kind of the chunk of a PNG that says how many pictures it has.
_COUNT = b"acTL"


@dataclass(frozen=True, slots=True)
class Salvage:
    """What is whole of an animation.

    Attributes:
        head: What stands before the first picture.
        pictures: Those that are whole.
        cut: Whether the file ends before it should.
    """

    head: bytes
    pictures: tuple[bytes, ...]
    cut: bool

    def file(self, count: int) -> bytes:
        """A file of the first so many pictures."""
        body = b"".join(self.pictures[:count])
        if not self.head.startswith(PNG):
            return self.head[:4] + struct.pack("<I", len(self.head + body) - 8) + self.head[8:] + body
        at = self.head.index(_COUNT)
        told = _chunk(_COUNT, struct.pack(">I", count) + self.head[at + 8 : at + 12])
        return self.head[: at - 4] + told + self.head[at - 4 + len(told) :] + body + _chunk(b"IEND", b"")


def salvage(data: bytes) -> Salvage:
    """Take an animation apart into the pictures that are whole."""
    return _salvage_png(data) if data.startswith(PNG) else _salvage_webp(data)


def _salvage_webp(data: bytes) -> Salvage:
    pictures: list[bytes] = []
    head, at = b"", _RIFF_HEADER
    while at + 8 <= len(data):
        end = at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        end += end % 2
        if end > len(data):
            break
        if data[at : at + 4] == b"ANMF":
            head = head or data[:at]
            pictures.append(data[at:end])
        at = end
    return Salvage(head, tuple(pictures), 8 + int.from_bytes(data[4:8], "little") > len(data))


def _salvage_png(data: bytes) -> Salvage:
    chunks = list(_chunks(data))
    starts = [at for kind, at in chunks if kind in (b"fcTL", b"IEND")]
    head = data[: starts[0]] if starts else data
    # without the chunk that counts them, whose kind may be what is damaged, they are no animation
    pictures = [data[start:end] for start, end in pairwise(starts)] if _COUNT in head else []
    is_cut = all(kind != b"IEND" for kind, _ in chunks)
    return Salvage(head, tuple(pictures), is_cut)


def _chunks(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield kind and first byte of each whole chunk of a PNG."""
    at = len(PNG)
    while (end := at + 12 + int.from_bytes(data[at : at + 4], "big")) <= len(data):
        yield data[at + 4 : at + 8], at
        at = end


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
