"""Several memories asked as one: a question goes to all of them at once, and what they find is merged.

Memories are shards: one a day, a site or a machine. The text is encoded once, each memory recalls in a thread of
its own, and the strongest moments of all go on. How much a cosine is believed depends on how many pictures were
compared (see EncoderSpec), since the best of more wrong ones comes nearer; a small memory by itself would be
believed too easily. So the memories count first, and each believes as if it had compared the pictures of all: the
moments, their order and their beliefs are those of one memory that holds everything.

A stream of a memory is named "MEMORY/stream" here and an entry "MEMORY/id", with the folder's name for MEMORY.
"""

from __future__ import annotations

import glob
import math
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, TypeVar, Unpack

from hippocam.apps.ask import ask as asking
from hippocam.apps.ask.ask import OneMemory, Reader, Where
from hippocam.apps.ask.count_answer import CountAnswer
from hippocam.apps.ask.description import description
from hippocam.apps.ask.meaning import Turn
from hippocam.apps.ids import find_entry
from hippocam.apps.live.open_frames import latest_frames, with_open_moments
from hippocam.apps.records import Answer
from hippocam.apps.settings import Settings
from hippocam.memory.errors import EncoderMismatchError, MixedEncodersError
from hippocam.memory.folder import has_memory
from hippocam.memory.memory import Memory
from hippocam.memory.recall.query import Candidate, Query
from hippocam.memory.recall.recall import midpoint, order
from hippocam.memory.records import Evidence, StreamStatus
from hippocam.models.registry import make_encoder, make_reader
from hippocam.stream.errors import HippocamError
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import Embedding, EncoderSpec
from hippocam.stream.sources.naming import unique_ids

# Memories that recall at the same time.
_THREADS = 16
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class _Shard:
    """A memory under the name that it has among the others."""

    name: str
    memory: Memory

    @property
    def prefix(self) -> str:
        """What stands before its streams and ids."""
        return f"{self.name}/"


class _Asked(NamedTuple):
    """A memory with the query that is put to it."""

    shard: _Shard
    query: Query


class _Found(NamedTuple):
    """What one of the memories that were asked found; `place` says which."""

    place: int
    candidate: Candidate


class Federation:
    """Several memory folders, made with one encoder, that are asked as one. A context manager.

    Args:
        memories: Their folders; one that is named twice counts once.
        settings: As for `Session`.
        encoder: The one that made the vectors, where it is at hand; None to load it by its name.

    Raises:
        HippocamError: A folder holds no memory, or none was named.
        MixedEncodersError: Two memories were made with different encoders.
    """

    def __init__(
        self,
        memories: Sequence[str | Path],
        *,
        settings: Settings | None = None,
        encoder: Encoder | None = None,
    ) -> None:
        self._settings = settings or Settings()
        self._lock = threading.RLock()
        self._encoder = encoder
        self._answering: dict[str, Reader] = {}
        first = dict[str, Path]()
        for folder in memories:
            first.setdefault(os.path.realpath(folder), Path(os.path.abspath(folder)))
        folders = list(first.values())
        if not folders:
            raise HippocamError("no memory was named: give the folders of one or more")
        with ExitStack() as opened:
            self._shards = tuple(
                _Shard(name, opened.enter_context(Memory.open_reader(folder, self._settings.memory)))
                for name, folder in zip(unique_ids(folders), folders, strict=True)
            )
            self._made_with = _common_encoder(self._shards)
            self._opened = opened.pop_all()

    def __enter__(self) -> Federation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the memories."""
        self._opened.close()

    @property
    def names(self) -> tuple[str, ...]:
        """What the memories are called in streams and ids, in the order given."""
        return tuple(shard.name for shard in self._shards)

    def search(self, text: str, **where: Unpack[Where]) -> tuple[Evidence, ...]:
        """Moments of all memories that show what a text describes, the strongest first; see `Session.search`.

        Args:
            text: A description in a few words.
            where: As for `Session.search`. `stream` is "MEMORY/stream", "MEMORY" for all of one memory, or a name
                that only one of them knows; `place_of` likewise.

        Raises:
            HippocamError: As for `Session.search`, or a name fits several memories.
        """
        return _Shards(self._shards, self._asked()).search(text, self._resolved(where))

    def ask(
        self,
        question: str,
        *,
        reader: str | Reader | None = None,
        on_token: Callable[[str], None] | None = None,
        before: Turn | None = None,
        deep: bool | None = None,
        **where: Unpack[Where],
    ) -> Answer:
        """Answer a question with moments of all memories; see `Session.ask`.

        Args:
            question: In plain words.
            reader: As for `Session.ask`.
            on_token: As for `Session.ask`.
            before: As for `Session.ask`.
            deep: As for `Session.ask`.
            where: As for `search`.

        Raises:
            HippocamError: As for `search`, or the reader is unknown or not set up.
        """
        config, encoder = self._settings.reader, self._asked()
        with self._lock:
            if reader is None or isinstance(reader, str):
                name = reader or config.name
                if name not in self._answering:  # made once: it may hold a model
                    self._answering[name] = make_reader(name, config)
                reader = self._answering[name]
        settings = self._settings.deep
        return asking.ask(
            _Shards(self._shards, encoder),
            encoder,
            question,
            self._resolved(where),
            reader,
            latest=self.latest,
            on_token=on_token,
            before=before,
            deep=settings if deep is None else replace(settings, on=deep),
        )

    def latest(self, stream: str) -> list[Embedding]:
        """The newest frames of a stream ("MEMORY/stream") that a live process watches, the oldest first."""
        for shard in self._shards:
            if (own := _within(stream, shard.name)) is not None:
                return [replace(frame, stream=stream) for frame in latest_frames(shard.memory.folder, own)]
        return []

    def _asked(self) -> Encoder:
        """The encoder that made the vectors; loading it may take seconds, the first time."""
        with self._lock:
            if self._made_with is None:
                raise HippocamError(f"{self._shards[0].memory.folder}: nothing was watched yet")
            name, spec = self._made_with
            encoder = self._encoder or make_encoder(name)
            if encoder.spec.id != spec.id:
                folder = self._shards[0].memory.folder
                raise EncoderMismatchError(folder, name, spec.id, asked_for=name, asked_for_id=encoder.spec.id)
            self._encoder = encoder
            return encoder

    def _resolved(self, where: Where) -> Where:
        """Conditions with the memory's name before a stream and an entry that were named without."""
        resolved: Where = {**where}
        stream, place_of = where.get("stream"), where.get("place_of")
        if stream is not None and not any(_within(stream, name) is not None for name in self.names):
            owners = [
                shard.name
                for shard in self._shards
                if any(_within(held.id, stream) is not None for held in shard.memory.streams())
            ]
            if len(owners) > 1:
                names = ", ".join(f"{name}/{stream}" for name in owners)
                raise HippocamError(f"stream {stream!r} is in several memories; give one of {names}")
            if owners:  # else the check of names tells which there are
                resolved["stream"] = f"{owners[0]}/{stream}"
        if place_of is not None and not any(_within(place_of, name) for name in self.names):
            found = [f"{s.name}/{place_of}" for s in self._shards if _holds(s.memory, place_of)]
            if len(found) > 1:
                raise HippocamError(f"entry {place_of!r} is in several memories; give one of {', '.join(found)}")
            if not found:
                raise HippocamError(f"entry {place_of!r}: none of these memories knows it; see hippocam search")
            resolved["place_of"] = found[0]
        return resolved


