"""What streams say of their own events: which were met again or asked for, and how soon after they were last met.

Two events of a stream are the same thing by the rule of the bank (bank/thresholds.py): the cosine of their keys is
some standard deviations above the mean. What is not met again before a stream ends may be met later, so only its
first part is judged.

Shapes: N events of a stream; A ages; G groups of events of like strength; D embedding dimension.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.bank.config import BankConfig
from hippocam.memory.bank.utility import FADE_POWER, FADE_S
from hippocam.memory.training.streams import TrainingStream

# First part of a stream in which events are judged.
JUDGED_SHARE = 0.7
# Share of them that questions are taken to point at.
POINTED_SHARE = 0.2
# Number of ages at which the share that is met again is counted, within this share of a usual stream.
_AGES = 8
_HORIZON_SHARE = 0.25
# Lower ends of the groups of strengths.
_STRENGTHS = (1.0, 1.5, 2.5, 4.0)
# Pause after which a second meeting strengthens, as in longterm/intake.py.
_PAUSE_S = 60.0
# Values that fade_s and fade_power may take.
_FADE_S = np.geomspace(60.0, 864000.0, 25)
_FADE_POWER = np.linspace(0.0, 1.0, 21)
# Events that are compared with all others at once.
_BLOCK = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Meetings:
    """How the events of a stream belong together.

    Attributes:
        next_N: The first event that is the same thing again, after some time; -1 where there is none.
        thing_N: Index of the event that first showed the same thing, in a chain from one to the next.
        strength_N: How strong an entry is after the event, from those before it: see longterm.strengthened.
        same_at: Cosine from which two events are the same thing.
    """

    next_N: NDArray[np.int64]
    thing_N: NDArray[np.int64]
    strength_N: NDArray[np.float64]
    same_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Which events of a stream were worth keeping.

    Attributes:
        worth_N: Whether an event was met again, or is pointed at.
        judged_N: Whether that can be told.
    """

    worth_N: NDArray[np.bool_]
    judged_N: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fade:
    """Share of things that are met again within a horizon, by age and strength, and the decay fitted to it.

    Attributes:
        fade_s: As in BankConfig.
        fade_power: As in BankConfig.
        horizon_s: Seconds within which something is met again, or not.
        ages_A: Seconds since a thing was last met.
        strengths_G: Mean strength of each group.
        met_GA: Share that is met again, NaN where nothing could be counted.
        counts_GA: How many that share was counted over.
    """

    fade_s: float
    fade_power: float
    horizon_s: float
    ages_A: NDArray[np.float64]
    strengths_G: NDArray[np.float64]
    met_GA: NDArray[np.float64]
    counts_GA: NDArray[np.float64]


def meetings(stream: TrainingStream, config: BankConfig) -> Meetings:
    """Find out which events of a stream are the same thing."""
    count, keys_ND = len(stream), stream.keys_ND
    same_at = _same_at(keys_ND, config)
    next_N, before_N = np.full(count, -1), np.full(count, -1)
    for start in range(0, count, _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, count))
        same = keys_ND[rows] @ keys_ND.T >= same_at
        later = same & (stream.t0_N[None] - stream.t1_N[rows, None] > config.again_s)
        next_N[rows] = np.where(later.any(axis=1), later.argmax(axis=1), -1)
        earlier = same & (np.arange(count)[None] < rows[:, None])
        before_N[rows] = np.where(earlier.any(axis=1), count - 1 - earlier[:, ::-1].argmax(axis=1), -1)
    strength_N, thing_N = np.ones(count), np.arange(count)
    for row, before in enumerate(before_N):
        if before >= 0:
            pause_s = float(stream.t0_N[row] - stream.t1_N[before])
            thing_N[row] = thing_N[before]
            strength_N[row] = strengthened_by(float(strength_N[before]), pause_s)
    return Meetings(next_N=next_N, thing_N=thing_N, strength_N=strength_N, same_at=same_at)


def strengthened_by(strength: float, pause_s: float) -> float:
    """Strength of what is met again after a pause; longterm.strengthened does the same to an entry."""
    return strength + 1 - math.exp(-max(0.0, pause_s) / (_PAUSE_S * strength))


