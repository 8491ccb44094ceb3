"""Whether somebody is a man, a woman or a child, of all visits that have a portrait."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hippocam.memory.store.portraits import PortraitTable
from hippocam.models.sentences.people import MEASURED_WITH, kinds_of
from hippocam.models.sentences.vectors import people_vectors
from hippocam.stream.records import EncoderSpec


def people_shown(
    portraits: Iterable[tuple[str, PortraitTable]], spec: EncoderSpec, at_s: float | None
) -> Mapping[tuple[str, int], str]:
    """What the portraits of visits show, where it can be told, by stream and visit; of what is no person, too.

    Args:
        portraits: Of each memory, with what stands before the names of its streams.
        spec: Of the encoder that made them; nothing is told by one that this was not measured with.
        at_s: As if the streams ended here.
    """
    if spec.id != MEASURED_WITH:
        return {}
    texts_5D, found = people_vectors(spec), dict[tuple[str, int], str]()
    for prefix, table in portraits:
        keys, portraits_ND = table.every()
        if not keys:
            continue
        for key, kind in zip(keys, kinds_of(portraits_ND, texts_5D), strict=True):
            if kind and (at_s is None or key.known_s <= at_s):
                found[prefix + key.stream, key.visit_id] = kind
    return found
