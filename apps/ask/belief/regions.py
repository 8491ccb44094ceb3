"""Moments believed anew by the regions of their pictures: what is small hardly moves the vector of the whole.

An entry is found by one vector of all that it shows. The kept pictures of the likeliest moments are shown to the
encoder again, which tells what each of their regions looks like; that takes about as long as encoding the pictures
did. The numbers are a logistic fit on slide shows of captioned photographs: by whether captions name a thing,
how surely it is shown, given the memory's belief and the nearest region (`hippocam train regions`; its card is
models/assets/region_belief.md). No footage was used but for what is said of it below.

Shapes: R regions of a picture; D embedding dimension.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from hippocam.apps.ask.belief.witnesses import believed_anew, is_in_words, shown_belief
from hippocam.apps.ask.pictures import read_picture
from hippocam.memory.records import Evidence
from hippocam.stream.records import FloatArray, Image

# Moments whose pictures are looked at.
LOOKED = 8
# Pictures whose regions are remembered: 75 kB each.
_REMEMBERED = 192
_LEAST = 1e-6


@runtime_checkable
class RegionEncoder(Protocol):
    """An encoder that can tell what the regions of a picture look like."""

    def encode_regions(self, image: Image) -> FloatArray:
        """Encode R regions of a picture to float32 [R, D]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionBelief:
    """A logistic model of whether a moment shows what a text describes.

    Attributes:
        bias: Log odds where the memory's belief is one half and the nearest region has a cosine of 0.
        belief: What a unit of the log odds of the memory's belief counts.
        cosine: What a cosine of 1 of the nearest region counts.
        usual: Cosine that the nearest region usually has where the memory's belief is one half.
        rises: How much that rises with a unit of the log odds.
    """

    bias: float
    belief: float
    cosine: float
    usual: float
    rises: float

    def believed(self, belief: float, cosine: float | None) -> float:
        """Believe a moment anew.

        Args:
            belief: The memory's, 0 to 1.
            cosine: Of the nearest region; None for a picture that was not looked at: then it is taken as usual.
        """
        belief = min(max(belief, _LEAST), 1 - _LEAST)
        odds = math.log(belief / (1 - belief))
        if cosine is None:
            cosine = self.usual + self.rises * odds
        return 1 / (1 + math.exp(-(self.bias + self.belief * odds + self.cosine * cosine)))


# Log odds that what is asked for is there, beyond those of slide shows, which have it as often as not. Set on the
# clips whose mistakes may be looked at; `hippocam bench presence --beliefs` tells what another number would do.
_ASKED_FOR = 0.2
FITTED = RegionBelief(bias=-3.78 + _ASKED_FOR, belief=0.065, cosine=12.18, usual=0.287, rises=0.0257)


class PictureRegions:
    """Regions of pictures, each picture encoded once; safe to use from several threads."""

    def __init__(self) -> None:
        self._known = OrderedDict[tuple[str, int], FloatArray]()
        self._lock = threading.Lock()

    def nearest(self, path: str, vector_D: FloatArray, encoder: RegionEncoder) -> float | None:
        """Cosine of the region of a picture file that comes nearest to a vector; None where the file is gone."""
        try:
            key = path, Path(path).stat().st_mtime_ns
        except OSError:
            return None
        with self._lock:
            if key not in self._known:
                image = read_picture(Path(path))
                if image is None:
                    return None
                self._known[key] = encoder.encode_regions(image)
            self._known.move_to_end(key)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
            return float((self._known[key] @ vector_D).max())


_SHARED = PictureRegions()


def on_its_scale(belief: float, encoder: object, *, model: RegionBelief = FITTED) -> float:
    """What a belief of the memory comes to, 0 to 1, where moments are believed anew by what an encoder sees."""
    return model.believed(belief, None) if isinstance(encoder, RegionEncoder) else belief


def by_regions(
    moments: Sequence[Evidence],
    vector_D: FloatArray,
    encoder: object,
    *,
    model: RegionBelief = FITTED,
    pictures: PictureRegions = _SHARED,
) -> tuple[Evidence, ...]:
    """Believe moments anew by the regions of their pictures.

    Args:
        moments: The strongest first. Those that words answer stay as they are.
        vector_D: What is looked for, in the encoder's space.
        encoder: The one that made the vectors; where it knows no regions, nothing changes.
        model: How belief and regions are joined.
        pictures: Encodes the pictures, or remembers them.

    Returns:
        The moments in the same order; the first few were looked at.
    """
    if not isinstance(encoder, RegionEncoder):
        return tuple(moments)
    found = list[Evidence]()
    for rank, moment in enumerate(moments):
        if is_in_words(moment) or (moment.claimed and moment.witnessed is None):
            found.append(moment)
            continue
        looked = rank < LOOKED and moment.image
        cosine = pictures.nearest(moment.image, vector_D, encoder) if looked else None
        why = moment.why if cosine is None else f"{moment.why}; its nearest region: cosine {cosine:.2f}"
        found.append(believed_anew(moment, model.believed(shown_belief(moment), cosine), why))
    return tuple(found)
