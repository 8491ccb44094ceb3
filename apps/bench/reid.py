"""Re-identification: tracks of the same object put together again, by our rule and by simple ones.

The data are VideoAgent's (Fan et al. 2024, arXiv 2403.11481): tracks of five clips with a CLIP and a DINOv2
feature each, and which tracks its authors' own rule took for one object. So the labels are an algorithm's, not a
person's: their published rule agrees with them by construction, which shows that the files are read rightly and
no more. What any other rule gets tells how near it comes to theirs. Thresholds are chosen on the other four
clips.

Shapes: N tracks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.entities.linking import most_like
from hippocam.stream.errors import HippocamError
from hippocam.stream.records import FloatArray

Grouping = list[int]
_THRESHOLDS = tuple(round(0.3 + 0.02 * i, 2) for i in range(34))
_FEATURES = ("clip", "dinov2")
# The published rule: score = .15 sigmoid(20 (CLIP cosine - .925)) + .85 DINOv2 cosine; a track joins the first
# object of whose tracks none scores below .5 and one .62 or more; two that were seen at once are two.
_CLIP_SHARE = 0.15
_CLIP_MIDDLE = 0.925
_CLIP_SLOPE = 20.0
_LEAST = 0.5
_ENOUGH = 0.62


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracks:
    """The tracks of a clip, by their first frame.

    Attributes:
        clip: Its name.
        at_once_NN: bool, which tracks some frame shows both of.
        labels: What each is called.
        looks: By name of the feature, float32 [N, A], rows of length 1.
        truth: Which object each was taken for.
    """

    clip: str
    at_once_NN: NDArray[np.bool_]
    labels: tuple[str, ...]
    looks: Mapping[str, FloatArray]
    truth: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How well a grouping agrees with the labels, 0 to 1 each (the last may be negative).

    Attributes:
        pairs: F1 of the pairs of tracks that are together.
        bcubed: F1 of B-cubed precision and recall (Bagga and Baldwin 1998).
        ari: Adjusted Rand index (Hubert and Arabie 1985): 0 for chance.
    """

    pairs: float
    bcubed: float
    ari: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleResult:
    """One rule: its scores by clip, and the thresholds that were chosen without that clip, if it has any."""

    rule: str
    scores: Mapping[str, Score]
    thresholds: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReidResult:
    """All rules; per clip how many tracks and objects there are."""

    sizes: Mapping[str, tuple[int, int]]
    rules: tuple[RuleResult, ...]


def run(folder: Path) -> ReidResult:
    """Group the tracks of each clip by each rule, and compare with the labels.

    Args:
        folder: With a folder for each clip: tracking.json, reid.json, features.npz.

    Raises:
        HippocamError: There is no clip, or only one: thresholds are chosen on others.
    """
    clips = [read(path.parent) for path in sorted(folder.glob("*/reid.json"))]
    if len(clips) < 2:
        raise HippocamError(
            f"{folder}: two clips with tracking.json, reid.json and features.npz at least are needed"
        )
    rules: list[tuple[str, Callable[[Tracks, float], Grouping]]] = []
    for feature in (*_FEATURES, "both"):
        rules.append((f"ours, {feature}", lambda clip, at, f=feature: ours(clip, f, at)))  # type: ignore[misc]
    for feature in (*_FEATURES, "both"):
        rules.append((f"single linkage, {feature}", lambda clip, at, f=feature: single(clip, f, at)))  # type: ignore[misc]
    results = [_fixed("every track its own", clips, lambda clip: list(range(len(clip.truth))))]
    results += [_chosen(name, clips, rule) for name, rule in rules]
    results.append(_fixed("the published rule", clips, published))
    sizes = {clip.clip: (len(clip.truth), len(set(clip.truth))) for clip in clips}
    return ReidResult(sizes=sizes, rules=tuple(results))


def read(folder: Path) -> Tracks:
    """Read one clip."""
    by_frame, _, labels = json.loads((folder / "tracking.json").read_text(encoding="utf-8"))
    objects = json.loads((folder / "reid.json").read_text(encoding="utf-8"))[0]
    frames: dict[str, set[int]] = {}
    truth: dict[str, int] = {}
    for frame, tracks in by_frame.items():  # in the order of time
        for track, (_, box) in tracks.items():
            frames.setdefault(track, set()).add(int(frame))
            same = [int(each) for each, (_, other) in objects[frame].items() if other == box]
            truth.setdefault(track, same[0])
    with np.load(folder / "features.npz", allow_pickle=False) as arrays:
        looks = {name: _rows(arrays[f"tid2{name}"], arrays[f"tid2{name}_ids"], list(frames)) for name in _FEATURES}
    both = np.concatenate([looks[name] for name in _FEATURES], axis=1)
    looks["both"] = np.asarray(both / np.sqrt(2), np.float32)
    return Tracks(
        clip=folder.name,
        at_once_NN=_at_once(list(frames.values())),
        labels=tuple(labels[track] for track in frames),
        looks=looks,
        truth=tuple(truth[track] for track in frames),
    )


def ours(clip: Tracks, feature: str, threshold: float) -> Grouping:
    """Link as the entity bank does: to the nearest mean of the same label that was never seen at once."""
    looks_NA, at_once_NN = clip.looks[feature], clip.at_once_NN
    names, members, sums = list[str](), list[list[int]](), np.zeros_like(looks_NA)
    groups: Grouping = []
    for i, label in enumerate(clip.labels):
        may = [g for g, own in enumerate(members) if names[g] == label and not at_once_NN[i, own].any()]
        found = most_like(looks_NA[i], sums[may], np.full(len(may), threshold, np.float32))
        group = len(members) if found is None else may[found]
        if found is None:
            names.append(label)
            members.append([])
        members[group].append(i)
        sums[group] += looks_NA[i]
        groups.append(group)
    return groups


