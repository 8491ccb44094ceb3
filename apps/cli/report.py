"""What commands print: reports into lines for people and into JSON for programs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

from tqdm import tqdm

from hippocam.apps.records import Answer, ImportReport, Status, WatchProgress, WatchReport
from hippocam.memory.records import KEY_FRAMES, Evidence, StreamStatus
from hippocam.stream.timecode import format_time

# What stands in place of a picture that is no longer kept.
NO_PICTURE = "picture given up for the budget"


class ProgressBar:
    """A bar on stderr: how far each source has come, and the speed in multiples of real time."""

    def __init__(self) -> None:
        self._bar: tqdm[Any] | None = None
        self._source = ""

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def update(self, progress: WatchProgress) -> None:
        """Show the newest state."""
        if self._bar is None:
            self._bar = tqdm(total=1.0, file=sys.stderr, bar_format="|{bar:24}| {desc}")
        share = min(1.0, progress.time_s / progress.duration_s) if progress.duration_s else 0.0
        self._bar.n = (progress.done + (0.0 if progress.done == progress.total else share)) / max(
            1, progress.total
        )
        self._bar.n = min(1.0, self._bar.n)
        speed = progress.watched_s / progress.seconds if progress.seconds else 0.0
        self._bar.set_description_str(
            f"{progress.done}/{progress.total}  {format_time(progress.time_s)}  {speed:.1f}x real time  "
            f"{Path(progress.source).name[-40:]}"
        )


def megabytes(count: int) -> str:
    """Write bytes as people do."""
    return f"{count / 1e6:.1f} MB"


def watch_json(report: WatchReport) -> dict[str, Any]:
    """A watch's outcome as JSON values."""
    return asdict(report)


def watch_lines(report: WatchReport) -> list[str]:
    """A watch's outcome for people."""
    lines = []
    for s in report.streams:
        rate = "every frame" if s.fps is None else f"{s.fps:g} frames a second"
        rate = "its key frames alone" if s.fps == KEY_FRAMES else rate
        again = f" (some or all of it was watched before, at {rate})" if s.resumed else ""
        seen = "key frames" if s.fps == KEY_FRAMES else "frames"
        lines.append(
            f"{s.id}: {format_time(s.duration_s)} watched, {s.frames_seen} {seen} seen, "
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


def import_json(report: ImportReport) -> dict[str, Any]:
    """An import's outcome as JSON values."""
    return asdict(report)


def import_lines(report: ImportReport) -> list[str]:
    """An import's outcome for people."""
    lines = [f"{name}: was there already, and stays as it was" for name in report.known]
    count = len(report.streams)
    taken = f"{count} stream{'' if count == 1 else 's'} with {report.entries} entries and {report.notes} notes"
    room = f"memory {megabytes(report.memory_bytes)} of {megabytes(report.budget_bytes)}"
    lines.append(f"{taken} taken in; {report.held} entries held, {room}")
    return lines


def evidence_json(evidence: Evidence) -> dict[str, Any]:
    """A moment as JSON values."""
    return {
        "id": evidence.id,
        "stream": evidence.stream,
        "t0_s": round(evidence.t0_s, 3),
        "t1_s": round(evidence.t1_s, 3),
        "score": round(evidence.score, 4),
        "why": evidence.why,
        "image": evidence.image,
        "spans": [[round(t0_s, 3), round(t1_s, 3)] for t0_s, t1_s in evidence.spans],
        "met": evidence.met,
        "place": evidence.place,
        "coarse": evidence.coarse,
        "notes": [
            {"kind": n.kind, "t0_s": round(n.t0_s, 3), "t1_s": round(n.t1_s, 3), "text": n.text}
            for n in evidence.notes
        ],
    }


def evidence_lines(moments: Sequence[Evidence]) -> list[str]:
    """Moments for people, two or three lines each."""
    return [line for place, moment in enumerate(moments, start=1) for line in _moment_lines(place, moment)]


def _moment_lines(place: int, moment: Evidence) -> list[str]:
    span = " - ".join(moment_time(moment, time_s) for time_s in (moment.t0_s, moment.t1_s))
    picture = moment.image or f"({NO_PICTURE})"
    lines = [f"{place}. {span}  {moment.stream}  {moment.score:.0%}  {picture}", f"   {moment.why}"]
    others = other_spans(moment)
    if others:
        more = f" ({moment.met} times in all)" if moment.met > len(moment.spans) else ""
        lines.append(f"   also seen at {', '.join(moment_time(moment, t0_s) for t0_s, _ in others)}{more}")
    return lines


def moment_time(moment: Evidence, time_s: float) -> str:
    """A time of a moment as people read it: "0:12", or "~0:12" where it is that of a key frame."""
    return ("~" if moment.coarse else "") + format_time(time_s)


def other_spans(moment: Evidence) -> list[tuple[float, float]]:
    """The times at which a moment's thing was seen besides its own, by time."""
    own = moment.t0_s, moment.t1_s
    shares = (span[0] <= own[1] and own[0] <= span[1] for span in moment.spans)  # with its notes
    return [
        span
        for span, shared in zip(moment.spans, shares, strict=True)
        if span != own and not (moment.noted and shared)
    ]


def answer_json(answer: Answer, *, explain: bool = False) -> dict[str, Any]:
    """An answer as JSON values; with explain also word for word what the reader was given."""
    value: dict[str, Any] = {
        "answer": answer.answer,
        "unknown": answer.unknown,
        "confidence": round(answer.confidence, 4),
        "evidence": [evidence_json(moment) for moment in answer.evidence],
        "cited": list(answer.cited),
        "sentences": [{"text": s.text, "evidence": list(s.evidence_ids)} for s in answer.sentences],
        "given": [{**asdict(given), "time_s": round(given.time_s, 3)} for given in answer.given],
        "reader": answer.reader,
        "failed": answer.failed,
        "understood": str(answer.understood or ""),
        "looked_again": None
        if answer.looked is None
        else {"stopped": answer.looked.stopped, "steps": [asdict(step) for step in answer.looked.steps]},
        "latency_ms": round(answer.latency_ms, 1),
    }
    return value | {"prompt": answer.prompt} if explain else value


def answer_lines(answer: Answer) -> list[str]:
    """An answer for people: the evidence first; where nothing was seen, only what came nearest."""
    lines = []
    for place, moment in enumerate(answer.evidence, start=1):
        if moment.id in answer.cited or (moment.score >= 0.1 and (place == 1 or not answer.not_seen)):
            lines += _moment_lines(place, moment)
    return [*lines, answer.answer]


def given_lines(answer: Answer) -> list[str]:
    """What the reader was given, for people; where that is a prompt, word for word."""
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


def status_json(status: Status) -> dict[str, Any]:
    """What a memory holds as JSON values."""
    return asdict(status) | {"streams": [{**asdict(s), "coarse": s.coarse} for s in status.streams]}


def status_lines(status: Status) -> list[str]:
    """What a memory holds for people, as a table."""
    lines = [
        f"memory {status.memory}: {megabytes(status.bytes)} of {megabytes(status.budget_bytes)}, "
        f"encoder {status.encoder}",
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
    lines += [*_table(rows), ""]
    tiers = [("tier", "entries", "bytes", "budget", "on")]
    for t in status.tiers:
        budget = "-" if t.budget_bytes is None else megabytes(t.budget_bytes)
        tiers.append((t.name, str(t.entries), megabytes(t.bytes), budget, t.where))
    return lines + _table(tiers)


def _remarks(stream: StreamStatus) -> list[str]:
    return ["key frames"] * stream.coarse + ["not finished"] * (not stream.complete)


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
