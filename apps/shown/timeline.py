"""The moments of streams by time, as a player's strip shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Unpack

from hippocam.apps.ask.memories import Member, Memories
from hippocam.apps.ask.where import Where, filter_of
from hippocam.apps.ids import entry_with_place
from hippocam.apps.records import HeldMoment
from hippocam.memory.errors import memory_errors
from hippocam.memory.records import Entry, format_id

# Moments that are given at a time where nobody says how many.
PAGE = 200


class Timeline:
    """The moments of one memory or several by time; asking changes nothing.

    Args:
        memories: Opens the memories for reading.
    """

    def __init__(self, memories: Callable[[], Memories]) -> None:
        self._memories = memories

    def moments(
        self, most: int = PAGE, skip: int = 0, **where: Unpack[Where]
    ) -> tuple[Sequence[HeldMoment], bool]:
        """Moments by the start of their first span, then by id.

        Args:
            most: How many at most, 1 or more.
            skip: How many to leave out before them.
            where: Stream, camera, place_of, near, after_s, before_s and at_s, as for `Session.search`.

        Returns:
            The moments, and whether there are further ones behind them.

        Raises:
            HippocamError: There is no memory, or it does not know the stream or camera.
        """
        memories = self._memories()
        where = memories.resolve(where)
        memories.check(where)
        found = sorted(self._found(memories, where), key=lambda each: (each[2][0][0], each[1].id))
        page = found[skip : skip + most]
        return [_moment(*each) for each in page], len(found) > skip + most

    def moment(self, entry: str) -> HeldMoment | None:
        """A moment by its id, or the beginning of it; None where it was given up.

        Raises:
            HippocamError: The id fits no entry or several.
        """
        member, entry_id = self._memories().find(entry)
        held = member.memory.entry(entry_id)
        return None if held is None else _moment(member, held, [(span.t0_s, span.t1_s) for span in held.spans])

    def _found(
        self, memories: Memories, where: Where
    ) -> Iterator[tuple[Member, Entry, list[tuple[float, float]]]]:
        for member, own in memories.meant(where):
            store = member.memory.store
            with memory_errors(member.memory.folder):
                wanted = replace(filter_of(own), apart=store.provenance.quarantine() or None)
                if (place_of := own.get("place_of")) is not None:
                    there = entry_with_place(member.memory, place_of)
                    wanted = replace(wanted, stream=there.stream, place=there.place)
                entries = store.entries.several(store.lookup.select(wanted))
            for entry in entries.values():
                if spans := [(span.t0_s, span.t1_s) for span in wanted.passing_of(entry)]:
                    yield member, entry, spans


def _moment(member: Member, entry: Entry, spans: Sequence[tuple[float, float]]) -> HeldMoment:
    picture = member.memory.image(entry.id)
    return HeldMoment(
        id=member.prefix + format_id(entry.id),
        stream=member.prefix + entry.stream,
        spans=tuple(spans),
        sentence=member.sentences.of_entry(entry),
        image=str(picture) if entry.jpeg_bytes and picture.is_file() else "",
        entry=entry,
    )
