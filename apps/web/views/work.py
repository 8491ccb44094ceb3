"""Jobs and uploads: what is worked on, stopping it, going on with it; bytes that come in."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import JSONResponse, Response

from hippocam.apps.errors import TooLargeError, UploadError, advised
from hippocam.apps.web.access.client import client_of
from hippocam.apps.web.access.limits import UPLOAD, UPLOAD_PART, UPLOADS, Allowance
from hippocam.apps.web.advice import ADVICE
from hippocam.apps.web.beside import uploads_folder
from hippocam.apps.web.views.site import Json, Sent, Site, number_of, text_of
from hippocam.apps.web.work.converted import ConvertVideo
from hippocam.apps.web.work.incoming import Incoming
from hippocam.apps.web.work.jobs import Jobs
from hippocam.apps.web.work.uploads import UPLOAD_LIMIT_BYTES, receive
from hippocam.apps.web.work.watching import WatchVideo

# Videos that wait for their turn.
_WAITING = 50
_BUSY = "too many videos at a time; wait until some of them are done"


def work_routes(site: Site) -> APIRouter:
    """The routes of jobs."""
    router = APIRouter()

    @router.get("/hippocam/jobs")
    def jobs(visitor: str = "") -> Json:
        return {"jobs": [] if site.jobs is None else site.jobs.listed(visitor)}

    @router.post("/hippocam/jobs/{job_id}/cancel")
    def cancel(job_id: int) -> Json:
        if not site.changing().cancel(job_id):
            raise HTTPException(404, "it has ended already")
        return {"stopping": True}

    @router.post("/hippocam/jobs/{job_id}/resume")
    def resume(job_id: int, body: Sent) -> Json:
        job = site.changing().resume(job_id, visitor=text_of(body, "visitor"))
        if job is None:
            raise HTTPException(404, "it cannot be gone on with; add it again")
        return {"job": job}

    @router.post("/hippocam/convert/{key}")
    def convert(key: str, body: Sent) -> Json:
        """Make a version of a stream that browsers play."""
        jobs, source = site.changing(), site.library.video(key)
        if source is None:
            raise HTTPException(404, "there is no video file to convert")
        work = ConvertVideo(site.session.folder, key, source)
        return {"job": jobs.add(work, visitor=text_of(body, "visitor"))}

    return router


def upload_routes(site: Site, jobs: Jobs) -> APIRouter:
    """The routes that take videos; what is uploaded is kept in a folder."""
    router, under_way = APIRouter(), Allowance(UPLOADS)
    folder = uploads_folder(site.session.folder)
    incoming = Incoming(folder)

    def full() -> bool:
        return jobs.waiting() >= _WAITING

    @router.post(UPLOAD, response_model=None)
    async def upload(request: Request, name: str, visitor: str = "") -> Response:
        with under_way.take(client_of(request)) as free:
            if not free or full():
                return JSONResponse({"error": _BUSY}, status_code=429)
            try:
                announced = request.headers.get("content-length", "0")
                size = int(announced) if announced.isdecimal() else 0
                if size > UPLOAD_LIMIT_BYTES:
                    raise TooLargeError(UPLOAD_LIMIT_BYTES)
                path = await receive(request.stream(), folder, name, announced=size)
            except UploadError as error:
                return _refused(error)
            return JSONResponse({"job": jobs.add(_watch(site, path), visitor=visitor)})

    @router.post("/hippocam/uploads", response_model=None)
    def begin(body: Sent) -> Response:
        if full():
            return JSONResponse({"error": _BUSY}, status_code=429)
        try:
            size = int(number_of(body, "size") or 0)
            return JSONResponse({"id": incoming.begin(text_of(body, "name"), size, text_of(body, "visitor"))})
        except UploadError as error:
            return _refused(error)

    @router.get(UPLOAD_PART + "{upload_id}", response_model=None)
    def at(upload_id: str) -> Response:
        have = incoming.at(upload_id)
        return JSONResponse({"at": have}) if have is not None else JSONResponse({"error": "gone"}, status_code=404)

    @router.post(UPLOAD_PART + "{upload_id}", response_model=None)
    async def part(request: Request, upload_id: str, at: int, visitor: str = "") -> Response:
        with under_way.take(client_of(request)) as free:
            if not free:
                return JSONResponse({"error": _BUSY}, status_code=429)
            try:
                came = await incoming.receive(upload_id, at, request.stream())
            except UploadError as error:
                return _refused(error)
            if isinstance(came, int):
                return JSONResponse({"at": came})
            return JSONResponse({"job": jobs.add(_watch(site, came), visitor=visitor)})

    @router.delete(UPLOAD_PART + "{upload_id}", response_model=None)
    def drop(upload_id: str) -> Response:
        return JSONResponse({"dropped": incoming.drop(upload_id)})

    return router


def _watch(site: Site, path: Path) -> WatchVideo:
    return WatchVideo(site.session, site.library, path, uploaded=True)


def _refused(error: UploadError) -> Response:
    code = 413 if isinstance(error, TooLargeError) else 400
    return JSONResponse({"error": advised(error, ADVICE)}, status_code=code)
