"""Files and folders of the server that visitors may have watched by their path."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path

from hippocam.apps.errors import UploadError
from hippocam.stream.sources.folders import VIDEO_SUFFIXES


def allowed(text: str, roots: Sequence[Path]) -> list[Path]:
    """The files and folders that a path or a glob means, each below a folder that is allowed.

    Raises:
        UploadError: Nothing is there, or it is not below such a folder.
    """
    if not roots:
        raise UploadError("no folder of the server is open for this; whoever starts the page can name some")
    found = [Path(name).resolve() for name in sorted(glob.glob(text, recursive=True))] if text.strip() else []
    inside = [path for path in found if any(path.is_relative_to(root.resolve()) for root in roots)]
    if not inside:
        raise UploadError(f"nothing below {', '.join(map(str, roots))} is called so")
    if len(inside) > 1:
        inside = [path for path in inside if path.is_dir() or path.suffix.casefold() in VIDEO_SUFFIXES]
    return inside
