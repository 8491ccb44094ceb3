"""Pictures and texts into the space of sentences, without any captioned picture: ConSE.

Norouzi et al. 2013, "Zero-Shot Learning by Convex Combination of Semantic Embeddings": a picture is the sum of
the text vectors of the classes that a classifier sees, weighted by their probabilities. Classifier and text
encoder are Apache-2.0; nothing here was trained on captions, so it is the encoder for whoever needs permissive
parts only. It is weak on what ImageNet has no class for, people above all.

Shapes: N pictures or texts; K = 1000 classes; E = 384.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from hippocam.models.conse_classes import class_names, class_vectors
from hippocam.models.lazy import Lazy
from hippocam.models.pictures import to_network, unit_rows
from hippocam.models.weights import fetch
from hippocam.stream.records import EncodedImages, EncoderSpec, FloatArray, Image

if TYPE_CHECKING:
    from hippocam.models.efficientnet_lite import EfficientNetLite2
    from hippocam.models.minilm import MiniLM

_SPEC = EncoderSpec(id="conse-lite2-minilm:1", dim=384, normalised=True, midpoint=0.17, slope=25.0)
_TOP_CLASSES = 100  # the tail of the probabilities is noise: recall falls when it is summed too
_LABEL_PROBABILITY, _LABELS = 0.15, 3
_MEAN, _DEVIATION = np.full(3, 127, np.float32), np.full(3, 128, np.float32)


class ConseEncoder:
    """EfficientNet-Lite2 to MiniLM by ConSE; both are fetched on first use."""

    def __init__(self) -> None:
        self._classifier = Lazy(_load_classifier)
        self._texts = Lazy(_load_texts)
        self._classes = Lazy(_load_classes)

    @property
    def spec(self) -> EncoderSpec:
        """Identity and geometry of the vectors."""
        return _SPEC

    def encode_images(self, images: Sequence[Image]) -> EncodedImages:
        """Encode N pictures of any size; labels are classes with a probability above 0.15."""
        names, vectors_KE = self._classes()
        probabilities_NK = self._probabilities(images)
        common_E = vectors_KE.mean(0)
        keep_NK = np.where(probabilities_NK < _top(probabilities_NK, _TOP_CLASSES), 0, probabilities_NK)
        # What all classes share tells nothing, and left in it makes every picture near to every text.
        vectors_NE = unit_rows(keep_NK @ (vectors_KE - common_E))
        labels = tuple(
            tuple(names[k] for k in np.argsort(-row_K)[:_LABELS] if row_K[k] > _LABEL_PROBABILITY)
            for row_K in probabilities_NK
        )
        return EncodedImages(vectors_ND=vectors_NE, labels=labels)

    def encode_texts(self, texts: Sequence[str]) -> FloatArray:
        """Encode N texts to float32 [N, 384]."""
        return self._texts().encode(texts)

    def _probabilities(self, images: Sequence[Image]) -> FloatArray:
        import torch

        classifier = self._classifier()
        rows_NK = np.zeros((len(images), classifier.classifier.out_features), np.float32)
        with torch.inference_mode():
            for row, image in enumerate(images):  # one by one: no faster in batches on a CPU, and exact
                picture = torch.from_numpy(to_network(image, 260, _MEAN, _DEVIATION))
                rows_NK[row] = classifier(picture).softmax(1)[0].numpy()
        return rows_NK


def _top(rows_NK: FloatArray, count: int) -> FloatArray:
    """Give each row's count-th greatest value, float32 [N, 1]."""
    return np.partition(rows_NK, -count, axis=1)[:, [-count]]


def _load_classifier() -> EfficientNetLite2:
    from hippocam.models.efficientnet_lite import load_lite2

    return load_lite2(fetch("efficientnet-lite2"))


def _load_texts() -> MiniLM:
    from hippocam.models.minilm import MiniLM

    return MiniLM()


def _load_classes() -> tuple[tuple[str, ...], FloatArray]:
    return class_names(), class_vectors()
