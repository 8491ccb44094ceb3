"""Our rule in the table, whole and without each of its parts, beside those of others."""

from __future__ import annotations

from functools import partial

from hippocam.apps.bench.ours.frames import Ours
from hippocam.apps.bench.ours.parts import ABLATIONS
from hippocam.apps.bench.policies import OURS, POLICIES, Entry


def entries() -> dict[str, Entry]:
    """The product's rule, and what it is without one of its parts."""
    without = {
        name: Entry(build=partial(Ours, parts=parts), standing="ablation", source=what, trained=True)
        for name, (what, parts) in ABLATIONS.items()
    }
    return {OURS: Entry(build=Ours, standing=OURS, trained=True), **without}


def policies() -> dict[str, Entry]:
    """The table of all rules, ours first."""
    return {**entries(), **POLICIES}
