"""Moment recall on annotated footage: each event's text is searched for, and a hit overlaps its window.

Long windows are easy to hit, so every figure stands beside that of random moments: the chance that one entry of
the same memory, or one of five, overlaps if drawn at random. Things that no clip shows are searched for too, to
measure how well "not seen" is told from "seen" (area under the ROC curve), and at which cosine belief should be
one half.

The baseline is the plain encoder: a clip is cut into pieces of 5 seconds, each the mean of its frames, with or
without the mean of all pieces subtracted.

Shapes: N pieces, D embedding.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hippocam.apps.bench.perception_cache import items, pieces
from hippocam.apps.bench.sessions import OpenSession
from hippocam.memory.memory import Memory
from hippocam.memory.recall.query import Query
from hippocam.memory.recall.trust import BELIEVED_FROM
from hippocam.models.registry import make_encoder
from hippocam.stream.errors import HippocamError
from hippocam.stream.protocols import Encoder
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
    """Moment recall on one clip; shares of its events, and of random moments.

    Attributes:
        clip: Its name.
        events: How many texts were searched for.
        entries: How many moments there were to find.
        r1: Share of the events whose window the first moment overlaps.
        r5: Share of those that one of the first five overlaps.
        random_r1: Chance that a random moment of the same memory overlaps, mean over the events.
        random_r5: Chance that one of five does.
        iou: Mean shared time over joint time of the first moment and the nearest window of its event.
        random_iou: The same for a random moment.
        times_real_time: Seconds of footage watched in a second; nan where nothing was watched.
    """

    clip: str
    events: int
    entries: int
    r1: float
    r5: float
    random_r1: float
    random_r5: float
    iou: float
    random_iou: float
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
        slope: Steepness of that belief.
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
            content = json.loads(file.read_text(encoding="utf-8")) if file.suffix == ".json" else None
            if isinstance(content, dict) and "events" in content and (videos / content["video"]).is_file():
                events: dict[str, list[Window]] = {}
                for event in content["events"]:
                    events.setdefault(event["text"], []).append((event["start"], event["end"]))
                yield Clip(name=file.stem, video=videos / content["video"], events=events)


def run(
    clips: Sequence[Clip], absent: Sequence[str], *, open_session: OpenSession, encoder: str | None = None
) -> MomentsResult:
    """Watch each clip into a memory of its own, and search it.

    Args:
        clips: Clips with their events.
        absent: Texts that none of them shows.
        open_session: Opens a memory.
        encoder: Its name; None for the default.

    Raises:
        HippocamError: There is no clip.
    """
    if not clips:
        raise HippocamError("no annotated clip was found; give --videos and --truth")
    results, shown, hidden, spec = [], list[float](), list[float](), None
    near, far = list[float](), list[float]()
    for clip in clips:
        with tempfile.TemporaryDirectory() as folder, open_session(Path(folder) / "m", encoder=encoder) as session:
            report = session.watch([clip.video])
            made, spec = session.memory_encoder()
            everything = session.search("anything", top=1_000_000)
            found = {text: session.search(text, top=TOP) for text in clip.events}
            shown += [moments[0].score for moments in found.values()]
            hidden += [session.search(text, top=1)[0].score for text in absent]
            with Memory.open_reader(Path(folder) / "m") as memory:
                near += _best_cosines(memory, make_encoder(made), list(clip.events))
                far += _best_cosines(memory, make_encoder(made), absent)
        spans = {text: [(m.t0_s, m.t1_s) for m in moments] for text, moments in found.items()}
        every = [(m.t0_s, m.t1_s) for m in everything]
        results.append(score(clip, spans, every, report.times_real_time))
    assert spec is not None
    seen, unseen = np.array(shown), np.array(hidden)
    midpoint, slope = _fit(np.array(near), np.array(far))
    return MomentsResult(
        encoder=spec.id,
        clips=tuple(results),
        auc=float((seen[:, None] > unseen[None]).mean()) if absent else math.nan,
        known=float((seen >= BELIEVED_FROM).mean()),
        unknown=float((unseen < BELIEVED_FROM).mean()) if absent else math.nan,
        midpoint=midpoint,
        slope=slope,
    )


def run_pieces(clips: Sequence[Clip], encoder: Encoder, *, centred: bool) -> tuple[ClipResult, ...]:
    """Search each clip with the plain encoder: fixed pieces by the cosine of their mean, no memory between.

    Args:
        clips: What is searched.
        encoder: Encodes a frame a second; what it gave is cached.
        centred: Whether the mean of a clip's pieces is subtracted from each.
    """
    from hippocam.models.pictures import unit_rows

    results = []
    for clip in clips:
        windows, means_ND = pieces(items(clip.video, encoder))
        vectors_ND = unit_rows(means_ND - means_ND.mean(0)) if centred else unit_rows(means_ND)
        found = {}
        for text, vector_D in zip(clip.events, encoder.encode_texts(list(clip.events)), strict=True):
            order = np.argsort(-(vectors_ND @ vector_D), kind="stable")[:TOP]
            found[text] = [windows[row] for row in order]
        results.append(score(clip, found, windows, math.nan))
    return tuple(results)


def score(clip: Clip, found: Mapping[str, Sequence[Window]], every: Sequence[Window], speed: float) -> ClipResult:
    """Score what was found for each of a clip's texts, and what random moments would score.

    Args:
        clip: With the true windows of each text.
        found: The moments found for each text, the best first.
        every: All moments that could have been found.
        speed: Seconds of footage watched in a second.
    """
    first, five, ious, random_first, random_five, random_ious = [], [], [], [], [], []
    for text, windows in clip.events.items():
        hits = [_overlaps(moment, windows) for moment in found[text][:TOP]]
        first.append(hits[0])
        five.append(any(hits))
        ious.append(_iou(found[text][0], windows))
        total, true = len(every), sum(_overlaps(moment, windows) for moment in every)
        random_first.append(true / total)
        drawn = min(TOP, total)
        random_five.append(1 - math.comb(total - true, drawn) / math.comb(total, drawn))
        random_ious.append(np.mean([_iou(moment, windows) for moment in every]))
    return ClipResult(
        clip=clip.name,
        events=len(clip.events),
        entries=len(every),
        r1=float(np.mean(first)),
        r5=float(np.mean(five)),
        random_r1=float(np.mean(random_first)),
        random_r5=float(np.mean(random_five)),
        iou=float(np.mean(ious)),
        random_iou=float(np.mean(random_ious)),
        times_real_time=speed,
    )


def mean(clips: Sequence[ClipResult]) -> ClipResult:
    """The mean over clips of every figure, each clip weighing the same."""
    names = [field.name for field in fields(ClipResult) if field.name not in ("clip", "events", "entries")]
    return ClipResult(
        clip="mean of clips",
        events=sum(c.events for c in clips),
        entries=sum(c.entries for c in clips),
        **{name: float(np.mean([getattr(c, name) for c in clips])) for name in names},
    )


def way(found: float, random: float) -> float:
    """Return (found - random) / (1 - random), the share of the way to perfect; nan if random is perfect."""
    return (found - random) / (1 - random) if random < 1 else math.nan


def _overlaps(moment: Window, windows: Sequence[Window]) -> bool:
    return any(min(moment[1], end) > max(moment[0], start) for start, end in windows)


def _iou(moment: Window, windows: Sequence[Window]) -> float:
    """Intersection over union with the best window; the union of intervals that are apart includes the gap."""
    best = 0.0
    for start, end in windows:
        both = max(0.0, min(moment[1], end) - max(moment[0], start))
        best = max(best, both / (max(moment[1], end) - min(moment[0], start)))
    return best


def _best_cosines(memory: Memory, encoder: Encoder, texts: Sequence[str]) -> list[float]:
    """Cosine of the best moment for each text, by the encoder alone, as if 20 pictures had been compared."""
    if not texts:
        return []
    vectors_TD = encoder.encode_texts(list(texts))
    best = [memory.recall(Query(text=text, vector=v, top=1)) for text, v in zip(texts, vectors_TD, strict=True)]
    return [_cosine(found[0].score, encoder.spec) for found in best]


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
        "| clip | events | entries | R@1 | random | R@5 | random | IoU | random | x real time |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for c in result.clips:
        lines.append(f"| {c.clip} | {c.events} | {c.entries} | {figures(c)} | {c.times_real_time:.0f} |")
    together = mean(result.clips)
    lines.append(f"| **mean of clips** | | | {figures(together)} | |")
    lines += ["", f"Of the way from random to perfect, by the means: {ways(together)}."]
    lines += [
        "",
        f"Seen or not seen: AUC {result.auc:.2f}; of shown things {result.known:.0%} are known, of things not "
        f"shown {result.unknown:.0%} are said to be unknown. Best midpoint {result.midpoint:.3f}, slope "
        f"{result.slope:.1f}, on these cases.",
    ]
    return "\n".join(lines)


def figures(c: ClipResult) -> str:
    """Cells of a table: R@1, R@5 and IoU, the random one beside each."""
    shares = (c.r1, c.random_r1, c.r5, c.random_r5, c.iou, c.random_iou)
    return " | ".join(f"{share:.2f}" for share in shares)


def ways(c: ClipResult) -> str:
    """How far both recalls are on the way from random to perfect."""
    return f"R@1 {way(c.r1, c.random_r1):.2f}, R@5 {way(c.r5, c.random_r5):.2f}"