def _same_at(keys_ND: NDArray[np.float32], config: BankConfig) -> float:
    """The bank's threshold over all pairs, from moments of the keys: no pair's cosine has to be held."""
    count = len(keys_ND)
    if count < 2:
        return config.most_same
    keys = keys_ND.astype(np.float64)
    own = np.square(keys).sum(axis=1)
    pairs = count * (count - 1) / 2
    mean = (float(np.square(keys.sum(axis=0)).sum()) - float(own.sum())) / 2 / pairs
    square = (float(np.square(keys.T @ keys).sum()) - float(np.square(own).sum())) / 2 / pairs
    spread = math.sqrt(max(square - mean**2, 1e-6))
    return min(config.most_same, max(config.least_same, mean + config.same * spread))


def label(stream: TrainingStream, met: Meetings) -> Labels:
    """Say which events were worth keeping."""
    start_s, end_s = float(stream.t0_N[0]), float(stream.t0_N[-1])
    worth_N = met.next_N >= 0
    if stream.pointed_N is not None:
        least = float(np.quantile(stream.pointed_N, 1 - POINTED_SHARE))
        worth_N = worth_N | (stream.pointed_N >= least) & (stream.pointed_N > 0)
    judged_N = stream.t0_N - start_s < JUDGED_SHARE * max(end_s - start_s, 1e-9)
    return Labels(worth_N=worth_N, judged_N=judged_N)


def fit_fade(streams: Sequence[TrainingStream], met: Sequence[Meetings], config: BankConfig) -> Fade:
    """Fit the decay to how often things are met again.

    At an age, those count that have not been met since and whose horizon ends before their stream does: what lies
    beyond a stream's end does not count as never. Of all decays of the bank's form, each with the base rates that
    suit it best, the one with the least square error is taken; none rises with age or falls with strength. Each
    group of strengths has a base rate of its own, since what comes often does so at any age.
    """
    lengths = [float(stream.t1_N[-1] - stream.t0_N[0]) for stream in streams]
    horizon_s = max(_HORIZON_SHARE * float(np.median(lengths)), config.again_s)
    ages_A = np.geomspace(config.again_s, max(max(lengths) - horizon_s, 2 * config.again_s), _AGES)
    gaps, left, strengths = list[NDArray[np.float64]](), list[NDArray[np.float64]](), list[NDArray[np.float64]]()
    for stream, found in zip(streams, met, strict=True):
        gap_N = np.where(found.next_N >= 0, stream.t0_N[found.next_N] - stream.t1_N, np.inf)
        gaps.append(gap_N)
        left.append(stream.t1_N[-1] - stream.t1_N)
        strengths.append(found.strength_N)
    gap_M, left_M, strength_M = np.concatenate(gaps), np.concatenate(left), np.concatenate(strengths)
    group_M = np.searchsorted(_STRENGTHS, strength_M, side="right") - 1
    at_risk_MA = (gap_M[:, None] > ages_A) & (left_M[:, None] >= ages_A + horizon_s)
    met_MA = at_risk_MA & (gap_M[:, None] <= ages_A + horizon_s)
    members = [group_M == group for group in range(len(_STRENGTHS)) if (group_M == group).any()]
    counts_GA = np.array([at_risk_MA[member].sum(axis=0) for member in members], np.float64)
    hits_GA = np.array([met_MA[member].sum(axis=0) for member in members], np.float64)
    strengths_G = np.array([strength_M[member].mean() for member in members])
    rates_GA = hits_GA / np.maximum(counts_GA, 1)
    fade_s, fade_power, least = FADE_S, FADE_POWER, math.inf
    for seconds in _FADE_S if hits_GA.any() else ():
        for power in _FADE_POWER:
            decay_GA = (1 + ages_A / (seconds * strengths_G[:, None])) ** -power
            weight_G = np.maximum((counts_GA * decay_GA**2).sum(axis=1), 1e-12)
            base_G = (counts_GA * rates_GA * decay_GA).sum(axis=1) / weight_G
            error = float((counts_GA * np.square(rates_GA - base_G[:, None] * decay_GA)).sum())
            if error < least - 1e-12:
                fade_s, fade_power, least = float(seconds), float(power), error
    return Fade(
        fade_s=fade_s,
        fade_power=fade_power,
        horizon_s=horizon_s,
        ages_A=ages_A,
        strengths_G=strengths_G,
        met_GA=np.where(counts_GA > 0, rates_GA, np.nan),
        counts_GA=counts_GA,
    )
