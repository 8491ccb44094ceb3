"""Searches for small things in several ways, and for things that are never shown, half by half.

A picture is right where the thing can be seen at its time; a moment of the memory, where the thing can be seen for
at least half of it. By chance, a random second of the clip is right as often as the thing can be seen.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hippocam.apps.ask.belief.presence import labels_named
from hippocam.apps.bench.sessions import BenchSession, OpenSession
from hippocam.apps.bench.things.pictures import pictures_of
from hippocam.apps.bench.things.truth import HALVES, ThingClip
from hippocam.apps.settings import Settings
from hippocam.memory.memory import Memory
from hippocam.memory.recall.query import Query
from hippocam.memory.records import Evidence
from hippocam.models.registry import make_encoder
from hippocam.stream.errors import HippocamError
from hippocam.stream.protocols import Encoder

# Share of a moment in which the thing must be seen.
_LEAST = 0.5
# Belief from which an answer is not "not seen".
_SEEN = 0.5
_WITHOUT, _WITH = "memory, whole frames alone", "memory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """What one half of the clips gave.

    Attributes:
        half: Its name.
        clips: How many clips.
        queries: How many things were searched for.
        top_1: Share that was right, by way.
        chance: Share that a random second would have.
        absent: Searches for things that the detector knows and no clip shows.
        absent_believed: Of these, how many were believed: before the detector was heard, and after.
        shown: Searches for things of the same kinds that are there.
        shown_believed: Of these, likewise.
    """

    half: str
    clips: int
    queries: int
    top_1: Mapping[str, float]
    chance: float
    absent: int
    absent_believed: tuple[int, int]
    shown: int
    shown_believed: tuple[int, int]


def run(
    clips: Sequence[ThingClip],
    absent: Sequence[str],
    *,
    open_session: OpenSession,
    encoder: str | None = None,
    plain: bool = True,
    report: Callable[[str], None] = lambda line: None,
) -> tuple[str, tuple[Half, ...]]:
    """Search in every way.

    Args:
        clips: Clips with their things.
        absent: Texts that none of them shows.
        open_session: Opens a memory.
        encoder: Its name; None for the default.
        plain: Whether frames, tiles and boxes are searched without a memory too.
        report: Is told what is done.

    Returns:
        Id of the encoder, and what each half gave.

    Raises:
        HippocamError: There is no clip.
    """
    if not clips:
        raise HippocamError("no clip with annotated things was found; give --videos and --things")
    known = make_encoder(encoder or Settings().encoder)
    halves = [
        _half(half, own, absent, open_session, encoder, known, plain, report)
        for half in HALVES
        if (own := [clip for clip in clips if clip.half == half])
    ]
    return known.spec.id, tuple(halves)


def _half(
    half: str,
    clips: Sequence[ThingClip],
    absent: Sequence[str],
    open_session: OpenSession,
    encoder: str | None,
    known: Encoder,
    plain: bool,
    report: Callable[[str], None],
) -> Half:
    right: dict[str, list[bool]] = {}
    chances, beliefs = list[float](), {True: list[tuple[float, float]](), False: list[tuple[float, float]]()}
    for clip in clips:
        report(f"{half}: {clip.name}, {len(clip.asked)} things")
        for asked in clip.asked:
            chances.append(asked.shown_for(0.0, clip.duration_s))
        if plain:
            texts_ND = known.encode_texts([asked.text for asked in clip.asked])
            for way, pictures in pictures_of(clip, known).items():
                hits = [a.shown_at(pictures.best_s(v)) for a, v in zip(clip.asked, texts_ND, strict=True)]
                right.setdefault(way, []).extend(hits)
        for way, settings in _memories().items():
            with (
                tempfile.TemporaryDirectory() as folder,
                open_session(Path(folder) / "m", encoder=encoder, settings=settings) as session,
            ):
                session.watch([clip.video])
                best = [_first(session, asked.text) for asked in clip.asked]
                right.setdefault(way, []).extend(
                    moment is not None and asked.shown_for(moment.t0_s, moment.t1_s) >= _LEAST
                    for asked, moment in zip(clip.asked, best, strict=True)
                )
                if way == _WITH:
                    for shown, texts in ((True, [a.text for a in clip.asked]), (False, absent)):
                        told = [text for text in texts if labels_named(text)]
                        beliefs[shown] += [_beliefs(session, Path(folder) / "m", known, text) for text in told]
    return Half(
        half=half,
        clips=len(clips),
        queries=len(chances),
        top_1={way: float(np.mean(hits)) for way, hits in right.items()},
        chance=float(np.mean(chances)),
        absent=len(beliefs[False]),
        absent_believed=_believed(beliefs[False]),
        shown=len(beliefs[True]),
        shown_believed=_believed(beliefs[True]),
    )


def _memories() -> Mapping[str, Settings]:
    """Settings of the memories that are compared: with things' own pictures, and without."""
    own = Settings()
    portraits = replace(own.pipeline.portraits, a_frame=0.0)
    return {_WITHOUT: replace(own, pipeline=replace(own.pipeline, portraits=portraits)), _WITH: own}


def _first(session: BenchSession, text: str) -> Evidence | None:
    return next(iter(session.search(text, top=1)), None)


def _beliefs(session: BenchSession, folder: Path, encoder: Encoder, text: str) -> tuple[float, float]:
    """The belief in the best moment: by the encoder and what is written, and once the detector was heard."""
    with Memory.open_reader(folder) as memory:
        found = memory.recall(Query(text=text, vector=encoder.encode_texts([text])[0], top=1))
    return max((c.score for c in found), default=0.0), max((m.score for m in session.search(text)), default=0.0)


def _believed(beliefs: Sequence[tuple[float, float]]) -> tuple[int, int]:
    return sum(before >= _SEEN for before, _ in beliefs), sum(after >= _SEEN for _, after in beliefs)


def table(halves: Sequence[Half]) -> str:
    """The result as Markdown."""
    ways = list(dict.fromkeys(way for half in halves for way in half.top_1))
    names = {
        "frames": "whole frames, each",
        "tiles": "six tiles of each frame",
        "boxes": "every box of the detector",
    }
    told = "; ".join(f"{h.half}: {h.queries} things in {h.clips} clips" for h in halves)
    lines = [
        "Things are searched for by a short description within their clip; the share whose first answer is right. "
        "A picture is right where the thing can be seen at its time, a moment of a memory where it can be seen "
        f"for at least half of the moment. {told}. Annotated by a developer, by eye from contact sheets, before "
        "anything was searched for; numbers were chosen on the first half only.",
        "",
        f"| way | {' | '.join(half.half for half in halves)} |",
        f"|---|{'---|' * len(halves)}",
        f"| a random second | {' | '.join(f'{half.chance:.2f}' for half in halves)} |",
    ]
    for way in ways:
        shares = (f"{half.top_1[way]:.2f}" if way in half.top_1 else "-" for half in halves)
        lines.append(f"| {names.get(way, way)} | {' | '.join(shares)} |")
    lines += [
        "",
        "Searches for things that the detector knows: how many were believed (one half or more) by the encoder "
        "alone, and once the detector was heard.",
        "",
        "| half | searches | are there | encoder alone | with the detector |",
        "|---|---|---|---|---|",
    ]
    for half in halves:
        lines.append(f"| {half.half} | {half.absent} | no | {' | '.join(map(str, half.absent_believed))} |")
        lines.append(f"| {half.half} | {half.shown} | yes | {' | '.join(map(str, half.shown_believed))} |")
    return "\n".join(lines)
