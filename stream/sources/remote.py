"""Files on object storage and web servers as paths: read by ranges where a decoder wants them, never whole.

fsspec reads s3://, gs:// and https:// (`pip install 'hippocam[remote]'`); credentials and endpoints come from
where its libraries look for them, as $AWS_PROFILE or $AWS_ENDPOINT_URL. An address never holds any.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

from hippocam.stream.errors import MissingLibraryError, SourceError

SCHEMES = ("s3", "gs", "https", "http")
_ADDRESS = re.compile(rf"(?P<scheme>{'|'.join(SCHEMES)})://?(?P<rest>.+)")
# Bytes that are fetched at a time, and kept while a decoder moves within them.
_BLOCK_BYTES = 4 << 20


class RemotePath(type(Path())):  # type: ignore[misc]
    """A file or folder at an address, with what of `Path` reads; it can be pickled."""

    __slots__ = ()

    def __str__(self) -> str:
        """The address."""
        found = _ADDRESS.match(super().__str__())
        return f"{found['scheme']}://{found['rest']}" if found else super().__str__()

    def __fspath__(self) -> str:
        """The address: nothing on this machine has that path."""
        return str(self)

    def open(self, *_: Any, **__: Any) -> Any:
        """Open the file for reading by ranges."""
        with _as_os_errors():
            return self._system().open(str(self), "rb", block_size=_BLOCK_BYTES, cache_type="readahead")

    def stat(self, **_: Any) -> os.stat_result:
        """Its size, and numbers that change where it is changed."""
        info = self._info()
        version = int(self._version(info), 16)
        told = SimpleNamespace(st_size=int(info["size"] or 0), st_mtime_ns=version, st_ctime_ns=version)
        return cast(os.stat_result, told)

    def exists(self, **_: Any) -> bool:
        """Whether it is there."""
        try:
            self._info()
        except FileNotFoundError:
            return False
        return True

    def is_file(self) -> bool:
        """Whether it is a file."""
        return bool(self._info()["type"] == "file")

    def is_dir(self) -> bool:
        """Never: what is below a folder is asked of `files`."""
        return False

    def content_id(self) -> str:
        """A hash of what the server says that tells its content from other content; nothing is read for it."""
        try:
            return self._version(self._info())
        except OSError:
            return ""

    def files(self) -> Iterator[RemotePath]:
        """The file itself, or all files below a folder, or that match a pattern or are below folders that do."""
        with _as_os_errors():
            system, address = self._system(), str(self)
            if self.parts[0].startswith("http"):  # nothing tells a folder of a web server from a page
                names = [address]
            elif any(letter in address for letter in "*?["):
                found = system.glob(address, detail=True)
                folders = [name for name, info in found.items() if info["type"] == "directory"]
                names = [*(found.keys() - folders), *(name for folder in folders for name in system.find(folder))]
            elif system.isdir(address):
                names = system.find(address)
            else:
                names = [address]
        scheme = self.parts[0].rstrip(":")
        for name in sorted(set(names)):
            yield RemotePath(name if "://" in name else f"{scheme}://{name}")

    def _system(self) -> Any:
        try:
            import fsspec

            return fsspec.filesystem(self.parts[0].rstrip(":"))
        except ImportError as error:
            raise MissingLibraryError("fsspec", str(error), "pip install 'hippocam[remote]'") from error

    def _info(self) -> dict[str, Any]:
        with _as_os_errors():
            info: dict[str, Any] = self._system().info(str(self))
        return info

    @staticmethod
    def _version(info: dict[str, Any]) -> str:
        kept = [str(info.get(key, "")) for key in ("size", "ETag", "etag", "LastModified", "updated", "mtime")]
        return hashlib.blake2b("\n".join(kept).encode(), digest_size=7).hexdigest()


def path_of(uri: str | Path) -> Path:
    """A path, of this machine or at an address."""
    return RemotePath(str(uri)) if _ADDRESS.match(str(uri)) else Path(uri)


def is_there(uri: str) -> bool:
    """Whether the file or folder of a source is seen from here.

    Raises:
        OSError: Nobody can tell, as where the network is away.
    """
    return path_of(uri.partition("#")[0]).exists()


def is_remote(uri: str | Path) -> bool:
    """Whether something is at an address that is read from there."""
    return _ADDRESS.match(str(uri)) is not None


def check_address(text: str) -> None:
    """Refuse an address that holds a password or a key: it would be kept, and shown with every answer.

    Raises:
        SourceError: It does; the error tells the address without it.
    """
    parts = urlsplit(text)
    plain = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    if "@" in parts.netloc or (parts.query and parts.scheme.startswith("http")):
        raise SourceError(plain, "its address holds a password or a key; give those to the storage's own settings")


@contextmanager
def _as_os_errors() -> Iterator[None]:
    """Whatever a storage's library raises, as an error of the system."""
    try:
        yield
    except (OSError, MissingLibraryError):
        raise
    except Exception as error:
        told = f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0]}"
        raise OSError(errno.EIO, told) from error