def single(clip: Tracks, feature: str, threshold: float) -> Grouping:
    """Whatever is as alike as the threshold goes together, over any number of steps."""
    alike = clip.looks[feature] @ clip.looks[feature].T >= threshold
    groups = np.arange(len(alike))
    while True:  # each takes the least number among those that it is like, until nothing changes
        least = np.where(alike, groups[None], len(groups)).min(axis=1)
        if (least == groups).all():
            return [int(group) for group in groups]
        groups = least


def published(clip: Tracks) -> Grouping:
    """VideoAgent's own rule."""
    clip_cosine, dino_cosine = (clip.looks[name] @ clip.looks[name].T for name in _FEATURES)
    score = (
        _CLIP_SHARE / (1 + np.exp(-_CLIP_SLOPE * (clip_cosine - _CLIP_MIDDLE))) + (1 - _CLIP_SHARE) * dino_cosine
    )
    score[clip.at_once_NN] = 0
    members: list[list[int]] = []
    groups: Grouping = []
    for i in range(len(clip.truth)):
        fits = [
            g for g, own in enumerate(members) if score[i, own].min() >= _LEAST and score[i, own].max() >= _ENOUGH
        ]
        if not fits:
            members.append([])
        groups.append(fits[0] if fits else len(members) - 1)
        members[groups[i]].append(i)
    return groups


def score(groups: Sequence[int], truth: Sequence[int]) -> Score:
    """Compare a grouping with the true one."""
    table = _table_of(groups, truth)
    together, found, true = _pairs(table), _pairs(table.sum(1)), _pairs(table.sum(0))
    total = _pairs(np.array([table.sum()]))
    chance = found * true / total if total else 0.0
    spread = (found + true) / 2 - chance
    counts = table.astype(np.float64)
    precision = float((counts**2 / counts.sum(1, keepdims=True)).sum() / counts.sum())
    recall = float((counts**2 / counts.sum(0, keepdims=True)).sum() / counts.sum())
    return Score(
        pairs=2 * together / (found + true) if found + true else 1.0,
        bcubed=2 * precision * recall / (precision + recall),
        ari=(together - chance) / spread if spread else 1.0,
    )


def table(result: ReidResult) -> str:
    """The result as Markdown."""
    lines = [
        "Tracks of the clips of VideoAgent's object memory put together again. The labels are those of "
        "its authors' "
        "own rule, so that rule agrees with them by construction; thresholds of the others were chosen "
        "on the other "
        "clips.",
        "",
        "Tracks and objects: "
        + "; ".join(f"{clip} {n} and {m}" for clip, (n, m) in result.sizes.items())
        + ". Means of the clips.",
        "",
        "| rule | pairs F1 | B-cubed F1 | ARI | thresholds |",
        "|---|---|---|---|---|",
    ]
    for rule in result.rules:
        means = [
            float(np.mean([getattr(s, name) for s in rule.scores.values()])) for name in ("pairs", "bcubed", "ari")
        ]
        chosen = sorted(set(rule.thresholds.values()))
        lines.append(
            f"| {rule.rule} | {means[0]:.2f} | {means[1]:.2f} | {means[2]:.2f} "
            f"| {', '.join(f'{each:.2f}' for each in chosen) or 'none'} |"
        )
    return "\n".join(lines)


def _chosen(name: str, clips: Sequence[Tracks], rule: Callable[[Tracks, float], Grouping]) -> RuleResult:
    """Score a rule with the threshold that is best, by B-cubed, on the mean of the other clips."""
    all_scores = {c.clip: {at: score(rule(c, at), c.truth) for at in _THRESHOLDS} for c in clips}
    thresholds = {}
    for clip in all_scores:
        others = [scores for other, scores in all_scores.items() if other != clip]
        thresholds[clip] = max(_THRESHOLDS, key=lambda at, o=others: float(np.mean([s[at].bcubed for s in o])))  # type: ignore[misc]
    return RuleResult(
        rule=name,
        scores={clip: all_scores[clip][at] for clip, at in thresholds.items()},
        thresholds=thresholds,
    )


def _fixed(name: str, clips: Sequence[Tracks], rule: Callable[[Tracks], Grouping]) -> RuleResult:
    scores = {clip.clip: score(rule(clip), clip.truth) for clip in clips}
    return RuleResult(rule=name, scores=scores, thresholds={})


def _at_once(shown: Sequence[set[int]]) -> NDArray[np.bool_]:
    frame_index = {frame: i for i, frame in enumerate(sorted(set().union(*shown)))}
    shown_NF = np.zeros((len(shown), len(frame_index)), np.float32)
    for i, frames in enumerate(shown):
        shown_NF[i, [frame_index[frame] for frame in frames]] = 1
    return np.asarray(shown_NF @ shown_NF.T > 0)


def _rows(rows: FloatArray, ids: NDArray[np.int64], wanted: Sequence[str]) -> FloatArray:
    index = {int(track): i for i, track in enumerate(ids)}
    chosen = rows[[index[int(track)] for track in wanted]]
    return np.asarray(chosen / np.linalg.norm(chosen, axis=1, keepdims=True), np.float32)


def _table_of(groups: Sequence[int], truth: Sequence[int]) -> NDArray[np.int64]:
    rows, columns = (np.unique(each, return_inverse=True)[1] for each in (groups, truth))
    counts = np.zeros((rows.max() + 1, columns.max() + 1), np.int64)
    np.add.at(counts, (rows, columns), 1)
    return counts


def _pairs(counts: NDArray[np.int64]) -> float:
    return float((counts * (counts - 1) // 2).sum())
