"""Which entries become one: neighbours of a bank in, groups with a merged key each out.

A small set transformer looks at K neighbours at a time. It never sees a vector, only how its tokens relate:
scalars of each entry, and between two of them the cosines of their keys and scenes and their distance in time. So
it does not depend on the encoder's dimension. Attention is biased by a learned function of these relations; G = K
/ 4 seeds, each begun at an entry that is far from the others, gather their entries by attention (pooling by
multihead attention, Lee et al. 2019; a seed competes for entries, as in slot attention, Locatello et al. 2020).
The merged key is the normalised sum of the keys of its window, each weighted by the network: those of the group
add to it, and those that it must not be taken for are taken off.

The forward pass is written once for numpy and torch, which gives the gradients in memory/training/consolidator.py.

Shapes: N entries of one stream, B windows, K entries a window, G groups a window, S = 4 spans, F scalars, R
relations, C channels, H heads, D embedding dimension.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.errors import ConsolidatorError
from hippocam.memory.longterm.priors import own_folder
from hippocam.memory.working.context import unit
from hippocam.stream.records import FloatArray

WEIGHTS = Path(__file__).parents[1] / "assets" / "consolidator.safetensors"
# Entries of a window; groups that they become.
WINDOW, SHARE = 16, 4
CHANNELS, HEADS, LAYERS, ROUNDS = 32, 4, 2, 3
SCALARS, RELATIONS = 10, 4
# Entries whose nearest neighbours are looked for at once, so that a large bank takes no longer per entry.
_REACH = 4096
# Entries that follow each other are neighbours as if they were so much more alike.
_NEXT = 0.2
# How far likeness is blurred.
_BLUR = 0.1
# Two entries that touch in time have one span between them, which leaves room for others: so much cheaper.
_TOUCHING = 0.2
# Pairs that are offered for each entry.
_PAIRS = 4
# Of the beliefs by which keys are tuned.
_TEMPERATURE = 0.05
# Below this an entry does not belong to a seed.
_LEAST = 0.05
_LARGEST = 20.0

Ints = NDArray[np.int64]
Params = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """What is seen of the entries of one stream.

    Attributes:
        keys_ND: float32, of length 1.
        scenes_ND: float32, of length 1.
        spans_NS2: float64 seconds, start and end of each span, NaN where there is none.
        utility_N: As in Entry.
        strength_N: As in Entry.
        met_N: As in Entry.
        level_N: As in Entry.
        pinned_N: As in Entry.
        mass_N: How much there is to lose in each: float32, above 0.
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


class Group(NamedTuple):
    """Entries that may become one.

    Attributes:
        rows: Two or more, the surest first.
        key_D: The key that stands for them, float32 [D], of length 1.
        scene_D: The same of their scenes.
        cost: What is lost of their keys for each entry that goes; 0 where they are the same, less where they
        touch.
    """

    rows: tuple[int, ...]
    key_D: FloatArray
    scene_D: FloatArray
    cost: float


class Windows(NamedTuple):
    """A batch of windows as the network takes it; what is padding has no mask.

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


def shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes of the network's parameters."""
    c, wide = CHANNELS, 2 * CHANNELS
    found: dict[str, tuple[int, ...]] = {"in.w": (SCALARS, c), "in.b": (c,)}
    for n in range(LAYERS):
        found |= {
            f"{n}.qkv": (c, 3 * c),
            f"{n}.out": (c, c),
            f"{n}.rel1": (RELATIONS, 8),
            f"{n}.rel1b": (8,),
            f"{n}.rel2": (8, HEADS),
            f"{n}.up": (c, wide),
            f"{n}.upb": (wide,),
            f"{n}.down": (wide, c),
        }
    return found | {
        "seed.s": (c, c),
        "seed.q": (c, c),
        "seed.k": (c, c),
        "seed.v": (c, c),
        "seed.rel1": (RELATIONS, 16),
        "seed.rel1b": (16,),
        "seed.rel2": (16, 1),
        "seed.alike": (1,),
        "key.rel1": (RELATIONS + 1, 16),
        "key.rel1b": (16,),
        "key.rel2": (16, 2),
        "key.rel2b": (2,),
        "key.token": (c, 2),
    }


def weights_path() -> Path:
    """The parameters that the user trained, else those that ship."""
    own = own_folder() / WEIGHTS.name
    return own if own.is_file() else WEIGHTS


@cache
def load_weights(path: Path) -> Params:
    """Trained parameters, float32.

    Raises:
        ConsolidatorError: They are of another version of this network.
    """
    from safetensors.numpy import load_file

    params = {name: tensor.astype(np.float32) for name, tensor in load_file(path).items()}
    if {name: tensor.shape for name, tensor in params.items()} != shapes():
        raise ConsolidatorError(path)
    return params


# the network ------------------------------------------------------------------------------------------------


