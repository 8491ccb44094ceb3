"""Where an archive keeps what is not in its memories yet: parts that wait, and copies of the memories."""

from __future__ import annotations

import hashlib
from pathlib import Path

from hippocam.apps.archive.ledger import LEDGER, Ledger
from hippocam.stream.private import make_folder

HIDDEN = ".archive"


def work_folder(root: Path, work: str | None) -> Path:
    """The folder for it: beside the memories, or one of its own in a folder that several archives may share.

    Args:
        root: Folder of the memories, absolute.
        work: Where a user wants it; None for beside the memories.
    """
    if work is None:
        return root / HIDDEN
    folder = Path(work) / f"{root.name}-{hashlib.sha256(str(root).encode()).hexdigest()[:8]}"
    make_folder(folder)
    return folder


def work_folder_of(root: Path) -> Path:
    """The folder that the last run of an archive used."""
    if not (root / LEDGER).is_file():
        return root / HIDDEN
    with Ledger(root / LEDGER) as ledger:
        return work_folder(root, (ledger.setting("request") or {}).get("work"))
