"""A folder of numbered or time-stamped images into observations."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hippocam.stream import opencv as cv2
from hippocam.stream.errors import SourceError
from hippocam.stream.protocols import Hearing
from hippocam.stream.records import Image, Note, Observation, Stretch
from hippocam.stream.sources.naming import base_id, natural_key
from hippocam.stream.sources.sampling import pick_indices
from hippocam.stream.sources.video import LONGEST_PX

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".apng", ".webp", ".bmp", ".avif"})
DEFAULT_IMAGE_FPS = 1.0
# All pictures of an animation are decoded at once: a gigabyte at most.
_MOST_ANIMATED_PIXELS = 1 << 28
# Pictures of an animation that are to be shown for no longer than this have browsers' usual time.
_SHORTEST_S, _USUAL_S = 0.0105, 0.1

# Seconds since 1970 with a fraction (TUM, ROS, Frigate), or whole; or whole milli-, micro- or nanoseconds (EuRoC).
_SINCE = re.compile(r"^(?:.*[-_])?([1-9][0-9]{8,18})(?:\.([0-9]+))?(?:[-_][^0-9].*)?$")
_UNITS_PER_S = {10: 1, 13: 1_000, 16: 1_000_000, 19: 1_000_000_000}
_PER_S = 1_000_000_000
_DATE = re.compile(
    r"(?<![0-9])((?:19|20)[0-9]{2})[-_.]?([0-9]{2})[-_.]?([0-9]{2})[-_ T.]*"
    r"([0-9]{2})[-_.:h]?([0-9]{2})[-_.:m]?([0-9]{2})(?:[.,]?([0-9]{1,9}))?(?![0-9])"
)
_PNG = b"\x89PNG\r\n\x1a\n"
# A marker of JPEG; in compressed data 0xFF stands before 0 or a restart marker only.
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
# Markers without a length behind them: start, end, and one that nobody uses.
_JPEG_BARE = (0xD8, 0xD9, 0x01)


class ImageFolderSource:
    """The images of one folder, in natural order, as a source with one unnamed camera.

    Times: file names that hold times (see `stamps_of`) give seconds from the first image; otherwise images are
    1 / image_fps apart.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        id: str | None = None,
        names: Sequence[str] | None = None,
        image_fps: float | None = None,
        longest_px: int = LONGEST_PX,
    ) -> None:
        """Name a folder of images.

        Args:
            folder: The folder; images in folders below it are not part of it.
            id: Name of the source; the folder's name when None.
            names: Only these files of the folder; all images when None.
            image_fps: Images a second, above 0; given, it overrules timestamps in the names. None: timestamps
                where there are some, else one image a second.
            longest_px: Pictures are scaled down until their longer side has at most this many pixels.

        Raises:
            ValueError: image_fps is not above 0, or longest_px is below 16.
        """
        if image_fps is not None and not image_fps > 0:
            raise ValueError(f"image_fps must be above 0 images a second, found {image_fps}")
        if longest_px < 16:
            raise ValueError(f"longest_px must be 16 or more, found {longest_px}")
        self._folder = Path(os.path.abspath(Path(folder).expanduser()))
        self._id = id if id is not None else base_id(self._folder)
        self._names = tuple(names) if names is not None else None
        self._image_fps = image_fps
        self._longest_px = longest_px

    @property
    def id(self) -> str:
        """Name of the source."""
        return self._id

    @property
    def uri(self) -> str:
        """Absolute path of the folder, or of the one image that was given."""
        if self._names is not None and len(self._names) == 1:
            return str(self._folder / self._names[0])
        return str(self._folder)

    @property
    def duration_s(self) -> float | None:
        """Seconds from the first image to the end of the last, None where the folder cannot be listed."""
        try:
            times_N = self._times(self._list())
        except SourceError:
            return None  # observations() tells why
        last_s = float(np.median(np.diff(times_N))) if len(times_N) > 1 else 1.0 / (self._image_fps or 1.0)
        return float(times_N[-1]) + last_s

    def __repr__(self) -> str:
        return f"ImageFolderSource({self.uri!r}, id={self._id!r})"

    @property
    def keyframes_only(self) -> bool:
        """No: there are no key frames among images."""
        return False

    def notes(
        self, stream: str, *, hearing: Hearing | None, stretch: Stretch | None = None, after_s: float | None = None
    ) -> Iterator[tuple[float, Note]]:
        """Yield nothing: no words come with images, and no sound."""
        return iter(())

    def segments(self, segment_s: float) -> int:
        """Return 1: it can only be read whole."""
        return 1

    def observations(
        self, *, fps: float | None, after_seq: int = -1, stretch: Stretch | None = None
    ) -> Iterator[Observation]:
        """Yield images as observations with one camera, ""; seq is the image's rank in natural order.

        Args:
            fps: Images a second of true time, above 0; None gives every image.
            after_seq: Only images with a greater seq.
            stretch: Ignored: there is only one segment.

        Raises:
            ValueError: fps is not a positive number.
            SourceError: The folder cannot be listed or has no image; or, after all others were yielded, some
                images are broken (the message names the first).
        """
        names = self._list()
        times_N = self._times(names)
        broken: list[str] = []
        for seq in pick_indices(times_N, fps):
            if seq <= after_seq:
                continue
            image = read_image(self._folder / names[seq], self._longest_px)
            if image is None:
                broken.append(names[seq])
                continue
            yield Observation(seq=int(seq), time_s=float(times_N[seq]), images={"": image})
        if broken:
            raise SourceError(
                self.uri,
                f"{len(broken)} of {len(names)} images cannot be read, the first is {broken[0]}; "
                "all others were kept, replace or remove the broken ones",
            )

    def _list(self) -> list[str]:
        try:
            present = [entry.name for entry in self._folder.iterdir() if not entry.name.startswith(".")]
        except FileNotFoundError as error:
            raise SourceError(self.uri, "no such folder; check the spelling") from error
        except OSError as error:
            raise SourceError(
                self.uri, f"cannot be listed ({error.strerror}); check its mode and owner"
            ) from error
        names = [name for name in present if Path(name).suffix.casefold() in IMAGE_SUFFIXES]
        if self._names is not None:
            names = [name for name in names if name in set(self._names)]
        if not names:
            raise SourceError(
                self.uri, "no images in it (jpg, png, webp, avif or bmp); give a folder that has some"
            )
        return sorted(names, key=natural_key)

    def _times(self, names: Sequence[str]) -> NDArray[np.float64]:
        stamps = None if self._image_fps is not None else stamps_of(names)
        if stamps is not None:
            return stamps
        return np.arange(len(names)) / (self._image_fps or DEFAULT_IMAGE_FPS)


