"""One memory folder or several, open for reading, with the names of their streams and ids.

With one memory, streams and ids are as the memory has them. With several, a stream is named "MEMORY/stream" and an
entry "MEMORY/id", with the folder's name for MEMORY.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from hippocam.apps.ask.checked import KeptPictures
from hippocam.apps.ask.question.timeline import away, clock_s
from hippocam.apps.ask.where import Where, check_camera, check_recalled, check_stream, filter_of, on_clock
from hippocam.apps.errors import UnknownEntryError
from hippocam.apps.ids import find_entry
from hippocam.apps.sentences.sentences import Sentences
from hippocam.memory.config import MemoryConfig
from hippocam.memory.entities.cut_off import ended_with_looking
from hippocam.memory.entities.records import Entity, EntityTotals
from hippocam.memory.errors import MixedEncodersError, memory_errors
from hippocam.memory.explanation import Explanation
from hippocam.memory.memory import Memory
from hippocam.memory.records import Evidence, StreamStatus, TierStatus, format_id
from hippocam.stream.errors import HippocamError
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import EncoderSpec, FloatArray
from hippocam.stream.sources.naming import unique_ids

# How many memories are read at the same time.
_THREADS = 16
_ENTRY_ID = re.compile(r"[0-9a-f]{16}")
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Member:
    """A memory under the name that it has among several; "" where it is the only one.

    Attributes:
        name: This name.
        memory: The memory.
        sentences: What its moments look like, in words.
    """

    name: str
    memory: Memory
    sentences: Sentences

    @property
    def prefix(self) -> str:
        """What stands before its streams and ids."""
        return f"{self.name}/" if self.name else ""

    def within(self, name: str) -> str | None:
        """What a name says within this memory: "" for all of it; None where it is of another memory."""
        return _within(name, self.name) if self.name else name

    def explain(self, entry_id: int) -> Explanation:
        """Tell why an entry is held, or was given up, and what it looks like."""
        found = self.memory.explain(entry_id)
        return replace(found, sentence="" if found.entry is None else self.sentences.of_entry(found.entry))

    def rename(self, moment: Evidence) -> Evidence:
        """Put the memory's name before a moment's stream and id."""
        return replace(moment, id=self.prefix + moment.id, stream=self.prefix + moment.stream)


class Memories:
    """One memory folder or several, made with one encoder, read as one.

    Args:
        folders: One at least, none twice.
        config: How they are read.

    Raises:
        HippocamError: A folder holds no memory.
        MixedEncodersError: Two memories were made with different encoders.
    """

    def __init__(self, folders: Sequence[Path], config: MemoryConfig) -> None:
        names = unique_ids(folders) if len(folders) > 1 else [""]
        with ExitStack() as opened:
            self.members = tuple(
                _member(name, opened.enter_context(Memory.open_reader(folder, config)))
                for name, folder in zip(names, folders, strict=True)
            )
            self.encoder()
            self._opened = opened.pop_all()
        self._checks = dict[tuple[str, str], KeptPictures]()

    def close(self) -> None:
        """Close the memories."""
        self._opened.close()

    def check_of(self, member: Member, encoder: Encoder) -> KeptPictures:
        """What looks at pictures of a member again, and remembers what it saw."""
        return self._checks.setdefault((member.name, encoder.spec.id), KeptPictures(member.memory, encoder))

    def encoder(self) -> tuple[str, EncoderSpec] | None:
        """Name and spec of the encoder that made the vectors; None where nothing was watched into any memory.

        Raises:
            MixedEncodersError: Two memories were made with different encoders.
        """
        first: tuple[Member, str, EncoderSpec] | None = None
        for member in self.members:
            if (made := member.memory.encoder()) is None:
                continue
            if first is None:
                first = (member, *made)
            elif (made[1].id, made[1].dim, made[1].normalised) != (first[2].id, first[2].dim, first[2].normalised):
                folders = first[0].memory.folder, member.memory.folder
                raise MixedEncodersError(folders, encoder_ids=(first[2].id, made[1].id))
        return None if first is None else first[1:]

    def streams(self) -> list[StreamStatus]:
        """What is held of each stream."""
        held = at_once(lambda member: member.memory.streams(), self.members)
        return [
            replace(stream, id=member.prefix + stream.id)
            for member, streams in zip(self.members, held, strict=True)
            for stream in streams
        ]

    def entities(self, stream: str | None, label: str | None, at_s: float | None) -> list[Entity]:
        """Things and people that were told apart, by the time of their first visit; none is of two memories.

        Args:
            stream: Only of this stream, by its whole name.
            label: Only what is called so.
            at_s: As if the streams ended here.
        """
        found = [
            replace(
                entity,
                stream=member.prefix + entity.stream,
                visits=tuple(replace(visit, stream=member.prefix + visit.stream) for visit in entity.visits),
            )
            for member, own in self.meant({"stream": stream})
            for entity in _entities(member.memory, own.get("stream"), label, at_s)
        ]
        return sorted(found, key=lambda entity: (entity.first_s, entity.id)) if len(self.members) > 1 else found

    def count(self, stream: str | None, label: str | None, at_s: float | None) -> EntityTotals:
        """How many different things there have been of a label in a stream, by its whole name."""
        totals = [
            member.memory.entities.count(own.get("stream"), label, at_s)
            for member, own in self.meant({"stream": stream})
        ]
        return EntityTotals(
            entities=sum(total.entities for total in totals),
            visits=sum(total.visits for total in totals),
            given_up=sum(total.given_up for total in totals),
        )

    def end_s(self, stream: str | None) -> float:
        """The latest time at which anything was there."""
        ends = (member.memory.entities.end_s(own.get("stream")) for member, own in self.meant({"stream": stream}))
        return max(ends, default=0.0)

    def find(self, written: str) -> tuple[Member, int]:
        """Find the entry that an id, or the beginning of one, means.

        Raises:
            HippocamError: It is no id, or fits no entry or several.
        """
        entry = self.resolve({"place_of": written})["place_of"] or ""
        for member in self.members:
            if (own := member.within(entry)) is not None:
                return member, find_entry(member.memory, own)
        raise AssertionError("a resolved name is of one of the memories")

    def entry_at(self, stream: str, time_s: float, within: tuple[float, float] | None = None) -> str | None:
        """Id of the entry with a picture that covers a time of a stream, else the nearest; None without one.

        Pictures that were taken `within` a stretch of time come first.
        """
        for member in self.members:
            if own := member.within(stream):
                entry_id = member.memory.entry_at(own, time_s, within=within)
                return None if entry_id is None else member.prefix + format_id(entry_id)
        return None

    def picture(self, entry: str) -> Path | None:
        """Path of an entry's picture, by its whole id; None where none is kept."""
        for member in self.members:
            own = member.within(entry)
            if own is not None and _ENTRY_ID.fullmatch(own):
                path = member.memory.image(int(own, 16))
                return path if path.is_file() else None
        return None

    def used(self, entries: Sequence[str], question: FloatArray | None) -> None:
        """Note that an answer rested on entries, by their whole ids; other ids, as of live frames, are skipped.

        Args:
            entries: Those that carried the answer first.
            question: float32 [D], the question in the encoder's space; None where there was none.
        """
        for member in self.members:
            own = [name for entry in entries if (name := member.within(entry)) and _ENTRY_ID.fullmatch(name)]
            if own:
                member.memory.used([int(name, 16) for name in own], question)

    def tiers(self) -> list[TierStatus]:
        """What each tier holds, all memories together."""
        tiers = dict[str, TierStatus]()
        for member in self.members:
            for tier in member.memory.tiers():
                tiers[tier.name] = _sum(tiers[tier.name], tier) if tier.name in tiers else tier
        return list(tiers.values())

    def budget_bytes(self) -> int:
        """What the folders may take together."""
        return sum(member.memory.budget_bytes() for member in self.members)

    def check(self, where: Where) -> None:
        """Refuse, with HippocamError, streams and cameras that no memory knows."""
        camera = where.get("camera")
        for stream in _named(where):
            check_stream(stream, self.streams())
            check_recalled(stream, self.streams())
        if camera is not None:
            check_camera(camera, self.streams())

    def resolve(self, where: Where) -> Where:
        """Put memories' names before streams and entries that were named without, and dates to times of day.

        Raises:
            HippocamError: Several memories know such a stream or entry, or none knows the entry; or a time is on
                no clock of the streams that are meant.
        """
        resolved: Where = {**where}
        stream, place_of = where.get("stream"), where.get("place_of")
        if len(self.members) > 1:
            if stream is not None:
                resolved["stream"] = self._whole_stream(stream)
            if (streams := where.get("streams")) is not None:
                resolved["streams"] = [self._whole_stream(each) for each in streams]
            if place_of is not None:
                resolved["place_of"] = self._whole_entry(place_of)
        if any(where.get(name) is not None for name in ("after_s", "before_s", "at_s")):
            wanted = on_clock(filter_of(resolved), self.streams())
            resolved |= {"after_s": wanted.after_s, "before_s": wanted.before_s, "at_s": wanted.at_s}
        return resolved

    def _whole_stream(self, stream: str) -> str:
        if any(member.within(stream) is not None for member in self.members):
            return stream
        owners = [
            member
            for member in self.members
            if any(_within(held.id, stream) is not None for held in member.memory.streams())
        ]
        if len(owners) > 1:
            names = ", ".join(owner.prefix + stream for owner in owners)
            raise HippocamError(f"stream {stream!r} is in several memories; give one of {names}")
        return owners[0].prefix + stream if owners else stream  # `check` says which streams there are

    def _whole_entry(self, entry: str) -> str:
        if any(member.within(entry) for member in self.members):
            return entry
        found = [member.prefix + entry for member in self.members if _knows(member.memory, entry)]
        if len(found) > 1:
            raise HippocamError(f"entry {entry!r} is in several memories; give one of {', '.join(found)}")
        if not found:
            raise UnknownEntryError(entry)
        return found[0]

    def meant(self, where: Where) -> Iterator[tuple[Member, Where]]:
        """The memories that conditions allow, each with the conditions under its own names."""
        stream, place_of = where.get("stream"), where.get("place_of")
        for member in self.members:
            own: Where = {**where}
            if stream is not None:
                if (within := member.within(stream)) is None:
                    continue
                own["stream"] = within or None
            if (streams := where.get("streams")) is not None:
                named = [name for each in streams if (name := member.within(each)) is not None]
                if not named:
                    continue
                own["streams"] = None if "" in named else named
            if place_of is not None:
                if (entry := member.within(place_of)) is None:
                    continue
                own["place_of"] = entry
            yield member, own


