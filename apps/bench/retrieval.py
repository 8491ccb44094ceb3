"""Captioned photographs and an encoder into recall both ways: a caption's photograph, a photograph's captions.

Text to image: every caption is a query, its own photograph among all is right. Image to text: every photograph is
a query, any of its captions among all is right. Among equal cosines, wrong ones count as nearer. The standard
deviation is that of 1,000 bootstrap samples of the photographs, each with its captions (Efron 1979).

Two references are fitted here in seconds: ridge regression (Hoerl and Kennard 1970) from frozen features to the
text encoder's space, on all photographs of the folder but the 1,000 that are for testing. An encoder compared with
them shows what it learned beyond these photographs.

Shapes: N photographs, M captions, F features, D embedding.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hippocam.apps.bench.perception_cache import hash_of, identity, kept
from hippocam.models.encoders.conse import ConseEncoder
from hippocam.models.lazy import Lazy
from hippocam.models.nets.tinyvit import TinyViT
from hippocam.models.pictures import unit_rows
from hippocam.models.training.captions import Indices, read_captions, read_photo, split
from hippocam.stream.errors import HippocamError
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import EncodedImages, EncoderSpec, FloatArray, Image

FIRST = (1, 5, 10)
_SAMPLES = 1000
_SEED = 0
_BATCH = 16
# Strengths of the penalty that are tried on held-out photographs.
_STRENGTHS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
Features = Literal["tinyvit", "tinyvit+conse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Photographs:
    """Photographs and their captions.

    Attributes:
        name: Name of the set.
        files: The photographs, N of them.
        captions: All captions, M of them.
        photo_of_M: int64 [M], which photograph each belongs to.
        trains: Whether its folder holds others, that heads are trained on.
    """

    name: str
    files: tuple[Path, ...]
    captions: tuple[str, ...]
    photo_of_M: Indices
    trains: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """Recall one way, and its standard deviation, for each number of first answers that count."""

    recall: dict[int, float]
    sd: dict[int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieval:
    """Recall both ways on one set.

    Attributes:
        photographs: Name of the set.
        count: Photographs in it.
        to_image: Captions look for their photograph.
        to_text: Photographs look for one of their captions.
    """

    photographs: str
    count: int
    to_image: Direction
    to_text: Direction


def read_sets(folder: Path) -> list[Photographs]:
    """Read the sets to test on: the folder itself, or each of its folders that has images/ and captions.tsv.

    Of a set with more than 5,000 photographs only the 1,000 whose names sort last are for testing.

    Raises:
        HippocamError: There is none.
    """
    inside = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    found = [
        path for path in [folder, *inside] if (path / "captions.tsv").is_file() and (path / "images").is_dir()
    ]
    if not found:
        raise HippocamError(f"{folder}: no folder in it has images/ and captions.tsv; name another with --images")
    return [read_set(path) for path in sorted(found, key=lambda path: not _trains(path))]


def read_set(folder: Path) -> Photographs:
    """Read the part of a folder that is for testing."""
    files, captions, photo_of_M = read_captions(folder)
    test = split(len(files))[2] if _trains(folder) else np.arange(len(files))
    position_N = np.full(len(files), -1)
    position_N[test] = np.arange(len(test))
    own = np.flatnonzero(position_N[photo_of_M] >= 0)
    return Photographs(
        name=folder.name,
        files=tuple(files[n] for n in test.tolist()),
        captions=tuple(captions[m] for m in own.tolist()),
        photo_of_M=position_N[photo_of_M[own]],
        trains=_trains(folder),
    )


def _trains(folder: Path) -> bool:
    """Whether a folder is large enough to be one of those that heads are trained on."""
    return sum(1 for _ in (folder / "images").iterdir()) > 5000


def judge(photographs: Photographs, encoder: Encoder) -> Retrieval:
    """Give an encoder's recall both ways; what it encoded is cached."""
    who = identity(encoder)
    pictures_ND = kept(
        ("photographs:1", who, *(hash_of(file) for file in photographs.files)),
        lambda: {"vectors_ND": _encode_photographs(photographs.files, encoder)},
    )["vectors_ND"]
    texts_MD = kept(
        ("captions:1", who, *photographs.captions),
        lambda: {"vectors_MD": encoder.encode_texts(photographs.captions)},
    )["vectors_MD"]
    cosines_MN = np.asarray(texts_MD, np.float32) @ np.asarray(pictures_ND, np.float32).T
    image_ranks_M, text_ranks_N = ranks(cosines_MN, photographs.photo_of_M)
    return Retrieval(
        photographs=photographs.name,
        count=len(photographs.files),
        to_image=_direction(image_ranks_M, photographs.photo_of_M),
        to_text=_direction(text_ranks_N, np.arange(len(photographs.files))),
    )


