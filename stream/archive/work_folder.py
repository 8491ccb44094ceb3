"""The folder in which an archive run works: parts that wait for their memories.

    running            a random token; a worker that cannot read it does not see this folder
    <key>/000012.part  what was made of a segment
    <key>/000012.tries a byte for each attempt at it
    <key>/index.npz    packet index of the video
    <key>/over         no more of it is to be made

Workers on other machines must see the folder under the same path. It may be deleted between runs: then segments
are encoded again.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkFolder:
    """The folder of one run, which the run's random token identifies."""

    folder: Path
    token: str

    @classmethod
    def begin(cls, folder: Path, keys: Collection[str]) -> WorkFolder:
        """Prepare a folder for a run: delete what belongs to no footage of this run, and old records of attempts.

        Args:
            folder: Made if it is missing.
            keys: Keys of the footage of this run.
        """
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            if path.is_dir() and path.name not in keys:
                shutil.rmtree(path)
        for path in folder.glob("*/*"):
            if path.suffix != ".part" and path.name != "index.npz":
                path.unlink()
        work = cls(folder=folder, token=secrets.token_hex(8))
        _replace(folder / "running", work.token)
        return work

    def seen(self) -> bool:
        """Whether this process sees the folder of this run."""
        with suppress(OSError):
            return (self.folder / "running").read_text() == self.token
        return False

    def part(self, key: str, number: int) -> Path:
        """Where the part of a segment is."""
        return self.folder / key / f"{number:06d}.part"

    def index(self, key: str) -> Path:
        """Where the packet index of a video is."""
        return self.folder / key / "index.npz"

    def call_off(self, key: str) -> None:
        """Tell the workers to make no more of some footage."""
        (self.folder / key).mkdir(exist_ok=True)
        (self.folder / key / "over").touch()

    def is_called_off(self, key: str) -> bool:
        """Whether footage was called off."""
        return (self.folder / key / "over").exists()

    def attempt(self, key: str, number: int) -> int:
        """Record that a segment is begun; return how many earlier attempts did not end."""
        path = self.part(key, number).with_suffix(".tries")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(b".")
            file.flush()
            os.fsync(file.fileno())
            return file.tell() - 1

    def forgive(self, key: str, number: int) -> None:
        """Take the last attempt at a segment back: its machine was lost, which is no fault of the footage."""
        path = self.part(key, number).with_suffix(".tries")
        with suppress(OSError):
            os.truncate(path, max(0, path.stat().st_size - 1))

    def ended(self, key: str, number: int) -> None:
        """Record that the attempt at a segment has ended."""
        self.part(key, number).with_suffix(".tries").unlink(missing_ok=True)

    def delete(self, key: str) -> None:
        """Delete the parts of some footage, and its folder unless workers may still write into it."""
        if not self.is_called_off(key):
            shutil.rmtree(self.folder / key, ignore_errors=True)
        for part in (self.folder / key).glob("*.part"):
            part.unlink()

    def end(self) -> None:
        """Delete the folder and everything in it."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _replace(path: Path, text: str) -> None:
    new = path.with_name(path.name + ".new")
    new.write_text(text)
    os.replace(new, path)
