"""`hippocam archive`: a whole archive of footage into memories.

Nothing heavy is imported before it runs.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from hippocam.apps.terminal import tell, tell_json, warn

DEFAULT_MEMORIES = "hippocam-archive"


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `archive` to the command line."""
    text = "take a whole archive of footage in, on all cores; run again, it goes on where it was"
    archive = commands.add_parser("archive", help=text)
    archive.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="file, folder or quoted glob; or status: how far it is; or fetch: copied memories",
    )
    archive.add_argument(
        "--memories",
        type=Path,
        default=Path(DEFAULT_MEMORIES),
        metavar="DIR",
        help=f"folder of the memories and their ledger (default {DEFAULT_MEMORIES})",
    )
    archive.add_argument(
        "--per", choices=("all", "folder", "camera"), help="one memory for all (default), a folder, or a camera"
    )
    archive.add_argument(
        "--split",
        choices=("day", "week", "month", "year"),
        help="a memory for each day, week, month or year of these, for long cameras",
    )
    archive.add_argument(
        "--camera-from", metavar="PATTERN", help="what in a path names the camera: '{camera}/%%Y-%%m-%%d/*'"
    )
    archive.add_argument(
        "--time-from",
        metavar="PATTERN",
        help="what in a path says when a recording begins: '%%Y%%m%%d_%%H%%M%%S'; none for times from 0",
    )
    archive.add_argument(
        "--budget-mb", type=float, metavar="N", help="what each memory may take on disk (default 256)"
    )
    archive.add_argument(
        "--budget-mb-per-hour", type=float, metavar="N", help="what each may take for an hour of footage, if more"
    )
    archive.add_argument("--fps", type=float, metavar="F", help="frames looked at a second (default 1)")
    archive.add_argument("--encoder", metavar="NAME", help="as for watch")
    archive.add_argument("--config", metavar="NAME", help="settings: one that ships, or a YAML file")
    archive.add_argument(
        "--segment", type=float, metavar="S", help="seconds of footage that are worked on at a time (default 300)"
    )
    archive.add_argument(
        "--resume", action="store_true", help="go on with the last run: its paths and options, unless given"
    )
    archive.add_argument("--retry", action="store_true", help="try again what is in quarantine")
    archive.add_argument(
        "--duplicates",
        action=argparse.BooleanOptionalAction,
        help="archive what is the same as another recording, too (default: once, and it is listed)",
    )
    archive.add_argument("--zones", type=Path, metavar="FILE", help="zones and masks of cameras in a YAML file")
    archive.add_argument("--work", metavar="DIR", help="folder for what waits (default: beside the memories)")
    archive.add_argument(
        "--copy-to", metavar="ADDRESS", help="where finished memories are copied: s3://..., gs://... or a folder"
    )
    archive.add_argument(
        "--executor",
        choices=("auto", "ray", "local"),
        default="auto",
        help="on Ray, or in this process (default: here for a few minutes of footage)",
    )
    archive.add_argument("--address", metavar="CLUSTER", help="of a Ray cluster (default: Ray on this machine)")
    archive.add_argument("--workers", type=int, metavar="N", help="default: one on every free core")
    archive.add_argument(
        "--worker-memory-mb", type=float, default=900.0, metavar="N", help="kept for each worker (default 900)"
    )
    archive.add_argument(
        "--gpu-share", type=float, metavar="F", help="share of a GPU for each worker (default: divided among them)"
    )
    archive.add_argument("--json", action="store_true", help="one JSON object on the last line of stdout")
    archive.set_defaults(run=_archive)


def _archive(options: argparse.Namespace) -> int:
    if options.paths == ["status"] and not Path("status").exists():
        return _status(options)
    if options.paths == ["fetch"] and not Path("fetch").exists():
        return _fetch(options)
    return _run(options)


def _fetch(options: argparse.Namespace) -> int:
    from hippocam.apps.archive.depot import fetched
    from hippocam.stream.errors import HippocamError

    if options.copy_to is None:
        raise HippocamError("fetch: from where? give --copy-to ADDRESS")
    names = fetched(options.copy_to, options.memories)
    if options.json:
        tell_json({"memories": [str(options.memories / name) for name in names]})
    else:
        tell(*(str(options.memories / name) for name in names))
    return 0


def _status(options: argparse.Namespace) -> int:
    from hippocam.apps.api import archive_status_json
    from hippocam.apps.archive.status import archive_status
    from hippocam.apps.cli.report import archive_status_lines

    found = archive_status(options.memories)
    if options.json:
        tell_json(archive_status_json(found))
    else:
        tell(*archive_status_lines(found))
    return 0


def _run(options: argparse.Namespace) -> int:
    from hippocam.apps.api import archive_json
    from hippocam.apps.archive.records import ArchiveConfig, ArchiveRequest, Executor
    from hippocam.apps.archive.run import archive
    from hippocam.apps.cli.progress import ArchiveBar
    from hippocam.apps.cli.report import archive_lines
    from hippocam.apps.zones.files import read_zones
    from hippocam.stream.archive.nodes import WorkersConfig

    request = ArchiveRequest(
        paths=tuple(options.paths),
        per=options.per,
        split=options.split,
        fps=options.fps,
        encoder=options.encoder,
        budget_mb=options.budget_mb,
        config=options.config,
        segment_s=options.segment,
        time_from=options.time_from,
        camera_from=options.camera_from,
        work=options.work,
        budget_mb_per_hour=options.budget_mb_per_hour,
        copy_to=options.copy_to,
        duplicates=options.duplicates,
        zones={name: asdict(marked) for name, marked in read_zones(options.zones).items()}
        if options.zones
        else None,
    )
    workers = WorkersConfig(
        address=options.address,
        workers=options.workers,
        gpu_share=options.gpu_share,
        memory_mb=options.worker_memory_mb,
    )
    asked = options.address or options.workers or options.gpu_share
    executor: Executor = "ray" if asked and options.executor == "auto" else options.executor
    config = ArchiveConfig(executor=executor, workers=workers, retry=options.retry)
    with ArchiveBar() as bar:
        report = archive(
            options.memories, request, config, resume=options.resume, on_progress=bar.update, on_note=bar.note
        )
    if options.json:
        tell_json(archive_json(report))
    else:
        tell(*archive_lines(report))
    for failure in report.failed:
        warn(f"hippocam: {failure.source}: {failure.reason}")
    return 1 if report.failed else 0