def tokens(params: Params, windows: Windows, xp: Any = np) -> Any:
    """What each entry is among its neighbours, [B, K, C]."""
    x = _relu(windows.scalars @ params["in.w"] + params["in.b"])
    away = (windows.mask - 1)[:, None, None, :] * _LARGEST
    batch, count, _ = x.shape
    for n in range(LAYERS):
        bias = _relu(windows.relations @ params[f"{n}.rel1"] + params[f"{n}.rel1b"]) @ params[f"{n}.rel2"]
        qkv = (_norm(x, xp) @ params[f"{n}.qkv"]).reshape(batch, count, 3, HEADS, CHANNELS // HEADS)
        q, k, v = (qkv[:, :, part].swapaxes(1, 2) for part in range(3))
        logits = q @ k.swapaxes(2, 3) / (CHANNELS // HEADS) ** 0.5 + bias.swapaxes(1, 3).swapaxes(2, 3) + away
        mixed = (_softmax(logits, -1, xp) @ v).swapaxes(1, 2).reshape(batch, count, CHANNELS)
        x = x + mixed @ params[f"{n}.out"]
        x = x + _relu(_norm(x, xp) @ params[f"{n}.up"] + params[f"{n}.upb"]) @ params[f"{n}.down"]
    return _norm(x, xp)


def assign(params: Params, windows: Windows, x: Any, xp: Any = np) -> Any:
    """How far each entry belongs to each seed, [B, G, K]; it sums to 1 over the seeds."""
    held = windows.anchors
    seeds = held.sum(-1)[:, :, None]
    state = held @ x @ params["seed.s"]
    for _ in range(ROUNDS):
        related = _related(windows, held, xp)
        close = _relu(related @ params["seed.rel1"] + params["seed.rel1b"])
        logits = (state @ params["seed.q"]) @ (x @ params["seed.k"]).swapaxes(1, 2) / CHANNELS**0.5
        near = params["seed.alike"] * related[..., 0] + (close @ params["seed.rel2"])[..., 0]
        logits = logits + near + (seeds - 1) * _LARGEST
        held = _softmax(logits, 1, xp) * windows.mask[:, None, :] * seeds
        share = held / (held.sum(-1)[:, :, None] + 1e-6)
        state = state + share @ (x @ params["seed.v"])
    return held


def compose(params: Params, windows: Windows, x: Any, held: Any, xp: Any = np) -> Any:
    """With which weight each entry's key goes into a group's, [B, G, K]: others than its own are taken off."""
    related = _related(windows, held, xp)
    wide = _relu(xp.concatenate([related, held[..., None]], -1) @ params["key.rel1"] + params["key.rel1b"])
    heads = wide @ params["key.rel2"] + params["key.rel2b"] + (x @ params["key.token"])[:, None]
    strength = 1 / (
        1 + xp.exp(-xp.clip(heads, -_LARGEST, _LARGEST))
    )  # of its own at most 1, of another at most -1
    return (held * strength[..., 0] - (1 - held) * strength[..., 1]) * windows.mask[:, None, :]


def _related(windows: Windows, held: Any, xp: Any) -> Any:
    """Relations of each group, as what it holds now, to each entry, [B, G, K, R]."""
    share = held / (held.sum(-1)[:, :, None] + 1e-6)
    found = []
    for number in range(RELATIONS):
        relation = windows.relations[..., number]
        mean = share @ relation
        if number < 2:  # cosines with the mean of the vectors
            mean = mean / xp.sqrt(xp.clip((mean * share).sum(-1), 1e-4, None))[:, :, None]
        found.append(mean)
    return xp.stack(found, -1)


def _relu(x: Any) -> Any:
    return x * (x > 0)


def _norm(x: Any, xp: Any) -> Any:
    centred = x - x.mean(-1)[..., None]
    return centred / xp.sqrt((centred * centred).mean(-1) + 1e-5)[..., None]


def _softmax(x: Any, axis: int, xp: Any) -> Any:
    raised = xp.exp(xp.clip(x, -_LARGEST, _LARGEST))
    total = raised.sum(axis)
    return raised / (total[:, None] if axis == 1 else total[..., None])


# what it is shown -------------------------------------------------------------------------------------------


def neighbourhoods(entries: Entries, size: int = WINDOW, *, turn: int = 0) -> list[Ints]:
    """Part the entries of a stream into windows of neighbours: alike in key, or next to each other in time.

    The entry with the nearest neighbour takes its nearest ones with it, and so on with what is left.

    Args:
        entries: Of one stream.
        size: Most entries of a window.
        turn: From the second time on, who is next to whom is blurred, each time otherwise: another window, other
            company.

    Returns:
        Rows of each window, two or more; an entry that is left alone is in none.
    """
    order = np.argsort(entries.spans_NS2[:, 0, 0], kind="stable")
    found, rng = [], np.random.default_rng(turn)
    for start in range(0, len(order), _REACH):
        rows = order[start : start + _REACH]
        alike = _alike(entries, rows)
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


def _alike(entries: Entries, rows: Ints) -> NDArray[np.float32]:
    keys_ND = entries.keys_ND[rows]
    alike = (keys_ND @ keys_ND.T).astype(np.float32)
    start, end = entries.spans_NS2[rows, :, 0], entries.spans_NS2[rows, :, 1]
    for a in range(start.shape[1]):
        for b in range(end.shape[1]):
            touching = (np.abs(start[:, None, a] - end[None, :, b]) < 1e-6).astype(np.float32) * np.float32(_NEXT)
            alike += touching + touching.T
    return alike


def look(entries: Entries, windows: Sequence[Ints], share: float = 1 / SHARE) -> tuple[Windows, Ints]:
    """Make a batch of windows.

    Args:
        entries: Of one stream.
        windows: Rows of each.
        share: Groups for each entry, above 0 up to 1.

    Returns:
        The batch, and the rows in it, -1 for padding: [B, K].
    """
    size = max(map(len, windows))
    rows_BK = np.full((len(windows), size), -1)
    for number, rows in enumerate(windows):
        rows_BK[number, : len(rows)] = rows
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
    entries: Entries, rows_BK: Ints, relations: NDArray[np.float32], mask: NDArray[np.float32]
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
    """Where seeds begin: at pinned entries, then each at the one farthest from those before; [B, G, K]."""
    batch, size = mask.shape
    counts = np.ceil(mask.sum(axis=1) * share - 1e-6).astype(int)
    anchors = np.zeros((batch, max(1, int(counts.max())), size), np.float32)
    each = np.arange(batch)
    # of all entries the one most like the rest comes first
    middle = (cosines * mask[:, None, :]).sum(axis=2)
    score = np.where(mask > 0, middle + 1e3 * pinned, -np.inf)
    nearest = np.full((batch, size), -1.0, np.float32)
    for number in range(anchors.shape[1]):
        chosen = score.argmax(axis=1)
        anchors[each, number, chosen] = number < counts
        nearest = np.maximum(nearest, cosines[each, chosen])
        score = np.where((mask > 0) & (nearest < 2), 1 - nearest + 1e3 * pinned, -np.inf)
        nearest[each, chosen] = 2
    return anchors


# what it proposes -------------------------------------------------------------------------------------------


def propose(
    entries: Entries,
    allowed: Callable[[Sequence[int]], bool],
    params: Params | None = None,
    *,
    turn: int = 0,
    batch: int = 256,
) -> Iterator[Group]:
    """Groups of entries that may become one, and of each larger one also its two that are most alike.

    Args:
        entries: Of one stream.
        allowed: Whether rows may be one entry.
        params: Of the network; what ships by default.
        turn: How often these entries were looked at: see neighbourhoods.
        batch: Windows at a time.
    """
    params = load_weights(weights_path()) if params is None else params
    windows = neighbourhoods(entries, turn=turn)
    for start in range(0, len(windows), batch):
        seen, rows_BK = look(entries, windows[start : start + batch])
        x = tokens(params, seen)
        soft = assign(params, seen, x)
        groups = np.stack([_harden(held, rows, allowed) for held, rows in zip(soft, rows_BK, strict=True)])
        pairs = np.stack(
            [_pairs(held, cosines) for held, cosines in zip(groups, seen.relations[..., 0], strict=True)]
        )
        larger = (groups.sum(axis=2) > 2)[:, :, None]
        for held in (groups, pairs * larger):
            yield from _groups(entries, seen, rows_BK, held, compose(params, seen, x, held))


def nearest_pairs(entries: Entries, allowed: Callable[[Sequence[int]], bool]) -> Iterator[Group]:
    """The pairs that could be one at the least cost, over all windows; their keys are the means by mass.

    Windows part what belongs together, too; pairs do not depend on them.

    Args:
        entries: Of one stream.
        allowed: Whether rows may be one entry.
    """
    order = np.argsort(entries.spans_NS2[:, 0, 0], kind="stable")
    for start in range(0, len(order), _REACH // 2):
        rows = order[start : start + _REACH]
        keys, mass = entries.keys_ND[rows], entries.mass_N[rows]
        cosines = keys @ keys.T
        touching = (_alike(entries, rows) - cosines) / np.float32(_NEXT)
        squared = mass[:, None] ** 2 + mass[None] ** 2 + 2 * np.outer(mass, mass) * cosines
        cost = mass[:, None] + mass[None] - np.sqrt(np.maximum(squared, 0)) - np.float32(_TOUCHING) * touching
        spans = (~np.isnan(entries.spans_NS2[rows, :, 0])).sum(axis=1)
        cost[spans[:, None] + spans - touching > entries.spans_NS2.shape[1] + 0.5] = np.inf  # too many for one
        cost[np.tril_indices(len(rows))] = np.inf
        count = min(4 * _PAIRS * len(rows), len(rows) * (len(rows) - 1) // 2)
        cheapest = np.argpartition(cost.ravel(), count - 1)[:count] if count else np.zeros(0, np.int64)
        offered = np.zeros(len(rows), np.int64)
        for place in cheapest[np.lexsort((cheapest, cost.ravel()[cheapest]))]:
            a, b = divmod(int(place), len(rows))
            if not np.isfinite(cost[a, b]):
                break
            if max(offered[a], offered[b]) >= _PAIRS or not allowed((int(rows[a]), int(rows[b]))):
                continue
            offered[[a, b]] += 1
            key_D = unit(mass[a] * keys[a] + mass[b] * keys[b])
            scene_D = unit(mass[a] * entries.scenes_ND[rows[a]] + mass[b] * entries.scenes_ND[rows[b]])
            yield Group((int(rows[a]), int(rows[b])), key_D, scene_D, float(cost[a, b]))
        if start + _REACH >= len(order):
            return


def tune(
    keys_MD: FloatArray, merged_M: NDArray[np.bool_], views_QD: FloatArray, own_Q: Ints, *, rate: float
) -> FloatArray:
    """Move merged keys a step towards views that are theirs and away from others: the gradient of InfoNCE.

    Args:
        keys_MD: All keys, of length 1.
        merged_M: Which of them may move.
        views_QD: Views of entries.
        own_Q: The key that each is to find.
        rate: How far.
    """
    logits = views_QD @ keys_MD.T / np.float32(_TEMPERATURE)
    beliefs = np.exp(logits - logits.max(axis=1, keepdims=True))
    beliefs /= beliefs.sum(axis=1, keepdims=True)
    beliefs[np.arange(len(own_Q)), own_Q] -= 1
    moved = keys_MD.copy()
    moved[merged_M] -= np.float32(rate) * (beliefs[:, merged_M].T @ views_QD)
    moved[merged_M] /= np.maximum(np.linalg.norm(moved[merged_M], axis=1, keepdims=True), 1e-9)
    return moved


def _harden(soft_GK: FloatArray, rows: Ints, allowed: Callable[[Sequence[int]], bool]) -> NDArray[np.float32]:
    """Each entry to one seed, the surest first, as far as its group is allowed; else to none."""
    hard = np.zeros(soft_GK.shape, np.float32)
    groups: list[list[int]] = [[] for _ in soft_GK]
    for place in np.argsort(-soft_GK.max(axis=0), kind="stable"):
        if rows[place] < 0:
            continue
        for seed in np.argsort(-soft_GK[:, place], kind="stable")[:2]:
            wanted = [*groups[seed], int(rows[place])]
            if soft_GK[seed, place] > _LEAST and (len(wanted) == 1 or allowed(wanted)):
                groups[seed], hard[seed, place] = wanted, 1
                break
    return hard


def _pairs(hard_GK: NDArray[np.float32], cosines_KK: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of each group the two that are most alike."""
    pairs = np.zeros_like(hard_GK)
    for pair, held in zip(pairs, hard_GK, strict=True):
        inside = np.flatnonzero(held)
        if len(inside) > 1:
            near = cosines_KK[np.ix_(inside, inside)] - 3 * np.eye(len(inside), dtype=np.float32)
            pair[inside[list(np.unravel_index(int(near.argmax()), near.shape))]] = 1
    return pairs


def _groups(
    entries: Entries, seen: Windows, rows_BK: Ints, held_BGK: NDArray[np.float32], weights_BGK: FloatArray
) -> Iterator[Group]:
    for number, seed in zip(*np.nonzero(held_BGK.sum(axis=2) > 1), strict=True):
        rows, weight = rows_BK[number], weights_BGK[number, seed]
        inside, known = np.flatnonzero(held_BGK[number, seed]), rows >= 0
        chosen = rows[inside]
        key_D = unit(weight[known] @ entries.keys_ND[rows[known]])
        scene_D = unit(np.maximum(weight[inside], 1e-6) @ entries.scenes_ND[chosen])
        keys, mass = entries.keys_ND[chosen], entries.mass_N[chosen]
        # what is lost of the keys' length when they are summed up (Ward's criterion on the sphere)
        lost = float(mass.sum() - np.linalg.norm(mass @ keys))
        touching = float(seen.relations[number, :, :, 3][np.ix_(inside, inside)].sum() - len(inside)) / 2
        cost = (lost - _TOUCHING * touching) / (len(chosen) - 1)
        order = np.argsort(-(keys @ key_D), kind="stable")
        yield Group(tuple(int(row) for row in chosen[order]), key_D, scene_D, cost)