def _encode_photographs(files: Sequence[Path], encoder: Encoder) -> FloatArray:
    batches = (files[at : at + _BATCH] for at in range(0, len(files), _BATCH))
    encoded = [encoder.encode_images([read_photo(file) for file in batch]).vectors_ND for batch in batches]
    return np.concatenate(encoded, dtype=np.float32)


def ranks(cosines_MN: FloatArray, photo_of_M: Indices) -> tuple[Indices, Indices]:
    """How many wrong ones come before the right one: for each caption, and for each photograph's best caption."""
    captions_M = np.arange(len(photo_of_M))
    own_M = cosines_MN[captions_M, photo_of_M]
    image_ranks_M = (cosines_MN >= own_M[:, None]).sum(1) - 1
    best_N = np.full(cosines_MN.shape[1], -np.inf, cosines_MN.dtype)
    np.maximum.at(best_N, photo_of_M, own_M)
    wrong_MN = cosines_MN >= best_N
    wrong_MN[captions_M, photo_of_M] = False
    return image_ranks_M, wrong_MN.sum(0)


def _direction(ranks_Q: Indices, photo_of_Q: Indices) -> Direction:
    """Recall of queries, and its deviation when the photographs that they belong to are drawn again."""
    rng = np.random.default_rng(_SEED)
    count = int(photo_of_Q.max()) + 1
    drawn_SN = rng.multinomial(count, np.full(count, 1 / count), size=_SAMPLES)
    queries_N = np.bincount(photo_of_Q, minlength=count)
    recall, sd = dict[int, float](), dict[int, float]()
    for first in FIRST:
        hit_Q = ranks_Q < first
        hits_N = np.bincount(photo_of_Q, weights=hit_Q, minlength=count)
        recall[first] = float(hit_Q.mean())
        sd[first] = float(((drawn_SN @ hits_N) / (drawn_SN @ queries_N)).std())
    return Direction(recall=recall, sd=sd)


# references -------------------------------------------------------------------------------------------------


class RidgeEncoder:
    """Ridge regression from frozen features of a picture to the text encoder's space.

    Args:
        features: What it sees of a picture.
        mean_F: float32 [F], taken out of the features.
        map_FD: float32 [F, D].
        shift_D: float32 [D], the mean of the texts.
    """

    def __init__(self, features: Features, mean_F: FloatArray, map_FD: FloatArray, shift_D: FloatArray) -> None:
        self._features = Lazy(lambda: _Features(features))
        self._mean_F, self._map_FD, self._shift_D = mean_F, map_FD, shift_D
        self._texts = ConseEncoder()
        self.spec = EncoderSpec(
            id=f"ridge-{features}", dim=len(shift_D), normalised=True, midpoint=0.3, slope=20.0
        )

    def encode_images(self, images: Sequence[Image]) -> EncodedImages:
        """Encode N pictures of any size; no labels."""
        rows_NF = np.stack([self._features().of(image) for image in images])
        vectors_ND = unit_rows(_mapped(rows_NF, (self._mean_F, self._map_FD, self._shift_D)))
        return EncodedImages(vectors_ND=vectors_ND, labels=((),) * len(images))

    def encode_texts(self, texts: Sequence[str]) -> FloatArray:
        """Encode N texts to float32 [N, D]."""
        return self._texts.encode_texts(texts)


class _Features:
    """Frozen features of a picture: the mean of TinyViT's patches, and ConSE's sum."""

    def __init__(self, features: Features) -> None:
        self._tinyvit = TinyViT(threads=1)
        self._conse = ConseEncoder() if features == "tinyvit+conse" else None

    def of(self, image: Image) -> FloatArray:
        """Give float32 [F]: TinyViT's part of length 1, and ConSE's centred sum as it is."""
        seen = unit_rows(self._tinyvit.patches(image).mean(0, keepdims=True))[0]
        parts = [seen] if self._conse is None else [seen, self._conse.mix([image])[0][0]]
        features: FloatArray = np.concatenate(parts, dtype=np.float32)
        return features


