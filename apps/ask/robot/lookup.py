"""Looks up what memories hold of a robot beside its pictures."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar

import numpy as np

from hippocam.apps.ask.robot.records import Act, Sample
from hippocam.apps.ask.where import Where, filter_of
from hippocam.memory.errors import memory_errors
from hippocam.memory.memory import Memory
from hippocam.memory.records import Entry, Evidence, format_id
from hippocam.stream.records import ACTED, ACTION_NAMES, STATE_NAMES, FloatArray, Note
from hippocam.stream.robot.acts import acted_on
from hippocam.stream.robot.dimensions import names_in

# Entries of a stream that are looked at for a sample of a time.
_MOST = 64
# Seconds from a time that lies between two entries to a sample that tells of it: events end at every key event.
_BETWEEN_S = 0.5


class Member(Protocol):
    """A memory, among others maybe."""

    @property
    def memory(self) -> Memory:
        """The memory."""

    @property
    def prefix(self) -> str:
        """What stands before its streams and ids."""

    def within(self, name: str) -> str | None:
        """What a name says within this memory; None where it is of another memory."""


M = TypeVar("M", bound=Member)
M_co = TypeVar("M_co", bound=Member, covariant=True)


class Members(Protocol[M_co]):
    """One memory or several."""

    @property
    def members(self) -> Sequence[M_co]:
        """Each of them."""

    def meant(self, where: Where) -> Iterable[tuple[M_co, Where]]:
        """Those that conditions are about, with the conditions under their own names."""


class RobotLookup(Generic[M]):
    """Looks up what a robot did, in one memory or several.

    Args:
        memories: Where to look.
        moment: Makes evidence of an entry that no question was compared with.
    """

    def __init__(self, memories: Members[M], moment: Callable[[M, Entry, float | None], Evidence]) -> None:
        self._memories, self._moment = memories, moment

    def acts(self, where: Where) -> list[Act]:
        """What robots acted on in some streams and times, by time."""
        found = list[Act]()
        for member, stream, t0_s, t1_s in self._streams(where):
            for note in self._notes(member, stream, t0_s, t1_s, where.get("at_s")):
                if note.kind == ACTED:
                    ids = tuple(member.prefix + format_id(entry_id) for entry_id in acted_on(note))
                    found.append(Act(member.prefix + stream, note.t0_s, note.t1_s, ids))
        return sorted(found, key=lambda act: (act.t0_s, act.stream))

    def moments(self, ids: Sequence[str], at_s: float | None) -> list[Evidence]:
        """The moments of some ids; those that are not held any more are left out."""
        found = list[Evidence]()
        for member in self._memories.members:
            own = [one.removeprefix(member.prefix) for one in ids if one.startswith(member.prefix)]
            entries = (member.memory.entry(int(one, 16)) for one in own)
            found += [self._moment(member, entry, at_s) for entry in entries if entry is not None]
        return sorted(found, key=lambda moment: ids.index(moment.id))

    def at(self, stream: str, time_s: float, at_s: float | None = None) -> Sample | None:
        """What was known of a robot nearest to a time, by the entries of a stream at that time.

        Returns:
            None where no entry shows it or was just before or after, or nothing is known there.
        """
        for member in self._memories.members:
            own = member.within(stream)
            if own:
                with memory_errors(member.memory.folder):
                    return self._at(member, own, time_s, at_s)
        return None

    def _at(self, member: M, stream: str, time_s: float, at_s: float | None) -> Sample | None:
        memory = member.memory
        passed = memory.store.lookup.passed_by(stream, time_s - _BETWEEN_S, time_s + _BETWEEN_S, _MOST)
        entries = [entry for entry_id in passed if (entry := memory.entry(entry_id)) is not None]
        samples = [
            sample
            for entry in entries
            for sample in _samples(entry)
            if at_s is None or sample.time_s <= at_s
            if abs(sample.time_s - time_s) <= _BETWEEN_S or _shows(entry, time_s)
        ]
        if not samples:
            return None
        best = min(samples, key=lambda sample: abs(sample.time_s - time_s))
        own = stream.rpartition("/")[0]  # the first camera has the names
        cameras = [held.id for held in memory.streams() if held.id.rpartition("/")[0] == own]
        named = [note for camera in cameras for note in self._notes(member, camera, 0.0, best.time_s, None)]
        return Sample(
            stream=member.prefix + stream,
            time_s=best.time_s,
            pose=best.pose,
            state=best.state,
            action=best.action,
            state_names=_fitting(names_in(named, STATE_NAMES), best.state),
            action_names=_fitting(names_in(named, ACTION_NAMES), best.action),
        )

    def _streams(self, where: Where) -> Iterator[tuple[M, str, float, float]]:
        """The streams that are meant, with the time that is meant of each."""
        for member, own in self._memories.meant(where):
            wanted = filter_of(own)
            for held in member.memory.streams():
                if wanted.of_stream(held.id) and not held.quarantined:
                    before_s = math.inf if wanted.before_s is None else wanted.before_s
                    yield member, held.id, wanted.after_s or 0.0, before_s

    @staticmethod
    def _notes(member: M, stream: str, t0_s: float, t1_s: float, at_s: float | None) -> list[Note]:
        with memory_errors(member.memory.folder):
            return member.memory.store.notes.wordless(stream, t0_s, t1_s, at_s)


def _shows(entry: Entry, time_s: float) -> bool:
    return any(span.t0_s <= time_s <= span.t1_s for span in entry.spans)


def _samples(entry: Entry) -> Iterator[Sample]:
    motion = entry.motion
    if motion is None:
        own = entry.sensors
        if own.pose is not None or own.state is not None or own.action is not None:
            pose = None if own.pose is None else own.pose.astype(np.float64)
            yield Sample(stream="", time_s=entry.frame_s, pose=pose, state=own.state, action=own.action)
        return
    for k, time_s in enumerate(motion.times_s.tolist()):
        yield Sample(
            stream="",
            time_s=time_s,
            pose=None if motion.poses is None else motion.poses[k],
            state=None if motion.states is None else motion.states[k],
            action=None if motion.actions is None else motion.actions[k],
        )


def _fitting(names: Sequence[str], numbers: FloatArray | None) -> tuple[str, ...]:
    """Names, where there is one for each number."""
    return tuple(names) if numbers is not None and len(names) == len(numbers) else ()
