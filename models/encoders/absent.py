"""In place of an encoder that is not to be had here, as that of a robot's own vectors: tells no text from another.

Shapes: N texts; D embedding dimension.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hippocam.models.errors import UnknownModelError
from hippocam.stream.records import EncodedImages, EncoderSpec, FloatArray, Image


class AbsentEncoder:
    """Encodes texts as zeros, which are near nothing: what is found with it rests on words and records.

    Args:
        name: Name of the encoder that is not here.
        spec: What the memory knows of it.
    """

    def __init__(self, name: str, spec: EncoderSpec) -> None:
        self.name, self._spec = name, spec

    @property
    def spec(self) -> EncoderSpec:
        """Identity and geometry of the vectors."""
        return self._spec

    @property
    def why(self) -> str:
        """What cannot be asked, and what can, in one line."""
        return (
            f"what this memory saw cannot be searched here, since its encoder {self.name!r} is not known; times, "
            "places, actions, joints and words can be asked for"
        )

    def encode_images(self, images: Sequence[Image]) -> EncodedImages:
        """Refuse: a picture has no words to be found by.

        Raises:
            UnknownModelError: Always.
        """
        raise UnknownModelError(self.why)

    def encode_texts(self, texts: Sequence[str]) -> FloatArray:
        """N rows of zeros."""
        return np.zeros((len(texts), self._spec.dim), np.float32)
