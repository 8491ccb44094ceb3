"""What `hippocam bench scale --hours` found, as Markdown; from it, what a cluster needs as arithmetic."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

# Hours in which a cluster has to take in the largest archive.
_DAY_H = 24
# Live cameras that it has to watch.
_CAMERAS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A stretch of one camera, 1 frame a second, through `Memory.write`.

    Attributes:
        hours: Its length.
        frames: Frames that were written.
        entries: Entries that they made.
        seconds: How long it took.
        folder_bytes: What the memory takes, pictures and all.
        picture_bytes: How much of that pictures take.
    """

    hours: float
    frames: int
    entries: int
    seconds: float
    folder_bytes: int
    picture_bytes: int

    @property
    def frames_a_second(self) -> float:
        """What one writer takes."""
        return self.frames / self.seconds

    @property
    def bytes_an_hour(self) -> float:
        """What an hour takes on disk."""
        return self.folder_bytes / self.hours

    @property
    def bare_bytes_an_hour(self) -> float:
        """The same without pictures."""
        return (self.folder_bytes - self.picture_bytes) / self.hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Memories of some hours in all, asked as one.

    Attributes:
        hours: Hours in all.
        shards: Memories.
        entries: Entries in all.
        fill_s: Time in which the rows that the size before did not have were stored, s.
        fill_rows: How many these were.
        disk_bytes: Bytes of the databases, without pictures.
        rss_mb: What the process's memory grew by while they were opened and asked.
        first_s: The first question, which reads every vector into the index, s.
        settle_s: Time in which the large memories' view was built beside the questions, s.
        p50_ms: Median time of a question after that, without a text encoder, ms.
        p95_ms: 95th percentile.
        found: Share of the questions, each at a cosine of 0.9 with one entry, whose first answer is that entry.
    """

    hours: int
    shards: int
    entries: int
    fill_s: float
    fill_rows: int
    disk_bytes: int
    rss_mb: float
    first_s: float
    settle_s: float
    p50_ms: float
    p95_ms: float
    found: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursResult:
    """The result of a run.

    Attributes:
        dim: D.
        entries_an_hour: What an hour was taken to make.
        shard_hours: What one memory holds at most.
        written: The stretch that went the whole way.
        sizes: Those that were run, rising.
        left_out: Hours of those that were not run.
        why: Why they were not run.
    """

    dim: int
    entries_an_hour: int
    shard_hours: int
    written: Written
    sizes: tuple[Size, ...]
    left_out: tuple[int, ...]
    why: str


def table(result: HoursResult, *, speed: float | None = None) -> str:
    """The result as Markdown.

    Args:
        result: Result of `scale_hours.run`.
        speed: Times real time at which one core watches, from `hippocam bench ingest`; None leaves a letter for
            it.
    """
    w = result.written
    lines = [
        f"Synthetic footage, {result.entries_an_hour} entries an hour (measured on six real clips, 444 s of "
        f"footage: 77 entries, pictures of 15.9 kB), D = {result.dim}; on {_cores()} cores, shared with others.",
        "",
        f"One writer, the whole way (`Memory.write`, pictures of 16 kB, nothing given up): {w.frames:,} frames of "
        f"{w.hours:g} hours in {w.seconds:.1f} s, {w.frames_a_second:.0f} frames a second, {w.entries:,} entries; "
        f"{w.bytes_an_hour / 1e6:.1f} MB an hour, of which {w.bare_bytes_an_hour / 1e6:.2f} MB are not pictures.",
        "",
        f"Questions to memories of at most {result.shard_hours} hours each, asked together (`Search`; words, "
        "vectors and evidence, without the text encoder and without pictures on disk). *First* reads every vector "
        "into memory; *built* is the large memories' view, made beside the questions.",
        "",
        "| hours | memories | entries | database MB | MB an hour | rows stored a second | first s | built s "
        "| p50 ms | p95 ms | RAM MB | right |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [_row(size) for size in result.sizes]
    if result.left_out:
        hours = ", ".join(f"{h:,}" for h in result.left_out)
        lines += ["", f"Not run: {hours} hours ({result.why}). What follows for them is arithmetic."]
    return "\n".join([*lines, "", *_cluster(result, speed)])


def _row(s: Size) -> str:
    rate = f"{s.fill_rows / s.fill_s:,.0f}" if s.fill_rows else ""
    disk_mb = s.disk_bytes / 1e6
    return (
        f"| {s.hours:,} | {s.shards} | {s.entries:,} | {disk_mb:,.0f} | {disk_mb / s.hours:.2f} | {rate} "
        f"| {s.first_s:.1f} | {s.settle_s:.1f} | {s.p50_ms:.1f} | {s.p95_ms:.1f} | {s.rss_mb:,.0f} "
        f"| {s.found:.0%} |"
    )


def _cluster(result: HoursResult, speed: float | None) -> list[str]:
    """What the largest size asked for needs, each line a formula with its numbers."""
    last, w = result.sizes[-1], result.written
    hours = max([*result.left_out, last.hours])
    entries, shards = hours * result.entries_an_hour, math.ceil(hours / result.shard_hours)
    ram = last.rss_mb * 1e6 / last.entries
    shard_ms = last.p50_ms / last.shards
    live = w.frames_a_second
    lines = [
        f"What {hours:,} hours need, from the figures above (of questions: those at {last.hours:,} hours):",
        "",
        f"- entries: {hours:,} h x {result.entries_an_hour} an hour = {entries:,}",
        f"- memories: {hours:,} h / {result.shard_hours} h = {shards:,}",
        f"- disk: {hours:,} h x {w.bytes_an_hour / 1e6:.1f} MB = {hours * w.bytes_an_hour / 1e9:,.0f} GB with all "
        f"pictures; {hours:,} h x {w.bare_bytes_an_hour / 1e6:.2f} MB = "
        f"{hours * w.bare_bytes_an_hour / 1e9:,.0f} GB without; a budget a memory makes it any less "
        "(`--budget-mb`)",
        f"- RAM to answer: {entries:,} entries x {ram:,.0f} bytes = {entries * ram / 1e9:,.1f} GB, spread over "
        f"the machines that answer: {result.shard_hours * result.entries_an_hour * ram / 1e9:.2f} GB a memory",
        f"- a question: {shards:,} memories x {shard_ms:.1f} ms = {shards * shard_ms:,.0f} ms in one process on "
        f"{_cores()} cores, as measured; shared out over machines like it, "
        + ", ".join(f"{shards * shard_ms / machines:,.0f} ms on {machines}" for machines in (4, 16))
        + " (each would ask its own memories, and what they find be merged; that is not built: `Search` asks "
        "folders from one process)",
        f"- the first question after a start: {entries:,} x {1e6 * last.first_s / last.entries:.0f} us = "
        f"{entries * last.first_s / last.entries:,.0f} s in one process, "
        f"{entries * last.first_s / last.entries / 16:,.0f} s on 16 machines; memories stay open after that",
        f"- writers: one a memory, {live:.0f} frames a second each; {_CAMERAS} live cameras at 1 frame a second "
        f"need {_CAMERAS} / {live:.0f} = {_CAMERAS / live:.2f} of one",
    ]
    if speed is None:
        lines.append(
            f"- cores to watch: {hours:,} h / ({_DAY_H} h x V) to take them in within a day, with V times real "
            "time a core from `hippocam bench ingest` (--speed)"
        )
    else:
        cores = hours / (_DAY_H * speed)
        lines += [
            f"- cores to watch: {hours:,} h / ({_DAY_H} h x {speed:g} times real time a core, `hippocam bench "
            f"ingest`) = {cores:.0f} to take them in within a day",
            f"- live: {_CAMERAS} cameras / {speed:g} = {math.ceil(_CAMERAS / speed)} cores; they make "
            f"{hours:,} hours in {hours / _CAMERAS / _DAY_H:.1f} days",
        ]
    return lines


def _cores() -> int:
    return os.cpu_count() or 1
