"""What each tier of a memory holds now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hippocam.memory.streams import OpenStream


@dataclass(frozen=True, slots=True, kw_only=True)
class TierStatus:
    """What one tier holds: "sensory", "working" or "long-term".

    Attributes:
        name: Of the tier.
        entries: Frames (sensory, working) or entries (long-term).
        bytes: What they take, in main memory for the first two tiers, on disk for the last.
        budget_bytes: What they may take; None where frames are counted instead (working memory).
        where: "memory" or "disk".
    """

    name: str
    entries: int
    bytes: int
    budget_bytes: int | None
    where: str


def tiers(
    streams: Iterable[OpenStream], *, entries: int, folder_bytes: int, budget_bytes: int
) -> list[TierStatus]:
    """The three tiers, from the newest frames to the disk.

    Args:
        streams: Those that this process writes.
        entries: How many long-term memory holds.
        folder_bytes: What the memory's folder takes.
        budget_bytes: What it may take.
    """
    every = list(streams)
    return [
        TierStatus(
            name="sensory",
            entries=sum(len(stream.ring.frames()) for stream in every),
            bytes=sum(stream.ring.bytes for stream in every),
            budget_bytes=sum(stream.ring.max_bytes for stream in every),
            where="memory",
        ),
        TierStatus(
            name="working",
            entries=sum(stream.working.open_frames for stream in every),
            bytes=sum(stream.working.open_bytes for stream in every),
            budget_bytes=None,
            where="memory",
        ),
        TierStatus(name="long-term", entries=entries, bytes=folder_bytes, budget_bytes=budget_bytes, where="disk"),
    ]