class AnimationSource:
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
            _, lasts_s = self._decode()
        except (SourceError, OSError):
            return None  # observations() tells why
        return float(lasts_s.sum())

    @property
    def keyframes_only(self) -> bool:
        """No: there are no key frames among its pictures."""
        return False

    def notes(
        self, stream: str, *, hearing: Hearing | None, stretch: Stretch | None = None, after_s: float | None = None
    ) -> Iterator[tuple[float, Note]]:
        """Yield nothing: no words come with it, and no sound."""
        return iter(())

    def segments(self, segment_s: float) -> int:
        """Return 1: it can only be read whole."""
        return 1

    def observations(
        self, *, fps: float | None, after_seq: int = -1, stretch: Stretch | None = None
    ) -> Iterator[Observation]:
        """Yield its pictures; the arguments are those of `ImageFolderSource.observations`.

        Raises:
            ValueError: fps is not a positive number.
            SourceError: It cannot be decoded.
        """
        pictures, lasts_s = self._decode()
        times_N = np.concatenate([[0.0], np.cumsum(lasts_s)[:-1]])
        for seq in map(int, pick_indices(times_N, fps)):
            if seq > after_seq:
                image = _rgb_of(pictures[seq], self._longest_px)
                yield Observation(seq=seq, time_s=float(times_N[seq]), images={"": image})

    def _decode(self) -> tuple[Sequence[Any], NDArray[np.float64]]:
        """Its pictures as OpenCV has them, and how long each is shown, in seconds."""
        data = self._path.read_bytes()
        width, height = _animation_size(data)
        most = max(1, _MOST_ANIMATED_PIXELS // max(1, width * height))
        if width * height > cv2.MOST_PIXELS:
            raise SourceError(self.uri, f"its pictures have {width} x {height} pixels, which is too many")
        ok, animation = cv2.imdecodeanimation(np.frombuffer(data, dtype=np.uint8), 0, most + 1)
        if ok and len(animation.frames) > most:
            raise SourceError(
                self.uri, f"more than {most} pictures of {width} x {height} pixels; convert it to a video"
            )
        if not ok or not len(animation.frames):
            raise SourceError(self.uri, "its pictures cannot be decoded: it is damaged; copy it again")
        lasts_s = np.array(animation.durations, dtype=np.float64) / 1000
        return animation.frames, np.where(lasts_s < _SHORTEST_S, _USUAL_S, lasts_s)


def _animation_size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels that the header of an animated WebP or PNG says."""
    if data.startswith(_PNG):
        return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1


def is_animation(path: Path) -> bool:
    """Tell by its first bytes whether a file is a WebP or PNG of several pictures, whatever it is called."""
    head = _head(path, 4096)
    if head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X":
        return bool(head[20] & 2) if len(head) > 20 else False
    return head.startswith(_PNG) and b"acTL" in head.partition(b"IDAT")[0]


def is_read_as_video(path: Path) -> bool:
    """Tell by its first bytes whether a picture is a GIF, or an AVIF of several, which are read as videos."""
    head = _head(path, 256)
    moving_avif = head[4:8] == b"ftyp" and b"avis" in head[8 : int.from_bytes(head[:4], "big")]
    return moving_avif or head.startswith((b"GIF87a", b"GIF89a"))


def is_deep_grey(path: Path) -> bool:
    """Tell by its first bytes whether a file is a PNG of one channel of 16 bits, as depth cameras write."""
    head = _head(path, 26)
    return head.startswith(_PNG) and head[12:16] == b"IHDR" and head[24:26] == b"\x10\x00"


def _head(path: Path, count: int) -> bytes:
    """The first bytes of a file; none where it cannot be read, which reading it tells."""
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError:
        return b""


def stamps_of(names: Sequence[str]) -> NDArray[np.float64] | None:
    """Return seconds from the first for file names that hold times of one kind in rising order, else None.

    Times are seconds since 1970, whole or with a fraction; milli-, micro- or nanoseconds since 1970 (13, 16 or 19
    digits); or a date with a time of day. What a camera puts before or behind them may differ.
    """
    stems = [Path(name).stem for name in names]
    for read in (since_1970, _date_and_time):
        ticks = [read(stem) for stem in stems]
        first = ticks[0] if ticks else None
        if first is None or None in ticks:
            continue
        since = np.array([tick - first for tick in ticks if tick is not None], dtype=np.int64)
        if bool(np.all(np.diff(since) >= 0)) and (len(since) == 1 or since[-1] > 0):
            return since / _PER_S
    return None


def since_1970(stem: str) -> int | None:
    """Nanoseconds, which a double of seconds would be off from; None where there is no such number."""
    match = _SINCE.match(stem)
    if match is None:
        return None
    whole, fraction = match.groups()
    if fraction is not None:
        return int(whole) * _PER_S + int(fraction.ljust(9, "0")[:9]) if len(whole) in (9, 10) else None
    return int(whole) * (_PER_S // _UNITS_PER_S[len(whole)]) if len(whole) in _UNITS_PER_S else None


def _date_and_time(stem: str) -> int | None:
    """Nanoseconds since some day, of names such as 2023-11-14_22-13-20 and PXL_20231114_221320123."""
    match = _DATE.search(stem)
    if match is None:
        return None
    *numbers, fraction = match.groups()
    try:
        moment = datetime(*map(int, numbers), tzinfo=UTC)  # type: ignore[misc, arg-type]
    except ValueError:
        return None
    return round(moment.timestamp()) * _PER_S + int((fraction or "").ljust(9, "0")[:9])


def is_numbered(names: Sequence[str]) -> bool:
    """Tell whether file names look like a sequence: at least two, and nearly all with a number in them."""
    return len(names) > 1 and sum(bool(re.search("[0-9]", Path(name).stem)) for name in names) >= 0.9 * len(names)


def is_depth_folder(folder: Path) -> bool:
    """Tell by its name whether a folder holds depth maps, which are distances and not pictures."""
    return "depth" in re.split(r"[^a-z]+", folder.name.casefold())


def read_image(path: Path, longest: int) -> Image | None:
    """Read an image file as `decode_image` does; None also where the file cannot be read."""
    try:
        return decode_image(path.read_bytes(), longest)  # cv2.imread cannot open every name that the system can
    except OSError:
        return None


def decode_image(data: bytes, longest: int) -> Image | None:
    """Decode an image of any depth and number of channels.

    Args:
        data: A whole jpg, png, webp or bmp file. EXIF rotation is applied.
        longest: Longer side of the result in pixels, at most.

    Returns:
        uint8 [H, W, 3] RGB, or None when the image is broken.
    """
    if not _is_whole(data):
        return None
    try:
        pixels: Any = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_ANYDEPTH | cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    if pixels is None:
        return None
    return _rgb_of(pixels, longest)


def _rgb_of(pixels: Any, longest: int) -> Image:
    """Make OpenCV's picture, BGR with or without transparency, into uint8 [H, W, 3] RGB of at most this size."""
    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    height, width = pixels.shape[:2]
    scale = longest / max(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    image: Image = np.ascontiguousarray(cv2.cvtColor(pixels[..., :3], cv2.COLOR_BGR2RGB))
    return image


def _is_whole(data: bytes) -> bool:
    """Tell whether an image file has its end, whatever stands behind that: cv2 fills what is missing with grey."""
    if data.startswith(b"\xff\xd8"):
        return _jpeg_ends(data)
    if data.startswith(_PNG):
        at = len(_PNG)
        while at + 12 <= len(data):  # chunks: length, name, content, checksum
            if data[at + 4 : at + 8] == b"IEND":
                return True
            at += 12 + int.from_bytes(data[at : at + 4], "big")
        return False
    if data[:4] == b"RIFF":
        return len(data) >= 8 + int.from_bytes(data[4:8], "little")
    return len(data) > 16


def _jpeg_ends(data: bytes) -> bool:
    """Walk through the segments of a JPEG to its end, over thumbnails, which have ends of their own."""
    at = 2
    while (marker := _MARKER.search(data, at)) is not None:
        at = marker.end()
        kind = data[at - 1]
        if kind == 0xD9:
            return True
        if kind not in _JPEG_BARE:
            at += int.from_bytes(data[at : at + 2], "big")
    return False
