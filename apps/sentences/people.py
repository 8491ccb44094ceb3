"""Which visits are of a man, a woman or a child, of all that have a portrait."""

from __future__ import annotations

from hippocam.memory.memory import Memory
from hippocam.models.sentences.people import MEASURED_WITH, Kinds, kinds_of
from hippocam.models.sentences.vectors import people_vectors


class People:
    """Tells people of one memory by their portraits, worked out anew when these change.

    Args:
        memory: Where the portraits are.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._told: tuple[object, tuple[str, ...]] | None = None

    def kinds(self, at_s: float | None = None) -> Kinds:
        """What the portraits show, where it can be told; of what is no person, too.

        Args:
            at_s: As if the streams ended here.

        Returns:
            Nothing where an encoder made them that this was not measured with.
        """
        made_with, held = self._memory.encoder(), self._memory.store.portraits.every()
        keys, portraits_ND = held
        if made_with is None or made_with[1].id != MEASURED_WITH or not keys:
            return {}
        if self._told is None or self._told[0] is not held:
            self._told = held, tuple(kinds_of(portraits_ND, people_vectors(made_with[1])))
        every = zip(keys, self._told[1], strict=True)
        return {(k.stream, k.visit_id): kind for k, kind in every if kind and (at_s is None or k.known_s <= at_s)}
