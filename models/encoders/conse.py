"""Pictures and texts into the space of sentences, without any captioned picture: ConSE.

Norouzi et al. 2013, "Zero-Shot Learning by Convex Combination of Semantic Embeddings": a picture is the sum
of the text vectors of the classes that a classifier sees, weighted by their probabilities. Classifier and
text encoder are Apache-2.0; nothing here was trained on captions, so it is the encoder for whoever needs
permissive parts only. It is weak on what ImageNet has no class for, people above all.

Shapes: N pictures or texts; K = 1000 classes; E = 384.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hippocam.models.encoders.conse_classes import class_names, class_vectors
from hippocam.models.lazy import Lazy
from hippocam.models.nets.efficientnet_lite import CLASSES, EfficientNetLite2
from hippocam.models.pictures import unit_rows
from hippocam.stream.records import EncodedImages, EncoderSpec, FloatArray, Image

if TYPE_CHECKING:
    from hippocam.models.nets.minilm import MiniLM

_SPEC = EncoderSpec(id="conse-lite2-minilm:1", dim=384, normalised=True, midpoint=0.23, slope=18.0, growth=0.02)
_TOP_CLASSES = 100  # the tail of the probabilities is noise: recall falls when it is summed too
_LABEL_PROBABILITY = 0.15
_LABELS = 3


class Mix(NamedTuple):
    """What the classifier makes of N pictures.

    Attributes:
        vectors_NE: float32 [N, 384], sums of class vectors before they are scaled to length 1. Their length tells
            how sure the classifier is: near 0 where it sees a bit of everything.
        labels: Classes with a probability above 0.15.
    """

    vectors_NE: FloatArray
    labels: tuple[tuple[str, ...], ...]


class ConseEncoder:
    """EfficientNet-Lite2 to MiniLM by ConSE; both are fetched on first use."""

    def __init__(self) -> None:
        self._classifier = Lazy(EfficientNetLite2)
        self._texts = Lazy(_load_texts)
        self._classes = Lazy(_load_classes)

    @property
    def spec(self) -> EncoderSpec:
        """Identity and geometry of the vectors."""
        return _SPEC

    def encode_images(self, images: Sequence[Image]) -> EncodedImages:
        """Encode N pictures of any size; labels are classes with a probability above 0.15."""
        mix = self.mix(images)
        return EncodedImages(vectors_ND=unit_rows(mix.vectors_NE), labels=mix.labels)

    def mix(self, images: Sequence[Image]) -> Mix:
        """Classify N pictures of any size."""
        names, vectors_KE = self._classes()
        probabilities_NK = self._classify(images)
        keep_NK = np.where(probabilities_NK < _top(probabilities_NK, _TOP_CLASSES), 0, probabilities_NK)
        # What all classes share tells nothing, and would make every picture near to every text.
        own_KE = vectors_KE - vectors_KE.mean(0)
        mixed_NE = np.zeros((len(images), own_KE.shape[1]), np.float32)
        for row, keep_K in enumerate(keep_NK):  # by rows: a product of matrices rounds by its size
            mixed_NE[row] = keep_K @ own_KE
        labels = tuple(
            tuple(names[k] for k in np.argsort(-row_K)[:_LABELS] if row_K[k] > _LABEL_PROBABILITY)
            for row_K in probabilities_NK
        )
        return Mix(mixed_NE, labels)

    def encode_texts(self, texts: Sequence[str]) -> FloatArray:
        """Encode N texts to float32 [N, 384]."""
        return self._texts().encode(texts)

    def _classify(self, images: Sequence[Image]) -> FloatArray:
        classifier = self._classifier()
        rows_NK = np.zeros((len(images), CLASSES), np.float32)
        for row, image in enumerate(images):  # one by one: no faster in batches on a CPU, and exact
            rows_NK[row] = classifier.classify(image)
        return rows_NK


def _top(rows_NK: FloatArray, count: int) -> FloatArray:
    """Give each row's count-th greatest value, float32 [N, 1]."""
    return np.partition(rows_NK, -count, axis=1)[:, [-count]]


def _load_texts() -> MiniLM:
    from hippocam.models.nets.minilm import shared_minilm

    return shared_minilm()


def _load_classes() -> tuple[tuple[str, ...], FloatArray]:
    return class_names(), class_vectors()
