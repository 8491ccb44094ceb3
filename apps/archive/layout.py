"""Which memory a source goes into: one for all, one for each folder, or one for each camera."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, NamedTuple

from hippocam.stream.protocols import Source
from hippocam.stream.sources.naming import slug

Per = Literal["all", "folder", "camera"]

# A word of a file's name with which the time of the recording begins: 20240131, 2024, 20240131T120000Z.
_DATE = re.compile(r"\d{4,}(T?\d+)?Z?", re.IGNORECASE)


class Home(NamedTuple):
    """Where a source belongs.

    Attributes:
        what: What the memory is of, a folder or a folder and a camera; no two memories are of the same.
        name: What its folder would be called; another of that name gets a number after it.
    """

    what: str
    name: str


def home_of(source: Source, per: Per) -> Home:
    """Say which memory a source goes into.

    Args:
        source: A video, a folder of images or an episode of a dataset.
        per: "all" for one memory; "folder" for one for the files of each folder (and one a dataset); "camera" for
            one for each camera of a folder, by the names of its files without dates and numbers of four digits
            or more ("front_2024-01-31_1200.mp4" is of "front"; files that are named by dates alone are of a camera
            that is named like their folder).
    """
    if per == "all":
        return Home("", "all")
    dataset, hash_, _ = source.uri.partition("#")
    if hash_:  # the cameras of a robot are told apart in its memory
        return Home(dataset, slug(Path(dataset).name))
    path = Path(source.uri)
    if per == "folder":
        return Home(str(path.parent), slug(path.parent.name))
    camera = camera_of(path.stem if path.suffix and not path.is_dir() else path.name)
    name = slug(camera or path.parent.name)
    return Home(f"{path.parent}/{name}", name)


def camera_of(stem: str) -> str:
    """The camera that a file's name tells; "" where it tells none."""
    kept: list[str] = []
    in_date = False
    for word in re.split(r"[-_. ]+", stem):
        in_date = bool(_DATE.fullmatch(word)) or (in_date and word.isdigit())
        if word and not in_date:
            kept.append(word)
    return "-".join(kept)
