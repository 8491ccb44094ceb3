"""What a user types into sources with masks before them, as they are kept beside the memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from hippocam.apps.errors import SettingsError
from hippocam.apps.zones.files import keep_zones
from hippocam.apps.zones.sources import camera_of, masked_sources, unmet
from hippocam.stream import opencv
from hippocam.stream.sources import OpenedSources, SourceConfig, open_sources
from hippocam.stream.zones.polygons import CameraZones

# Names that an error tells at most.
_MOST_TOLD = 8


def open_marked(
    arguments: Sequence[str | Path], config: SourceConfig, memory: Path, given: Mapping[str, CameraZones]
) -> OpenedSources:
    """Open what a user types with the masks that are marked for it; keep those that are given.

    Args:
        arguments: As for `open_sources`.
        config: How video files are decoded.
        memory: The memory's folder.
        given: What is marked, by the names or patterns of recordings and cameras.

    Raises:
        SettingsError: A name that is given is none of these.
    """
    opened = open_sources(arguments, config)
    if not opened.sources:
        return opened
    if missing := unmet(given, opened.sources):
        known = sorted({name for source in opened.sources for name in (source.id, camera_of(source.uri)) if name})
        raise SettingsError(f"zones: nothing that is watched is called {', '.join(missing)}; {_told(known)}")
    opencv.load()
    zones = keep_zones(memory, given)
    return replace(opened, sources=masked_sources(opened.sources, zones))


def _told(names: Sequence[str]) -> str:
    more = ", and more" if len(names) > _MOST_TOLD else ""
    return f"there are {', '.join(names[:_MOST_TOLD])}{more}"
