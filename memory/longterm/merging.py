"""What becomes of entries that are merged: groups as sleep decided them, a few entries at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from hippocam.memory.records import Held
from hippocam.memory.spans import MAX_SPANS, union_of
from hippocam.stream.records import FloatArray

# Entries that go into an heir in one transaction.
GROUP = 4


class Consolidated(NamedTuple):
    """Entries that sleep found could be one: as they were, and the one that they become."""

    heir: Held
    others: Sequence[Held]
    after: Held

    @property
    def is_reduced(self) -> bool:
        """Whether the heir's vectors are reduced from now on."""
        return self.after.level > self.heir.level

    @property
    def new_vectors(self) -> tuple[FloatArray, FloatArray] | None:
        """Key and scene of the heir from now on, float32 [D]; None where it keeps its own, reduced or not."""
        key_D, scene_D = self.after.key_D, self.after.scene_D
        unchanged = np.array_equal(key_D, self.heir.key_D) and np.array_equal(scene_D, self.heir.scene_D)
        if self.is_reduced or unchanged:
            return None
        return key_D, scene_D

    def parts(self) -> list[list[Held]]:
        """The others, a few at a time, so that the heir has no more spans in between than it may have."""
        left, parts, spans = list(self.others), list[list[Held]](), list(self.heir.spans)
        while left:
            part = list[Held]()
            while len(part) < GROUP:
                fits = (one for one in left if len(union_of([*spans, *one.spans])) <= MAX_SPANS)
                one = next(fits, None)
                if one is None:
                    break
                spans = union_of([*spans, *one.spans])
                left.remove(one)
                part.append(one)
            if not part:  # only all together leave so few
                part, left = left, []
            parts.append(part)
        return parts


class SleepMerge(NamedTuple):
    """What sleep decided about entries beside merging them.

    Attributes:
        sleep: Number of the sleep, to take it back by; 0 where it is not to be taken back.
        now_s: Time by the clock on the wall.
        slept: How many entries have gone into the heir by it.
        place: Place of the heir from now on.
        vectors: Key and scene of the heir from now on, float32 [D]; None where it keeps its own.
    """

    sleep: int
    now_s: float
    slept: int
    place: int
    vectors: tuple[FloatArray, FloatArray] | None


def made_of(now: Held, before: Sequence[Held]) -> bool:
    """Whether an entry is what sleep made of a group, and nothing was seen in it since."""
    kept = [one for one in before if one.id == now.id]
    slept = sum(1 + one.slept for one in before if one.id != now.id)
    return (
        bool(kept)
        and now.met == sum(one.met for one in before)
        and now.slept == kept[0].slept + slept
        and now.spans[-1].t1_s == max(one.spans[-1].t1_s for one in before)
    )
