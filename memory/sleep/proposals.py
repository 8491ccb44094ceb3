"""The entries of a stream into groups that may become one entry, each with the key that would stand for it.

Two proposers: the trained network, and the nearest pairs. The network's merged key is the normalised sum of its
window's keys, each weighted by the network: those of the group are added, and those that it must not be mistaken
for are subtracted.

Shapes: as in windows.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.sleep.network import Params, assign, compose, load_weights, tokens, weights_path
from hippocam.memory.sleep.windows import (
    NEXT,
    REACH,
    EntryFeatures,
    Ints,
    Windows,
    likeness,
    neighbourhoods,
    windows_of,
)
from hippocam.memory.working.context import unit
from hippocam.stream.records import FloatArray

# Two entries that touch in time share one span, which leaves room for others: they are this much cheaper.
_TOUCHING = 0.2
# Pairs that are offered for each entry.
_PAIRS = 4
# Share from which an entry belongs to a seed.
_LEAST = 0.05


class Group(NamedTuple):
    """Entries that may become one.

    Attributes:
        rows: Rows of two or more entries, the surest first.
        key_D: The key that stands for them, float32 [D], of length 1.
        scene_D: The scene that stands for them, likewise.
        cost: How much of their keys is lost for each entry that is merged into another: 0 where they are the same,
            less where they touch in time.
    """

    rows: tuple[int, ...]
    key_D: FloatArray
    scene_D: FloatArray
    cost: float


def propose(
    entries: EntryFeatures,
    allowed: Callable[[Sequence[int]], bool],
    params: Params | None = None,
    *,
    turn: int = 0,
    batch: int = 256,
) -> Iterator[Group]:
    """Groups of entries that may become one; for each group of three or more also the two that are most alike.

    Args:
        entries: Entries of one stream.
        allowed: Whether rows may be one entry.
        params: Parameters of the network; the user's own or what ships by default.
        turn: How often these entries were split into windows before: see neighbourhoods.
        batch: How many windows the network is shown at a time.
    """
    params = load_weights(weights_path()) if params is None else params
    windows = neighbourhoods(entries, turn=turn)
    for start in range(0, len(windows), batch):
        seen, rows_BK = windows_of(entries, windows[start : start + batch])
        x = tokens(params, seen)
        soft = assign(params, seen, x)
        groups = np.stack([_harden(held, rows, allowed) for held, rows in zip(soft, rows_BK, strict=True)])
        pairs = np.stack(
            [_pairs(held, cosines) for held, cosines in zip(groups, seen.relations[..., 0], strict=True)]
        )
        larger = (groups.sum(axis=2) > 2)[:, :, None]
        for held in (groups, pairs * larger):
            yield from _groups(entries, seen, rows_BK, held, compose(params, seen, x, held))


def nearest_pairs(entries: EntryFeatures, allowed: Callable[[Sequence[int]], bool]) -> Iterator[Group]:
    """The pairs that could be one at the least cost, across all windows; their keys are means weighted by mass.

    Windows may separate what belongs together; pairs do not depend on them.

    Args:
        entries: Entries of one stream.
        allowed: Whether rows may be one entry.
    """
    order = np.argsort(entries.spans_NS2[:, 0, 0], kind="stable")
    for start in range(0, len(order), REACH // 2):
        rows = order[start : start + REACH]
        keys, mass = entries.keys_ND[rows], entries.mass_N[rows]
        cosines = keys @ keys.T
        touching = (likeness(entries, rows) - cosines) / np.float32(NEXT)
        squared = mass[:, None] ** 2 + mass[None] ** 2 + 2 * np.outer(mass, mass) * cosines
        cost = mass[:, None] + mass[None] - np.sqrt(np.maximum(squared, 0)) - np.float32(_TOUCHING) * touching
        spans = (~np.isnan(entries.spans_NS2[rows, :, 0])).sum(axis=1)
        cost[spans[:, None] + spans - touching > entries.spans_NS2.shape[1] + 0.5] = np.inf  # too many for one
        cost[np.tril_indices(len(rows))] = np.inf
        count = min(4 * _PAIRS * len(rows), len(rows) * (len(rows) - 1) // 2)
        cheapest = np.argpartition(cost.ravel(), count - 1)[:count] if count else np.zeros(0, np.int64)
        offered = np.zeros(len(rows), np.int64)
        for cell in cheapest[np.lexsort((cheapest, cost.ravel()[cheapest]))]:
            a, b = divmod(int(cell), len(rows))
            if not np.isfinite(cost[a, b]):
                break
            if max(offered[a], offered[b]) >= _PAIRS or not allowed((int(rows[a]), int(rows[b]))):
                continue
            offered[[a, b]] += 1
            key_D = unit(mass[a] * keys[a] + mass[b] * keys[b])
            scene_D = unit(mass[a] * entries.scenes_ND[rows[a]] + mass[b] * entries.scenes_ND[rows[b]])
            yield Group((int(rows[a]), int(rows[b])), key_D, scene_D, float(cost[a, b]))
        if start + REACH >= len(order):
            return


def _harden(soft_GK: FloatArray, rows: Ints, allowed: Callable[[Sequence[int]], bool]) -> NDArray[np.float32]:
    """Give each entry to its likeliest seed, the surest entries first, unless the group would not be allowed."""
    hard = np.zeros(soft_GK.shape, np.float32)
    groups: list[list[int]] = [[] for _ in soft_GK]
    for k in np.argsort(-soft_GK.max(axis=0), kind="stable"):
        if rows[k] < 0:
            continue
        for seed in np.argsort(-soft_GK[:, k], kind="stable")[:2]:
            wanted = [*groups[seed], int(rows[k])]
            if soft_GK[seed, k] > _LEAST and (len(wanted) == 1 or allowed(wanted)):
                groups[seed], hard[seed, k] = wanted, 1
                break
    return hard


def _pairs(hard_GK: NDArray[np.float32], cosines_KK: NDArray[np.float32]) -> NDArray[np.float32]:
    """The two entries of each group that are most alike."""
    pairs = np.zeros_like(hard_GK)
    for pair, held in zip(pairs, hard_GK, strict=True):
        inside = np.flatnonzero(held)
        if len(inside) > 1:
            near = cosines_KK[np.ix_(inside, inside)] - 3 * np.eye(len(inside), dtype=np.float32)
            pair[inside[list(np.unravel_index(int(near.argmax()), near.shape))]] = 1
    return pairs


def _groups(
    entries: EntryFeatures, seen: Windows, rows_BK: Ints, held_BGK: NDArray[np.float32], weights_BGK: FloatArray
) -> Iterator[Group]:
    """Each group of two or more, with its keys and what it costs."""
    for b, seed in zip(*np.nonzero(held_BGK.sum(axis=2) > 1), strict=True):
        rows, weight = rows_BK[b], weights_BGK[b, seed]
        inside, known = np.flatnonzero(held_BGK[b, seed]), rows >= 0
        chosen = rows[inside]
        key_D = unit(weight[known] @ entries.keys_ND[rows[known]])
        scene_D = unit(np.maximum(weight[inside], 1e-6) @ entries.scenes_ND[chosen])
        keys, mass = entries.keys_ND[chosen], entries.mass_N[chosen]
        # what is lost of the keys' length when they are summed up (Ward's criterion on the sphere)
        lost = float(mass.sum() - np.linalg.norm(mass @ keys))
        touching = float(seen.relations[b, :, :, 3][np.ix_(inside, inside)].sum() - len(inside)) / 2
        cost = (lost - _TOUCHING * touching) / (len(chosen) - 1)
        order = np.argsort(-(keys @ key_D), kind="stable")
        yield Group(tuple(int(row) for row in chosen[order]), key_D, scene_D, cost)
