from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hippocam.apps.errors import TooLargeError, UploadError
from hippocam.apps.web.work.incoming import Incoming


async def parts(*data: bytes) -> AsyncIterator[bytes]:
    for piece in data:
        yield piece


def receive(incoming: Incoming, upload: str, at: int, *data: bytes) -> Path | int:
    return asyncio.run(incoming.receive(upload, at, parts(*data)))


def test_an_upload_in_parts_becomes_the_file_that_was_sent(tmp_path: Path) -> None:
    incoming = Incoming(tmp_path / "uploads")
    upload = incoming.begin("a clip.mp4", 10, "me")
    assert receive(incoming, upload, 0, b"abc", b"def") == 6
    assert incoming.at(upload) == 6
    assert receive(incoming, upload, 4, b"efgh") == 8  # two bytes that are there already are skipped
    path = receive(incoming, upload, 8, b"ij")
    assert isinstance(path, Path)
    assert path.read_bytes() == b"abcdefghij"
    assert list((tmp_path / "uploads").iterdir()) == [path]
    assert incoming.at(upload) is None


def test_what_is_missing_too_much_or_unknown_is_refused_and_nothing_is_lost(tmp_path: Path) -> None:
    incoming = Incoming(tmp_path / "uploads")
    upload = incoming.begin("a.mp4", 4, "me")
    receive(incoming, upload, 0, b"ab")
    with pytest.raises(UploadError, match="bytes 2 to 3 are missing"):
        receive(incoming, upload, 3, b"d")
    with pytest.raises(UploadError, match="before its first"):
        receive(incoming, upload, -1, b"xab")
    with pytest.raises(UploadError, match="has more"):
        receive(incoming, upload, 2, b"cde")
    with pytest.raises(UploadError, match="not known"):
        receive(incoming, "0" * 32, 0, b"a")
    assert incoming.at(upload) == 2


def test_a_dropped_upload_leaves_nothing(tmp_path: Path) -> None:
    incoming = Incoming(tmp_path / "uploads")
    upload = incoming.begin("a.mp4", 4, "me")
    receive(incoming, upload, 0, b"ab")
    assert incoming.drop(upload)
    assert not incoming.drop(upload)
    assert list((tmp_path / "uploads").iterdir()) == []


def test_what_an_ended_server_left_is_deleted(tmp_path: Path) -> None:
    Incoming(tmp_path / "uploads").begin("a.mp4", 4, "me")
    Incoming(tmp_path / "uploads")
    assert list((tmp_path / "uploads").iterdir()) == []


@pytest.mark.parametrize(("name", "size"), [("a.mp4", 0), ("run.sh", 5)])
def test_no_videos_are_refused_before_a_byte_is_sent(tmp_path: Path, name: str, size: int) -> None:
    with pytest.raises(UploadError):
        Incoming(tmp_path / "uploads").begin(name, size, "me")


def test_a_video_that_is_too_large_is_refused_before_a_byte_is_sent(tmp_path: Path) -> None:
    with pytest.raises(TooLargeError):
        Incoming(tmp_path / "uploads").begin("a.mp4", 4_000_000_001, "me")
