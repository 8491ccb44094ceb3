"""The folders of trained parameters: those that ship with the product, and those that the user trained."""

from __future__ import annotations

import os
from pathlib import Path

SHIPPED = Path(__file__).parent / "assets"


def own_folder() -> Path:
    """Folder of what the user trained: `$HIPPOCAM_DATA`, else `~/.local/share/hippocam`."""
    root = os.environ.get("HIPPOCAM_DATA")
    return Path(root) if root else Path.home() / ".local" / "share" / "hippocam"
