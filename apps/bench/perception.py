"""What the memory understands of what it sees: every encoder that runs here, on the same pictures and footage.

    retrieval      captions to photographs and back (retrieval.py)
    moments        annotated events, searched for through the memory and with the plain encoder (moments.py)
    identity       the same thing met again (reid.py)
    segmentation   where events begin (segmentation.py)
    speed          pictures a second on one core (perception_speed.py)

A part is left out if its data or packages are missing, and the report says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hippocam.apps.bench import moments, perception_speed, reid, retrieval, segmentation
from hippocam.apps.bench.moments import Clip, ClipResult, MomentsResult
from hippocam.apps.bench.perception_speed import Speed
from hippocam.apps.bench.reid import ReidResult
from hippocam.apps.bench.retrieval import Retrieval, RidgeEncoder
from hippocam.apps.bench.segmentation import SegmentationResult, Truth
from hippocam.apps.bench.sessions import OpenSession
from hippocam.models.registry import make_encoder
from hippocam.stream.errors import HippocamError
from hippocam.stream.protocols import Encoder

ENCODERS = ("bundled", "conse", "palette")
_REFERENCES: tuple[retrieval.Features, ...] = ("tinyvit", "tinyvit+conse")
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What there is to measure with; a field that is None or empty leaves its part out.

    Attributes:
        photographs: The sets of captioned photographs.
        training: The folder whose other photographs the references are fitted on.
        clips: Annotated events.
        absent: Texts that no clip shows.
        truths: Boundaries.
        objects: Folder of re-identification.
    """

    photographs: Sequence[retrieval.Photographs] = ()
    training: Path | None = None
    clips: Sequence[Clip] = ()
    absent: Sequence[str] = ()
    truths: Sequence[Truth] = ()
    objects: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One encoder.

    Attributes:
        name: Name of the encoder.
        id: Id in its spec.
        retrieval: Results by set of photographs.
        searched: Moments found by the memory; None for a reference, with which no memory can be made.
        pieces: Moments found by the plain encoder.
        centred: These, with the mean of a clip's pieces subtracted.
        speed: None for a reference.
    """

    name: str
    id: str
    retrieval: tuple[Retrieval, ...]
    searched: MomentsResult | None
    pieces: tuple[ClipResult, ...]
    centred: tuple[ClipResult, ...]
    speed: Speed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PerceptionResult:
    """All parts.

    Attributes:
        encoders: In the order in which they were named, the references after them.
        segmentation: None where it was left out.
        identity: The same thing met again; None where it was left out.
        left_out: What was left out, and why.
    """

    encoders: tuple[Seen, ...]
    segmentation: SegmentationResult | None
    identity: ReidResult | None
    left_out: tuple[str, ...]


def run(
    names: Sequence[str], given: Given, *, open_session: OpenSession, report: Report = lambda line: None
) -> PerceptionResult:
    """Measure every part that can be measured.

    Args:
        names: Encoders by name; segmentation uses the first. One that cannot run is left out.
        given: What there is to measure with.
        open_session: Opens a memory.
        report: Called with a line of progress before each part.

    Raises:
        HippocamError: No encoder can run.
    """
    seen, left_out = list[Seen](), list[str]()
    made = dict[str, Encoder]()
    for name in names:
        try:
            made[name] = _ready(name)
        except HippocamError as error:
            left_out.append(f"encoder {name}: {error}")
    if not made:
        raise HippocamError(f"no encoder can run here: {'; '.join(left_out)}")
    for name, encoder in made.items():
        report(f"encoder {name}: speed")
        speed = perception_speed.run(name)
        searched = None
        if given.clips:
            report(f"encoder {name}: memory of {len(given.clips)} clips")
            searched = moments.run(given.clips, given.absent, open_session=open_session, encoder=name)
        seen.append(_see(name, encoder, given, searched, speed, report))
    if given.training is None:
        left_out.append("references: there is no folder of photographs to fit them on")
    else:
        for features in _REFERENCES:
            reference: RidgeEncoder = retrieval.ridge(given.training, features, report=report)
            seen.append(_see(f"ridge, {features}", reference, given, None, None, report))
    segments = None
    if given.truths:
        name, encoder = next(iter(made.items()))
        segments = segmentation.run(given.truths, encoder, name=name, open_session=open_session, report=report)
    identity = _identity(given.objects, left_out, report)
    for part, there in (
        ("retrieval", given.photographs),
        ("moments", given.clips),
        ("segmentation", given.truths),
    ):
        if not there:
            left_out.append(f"{part}: there are no data")
    return PerceptionResult(
        encoders=tuple(seen), segmentation=segments, identity=identity, left_out=tuple(left_out)
    )


def _ready(name: str) -> Encoder:
    """Make an encoder and have it encode a text and a picture, so that its weights are known to be here.

    Raises:
        HippocamError: It is not known, or cannot be had.
    """
    encoder = make_encoder(name)
    encoder.encode_texts(["a dog"])
    encoder.encode_images([np.zeros((48, 64, 3), np.uint8)])
    return encoder


def _see(
    name: str, encoder: Encoder, given: Given, searched: MomentsResult | None, speed: Speed | None, report: Report
) -> Seen:
    report(f"encoder {name}: {len(given.photographs)} sets of photographs, {len(given.clips)} clips in pieces")
    return Seen(
        name=name,
        id=encoder.spec.id,
        retrieval=tuple(retrieval.judge(photographs, encoder) for photographs in given.photographs),
        searched=searched,
        pieces=moments.run_pieces(given.clips, encoder, centred=False),
        centred=moments.run_pieces(given.clips, encoder, centred=True),
        speed=speed,
    )


def _identity(folder: Path | None, left_out: list[str], report: Report) -> ReidResult | None:
    if folder is None or not folder.is_dir():
        missing = "there is no folder of tracks" if folder is None else f"{folder} is not there"
        left_out.append(f"re-identification: {missing}")
        return None
    report("re-identification")
    return reid.run(folder)


# report -----------------------------------------------------------------------------------------------------


def table(result: PerceptionResult) -> str:
    """The result as Markdown."""
    parts = []
    if any(seen.retrieval for seen in result.encoders):
        parts.append("### Photographs and captions\n\n" + _retrieval_table(result.encoders))
    if any(seen.pieces for seen in result.encoders):
        parts.append("### Moments\n\n" + _moments_table(result.encoders))
    if result.identity:
        parts.append("### The same thing again\n\n" + reid.table(result.identity))
    if result.segmentation:
        parts.append("### Where events begin\n\n" + segmentation.table(result.segmentation))
    parts.append("### Pictures a second\n\n" + _speed_table(result.encoders))
    if result.left_out:
        parts.append("### Left out\n\n" + "\n".join(f"- {line}" for line in result.left_out))
    return "\n\n".join(parts)


def _retrieval_table(encoders: Sequence[Seen]) -> str:
    base = {r.photographs: r for seen in encoders if seen.id == "ridge-tinyvit" for r in seen.retrieval}
    sets = {r.photographs: r.count for seen in encoders for r in seen.retrieval}
    told = ", ".join(f"{name} ({count} photographs)" for name, count in sets.items())
    lines = [
        f"Test sets: {told}, none of them seen in training. All captions are queries for their photograph, all "
        "photographs for any of their captions. ± is the standard deviation over bootstrap samples of the "
        "photographs. *Of ridge* is R@1 text to image over that of ridge regression from TinyViT, fitted on the "
        "training photographs of the first set.",
        "",
        "| photographs | encoder | text to image R@1 | R@5 | R@10 | image to text R@1 | R@5 | R@10 | of ridge |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name in sets:
        for seen in encoders:
            row = next(r for r in seen.retrieval if r.photographs == name)
            cells = [
                f"{way.recall[first]:.3f} ± {way.sd[first]:.3f}"
                for way in (row.to_image, row.to_text)
                for first in retrieval.FIRST
            ]
            times = row.to_image.recall[1] / base[name].to_image.recall[1] if name in base else math.nan
            lines.append(f"| {name} | {seen.name} | {' | '.join(cells)} | {times:.2f} |")
    return "\n".join(lines)


def _moments_table(encoders: Sequence[Seen]) -> str:
    lines = [
        "Each event's text is searched for; a hit overlaps its window. *Memory* is `Session.search`; *pieces* are "
        "fixed ones of 5 seconds by the cosine of the mean of their frames, *centred* with the mean of the clip "
        "taken out. Beside each figure that of random moments of the same lengths; the share of the way from "
        "random to perfect is of the means.",
        "",
        "| encoder | by | clip | events | moments | R@1 | random | R@5 | random | IoU | random | way R@1 | R@5 |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for seen in encoders:
        by: Mapping[str, Sequence[ClipResult]] = {
            "memory": seen.searched.clips if seen.searched else (),
            "pieces": seen.pieces,
            "pieces, centred": seen.centred,
        }
        for name, clips in by.items():
            for c in [*clips, moments.mean(clips)] if clips else []:
                ways = [moments.way(c.r1, c.random_r1), moments.way(c.r5, c.random_r5)]
                told = " | ".join("-" if math.isnan(way) else f"{way:.2f}" for way in ways)
                counts = f"{c.events} | {c.entries}"
                lines.append(f"| {seen.name} | {name} | {c.clip} | {counts} | {moments.figures(c)} | {told} |")
    return "\n".join(lines)


def _speed_table(encoders: Sequence[Seen]) -> str:
    height, width = perception_speed.SIZE
    lines = [
        f"On one core, one thread, warm, pictures of {width} x {height} pixels given as arrays.",
        "",
        "| encoder | id | by processor time | by the clock |",
        "|---|---|---|---|",
    ]
    for seen in encoders:
        if seen.speed:
            lines.append(f"| {seen.name} | {seen.id} | {seen.speed.by_cpu:.1f} | {seen.speed.by_clock:.1f} |")
    return "\n".join(lines)
