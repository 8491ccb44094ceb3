"""What sleep must go on to find: probes that the store keeps, and more that are drawn from the entries.

Shapes: D embedding dimension.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from hippocam.memory.records import Held
from hippocam.memory.sleep.views import LEAST_COSINE, cosines_of, draw
from hippocam.memory.store.probes import Probe

# Least probes: in all, so that a hundredth of recall can be told, and for each entry, so that none goes unasked.
_PROBES = 1000
_PROBES_AN_ENTRY = 2
# Most probes, and most products of a probe with an entry.
_MOST_PROBES = 8000
_MOST_PRODUCTS = 32_000_000


def with_drawn(held: Sequence[Held], fixed: Sequence[Probe], originals: Sequence[Held], seed: int) -> list[Probe]:
    """Add drawn probes to the fixed ones until there are two for each entry and a thousand at least.

    Args:
        held: Entries with vectors.
        fixed: Probes of the store; of too many, only the newest count.
        originals: Entries that were merged into these lately: they can still be asked for.
        seed: Seed of the draws.
    """
    most = max(100, min(_MOST_PROBES, _MOST_PRODUCTS // max(1, len(held))))
    wanted = min(most, max(_PROBES, _PROBES_AN_ENTRY * len(held)))
    fixed = fixed[-most:]
    every = sorted([*held, *originals], key=lambda one: (one.stream, one.id))
    count = max(0, wanted - len(fixed)) if every else 0
    if not count:
        return list(fixed)
    rng = np.random.default_rng(seed)
    keys = np.stack([one.key_D for one in every])
    utility = np.array([one.utility for one in every])
    known = [(utility[row], float(keys[row] @ probe.vector_D)) for probe, row in answers(fixed, every)]
    near = np.array(known, np.float64).reshape(-1, 2)
    rows = np.resize(rng.permutation(len(every)), 2 * count)
    cosines = cosines_of(utility[rows], near[:, 0], near[:, 1], rng)
    chosen = np.flatnonzero(cosines >= LEAST_COSINE)[:count]
    chosen = chosen[np.argsort(rows[chosen], kind="stable")]
    rows, cosines = rows[chosen], cosines[chosen]
    views = draw(keys[rows], cosines, keys, rng)
    return [
        *fixed,
        *(
            Probe("drawn", every[row].stream, [(s.t0_s, s.t1_s) for s in every[row].spans], view)
            for row, view in zip(rows, views, strict=True)
        ),
    ]


def answers(probes: Iterable[Probe], every: Sequence[Held]) -> Iterator[tuple[Probe, int]]:
    """Yield each held-out view with the row of its entry: the last to begin of those that cover its time."""
    starts: dict[str, list[tuple[float, float, int]]] = {}
    for row, one in enumerate(every):
        starts.setdefault(one.stream, []).extend((span.t0_s, span.t1_s, row) for span in one.spans)
    sorted_starts = {stream: sorted(spans) for stream, spans in starts.items()}
    for probe in probes:
        spans = sorted_starts.get(probe.stream, [])
        if probe.kind != "view" or not spans:
            continue
        index = int(np.searchsorted([t0_s for t0_s, _, _ in spans], probe.times[0][0], side="right")) - 1
        if index >= 0 and spans[index][1] >= probe.times[0][0]:
            yield probe, spans[index][2]
