"""An encoder that encodes each picture and text once: attacks show the same pictures again and again.

Shapes: N pictures or texts, R regions of a picture, D embedding dimension.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from hippocam.apps.ask.belief.regions import RegionEncoder
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import EncodedImages, EncoderSpec, FloatArray, Image


def remembering(encoder: Encoder) -> Encoder:
    """The encoder, with what it has encoded kept; it tells regions if that one does."""
    return _RememberingRegions(encoder, encoder) if isinstance(encoder, RegionEncoder) else _Remembering(encoder)


class _Remembering:
    """See `remembering`."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._images: dict[bytes, EncodedImages] = {}
        self._texts: dict[str, FloatArray] = {}

    @property
    def spec(self) -> EncoderSpec:
        """As the encoder's."""
        return self._encoder.spec

    def encode_images(self, images: Sequence[Image]) -> EncodedImages:
        """Encode N pictures, uint8 [H, W, 3]."""
        if not images:
            return self._encoder.encode_images(images)
        found = [self._image(image) for image in images]
        vectors_ND = np.concatenate([one.vectors_ND for one in found])
        return EncodedImages(vectors_ND=vectors_ND, labels=tuple(one.labels[0] for one in found))

    def encode_texts(self, texts: Sequence[str]) -> FloatArray:
        """Encode N texts to float32 [N, D]."""
        if not texts:
            return self._encoder.encode_texts(texts)
        for text in texts:
            if text not in self._texts:
                (self._texts[text],) = self._encoder.encode_texts([text])
        return np.stack([self._texts[text] for text in texts])

    def _image(self, image: Image) -> EncodedImages:
        key = _key_of(image)
        if key not in self._images:
            self._images[key] = self._encoder.encode_images([image])
        return self._images[key]


class _RememberingRegions(_Remembering):
    def __init__(self, encoder: Encoder, of_regions: RegionEncoder) -> None:
        super().__init__(encoder)
        self._of_regions = of_regions
        self._regions: dict[bytes, FloatArray] = {}

    def encode_regions(self, image: Image) -> FloatArray:
        """Encode R regions of a picture to float32 [R, D]."""
        key = _key_of(image)
        if key not in self._regions:
            self._regions[key] = self._of_regions.encode_regions(image)
        return self._regions[key]


def _key_of(image: Image) -> bytes:
    """What tells a picture from all others."""
    return hashlib.sha256(repr(image.shape).encode() + np.ascontiguousarray(image).tobytes()).digest()
