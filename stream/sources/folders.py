"""Folders into what can be watched in them, entry by entry: what cannot be read is named, and hides nothing."""

from __future__ import annotations

import errno
import logging
import mimetypes
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hippocam.stream.errors import SourceError
from hippocam.stream.sources.files import check_file
from hippocam.stream.sources.lerobot.meta import is_dataset, lacks_meta
from hippocam.stream.sources.logs.opening import is_log
from hippocam.stream.sources.logs.ros import is_bag_folder
from hippocam.stream.sources.logs.tum import is_tum
from hippocam.stream.sources.naming import natural_key
from hippocam.stream.sources.pictures.kinds import (
    IMAGE_SUFFIXES,
    UNREAD_SUFFIXES,
    is_animation,
    is_deep_grey,
    is_depth_folder,
    is_read_as_video,
)
from hippocam.stream.sources.pictures.stamps import is_numbered

log = logging.getLogger(__name__)

# fmt: off
VIDEO_SUFFIXES = frozenset({
    ".264", ".265", ".360", ".3g2", ".3gp", ".asf", ".avc", ".avi", ".dav", ".divx", ".dv", ".f4v", ".flv", ".gif",
    ".gxf", ".h264", ".h265", ".hevc", ".insv", ".ivf", ".m1v", ".m2p", ".m2ts", ".m2v", ".m4v", ".mjpeg", ".mjpg",
    ".mk3d", ".mkv", ".mov", ".mp4", ".mpe", ".mpeg", ".mpg", ".mts", ".mxf", ".nut", ".ogm", ".ogv", ".qt", ".rm",
    ".rmvb", ".tod", ".ts", ".vob", ".webm", ".wmv", ".wtv", ".y4m",
})
# Words in the names of pictures that belong to a film and are not photographs.
_ARTWORK = frozenset({
    "backdrop", "banner", "cover", "fanart", "folder", "logo", "poster", "preview", "thumb", "thumbnail",
    "thumbs", "thumbnails",
})
# fmt: on
# A folder with more pictures holds frames, none of which is looked into for an animation.
_MOST_LOOKED_INTO = 500
_NOTHING = "no videos, numbered images or robot logs in it; give a folder that has some, or a file"


@dataclass(slots=True)
class Found:
    """Paths by kind, each once, in order of appearance; an image source may be part of a folder.

    Attributes:
        paths: By real path: the path, its kind, and which files. Kinds are "video", "image", "images" (of which
            files are named), "animation", "log" and "dataset".
        failed: What cannot be read, and why.
        count: How much was found and how much failed, repetitions included.
    """

    paths: dict[str, tuple[Path, str, tuple[str, ...]]] = field(default_factory=dict)
    failed: list[SourceError] = field(default_factory=list)
    count: int = 0

    def add(self, path: Path, kind: str, names: tuple[str, ...] = ()) -> None:
        """Note a path unless it was found before, even through a link."""
        if _readable(path) != str(path):
            self.fail(path, "its name is not UTF-8; rename it")
            return
        self.count += 1
        self.paths.setdefault(os.path.realpath(path), (path, kind, names))

    def fail(self, path: Path | str, reason: str) -> None:
        """Note what cannot be read."""
        self.count += 1
        self.failed.append(SourceError(_readable(path), reason))


def _readable(path: Path | str) -> str:
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def add_path(path: Path, found: Found) -> None:
    """Add a file, or what is in a folder and below it; whatever is wrong with it becomes a failure."""
    try:
        if path.is_dir():
            before = found.count
            _Walk(path, found).add_all()
            if found.count == before:
                found.fail(path, _NOTHING)
            return
        check_file(path, str(path))
        if path.suffix.casefold() in UNREAD_SUFFIXES:
            raise SourceError(str(path), "a picture of a kind that is not read; convert it to JPEG")
    except SourceError as error:
        found.fail(error.uri, error.reason)
    except OSError as error:
        found.fail(path, _why(error))
    else:
        found.add(path, kind_of(path))


