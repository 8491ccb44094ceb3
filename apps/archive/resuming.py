"""What a run is asked for, filled in from the run before."""

from __future__ import annotations

import os
from dataclasses import asdict, replace

from hippocam.apps.archive.ledger import Ledger
from hippocam.apps.archive.records import ArchiveRequest
from hippocam.apps.encoder_choice import encoder_name
from hippocam.apps.settings import load_settings
from hippocam.stream.errors import HippocamError
from hippocam.stream.sources.remote import is_remote


def settled(ledger: Ledger, request: ArchiveRequest, *, resume: bool) -> ArchiveRequest:
    """Fill in what a request leaves open, and keep the result in the ledger.

    Args:
        ledger: Of the archive.
        request: What was asked for.
        resume: Take all that it leaves open from the run before, the paths included.

    Raises:
        HippocamError: There is nothing to archive, or the memories are of another kind.
    """
    before = ArchiveRequest(**(ledger.setting("request") or {}))
    if resume:
        chosen = {key: value for key, value in asdict(request).items() if value not in (None, ())}
        request = replace(before, **chosen)
    if not request.paths:
        raise HippocamError("nothing to archive; give files or folders")
    per = request.per or before.per or "all"
    if before.per not in (None, per):
        raise HippocamError(
            f"--per {per}: the memories here are one per {before.per}; leave it out, or give another --memories"
        )
    if before.per is not None and request.split not in (None, before.split):
        kept = f"split by {before.split}" if before.split else "not split by time"
        raise HippocamError(f"--split {request.split}: the memories here are {kept}; give another --memories")
    name = encoder_name(request.encoder, before.encoder, load_settings(request.config).encoder)
    request = replace(
        request,
        per=per,
        split=request.split or before.split,
        encoder=name,
        work=request.work or before.work,
        copy_to=request.copy_to or before.copy_to,
        duplicates=before.duplicates if request.duplicates is None else request.duplicates,
        zones=before.zones if request.zones is None else request.zones,
    )
    # a later run may start in another folder
    request = replace(request, paths=tuple(map(_absolute, request.paths)))
    if request.work is not None:
        request = replace(request, work=_absolute(request.work))
    if request.copy_to is not None:
        request = replace(request, copy_to=_absolute(request.copy_to))
    with ledger.transaction():
        ledger.set_setting("request", asdict(request))
    return request


def _absolute(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path)) if path.strip() and not is_remote(path) else path