def ridge(folder: Path, features: Features, *, report: Callable[[str], None] = lambda line: None) -> RidgeEncoder:
    """Fit a reference on a folder of captioned photographs, without the 1,000 that are for testing.

    The strength is chosen by the captions of 500 photographs held out; then all but the test ones are fitted.
    """
    files, captions, photo_of_M = read_captions(folder)
    training, held_out, _ = split(len(files))
    both_NF, texts_ND = _training_features(folder, files, captions, photo_of_M, report)
    rows_NF = both_NF if features == "tinyvit+conse" else both_NF[:, :320]
    position_N = np.full(len(files), -1)
    position_N[held_out] = np.arange(len(held_out))
    queries = [captions[m] for m in np.flatnonzero(position_N[photo_of_M] >= 0).tolist()]
    own_Q = position_N[photo_of_M[position_N[photo_of_M] >= 0]]
    queries_QD = kept(("queries:1", *queries), lambda: {"q": ConseEncoder().encode_texts(queries)})["q"]
    best, best_strength = -1.0, _STRENGTHS[0]
    for strength in _STRENGTHS:
        guessed_ND = unit_rows(_mapped(rows_NF[held_out], fit(rows_NF[training], texts_ND[training], strength)))
        image_ranks_Q, _ = ranks(np.asarray(queries_QD, np.float32) @ guessed_ND.T, own_Q)
        right = float((image_ranks_Q < 1).mean())
        if right > best:
            best, best_strength = right, strength
    seen = np.concatenate([training, held_out])
    report(f"ridge from {features}: strength {best_strength:g}, {len(seen)} photographs")
    return RidgeEncoder(features, *fit(rows_NF[seen], texts_ND[seen], best_strength))


def fit(rows_NF: FloatArray, texts_ND: FloatArray, strength: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give the mean of the rows, the map that best gives the centred texts, and the mean of the texts.

    The penalty is strength times the mean variance of a feature times N, so that it does not depend on scales.
    """
    mean_F, shift_D = rows_NF.mean(0, dtype=np.float64), texts_ND.mean(0, dtype=np.float64)
    x_NF, y_ND = rows_NF - mean_F, texts_ND - shift_D
    gram_FF = x_NF.T @ x_NF
    penalty = strength * np.trace(gram_FF) / len(gram_FF)
    map_FD = np.linalg.solve(gram_FF + penalty * np.eye(len(gram_FF)), x_NF.T @ y_ND)
    return mean_F.astype(np.float32), map_FD.astype(np.float32), shift_D.astype(np.float32)


def _mapped(rows_NF: FloatArray, by: tuple[FloatArray, FloatArray, FloatArray]) -> FloatArray:
    """Rows through what `fit` gave, float32 [N, D]."""
    mean_F, map_FD, shift_D = by
    return np.asarray((rows_NF - mean_F) @ map_FD + shift_D, np.float32)


def _training_features(
    folder: Path,
    files: Sequence[Path],
    captions: Sequence[str],
    photo_of_M: Indices,
    report: Callable[[str], None],
) -> tuple[FloatArray, FloatArray]:
    """Features of all photographs but the test ones (zeros there), and the mean of each one's captions."""
    training, held_out, _ = split(len(files))
    seen = np.concatenate([training, held_out])
    listing = (folder / "captions.tsv").read_bytes()
    parts = ("ridge:1", hashlib.sha256(listing).hexdigest(), *(f"{f.name} {f.stat().st_size}" for f in files))

    def make() -> dict[str, NDArray[np.generic]]:
        report(f"features of {len(seen)} photographs, once (10 minutes on one core)")
        network, texts = _Features("tinyvit+conse"), ConseEncoder()
        rows_NF = np.zeros((len(files), 320 + 384), np.float32)
        for n in seen.tolist():
            rows_NF[n] = network.of(read_photo(files[n]))
        sentences_MD = np.zeros((len(captions), 384), np.float32)
        wanted = np.flatnonzero(np.isin(photo_of_M, seen))
        sentences_MD[wanted] = texts.encode_texts([captions[m] for m in wanted.tolist()])
        sums_ND = np.zeros((len(files), 384), np.float32)
        np.add.at(sums_ND, photo_of_M, sentences_MD)
        return {"rows_NF": rows_NF, "texts_ND": unit_rows(sums_ND)}

    stored = kept(parts, make)
    return np.asarray(stored["rows_NF"], np.float32), np.asarray(stored["texts_ND"], np.float32)
