"""A video of three plain colours, and an encoder that knows nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np

from hippocam.stream.records import EncodedImages, EncoderSpec, FloatArray, Image

COLOURS = {"red": (220, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 220)}


class ColourEncoder:
    """Sees nothing but the mean colour of a picture, and knows three words."""

    spec = EncoderSpec(id="colour:1", dim=3, normalised=True, midpoint=0.8, slope=20.0)

    def encode_images(self, images: Sequence[Image]) -> EncodedImages:
        vectors = np.stack([image.reshape(-1, 3).mean(axis=0) for image in images])
        return EncodedImages(vectors_ND=_unit(vectors), labels=((),) * len(images))

    def encode_texts(self, texts: Sequence[str]) -> FloatArray:
        known = [[COLOURS[w] for w in text.lower().split() if w in COLOURS] or [(-1, -1, -1)] for text in texts]
        return _unit(np.array([np.mean(colours, axis=0) for colours in known]))


def _unit(vectors: np.ndarray[Any, Any]) -> FloatArray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def render_colours(path: Path, *, seconds_each: int = 8, codec: str = "libx264") -> Path:
    """Write a video that is red, then green, then blue."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for colour in COLOURS.values():
            picture = np.full((180, 320, 3), colour, np.uint8)
            for _ in range(seconds_each * 10):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path
