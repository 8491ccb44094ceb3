"""What all routes of the page share, and how they refuse."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Protocol

from fastapi import Body, HTTPException

from hippocam.apps.ask.memories import Member, Memories
from hippocam.apps.shown.evidence import evidence_json
from hippocam.apps.web.beside import stream_key
from hippocam.apps.web.media import Library
from hippocam.apps.web.titles import Titles
from hippocam.apps.web.views.shown import Asked, Changed
from hippocam.apps.web.work.jobs import Jobs
from hippocam.apps.wording import other_spans, surety_of
from hippocam.memory.records import Evidence, StreamStatus
from hippocam.stream.protocols import Encoder

Json = dict[str, Any]
# The JSON of a request.
Sent = Annotated[Json, Body()]


class Opened(Protocol):
    """What is open of the memories."""

    def memories(self) -> Memories:
        """The memories, open for reading."""

    def reading_encoder(self) -> Encoder:
        """The encoder that made the vectors."""

    def changing(self, budget_bytes: int | None = None) -> AbstractContextManager[object]:
        """Open the only memory for writing, within another budget from now on."""


class Shown(Asked, Changed, Protocol):
    """All that the page needs: a `Session`."""

    @property
    def opened(self) -> Opened:
        """What is open of the memories."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the routes work on.

    Attributes:
        session: The memory that is shown, or the memories.
        library: Its streams and pictures by opaque ids.
        titles: The names that people gave to streams.
        jobs: What is worked on; None where nothing may be changed.
        roots: Folders of which files may be watched by their path.
        reader: Name of the reader; None for the settings'.
        asks: Whether people are in by a password.
    """

    session: Shown
    library: Library
    titles: Titles
    jobs: Jobs | None
    roots: tuple[Path, ...] = ()
    reader: str | None = None
    asks: bool = False

    @property
    def may_change(self) -> bool:
        """Whether visitors may change the memory."""
        return self.jobs is not None

    def changing(self) -> Jobs:
        """The jobs, for who wants to change something.

        Raises:
            HTTPException: Nothing may be changed here.
        """
        if self.jobs is None:
            raise HTTPException(403, "this page is for reading: nothing can be changed here")
        return self.jobs

    def stream(self, key: str) -> StreamStatus:
        """A stream by its key.

        Raises:
            HTTPException: The memory holds none such.
        """
        found = self.library.stream(key)
        if found is None:
            raise HTTPException(404, "not in this memory")
        return found

    def holder(self, stream: str) -> tuple[Member, str]:
        """The memory that holds a stream, and the stream's name in it.

        Raises:
            HTTPException: None does.
        """
        for member in self.session.opened.memories().members:
            own = member.within(stream)
            if own and any(status.id == own for status in member.memory.streams()):
                return member, own
        raise HTTPException(404, "not in this memory")


def moment_json(moment: Evidence) -> Json:
    """A moment as the page shows it: without paths, with where its pictures are."""
    value = dict(evidence_json(moment))
    del value["image"]
    return value | {
        "key": stream_key(moment.stream),
        "picture": moment.id if moment.image else "",
        "frame_s": round(moment.frame_s, 3),
        "sure": surety_of(moment).value,
        "others": [[round(t0_s, 3), round(t1_s, 3)] for t0_s, t1_s in other_spans(moment)],
        "said": moment.text,
    }


def stream_json(site: Site, stream: StreamStatus) -> Json:
    """A stream as the page shows it."""
    value = asdict(stream)
    del value["source"]
    view = site.library.view(stream_key(stream.id))
    return value | {"coarse": stream.coarse} | (asdict(view) if view else {})


def text_of(body: Mapping[str, Any], name: str) -> str:
    """A text in a request's JSON, "" where it is missing."""
    value = body.get(name)
    return value if isinstance(value, str) else ""


def texts_of(body: Mapping[str, Any], name: str) -> list[str]:
    """A list of texts in a request's JSON, empty where it is missing."""
    value = body.get(name)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def rows_of(body: Mapping[str, Any], name: str) -> list[Json]:
    """A list of objects in a request's JSON, empty where it is missing."""
    value = body.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def number_of(body: Mapping[str, Any], name: str) -> float | None:
    """A number in a request's JSON, None where it is missing, or none that can be counted with."""
    value = body.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
