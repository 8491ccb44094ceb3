"""A folder of clips and photographs into a pool of encoded shots, once; what was encoded is kept and read again.

A shot is a frame a second of one clip in one variant, as a camera that comes back to the same place at another
hour; or some seconds of it spoiled; or a slow pan over a photograph. The splits share no photograph.

Shapes: N frames of a shot; D embedding.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from hippocam.apps.worlds.footage_plan import Clip, Recipe, Shot, Split, find_clips, folder_of, plan
from hippocam.apps.worlds.footage_views import View, chance, pan, random_view, spoil
from hippocam.models.pictures import unit_rows
from hippocam.models.training import captions as photographs
from hippocam.models.weights import cache_dir
from hippocam.stream.errors import HippocamError
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import FloatArray, Image
from hippocam.stream.sources.video import VideoSource

_DECODE_FPS = 8.0  # variants start at different eighths of the second
_BATCH = 16
_VERSION = 1  # another number encodes everything again


@dataclass(frozen=True, slots=True, kw_only=True)
class Photograph:
    """A captioned photograph and what a camera and a person make of it.

    Attributes:
        file: Where it is.
        caption: The first of its captions.
        bursts: Slow pans, float32 [N, D] each: one of a needle, one a visit of an entity.
        view_D: A view that is in no burst: another part, mirrored.
        caption_D: The caption by the encoder's text side.
    """

    file: Path
    caption: str
    bursts: tuple[FloatArray, ...]
    view_D: FloatArray
    caption_D: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """All that a split's worlds are drawn from.

    Attributes:
        shots: Each with its vectors, float32 [N, D].
        photographs: For needles and for what is absent.
        entities: For each rank, the two that a seed chooses from.
    """

    shots: tuple[tuple[Shot, FloatArray], ...]
    photographs: tuple[Photograph, ...]
    entities: tuple[tuple[Photograph, Photograph], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What is encoded in one go and kept in one file: pictures, each with the index of its shot."""

    what: object
    files: tuple[Path, ...]
    frames: int
    shots: int
    pictures: Callable[[], Iterator[tuple[int, Image]]]


def _clip_pictures(clip: Clip, shots: Sequence[Shot]) -> Iterator[tuple[int, Image]]:
    """Decode a clip once and give the pictures of all its shots; where no frame is due, the last one stays."""
    views = {shot.variant: _variant(shot) for shot in shots}
    done = [0] * len(shots)
    for seen in VideoSource(clip.path).observations(fps=_DECODE_FPS):
        for index, shot in enumerate(shots):
            while done[index] < shot.seconds and shot.start_s + done[index] <= seen.time_s:
                image = views[shot.variant].of(seen.images[""])
                if shot.spoiled:
                    image = spoil(image, shot.spoiled, chance(shot, done[index]))
                done[index] += 1
                yield index, image


def _variant(shot: Shot) -> View:
    if shot.variant == 0:
        return View()
    rng = chance(shot.clip, shot.variant, "view")
    return random_view(rng, (0.6, 0.95), 0.3, mirrored=bool(rng.random() < 0.5))


def _choose_photographs(folder: Path, split: Split, count: int) -> list[tuple[Path, str]]:
    """Give photographs with their first captions: none that the encoder's head was trained on."""
    flickr, coco = folder / "images" / "flickr8k", folder / "images" / "coco_val_248"
    for needed in (flickr, coco):
        if not (needed / "captions.tsv").is_file():
            raise HippocamError(f"no photographs at {needed}: give the folder that has them with --videos DIR")
    known = _first_captions(flickr)
    if split == "train":  # those that the head was chosen by: it learned from the others
        held_out = photographs.split(len(known))[1] if len(known) > photographs.TEST_PHOTOS else ()
        lists = [([known[i] for i in sorted(held_out)], count)]
    else:
        from_coco = count // 3
        lists = [(known[-photographs.TEST_PHOTOS :], count - from_coco), (_first_captions(coco), from_coco)]
    chosen = []
    for offered, wanted in lists:
        if len(offered) < wanted:
            raise HippocamError(
                f"{len(offered)} photographs for {split} where {wanted} are needed: "
                "give a folder with more with --videos DIR"
            )
        order = chance("photographs", split).permutation(len(offered))
        chosen += [offered[i] for i in order[:wanted]]
    return [chosen[i] for i in chance("mixed", split).permutation(count)]


def _first_captions(folder: Path) -> list[tuple[Path, str]]:
    files, captions, photo_of_M = photographs.read_captions(folder)
    first = {int(photo): caption for photo, caption in reversed(list(zip(photo_of_M, captions, strict=True)))}
    return [(file, first[i]) for i, file in enumerate(files) if i in first]


def _views(file: Path, bursts: int, burst_s: tuple[int, int]) -> list[tuple[View, ...]]:
    """Give the pans over a photograph, and last a single view for the question."""
    pans = []
    for number in range(bursts):
        rng = chance(file.name, number)
        mirrored = bursts > 1 and bool(rng.random() < 0.5)
        light = 0.2 if bursts > 1 else 0.05
        ends = [random_view(rng, (0.7, 0.9), light, mirrored=mirrored) for _ in range(2)]
        pans.append(pan(ends[0], ends[1], int(rng.integers(burst_s[0], burst_s[1] + 1))))
    return [*pans, (random_view(chance(file.name, "question"), (0.7, 0.9), 0.1, mirrored=True),)]


