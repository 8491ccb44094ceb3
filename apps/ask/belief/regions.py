"""Moments believed anew by the regions of their pictures: what is small hardly moves the vector of the whole.

An entry is found by one vector of all that it shows. The kept pictures of the likeliest moments are shown to the
encoder again, which tells what each of their regions looks like; that takes about as long as encoding the pictures
did. How near any text comes differs from film to film, so it counts by how much the nearest region comes nearer
to what is looked for than the same pictures come to the phrases of the bank, in standard deviations. The numbers
are a logistic fit; its card is models/assets/region_belief.md.

Shapes: R regions of a picture; P phrases of the bank; D embedding dimension.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from hippocam.apps.ask.belief.witnesses import believed_anew, is_in_words, shown_belief
from hippocam.apps.ask.pictures import read_picture
from hippocam.memory.records import Evidence
from hippocam.stream.records import FloatArray, Image

# Moments whose pictures are looked at.
LOOKED = 8
# Pictures whose regions are remembered: 80 kB each.
_REMEMBERED = 192
_LEAST = 1e-6
# The least standard deviation of how near phrases come.
_LEAST_DEVIATION = 1e-3


@runtime_checkable
class RegionEncoder(Protocol):
    """An encoder that can tell what the regions of a picture look like."""

    def encode_regions(self, image: Image) -> FloatArray:
        """Encode R regions of a picture to float32 [R, D]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionBelief:
    """A logistic model of whether a moment shows what a text describes.

    Attributes:
        bias: Log odds where the memory's belief is one half and the nearest region is as near as phrases are.
        belief: What a unit of the log odds of the memory's belief counts.
        nearness: What a standard deviation counts by which the nearest region comes nearer than phrases do.
        usual: How many of these it usually has where the memory's belief is one half.
        rises: How much that rises with a unit of the log odds.
    """

    bias: float
    belief: float
    nearness: float
    usual: float
    rises: float

    def believed(self, belief: float, nearness: float | None) -> float:
        """Believe a moment anew.

        Args:
            belief: The memory's, 0 to 1.
            nearness: Of the nearest region; None for a picture that was not looked at: then it is taken as usual.
        """
        belief = min(max(belief, _LEAST), 1 - _LEAST)
        odds = math.log(belief / (1 - belief))
        if nearness is None:
            nearness = self.usual + self.rises * odds
        return 1 / (1 + math.exp(-(self.bias + self.belief * odds + self.nearness * nearness)))


FITTED = RegionBelief(bias=-0.83, belief=0.082, nearness=1.10, usual=1.01, rises=0.259)


class Regions(NamedTuple):
    """The regions of a picture, float32 [R, D], and how near the nearest comes to each phrase, float32 [P]."""

    vectors_RD: FloatArray
    phrases_P: FloatArray


class PictureRegions:
    """Regions of pictures, each picture encoded once; safe to use from several threads."""

    def __init__(self) -> None:
        self._known = OrderedDict[tuple[str, int], Regions]()
        self._lock = threading.Lock()

    def of(self, path: str, encoder: RegionEncoder, phrases_PD: FloatArray) -> Regions | None:
        """The regions of a picture file; None where the file is gone.

        Args:
            path: The file.
            encoder: The one that made the vectors of the memory.
            phrases_PD: The bank of phrases in its space, float32 [P, D].
        """
        try:
            key = path, Path(path).stat().st_mtime_ns
        except OSError:
            return None
        with self._lock:
            if key not in self._known:
                image = read_picture(Path(path))
                if image is None:
                    return None
                vectors_RD = encoder.encode_regions(image)
                self._known[key] = Regions(vectors_RD, (vectors_RD @ phrases_PD.T).max(axis=0))
            self._known.move_to_end(key)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
            return self._known[key]


_SHARED = PictureRegions()


def on_its_scale(belief: float, encoder: object, *, model: RegionBelief = FITTED) -> float:
    """What a belief of the memory comes to, 0 to 1, where moments are believed anew by what an encoder sees."""
    return model.believed(belief, None) if isinstance(encoder, RegionEncoder) else belief


def by_regions(
    moments: Sequence[Evidence],
    vector_D: FloatArray,
    encoder: object,
    phrases: Callable[[], FloatArray],
    *,
    model: RegionBelief = FITTED,
    pictures: PictureRegions = _SHARED,
) -> tuple[Evidence, ...]:
    """Believe moments anew by the regions of their pictures.

    Args:
        moments: The strongest first. Those that words answer, or alone claim, stay as they are: words choose no
            pictures that are looked at.
        vector_D: What is looked for, in the encoder's space.
        encoder: The one that made the vectors; where it knows no regions, nothing changes.
        phrases: Gives the bank of phrases in the encoder's space, float32 [P, D].
        model: How belief and regions are joined.
        pictures: Encodes the pictures, or remembers them.

    Returns:
        The moments in the same order; the first few were looked at.
    """
    if not isinstance(encoder, RegionEncoder):
        return tuple(moments)
    bank_PD = phrases()
    shown = [not (is_in_words(moment) or moment.claimed) for moment in moments]
    regions = [
        pictures.of(moment.image, encoder, bank_PD) if own and rank < LOOKED and moment.image else None
        for rank, (moment, own) in enumerate(zip(moments, shown, strict=True))
    ]
    cosines = [None if each is None else float((each.vectors_RD @ vector_D).max()) for each in regions]
    mean, deviation = _of_phrases([each for each in regions if each is not None])
    found = list[Evidence]()
    for moment, own, cosine in zip(moments, shown, cosines, strict=True):
        if not own:
            found.append(moment)
            continue
        nearness, why = None, moment.why
        if cosine is not None:
            nearness = (cosine - mean) / deviation
            why = f"{why}; its nearest region: cosine {cosine:.2f}, {nearness:+.1f} deviations beside phrases"
        found.append(believed_anew(moment, model.believed(shown_belief(moment), nearness), why))
    return tuple(found)


def _of_phrases(regions: Sequence[Regions]) -> tuple[float, float]:
    """Mean and standard deviation of how near some pictures come to the phrases of the bank."""
    if not regions:
        return 0.0, 1.0
    nearest_P = np.max([each.phrases_P for each in regions], axis=0)
    return float(nearest_P.mean()), max(float(nearest_P.std()), _LEAST_DEVIATION)
