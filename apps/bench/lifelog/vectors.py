"""Sentences into vectors, once: what was encoded is kept in the user's cache.

Shapes: N sentences; D embedding dimension.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from tqdm import tqdm

from hippocam.apps.bench.perception_cache import identity, kept
from hippocam.models.pictures import unit_rows
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import FloatArray

# Sentences that are encoded together, of like length.
_BATCH = 512


def sentence_vectors(texts: Sequence[str], encoder: Encoder) -> Callable[[Sequence[str]], FloatArray]:
    """Encode sentences, and give what looks their vectors up.

    Args:
        texts: All that will be looked up; each is encoded once.
        encoder: Encodes them.

    Returns:
        A function of some of them, to float32 [N, D] of length 1.
    """
    known = sorted(set(texts))

    def encode() -> dict[str, FloatArray]:
        by_length = sorted(range(len(known)), key=lambda row: len(known[row]))
        vectors_ND = np.zeros((len(known), encoder.spec.dim), np.float32)
        for start in tqdm(range(0, len(known), _BATCH), desc="encoding sentences", unit=" batches"):
            rows = by_length[start : start + _BATCH]
            vectors_ND[rows] = encoder.encode_texts([known[row] for row in rows])
        return {"vectors_ND": unit_rows(vectors_ND)}

    stored = np.asarray(kept(("sentences:1", identity(encoder), *known), encode)["vectors_ND"], np.float32)
    row_of = {text: row for row, text in enumerate(known)}
    return lambda some: stored[[row_of[text] for text in some]]
