"""What commands print for people: reports as lines and tables."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hippocam.apps.archive.records import ArchivedMemory, ArchiveReport, ArchiveStatus
from hippocam.apps.records import Answer, ImportReport, Status, WatchReport
from hippocam.apps.wording import NO_PICTURE, megabytes, moment_time, other_spans, surety_of
from hippocam.memory.entities.describing import position_of
from hippocam.memory.records import KEY_FRAMES, Evidence, StreamStatus
from hippocam.stream.errors import Failure
from hippocam.stream.timecode import DATES_FROM_S, format_time

# Gaps of a stream that are told with their times.
_GAPS = 3


def watch_lines(report: WatchReport) -> list[str]:
    """A watch's outcome for people."""
    lines = []
    for s in report.streams:
        rate = "every frame" if s.fps is None else f"{s.fps:g} frames a second"
        rate = "its key frames alone" if s.fps == KEY_FRAMES else rate
        again = f" (some or all of it was watched before, at {rate})" if s.resumed else ""
        seen = "key frames" if s.fps == KEY_FRAMES else "frames"
        lines.append(
            f"{s.id}: {_watched(s.duration_s)}, {s.frames_seen} {seen} seen, "
            f"{s.frames_encoded} encoded, {s.events} events, {s.entries} kept{again}"
        )
    lines.append(
        f"memory {megabytes(report.memory_bytes)} of {megabytes(report.budget_bytes)}; "
        f"{report.seconds:.1f} s, {report.times_real_time:.1f}x real time"
        + (f"; {len(report.failed)} failed" if report.failed else "")
    )
    if any(stage.items for stage in report.stages):
        lines.append("at work: " + ", ".join(f"{s.stage} {s.busy_s:.1f} s" for s in report.stages))
    return lines


def _watched(end_s: float) -> str:
    return f"watched up to {format_time(end_s)}" if end_s >= DATES_FROM_S else f"{format_time(end_s)} watched"


def import_lines(report: ImportReport) -> list[str]:
    """An import's outcome for people."""
    lines = [f"{name}: was there already, and stays as it was" for name in report.known]
    count = len(report.streams)
    taken = f"{count} stream{'' if count == 1 else 's'} with {report.entries} entries and {report.notes} notes"
    room = f"memory {megabytes(report.memory_bytes)} of {megabytes(report.budget_bytes)}"
    lines.append(f"{taken} taken in as import {report.id}; {report.held} entries held, {room}")
    return lines


def archive_lines(report: ArchiveReport) -> list[str]:
    """An archive run's outcome for people; its failures go to stderr."""
    lines = [_archived(memory) for memory in report.memories]
    lines += [f"{path}: moved here, archived before" for path in report.moved]
    lines += [f"{old.source}: in quarantine (--retry tries it again): {old.reason}" for old in report.quarantined]
    lines += _duplicates(report.duplicates)
    lines += _gone(report.gone)
    lines += [f"{failure.source}: left out: {failure.reason}" for failure in report.left_out]
    if report.undated:
        count = len(report.undated)
        lines.append(
            f"{count} recording{'' if count == 1 else 's'} without a known date, whose times count from 0:00 "
            f"(--time-from tells it): {report.undated[0]}{', ...' if count > 1 else ''}"
        )
    known = f", {report.known} known already" if report.known else ""
    failed = f", {len(report.failed)} failed" if report.failed else ""
    lines.append(
        f"{report.archived} archived{known}{failed}; {report.hours:.2f} hours of footage in "
        f"{format_time(report.seconds)} with {report.workers} worker{'' if report.workers == 1 else 's'}; "
        f"{report.hours_per_core_hour:.1f} hours per core-hour"
    )
    return lines


def archive_status_lines(status: ArchiveStatus) -> list[str]:
    """How far an archive is, for people."""
    lines = [_archived(memory) for memory in status.memories]
    lines += [f"{failure.source}: in quarantine: {failure.reason}" for failure in status.quarantined]
    lines += _duplicates(status.duplicates)
    lines += _gone(status.gone)
    counts = ", ".join(f"{count} {state}" for state, count in status.recordings.items() if count) or "none"
    lines.append(f"recordings: {counts}; {status.hours:.2f} hours of footage in the memories")
    if (run := status.running) is None:
        return [*lines, "nothing goes on now"]
    left = (
        ", no estimate before the first segment is made"
        if run.left_s is None
        else f", about {format_time(round(run.left_s))} left"
    )
    failed = f", {run.failed} failed" if run.failed else ""
    lines.append(
        f"running for {format_time(round(run.seconds))}: {run.done} of {run.total} recordings, "
        f"{format_time(run.done_s)} of {format_time(run.total_s)} of footage{left}{failed}, "
        f"{run.workers} worker{'' if run.workers == 1 else 's'}"
    )
    return lines


def _archived(memory: ArchivedMemory) -> str:
    given_up = f", {memory.given_up} events given up" if memory.given_up else ""
    recordings = f"{memory.recordings} recording{'' if memory.recordings == 1 else 's'}"
    room = f"{megabytes(memory.bytes)} of {megabytes(memory.budget_bytes)}"
    return f"{memory.folder}: {recordings}, {room}{given_up}"


def _duplicates(found: Sequence[Failure]) -> list[str]:
    return [f"{each.source}: not archived again: {each.reason}" for each in found]


