"""Routes to what the server works on: watches and sleeps are begun, looked at, cancelled and gone on with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from hippocam.apps.errors import RefusedError
from hippocam.apps.web.media import Library
from hippocam.apps.web.work.allowed import allowed
from hippocam.apps.web.work.jobs import Work
from hippocam.apps.web.work.watching import SleepNow, Watches, WatchVideo

# Jobs that wait for their turn at most.
_WAITING = 50
# The visitor that programs are: each sees how the others' jobs failed, too.
_PROGRAM = ""
_Listed = dict[str, list[dict[str, Any]]]


class Works(Protocol):
    """Who works: `Jobs`."""

    def add(self, work: Work, *, visitor: str = "") -> int:
        """Put something in the queue; gives its number."""

    def cancel(self, job_id: int) -> bool:
        """Stop a job; whether there was anything to stop."""

    def resume(self, job_id: int, *, visitor: str = "") -> int | None:
        """Put a job in the queue again; its new number, None where it cannot be."""

    def waiting(self) -> int:
        """How many jobs wait or are at work."""

    def listed(self, visitor: str) -> Sequence[Mapping[str, object]]:
        """The jobs as JSON values."""


class ToWork(BaseModel):
    """What is to be worked on: a path, folder or pattern to watch; or a sleep, with the share that it leaves."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    kind: Literal["watch", "sleep"]
    path: str = Field("", max_length=4096, description="what is watched, below a folder that is allowed")
    target: float | None = Field(None, gt=0, le=1, description="share of the entries that a sleep leaves")


def job_routes(jobs: Works | None, session: Watches, library: Library, roots: Sequence[Path]) -> APIRouter:
    """Routes to jobs.

    Args:
        jobs: Works on them; None where nothing may be changed.
        session: Watches and sleeps.
        library: The streams of the same session.
        roots: Folders of which files may be watched by their path.
    """
    router = APIRouter(tags=["jobs"])

    def working() -> Works:
        if jobs is None:
            raise RefusedError(403, "this memory is shown read-only")
        return jobs

    @router.get("/jobs", response_model=_Listed)
    def every() -> Response:
        """What the server works on, and what it did last, with progress."""
        return JSONResponse({"jobs": [] if jobs is None else list(jobs.listed(_PROGRAM))})

    @router.get("/jobs/{job_id}", response_model=dict[str, Any])
    def one(job_id: int) -> Response:
        """How far one job has come."""
        found = next((job for job in working().listed(_PROGRAM) if job["id"] == job_id), None)
        if found is None:
            raise RefusedError(404, f"there is no job {job_id}")
        return JSONResponse(found)

    @router.post("/jobs", response_model=dict[str, list[int]], status_code=202)
    def begin(wanted: ToWork) -> Response:
        """Begin to watch or to sleep; gives the numbers of the jobs, one for each file that a pattern means."""
        queue = working()
        works: list[Work] = [SleepNow(session, wanted.target)]
        if wanted.kind == "watch":
            works = [WatchVideo(session, library, path) for path in allowed(wanted.path, roots)]
        if queue.waiting() + len(works) > _WAITING:
            raise RefusedError(429, f"{_WAITING} jobs may wait at a time; wait until some of them are done")
        return JSONResponse({"jobs": [queue.add(work, visitor=_PROGRAM) for work in works]}, status_code=202)

    @router.post("/jobs/{job_id}/cancel", response_model=dict[str, bool])
    def cancel(job_id: int) -> Response:
        """Stop a job at its next step; what it has done is kept."""
        if not working().cancel(job_id):
            raise RefusedError(409, f"job {job_id} has ended, or there is none such")
        return JSONResponse({"stopping": True})

    @router.post("/jobs/{job_id}/resume", response_model=dict[str, int], status_code=202)
    def resume(job_id: int) -> Response:
        """Go on with a job that was cancelled or failed; gives its new number."""
        number = working().resume(job_id, visitor=_PROGRAM)
        if number is None:
            raise RefusedError(409, f"job {job_id} cannot be gone on with")
        return JSONResponse({"job": number}, status_code=202)

    return router
