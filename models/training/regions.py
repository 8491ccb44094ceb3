"""Slide shows of captioned photographs into how much a region of a picture says of what a text describes.

Some photographs stand for what a video shows; captions say what is in them. A phrase of a caption ("a red shirt")
is shown. One of another photograph is not where no caption of the show has its last word, and where that is a word
that few captions leave unsaid. A logistic model then tells the two apart by two numbers of the moment that speaks
most for it: the log odds of the belief by the whole pictures, and the cosine of the nearest region.

Shapes: N photographs; R regions; F of a vector; Q questions; S photographs of a show.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.recall.recall import midpoint
from hippocam.memory.training.auc import auc
from hippocam.models.encoders.bundled.encoder import BundledEncoder
from hippocam.models.training.captions import Indices, read_captions, read_photo, split
from hippocam.stream.records import EncoderSpec, FloatArray

SHOWS = 120
_PHOTOS = 12
# Of each show so many phrases that it shows, and that it does not.
_PHRASES = 12
# A word that a greater share of photographs has is one that captions leave unsaid as often.
_UNSAID = 0.02
_ROUNDS, _NEWTON_STEPS = 20, 30
_PHRASE = re.compile(
    r"\b(an?|the|two|some) ((?:[a-z]+ )?[a-z]+)"
    r"(?= (?:is|are|in|on|at|with|and|to|by|near|while|as|over|through|behind|into|that|down|along|under)\b"
    r"|[ .]*$)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Questions about slide shows.

    Attributes:
        shows_QS: The photographs that each is asked of.
        texts: What each asks for.
        there_Q: Whether the show has it.
    """

    shows_QS: Indices
    texts: tuple[str, ...]
    there_Q: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """What was fitted, and how well it tells what is shown from what is not.

    Attributes:
        weights: Log odds where the belief is one half and the cosine 0; of a unit of log odds; of a cosine of 1.
        usual: The nearest region's cosine where the belief is one half, and how much it rises with a unit.
        auc: With the model, and by the belief of whole pictures alone.
        there: Share of what is there that is believed by one half, by both.
        absent: Share of what is not that is not, by both.
    """

    weights: tuple[float, float, float]
    usual: tuple[float, float]
    auc: tuple[float, float]
    there: tuple[float, float]
    absent: tuple[float, float]


class Features:
    """Photographs as an encoder sees them, whole and by regions.

    Args:
        files: The photographs.
        encoder: The encoder.
    """

    def __init__(self, files: Sequence[Path], encoder: BundledEncoder) -> None:
        images = [read_photo(file) for file in files]
        self.spec: EncoderSpec = encoder.spec
        self._encoder = encoder
        self._whole_NF = np.concatenate([encoder.encode_images([image]).vectors_ND for image in images])
        self._regions_NRF = np.stack([encoder.encode_regions(image) for image in images])

    def of(self, asked: Asked) -> tuple[FloatArray, FloatArray]:
        """Log odds by the whole pictures and the nearest regions' cosines, float32 [Q, S] each."""
        names = list(dict.fromkeys(asked.texts))
        texts_TF = self._encoder.encode_texts(names)
        whole_NT = self._whole_NF @ texts_TF.T
        nearest_NT = np.stack([(regions_RF @ texts_TF.T).max(axis=0) for regions_RF in self._regions_NRF])
        row_Q = np.array([names.index(text) for text in asked.texts])[:, None]
        odds_NT = self.spec.slope * (whole_NT - midpoint(self.spec, asked.shows_QS.shape[1]))
        return odds_NT[asked.shows_QS, row_Q], nearest_NT[asked.shows_QS, row_Q]


def ask_shows(captions_N: Sequence[Sequence[str]], *, shows: int = SHOWS, seed: int) -> Asked:
    """Make slide shows and what is asked of them.

    Args:
        captions_N: The captions of each photograph.
        shows: How many.
        seed: Of the photographs' and phrases' choice.
    """
    rng = np.random.default_rng(seed)
    words_N = [set(re.findall("[a-z]+", " ".join(captions).casefold())) for captions in captions_N]
    often = Counter(word for words in words_N for word in words)
    phrases_N = [sorted({p for caption in captions for p in _phrases(caption)}) for captions in captions_N]
    every = sorted({phrase for phrases in phrases_N for phrase in phrases})
    rare = [phrase for phrase in every if often[phrase.split()[-1]] <= max(2, _UNSAID * len(captions_N))]
    shows_QS, texts, there = list[Indices](), list[str](), list[bool]()
    for _ in range(shows):
        show_S = rng.choice(len(captions_N), _PHOTOS, replace=False)
        said = set[str]().union(*(words_N[photo] for photo in show_S))
        shown = sorted({phrase for photo in show_S for phrase in phrases_N[photo]})
        absent = [phrase for phrase in rare if not _alike(phrase.split()[-1], said)]
        for phrases, present in ((shown, True), (absent, False)):
            for phrase in rng.permutation(np.array(phrases, object))[:_PHRASES]:
                shows_QS.append(show_S)
                texts.append(str(phrase))
                there.append(present)
    return Asked(shows_QS=np.stack(shows_QS), texts=tuple(texts), there_Q=np.array(there))


