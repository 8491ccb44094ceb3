"""Tells whether training helped: held-out streams are remembered in little room, with the prior and without.

A held-out stream is played to the bank as long-term memory does it, but without a disk, pictures and words; there
is room for a share of its events. Things that were met again are hidden, one half and then the other: shown for
the first time only, so that nothing but their looks can tell that they are worth keeping. At the end each is asked
for with the key of its next showing, and what was never met again but is pointed at, with its own key and some
noise. The answer is the entry whose key is nearest, and is right where that entry holds the time of the first
showing.

Shapes: N events of a stream; P probes; D embedding dimension.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.bank.bank import Bank
from hippocam.memory.bank.codes import Codes
from hippocam.memory.bank.config import BankConfig
from hippocam.memory.bank.utility import Prior, Utility
from hippocam.memory.codec import rounded
from hippocam.memory.records import Slot, Span
from hippocam.memory.spans import join_spans
from hippocam.memory.training.labels import Labels, Meetings, strengthened_by
from hippocam.memory.training.streams import TrainingStream

# Share of a stream's events that there is room for, and entries that there is always room for.
BUDGET_SHARE = 0.15
_LEAST_ENTRIES = 16
# Length of the noise that is added to a key of length 1 to make a view of it.
_VIEW_NOISE = 0.5
WITHOUT = "product, no prior"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How one rule did on all held-out streams.

    Attributes:
        name: Name of the rule.
        found_P: Whether the first answer was right, for each probe.
        held_P: Whether any entry held the event.
    """

    name: str
    found_P: NDArray[np.bool_]
    held_P: NDArray[np.bool_]

    @property
    def recall(self) -> float:
        """Share of probes with a right answer."""
        return float(self.found_P.mean()) if len(self.found_P) else 0.0

    def gain_over(self, other: Trial) -> tuple[float, float]:
        """How much better it does on the same probes, and the standard error of that."""
        gain_P = self.found_P.astype(float) - other.found_P
        if len(gain_P) < 2:
            return 0.0, 0.0
        return float(gain_P.mean()), float(gain_P.std(ddof=1) / np.sqrt(len(gain_P)))

    def beats(self, other: Trial) -> bool:
        """Whether it does better than noise explains, roughly: by two standard errors."""
        gain, noise = self.gain_over(other)
        return gain > 2 * noise


def rules(prior: Prior, events: Sequence[float], config: BankConfig) -> dict[str, tuple[BankConfig, Prior | None]]:
    """What is compared: surprise alone, what is learned on the way, and that with the prior at several weights."""
    return {
        "surprise": (replace(config, arm="surprise"), None),
        WITHOUT: (replace(config, arm="product"), None),
        **{with_prior(n): (replace(config, arm="product"), replace(prior, events=n)) for n in events},
    }


def with_prior(events: float) -> str:
    """Name of the rule with the prior at a weight."""
    return f"product, prior worth {events:g} events"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A stream and what it says of its events."""

    stream: TrainingStream
    met: Meetings
    labels: Labels


def try_out(name: str, config: BankConfig, prior: Prior | None, held_out: Sequence[Part], seed: int) -> Trial:
    """Remember each held-out stream by one rule, and ask."""
    found, held = list[NDArray[np.bool_]](), list[NDArray[np.bool_]]()
    for index, each in enumerate(held_out):
        stream, thing_N = each.stream, each.met.thing_N
        rng = np.random.default_rng([seed, index])
        worthy_P = np.flatnonzero(each.labels.worth_N & each.labels.judged_N & (thing_N == np.arange(len(stream))))
        half_P = rng.permutation(len(worthy_P)) % 2
        noise_PD = rng.normal(size=(len(worthy_P), stream.keys_ND.shape[1])) / np.sqrt(stream.keys_ND.shape[1])
        again_P = each.met.next_N[worthy_P]
        own_PD = stream.keys_ND[worthy_P] + _VIEW_NOISE * noise_PD
        views_PD = np.where(again_P[:, None] >= 0, stream.keys_ND[again_P], own_PD)
        middle_P = (stream.t0_N[worthy_P] + stream.t1_N[worthy_P]) / 2
        entries = max(_LEAST_ENTRIES, round(BUDGET_SHARE * len(stream)))
        for fold in (0, 1):
            asked = half_P == fold
            hidden_N = np.isin(thing_N, worthy_P[asked]) & (thing_N != np.arange(len(stream)))
            keys_ND, spans = remember(stream.where(~hidden_N), config, prior, entries)
            holds = [[any(s.t0_s <= at_s <= s.t1_s for s in own) for own in spans] for at_s in middle_P[asked]]
            holds_PN = np.array(holds, bool).reshape(-1, len(spans))
            first_P = (views_PD[asked] @ keys_ND.T).argmax(axis=1)
            found.append(np.asarray(holds_PN[np.arange(len(holds_PN)), first_P]))
            held.append(np.asarray(holds_PN.any(axis=1)))
    return Trial(name=name, found_P=np.concatenate(found), held_P=np.concatenate(held))


def remember(
    stream: TrainingStream, config: BankConfig, prior: Prior | None, entries: int
) -> tuple[NDArray[np.float32], list[list[Span]]]:
    """Play a stream to a bank with limited room; return keys and spans of the entries that are left."""
    dim = stream.keys_ND.shape[1]
    bank = Bank(dim, config, Utility(dim, prior), codes=Codes(None))  # an entry is held or not
    spans: dict[int, list[Span]] = {}
    strength: dict[int, float] = {}
    for row in range(len(stream)):
        key_D, place = rounded(stream.keys_ND[row]), int(stream.places_N[row])
        t0_s, t1_s = float(stream.t0_N[row]), float(stream.t1_N[row])
        span = Span(t0_s=t0_s, t1_s=t1_s, known_s=t1_s)
        match = bank.match("", place, key_D, t0_s)
        if match is not None and (match.same or match.again):
            known = match.entry_id
            strength[known] = strengthened_by(strength[known], t0_s - spans[known][-1].t1_s)
            if match.same:
                spans[known] = join_spans([*spans[known], span])
            bank.touch(known, last_s=spans[known][-1].t1_s, met=1, strength=strength[known])
        if match is None or not match.same:
            utility = float(stream.utilities_N[row])
            bank.add(Slot(entry_id=row, stream="", place=place, key_D=key_D, utility=utility, last_s=t1_s))
            spans[row], strength[row] = [span], 1.0
        while len(bank) > entries and (step := bank.next_step()) is not None:
            own = spans.pop(step.entry_id)
            if step.twin is not None:
                twin, met = step.twin, bank.met(step.entry_id)
                spans[twin] = join_spans([*spans[twin], *own])
                strength[twin] = max(strength[twin], strength[step.entry_id])
                bank.touch(twin, last_s=spans[twin][-1].t1_s, met=met, strength=strength[twin])
            bank.delete(step.entry_id)
    left = list(bank)
    return stream.keys_ND[left], [spans[row] for row in left]


def choose_events(trials: Mapping[str, Trial], events: Sequence[float]) -> float:
    """The least weight of the prior that does as well as the best and better than none; else 0."""
    proven = [n for n in sorted(events) if trials[with_prior(n)].beats(trials[WITHOUT])]
    if not proven:
        return 0.0
    best = max(proven, key=lambda n: trials[with_prior(n)].recall)
    return next(n for n in proven if not trials[with_prior(best)].beats(trials[with_prior(n)]))