def distinct_folders(folders: Sequence[str | Path]) -> tuple[Path, ...]:
    """Folders by their absolute paths; one that is named twice, also through a link, counts once.

    Raises:
        HippocamError: There is none.
    """
    first = dict[str, Path]()
    for folder in folders:
        first.setdefault(os.path.realpath(folder), Path(os.path.abspath(folder)))
    if not first:
        raise HippocamError("no memory was named: give the folders of one or more")
    return tuple(first.values())


def at_once(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Work on several items in threads of their own; give the results in the items' order."""
    if len(items) == 1:
        return [work(items[0])]
    with ThreadPoolExecutor(min(_THREADS, len(items)), thread_name_prefix="hippocam-recall") as threads:
        return list(threads.map(work, items))


def _member(name: str, memory: Memory) -> Member:
    return Member(name, memory, Sentences(memory))


def _entities(memory: Memory, stream: str | None, label: str | None, at_s: float | None) -> Sequence[Entity]:
    with memory_errors(memory.folder):
        held = memory.streams()
        apart = {status.id for status in held if status.quarantined}
        found = [one for one in memory.entities.entities(stream, label, at_s) if one.stream not in apart]
        if at_s is not None:
            return found
        missing = away(held)
        looked = {name: memory.store.coverage.of(name) for name in missing}
        return [ended_with_looking(one, looked.get(one.stream), clock_s()) for one in found]


def _named(where: Where) -> list[str]:
    """The streams that conditions name."""
    stream = where.get("stream")
    return [*([] if stream is None else [stream]), *(where.get("streams") or ())]


def _within(name: str, outer: str) -> str | None:
    """What a name says within a memory or a source: "" for all of it; None where it is of another one."""
    if name == outer:
        return ""
    return name.removeprefix(outer + "/") if name.startswith(outer + "/") else None


def _sum(one: TierStatus, other: TierStatus) -> TierStatus:
    """Add up a tier of two memories."""
    budgets = (one.budget_bytes, other.budget_bytes)
    return replace(
        one,
        entries=one.entries + other.entries,
        bytes=one.bytes + other.bytes,
        budget_bytes=None if None in budgets else sum(budget or 0 for budget in budgets),
    )


def _knows(memory: Memory, entry: str) -> bool:
    try:
        find_entry(memory, entry)
    except HippocamError:
        return False
    return True
