"""The network that proposes which entries become one: windows in, groups with the weights of their keys out.

A small set transformer looks at K neighbours at a time. Attention is biased by a learned function of how the
entries relate; G = K / 4 seeds, each begun at an entry that is far from the others, gather their entries by
attention (pooling by multihead attention, Lee et al. 2019; a seed competes for entries, as in slot attention,
Locatello et al. 2020).

The forward pass is written once for numpy and torch, which gives the gradients in memory/training/consolidator.py.

Shapes: as in windows.py; C channels, H heads.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from hippocam.memory.errors import ConsolidatorError
from hippocam.memory.sleep.windows import RELATIONS, SCALARS, Windows
from hippocam.memory.trained import SHIPPED, looked_into

WEIGHTS = SHIPPED / "consolidator.safetensors"
# C and H above.
CHANNELS = 32
HEADS = 4
# Layers of the transformer, and rounds in which the seeds gather entries.
LAYERS = 2
ROUNDS = 3
# Logits are clipped to this.
_LARGEST = 20.0

Params = Mapping[str, Any]


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
    """Path of the parameters that the user trained, else of those that ship."""
    paths = (folder / WEIGHTS.name for folder in looked_into())
    return next(path for path in paths if path.is_file())


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
    """Weights of the entries' keys in a group's key, [B, G, K]; keys of other groups are subtracted."""
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
    for kind in range(RELATIONS):
        relation = windows.relations[..., kind]
        mean = share @ relation
        if kind < 2:  # cosines with the mean of the vectors
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
