"""Clips of still cameras joined into long streams in which at times nobody looks; what is true is known exactly.

Each clip is watched once, by the product's own detector; streams are made of what was found, at other times.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hippocam.apps.bench.asof.truth import Footage, Shown
from hippocam.models.senses.build import make_senses
from hippocam.models.senses.config import SensesConfig
from hippocam.stream.ingest import Ingest
from hippocam.stream.pipeline import Job, PipelineConfig
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import Embedding, Repeat
from hippocam.stream.sources.video import VideoSource

_CLIPS_EACH = 7
_GAP_S = (60.0, 400.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A clip as it was watched.

    Attributes:
        items: Its frames, from 0 s on.
        duration_s: Its length.
        shown: By label, when it is to be seen; what never is has no stretch, what is not listed is not known.
    """

    items: tuple[Embedding | Repeat, ...]
    duration_s: float
    shown: Mapping[str, tuple[Shown, ...]]


def watched(
    timelines: Path, videos: Path, encoder: Encoder, report: Callable[[str], None]
) -> tuple[dict[str, list[Clip]], tuple[str, ...]]:
    """Watch the clips of a file of timelines that are there; by half, and what perceived beside the encoder."""
    senses = make_senses(SensesConfig(text="off", speech="off"))
    halves = dict[str, list[Clip]]()
    for clip in json.loads(timelines.read_text(encoding="utf-8"))["clips"]:
        path = videos / clip["video"]
        if not path.is_file():
            continue
        report(f"presence: {path.name}")
        ingest = Ingest(encoder, PipelineConfig(), senses)
        made = [item for chunk in ingest.run(Job(source=VideoSource(path), name="clip")) for item in chunk]
        items = tuple(item for item in made if isinstance(item, Embedding | Repeat))
        shown = {label: tuple(Shown(*span) for span in spans) for label, spans in clip["shown"].items()}
        halves.setdefault(clip["half"], []).append(
            Clip(items=items, duration_s=float(clip["duration_s"]), shown=shown)
        )
    return halves, senses.named


def joined(clips: Sequence[Clip], seed: int, stream: str, senses: tuple[str, ...]) -> Footage:
    """Join two clips that a seed draws, again and again; behind one in two nobody looks for minutes."""
    rng = np.random.default_rng(seed)
    drawn = rng.choice(len(clips), min(len(clips), 2), replace=False)
    clips = [clips[int(index)] for index in drawn]
    items, looked = list[Embedding | Repeat](), list[tuple[float, float]]()
    known = set.intersection(*(set(clip.shown) for clip in clips))
    shown = {label: list[Shown]() for label in known}
    start_s = 0.0
    for index in range(_CLIPS_EACH):
        clip = clips[int(rng.integers(len(clips)))]
        items += [
            replace(item, stream=stream, seq=len(items) + k, time_s=start_s + item.time_s)
            for k, item in enumerate(clip.items)
        ]
        end_s = start_s + clip.items[-1].time_s
        looked.append((start_s, end_s))
        for label in known:
            moved = (Shown(start_s + s.t0_s, min(start_s + s.t1_s, end_s)) for s in clip.shown[label])
            shown[label] += [stretch for stretch in moved if stretch.t0_s < end_s]
        gap_s = float(rng.uniform(*_GAP_S)) if rng.random() < 0.5 and index < _CLIPS_EACH - 1 else 1.0
        start_s = end_s + gap_s
    return Footage(
        stream=stream,
        items=tuple(items),
        looked=_as_runs(looked),
        shown={label: tuple(stretches) for label, stretches in shown.items()},
        senses=senses,
    )


def _as_runs(looked: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Stretches that follow one another at once as one."""
    runs = [looked[0]]
    for t0_s, t1_s in looked[1:]:
        if t0_s - runs[-1][1] <= 1.5:
            runs[-1] = (runs[-1][0], t1_s)
        else:
            runs.append((t0_s, t1_s))
    return tuple(runs)
