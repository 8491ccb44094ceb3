"""Routes that change the memory: pin, forget, and whose visits are whose. A read-only page refuses them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from hippocam.apps.api import change_json, deletion_json, pinned_json, preview_json
from hippocam.apps.errors import RefusedError
from hippocam.apps.forget_preview import forget_preview
from hippocam.apps.ids import parse_id
from hippocam.apps.shown.json_shapes import ChangeJson, DeletionJson, PinnedJson, PreviewJson
from hippocam.memory.entities.records import EntityChange
from hippocam.memory.filter import Filter
from hippocam.memory.forget import Deleted

_STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)
# Entries that one request may name.
_MOST_ENTRIES = 1000


class Keeps(Protocol):
    """Who pins and deletes entries: a `Session`, as far as it is needed here."""

    @property
    def folder(self) -> Path:
        """The memory's folder."""

    def pin(self, entries: Sequence[str], pinned: bool = True) -> tuple[str, ...]:
        """Keep entries whatever comes, or no longer."""

    def forget(
        self,
        entries: Sequence[str] = (),
        *,
        stream: str | None = None,
        camera: str | None = None,
        after_s: float | None = None,
        before_s: float | None = None,
        import_id: str | None = None,
        sense: str | None = None,
    ) -> Deleted:
        """Delete entries, what a stream, a camera or a stretch of time left behind, or by provenance."""


class CorrectsEntities(Protocol):
    """Who says whose visits are whose: a `Session`, as far as it is needed here."""

    def merge_entities(self, into: int, other: int) -> EntityChange:
        """Make two entities one."""

    def split_entity(self, visit: int) -> EntityChange:
        """Make a visit an entity of its own."""

    def undo_entities(self, change: int) -> EntityChange:
        """Undo a change."""


class ToPin(BaseModel):
    """Entries that are never to be given up; or, with `pinned` false, like any others again."""

    model_config = _STRICT

    entries: list[str] = Field(
        min_length=1, max_length=_MOST_ENTRIES, description="ids, or the first digits of them"
    )
    pinned: bool = True


class ToForget(BaseModel):
    """What is to be deleted for good: entries; or a stream, a camera, a stretch of time; or by provenance."""

    model_config = _STRICT

    entries: list[str] = Field([], max_length=_MOST_ENTRIES, description="ids, or the first digits of them")
    stream: str | None = None
    camera: str | None = None
    after_s: float | None = None
    before_s: float | None = None
    import_id: str | None = None
    sense: str | None = None


class ToMerge(BaseModel):
    """Two entities that are one, by their ids."""

    model_config = _STRICT

    into: str
    other: str


class ToSplit(BaseModel):
    """A visit that is somebody else's, by its id."""

    model_config = _STRICT

    visit: str


class ToUndo(BaseModel):
    """The number of a link, merge or split."""

    model_config = _STRICT

    change: int


def change_routes(session: Keeps, entities: CorrectsEntities, *, read_only: bool) -> APIRouter:
    """Routes that change the memory.

    Args:
        session: Pins and deletes.
        entities: Merges and splits things and people.
        read_only: Whether all of them are refused.
    """

    def allowed() -> None:
        if read_only:
            raise RefusedError(403, "this memory is shown read-only")

    router = APIRouter(tags=["change"], dependencies=[Depends(allowed)])

    @router.post("/pin", response_model=PinnedJson)
    def pin(wanted: ToPin) -> Response:
        """Never give up these entries; or give them up like any others."""
        return JSONResponse(pinned_json(session.pin(wanted.entries, wanted.pinned), wanted.pinned))

    @router.post("/forget/preview", response_model=PreviewJson)
    def preview(wanted: ToForget) -> Response:
        """Tell what `forget` would delete, and delete nothing."""
        where = Filter(
            stream=wanted.stream, camera=wanted.camera, after_s=wanted.after_s, before_s=wanted.before_s
        )
        origin = {"import_id": wanted.import_id, "sense": wanted.sense}
        return JSONResponse(preview_json(forget_preview(session.folder, wanted.entries, where, **origin)))

    @router.post("/forget", response_model=DeletionJson)
    def forget(wanted: ToForget) -> Response:
        """Delete for good, from the disk too; nothing brings it back."""
        return JSONResponse(deletion_json(session.forget(**wanted.model_dump())))

    @router.post("/entities/merge", response_model=ChangeJson)
    def merge(wanted: ToMerge) -> Response:
        """Make two entities one."""
        change = entities.merge_entities(parse_id(wanted.into), parse_id(wanted.other))
        return JSONResponse(change_json(change))

    @router.post("/entities/split", response_model=ChangeJson)
    def split(wanted: ToSplit) -> Response:
        """Make a visit an entity of its own."""
        return JSONResponse(change_json(entities.split_entity(parse_id(wanted.visit))))

    @router.post("/entities/undo", response_model=ChangeJson)
    def undo(wanted: ToUndo) -> Response:
        """Undo a link, merge or split."""
        return JSONResponse(change_json(entities.undo_entities(wanted.change)))

    return router
