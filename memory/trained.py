"""Where what was trained is kept: what ships with the product, and what the user trained."""

from __future__ import annotations

import os
from pathlib import Path

SHIPPED = Path(__file__).parent / "assets"


def own_folder() -> Path:
    """Where what a user trained is kept: `$HIPPOCAM_DATA`, else `~/.local/share/hippocam`."""
    root = os.environ.get("HIPPOCAM_DATA")
    return Path(root) if root else Path.home() / ".local" / "share" / "hippocam"
