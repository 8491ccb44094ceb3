from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hippocam.apps.errors import TooLargeError, UploadError
from hippocam.apps.web.beside import uploads_folder
from hippocam.apps.web.work.uploads import receive, safe_name


def take(data: bytes, folder: Path, name: str, *, limit: int = 1000) -> Path:
    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, len(data), 7):
            yield data[start : start + 7]

    return asyncio.run(receive(parts(), folder, name, limit=limit))


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("holiday.MP4", "holiday.mp4"),
        ("../../etc/passwd.mp4", "passwd.mp4"),
        ("C:\\clips\\a b.mov", "a-b.mov"),
        ("<script>.webm", "script.webm"),
        (".hidden.mp4", "hidden.mp4"),
        ("?.mp4", "source.mp4"),
        ("küche\x00.mkv", "küche.mkv"),
    ],
)
def test_names_are_made_harmless(name: str, kept: str) -> None:
    assert safe_name(name) == kept


@pytest.mark.parametrize("name", ["run.sh", "mp4", "", "clip.mp4.exe", "/", "...mp4"])
def test_other_files_than_videos_are_refused(name: str) -> None:
    with pytest.raises(UploadError, match="not a video"):
        safe_name(name)


def test_long_names_fit_the_file_system(tmp_path: Path) -> None:
    kept = take(b"x", tmp_path, "ü" * 500 + ".mp4")
    assert len(kept.name.encode()) <= 255


def test_the_same_content_is_kept_once_and_another_beside_it(tmp_path: Path) -> None:
    first = take(b"one", tmp_path, "a.mp4")
    assert take(b"one", tmp_path, "a.mp4") == first
    second = take(b"two", tmp_path, "a.mp4")
    assert (first.name, second.name) == ("a.mp4", "a-2.mp4")
    assert (first.read_bytes(), second.read_bytes()) == (b"one", b"two")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a-2.mp4", "a.mp4"]


def test_what_is_too_large_or_empty_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TooLargeError):
        take(b"x" * 1001, tmp_path, "a.mp4")
    with pytest.raises(UploadError, match="empty"):
        take(b"", tmp_path, "a.mp4")
    assert list(tmp_path.iterdir()) == []


def test_uploads_lie_beside_the_memory() -> None:
    assert uploads_folder(Path("/data/m")) == Path("/data/m-uploads")
    assert uploads_folder(Path("/data/m/../n")) == Path("/data/n-uploads")
