"""What was asked before, asked again: does a memory keep what proved to be of use, and what of the rest?

One question in ten is asked when what it is about has just passed, and the slot that is found is marked as used,
as answers mark their evidence in the product. In the end all are asked. An unbounded list is asked the same.

Shapes: Q questions; D embedding dimension.
"""

from __future__ import annotations

import numpy as np

from hippocam.apps.bench.lifelog.records import ASKED_EVERY, Again, Observations, Told
from hippocam.apps.bench.lifelog.score import score
from hippocam.apps.bench.ours.events import OurEvents
from hippocam.apps.bench.policies.base import Bank, NoRoomError
from hippocam.stream.records import FloatArray


def asked_again(
    seen: Observations, asked_QD: FloatArray, asked: Told, whole: Bank, budget_bytes: int, encoder: str
) -> Again:
    """Show a lifelog to our rule, asking on the way, and ask again.

    Args:
        seen: What happens.
        asked_QD: The questions, float32 [Q, D].
        asked: Their times, rising.
        whole: The unbounded list.
        budget_bytes: What ours may hold.
        encoder: Id of the vectors' space.
    """
    try:
        rule = OurEvents(budget_bytes, asked_QD.shape[1], encoder=encoder)
    except NoRoomError:
        return Again(asked_again=0.0, one_off=0.0)
    twice_Q = np.arange(len(asked)) % ASKED_EVERY == 0
    waiting = sorted(np.flatnonzero(twice_Q), key=lambda q: asked.t1_N[q])
    for vector_D, t0_s, t1_s in zip(seen.vectors_ND, seen.t0_N.tolist(), seen.t1_N.tolist(), strict=True):
        while waiting and asked.t1_N[waiting[0]] < t0_s:
            rule.slots.use(asked_QD[waiting.pop(0)])
        rule.see(vector_D, t0_s, t1_s)
    bank = rule.bank()

    def share(which_Q: np.ndarray) -> float:
        texts = tuple(text for text, which in zip(asked.texts, which_Q, strict=True) if which)
        some = Told(texts=texts, t0_N=asked.t0_N[which_Q], t1_N=asked.t1_N[which_Q])
        ours, unbounded = (score(each, asked_QD[which_Q], some).r1 for each in (bank, whole))
        return ours / max(unbounded, 1e-9)

    return Again(asked_again=share(twice_Q), one_off=share(~twice_Q))