def without_depth(folder: Path, images: Sequence[str]) -> list[str]:
    """The pictures of a folder that are no depth maps beside photographs, and a word of how many were left out.

    Sets of recordings with depth keep both in one folder, `0001.color.jpg` and `0001.depth.png`. Where all are
    alike it may be a camera of its own, for heat or X-rays, and all are taken.
    """
    kept = [name for name in images if not is_deep_grey(folder / name)]
    if not kept or len(kept) == len(images):
        return list(images)
    log.warning(
        "%s: %d pictures of 16 bits of grey are passed over as depth maps; name them to watch them",
        _readable(folder),
        len(images) - len(kept),
    )
    return kept


def kind_of(path: Path) -> str:
    """What a file is: "animation", "image", "log" or "video"."""
    if is_log(path):
        return "log"
    if path.suffix.casefold() not in IMAGE_SUFFIXES or is_read_as_video(path):
        return "video"
    return "animation" if is_animation(path) else "image"


def _why(error: OSError, *, is_link: bool = False) -> str:
    """Say what is wrong with an entry of a folder."""
    if error.errno == errno.ENOENT:
        return "a link to nothing; mend or delete it" if is_link else "it vanished while its folder was read"
    if error.errno == errno.ELOOP:
        return "a link that leads to itself; mend or delete it"
    if isinstance(error, PermissionError):
        return "no permission to read it; change its mode or owner"
    return f"cannot be read ({error.strerror}); check the name and the disk"


def why_not_listed(error: OSError) -> str:
    """Say why a folder could not be looked into."""
    if isinstance(error, PermissionError):
        return "no permission to list it; change its mode or owner"
    return _why(error)


class _Walk:
    """Adds what is in a folder that was given and below it; linked folders come last, each folder once.

    Args:
        root: The folder.
        found: Takes what is found.
    """

    def __init__(self, root: Path, found: Found) -> None:
        self._root, self._found = root, found
        self._seen: set[str] = set()  # real paths of folders
        self._linked: list[Path] = []

    def add_all(self) -> None:
        """Add everything."""
        self._add(self._root)
        while self._linked:
            folder = self._linked.pop(0)
            real, root = os.path.realpath(folder), os.path.realpath(self._root)
            if real not in self._seen and os.path.commonpath([real, root]) == real:
                self._found.fail(folder, "a link to a folder that holds this one; give that folder instead")
            else:
                self._add(folder)

    def _add(self, folder: Path) -> None:
        """Add a folder unless it was added before. Files of other kinds are passed over in silence."""
        real = os.path.realpath(folder)
        given = folder == self._root
        if real in self._seen:
            return
        self._seen.add(real)
        if is_dataset(folder):
            self._found.add(folder, "dataset")
            return
        if lacks_meta(folder):
            lost = (
                "a LeRobot dataset without its meta/info.json; copy it whole, its videos are watched as mere files"
            )
            self._found.fail(folder, lost)
        if is_tum(folder) or is_bag_folder(folder):
            self._found.add(folder, "log")
            return
        if is_memory(folder) or (not given and is_beside_memory(folder)):
            return  # a memory of ours is not watched by itself
        files, folders = self._entries(folder)
        videos = [name for name in files if Path(name).suffix.casefold() in VIDEO_SUFFIXES]
        images = [name for name in files if Path(name).suffix.casefold() in IMAGE_SUFFIXES]
        for name in videos:
            add_path(folder / name, self._found)
        for name in files:
            if is_log(folder / name):
                self._found.add(folder / name, "log")
        self._add_images(folder, images, videos, given=given)
        unread = [name for name in files if Path(name).suffix.casefold() in UNREAD_SUFFIXES]
        if unread:
            kinds = ", ".join(sorted({Path(name).suffix.casefold() for name in unread}))
            told = "%s: %d pictures of kinds that are not read (%s) are passed over; convert them to JPEG"
            log.warning(told, _readable(folder), len(unread), kinds)
        for name in folders:
            self._add(folder / name)

    def _entries(self, folder: Path) -> tuple[list[str], list[str]]:
        """Names of the files and folders in a folder, in natural order; links to folders are kept for later."""
        try:
            with os.scandir(folder) as listed:
                links = {e.name: e.is_symlink() for e in listed if not e.name.startswith(".")}
        except OSError as error:
            self._found.fail(folder, why_not_listed(error))
            return [], []
        files: list[str] = []
        folders: list[str] = []
        for name in sorted(links, key=natural_key):
            path = folder / name
            try:
                mode = path.stat().st_mode
            except OSError as error:
                if _may_be_watched(name):
                    self._found.fail(path, _why(error, is_link=links[name]))
                continue
            if stat.S_ISREG(mode):
                files.append(name)
            elif stat.S_ISDIR(mode) and links[name]:
                self._linked.append(path)
            elif stat.S_ISDIR(mode):
                folders.append(name)
            elif _may_be_watched(name):
                self._found.fail(path, f"{_special(mode)}, no file; watch what it leads to, or delete it")
        return files, folders

    def _add_images(self, folder: Path, images: Sequence[str], videos: Sequence[str], *, given: bool) -> None:
        """Add the pictures of a folder, except a film's own: its thumbnails and its cover."""
        moving: list[str] = []
        if len(images) <= _MOST_LOOKED_INTO:
            kinds = {name: kind_of(folder / name) for name in images}
            moving = [name for name in images if kinds[name] != "image"]
            for name in moving:
                self._found.add(folder / name, kinds[name])
            images = [name for name in images if name not in moving]
        count = len(images)
        images = without_depth(folder, images)
        some = bool(moving) or len(images) < count
        stems = tuple(Path(name).stem.casefold() for name in videos)
        photos = [name for name in images if not (videos and _is_artwork(name, stems))]
        if len(photos) < len(images):
            log.warning(
                "%s: %d pictures that are named as a film's own are passed over; name them to watch them",
                _readable(folder),
                len(images) - len(photos),
            )
        if not photos:
            return
        if is_depth_folder(folder):
            if given:
                self._found.fail(
                    folder, "depth maps, not pictures; give the folder of the colour images beside it"
                )
            else:
                log.info("%s: passed over, depth maps are not pictures", folder)
        elif videos:
            self._found.add(folder, "images", tuple(photos))
        elif given or is_numbered(photos):
            self._found.add(folder, "images", tuple(photos) if some else ())
        else:
            log.warning(
                "%s: %d pictures without numbers are passed over; name that folder to watch them",
                _readable(folder),
                len(photos),
            )


