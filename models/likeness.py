"""Sentences into how alike they are in meaning: MiniLM's cosines, of the likeliest only, remembered.

Encoding a sentence takes some milliseconds; a day of speech has thousands. So all are compared at a glance first,
by the mean of their words' vectors, which takes microseconds, and MiniLM reads the nearest.

Shapes: N sentences; E = 384.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from hippocam.models.weights import cached_path
from hippocam.stream.records import FloatArray

# Sentences that are read after the glance.
_CLOSER = 64
# Sentences whose vectors are remembered: 12 MB.
_REMEMBERED = 8192
_WEIGHTS = ("minilm", "minilm-tokenizer")
# Vectors that are remembered, by sentence, those that were used last at the end.
_Vectors = OrderedDict[str, FloatArray]


class TextNetwork(Protocol):
    """Turns sentences into vectors."""

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Unit vectors, float32 [N, E]."""

    def glance(self, texts: Sequence[str]) -> FloatArray:
        """Rough unit vectors, float32 [N, E], much sooner."""


class SentenceLikeness:
    """Tells how alike sentences are in meaning; safe to use from several threads.

    Args:
        network: Encodes them; None for MiniLM, whose weights are read with the first question.
        closer: Sentences of a question that it encodes at most.
    """

    def __init__(self, network: TextNetwork | None = None, *, closer: int = _CLOSER) -> None:
        self._network, self._closer = network, closer
        self._read: _Vectors = OrderedDict()
        self._glanced: _Vectors = OrderedDict()
        self._lock = threading.Lock()

    def likeness(self, text: str, others: Sequence[str]) -> FloatArray:
        """Cosines of a text with N others, float32 [N]; -1 for those that were passed over at a glance."""
        network = self._loaded()
        with self._lock:
            near = list(range(len(others)))
            if len(others) > self._closer:
                rough_N = _vectors(others, self._glanced, network.glance) @ network.glance([text])[0]
                near = np.argsort(-rough_N, kind="stable")[: self._closer].tolist()
            cosines_N = np.full(len(others), -1.0, np.float32)
            if near:
                read_NE = _vectors([others[k] for k in near], self._read, network.encode)
                cosines_N[near] = read_NE @ network.encode([text])[0]
        return cosines_N

    def _loaded(self) -> TextNetwork:
        if self._network is None:
            from hippocam.models.nets.minilm import shared_minilm

            self._network = shared_minilm()
        return self._network


def _vectors(texts: Sequence[str], known: _Vectors, encode: Callable[[Sequence[str]], FloatArray]) -> FloatArray:
    """Vectors of N texts, float32 [N, E], encoding those that are not remembered."""
    new = [text for text in dict.fromkeys(texts) if text not in known]
    if new:
        known.update(zip(new, encode(new), strict=True))
    for text in texts:
        known.move_to_end(text)
    vectors_NE = np.stack([known[text] for text in texts])
    while len(known) > _REMEMBERED:
        known.popitem(last=False)
    return vectors_NE


def likeness_here() -> SentenceLikeness | None:
    """What tells how alike sentences are, where its weights are on this machine; nothing is fetched."""
    return _SHARED if all(cached_path(name).is_file() for name in _WEIGHTS) else None


_SHARED = SentenceLikeness()
