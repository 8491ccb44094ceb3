"""Which encoder a memory gets: the one asked for, its own, or the settings'; never "auto", but a name."""

from __future__ import annotations

from hippocam.apps.terminal import warn
from hippocam.models.inventory import FALLBACK, best_encoder
from hippocam.models.registry import AUTO, settled_name


def encoder_name(wanted: str | None, own: str | None, default: str) -> str:
    """Give the name of the encoder to use, never "auto".

    Args:
        wanted: What the user asked for this time; None for nothing.
        own: What the memory was made with; None where there is no memory yet. "auto" leaves it as it is.
        default: What the settings say a new memory gets.
    """
    if own is not None and wanted in (None, AUTO):
        return own
    name = wanted or default
    if name != AUTO:
        return settled_name(name)
    found = best_encoder()
    more = "; hippocam models says how to get one" if found.name == FALLBACK else ""
    warn(f"encoder auto: {found.name} ({found.reason}{more})")
    return found.name
