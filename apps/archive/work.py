"""Where an archive keeps what is not in its memories yet: parts that wait, and copies of the memories."""

from __future__ import annotations

import hashlib
from pathlib import Path

from hippocam.stream.private import make_folder, write_bytes

HIDDEN = ".archive"
# In the hidden folder, where it is kept if not there.
_ELSEWHERE = "elsewhere"


def work_folder(root: Path, work: str | None) -> Path:
    """The folder for it: beside the memories, or one of its own in a folder that several archives may share.

    It is noted beside the memories, for `work_folder_of`.

    Args:
        root: Folder of the memories, absolute.
        work: Where a user wants it; None for beside the memories.
    """
    if work is None:
        return root / HIDDEN
    folder = Path(work) / f"{root.name}-{hashlib.sha256(str(root).encode()).hexdigest()[:8]}"
    make_folder(folder)
    make_folder(root / HIDDEN)
    write_bytes(root / HIDDEN / _ELSEWHERE, str(folder).encode())
    return folder


def work_folder_of(root: Path) -> Path:
    """The folder that the last run of an archive used."""
    try:
        return Path((root / HIDDEN / _ELSEWHERE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return root / HIDDEN
