"""Uploads that come in parts, so that one that broke off goes on where it stopped."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.to_thread

from hippocam.apps.errors import TooLargeError, UploadError
from hippocam.apps.web.work.uploads import (
    CHECK_EVERY_BYTES,
    UPLOAD_LIMIT_BYTES,
    check_room,
    check_video,
    make_room,
    place,
    safe_name,
)

# Uploads under way at most, and how long one that nobody goes on with is kept, seconds.
_MOST, _KEPT_S = 50, 86_400.0
_PREFIX = ".incoming-"


@dataclass(slots=True)
class _Upload:
    """One that is under way.

    Attributes:
        name: The harmless name that its file will have.
        size: Bytes that it will have.
        visitor: Who sends it.
        part: What has come so far.
        touched_s: When something came last, by the monotonic clock.
        busy: Whether a request is writing to it.
    """

    name: str
    size: int
    visitor: str
    part: Path
    touched_s: float
    busy: bool = False


class Incoming:
    """Uploads in parts to one folder. Safe to use from several threads.

    Args:
        folder: Where finished ones are kept; made where missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._uploads: dict[str, _Upload] = {}
        self._mutex = threading.Lock()
        for left in folder.glob(_PREFIX + "*") if folder.is_dir() else ():
            left.unlink(missing_ok=True)  # of a server that ended; its ids are gone with it

    def begin(self, name: str, size: int, visitor: str) -> str:
        """Announce an upload.

        Returns:
            Its id, by which its parts are sent.

        Raises:
            UploadError: It is too large, empty, no video by its name, or there is no room for it.
        """
        wanted = safe_name(name)
        if size > UPLOAD_LIMIT_BYTES:
            raise TooLargeError(UPLOAD_LIMIT_BYTES)
        if size <= 0:
            raise UploadError("the file is empty")
        self._drop_old()
        try:
            make_room(self._folder, size)
            upload_id = secrets.token_hex(16)
            part = self._folder / f"{_PREFIX}{upload_id}"
            part.touch(mode=0o600, exist_ok=False)
        except OSError as error:
            raise _disk_error(self._folder, error) from error
        with self._mutex:
            if len(self._uploads) >= _MOST:
                part.unlink(missing_ok=True)
                raise UploadError("too many uploads are under way; wait until some of them are done")
            self._uploads[upload_id] = _Upload(wanted, size, visitor, part, time.monotonic())
        return upload_id

    def at(self, upload_id: str) -> int | None:
        """How many bytes of an upload have come; None where there is none such."""
        with self._mutex:
            upload = self._uploads.get(upload_id)
        return None if upload is None else upload.part.stat().st_size

    def drop(self, upload_id: str) -> bool:
        """Forget an upload with what has come of it; whether there was one."""
        with self._mutex:
            upload = self._uploads.get(upload_id)
            if upload is None or upload.busy:
                return False
            del self._uploads[upload_id]
        upload.part.unlink(missing_ok=True)
        return True

    async def receive(self, upload_id: str, at: int, parts: AsyncIterator[bytes]) -> Path | int:
        """Write bytes of an upload.

        Args:
            upload_id: Which one.
            at: Where they begin; what is there already is skipped.
            parts: The bytes.

        Returns:
            How many have come now; or, once it is whole, its file.

        Raises:
            UploadError: There is none such, something is missing before these bytes, or it cannot be kept.
        """
        upload = self._take(upload_id)
        try:
            have = upload.part.stat().st_size
            if at < 0:
                raise UploadError("there are no bytes before its first")
            if at > have:
                raise UploadError(f"bytes {have} to {at} are missing; go on from there")
            have = await _append(upload, have, have - at, parts)
            if have < upload.size:
                return have
            await anyio.to_thread.run_sync(check_video, upload.part)
            return await self._finish(upload_id, upload)
        except OSError as error:
            raise _disk_error(self._folder, error) from error
        finally:
            upload.busy, upload.touched_s = False, time.monotonic()

    async def _finish(self, upload_id: str, upload: _Upload) -> Path:
        try:
            return await anyio.to_thread.run_sync(place, upload.part, self._folder, upload.name)
        finally:
            upload.part.unlink(missing_ok=True)
            with self._mutex:
                self._uploads.pop(upload_id, None)

    def _take(self, upload_id: str) -> _Upload:
        with self._mutex:
            upload = self._uploads.get(upload_id)
            if upload is None:
                raise UploadError("this upload is not known any more; begin it again")
            if upload.busy:
                raise UploadError("another request is sending this upload")
            upload.busy = True
            return upload

    def _drop_old(self) -> None:
        now_s = time.monotonic()
        with self._mutex:
            old = [key for key, one in self._uploads.items() if not one.busy and now_s - one.touched_s > _KEPT_S]
        for upload_id in old:
            self.drop(upload_id)


async def _append(upload: _Upload, have: int, skip: int, parts: AsyncIterator[bytes]) -> int:
    """Write bytes behind those that are there, but for the first `skip`; gives how many there are then."""
    async with await anyio.open_file(upload.part, "ab") as file:
        async for data in parts:
            data, skip = data[skip:], max(0, skip - len(data))
            if have + len(data) > upload.size:
                raise UploadError(f"it was announced with {upload.size} bytes, and has more")
            if have // CHECK_EVERY_BYTES != (have + len(data)) // CHECK_EVERY_BYTES:
                check_room(upload.part.parent, 0)
            await file.write(data)
            have += len(data)
    return have


def _disk_error(folder: Path, error: OSError) -> UploadError:
    return UploadError(f"cannot be kept in {folder} ({error.strerror}); free some disk space")
