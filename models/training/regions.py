"""Slide shows of captioned photographs into how much a region of a picture says of what a text describes.

Some photographs stand for what a video shows; captions say what is in them. What two captions of a photograph name
is shown. What no caption of a show names is not, but for things that captions often leave unsaid. A logistic model
then tells the two apart by two numbers of the moment that speaks most for it: the log odds of the belief by the
whole pictures, and how much nearer the nearest region comes than the same pictures come to the phrases of the
bank, in standard deviations.

Shapes: N photographs; R regions; P phrases; F of a vector; Q questions; S photographs of a show.
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
from hippocam.models.sentences.vectors import phrase_vectors
from hippocam.models.training.captions import FEWEST_PHOTOS, Indices, read_captions, read_photo, split
from hippocam.stream.records import EncoderSpec, FloatArray

SHOWS = 120
_PHOTOS = 12
# Photographs of a folder that are used at most.
_MOST = 500
# Of each show so many words that it shows, and that it does not.
_WORDS = 12
_ROUNDS, _NEWTON_STEPS = 20, 30
# Things that captions name, and those of them that captions often leave unsaid.
_NAMED = frozenset(
    """
    airport ball balloon banana baseball basketball bat bathroom beach bear bed bench bicycle bike bird
    boat book bottle bowl bridge bus cake camera car cat child city cliff clock computer costume couch
    counter court cow crowd cup cupcake desk dog doll dress drum elephant fire fireplace flag food
    football forest fork fountain frisbee game garden giraffe guitar helmet hill horse hydrant keyboard
    kitchen kite knife ladder lake lamp laptop leash log market mirror motorcycle mountain mud night
    ocean oven park path phone pizza pool puddle racket rail rain refrigerator restaurant river rope
    sandwich sheep sidewalk sink skateboard ski slide slope snow snowboard soccer sofa stage stairs
    station statue stick stove suit suitcase sunglasses sunset surfboard swing teddy tennis tent tie
    toilet tower toy track train truck umbrella vase volleyball wave zebra
    """.split()
)
_UNSAID = frozenset(
    """
    bag box brick building chair cloud door fence field flower glass grass hat leaf plant plate pole road
    rock sand shadow sign sky stone street table tree wall water window wood
    """.split()
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
        weights: Log odds where belief is one half and regions as near as phrases; of a unit of log odds; of a
            standard deviation of nearness.
        usual: The nearest region's nearness where the belief is one half, and how much it rises with a unit.
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
        phrases_PF = phrase_vectors(self.spec, lambda: encoder)
        self._phrases_NP = np.stack([(regions_RF @ phrases_PF.T).max(axis=0) for regions_RF in self._regions_NRF])

    def of(self, asked: Asked) -> tuple[FloatArray, FloatArray]:
        """Log odds by the whole pictures, and how near the nearest regions come, float32 [Q, S] each."""
        names = list(dict.fromkeys(asked.texts))
        texts_TF = self._encoder.encode_texts(names)
        whole_NT = self._whole_NF @ texts_TF.T
        nearest_NT = np.stack([(regions_RF @ texts_TF.T).max(axis=0) for regions_RF in self._regions_NRF])
        row_Q = np.array([names.index(text) for text in asked.texts])[:, None]
        odds_NT = self.spec.slope * (whole_NT - midpoint(self.spec, asked.shows_QS.shape[1]))
        phrases_QP = np.stack([self._phrases_NP[show_S].max(axis=0) for show_S in asked.shows_QS])
        mean_Q1, deviation_Q1 = phrases_QP.mean(axis=1)[:, None], phrases_QP.std(axis=1)[:, None]
        nearness_QS = (nearest_NT[asked.shows_QS, row_Q] - mean_Q1) / deviation_Q1
        return odds_NT[asked.shows_QS, row_Q], nearness_QS


def ask_shows(captions_N: Sequence[Sequence[str]], *, shows: int = SHOWS, seed: int) -> Asked:
    """Make slide shows and what is asked of them.

    Args:
        captions_N: The captions of each photograph.
        shows: How many.
        seed: Of the photographs' and words' choice.
    """
    rng = np.random.default_rng(seed)
    captions_in_N = [Counter(word for caption in captions for word in _words(caption)) for captions in captions_N]
    shows_QS, texts, there = list[Indices](), list[str](), list[bool]()
    for _ in range(shows):
        show_S = rng.choice(len(captions_N), _PHOTOS, replace=False)
        shown = [w for w in sorted(_NAMED | _UNSAID) if any(captions_in_N[photo][w] >= 2 for photo in show_S)]
        absent = [w for w in sorted(_NAMED) if not any(captions_in_N[photo][w] for photo in show_S)]
        for words, present in ((shown, True), (absent, False)):
            for word in rng.permutation(np.array(words, object))[:_WORDS]:
                shows_QS.append(show_S)
                texts.append(f"{'an' if word[0] in 'aeiou' else 'a'} {word}")
                there.append(present)
    return Asked(shows_QS=np.stack(shows_QS), texts=tuple(texts), there_Q=np.array(there))


def fit(odds_QS: FloatArray, nearness_QS: FloatArray, there_Q: NDArray[np.bool_]) -> Fitted:
    """Fit the model: of each question the moment that speaks most for it counts, by the weights so far."""
    weights_3 = np.array([0.0, 1.0, 0.0])
    rows_Q = np.arange(len(there_Q))
    for _ in range(_ROUNDS):
        best_Q = (weights_3[1] * odds_QS + weights_3[2] * nearness_QS).argmax(axis=1)
        weights_3 = _logistic(odds_QS[rows_Q, best_Q], nearness_QS[rows_Q, best_Q], there_Q)
    return measure(weights_3, odds_QS, nearness_QS, there_Q)


def measure(
    weights_3: NDArray[np.float64], odds_QS: FloatArray, nearness_QS: FloatArray, there_Q: NDArray[np.bool_]
) -> Fitted:
    """Say how well weights tell what is there from what is not."""
    both = (weights_3[0] + weights_3[1] * odds_QS + weights_3[2] * nearness_QS).max(axis=1), odds_QS.max(axis=1)
    rises, usual = np.polyfit(odds_QS.ravel(), nearness_QS.ravel(), 1)
    one, other = ((score_Q[there_Q], score_Q[~there_Q]) for score_Q in both)
    return Fitted(
        weights=(float(weights_3[0]), float(weights_3[1]), float(weights_3[2])),
        usual=(float(usual), float(rises)),
        auc=(auc(*one), auc(*other)),
        there=(float((one[0] > 0).mean()), float((other[0] > 0).mean())),
        absent=(float((one[1] <= 0).mean()), float((other[1] <= 0).mean())),
    )


def fit_regions(folder: Path, also: Path | None, *, seed: int) -> tuple[Fitted, Fitted | None]:
    """Fit on the photographs of a folder, and measure on those of another one.

    Args:
        folder: Holds `images/` and `captions.tsv`. Of one that is large enough to have trained an encoder only the
            photographs for testing are used.
        also: Another such folder, which is only measured on.
        seed: Of all that is chosen.
    """
    encoder = BundledEncoder()
    fitted = fit(*_material(folder, encoder, seed))
    return fitted, None if also is None else measure(np.array(fitted.weights), *_material(also, encoder, seed))


def _material(
    folder: Path, encoder: BundledEncoder, seed: int
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    files, captions, photo_of_M = read_captions(folder)
    chosen = split(len(files))[2] if len(files) >= FEWEST_PHOTOS else np.arange(len(files))
    chosen = chosen[:: max(1, len(chosen) // _MOST)]
    captions_N = [[captions[m] for m in np.flatnonzero(photo_of_M == photo)] for photo in chosen]
    asked = ask_shows(captions_N, seed=seed)
    odds_QS, nearness_QS = Features([files[photo] for photo in chosen], encoder).of(asked)
    return odds_QS, nearness_QS, asked.there_Q


def _words(caption: str) -> set[str]:
    return {_singular(word) for word in re.findall("[a-z]+", caption.casefold())}


def _singular(word: str) -> str:
    return word.removesuffix("s") if len(word) > 3 and not word.endswith("ss") else word


def _logistic(odds_Q: FloatArray, nearness_Q: FloatArray, there_Q: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Fit three weights by Newton's method, both answers weighing alike."""
    design_Q3 = np.stack([np.ones(len(odds_Q)), odds_Q / 10, nearness_Q], axis=1).astype(np.float64)
    weigh_Q = np.where(there_Q, 0.5 / there_Q.mean(), 0.5 / (~there_Q).mean())
    weights_3 = np.zeros(3)
    for _ in range(_NEWTON_STEPS):
        belief_Q = 1 / (1 + np.exp(-design_Q3 @ weights_3))
        gradient = design_Q3.T @ (weigh_Q * (there_Q - belief_Q)) - 1e-2 * weights_3
        hessian = (design_Q3 * (weigh_Q * belief_Q * (1 - belief_Q))[:, None]).T @ design_Q3 + 1e-2 * np.eye(3)
        weights_3 = weights_3 + np.linalg.solve(hessian, gradient)
    scaled_3: NDArray[np.float64] = weights_3 * np.array([1.0, 0.1, 1.0])
    return scaled_3
