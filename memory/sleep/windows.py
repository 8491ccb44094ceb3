"""The entries of one stream into windows of neighbours, as the network of sleep sees them.

A window shows how entries relate, never a vector: scalars of each entry, and between two of them the cosines of
their keys and scenes and their distance in time. So it does not depend on the encoder's dimension.

Shapes: N entries of one stream, B windows, K entries a window, G groups a window, S = 4 spans, F scalars, R
relations, D embedding dimension.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hippocam.stream.records import FloatArray

# Entries of a window.
WINDOW = 16
# Entries for each group that a window becomes.
ENTRIES_A_GROUP = 4
# F and R above.
SCALARS = 10
RELATIONS = 4
# Entries among which nearest neighbours are looked for, so that a large bank takes no longer per entry.
REACH = 4096
# Entries that follow each other count as this much more alike.
NEXT = 0.2
# How far likeness is blurred from the second turn on.
_BLUR = 0.1

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFeatures:
    """What sleep sees of the entries of one stream, to find those that may become one.

    Attributes:
        keys_ND: float32, of length 1.
        scenes_ND: float32, of length 1.
        spans_NS2: float64 seconds, start and end of each span, NaN where there is none.
        utility_N: As in Entry.
        strength_N: As in Entry.
        met_N: As in Entry.
        level_N: As in Entry.
        pinned_N: As in Entry.
        mass_N: How much each has to lose: float32, above 0.
    """

    keys_ND: FloatArray
    scenes_ND: FloatArray
    spans_NS2: NDArray[np.float64]
    utility_N: NDArray[np.float64]
    strength_N: NDArray[np.float64]
    met_N: Ints
    level_N: Ints
    pinned_N: NDArray[np.bool_]
    mass_N: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.keys_ND)


class Windows(NamedTuple):
    """A batch of windows as the network takes it; padding is masked.

    Attributes:
        scalars: float32 [B, K, F].
        relations: float32 [B, K, K, R].
        mask: float32 [B, K], 1 for an entry.
        anchors: float32 [B, G, K], one-hot: the entry that a seed begins at; all 0 where there is no seed.
    """

    scalars: Any
    relations: Any
    mask: Any
    anchors: Any


def neighbourhoods(entries: EntryFeatures, size: int = WINDOW, *, turn: int = 0) -> list[Ints]:
    """Split the entries of a stream into windows of neighbours: alike in key, or next to each other in time.

    The entry with the nearest neighbour takes its nearest ones with it, and so on with what is left.

    Args:
        entries: Entries of one stream.
        size: Most entries of a window.
        turn: How often these entries were split before. From the second time on likeness is blurred, differently
            each time, so that an entry meets other neighbours.

    Returns:
        Rows of each window, two or more; an entry that is left alone is in none.
    """
    order = np.argsort(entries.spans_NS2[:, 0, 0], kind="stable")
    found, rng = [], np.random.default_rng(turn)
    for start in range(0, len(order), REACH):
        rows = order[start : start + REACH]
        alike = likeness(entries, rows)
        if turn:
            blur = rng.normal(scale=_BLUR, size=len(rows)).astype(np.float32)
            alike += blur[:, None] * blur[None, :] / np.float32(_BLUR)
        np.fill_diagonal(alike, -np.inf)
        nearest = alike.max(axis=1, initial=-np.inf)
        while np.isfinite(nearest).any():
            first = int(np.argmax(nearest))
            others = np.argsort(-alike[first], kind="stable")[: size - 1]
            others = others[np.isfinite(alike[first, others])]
            taken = np.concatenate([[first], others])
            if len(taken) > 1:
                found.append(rows[taken])
            alike[taken], alike[:, taken] = -np.inf, -np.inf
            nearest[taken] = -np.inf
    return found


def likeness(entries: EntryFeatures, rows: Ints) -> NDArray[np.float32]:
    """How near some rows are to each other as neighbours: cosines, raised where they follow each other; [n, n]."""
    keys_ND = entries.keys_ND[rows]
    alike = (keys_ND @ keys_ND.T).astype(np.float32)
    start, end = entries.spans_NS2[rows, :, 0], entries.spans_NS2[rows, :, 1]
    for a in range(start.shape[1]):
        for b in range(end.shape[1]):
            touching = (np.abs(start[:, None, a] - end[None, :, b]) < 1e-6).astype(np.float32) * np.float32(NEXT)
            alike += touching + touching.T
    return alike


def windows_of(
    entries: EntryFeatures, windows: Sequence[Ints], share: float = 1 / ENTRIES_A_GROUP
) -> tuple[Windows, Ints]:
    """Show a batch of windows to the network.

    Args:
        entries: Entries of one stream.
        windows: Rows of each window.
        share: Groups for each entry, above 0 up to 1.

    Returns:
        The batch, and the rows in it, -1 for padding: [B, K].
    """
    size = max(map(len, windows))
    rows_BK = np.full((len(windows), size), -1)
    for b, rows in enumerate(windows):
        rows_BK[b, : len(rows)] = rows
    mask = (rows_BK >= 0).astype(np.float32)
    relations = np.zeros((*rows_BK.shape, size, RELATIONS), np.float32)
    keys, scenes, spans = entries.keys_ND[rows_BK], entries.scenes_ND[rows_BK], entries.spans_NS2[rows_BK]
    relations[..., 0] = keys @ keys.swapaxes(1, 2)
    relations[..., 1] = scenes @ scenes.swapaxes(1, 2)
    gap = _gaps(spans)
    relations[..., 2] = np.log1p(np.minimum(gap, 1e6)) / 10
    relations[..., 3] = gap <= 0
    relations *= mask[:, :, None, None] * mask[:, None, :, None]
    anchors = _anchors(relations[..., 0], mask, entries.pinned_N[rows_BK], share)
    return Windows(_scalars(entries, rows_BK, relations, mask), relations, mask, anchors), rows_BK


def _gaps(spans_BKS2: NDArray[np.float64]) -> NDArray[np.float64]:
    """Seconds between the nearest spans of two entries, 0 where they touch, [B, K, K]."""
    gap = np.full((*spans_BKS2.shape[:2], spans_BKS2.shape[1]), np.inf)
    start, end = spans_BKS2[..., 0], spans_BKS2[..., 1]
    for a in range(start.shape[2]):
        for b in range(start.shape[2]):
            apart = np.maximum(
                start[:, :, None, a] - end[:, None, :, b], start[:, None, :, b] - end[:, :, None, a]
            )
            gap = np.fmin(gap, np.maximum(apart, 0))
    return gap


def _scalars(
    entries: EntryFeatures, rows_BK: Ints, relations: NDArray[np.float32], mask: NDArray[np.float32]
) -> NDArray[np.float32]:
    spans = entries.spans_NS2[rows_BK]
    start = np.where(mask > 0, spans[..., 0, 0], np.nan)
    low, high = np.nanmin(start, axis=1, keepdims=True), np.nanmax(start, axis=1, keepdims=True)
    others = relations[..., 0] - 2 * np.eye(rows_BK.shape[1], dtype=np.float32)
    columns = [
        np.log1p(np.clip(entries.utility_N[rows_BK], 0, 50)),
        np.log1p(np.nansum(spans[..., 1] - spans[..., 0], axis=2)) / 3,
        np.log(entries.met_N[rows_BK]),
        (start - low) / np.maximum(high - low, 1e-6),
        others.max(axis=2),
        np.log(np.maximum(entries.strength_N[rows_BK], 1)),
        entries.pinned_N[rows_BK],
        entries.level_N[rows_BK] / 3,
        (~np.isnan(spans[..., 0])).sum(axis=2) / spans.shape[2],
        np.log(entries.mass_N[rows_BK]) / 3,
    ]
    return np.nan_to_num(np.stack(columns, axis=-1) * mask[..., None]).astype(np.float32)


def _anchors(
    cosines: NDArray[np.float32], mask: NDArray[np.float32], pinned: NDArray[np.bool_], share: float
) -> NDArray[np.float32]:
    """Where seeds begin: at pinned entries, then each at the entry farthest from those before; [B, G, K]."""
    batch, size = mask.shape
    counts = np.ceil(mask.sum(axis=1) * share - 1e-6).astype(int)
    anchors = np.zeros((batch, max(1, int(counts.max())), size), np.float32)
    each = np.arange(batch)
    # the entry most like the rest comes first
    middle = (cosines * mask[:, None, :]).sum(axis=2)
    score = np.where(mask > 0, middle + 1e3 * pinned, -np.inf)
    nearest = np.full((batch, size), -1.0, np.float32)
    for group in range(anchors.shape[1]):
        chosen = score.argmax(axis=1)
        anchors[each, group, chosen] = group < counts
        nearest = np.maximum(nearest, cosines[each, chosen])
        score = np.where((mask > 0) & (nearest < 2), 1 - nearest + 1e3 * pinned, -np.inf)
        nearest[each, chosen] = 2
    return anchors
