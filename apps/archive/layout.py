"""Which memory a source goes into: one for all, a folder or a camera, and a stretch of time."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple

from hippocam.stream.protocols import Source
from hippocam.stream.sources.dates import PathPattern, camera_at
from hippocam.stream.sources.naming import slug
from hippocam.stream.sources.remote import path_of

Per = Literal["all", "folder", "camera"]
Split = Literal["day", "week", "month", "year"]
# How a stretch of time is written, in local time.
_STRETCHES: dict[Split, str] = {"day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m", "year": "%Y"}


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
    path = path_of(source.uri)
    if per == "folder":
        return Home(str(path.parent), slug(path.parent.name))
    camera, folder = camera_at(path, camera_from)
    name = slug(camera)
    return Home(f"{folder}/{name}", name)


def in_stretch(home: Home, split: Split, start_s: float | None) -> Home:
    """The memory of the stretch of time in which a recording begins, beside the others of its home.

    Args:
        home: Where it would go if time made no difference.
        split: How long stretches are.
        start_s: When it begins, seconds since 1970; None where that is not known.
    """
    stretch = "undated" if start_s is None else datetime.fromtimestamp(start_s).strftime(_STRETCHES[split])
    return Home(f"{home.what} {stretch}", f"{home.name}-{stretch}")
