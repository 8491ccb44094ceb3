"""What people use: the library (`Session`), the command line, the page; `errors` has all that can go wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hippocam.stream.exports import exporter

if TYPE_CHECKING:
    from hippocam.apps.ask.conversation import Conversation
    from hippocam.apps.ask.reader import Reader
    from hippocam.apps.ask.where import Where
    from hippocam.apps.errors import HippocamError, SettingsError
    from hippocam.apps.live.config import LiveConfig
    from hippocam.apps.live.live import watch_live
    from hippocam.apps.live.standing import AlertConfig
    from hippocam.apps.live.status import LiveStatus
    from hippocam.apps.records import (
        Answer,
        Failure,
        ImportReport,
        Status,
        StreamReport,
        WatchProgress,
        WatchReport,
    )
    from hippocam.apps.session import Session
    from hippocam.apps.settings import Settings, load_settings

_HOMES = {
    "Conversation": "ask.conversation",
    "HippocamError": "errors",
    "AlertConfig": "live.standing",
    "LiveConfig": "live.config",
    "watch_live": "live.live",
    "LiveStatus": "live.status",
    "Reader": "ask.reader",
    "Where": "ask.where",
    "Answer": "records",
    "Failure": "records",
    "ImportReport": "records",
    "Status": "records",
    "StreamReport": "records",
    "WatchProgress": "records",
    "WatchReport": "records",
    "Session": "session",
    "Settings": "settings",
    "SettingsError": "errors",
    "load_settings": "settings",
}

__all__ = [
    "AlertConfig",
    "Answer",
    "Conversation",
    "Failure",
    "HippocamError",
    "ImportReport",
    "LiveConfig",
    "LiveStatus",
    "Reader",
    "Session",
    "Settings",
    "SettingsError",
    "Status",
    "StreamReport",
    "WatchProgress",
    "WatchReport",
    "Where",
    "load_settings",
    "watch_live",
]

__getattr__ = exporter(__name__, _HOMES)
