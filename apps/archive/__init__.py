"""A whole archive of footage into memories, on all cores, killed and resumed at will."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hippocam.stream.exports import exporter

if TYPE_CHECKING:
    from hippocam.apps.archive.records import ArchiveConfig, ArchiveProgress, ArchiveReport, ArchiveRequest
    from hippocam.apps.archive.run import archive

_HOMES = {
    "ArchiveConfig": "records",
    "ArchiveProgress": "records",
    "ArchiveReport": "records",
    "ArchiveRequest": "records",
    "archive": "run",
}

__all__ = ["ArchiveConfig", "ArchiveProgress", "ArchiveReport", "ArchiveRequest", "archive"]

__getattr__ = exporter(__name__, _HOMES)
