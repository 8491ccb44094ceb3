"""The rules that are compared, by name; each builds a `Policy` from budget_bytes, dim and seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from hippocam.apps.bench.policies import events, merging, oracle, sampling, tiers
from hippocam.apps.bench.policies.base import Bank, Policy, PolicyFactory, slot_bytes

__all__ = ["CODEC_NAMES", "OURS", "POLICIES", "Bank", "Entry", "Policy", "PolicyFactory", "register", "slot_bytes"]

Standing = Literal["published", "adapted", "heuristic", "oracle", "ours", "ablation"]
OURS: Literal["ours"] = "ours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A rule in the table.

    Attributes:
        build: Makes one from budget_bytes, dim and seed.
        standing: Whose it is: from a paper, from a paper with keys as ours, a heuristic, one with hindsight,
            ours, or ours without a part.
        source: Where it was published.
        trained: Whether it takes `encoder` too, the id of the vectors' space, for what was trained in it.
    """

    build: PolicyFactory
    standing: Standing
    source: str = ""
    trained: bool = False

    def make(self, budget_bytes: int, dim: int, seed: int, encoder: str) -> Policy:
        """Build one for the vectors of an encoder."""
        build: Callable[..., Policy] = self.build
        return build(budget_bytes, dim, seed, **({"encoder": encoder} if self.trained else {}))


_PUBLISHED = {
    "recent": Entry(build=sampling.Recent, standing="published", source="sliding window"),
    "uniform": Entry(build=sampling.Uniform, standing="published", source="stride doubling"),
    "reservoir": Entry(build=sampling.Reservoir, standing="published", source="Vitter 1985"),
    "fifo-events": Entry(build=events.FifoEvents, standing="published", source="FIFO of events"),
    "moviechat": Entry(build=merging.MovieChat, standing="published", source="arXiv:2307.16449"),
    "ma-lmm": Entry(build=merging.MaLmm, standing="published", source="arXiv:2404.05726"),
    "streamforest": Entry(build=merging.StreamForest, standing="published", source="arXiv:2509.24871"),
    "flash-vstream": Entry(build=tiers.FlashVStream, standing="published", source="arXiv:2506.23825"),
    "pyramid": Entry(build=tiers.PyramidMemoryBank, standing="published", source="arXiv:2501.00584"),
    "xmem": Entry(build=tiers.XMem, standing="published", source="arXiv:2207.07115"),
    "em-llm": Entry(build=events.EmLlm, standing="published", source="arXiv:2407.09450"),
    "em-llm-refined": Entry(build=events.EmLlmRefined, standing="published", source="arXiv:2407.09450"),
    "selectstream": Entry(build=events.SelectStream, standing="published", source="arXiv:2606.16353"),
    "imprint": Entry(build=events.Imprint, standing="published", source="arXiv:2607.00696"),
    "pieces": Entry(build=sampling.Pieces, standing="published", source="plain retrieval"),
}
# Ours are int8 with a scale and, from one step of its ladder on, signs.
CODEC_NAMES = {"": {}, "-int8": {"key_codec": "int8"}, "-signs": {"key_codec": "signs"}}
POLICIES: dict[str, Entry] = {
    **{
        name + suffix: replace(entry, build=partial(entry.build, **codec), standing="adapted") if codec else entry
        for name, entry in _PUBLISHED.items()
        for suffix, codec in CODEC_NAMES.items()
    },
    "memory-off": Entry(build=sampling.Newest, standing="heuristic", source="the newest 8 frames alone"),
    "surprise": Entry(build=events.Surprise, standing="heuristic"),
    "oracle": Entry(build=oracle.Oracle, standing="oracle"),
}


def register(name: str, build: PolicyFactory, standing: Standing = OURS) -> None:
    """Add a rule to the table, replacing one of that name."""
    POLICIES[name] = Entry(build=build, standing=standing)
