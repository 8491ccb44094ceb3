"""What the page keeps beside a memory, and names that are harmless in addresses."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from hippocam.stream.private import make_folder, replace_bytes


def stream_key(stream: str) -> str:
    """Name a stream in addresses: 16 hexadecimal digits."""
    return hashlib.blake2b(stream.encode(), digest_size=8).hexdigest()


def uploads_folder(memory: Path) -> Path:
    """Where uploads to a memory are kept: beside it, since what is in it counts towards its budget."""
    folder = memory.resolve()
    return folder.with_name(folder.name + "-uploads")


def page_folder(memory: Path) -> Path:
    """Where the page keeps what is its own: the password's hash, titles, reviews, versions that browsers play."""
    folder = memory.resolve()
    return folder.with_name(folder.name + ".web")


def read_json(path: Path) -> object:
    """What a file holds that the page keeps; None where it cannot be read."""
    try:
        found: object = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found


def write_json(path: Path, value: object) -> None:
    """Write a file of the page, whole or not at all."""
    make_folder(path.parent)
    replace_bytes(path, json.dumps(value, ensure_ascii=False).encode())


def converted_file(memory: Path, key: str) -> Path:
    """Where the version of a stream that browsers play is or would be, by the stream's key."""
    return page_folder(memory) / "converted" / f"{key}.mp4"


def delete_converted(memory: Path, streams: Iterable[str]) -> None:
    """Delete the versions of some streams: they show what is forgotten."""
    for stream in streams:
        converted_file(memory, stream_key(stream)).unlink(missing_ok=True)
