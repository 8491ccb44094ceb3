"""The rules of the bench, shown a lifelog: each sentence is one observation, with its vector and its time.

A rule of frames is given a sentence as a frame. A rule that cuts events is given it as an event that was cut: it
has to choose and to merge, not to find out where a sentence ends. A slot that holds several sentences in a row has
the time from the first one's start to the last one's end.

Shapes: N observations; D embedding dimension; S spans.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from hippocam.apps.bench.lifelog.records import Keeper, Observations
from hippocam.apps.bench.ours.events import OurEvents
from hippocam.apps.bench.ours.parts import ABLATIONS, Parts
from hippocam.apps.bench.policies import CODEC_NAMES, OURS, POLICIES, Bank, Policy
from hippocam.apps.bench.policies.events import EventSlots

# Seconds of a plain piece: about what a sentence of ActivityNet takes.
PIECE_S = 30.0
# Rules whose time grows with the square of their slots are not shown a budget of more than these.
_MOST_SLOTS = {"selectstream": 1000, "flash-vstream": 200}
# It moves the ends of events, which are given here.
_LEFT_OUT = ("em-llm-refined", "oracle", "pieces")


def keepers(encoder: str) -> dict[str, Keeper]:
    """All rules, ours first.

    Args:
        encoder: Id of the vectors' space.
    """
    found: dict[str, Keeper] = {OURS: partial(_ours, Parts(), encoder)}
    found |= {name: partial(_ours, parts, encoder) for name, (_, parts) in ABLATIONS.items()}
    for name, entry in POLICIES.items():
        if name.removesuffix("-int8").removesuffix("-signs") not in _LEFT_OUT:
            most = next((most for slow, most in _MOST_SLOTS.items() if name.startswith(slow)), None)
            found[name] = partial(_plain, entry.build, most_slots=most)
    # a piece is an observation of its own, so that thinning is all that is left to do
    found |= {f"pieces{codec}": partial(_pieces, POLICIES[f"uniform{codec}"].build) for codec in CODEC_NAMES}
    return found


def _ours(parts: Parts, encoder: str, seen: Observations, budget_bytes: int, seed: int) -> Bank:
    rule = OurEvents(budget_bytes, seen.vectors_ND.shape[1], parts=parts, encoder=encoder)
    for vector_D, t0_s, t1_s in zip(seen.vectors_ND, seen.t0_N.tolist(), seen.t1_N.tolist(), strict=True):
        rule.see(vector_D, t0_s, t1_s)
    return rule.bank()


def _plain(
    build: Callable[..., Policy],
    seen: Observations,
    budget_bytes: int,
    seed: int,
    *,
    most_slots: int | None = None,
) -> Bank | None:
    kind = getattr(build, "func", build)
    given = {"longest": 1} if isinstance(kind, type) and issubclass(kind, EventSlots) else {}
    policy = build(budget_bytes, seen.vectors_ND.shape[1], seed, **given)
    slots = getattr(policy, "capacity", getattr(policy, "cluster_count", 0))
    if most_slots is not None and slots > most_slots:
        return None
    for number, vector_D in enumerate(seen.vectors_ND):
        policy.push(vector_D, float(number))
    policy.finish()
    return _in_seconds(policy.bank(), seen)


def _pieces(build: Callable[..., Policy], seen: Observations, budget_bytes: int, seed: int) -> Bank | None:
    return _plain(build, in_pieces(seen), budget_bytes, seed)


def in_pieces(seen: Observations, piece_s: float = PIECE_S) -> Observations:
    """Pieces of equal length, each the mean of what is said during it by how long that takes of it."""
    count = int(np.ceil(seen.t1_N.max() / piece_s))
    sums_PD = np.zeros((count, seen.vectors_ND.shape[1]), np.float32)
    for vector_D, t0_s, t1_s in zip(seen.vectors_ND, seen.t0_N, seen.t1_N, strict=True):
        for piece in range(int(t0_s // piece_s), min(int(t1_s // piece_s) + 1, count)):
            seconds = min(t1_s, (piece + 1) * piece_s) - max(t0_s, piece * piece_s)
            sums_PD[piece] += np.float32(seconds) * vector_D
    lengths_P = np.linalg.norm(sums_PD, axis=1)
    told = np.flatnonzero(lengths_P > 0)
    return Observations(
        vectors_ND=sums_PD[told] / lengths_P[told, None],
        t0_N=told.astype(np.float64) * piece_s,
        t1_N=(told + 1).astype(np.float64) * piece_s,
    )


def _in_seconds(bank: Bank, seen: Observations) -> Bank:
    """A bank whose times are numbers of observations, with their times instead."""
    t0_NS, t1_NS = np.full_like(bank.t0_NS, np.nan), np.full_like(bank.t1_NS, np.nan)
    for at in zip(*np.nonzero(~np.isnan(bank.t0_NS)), strict=True):
        first, last = int(bank.t0_NS[at]), int(bank.t1_NS[at])
        t0_NS[at], t1_NS[at] = seen.t0_N[first], seen.t1_N[first : last + 1].max()
    return replace(bank, t0_NS=t0_NS, t1_NS=t1_NS)
