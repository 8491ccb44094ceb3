"""Sources with the zones and masks that are marked for them, by the name of a recording, a camera or a stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from hippocam.stream.protocols import Source
from hippocam.stream.sources.dates import PathPattern, camera_at
from hippocam.stream.sources.remote import path_of
from hippocam.stream.zones.masking import MaskedSource
from hippocam.stream.zones.polygons import CameraZones, marked_for


def masked_sources(
    sources: Sequence[Source], zones: Mapping[str, CameraZones], camera_from: PathPattern | None = None
) -> tuple[Source, ...]:
    """Put masks before sources.

    Args:
        sources: What is watched.
        zones: What is marked, by the names or patterns of streams and cameras.
        camera_from: What in a path names the camera; None to find it.
    """
    if not any(marked.masks for marked in zones.values()):
        return tuple(sources)
    return tuple(MaskedSource(source, zones, (camera_of(source.uri, camera_from),)) for source in sources)


def camera_of(uri: str, camera_from: PathPattern | None = None) -> str:
    """The camera that made a recording, by its path; "" where no name tells."""
    if "#" in uri or not uri:  # a dataset's cameras have names of their own
        return ""
    return camera_at(path_of(uri), camera_from)[0]


def marked_in(zones: Mapping[str, CameraZones], stream: str, uri: str) -> CameraZones:
    """What is marked in the pictures of a stream.

    Args:
        zones: What is marked, by the names or patterns of streams and cameras.
        stream: Its name within its memory.
        uri: Where its recording is.
    """
    recording, _, camera = stream.rpartition("/")
    return marked_for(zones, stream, camera, recording, camera_of(uri))


def unmet(
    zones: Mapping[str, CameraZones], sources: Sequence[Source], camera_from: PathPattern | None = None
) -> list[str]:
    """Names and patterns that no source meets; none where a source has cameras within, which nobody knows yet."""
    if any("#" in source.uri for source in sources):
        return []
    names = {name for source in sources for name in (source.id, camera_of(source.uri, camera_from))}
    return [pattern for pattern in zones if not any(fnmatchcase(name, pattern) for name in names)]
