"""Our rule in the table, and what it is without one of its parts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from hippocam.apps.bench.ours.frames import Ours
from hippocam.apps.bench.ours.slots import Parts
from hippocam.apps.bench.policies import OURS, Entry
from hippocam.memory.bank.config import BankConfig

# Keys are never the same thing, nor redundant.
_APART = BankConfig(least_same=1.0, most_same=1.0)
ABLATIONS: Mapping[str, tuple[str, Parts]] = {
    "ours-float16": ("no codec: float16 keys", Parts(codec="float16")),
    "ours-undemoted": ("no demotion to signs", Parts(codec="int8")),
    "ours-no-background": ("nothing taken out of keys", Parts(background=False)),
    "ours-no-utility": ("all events worth the same", Parts(surprise=False, bank=BankConfig(arm="surprise"))),
    "ours-untrained": ("no prior", Parts(trained=False)),
    "ours-unmerged": ("nothing is the same or redundant", Parts(bank=_APART)),
    "ours-surprise": ("the chooser's rule of surprise", Parts(bank=BankConfig(arm="surprise"))),
    "ours-utility": ("the chooser's rule of what was learned", Parts(bank=BankConfig(arm="utility"))),
    "ours-product": ("the chooser's rule of both", Parts(bank=BankConfig(arm="product"))),
}


def entries() -> dict[str, Entry]:
    """The product's rule, and what it is without one of its parts."""
    without = {
        name: Entry(build=partial(Ours, parts=parts), standing="ablation", source=what, trained=True)
        for name, (what, parts) in ABLATIONS.items()
    }
    return {OURS: Entry(build=Ours, standing=OURS, trained=True), **without}
