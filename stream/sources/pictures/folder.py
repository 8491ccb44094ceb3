"""A folder of numbered or time-stamped images into observations."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hippocam.stream.errors import SourceError
from hippocam.stream.records import Observation, Stretch
from hippocam.stream.sources.naming import base_id, natural_key
from hippocam.stream.sources.pictures.decoding import read_image, why_unread
from hippocam.stream.sources.pictures.kinds import IMAGE_SUFFIXES
from hippocam.stream.sources.pictures.stamps import stamps_of
from hippocam.stream.sources.sampling import pick_indices
from hippocam.stream.sources.video import LONGEST_PX
from hippocam.stream.sources.whole import WholeSource

DEFAULT_IMAGE_FPS = 1.0


class ImageFolderSource(WholeSource):
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
        if broken and len(names) == 1:
            raise SourceError(self.uri, f"cannot be read ({why_unread(self._folder / broken[0])})")
        if broken:
            raise SourceError(
                self.uri,
                f"{len(broken)} of {len(names)} images cannot be read, the first is {broken[0]} "
                f"({why_unread(self._folder / broken[0])}); "
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