def fit(odds_QS: FloatArray, cosines_QS: FloatArray, there_Q: NDArray[np.bool_]) -> Fitted:
    """Fit the model: of each question the moment that speaks most for it counts, by the weights so far."""
    weights_3 = np.array([0.0, 1.0, 0.0])
    rows_Q = np.arange(len(there_Q))
    for _ in range(_ROUNDS):
        best_Q = (weights_3[1] * odds_QS + weights_3[2] * cosines_QS).argmax(axis=1)
        weights_3 = _logistic(odds_QS[rows_Q, best_Q], cosines_QS[rows_Q, best_Q], there_Q)
    return measure(weights_3, odds_QS, cosines_QS, there_Q)


def measure(
    weights_3: NDArray[np.float64], odds_QS: FloatArray, cosines_QS: FloatArray, there_Q: NDArray[np.bool_]
) -> Fitted:
    """Say how well weights tell what is there from what is not."""
    both = (weights_3[0] + weights_3[1] * odds_QS + weights_3[2] * cosines_QS).max(axis=1), odds_QS.max(axis=1)
    rises, usual = np.polyfit(odds_QS.ravel(), cosines_QS.ravel(), 1)
    one, other = ((score_Q[there_Q], score_Q[~there_Q]) for score_Q in both)
    return Fitted(
        weights=(float(weights_3[0]), float(weights_3[1]), float(weights_3[2])),
        usual=(float(usual), float(rises)),
        auc=(auc(*one), auc(*other)),
        there=(float((one[0] > 0).mean()), float((other[0] > 0).mean())),
        absent=(float((one[1] <= 0).mean()), float((other[1] <= 0).mean())),
    )


def fit_regions(folder: Path, also: Path | None, *, seed: int) -> tuple[Fitted, Fitted | None]:
    """Fit on the photographs of a folder that no encoder was trained on, and measure on another folder.

    Args:
        folder: Holds `images/` and `captions.tsv`.
        also: Another such folder, all of which is only measured on.
        seed: Of all that is chosen.
    """
    encoder = BundledEncoder()
    fitted = fit(*_material(folder, encoder, seed, tested=True))
    if also is None:
        return fitted, None
    return fitted, measure(np.array(fitted.weights), *_material(also, encoder, seed, tested=False))


def _material(
    folder: Path, encoder: BundledEncoder, seed: int, *, tested: bool
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    files, captions, photo_of_M = read_captions(folder)
    chosen = split(len(files))[2] if tested else np.arange(len(files))
    captions_N = [[captions[m] for m in np.flatnonzero(photo_of_M == photo)] for photo in chosen]
    asked = ask_shows(captions_N, seed=seed)
    odds_QS, cosines_QS = Features([files[photo] for photo in chosen], encoder).of(asked)
    return odds_QS, cosines_QS, asked.there_Q


def _phrases(caption: str) -> list[str]:
    return [f"{article} {noun}" for article, noun in _PHRASE.findall(caption.casefold())]


def _alike(word: str, said: set[str]) -> bool:
    """Whether a word, or its singular or plural, is among some."""
    return bool({word, word.removesuffix("s"), f"{word}s", word.removesuffix("es"), f"{word}es"} & said)


def _logistic(odds_Q: FloatArray, cosines_Q: FloatArray, there_Q: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Fit three weights by Newton's method, both answers weighing alike."""
    design_Q3 = np.stack([np.ones(len(odds_Q)), odds_Q / 10, cosines_Q * 10], axis=1).astype(np.float64)
    weigh_Q = np.where(there_Q, 0.5 / there_Q.mean(), 0.5 / (~there_Q).mean())
    weights_3 = np.zeros(3)
    for _ in range(_NEWTON_STEPS):
        belief_Q = 1 / (1 + np.exp(-design_Q3 @ weights_3))
        gradient = design_Q3.T @ (weigh_Q * (there_Q - belief_Q)) - 1e-2 * weights_3
        hessian = (design_Q3 * (weigh_Q * belief_Q * (1 - belief_Q))[:, None]).T @ design_Q3 + 1e-2 * np.eye(3)
        weights_3 = weights_3 + np.linalg.solve(hessian, gradient)
    return weights_3 * np.array([1.0, 0.1, 10.0])