class _Shards:
    """Memories as one, with conditions that name them before their streams and entries."""

    def __init__(self, shards: Sequence[_Shard], encoder: Encoder) -> None:
        self._shards, self._encoder = shards, encoder

    def streams(self) -> list[StreamStatus]:
        """What the memories hold of each stream."""
        held = _at_once(lambda shard: shard.memory.streams(), self._shards)
        return [
            replace(stream, id=shard.prefix + stream.id)
            for shard, streams in zip(self._shards, held, strict=True)
            for stream in streams
        ]

    def search(self, text: str, where: Where) -> tuple[Evidence, ...]:
        """Moments of all memories that show what a text describes, the strongest first."""
        asking.check_asked(self, text, where)
        vector = self._encoder.encode_texts([description(text)])[0]
        asked = [_Asked(s, asking.query_of(s.memory, text, vector, own)) for s, own in self._meant(where)]
        if not asked:
            return ()
        counts = _at_once(lambda one: one.shard.memory.comparable(one.query), asked)
        compared, top, beside = sum(counts), asked[0].query.top, asked[0].query.beside
        asked = [_Asked(s, replace(query, compared=compared, beside=0)) for s, query in asked]
        recalled = _at_once(lambda one: one.shard.memory.recall(one.query), asked)
        every = [_Found(place, c) for place, found in enumerate(recalled) for c in found]
        best = sorted(every, key=lambda found: _order(asked, found))[:top]
        best += _neighbours(asked, best, beside)
        best.sort(key=lambda found: _order(asked, found))
        shifts = [_shift(self._encoder.spec, own, compared) for own in counts]
        return _moments(asked, best, shifts)

    def notable(self, where: Where, top: int) -> list[tuple[float, Evidence]]:
        """The moments of all memories that were newest to their streams, at most `top` of each memory."""
        return [
            (utility, _named(shard, moment))
            for shard, own in self._meant(where)
            for utility, moment in OneMemory(shard.memory, self._encoder).notable(own, top)
        ]

    def count(self, question: str, where: Where) -> CountAnswer | None:
        """The answer to a question that counts, where one memory is meant; none follows things between them."""
        meant = list(self._meant(where))
        if len(meant) != 1:
            return None
        ((shard, own),) = meant
        told = OneMemory(shard.memory, self._encoder).count(question, own)
        return told and told.renamed(lambda moment: _named(shard, moment))

    def _meant(self, where: Where) -> Iterator[tuple[_Shard, Where]]:
        """The memories that conditions allow, each with the conditions as it knows them."""
        stream, place_of = where.get("stream"), where.get("place_of")
        for shard in self._shards:
            own: Where = {**where}
            if stream is not None:
                if (within := _within(stream, shard.name)) is None:
                    continue
                own["stream"] = within or None
            if place_of is not None:
                if not (entry := _within(place_of, shard.name)):
                    continue
                own["place_of"] = entry
            yield shard, own


