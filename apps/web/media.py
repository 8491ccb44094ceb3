"""What the page may show of a memory: opaque ids into the videos and pictures that the memory knows.

A stream's key is a hash of its id and a picture's id is that of its entry, so no path ever comes from outside.
"""

from __future__ import annotations

import functools
import mimetypes
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from starlette.responses import FileResponse

from hippocam.apps.records import Status
from hippocam.apps.web.beside import converted_file, stream_key
from hippocam.memory.folder import has_memory
from hippocam.memory.records import StreamStatus
from hippocam.stream.errors import SourceError
from hippocam.stream.sources.decode.length import length_s
from hippocam.stream.sources.folders import VIDEO_SUFFIXES
from hippocam.stream.sources.video import VideoSource

# The list of streams is read again after this time, so that deleted streams soon disappear.
_FRESH_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamView:
    """What the player needs to know of a stream.

    Attributes:
        key: See stream_key.
        name: The stream's id.
        source: Name of its file or folder.
        duration_s: Time of the end of what was watched.
        begins_s: Time of the stream at which its file begins: since 1970 where its times are dates, else 0.
        complete: Whether it was watched to its end.
        length_s: How long its file is, where that was watched in part; None where nothing tells it.
        video: Whether there is a file that a browser may be able to play, and would show this stream.
        converted: Whether there is a version of it that browsers play.
        gone: Whether it came from a video file that is no longer there.
        picture: Entry whose exemplar stands for it, "" where there is none.
    """

    key: str
    name: str
    source: str
    duration_s: float
    begins_s: float
    complete: bool
    length_s: float | None
    video: bool
    converted: bool
    gone: bool
    picture: str


class Held(Protocol):
    """What a page shows: a `Session`, as far as it is needed here."""

    @property
    def folders(self) -> tuple[Path, ...]:
        """The memories' folders."""

    def status(self) -> Status:
        """What the memory holds now."""

    def entry_at(self, stream: str, time_s: float) -> str | None:
        """Id of the entry that shows a time of a stream best; None without one."""

    def picture(self, entry: str) -> Path | None:
        """Path of an entry's picture; None where none is kept."""


class Library:
    """The streams and pictures of a session's memories by opaque ids. Safe to use from several threads.

    Args:
        session: What is shown.
        show_imported: Also play the files that an imported memory names as its sources.
    """

    def __init__(self, session: Held, *, show_imported: bool = False) -> None:
        self._session, self._show_imported = session, show_imported
        self._mutex = threading.Lock()
        self._streams: Mapping[str, StreamStatus] = {}
        self._read_s = float("-inf")

    @property
    def folder(self) -> Path | None:
        """The memory's folder, to which videos can be added; None where several memories are shown."""
        folders = self._session.folders
        return folders[0] if len(folders) == 1 else None

    def status(self) -> Status | None:
        """What the memory holds now; None where nothing was watched yet.

        Raises:
            HippocamError: The folder holds something else than a memory.
        """
        with self._mutex:
            return self._status()

    def streams(self) -> Mapping[str, StreamStatus]:
        """The streams by their keys, at most a few seconds old."""
        with self._mutex:
            if time.monotonic() - self._read_s > _FRESH_S:
                self._status()
            return self._streams

    def stream(self, key: str) -> StreamStatus | None:
        """A stream by its key, None where the memory holds none such."""
        return self.streams().get(key)

    def view(self, key: str) -> StreamView | None:
        """What the player needs to know of a stream, None where the memory holds none such."""
        stream = self.stream(key)
        if stream is None:
            return None
        path, allowed = Path(stream.source), self.may_show(stream)
        is_file = path.suffix.casefold() in VIDEO_SUFFIXES and "://" not in stream.source
        return StreamView(
            key=key,
            name=stream.id,
            source=path.name,
            duration_s=stream.duration_s,
            begins_s=stream.recorded_s or 0.0,
            complete=stream.complete,
            length_s=_length_s(path) if allowed and is_file and not stream.complete else None,
            video=allowed and _playable(path) and _is_played(path, stream.id),
            converted=self.converted(key) is not None,
            gone=is_file and not (allowed and path.exists()),
            picture=self._picture_of(stream),
        )

    def video(self, key: str) -> Path | None:
        """The video file of a stream, None where the stream is unknown or has no such file."""
        stream = self.stream(key)
        path = Path(stream.source) if stream and self.may_show(stream) else None
        shown = path is not None and stream is not None and _playable(path) and _is_played(path, stream.id)
        return path if shown else None

    def converted(self, key: str) -> Path | None:
        """The version of a stream that browsers play, None where there is none."""
        path = converted_file(self._session.folders[0], key)
        return path if self.stream(key) is not None and path.is_file() else None

    def picture(self, entry: str) -> Path | None:
        """The picture of an entry, None where the memory holds none such."""
        return self._session.picture(entry) if self._exists() else None

    def may_show(self, stream: StreamStatus) -> bool:
        """Whether a person here named the stream's file: an import could name any."""
        return self._show_imported or not stream.imported

    def _exists(self) -> bool:
        return self.folder is None or has_memory(self.folder)

    def _status(self) -> Status | None:
        status = self._session.status() if self._exists() else None
        self._streams = {stream_key(s.id): s for s in status.streams} if status else {}
        self._read_s = time.monotonic()
        return status

    def _picture_of(self, stream: StreamStatus) -> str:
        """Id of the entry that stands for a stream: one from its middle, since videos often begin black."""
        if stream.t0_s is None or stream.t1_s is None:
            return ""
        return self._session.entry_at(stream.id, (stream.t0_s + stream.t1_s) / 2) or ""


def file_response(path: Path) -> FileResponse:
    """A file with HTTP range support, which browsers never take for a page.

    A browser may keep parts of a video but must ask whether they are still good; it does not keep pictures.
    """
    kind = mimetypes.guess_type(path.name)[0] or ""
    video = path.suffix.casefold() in VIDEO_SUFFIXES
    if not kind.startswith("video/" if video else "image/"):
        kind = "application/octet-stream"
    return FileResponse(
        path,
        media_type=kind,
        headers={"Cache-Control": "private, no-cache" if video else "no-store"},
        stat_result=path.stat(),
    )


def _length_s(path: Path) -> float | None:
    """How long a video file is; None where it is gone or does not say."""
    try:
        return _told_length_s(path, path.stat().st_mtime_ns)
    except (OSError, SourceError):
        return None


@functools.lru_cache(maxsize=256)
def _told_length_s(path: Path, changed_ns: int) -> float | None:
    """How long a video file is; one that has changed is looked at anew."""
    return length_s(path, path.name)


def _is_played(path: Path, stream: str) -> bool:
    """Whether a browser that plays the file shows this stream: of several cameras in it the first one is shown."""
    source = VideoSource(path)
    return source.camera_of(stream) == source.cameras[0]


def _playable(path: Path) -> bool:
    return path.suffix.casefold() in VIDEO_SUFFIXES and path.is_file()