def _may_be_watched(name: str) -> bool:
    """Whether something of this name, which cannot be looked at, may be a video, a picture or a folder."""
    suffix = Path(name).suffix.casefold()
    return suffix in VIDEO_SUFFIXES | IMAGE_SUFFIXES or mimetypes.guess_type(name)[0] is None


def _special(mode: int) -> str:
    """What an entry is that is neither a file nor a folder."""
    if stat.S_ISFIFO(mode):
        return "a pipe"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"


def _is_artwork(name: str, stems: tuple[str, ...]) -> bool:
    """Whether a picture is named as a film beside it, with or without more behind that, or as covers are."""
    stem = Path(name).stem.casefold()
    named = any(stem.startswith(film) and not stem[len(film) : len(film) + 1].isalnum() for film in stems)
    return named or not _ARTWORK.isdisjoint(re.findall("[a-z]+", stem))


def is_memory(folder: Path) -> bool:
    """Tell whether a folder is a memory of ours."""
    try:
        return (folder / "memory.db").is_file() and (folder / "writer.lock").is_file()
    except OSError:
        return False


def is_beside_memory(folder: Path) -> bool:
    """Tell whether a folder holds what is kept beside a memory of ours and was made of what it watched.

    That is NAME.live, footage and alerts of its live cameras, also where the memory is gone; and NAME.web, with
    versions of its videos that browsers play.
    """
    try:
        memory = is_memory(folder.with_suffix("")) if folder.suffix in (".live", ".web") else False
        footage = folder.suffix == ".live" and any((folder / name).is_dir() for name in ("look-back", "kept"))
    except OSError:
        return False
    return memory or footage
