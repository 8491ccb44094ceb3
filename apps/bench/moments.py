"""Moment recall on annotated footage: each event's text is searched for, a hit overlaps its window.

Long windows are easy to hit, so every figure stands beside that of random moments: the chance that one, or one of
five, entries of the same memory drawn at random overlaps. Things that no clip shows are asked for too, to see how
well "not seen" is told from "seen" (area under the ROC curve), and where the encoder's belief should be one half.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hippocam.apps.session import Session
from hippocam.memory.records import Evidence
from hippocam.stream.errors import HippocamError
from hippocam.stream.records import EncoderSpec

TOP = 5
Window = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A video with the windows, in seconds, in which each text is true."""

    name: str
    video: Path
    events: dict[str, list[Window]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipResult:
    """Moment recall on one clip; shares of its events, and of random moments."""

    clip: str
    events: int
    entries: int
    r1: float
    r5: float
    random_r1: float
    random_r5: float
    iou: float
    times_real_time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MomentsResult:
    """All clips, and how well "seen" is told from "not seen".

    Attributes:
        encoder: Id of the encoder.
        clips: One result a clip.
        auc: Chance that the best evidence for a shown thing scores above that for one not shown.
        known: Share of shown things with a belief of one half or more.
        unknown: Share of things not shown with a belief below one half.
        midpoint: Cosine at which the belief should be one half, by logistic regression on these cases.
        slope: And its steepness.
    """

    encoder: str
    clips: tuple[ClipResult, ...]
    auc: float
    known: float
    unknown: float
    midpoint: float
    slope: float


def read_clips(videos: Path, truths: Sequence[Path]) -> Iterator[Clip]:
    """Read annotation files ({"video", "events": [{"start", "end", "text"}]}); those without a video are left out.

    Args:
        videos: Folder that the files' video paths start from.
        truths: Files, or folders of files.
    """
    for path in truths:
        for file in sorted(path.glob("*.json")) if path.is_dir() else [path]:
            content = json.loads(file.read_text(encoding="utf-8"))
            if isinstance(content, dict) and (videos / content["video"]).is_file():
                events: dict[str, list[Window]] = {}
                for event in content["events"]:
                    events.setdefault(event["text"], []).append((event["start"], event["end"]))
                yield Clip(name=file.stem, video=videos / content["video"], events=events)


def run(clips: Sequence[Clip], absent: Sequence[str], *, encoder: str | None = None) -> MomentsResult:
    """Watch each clip into a memory of its own, and search it.

    Raises:
        HippocamError: There is no clip.
    """
    if not clips:
        raise HippocamError("no annotated clip was found; give --videos and --truth")
    results, shown, hidden, spec = [], list[float](), list[float](), None
    for clip in clips:
        with tempfile.TemporaryDirectory() as folder, Session(Path(folder) / "m", encoder=encoder) as session:
            report = session.watch([clip.video])
            _, spec = session.memory_encoder()
            everything = session.search("anything", top=1_000_000)
            found = {text: session.search(text, top=TOP) for text in clip.events}
            shown += [_cosine(moments[0].score, spec) for moments in found.values()]
            hidden += [_cosine(session.search(text, top=1)[0].score, spec) for text in absent]
        results.append(_score(clip, found, everything, report.times_real_time))
    assert spec is not None
    seen, unseen = np.array(shown), np.array(hidden)
    midpoint, slope = _fit(seen, unseen)
    return MomentsResult(
        encoder=spec.id,
        clips=tuple(results),
        auc=float((seen[:, None] > unseen[None]).mean()) if absent else math.nan,
        known=float((seen >= spec.midpoint).mean()),
        unknown=float((unseen < spec.midpoint).mean()) if absent else math.nan,
        midpoint=midpoint,
        slope=slope,
    )


def _score(
    clip: Clip, found: dict[str, tuple[Evidence, ...]], everything: Sequence[Evidence], speed: float
) -> ClipResult:
    first, five, ious, random_first, random_five = [], [], [], [], []
    for text, windows in clip.events.items():
        hits = [_overlaps(m, windows) for m in found[text]]
        first.append(hits[0])
        five.append(any(hits))
        ious.append(max(_iou(found[text][0], window) for window in windows))
        total, true = len(everything), sum(_overlaps(m, windows) for m in everything)
        random_first.append(true / total)
        drawn = min(TOP, total)
        random_five.append(1 - math.comb(total - true, drawn) / math.comb(total, drawn))
    return ClipResult(
        clip=clip.name,
        events=len(clip.events),
        entries=len(everything),
        r1=float(np.mean(first)),
        r5=float(np.mean(five)),
        random_r1=float(np.mean(random_first)),
        random_r5=float(np.mean(random_five)),
        iou=float(np.mean(ious)),
        times_real_time=speed,
    )


def _overlaps(moment: Evidence, windows: Sequence[Window]) -> bool:
    return any(min(moment.t1_s, end) > max(moment.t0_s, start) for start, end in windows)


def _iou(moment: Evidence, window: Window) -> float:
    both = max(0.0, min(moment.t1_s, window[1]) - max(moment.t0_s, window[0]))
    return both / (max(moment.t1_s, window[1]) - min(moment.t0_s, window[0]))


def _cosine(score: float, spec: EncoderSpec) -> float:
    """The cosine among 20 pictures that a belief stands for: its inverse, words and labels counted as cosine."""
    score = min(max(score, 1e-9), 1 - 1e-9)
    return spec.midpoint + math.log(score / (1 - score)) / spec.slope


def _fit(seen: NDArray[np.float64], unseen: NDArray[np.float64]) -> tuple[float, float]:
    """Logistic regression by Newton's method, both classes weighted equally (Platt 1999)."""
    x = np.concatenate([seen, unseen])
    y = np.concatenate([np.ones(len(seen)), np.zeros(len(unseen))])
    weight = np.concatenate([np.full(len(seen), 0.5 / len(seen)), np.full(len(unseen), 0.5 / max(1, len(unseen)))])
    design = np.stack([x, np.ones_like(x)], axis=1)
    beta = np.zeros(2)
    for _ in range(50):
        p = 1 / (1 + np.exp(-design @ beta))
        gradient = design.T @ (weight * (p - y)) + 1e-6 * beta
        hessian = (design * (weight * p * (1 - p))[:, None]).T @ design + 1e-6 * np.eye(2)
        beta = beta - np.linalg.solve(hessian, gradient)
    return float(-beta[1] / beta[0]), float(beta[0])


def table(result: MomentsResult) -> str:
    """The result as Markdown."""
    lines = [
        "Each event's text is searched for in a memory of its clip; a hit overlaps the event's window. Beside "
        "each figure, that of random entries of the same memory. The annotations were made by eye, and the "
        "encoder's belief was set with these same cases at hand.",
        "",
        "| clip | events | entries | R@1 | random | R@5 | random | IoU | x real time |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for c in result.clips:
        lines.append(
            f"| {c.clip} | {c.events} | {c.entries} | {c.r1:.2f} | {c.random_r1:.2f} | {c.r5:.2f} "
            f"| {c.random_r5:.2f} | {c.iou:.2f} | {c.times_real_time:.0f} |"
        )
    names = ("events", "entries", "r1", "random_r1", "r5", "random_r5", "iou")
    mean: dict[str, Any] = {n: float(np.mean([getattr(c, n) for c in result.clips])) for n in names}
    lines.append(
        f"| **mean of clips** | | | {mean['r1']:.2f} | {mean['random_r1']:.2f} | {mean['r5']:.2f} "
        f"| {mean['random_r5']:.2f} | {mean['iou']:.2f} | |"
    )
    lines += [
        "",
        f"Seen or not seen: AUC {result.auc:.2f}; of shown things {result.known:.0%} are known, of things not "
        f"shown {result.unknown:.0%} are said to be unknown. Best midpoint {result.midpoint:.3f}, slope "
        f"{result.slope:.1f}, on these cases.",
    ]
    return "\n".join(lines)


def write_section(path: Path, title: str, body: str) -> None:
    """Put a section into a Markdown file, in the place of an earlier one of the same title."""
    head = f"## {title}\n"
    text = path.read_text(encoding="utf-8") if path.exists() else "# Benchmarks\n"
    before, found, rest = text.partition("\n" + head)
    after = rest.partition("\n## ") if found else ("", "", "")
    tail = f"\n## {after[2]}" if after[1] else ""
    path.write_text(f"{before.rstrip()}\n\n{head}\n{body.strip()}\n{tail}", encoding="utf-8")
