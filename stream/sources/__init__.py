"""What a user types into sources: video files, image folders, LeRobot datasets, patterns of them."""

from hippocam.stream.sources.opening import OpenedSources, open_sources

__all__ = ["OpenedSources", "open_sources"]
