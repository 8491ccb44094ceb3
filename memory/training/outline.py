"""Vectors of an encoder into the tables of their outlines: see memory/codec.py.

The tables are learned along the leading directions of the vectors' second moments, each from what the ones before
it leave (residual quantisation, by FAISS).

Shapes: N vectors of dimension D; K directions; M tables of W vectors.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from hippocam.memory.bank.codes import Outline
from hippocam.memory.codec import OUTLINE_TABLES, SHORT_TABLES, WORDS, Tables, tables_number
from hippocam.stream.records import FloatArray

DIRECTIONS = 256
_LARGEST = 127
# Rounds of finding the nearest words and their means, for each table; sums that are followed meanwhile.
_ROUNDS = 10
_BEAM = 3
# Vectors of which the error of cosines is measured.
_MEASURED = 500


def taught(video: str) -> bool:
    """Whether sentences about a video are learned from for what ships: every second one is, by its name."""
    return zlib.crc32(video.encode()) % 2 == 0


def learn_tables(
    vectors_ND: FloatArray,
    *,
    counts: Sequence[int] = (SHORT_TABLES, OUTLINE_TABLES),
    directions: int = DIRECTIONS,
    seed: int = 0,
) -> Tables:
    """Find the tables for vectors like these.

    Args:
        vectors_ND: float32 [N, D], of length 1.
        counts: With how many tables codes are written, rising; the last is all of them, M.
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
    main_KD = (main_KD * np.sign(main_KD.sum(axis=1, keepdims=True))).astype(np.float32)  # no library's choice
    words_MWD = _words(vectors_ND @ main_KD.T, counts[-1], seed) @ main_KD
    unit = float(np.abs(words_MWD).max() / _LARGEST)
    tables_MWD = np.rint(words_MWD / unit).astype(np.int8)
    tables = Tables(number=tables_number(tables_MWD), tables_MWD=tables_MWD, unit=unit, errors={})
    drawn_ND = vectors_ND[np.random.default_rng(seed).permutation(len(vectors_ND))[:_MEASURED]]
    return replace(tables, errors={count: _error(Outline(tables, count), drawn_ND) for count in counts})


def write_tables(path: Path, tables: Tables) -> None:
    """Write tables where `read_tables` reads them."""
    from safetensors.numpy import save_file

    held = {
        "tables": tables.tables_MWD,
        "unit": np.array([tables.unit], "<f8"),
        "counts": np.array(list(tables.errors), "<i8"),
        "errors": np.array(list(tables.errors.values()), "<f8"),
    }
    save_file(held, path)
    path.chmod(0o644)


def _error(outline: Outline, vectors_ND: FloatArray) -> float:
    """Standard deviation of the error of the cosines of vectors with each other, one of each two reduced."""
    others_ND = np.roll(vectors_ND, 1, axis=0)
    reduced_ND = np.stack([outline.reduced(vector_D) for vector_D in vectors_ND])
    told_N, true_N = (np.einsum("nd,nd->n", rows_ND, others_ND) for rows_ND in (reduced_ND, vectors_ND))
    return float((told_N - true_N).std())


def _words(vectors_NK: FloatArray, tables: int, seed: int) -> FloatArray:
    """Learn tables, float32 [M, W, K]: each for what the sums of the ones before it leave of the vectors."""
    import faiss

    quantizer = faiss.ResidualQuantizer(vectors_NK.shape[1], tables, int(np.log2(WORDS)))
    quantizer.train_type = faiss.ResidualQuantizer.Train_default
    quantizer.max_beam_size = _BEAM
    quantizer.cp.niter, quantizer.cp.seed = _ROUNDS, seed
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)  # else sums would depend on how many there are
    try:
        quantizer.train(np.ascontiguousarray(vectors_NK, np.float32))
    finally:
        faiss.omp_set_num_threads(threads)
    learned: FloatArray = faiss.vector_to_array(quantizer.codebooks).reshape(tables, WORDS, -1)
    return learned
