"""The exemplars: one JPEG file an entry, in one flat folder of the memory."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from hippocam.memory.records import format_id


class Exemplars:
    """Writes, finds and removes the pictures of entries; the database decides which of them count."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, number: int) -> Path:
        """Where the exemplar of an entry is."""
        return self.folder / f"{format_id(number)}.jpg"

    def write(self, number: int, jpeg: bytes) -> None:
        """Write an exemplar, before its row is committed: a crash leaves a file too many, never one too few."""
        self.path(number).write_bytes(jpeg)

    def remove(self, number: int) -> None:
        """Remove an exemplar, after its row is gone."""
        self.path(number).unlink(missing_ok=True)

    def sweep(self, held: Collection[int]) -> list[int]:
        """Remove every file that belongs to no held entry, as a crash may have left.

        Returns:
            Ids of the held entries whose file is gone.
        """
        missing = {self.path(number).name: number for number in held}
        for file in self.folder.iterdir():
            if missing.pop(file.name, None) is None and not file.is_dir():
                file.unlink()
        return sorted(missing.values())
