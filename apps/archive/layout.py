"""Which memory a source goes into: one for all, one for each folder, or one for each camera."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

from hippocam.stream.protocols import Source
from hippocam.stream.sources.dates import PathPattern, camera_at
from hippocam.stream.sources.naming import slug

Per = Literal["all", "folder", "camera"]


class Home(NamedTuple):
    """Where a source belongs.

    Attributes:
        what: What the memory is of, a folder or a folder and a camera; no two memories are of the same.
        name: What its folder would be called; another of that name gets a number after it.
    """

    what: str
    name: str


def home_of(source: Source, per: Per, camera_from: PathPattern | None = None) -> Home:
    """Say which memory a source goes into.

    Args:
        source: A video, a folder of images or an episode of a dataset.
        per: "all" for one memory; "folder" for one for the files of each folder (and one a dataset); "camera" for
            one for each camera, whatever days its footage is sorted by: see `camera_at`.
        camera_from: Which part of a path names the camera; None to find it.
    """
    if per == "all":
        return Home("", "all")
    dataset, hash_, _ = source.uri.partition("#")
    if hash_:  # the cameras of a robot are told apart in its memory
        return Home(dataset, slug(Path(dataset).name))
    path = Path(source.uri)
    if per == "folder":
        return Home(str(path.parent), slug(path.parent.name))
    camera, folder = camera_at(path, camera_from)
    name = slug(camera)
    return Home(f"{folder}/{name}", name)
