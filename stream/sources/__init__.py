"""What a user types into sources: video files, image folders, LeRobot datasets, patterns of them."""

from hippocam.stream.sources.opening import OpenedSources, SourceConfig, open_sources

__all__ = ["OpenedSources", "SourceConfig", "open_sources"]
