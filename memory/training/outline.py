"""Vectors of an encoder into the tables of their outline: see SumOutline in memory/codec.py.

The tables are learned along the leading directions of the vectors' second moments, each from what the ones before
it leave (residual quantisation, by FAISS).

Shapes: N vectors of dimension D; K directions; M tables of W vectors.
"""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np

from hippocam.memory.codec import WORDS, SumOutline, outline_number, outlined
from hippocam.stream.records import FloatArray

TABLES = 16
DIRECTIONS = 128
_LARGEST = 127
# Rounds of finding the nearest words and their means, for each table; sums that are followed meanwhile.
_ROUNDS = 10
_BEAM = 5
# Vectors of which the error of cosines is measured.
_MEASURED = 2000


def taught(video: str) -> bool:
    """Whether sentences about a video are learned from for what ships: every second one is, by its name."""
    return zlib.crc32(video.encode()) % 2 == 0


def learn_outline(
    vectors_ND: FloatArray, *, tables: int = TABLES, directions: int = DIRECTIONS, seed: int = 0
) -> SumOutline:
    """Find the tables for vectors like these.

    Args:
        vectors_ND: float32 [N, D], of length 1.
        tables: How many, M.
        directions: How many, K: D at most.
        seed: Seed of the training.

    Raises:
        ValueError: There are fewer vectors than words in a table, or more directions than dimensions.
    """
    count, dim = vectors_ND.shape
    if count < WORDS or not 0 < directions <= dim:
        raise ValueError(f"needs {WORDS} vectors, found {count}, and up to {dim} directions, found {directions}")
    doubles = vectors_ND.astype(np.float64)
    _, leading = np.linalg.eigh(doubles.T @ doubles)
    main_KD = leading[:, ::-1][:, :directions].T
    main_KD = np.ascontiguousarray(main_KD * np.sign(main_KD.sum(axis=1, keepdims=True)))  # no library's choice
    tables_MWK = _tables((vectors_ND @ main_KD.T).astype(np.float32), tables, seed)
    unit, of_direction = np.abs(tables_MWK).max() / _LARGEST, _LARGEST / np.abs(main_KD).max()
    outline = SumOutline(
        number=0,
        tables_MWK=np.rint(tables_MWK / unit).astype(np.int8),
        directions_KD=np.rint(main_KD * of_direction).astype(np.int8),
        gain=float(1 / (unit * of_direction)),
        size=1.0,
        error=0.0,
    )
    drawn_MD = vectors_ND[np.random.default_rng(seed).permutation(count)[:_MEASURED]]
    rows_MD = np.stack([outlined(outline, vector_D) for vector_D in drawn_MD])
    size = 1 / float(np.einsum("md,md->m", rows_MD, drawn_MD).mean())
    others_MD = np.roll(drawn_MD, 1, axis=0)
    told, true = np.einsum("md,md->m", size * rows_MD, others_MD), np.einsum("md,md->m", drawn_MD, others_MD)
    error = float((told - true).std())
    number = outline_number(outline.tables_MWK, outline.directions_KD, numbers=(outline.gain, size, error))
    return replace(outline, number=number, size=size, error=error)


def _tables(vectors_NK: FloatArray, tables: int, seed: int) -> FloatArray:
    """Learn tables, float32 [M, W, K]: each for what the sums of the ones before it leave of the vectors."""
    import faiss

    quantizer = faiss.ResidualQuantizer(vectors_NK.shape[1], tables, int(np.log2(WORDS)))
    quantizer.max_beam_size = _BEAM
    quantizer.cp.niter, quantizer.cp.seed = _ROUNDS, seed
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)  # else sums would depend on how many there are
    try:
        quantizer.train(np.ascontiguousarray(vectors_NK))
    finally:
        faiss.omp_set_num_threads(threads)
    learned: FloatArray = faiss.vector_to_array(quantizer.codebooks).reshape(tables, WORDS, -1)
    return learned
