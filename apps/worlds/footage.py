"""Real clips and photographs into a world of hours: visits of cameras, with needles and worthless bursts cut in.

The footage is cut where a burst goes in and goes on behind it, so every interval is known to the frame. A needle
is a slow pan over a photograph that is shown once; entities are photographs that come again in other views;
distractors are some seconds of a clip spoiled (covered, out of focus, noise), cut into a visit of that clip.
Questions are views that are never shown; for needles and entities there are their captions too.

Shapes: T frames of the stream, F of them footage; D embedding; Q questions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hippocam.apps.worlds.footage_plan import RECIPES, Recipe, Split, find_clips, plan
from hippocam.apps.worlds.footage_pool import Photograph, Pool, read_pool
from hippocam.apps.worlds.worlds import Kind, Planted, World
from hippocam.models.registry import make_encoder
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import FloatArray

ENCODER = "bundled"


@dataclass(frozen=True, slots=True, kw_only=True)
class FootageWorld(World):
    """A world of real footage, with questions in words beside those in pictures.

    Attributes:
        captions: For each needle and entity, its caption by the encoder's text side, float32 [D].
        absent_captions_QD: The captions of what is never shown, in the order of `absent_QD`.
        visits: What the footage is: clip, variant and frames of each visit, in order.
    """

    captions: Mapping[tuple[Kind, int], FloatArray]
    absent_captions_QD: FloatArray
    visits: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Burst:
    kind: Kind
    identity: int
    frames_ND: FloatArray
    query_D: FloatArray
    clip: str = ""


def real(
    seed: int,
    *,
    split: Split = "test",
    hours: float | None = None,
    videos: Path | None = None,
    encoder: Encoder | None = None,
    recipe: Recipe | None = None,
) -> FootageWorld:
    """Draw a stream of real footage.

    Args:
        seed: Draws the visits and their order, what is a needle, what is absent, and where all is cut in.
        split: "train" for learned parts: other clips and other photographs than "test".
        hours: Length, above 0 up to the recipe's; None for all of it. What is cut in gets fewer with it.
        videos: Folder of clips and photographs; None for the one beside the project.
        encoder: None for the product's own. The first call with an encoder takes 15 minutes on one core.
        recipe: None for the split's.

    Raises:
        HippocamError: The folder is missing or has too little.
        ValueError: Hours are out of range.
    """
    recipe = recipe or RECIPES[split]
    if hours is not None and not 0 < hours <= recipe.hours:
        raise ValueError(f"hours must be above 0 and up to {recipe.hours:g} for split {split!r}, found {hours:g}")
    encoder = encoder or make_encoder(ENCODER)
    pool = read_pool(split, recipe, videos, encoder)
    world = _draw(seed, pool, recipe, recipe.hours if hours is None else hours)
    return replace(world, encoder=encoder.spec.id)


def _draw(seed: int, pool: Pool, recipe: Recipe, hours: float) -> FootageWorld:
    rng = np.random.default_rng(seed)
    share = hours / recipe.hours
    needles, absent = round(recipe.needles * share), max(1, round(recipe.absent * share))
    order = rng.permutation(len(pool.photographs))
    shown = [pool.photographs[i] for i in order[:needles]]
    hidden = [pool.photographs[i] for i in order[needles : needles + absent]]
    known = [pair[rng.integers(2)] for pair in pool.entities]
    bursts = [*_showings("needle", shown), *_some(rng, _showings("entity", known), share)]
    bursts += _distractors(rng, pool, round(recipe.distractors * share))
    footage_frames = round(hours * 3600) - sum(len(burst.frames_ND) for burst in bursts)
    footage_FD, clip_F, visits = _footage(rng, pool, recipe, footage_frames)
    positions = _positions(rng, bursts, clip_F, recipe.gap_s)
    frames_TD, planted = _cut_in(footage_FD, bursts, positions)
    captions: dict[tuple[Kind, int], FloatArray] = {("needle", i): p.caption_D for i, p in enumerate(shown)}
    captions |= {("entity", i): p.caption_D for i, p in enumerate(known)}
    return FootageWorld(
        name="real",
        seed=seed,
        frames_TD=frames_TD,
        times_T=np.arange(len(frames_TD), dtype=np.float64),
        planted=planted,
        absent_QD=np.stack([photograph.view_D for photograph in hidden]),
        captions=captions,
        absent_captions_QD=np.stack([photograph.caption_D for photograph in hidden]),
        visits=visits,
    )


def _showings(kind: Kind, photographs: Sequence[Photograph]) -> list[_Burst]:
    return [
        _Burst(kind=kind, identity=i, frames_ND=frames_ND, query_D=photograph.view_D)
        for i, photograph in enumerate(photographs)
        for frames_ND in photograph.bursts
    ]


def _some(rng: np.random.Generator, bursts: Sequence[_Burst], share: float) -> list[_Burst]:
    return [bursts[i] for i in sorted(rng.permutation(len(bursts))[: round(share * len(bursts))])]


def _distractors(rng: np.random.Generator, pool: Pool, count: int) -> list[_Burst]:
    """Choose spoiled shots; their question, which nobody asks, is their mean."""
    offered = [(shot, frames_ND) for shot, frames_ND in pool.shots if shot.spoiled and len(frames_ND)]
    chosen = [offered[i] for i in sorted(rng.permutation(len(offered))[:count])]
    return [
        _Burst(kind="distractor", identity=i, frames_ND=frames_ND, query_D=_mean(frames_ND), clip=shot.clip)
        for i, (shot, frames_ND) in enumerate(chosen)
    ]


def _mean(frames_ND: FloatArray) -> FloatArray:
    mean_D = frames_ND.mean(0)
    return np.asarray(mean_D / np.linalg.norm(mean_D), np.float32)


def _footage(
    rng: np.random.Generator, pool: Pool, recipe: Recipe, frames: int
) -> tuple[FloatArray, NDArray[np.str_], tuple[tuple[str, int, int], ...]]:
    """Cut the variants into visits and join some in a random order, no frame twice; the last is cut short."""
    shortest, longest = recipe.segment_s
    segments = []
    for shot, frames_ND in pool.shots:
        start = 0
        while not shot.spoiled and start < len(frames_ND):
            rest = len(frames_ND) - start
            length = int(rng.integers(shortest, longest + 1))
            if rest - length < shortest:
                length = rest if rest <= longest else rest - shortest
            segments.append((shot.clip, shot.variant, frames_ND[start : start + length]))
            start += length
    rows, clips, visits, left = list[FloatArray](), list[str](), list[tuple[str, int, int]](), frames
    for i in rng.permutation(len(segments)):
        clip, variant, frames_ND = segments[i]
        taken = min(left, len(frames_ND))
        if taken:
            rows.append(frames_ND[:taken])
            clips += [clip] * taken
            visits.append((clip, variant, taken))
            left -= taken
    assert left == 0, "the recipe's pool is smaller than its longest stream"
    return np.concatenate(rows), np.array(clips), tuple(visits)


def _positions(
    rng: np.random.Generator, bursts: Sequence[_Burst], clip_F: NDArray[np.str_], gap: int
) -> list[int]:
    """Draw the frame of footage that each burst goes before: a distractor within its clip, where there is room."""
    free_F = np.ones(len(clip_F), bool)
    free_F[:gap] = False
    same_F = np.concatenate([[False], clip_F[1:] == clip_F[:-1]])
    positions = [0] * len(bursts)
    for i in sorted(range(len(bursts)), key=lambda i: not bursts[i].clip):  # those with the least choice first
        inside = np.flatnonzero(free_F & same_F & (clip_F == bursts[i].clip))
        able = inside if len(inside) else np.flatnonzero(free_F)
        if not len(able):
            room = f"{len(bursts)} bursts in {len(clip_F)} s of footage"
            raise ValueError(f"the recipe has no room for {room}: lower its counts or gap_s")
        positions[i] = int(rng.choice(able))
        free_F[max(0, positions[i] - gap + 1) : positions[i] + gap] = False
    return positions


def _cut_in(
    footage_FD: FloatArray, bursts: Sequence[_Burst], positions: Sequence[int]
) -> tuple[FloatArray, tuple[Planted, ...]]:
    rows, planted, taken, time = list[FloatArray](), list[Planted](), 0, 0
    for position, i in sorted((position, i) for i, position in enumerate(positions)):
        burst = bursts[i]
        rows += [footage_FD[taken:position], burst.frames_ND]
        start = time + position - taken
        taken, time = position, start + len(burst.frames_ND)
        planted.append(
            Planted(
                kind=burst.kind,
                identity=burst.identity,
                t0_s=float(start),
                t1_s=float(time),
                query_D=burst.query_D,
            )
        )
    rows.append(footage_FD[taken:])
    return np.concatenate(rows), tuple(planted)


def describe(videos: Path | None = None, recipes: Mapping[Split, Recipe] = RECIPES) -> str:
    """Tell in Markdown what the footage is: how much is unique, how often it comes back, under which licences.

    Raises:
        HippocamError: The folder is missing or has too little.
    """
    clips = find_clips(videos)
    lines = list[str]()
    for split, recipe in recipes.items():
        mine = [clip for clip in clips if clip.split == split]
        shots = [shot for shot in plan(mine, recipe) if not shot.spoiled]
        unique_s = sum(clip.seconds for clip in mine)
        variants_s = sum(shot.seconds for shot in shots)
        lines.append(
            f"{split}: {unique_s} s of unique footage in {len(mine)} clips, {variants_s} s with variants (part, "
            f"mirror, light, phase of the sampling). A seed joins {recipe.hours:g} h of it, with "
            f"{recipe.needles} needles, {recipe.visits} showings of {recipe.entities} entities and "
            f"{recipe.distractors} distractors cut in. Photographs: Flickr8k (research, "
            "non-commercial), none that the encoder's head was trained on"
            + (", and COCO, a third of them." if split == "test" else ".")
        )
        lines += ["", f"| {split} clip | seconds | variants | licence |", "|---|---|---|---|"]
        for clip in mine:
            variants = sum(shot.clip == clip.name for shot in shots)
            licence = (clip.licence or "not stated").replace("|", "/")
            lines.append(f"| {clip.name} | {clip.seconds} | {variants} | {licence} |")
        lines.append("")
    return "\n".join(lines).strip()
