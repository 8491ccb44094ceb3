"""Whether what is found is what was asked for.

A sentence is found where a span that is cited overlaps the true time with an intersection of at least half of the
union.

Shapes: Q questions; N slots, S spans of each.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hippocam.apps.bench.lifelog.records import LEAST_IOU, Score, Told
from hippocam.apps.bench.policies.base import Bank, FloatArray
from hippocam.apps.worlds.worlds import unit

TOP = 5
# Questions that are compared with all slots at once.
_BLOCK = 1024


def score(bank: Bank, asked_QD: FloatArray, asked: Told) -> Score:
    """Ask a bank of vectors, whose spans are in seconds, with the vectors of the questions."""
    keys_ND = unit(bank.keys_ND) if bank.unit and len(bank.keys_ND) else bank.keys_ND
    found = [_best(asked_QD[start : start + _BLOCK] @ keys_ND.T) for start in range(0, len(asked_QD), _BLOCK)]
    return score_found(np.concatenate(found), bank.t0_NS, bank.t1_NS, asked, bank.bytes)


def score_cosines(
    cosines_QN: FloatArray, t0_N: NDArray[np.float64], t1_N: NDArray[np.float64], asked: Told, held_bytes: int
) -> Score:
    """The same, where all cosines are known and a slot has one span."""
    return score_found(_best(cosines_QN), t0_N[:, None], t1_N[:, None], asked, held_bytes)


def score_found(
    found_QT: NDArray[np.intp],
    t0_NS: NDArray[np.floating],
    t1_NS: NDArray[np.floating],
    asked: Told,
    held_bytes: int,
) -> Score:
    """Score slots that were found, the best first."""
    if not found_QT.shape[1]:
        return Score(r1=0.0, r5=0.0, bytes=held_bytes)
    t0_QTS, t1_QTS = t0_NS[found_QT], t1_NS[found_QT]
    true0, true1 = asked.t0_N[:, None, None], asked.t1_N[:, None, None]
    both = np.minimum(t1_QTS, true1) - np.maximum(t0_QTS, true0)
    either = np.maximum(t1_QTS, true1) - np.minimum(t0_QTS, true0)
    hit_QT = (both >= LEAST_IOU * np.maximum(either, 1e-9)).any(axis=2)  # false where a slot has no such span
    return Score(r1=float(hit_QT[:, 0].mean()), r5=float(hit_QT.any(axis=1).mean()), bytes=held_bytes)


def _best(cosines_QN: FloatArray) -> NDArray[np.intp]:
    """The slots of the greatest five cosines of each question, the greatest first; of equals the first."""
    top = min(TOP, cosines_QN.shape[1])
    if not top:
        return np.zeros((len(cosines_QN), 0), np.intp)
    some_QT = np.sort(np.argpartition(-cosines_QN, top - 1, axis=1)[:, :top], axis=1)
    order_QT = np.argsort(-np.take_along_axis(cosines_QN, some_QT, axis=1), axis=1, kind="stable")
    best: NDArray[np.intp] = np.take_along_axis(some_QT, order_QT, axis=1)
    return best
