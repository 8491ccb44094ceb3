"""An animated WebP or PNG into observations at their own times; of a broken one the pictures before the break."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hippocam.stream import opencv as cv2
from hippocam.stream.errors import SourceError
from hippocam.stream.records import Observation, Stretch
from hippocam.stream.sources.pictures.decoding import rgb_of, size_of
from hippocam.stream.sources.pictures.salvage import salvage
from hippocam.stream.sources.sampling import pick_indices
from hippocam.stream.sources.video import LONGEST_PX
from hippocam.stream.sources.whole import WholeSource

# All pictures of an animation are decoded at once: a gigabyte at most.
_MOST_PIXELS = 1 << 28
# Pictures of an animation that are to be shown for no longer than this have browsers' usual time.
_SHORTEST_S, _USUAL_S = 0.0105, 0.1


@dataclass(frozen=True, slots=True)
class _Decoded:
    """The pictures of an animation.

    Attributes:
        pictures: As OpenCV has them.
        lasts_s: float64 [N], how long each is shown, in seconds.
        fault: Why there are no more, "" where these are all.
    """

    pictures: Sequence[Any]
    lasts_s: NDArray[np.float64]
    fault: str


class AnimationSource(WholeSource):
    """The pictures of an animated WebP or PNG as a source with one unnamed camera, each at its own time.

    Args:
        path: The file.
        id: Name of the source.
        longest_px: Pictures are scaled down until their longer side has at most this many pixels.
    """

    def __init__(self, path: Path, *, id: str, longest_px: int = LONGEST_PX) -> None:
        self._path, self._id, self._longest_px = path, id, longest_px

    @property
    def id(self) -> str:
        """Name of the source."""
        return self._id

    @property
    def uri(self) -> str:
        """Path of the file."""
        return str(self._path)

    @property
    def duration_s(self) -> float | None:
        """Seconds until its last picture ends, None where it cannot be decoded."""
        try:
            return float(self._decode().lasts_s.sum())
        except (SourceError, OSError):
            return None  # observations() tells why

    def observations(
        self, *, fps: float | None, after_seq: int = -1, stretch: Stretch | None = None
    ) -> Iterator[Observation]:
        """Yield its pictures; the arguments are those of `ImageFolderSource.observations`.

        Raises:
            ValueError: fps is not a positive number.
            SourceError: It cannot be decoded; or, after all others were yielded, it breaks off.
        """
        decoded = self._decode()
        times_N = np.concatenate([[0.0], np.cumsum(decoded.lasts_s)[:-1]])
        for seq in map(int, pick_indices(times_N, fps)):
            if seq > after_seq:
                image = rgb_of(decoded.pictures[seq], self._longest_px)
                yield Observation(seq=seq, time_s=float(times_N[seq]), images={"": image})
        if decoded.fault:
            raise SourceError(
                self.uri,
                f"{decoded.fault}: read up to {decoded.lasts_s.sum():.1f} s; the part before it was kept, "
                "copy or download the file again for the rest",
            )

    def _decode(self) -> _Decoded:
        data = self._path.read_bytes()
        width, height = size_of(data) or (0, 0)
        if width * height > cv2.MOST_PIXELS:
            raise SourceError(self.uri, f"its pictures have {width} x {height} pixels, which is too many")
        most = max(1, _MOST_PIXELS // max(1, width * height))
        decoded = _first_that_decode(data, most + 1)
        if decoded is None:
            raise SourceError(self.uri, "its pictures cannot be decoded: it is damaged; copy it again")
        if len(decoded.pictures) > most:
            raise SourceError(
                self.uri, f"more than {most} pictures of {width} x {height} pixels; convert it to a video"
            )
        return decoded


def _first_that_decode(data: bytes, most: int) -> _Decoded | None:
    """Decode a whole animation, or of one that breaks off the pictures before that; None where that is none."""
    if (whole := _decoded(data, most)) is not None:
        return whole
    left = salvage(data)
    found: _Decoded | None = None
    first, last = 1, len(left.pictures)
    count = last  # of one that is only cut all that are whole decode; damage is found by halves
    while first <= last:
        decoded = _decoded(left.file(count), most, fault="truncated" if left.cut else "damaged")
        if decoded is None:
            last = count - 1
        else:
            found, first = decoded, count + 1
        count = (first + last) // 2
    return found


def _decoded(data: bytes, most: int, fault: str = "") -> _Decoded | None:
    try:
        ok, animation = cv2.imdecodeanimation(np.frombuffer(data, dtype=np.uint8), 0, most)
    except cv2.error:
        return None
    if not ok or not len(animation.frames):
        return None
    lasts_s = np.array(animation.durations, dtype=np.float64) / 1000
    return _Decoded(animation.frames, np.where(lasts_s < _SHORTEST_S, _USUAL_S, lasts_s), fault)
