"""The exemplars: one JPEG file an entry, in one flat folder of the memory."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

from hippocam.memory.records import format_id
from hippocam.stream import opencv as cv2
from hippocam.stream.jpeg import decode_jpeg
from hippocam.stream.private import write_bytes

# Longest side of the picture of an entry that had to give up its full one.
THUMBNAIL_PX = 160
# A smaller exemplar whose row may not be committed yet.
_SMALLER = ".smaller"


class Exemplars:
    """Writes, finds and deletes the pictures of entries; the database decides which of them count."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, entry_id: int) -> Path:
        """Path of an entry's exemplar."""
        return self.folder / f"{format_id(entry_id)}.jpg"

    def write(self, entry_id: int, jpeg: bytes) -> None:
        """Write an exemplar whole or not at all, before its row is committed: a crash leaves one file too many."""
        path = self.path(entry_id)
        new = path.with_suffix(".new")
        write_bytes(new, jpeg)
        os.replace(new, path)

    def write_smaller(self, entry_id: int, jpeg: bytes) -> None:
        """Write a smaller exemplar beside the one that is there, before its row is committed."""
        write_bytes(self._smaller(entry_id), jpeg)

    def settle_smaller(self, entry_id: int) -> None:
        """Put the smaller exemplar in the place of the other one, after its row."""
        os.replace(self._smaller(entry_id), self.path(entry_id))

    def settle(self, sizes: Mapping[int, int]) -> None:
        """Do with smaller exemplars what a crash has left undone.

        Args:
            sizes: Bytes of the exemplar of each entry that has one, as its row says.
        """
        for path in self.folder.glob(f"*{_SMALLER}"):
            if re.fullmatch(r"[0-9a-f]{16}", path.stem):
                entry_id = int(path.stem, 16)
                if sizes.get(entry_id) == path.stat().st_size:
                    self.settle_smaller(entry_id)
                else:
                    path.unlink()

    def _smaller(self, entry_id: int) -> Path:
        return self.path(entry_id).with_suffix(_SMALLER)

    def read(self, entry_id: int) -> bytes:
        """The exemplar of an entry.

        Raises:
            OSError: It cannot be read, or is gone.
        """
        return self.path(entry_id).read_bytes()

    def thumbnail(self, entry_id: int) -> bytes | None:
        """A small version of an entry's exemplar; None as for `thumbnail`, and where it cannot be read."""
        try:
            return thumbnail(self.read(entry_id))
        except OSError:
            return None

    def delete(self, entry_id: int) -> None:
        """Delete an exemplar, after its row; a folder that somebody put there stays."""
        with suppress(IsADirectoryError):
            self.path(entry_id).unlink(missing_ok=True)

    def shown(self, entry_id: int) -> Path:
        """Path of an entry's exemplar for those who open it; where something else is in its place, of no file.

        A folder that somebody sent may hold links, which would have other files shown for pictures.
        """
        path = self.path(entry_id)
        with suppress(OSError):
            return path if stat.S_ISREG(path.lstat().st_mode) else path.with_suffix(".none")
        return path

    def sizes(self) -> dict[int, int]:
        """Bytes of the file of each entry that has one; -1 where it is a link, a folder or the like."""
        sizes = dict[int, int]()
        if not self.folder.is_dir():
            return sizes
        with os.scandir(self.folder) as files:
            for file in files:
                if re.fullmatch(r"[0-9a-f]{16}\.jpg", file.name):
                    size = file.stat().st_size if file.is_file(follow_symlinks=False) else -1
                    sizes[int(file.name[:16], 16)] = size
        return sizes

    def keep_only(self, held: Collection[int]) -> None:
        """Delete every file that belongs to no held entry, as a crash may have left."""
        names = {self.path(entry_id).name for entry_id in held}
        for file in self.folder.iterdir():
            if file.name not in names and (file.is_symlink() or not file.is_dir()):
                file.unlink()

    def is_thumbnail(self, entry_id: int) -> bool:
        """Whether an exemplar is a picture that is no larger than a thumbnail."""
        try:
            picture = decode_jpeg(self.read(entry_id))
        except OSError:
            return False
        return picture is not None and max(picture.shape[:2]) <= THUMBNAIL_PX


def thumbnail(jpeg: bytes) -> bytes | None:
    """A small version of a picture; None where it cannot be read, or would hardly be smaller."""
    picture = decode_jpeg(jpeg)
    if picture is None:
        return None
    scale = min(1.0, THUMBNAIL_PX / max(picture.shape[:2]))
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    done, small = cv2.imencode(
        ".jpg", cv2.resize(picture, size, interpolation=cv2.INTER_AREA), [cv2.IMWRITE_JPEG_QUALITY, 60]
    )
    return small.tobytes() if done and 2 * len(small) < len(jpeg) else None
