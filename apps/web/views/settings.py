"""What is set: reader, encoder, senses, budget; and whether the reader answers."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from hippocam.apps.live.config import LiveConfig
from hippocam.apps.web.views.site import Json, Site
from hippocam.models.readers.context import build_context
from hippocam.models.registry import make_reader
from hippocam.stream.errors import HippocamError

_TEST = "Is this reader there?"


def setting_routes(site: Site) -> APIRouter:
    """The routes of the settings."""
    router = APIRouter()

    @router.get("/hippocam/settings")
    def settings() -> Json:
        found = site.library.status()
        given, kept = site.session.settings, LiveConfig()
        return {
            "reader": site.reader or given.reader.name,
            "encoder": found.encoder if found else given.encoder,
            "budget_bytes": found.budget_bytes if found else given.memory.budget_bytes,
            "budget_fixed": given.memory.budget_bytes is not None,
            "bytes": found.bytes if found else 0,
            "senses": _plain(asdict(given.senses)),
            "fps": given.pipeline.fps,
            "learns": given.memory.questions,
            "look_back_mb": kept.look_back_mb,
            "look_back_s": kept.look_back_s,
            "folders": [str(folder) for folder in site.session.folders],
            "may_change": site.may_change,
            "asks": site.asks,
            "roots": [str(root) for root in site.roots],
        }

    @router.post("/hippocam/settings/reader")
    def test_reader() -> Json:
        """Let the reader answer from nothing: it has to load, or its server to answer."""
        config = site.session.settings.reader
        started = time.monotonic()
        try:
            reader = make_reader(site.reader or config.name, config)
            reading = reader.read(build_context(_TEST, (), [], reader.budget), None)
        except (HippocamError, ValueError) as error:
            return {"works": False, "note": " ".join(str(error).split())}
        said = " ".join(sentence.text for sentence in reading.sentences)
        return {"works": True, "note": said[:200], "seconds": round(time.monotonic() - started, 2)}

    return router


def _plain(values: dict[str, Any]) -> dict[str, object]:
    """The switches of the senses: what is no table."""
    return {name: value for name, value in values.items() if isinstance(value, str | int | float | bool)}