def _gone(paths: Sequence[str]) -> list[str]:
    if not paths:
        return []
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return [f"{paths[0]}{more}: archived, and no longer there; what was seen is held"]


def evidence_lines(moments: Sequence[Evidence], *, figures: bool = False) -> list[str]:
    """Moments for people, two or three lines each; with figures also what the belief in each rests on."""
    return [
        line
        for rank, moment in enumerate(moments, start=1)
        for line in _moment_lines(rank, moment, figures=figures)
    ]


def _moment_lines(rank: int, moment: Evidence, *, figures: bool) -> list[str]:
    span = " - ".join(moment_time(moment, time_s) for time_s in (moment.t0_s, moment.t1_s))
    picture = moment.image or f"({NO_PICTURE})"
    sure = surety_of(moment).value
    lines = [f"{rank}. {span}  {moment.stream}  {sure}  {picture}"]
    if moment.sentence:
        lines.append(f"   looks like {moment.sentence}")
    if moment.thing:
        where = f", {position_of(moment.box)} of the picture" if moment.box is not None else ""
        lines.append(f"   {moment.thing}{where}")
    if figures:
        lines.append(f"   belief {moment.score:.0%}: {moment.why}")
    others = other_spans(moment)
    if others:
        more = f" ({moment.met} times in all)" if moment.met > len(moment.spans) else ""
        lines.append(f"   also seen at {', '.join(moment_time(moment, t0_s) for t0_s, _ in others)}{more}")
    return lines


def answer_lines(answer: Answer, *, figures: bool = False) -> list[str]:
    """An answer for people, and the moments that it rests on, or only the nearest one if nothing was seen."""
    lines = answer.answer.splitlines()
    for rank, moment in enumerate(answer.evidence, start=1):
        if moment.id in answer.cited or (moment.score >= 0.1 and (rank == 1 or not answer.not_seen)):
            lines += _moment_lines(rank, moment, figures=figures)
    return lines


def given_lines(answer: Answer) -> list[str]:
    """What the reader was given, for people, with its prompt word for word."""
    pictures = sum(given.picture for given in answer.given)
    count = len(answer.given)
    lines = [str(answer.understood)] if answer.understood else []
    if answer.looked is not None:
        lines += [
            f"looked again at {format_time(step.t0_s)} to {format_time(step.t1_s)} of {step.stream}, "
            f"{step.frames} frames at {step.fps:g} a second: best at {format_time(step.best_s)}, "
            f"belief {step.belief:.0%}"
            for step in answer.looked.steps
        ]
        lines.append(f"stopped: {answer.looked.stopped}")
    lines += [f"{answer.reader} was given {count} moment{'' if count == 1 else 's'}, {pictures} with a picture:"]
    for given in answer.given:
        picture = "picture" if given.picture else "no picture"
        lines.append(f"  {given.mark}  {format_time(given.time_s)}  {given.stream}  {picture}  {given.id}")
    return [*lines, *answer.prompt.splitlines(), ""]


def status_lines(status: Status) -> list[str]:
    """What a memory holds for people, as a table."""
    lines = [
        f"memory {status.memory}: {megabytes(status.bytes)} of {megabytes(status.budget_bytes)}, "
        f"encoder {status.encoder}",
        *(
            f"pending: forgetting {what} was cut short; the next command that writes ends it"
            for what in status.pending
        ),
        "",
    ]
    rows = [("stream", "time covered", "seen", "encoded", "events", "kept", "given up", "bytes", "")]
    for s in status.streams:
        covered = "-" if s.t0_s is None or s.t1_s is None else f"{format_time(s.t0_s)} - {format_time(s.t1_s)}"
        rows.append(
            (
                s.id, covered, str(s.frames_seen), str(s.frames_encoded), str(s.events), str(s.entries),
                str(s.evicted), megabytes(s.entry_bytes), ", ".join(_remarks(s)),
            )
        )  # fmt: skip
    lines += [*_table(rows), *_gap_lines(status.streams), ""]
    tiers = [("tier", "entries", "bytes", "budget", "on")]
    for t in status.tiers:
        budget = "-" if t.budget_bytes is None else megabytes(t.budget_bytes)
        tiers.append((t.name, str(t.entries), megabytes(t.bytes), budget, t.where))
    return lines + _table(tiers)


def _gap_lines(streams: Sequence[StreamStatus]) -> list[str]:
    """Of streams that were not looked at all the time, when nobody looked."""
    lines = []
    for stream in streams:
        gaps = [(before[1], after[0]) for before, after in pairwise(stream.looked)]
        if gaps:
            longest = sorted(gaps, key=lambda gap: gap[0] - gap[1])[:_GAPS]
            told = ", ".join(f"{format_time(t0_s)} - {format_time(t1_s)}" for t0_s, t1_s in sorted(longest))
            more = f" and {len(gaps) - len(longest)} shorter gaps" if len(gaps) > len(longest) else ""
            lines.append(f"{stream.id}: nobody looked {told}{more}")
    return ["", *lines] if lines else []


def _remarks(stream: StreamStatus) -> list[str]:
    remarks = ["key frames"] * stream.coarse + ["not finished"] * (not stream.complete)
    apart = {"": [], "part": ["partly in quarantine"], "all": ["in quarantine"]}[stream.quarantined]
    return remarks + ["imported"] * stream.imported + apart


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