def _common_encoder(shards: Sequence[_Shard]) -> tuple[str, EncoderSpec] | None:
    """Name and spec of the encoder that made the memories' vectors; None where nothing was watched into any.

    Raises:
        MixedEncodersError: They were made with different ones.
    """
    first: tuple[_Shard, str, EncoderSpec] | None = None
    for shard in shards:
        if (made := shard.memory.encoder()) is None:
            continue
        if first is None:
            first = (shard, *made)
        elif (made[1].id, made[1].dim, made[1].normalised) != (first[2].id, first[2].dim, first[2].normalised):
            folders = first[0].memory.folder, shard.memory.folder
            raise MixedEncodersError(folders, encoder_ids=(first[2].id, made[1].id))
    return None if first is None else first[1:]


def _order(asked: Sequence[_Asked], found: _Found) -> tuple[float, float, str, float, int]:
    """As within one memory, where the streams were named as here."""
    score, cosine, stream, t0_s, number = order(found.candidate)
    return score, cosine, asked[found.place].shard.prefix + stream, t0_s, number


def _neighbours(asked: Sequence[_Asked], best: Sequence[_Found], beside: int) -> list[_Found]:
    """The neighbours in time of the first of the best, which their own memories know."""
    found = list[_Found]()
    for place in sorted({found.place for found in best[:beside]}):
        known = {f.candidate.entry.id for f in best if f.place == place}
        anchors = sum(f.place == place for f in best[:beside])
        shard, query = asked[place]
        for candidate in shard.memory.recall(replace(query, top=len(known), beside=anchors)):
            if candidate.beside is not None and candidate.entry.id not in known:
                found.append(_Found(place, candidate))
    return found


def _moments(asked: Sequence[_Asked], best: Sequence[_Found], shifts: Sequence[float]) -> tuple[Evidence, ...]:
    """What was found as evidence, in its order, with what live processes have in their open events."""
    named, fresh = list[Iterator[Evidence]](), list[Evidence]()
    for place, (shard, query) in enumerate(asked):
        own = [f.candidate for f in best if f.place == place]
        named.append(iter(asking.evidence_of(shard.memory, query, own, prefix=shard.prefix)))
        plain = asking.evidence_of(shard.memory, query, own)
        for moment in with_open_moments(shard.memory.folder, plain, query):
            if moment not in plain:
                fresh.append(replace(_named(shard, moment), score=_shifted(moment.score, shifts[place])))
    every = [*(next(named[f.place]) for f in best), *fresh]
    most = max(asked[0].query.top, len(best))
    return tuple(sorted(every, key=lambda moment: -moment.score)[:most])  # stable


def _named(shard: _Shard, moment: Evidence) -> Evidence:
    return replace(moment, id=shard.prefix + moment.id, stream=shard.prefix + moment.stream)


def _shift(spec: EncoderSpec, own: int, compared: int) -> float:
    """By how much the log odds of a belief rise when it rests on another number of compared pictures."""
    return -spec.slope * (midpoint(spec, compared) - midpoint(spec, own))


def _shifted(score: float, shift: float) -> float:
    """A belief with its log odds shifted."""
    score = min(max(score, 1e-12), 1 - 1e-12)
    return 1 / (1 + math.exp(-(math.log(score / (1 - score)) + shift)))


def _at_once(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Work on items, one or more, in threads; results in their order."""
    with ThreadPoolExecutor(min(_THREADS, len(items)), thread_name_prefix="hippocam-recall") as threads:
        return list(threads.map(work, items))


def _within(name: str, outer: str) -> str | None:
    """What a name says within a memory or a source: "" for all of it; None where it speaks of another one."""
    if name == outer:
        return ""
    return name.removeprefix(outer + "/") if name.startswith(outer + "/") else None


def _holds(memory: Memory, entry: str) -> bool:
    try:
        find_entry(memory, entry)
    except HippocamError:
        return False
    return True


def find_memories(patterns: Sequence[str]) -> list[Path]:
    """Folders of memories that names and quoted patterns ("archive/*") mean.

    Of a pattern only what holds a memory counts.

    Raises:
        HippocamError: A pattern fits no memory.
    """
    found = list[Path]()
    for pattern in patterns:
        folders = [Path(pattern).expanduser()]
        if glob.has_magic(pattern) and not folders[0].exists():
            matches = sorted(map(Path, glob.glob(os.path.expanduser(pattern), recursive=True)))
            folders = [path for path in matches if path.is_dir() and has_memory(path)]
            if not folders:
                raise HippocamError(f"--memories {pattern}: fits no memory; quote the pattern, or name folders")
        found += folders
    return found
