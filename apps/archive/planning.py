"""What is to be done: what was given, looked up in the ledger and claimed in the memories."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from hippocam.apps.archive import unit
from hippocam.apps.archive.duplicates import Duplicate, Recording, find_duplicates
from hippocam.apps.archive.layout import Home, home_of, in_stretch
from hippocam.apps.archive.ledger import Ledger, Row, State
from hippocam.apps.archive.setup import Setup
from hippocam.apps.archive.writer import Todo
from hippocam.apps.claims import Claim, claim_all
from hippocam.apps.content import cheap_part, fingerprint_of
from hippocam.apps.zones.files import keep_zones
from hippocam.apps.zones.sources import camera_of
from hippocam.memory.folder import has_memory
from hippocam.stream.archive.plan import Footage
from hippocam.stream.errors import Failure, SourceError
from hippocam.stream.guard import length_s, segment_count
from hippocam.stream.protocols import Source
from hippocam.stream.sources import OpenedSources
from hippocam.stream.sources.dates import Recorded, recorded_at, start_of_name
from hippocam.stream.sources.folders import VIDEO_SUFFIXES
from hippocam.stream.sources.naming import natural_key
from hippocam.stream.sources.remote import path_of
from hippocam.stream.zones.polygons import CameraZones, marked_for

# Threads that read headers and both ends of files: remote disks are slow.
_READERS = 8
_UNFINISHED = "it changed before it was archived whole; what came before was kept"


@dataclass(frozen=True, slots=True)
class _Given:
    """A source, or a path that could not be opened, with its row in the ledger."""

    source: Source | None
    uri: str
    fingerprint: str
    row: Row | None
    reason: str = ""


class Planner:
    """Finds out what is to be done.

    Args:
        root: Folder of the memories.
        copies: Folder for copies of memories.
        ledger: Of the archive.
        setup: What the run works with.
        retry: Whether quarantined recordings are tried again.

    Attributes:
        known: How many recordings were archived before.
        moved: Files that had been archived under another path.
        failed: What cannot be archived.
        quarantined: What could not be archived before, and is not tried again.
        duplicates: What is not archived, since another recording is the same.
        seconds: Of footage that is to be archived.
        hours: Of footage that each memory will hold.
    """

    def __init__(self, root: Path, copies: Path, ledger: Ledger, setup: Setup, *, retry: bool) -> None:
        self._root, self._copies, self._ledger, self._setup, self._retry = root, copies, ledger, setup, retry
        self.known = 0
        self.moved: list[str] = []
        self.failed: list[Failure] = []
        self.quarantined: list[Failure] = []
        self.duplicates: list[Failure] = []
        self.seconds = 0.0
        self.hours: dict[str, float] = {}

    def plan(self, opened: OpenedSources) -> list[Todo]:
        """What is to be archived, grouped by memory; the ledger and the memories are told of it."""
        return self._claim(self._sort_out(self._match(opened)))

    def _match(self, opened: OpenedSources) -> list[_Given]:
        """Look everything up in the ledger, in an order that does not depend on that of the arguments."""
        sources = sorted(opened.sources, key=lambda source: natural_key(source.uri))
        uris = [*(source.uri for source in sources), *(error.uri for error in opened.failed)]
        with ThreadPoolExecutor(_READERS) as readers:
            prints = list(readers.map(fingerprint_of, uris))
        rows = self._ledger.match(list(zip(uris, prints, strict=True)))
        reasons = [*("" for _ in sources), *(error.reason for error in opened.failed)]
        every = [*sources, *(None for _ in opened.failed)]
        return [_Given(*given) for given in zip(every, uris, prints, rows, reasons, strict=True)]

    def _sort_out(self, given: Sequence[_Given]) -> dict[str, list[_Given]]:
        """Group what was given by memory, leaving out memories in which nothing is to be done."""
        with ThreadPoolExecutor(_READERS) as readers:
            where = list(readers.map(self._home, given))
        homes: dict[str, list[_Given]] = {}
        duplicates = {} if self._setup.request.duplicates else self._find_duplicates(given, where)
        with self._ledger.transaction():
            for one, home in zip(given, where, strict=True):
                if home is None:
                    self._refuse(one)
                    continue
                if one.uri in duplicates:
                    continue
                row = self._placed(one, home)
                if row.state is State.DONE:
                    self.known += 1
                elif row.state is State.QUARANTINED and not self._retry:
                    self.quarantined.append(Failure(source=one.uri, reason=row.reason))
                homes.setdefault(row.memory, []).append(replace(one, row=row))
            self._note_duplicates([one for one in given if one.uri in duplicates], duplicates)
        return {name: ones for name, ones in sorted(homes.items()) if any(map(self._is_open, ones))}

    def _find_duplicates(self, given: Sequence[_Given], where: Sequence[Home | None]) -> dict[str, Duplicate]:
        """What of it is the same as another recording; once found it stays so while that one is archived."""
        held = {row.id: row for row in self._ledger.rows() if self._is_held(row)}
        here = {one.row.id: one.uri for one in given if one.row}
        found: dict[str, Duplicate] = {}
        new: list[tuple[_Given, Home, Source]] = []
        for one, home in zip(given, where, strict=True):
            row = one.row
            if row is not None and row.state is State.DUPLICATE and row.original in held:
                found[one.uri] = Duplicate(here.get(row.original, held[row.original].path), row.reason)
            elif one.source and home and (row is None or row.state in (State.WAITING, State.DUPLICATE)):
                new.append((one, home, one.source))
        if not new:
            return found
        homes = self._ledger.homes()
        kept = [
            self._recording(
                here.get(row.id, row.path), row.fingerprint, row.seconds or None, homes.get(row.memory, "")
            )
            for row in held.values()
        ]
        with ThreadPoolExecutor(_READERS) as readers:
            lengths = list(readers.map(length_s, [source for _, _, source in new]))
        fresh = [
            self._recording(one.uri, one.fingerprint, seconds, home.what)
            for (one, home, _), seconds in zip(new, lengths, strict=True)
        ]
        return found | find_duplicates(kept, fresh)

    def _is_held(self, row: Row) -> bool:
        """Whether a recording is archived, or partly."""
        return row.state in (State.DONE, State.BEGUN) and has_memory(self._root / row.memory)

    def _recording(self, uri: str, fingerprint: str, seconds: float | None, home: str) -> Recording:
        if "#" in uri or Path(uri).suffix.casefold() not in VIDEO_SUFFIXES:
            return Recording(uri, fingerprint, None, None, home)
        path, pattern = path_of(uri), self._setup.time_from
        start_s = pattern.start_s(path) if pattern else None
        if start_s is None and self._setup.dated:
            start_s = start_of_name(path)
        return Recording(uri, fingerprint, seconds, start_s, home)

    def _note_duplicates(self, ones: Sequence[_Given], duplicates: Mapping[str, Duplicate]) -> None:
        """Tell the ledger of what is not archived, and of which recordings that is a duplicate."""
        ids = {row.path: row.id for row in self._ledger.rows()} if ones else {}
        for one in ones:
            original, reason = duplicates[one.uri]
            if one.row is None:
                self._leave_behind(one)
            row = one.row or self._ledger.add(memory="", path=one.uri, fingerprint=one.fingerprint)
            self._ledger.move(row, path=one.uri, memory="")
            self._ledger.set_state(row.id, State.DUPLICATE, reason=reason, original=ids[original])
            self.duplicates.append(Failure(source=one.uri, reason=reason))

    def _home(self, one: _Given) -> Home | None:
        """Where something belongs; None for what cannot be opened."""
        if one.source is None:
            return None
        request = self._setup.request
        home = home_of(one.source, request.per or "all", self._setup.camera_from)
        if request.split is None or (one.row is not None and one.row.memory):  # it has its memory
            return home
        recorded = self._date_of(one.uri)
        return in_stretch(home, request.split, None if recorded is None else recorded.start_s)

    def _date_of(self, uri: str) -> Recorded | None:
        """When a recording begins, as its path or it says."""
        if not self._setup.dated or "#" in uri:
            return None
        return recorded_at(path_of(uri), self._setup.time_from)

    def _placed(self, one: _Given, home: Home) -> Row:
        """Return the ledger's row of a source, with its present path and memory."""
        row, ledger = one.row, self._ledger
        name = row.memory if row else ""
        name = name or ledger.memory_for(home)
        if row is None:
            self._leave_behind(one)
            return ledger.add(memory=name, path=one.uri, fingerprint=one.fingerprint)
        if row.path != one.uri:
            self._relink(row, one.uri)
        if (row.path, row.memory) != (one.uri, name):
            ledger.move(row, path=one.uri, memory=name)
        deleted = row.state is State.DONE and not has_memory(self._root / name)
        if deleted or row.state is State.DUPLICATE:  # somebody deleted the memory, or the original's
            ledger.set_state(row.id, State.WAITING)
            row = row._replace(state=State.WAITING)
        return row._replace(path=one.uri, memory=name)

    def _is_open(self, one: _Given) -> bool:
        """Whether it is still to be archived."""
        assert one.row is not None
        return one.row.state is not State.DONE and (one.row.state is not State.QUARANTINED or self._retry)

    def _relink(self, row: Row, uri: str) -> None:
        """Tell a memory that one of its files has moved, unless it was copied."""
        folder = self._root / row.memory
        if row.state is State.DONE and has_memory(folder):
            if fingerprint_of(row.path) == cheap_part(row.fingerprint):
                return  # this is a copy, and the memory names the original
            with self._setup.opening()(folder) as memory:
                memory.relocate(row.name, uri)
            if row.memory in self._ledger.open_units():
                unit.save(folder, self._copies / row.memory)
            self.moved.append(uri)

    def _refuse(self, one: _Given) -> None:
        """Report what cannot be opened: as failed if it is new, else as quarantined."""
        failure = Failure(source=one.uri, reason=one.reason)
        if one.row is not None and one.row.state is State.QUARANTINED:
            self.quarantined.append(failure)
            return
        self.failed.append(failure)
        if one.fingerprint:
            row = one.row or self._ledger.add(memory="", path=one.uri, fingerprint=one.fingerprint)
            self._ledger.set_state(row.id, State.QUARANTINED, reason=one.reason)

    def _leave_behind(self, one: _Given) -> None:
        """Close the rows of unfinished content that other content has replaced at the same path."""
        for row in self._ledger.left_behind(one.uri, one.fingerprint):
            if row.state in (State.WAITING, State.DUPLICATE):
                self._ledger.delete([row])
            else:
                self._ledger.set_state(row.id, State.QUARANTINED, reason=_UNFINISHED)

    def _claim(self, homes: dict[str, list[_Given]]) -> list[Todo]:
        """Name what is to be archived in its memory, making memories that are new."""
        found: list[tuple[_Given, Row, Claim, float | None]] = []
        for name, ones in homes.items():
            self.hours[name] = sum(row.seconds for row in self._ledger.rows(memory=name)) / 3600
            with self._setup.opening(self.hours[name])(self._root / name) as memory:
                sources = [one.source for one in ones if one.source]
                keep_zones(self._root / name, self._zones_of(sources))
                claims = claim_all(memory, sources, self._setup.pipeline.fps, self._setup.senses.named)
                kept = [memory.store.streams.recorded_s(claim.job.name) for claim in claims]
            for one, claim, kept_s in zip(ones, claims, kept, strict=True):
                assert one.row is not None
                if not self._is_open(one):
                    continue
                if claim.complete:  # the ledger was lost, the memory was not
                    self.known += 1
                    with self._ledger.transaction():
                        self._ledger.set_state(one.row.id, State.DONE, name=claim.job.name)
                else:
                    found.append((one, one.row, claim, kept_s))
        sources = [claim.job.source for _, _, claim, _ in found]
        with ThreadPoolExecutor(_READERS) as readers:
            durations = list(readers.map(length_s, sources))
            counts = list(readers.map(self._count, sources))
            dates = list(readers.map(self._recorded, [(claim, kept_s) for _, _, claim, kept_s in found]))
        for (one, row, _, _), duration_s in zip(found, durations, strict=True):
            self.hours[row.memory] += (duration_s or 0.0) / 3600
            guessed_s = min(self._setup.segment_s, _at_a_megabit_s(one.uri))
            self.seconds += guessed_s if duration_s is None else duration_s
        for (one, row, _, _), count in zip(found, counts, strict=True):
            if isinstance(count, SourceError):
                self.failed.append(Failure(source=one.uri, reason=count.reason))
                with self._ledger.transaction():
                    self._ledger.set_state(row.id, State.QUARANTINED, reason=count.reason)
        return [
            Todo(
                row=row,
                footage=Footage(
                    source=claim.job.source,
                    key=self._setup.key(one.uri, one.fingerprint),
                    segments=count,
                    memory=row.memory,
                    after_seq=claim.job.after_seq,
                    after_s=_in_file_s(claim.job.after_s, recorded),
                ),
                name=claim.job.name,
                fingerprint=one.fingerprint,
                fps=self._setup.pipeline.fps,
                senses=self._setup.senses.named,
                duration_s=duration_s,
                recorded=recorded,
            )
            for (one, row, claim, _), duration_s, count, recorded in zip(
                found, durations, counts, dates, strict=True
            )
            if not isinstance(count, SourceError)
        ]

    def _zones_of(self, sources: Sequence[Source]) -> Mapping[str, CameraZones]:
        """What is marked in the pictures of a memory; in that of one camera under any name."""
        zones, setup = self._setup.zones, self._setup
        if setup.request.per != "camera" or not sources or not zones:
            return zones
        first = sources[0]
        return {"*": marked_for(zones, first.id, camera_of(first.uri, setup.camera_from))}

    def _recorded(self, claimed: tuple[Claim, float | None]) -> Recorded | None:
        """When a recording begins: as the memory has it where some of it is there, else as its path or it says."""
        claim, kept_s = claimed
        if claim.resumed:
            return None if kept_s is None else Recorded(kept_s, "memory")
        return self._date_of(claim.job.source.uri)

    def _count(self, source: Source) -> int | SourceError:
        """Return how many segments a source is cut into, or why that cannot be told."""
        try:
            return segment_count(source, self._setup.segment_s)
        except SourceError as error:
            return error


def _at_a_megabit_s(uri: str) -> float:
    """How long a file of unknown length would be at a megabit a second; infinite for what is no file."""
    try:
        path = path_of(uri)
        return path.stat().st_size / 125_000 if path.is_file() else math.inf
    except OSError:
        return math.inf


def _in_file_s(time_s: float | None, recorded: Recorded | None) -> float | None:
    """A time of a stream as its file has it."""
    return time_s if time_s is None or recorded is None else time_s - recorded.start_s
