"""What else could be compared with a question: whole frames, tiles of them, every box of a detector.

Shapes: N pictures, D embedding dimension.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hippocam.apps.bench.perception_cache import hash_of, identity, kept
from hippocam.apps.bench.things.truth import ThingClip
from hippocam.models.senses.efficientdet import EfficientDetLite0
from hippocam.models.senses.things import ThingsConfig
from hippocam.stream.gates import Gates, split
from hippocam.stream.pipeline import PipelineConfig
from hippocam.stream.portraits.cutting import with_surroundings
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import FloatArray, Frame, Image
from hippocam.stream.sources.video import VideoSource

# Tiles of a frame: down and across.
_DOWN, _ACROSS = 2, 3


class Pictures(NamedTuple):
    """Pictures that a question may be compared with.

    Attributes:
        times_s: When each was seen, float64 [N].
        vectors_ND: float32.
    """

    times_s: NDArray[np.float64]
    vectors_ND: FloatArray

    def best_s(self, asked_D: FloatArray) -> float:
        """The time of the picture that is nearest to a question."""
        return float(self.times_s[int(np.argmax(self.vectors_ND @ asked_D))])


def pictures_of(clip: ThingClip, encoder: Encoder) -> Mapping[str, Pictures]:
    """Give whole frames, tiles and boxes of a clip, each encoded once and then read from the cache."""
    config = PipelineConfig()
    margin = config.portraits.margin
    parts = ("things:1", identity(encoder), hash_of(clip.video), f"{config.fps} {margin} {_DOWN} {_ACROSS}")

    def make() -> dict[str, NDArray[np.generic]]:
        detector, finding = EfficientDetLite0(1), ThingsConfig()
        arrays: dict[str, list[NDArray[np.generic]]] = {}

        def add(way: str, time_s: float, images: list[Image]) -> None:
            if images:
                arrays.setdefault(f"{way} vectors_ND", []).append(encoder.encode_images(images).vectors_ND)
                arrays.setdefault(f"{way} times_s", []).append(np.full(len(images), time_s))

        for item in split("clip", VideoSource(clip.video).observations(fps=config.fps), Gates(config.gate)):
            if isinstance(item, Frame):
                found = detector.find(item.image, finding.least_score, finding.most)
                add("frames", item.time_s, [item.image])
                add("tiles", item.time_s, _tiles(item.image))
                add("boxes", item.time_s, [with_surroundings(item.image, each.box, margin) for each in found])
        return {name: np.concatenate(rows) for name, rows in arrays.items()}

    stored = kept(parts, make)
    return {
        way: Pictures(
            np.asarray(stored[f"{way} times_s"], np.float64), np.asarray(stored[f"{way} vectors_ND"], np.float32)
        )
        for way in ("frames", "tiles", "boxes")
        if f"{way} times_s" in stored
    }


def _tiles(image: Image) -> list[Image]:
    height, width = image.shape[:2]
    return [
        image[
            row * height // _DOWN : (row + 1) * height // _DOWN,
            column * width // _ACROSS : (column + 1) * width // _ACROSS,
        ]
        for row in range(_DOWN)
        for column in range(_ACROSS)
    ]
