"""The folders of trained parameters: those that ship with the product, and those that the user trained."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from hippocam.stream import private
from hippocam.stream.errors import HippocamError

SHIPPED = Path(__file__).parent / "assets"


def own_folder() -> Path:
    """Folder of what the user trained: `$HIPPOCAM_DATA`, else `~/.local/share/hippocam`.

    Raises:
        HippocamError: The user has no home.
    """
    return private.own_folder("HIPPOCAM_DATA", ".local", "share", "hippocam")


def looked_into() -> tuple[Path, ...]:
    """The folders in which trained parameters are looked for, in order: the user's, where there is one, first."""
    with suppress(HippocamError):
        return own_folder(), SHIPPED
    return (SHIPPED,)
