"""What people use: the library (`Session`), the command line, the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hippocam.apps.records import Answer, Status, WatchProgress, WatchReport
    from hippocam.apps.session import Session
    from hippocam.apps.settings import Settings, load_settings

_HOME = {
    "Session": "session",
    "Answer": "records",
    "Status": "records",
    "WatchProgress": "records",
    "WatchReport": "records",
    "Settings": "settings",
    "load_settings": "settings",
}

__all__ = ["Answer", "Session", "Settings", "Status", "WatchProgress", "WatchReport", "load_settings"]


def __getattr__(name: str) -> object:
    """Import on first use, so that `hippocam --help` loads nothing heavy."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"hippocam.apps.{_HOME[name]}"), name)
