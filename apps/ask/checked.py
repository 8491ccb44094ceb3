"""Pictures that came with an import, looked at again by the encoder that is here.

A file that is imported brings vectors with its pictures, and whoever made it could have chosen them to match a
question. So they are not taken at their word where they match.

Shapes: D embedding dimension.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np

from hippocam.apps.ask.pictures import read_picture
from hippocam.memory.memory import Memory
from hippocam.memory.records import Entry, Level
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import FloatArray

# Vectors of pictures that are remembered.
_REMEMBERED = 512


class ImportCheck:
    """Encodes pictures of a memory again, each once. Safe between threads.

    Args:
        memory: Where the pictures are.
        encoder: The one that made the memory's vectors.
    """

    def __init__(self, memory: Memory, encoder: Encoder) -> None:
        self._memory, self._encoder = memory, encoder
        self._vectors: OrderedDict[int, FloatArray | None] = OrderedDict()
        self._lock = threading.Lock()

    def cosine(self, entry: Entry, asked_D: FloatArray) -> float | None:
        """Cosine of a question, float32 [D], with an entry's picture as the encoder sees it; None without one."""
        with self._lock:
            if entry.id not in self._vectors:
                self._vectors[entry.id] = self._encoded(entry)
                if len(self._vectors) > _REMEMBERED:
                    self._vectors.popitem(last=False)
            picture_D = self._vectors[entry.id]
        if picture_D is None:
            return None
        lengths = float(np.linalg.norm(picture_D) * np.linalg.norm(asked_D))
        return float(picture_D @ asked_D) / max(lengths, 1e-9)

    def _encoded(self, entry: Entry) -> FloatArray | None:
        """The vector [D] of an entry's picture; None where none is kept, or it is no picture."""
        if entry.level >= Level.VECTORS:
            return None
        image = read_picture(self._memory.image(entry.id))
        if image is None:
            return None
        vector_D: FloatArray = self._encoder.encode_images([image]).vectors_ND[0]
        return vector_D