def _photo_pictures(
    files: Sequence[Path], views: Sequence[Sequence[Sequence[View]]]
) -> Iterator[tuple[int, Image]]:
    index = 0
    for file, pans in zip(files, views, strict=True):
        image = photographs.read_photo(file)
        for shown in pans:
            yield from ((index, view.of(image)) for view in shown)
            index += 1


def read_pool(split: Split, recipe: Recipe, videos: Path | None, encoder: Encoder) -> Pool:
    """Encode a split's pool, or read what was encoded before; when interrupted, the next call goes on by clips.

    Raises:
        HippocamError: The folder is missing or has too little.
    """
    clips = [clip for clip in find_clips(videos) if clip.split == split]
    planned = plan(clips, recipe)
    used = {shot.clip for shot in planned}
    shots_of = {clip: [s for s in planned if s.clip == clip.name] for clip in clips if clip.name in used}
    parts = [
        _Part(
            what=[asdict(shot) for shot in shots],
            files=(clip.path,),
            frames=sum(shot.seconds for shot in shots),
            shots=len(shots),
            pictures=partial(_clip_pictures, clip, shots),
        )
        for clip, shots in shots_of.items()
    ]
    chosen = _choose_photographs(folder_of(videos), split, recipe.photographs + 2 * recipe.entities)
    counts = [n for visits in recipe.visits_by_rank() for n in (visits, visits)] + [1] * recipe.photographs
    files = tuple(file for file, _ in chosen)
    views = [_views(file, bursts, recipe.burst_s) for file, bursts in zip(files, counts, strict=True)]
    parts.append(
        _Part(
            what=[[asdict(view) for view in shown] for pans in views for shown in pans],
            files=files,
            frames=sum(len(shown) for pans in views for shown in pans),
            shots=sum(len(pans) for pans in views),
            pictures=partial(_photo_pictures, files, views),
        )
    )
    *of_clips, of_photographs = _encoded(parts, encoder)
    texts_ND = _encoded_texts([caption for _, caption in chosen], encoder)
    rows, made = iter(of_photographs), []
    for (file, caption), pans, text_D in zip(chosen, views, texts_ND, strict=True):
        *bursts, question_1D = islice(rows, len(pans))
        made.append(
            Photograph(file=file, caption=caption, bursts=tuple(bursts), view_D=question_1D[0], caption_D=text_D)
        )
    entities, others = made[: 2 * recipe.entities], made[2 * recipe.entities :]
    return Pool(
        shots=tuple(
            pair
            for shots, vectors in zip(shots_of.values(), of_clips, strict=True)
            for pair in zip(shots, vectors, strict=True)
        ),
        photographs=tuple(others),
        entities=tuple(zip(entities[::2], entities[1::2], strict=True)),
    )


def cache_root() -> Path:
    """Give the folder of encoded pools, beside that of fetched weights: `$HIPPOCAM_CACHE` moves both."""
    return cache_dir().parent / "bench" / "footage"


def _encoded(parts: Sequence[_Part], encoder: Encoder) -> list[list[FloatArray]]:
    """Give each part's shots as vectors, from the cache or by encoding them."""
    paths = [cache_root() / f"{_digest(encoder, part.what, part.files)}.npz" for part in parts]
    missing = [(path, part) for path, part in zip(paths, parts, strict=True) if not path.exists()]
    if missing:
        total = sum(part.frames for _, part in missing)
        with tqdm(total=total, desc="encoding footage", unit=" pictures", file=sys.stderr) as bar:
            for path, part in missing:
                shots = _encode(part, encoder, bar)
                starts = np.cumsum([len(shot) for shot in shots])[:-1]
                _keep(path, vectors_ND=np.concatenate(shots), starts=starts)
    return [_read(path) for path in paths]


def _encode(part: _Part, encoder: Encoder, bar: tqdm[Any]) -> list[FloatArray]:
    shots: list[list[FloatArray]] = [[] for _ in range(part.shots)]
    pictures = part.pictures()
    while batch := list(islice(pictures, _BATCH)):
        vectors_ND = unit_rows(encoder.encode_images([image for _, image in batch]).vectors_ND)
        for (index, _), vector_D in zip(batch, vectors_ND, strict=True):
            shots[index].append(vector_D)
        bar.update(len(batch))
    empty = np.zeros((0, encoder.spec.dim), np.float32)
    return [np.stack(rows) if rows else empty for rows in shots]


def _encoded_texts(texts: Sequence[str], encoder: Encoder) -> FloatArray:
    path = cache_root() / f"{_digest(encoder, list(texts), ())}.npz"
    if not path.exists():
        _keep(path, vectors_ND=unit_rows(encoder.encode_texts(texts)), starts=np.zeros(0, np.int64))
    return _read(path)[0]


def _digest(encoder: Encoder, what: object, files: Sequence[Path]) -> str:
    contents = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    key = json.dumps([_VERSION, encoder.spec.id, what, contents])
    return hashlib.sha256(key.encode()).hexdigest()[:24]


def _keep(path: Path, **arrays: np.ndarray[Any, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    with part.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
    part.replace(path)  # atomic: another process sees the whole file or none


def _read(path: Path) -> list[FloatArray]:
    with np.load(path, allow_pickle=False) as kept:
        return np.split(kept["vectors_ND"], kept["starts"])
