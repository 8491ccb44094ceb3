"""A folder of clips into a plan: which variants of which clips a world is joined from, and what is cut into it.

Nothing is decoded here but the files' headers. The splits share no clip.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np

from hippocam.apps.worlds.footage_views import SPOILS, chance
from hippocam.stream.errors import HippocamError
from hippocam.stream.sources.video import VideoSource

DEFAULT_VIDEOS = Path(__file__).resolve().parents[3] / "shared" / "data"
Split = Literal["test", "train"]

# Chosen by hand, so that both splits have cameras that stand still and some that move. The rest is for testing.
TRAIN_CLIPS = (
    "driveway_prius",  # stands still
    "intel_car_detection",  # stands still, from above
    "gnome_dual_monitors",  # a screen
    "terminal_plus_webcam",  # a screen
    "episode_0000",  # a robot's head camera, four short takes
    "udacity_challenge",  # in a car
    "polygoon_weightlifting",  # a newsreel
    "sintel_trailer",  # a film
    "pyscenedetect_testvideo",  # hard cuts
)
_SUFFIXES = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".webm"})
_SHORTEST_S = 8  # fewer than eight frames are no visit
_SPARE = 1.2  # spoiled shots in the pool for each that a world takes


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What a world is made of, and so how large a pool must be. Counts are for a stream of `hours`.

    Attributes:
        hours: Longest stream, with all that is cut in.
        needles: Photographs that are shown once.
        absent: Photographs that are asked for and never shown.
        photographs: Pool that a seed draws those two from.
        entities: Photographs that are shown again and again.
        visits: How often, all of them together; by Zipf's law, but twice or more each.
        distractors: Spoiled bursts.
        burst_s: Shortest and longest showing of any of these.
        segment_s: Shortest and longest visit of a camera; clips that are shorter are shown whole.
        variants: Most variants of one clip.
        gap_s: Fewest seconds of footage between two bursts.
    """

    hours: float = 3.2
    needles: int = 120
    absent: int = 60
    photographs: int = 250
    entities: int = 25
    visits: int = 120
    distractors: int = 120
    burst_s: tuple[int, int] = (4, 8)
    segment_s: tuple[int, int] = (40, 160)
    variants: int = 16
    gap_s: int = 4

    def __post_init__(self) -> None:
        if self.photographs < self.needles + self.absent:
            least = f"needles + absent = {self.needles + self.absent}"
            raise ValueError(f"photographs must be {least} or more, found {self.photographs}")
        if self.visits < 2 * self.entities:
            raise ValueError(f"visits must be 2 x entities = {2 * self.entities} or more, found {self.visits}")

    @property
    def footage_s(self) -> int:
        """Seconds of footage that are enough, however short the bursts are."""
        return round(self.hours * 3600) - (self.needles + self.visits + self.distractors) * self.burst_s[0]

    def visits_by_rank(self) -> list[int]:
        """How often each entity is shown, the most frequent first."""
        weights = 1 / np.arange(1, self.entities + 1)
        counts = [max(2, round(v)) for v in self.visits * weights / weights.sum()] if self.entities else []
        index = 0
        while sum(counts) != self.visits and counts:
            step = 1 if sum(counts) < self.visits else -1
            if counts[index % len(counts)] + step >= 2:
                counts[index % len(counts)] += step
            index += 1
        return counts


RECIPES: Mapping[Split, Recipe] = MappingProxyType(
    {
        "test": Recipe(hours=3.5, needles=390, photographs=450),
        "train": Recipe(hours=1.1, needles=42, absent=20, photographs=100, entities=10, visits=42, distractors=42),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A video of the folder.

    Attributes:
        name: Its path below the folder.
        path: Where it is.
        split: What it is for.
        seconds: Whole seconds of it.
        licence: As the folder's MANIFEST.tsv states it, "" without one.
    """

    name: str
    path: Path
    split: Split
    seconds: int
    licence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """Consecutive seconds of one clip in one variant.

    Attributes:
        clip: The clip's name.
        variant: Which one; 0 is the clip as it is.
        start_s: Time of the first frame in the clip; the others follow second by second.
        seconds: How many frames.
        spoiled: One of `SPOILS`, "" for footage as it is.
    """

    clip: str
    variant: int
    start_s: float
    seconds: int
    spoiled: str = ""


def find_clips(videos: Path | None = None) -> tuple[Clip, ...]:
    """List the clips of a folder that are long enough, by name.

    Raises:
        HippocamError: There is no such folder.
    """
    folder = folder_of(videos)
    licences = dict[str, str]()
    if (folder / "MANIFEST.tsv").is_file():
        with (folder / "MANIFEST.tsv").open(encoding="utf-8", newline="") as file:
            licences = {row["file"]: row["licence"] for row in csv.DictReader(file, delimiter="\t")}
    found = []
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in _SUFFIXES):
        name, seconds = path.relative_to(folder).as_posix(), int(VideoSource(path).duration_s or 0)
        split: Split = "train" if path.name.startswith(TRAIN_CLIPS) else "test"
        if seconds >= _SHORTEST_S:
            licence = licences.get(name, "")
            found.append(Clip(name=name, path=path, split=split, seconds=seconds, licence=licence))
    return tuple(found)


def folder_of(videos: Path | None) -> Path:
    """Give the folder of clips and photographs, None for the one beside the project.

    Raises:
        HippocamError: It is not there.
    """
    folder = DEFAULT_VIDEOS if videos is None else videos
    if not folder.is_dir():
        raise HippocamError(f"no footage at {folder}: give the folder of clips and photographs with --videos DIR")
    return folder


def plan(clips: Sequence[Clip], recipe: Recipe) -> tuple[Shot, ...]:
    """Plan which variants of which clips the pool holds, and which of their seconds it also holds spoiled.

    The clip with the fewest seconds so far gets the next variant, so that no long film drowns the rest.

    Raises:
        HippocamError: The clips are too few or too short.
    """
    variants = dict.fromkeys((clip.name for clip in clips), 0)
    shots, total_s, kinds, owed = list[Shot](), 0, 0, 0.0
    while total_s < recipe.footage_s:
        able = [clip for clip in clips if variants[clip.name] < recipe.variants]
        if not able:
            raise HippocamError(
                f"{len(clips)} clips give {total_s} s of footage where {recipe.footage_s} s are needed: "
                "give a folder with more with --videos DIR"
            )
        clip = min(able, key=lambda c: (variants[c.name] * c.seconds, c.name))
        variant = variants[clip.name]
        rng = chance(clip.name, variant, "shots")
        start_s = float(rng.integers(1, 8)) / 8 if variant else 0.0
        seconds = clip.seconds - 1 if variant else clip.seconds
        shots.append(Shot(clip=clip.name, variant=variant, start_s=start_s, seconds=seconds))
        owed += _SPARE * recipe.distractors * seconds / recipe.footage_s
        while owed >= 1:
            length = min(seconds, int(rng.integers(recipe.burst_s[0], recipe.burst_s[1] + 1)))
            at_s = start_s + int(rng.integers(0, seconds - length + 1))
            kind = SPOILS[kinds % len(SPOILS)]
            shots.append(Shot(clip=clip.name, variant=variant, start_s=at_s, seconds=length, spoiled=kind))
            kinds, owed = kinds + 1, owed - 1
        variants[clip.name], total_s = variant + 1, total_s + seconds
    return tuple(shots)
