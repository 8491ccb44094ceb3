"""Pictures of a memory that are looked at again: by the encoder that is here, or for what is written in them.

A file that is imported brings vectors with its pictures, and whoever made it could have chosen them to match a
question. So they are not taken at their word where they match: neither where the picture does not match, nor where
the vector is not the picture's at all. What was read in a picture is read once more in what was kept of it, where
it is to be the answer by itself.

Shapes: D embedding dimension.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from hippocam.apps.ask.pictures import read_picture
from hippocam.memory.memory import Memory
from hippocam.memory.records import Entry, Level
from hippocam.models.errors import WeightsError
from hippocam.models.lazy import Lazy
from hippocam.models.senses.ocr import Ocr
from hippocam.stream.portraits.choosing import PortraitConfig
from hippocam.stream.portraits.cutting import with_surroundings
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import Box, FloatArray, Image

K = TypeVar("K")
V = TypeVar("V")

# Vectors of pictures, and texts, that are remembered.
_REMEMBERED = 512
# Cosine of an entry's scene with its picture below which one was not made of the other. Of 120 entries of the
# films to choose on all are at .74 or above; vectors made for questions, beside other pictures, are below .39.
_OWN_FROM = 0.55
# By how much what is cut out is larger than a thing, as portraits are made.
_MARGIN = PortraitConfig().margin


class KeptPictures:
    """Encodes and reads pictures of a memory again, each once. Safe between threads.

    Args:
        memory: Where the pictures are.
        encoder: The one that made the memory's vectors.
    """

    def __init__(self, memory: Memory, encoder: Encoder) -> None:
        self._memory, self._encoder = memory, encoder
        self._vectors: OrderedDict[tuple[int, Box | None], FloatArray | None] = OrderedDict()
        self._texts: OrderedDict[int, str] = OrderedDict()
        self._ocr = Lazy(Ocr)
        self._lock = threading.Lock()

    def cosine(self, entry: Entry, asked_D: FloatArray, box: Box | None) -> float | None:
        """Cosine of a question, float32 [D], with an entry's picture, or a box of it, as the encoder sees it.

        Returns:
            The cosine; None without a picture. -1 where the entry's vectors are not those of its picture.
        """
        picture_D = self._vector(entry, box)
        if picture_D is None:
            return None
        whole_D = picture_D if box is None else self._vector(entry, None)
        scene_D = self._memory.store.entries.vectors([entry.id])[1][0]
        if whole_D is not None and _cosine(whole_D, scene_D) < _OWN_FROM:
            return -1.0
        return _cosine(picture_D, asked_D)

    def _vector(self, entry: Entry, box: Box | None) -> FloatArray | None:
        """The vector [D] of what an entry's picture shows; None where none is kept, or it is no picture."""
        with self._lock:
            return _remembered(self._vectors, (entry.id, box), lambda: self._encoded(entry, box))

    def reads(self, entry: Entry, words: Sequence[str]) -> bool:
        """Whether at least half of some words, in lower case, stand in an entry's kept picture.

        Spaces are no help: text recognition joins words. Not without a picture, or what reads.
        """
        try:
            with self._lock:
                text = _remembered(self._texts, entry.id, lambda: self._written(entry))
        except WeightsError:  # offline, and text was never read here
            return False
        return bool(words) and sum(word in text for word in words) * 2 >= len(words)

    def _written(self, entry: Entry) -> str:
        """All letters and digits that are read in an entry's picture, in lower case; "" where none is kept."""
        image = self._picture(entry)
        lines = [] if image is None else self._ocr().read(image)
        return re.sub(r"[\W_]+", "", "".join(lines).lower())

    def _encoded(self, entry: Entry, box: Box | None) -> FloatArray | None:
        image = self._picture(entry)
        if image is None:
            return None
        part = image if box is None else np.ascontiguousarray(with_surroundings(image, box, _MARGIN))
        vector_D: FloatArray = self._encoder.encode_images([part]).vectors_ND[0]
        return vector_D

    def _picture(self, entry: Entry) -> Image | None:
        """An entry's picture, uint8 [H, W, 3]; None where none is kept, or it is none."""
        return None if entry.level >= Level.VECTORS else read_picture(self._memory.image(entry.id))


def _remembered(known: OrderedDict[K, V], key: K, make: Callable[[], V]) -> V:
    """What is known for a key, made where it is not; of very many the oldest is dropped."""
    if key not in known:
        known[key] = make()
        if len(known) > _REMEMBERED:
            known.popitem(last=False)
    return known[key]


def _cosine(a_D: FloatArray, b_D: FloatArray) -> float:
    lengths = float(np.linalg.norm(a_D) * np.linalg.norm(b_D))
    return float(a_D @ b_D) / max(lengths, 1e-9)
