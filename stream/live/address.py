"""What a user types for a live camera into what can be opened, its public name and its id.

Passwords in an address go to the camera alone: what is stored, shown and logged is the address without them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from hippocam.stream.errors import SourceError
from hippocam.stream.sources.naming import slug

Kind = Literal["url", "device", "file"]
SCHEMES = ("rtsp", "rtsps", "http", "https")
_GIVE = ", ".join(f"{scheme}://" for scheme in SCHEMES)
_NAMED = re.compile(r"([\w.-]+)=(.+)", re.DOTALL)
_DEVICE = re.compile(r"(?:/dev/video)?([0-9]{1,3})")
# Longer than any address; the name of a stream is also that of its folder.
_MOST_LETTERS, _MOST_NAME = 2000, 80


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveAddress:
    """Where a live camera is.

    Attributes:
        kind: "url", "device" (a webcam) or "file" (played at real-time speed).
        target: What is opened; may hold a password.
        uri: The address without a password, for people and for the memory.
        id: Name of its stream.
    """

    kind: Kind
    target: str = field(repr=False)
    uri: str
    id: str


def parse_address(text: str) -> LiveAddress:
    """Understand one address: [NAME=]rtsp://..., http://..., /dev/video0, 0 or a file.

    Raises:
        SourceError: It is none of these, or the file is missing.
    """
    if len(text) > _MOST_LETTERS:
        raise SourceError("the address", f"is longer than {_MOST_LETTERS} letters")
    named = _NAMED.fullmatch(text)
    if named and not os.path.exists(text):
        return replace(_parsed(named[2]), id=_named(named[1]))
    return _parsed(text)


def _parsed(text: str) -> LiveAddress:
    """Understand an address without a name before it."""
    if "://" in text:
        return _url(text)
    if device := _DEVICE.fullmatch(text):
        return LiveAddress(kind="device", target=device[1], uri=f"/dev/video{device[1]}", id=f"video{device[1]}")
    path = Path(os.path.abspath(os.path.expanduser(text)))
    if not os.path.isfile(path):
        raise SourceError(text, f"no such file, and no address; give {_GIVE}, /dev/video0 or a video file")
    return LiveAddress(kind="file", target=str(path), uri=f"live:{path}", id=_named(path.stem))


def parse_addresses(texts: Sequence[str]) -> list[LiveAddress]:
    """Understand several; where two would have the same id, the later ones get a number.

    Raises:
        SourceError: See parse_address; or one is given twice.
    """
    found: list[LiveAddress] = []
    for text in texts:
        address = parse_address(text)
        if any(address.target == other.target for other in found):
            raise SourceError(address.uri, "given twice; name each camera once")
        taken, number, name = {other.id for other in found}, 2, address.id
        while name in taken:
            name, number = f"{address.id}-{number}", number + 1
        found.append(replace(address, id=name))
    return found


def _named(text: str) -> str:
    """A stream's name, short enough for that of a folder."""
    return slug(slug(text)[:_MOST_NAME])


def _url(text: str) -> LiveAddress:
    if not text.isprintable():  # a line break would end the request that is sent
        raise SourceError("the address", "has letters that cannot be printed")
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:  # its words may quote a password
        raise SourceError(
            "the address",
            "is not understood: write @, #, /, ? and : of a password as %40, %23, "
            "%2F, %3F and %3A, and the port as a number up to 65535",
        ) from None
    if parts.scheme not in SCHEMES or not host:
        shown = f"{parts.scheme}://{host}"
        raise SourceError(shown, f"not an address that can be watched; give {_GIVE} and a host")
    shown_host = f"[{host}]" if ":" in host else host
    uri = urlunsplit((parts.scheme, shown_host + port, parts.path, "", ""))
    last = parts.path.rstrip("/").rpartition("/")[2]
    return LiveAddress(kind="url", target=text, uri=uri, id=_named(f"{host}-{last}" if last else host))
