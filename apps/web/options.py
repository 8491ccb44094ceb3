"""What whoever starts the page lets it show and do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOptions:
    """What the page shows and allows.

    Attributes:
        show_imported: Also play the files that an imported memory names as its sources.
        read_only: Nothing can be added, changed or deleted.
        reader: Name of the reader; None for the settings'.
        roots: Folders of the server of which files may be watched by their path.
        config: The settings, as `load_settings` takes them, for the cameras' process.
    """

    show_imported: bool = False
    read_only: bool = False
    reader: str | None = None
    roots: tuple[Path, ...] = ()
    config: str | None = None
