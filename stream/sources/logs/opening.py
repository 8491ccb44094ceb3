"""A robot's log, by its name, into sources."""

from __future__ import annotations

from pathlib import Path

from hippocam.stream.errors import SourceError
from hippocam.stream.sources.logs.rlds import is_rlds, rlds_sources
from hippocam.stream.sources.logs.ros import is_bag, ros_source
from hippocam.stream.sources.logs.source import LogSource
from hippocam.stream.sources.logs.tum import tum_source


def is_log(path: Path) -> bool:
    """Tell by its name whether a file is a robot's log."""
    return is_bag(path) or is_rlds(path)


def log_sources(path: Path, *, name: str) -> tuple[list[LogSource], list[SourceError]]:
    """The sources of a log (a file, a ROS 2 folder, a sequence of TUM's), and errors for what is not whole."""
    if is_rlds(path):
        return rlds_sources(path, name=name)
    if is_bag(path) or (path / "metadata.yaml").is_file():
        return [ros_source(path, id=name)], []
    return [tum_source(path, id=name)], []
