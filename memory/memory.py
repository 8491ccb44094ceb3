"""One memory in one folder: embeddings in, moments out.

    memory.db      streams, entries, their words and vectors (SQLite)
    exemplars/     one JPEG an entry
    writer.lock    held by the one process that writes

`Memory.open_writer` takes embeddings as a pipeline's sink; `Memory.open_reader` answers beside it and changes
nothing. Sensory ring, working memory and long-term memory of a stream are behind `write`.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType

from hippocam.memory.codec import unpack
from hippocam.memory.entities.bank import EntityMemory
from hippocam.memory.entities.records import EntityChange, EntityConfig
from hippocam.memory.errors import (
    EncoderMismatchError,
    NoMemoryError,
    NotAMemoryError,
    OlderFormatError,
    guarded,
    memory_errors,
)
from hippocam.memory.filter import Filter
from hippocam.memory.forget import Forgotten, forget
from hippocam.memory.lock import WriterLock
from hippocam.memory.longterm.bank import BankConfig, Worth
from hippocam.memory.longterm.longterm import LongTerm, open_bank
from hippocam.memory.recall.index import KeyIndex
from hippocam.memory.recall.recall import (
    Candidate,
    Query,
    RecallConfig,
    SummaryHit,
    comparable,
    index_rows,
    overview,
    recall,
)
from hippocam.memory.records import KEY_FRAMES, Continuation, Entry, Event, StreamStatus
from hippocam.memory.sensory import SensoryRing
from hippocam.memory.sleep.sleep import Sleep, SleepConfig, SleepReport
from hippocam.memory.store.database import Store
from hippocam.memory.store.exemplars import Exemplars
from hippocam.memory.store.journal import JournalRow
from hippocam.memory.store.notes import NoteRow, as_of, row_of
from hippocam.memory.store.streams import Progress
from hippocam.memory.transfer import Restoring
from hippocam.memory.working.context import Place
from hippocam.memory.working.screen import KIND as SCREEN
from hippocam.memory.working.screen import ScreenText
from hippocam.memory.working.working import WorkingConfig, WorkingMemory
from hippocam.stream.records import Embedding, EncoderSpec, FloatArray, Item, Note, Repeat

# Vectors that are read at a time when the index is brought up to date.
_BATCH = 8192
# Notes of a stream that wait for its next event at most.
_NOTES_WAIT = 64
MIN_BUDGET_BYTES = 1_000_000
DEFAULT_BUDGET_BYTES = 256_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryConfig:
    """How a memory cuts, keeps and finds.

    Attributes:
        budget_bytes: What its folder may take, 1,000,000 or more; None keeps what it was made with.
        working: Where events are cut.
        bank: When two events are the same thing, and how entries fade.
        recall: How candidates are weighed.
        sleep: When and how far the bank is made smaller while the memory is idle.
        notes_share: Share of the budget that words may take which were read, heard or given, 0 to 0.5.
        entities: When detections are one thing, and how many bytes entities may take: a twentieth of the budget at
            most.
    """

    budget_bytes: int | None = None
    working: WorkingConfig = field(default_factory=WorkingConfig)
    bank: BankConfig = field(default_factory=BankConfig)
    recall: RecallConfig = field(default_factory=RecallConfig)
    sleep: SleepConfig = field(default_factory=SleepConfig)
    notes_share: float = 0.1
    entities: EntityConfig = field(default_factory=EntityConfig)

    def __post_init__(self) -> None:
        if not 0 <= self.notes_share <= 0.5:
            raise ValueError(f"memory.notes_share must be 0 to 0.5, found {self.notes_share}")
        if self.budget_bytes is not None and self.budget_bytes < MIN_BUDGET_BYTES:
            raise ValueError(
                f"budget must be {MIN_BUDGET_BYTES / 1e6:g} MB or more, found {self.budget_bytes / 1e6:g} MB"
            )


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What is known of an entry and why.

    Attributes:
        entry: As it is held, None where it is not (any more).
        journal: What happened to it, the oldest first.
        worth: What keeps it now, None where it is not held.
    """

    entry: Entry | None
    journal: list[JournalRow]
    worth: Worth | None


class Memory:
    """Use `open_writer` or `open_reader`; a context manager that closes itself."""

    def __init__(self, folder: Path, config: MemoryConfig, lock: WriterLock | None, store: Store) -> None:
        self.folder = folder
        self._config = config
        self._lock = lock
        self._store = store
        self._exemplars = Exemplars(folder / "exemplars")
        self._longterm: LongTerm | None = None
        self._working: dict[str, WorkingMemory] = {}
        self._sensory: dict[str, SensoryRing] = {}
        self._screens: dict[str, ScreenText] = {}
        self._noted: dict[str, list[NoteRow]] = {}
        self._occupied: dict[str, bool | None] = {}
        self._last_seq: dict[str, int] = {}
        self._owners: dict[str, str] = {}
        self._recordings: dict[str, tuple[str, str, float | None]] = {}
        self._index: KeyIndex | None = None
        self._index_version: tuple[int, int] | None = None
        self._journal_place = 0
        self._writes = 0
        self._slept_at = -1
        self._mutex = threading.RLock()

    # opening ---------------------------------------------------------------------------------------------

    @classmethod
    def open_writer(
        cls, folder: str | Path, *, encoder: str, spec: EncoderSpec, config: MemoryConfig | None = None
    ) -> Memory:
        """Open a memory to write to, making it where the folder is missing or empty.

        Args:
            folder: Where it is.
            encoder: The name by which the encoder is built again.
            spec: The encoder's spec; the memory takes no other from now on.
            config: Budget and the rest.

        Raises:
            MemoryFolderError: The folder is foreign, locked by another writer, or of another format.
            EncoderMismatchError: The memory was made with another encoder.
        """
        path, config = Path(folder), config or MemoryConfig()
        with memory_errors(path):
            _check_folder(path)
            (path / "exemplars").mkdir(parents=True, exist_ok=True)
            lock = WriterLock(path / "writer.lock")
            store = None
            try:
                store = Store(path / "memory.db", writable=True)
                memory = cls(path, config, lock, store)
                memory._adopt(encoder, spec)
            except BaseException:
                if store is not None:
                    store.close()
                lock.release()
                raise
        return memory

    @classmethod
    def open_reader(cls, folder: str | Path, config: MemoryConfig | None = None) -> Memory:
        """Open a memory to read from; a writer may work on it meanwhile.

        Raises:
            MemoryFolderError: There is none, or it is foreign or of another format.
        """
        path = Path(folder)
        with memory_errors(path):
            if not has_memory(path):
                raise NoMemoryError(path)
            return cls(path, config or MemoryConfig(), None, Store(path / "memory.db", writable=False))

    def _adopt(self, encoder: str, spec: EncoderSpec) -> None:
        known = self._store.meta.encoder()
        if known is not None and (known[1].id, known[1].dim, known[1].normalised) != (
            spec.id,
            spec.dim,
            spec.normalised,
        ):
            raise EncoderMismatchError(self.folder, known[0], known[1].id, asked_for=encoder, asked_for_id=spec.id)
        budget = self._config.budget_bytes or self.budget_bytes()
        with self._store.transaction():
            if known is None:
                self._store.meta.set_encoder(encoder, spec)
                self._store.meta.put(created_unix_s=round(time.time(), 3))
            if budget != self._store.meta.get("budget_bytes"):
                self._store.meta.put(budget_bytes=budget)
        self._longterm = LongTerm(
            self.folder,
            self._store,
            self._exemplars,
            spec=spec,
            budget_bytes=budget,
            config=self._config.bank,
            sleep_share=self._config.sleep.horizon_share,
            notes_share=self._config.notes_share,
            entities=self._config.entities,
        )

    def close(self) -> None:
        """Close what is open and let others write. Open events are kept only by `finish`."""
        with self._mutex:
            self._store.close()
            if self._lock is not None:
                self._lock.release()
                self._lock = None

    def __enter__(self) -> Memory:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # writing ---------------------------------------------------------------------------------------------

    @guarded
    def begin(self, recording: str, *, uri: str, fingerprint: str = "", fps: float | None = None) -> int:
        """Announce a recording whose streams will be written.

        Args:
            recording: Its id; its streams are named recording or recording/camera.
            uri: Where it is.
            fingerprint: Tells its content from another's.
            fps: Sampling rate; None for every frame, KEY_FRAMES for key frames alone.

        Returns:
            Position after which to go on: -1 from the start.
        """
        self._recordings[recording] = (uri, fingerprint, fps)
        return min((p.last_seq for p in self._store.streams.progress(recording=recording)), default=-1)

    @guarded
    def progress(self, *, recording: str | None = None, fingerprint: str | None = None) -> list[Progress]:
        """How far the streams of a recording, or those of the same content, were watched; empty if unknown."""
        return self._store.streams.progress(recording=recording, fingerprint=fingerprint)

    @guarded
    def relocate(self, recording: str, uri: str) -> None:
        """Note where a recording is now, as after its file was moved."""
        with self._mutex:
            self._store.streams.relocate(recording, uri)

    @guarded
    def end_s(self, recording: str) -> float | None:
        """Up to when a recording was watched; None where nothing of it is stored yet."""
        streams = [p.stream for p in self._store.streams.progress(recording=recording) if p.last_seq >= 0]
        return min(map(self._store.streams.end_s, streams), default=None)

    def write(self, items: Sequence[Item]) -> None:
        """Take frames and notes of announced sources; those that are stored already are passed over.

        Raises:
            MemoryFolderError: The disk is full, or the budget holds not one picture.
        """
        for item in items:
            working = self._working.get(item.stream) or self._take_up_stream(item.stream)
            if isinstance(item, Note):
                self._noted[item.stream].append(row_of(item))
                if len(self._noted[item.stream]) >= _NOTES_WAIT:
                    self._keep_notes(item.stream)
                continue
            if item.seq <= self._last_seq[item.stream]:
                continue
            self._last_seq[item.stream] = item.seq
            if isinstance(item, Embedding):
                self._sensory[item.stream].push(item)
            for closed in working.push(item, changed=self._follow(item)):
                self._keep(closed, working)
            screen = item.sensed.screen if isinstance(item, Embedding) else None
            self._screens[item.stream].see(item.time_s, screen, unchanged=isinstance(item, Repeat))

    @guarded
    def finish(self, recording: str, *, end_s: float | None = None, complete: bool = True) -> None:
        """Close the open events of a recording.

        Args:
            recording: As given to `begin`.
            end_s: Where it ends, when known.
            complete: Whether it was watched to its end: if so, watching it again adds nothing.
        """
        streams = [s for s, owner in self._owners.items() if owner == recording]
        for stream in streams:
            working = self._working.pop(stream)
            for closed in working.flush(end_s):
                self._keep(closed, working)
            self._keep_notes(stream, last=True)
            self._keep_things(stream, last=True)
            self._let_go(stream)
        with self._mutex:
            if self._longterm is not None:
                self._longterm.finish(recording, streams, complete=complete)
            self._recordings.pop(recording, None)

    @guarded
    def _take_up_stream(self, stream: str) -> WorkingMemory:
        owners = (r for r in self._recordings if stream == r or stream.startswith(r + "/"))
        owner = max(owners, key=len, default=None)
        if owner is None:
            raise ValueError(f"stream {stream!r} belongs to no recording that was announced with begin()")
        uri, fingerprint, fps = self._recordings[owner]
        with self._mutex:  # or a recall in another thread would roll it back
            self._store.streams.add(stream, owner, uri, fingerprint, fps)
            (progress,) = [p for p in self._store.streams.progress(recording=owner) if p.stream == stream]
        working = WorkingMemory(stream, self._config.working, fps=fps)
        if progress.state:
            places = [
                Place(number=row.number, vector=unpack(row.vector), seen=row.seen, last_s=row.last_s)
                for row in self._store.places.of(stream)
            ]
            working.restore(progress.state, places)
        else:
            working.begin(1 + self._store.entries.last_place(stream))
        end_s = self._store.streams.end_s(stream) if progress.last_seq >= 0 else None
        latest = [] if end_s is None else self._store.notes.within(stream, end_s - working.gap_s, math.inf)
        lines = [row for row in latest if row.note.kind == SCREEN]
        self._screens[stream] = ScreenText(stream, working.gap_s, lines, end_s)
        self._noted[stream] = []
        if fps != KEY_FRAMES:  # a preview's frames are too far apart to follow anything
            self._writable().entities.restore(stream, self._store.tracked.get(stream) or b"")
            self._occupied[stream] = None
        self._owners[stream], self._last_seq[stream] = owner, progress.last_seq
        self._working[stream], self._sensory[stream] = working, SensoryRing()
        return working

    def _let_go(self, stream: str) -> None:
        """Drop what main memory holds of a stream beside its working memory."""
        del self._last_seq[stream], self._sensory[stream], self._owners[stream]
        del self._screens[stream], self._noted[stream]
        self._occupied.pop(stream, None)

    def _follow(self, item: Embedding | Repeat) -> str:
        """Follow the things of a stream; why an event ends here: something came before a still camera, or left."""
        if item.stream not in self._occupied:
            return ""
        entities = self._writable().entities
        entities.push(item)
        before, now = self._occupied[item.stream], entities.occupied(item.stream)
        self._occupied[item.stream] = now
        if not self._config.working.by_change or before is None or now is None or before == now:
            return ""
        return "something came" if now else "nobody is left"

    def _keep_things(self, stream: str, *, last: bool = False) -> None:
        """Write down what was followed of a stream; with last nothing of it goes on."""
        if stream in self._occupied:
            with self._mutex, memory_errors(self.folder):
                if last:
                    self._writable().entities.flush(stream)
                self._writable().keep_things(stream)
                self._writes += 1

    def _keep_notes(self, stream: str, *, last: bool = False) -> None:
        """Write down what was noted of a stream since; with last also what still stands on its screen."""
        rows = [*self._noted[stream], *self._screens[stream].take(flush=last)]
        self._noted[stream] = []
        if rows:
            with self._mutex, memory_errors(self.folder):
                self._writable().keep_notes(rows)
                self._writes += 1

    def _keep(self, closed: Event | Continuation, working: WorkingMemory) -> None:
        self._keep_notes(working.stream)
        self._keep_things(working.stream)  # before the event: after a kill between, its frames are passed over
        with self._mutex, memory_errors(self.folder):
            if isinstance(closed, Event):
                self._writable().add(closed, working.state())
            else:
                self._writable().extend(closed, working.state())
            self._writes += 1

    def _writable(self) -> LongTerm:
        if self._longterm is None:
            raise ValueError(f"{self.folder} is open for reading; open it with Memory.open_writer")
        return self._longterm

    @guarded
    def pin(self, number: int, pinned: bool = True) -> bool:
        """Never give up an entry, or do so like any other; False where it is not held."""
        with self._mutex:
            self._writes += 1
            return self._writable().pin(number, pinned)

    @guarded
    def forget(self, what: Filter | Sequence[int]) -> Forgotten:
        """Delete entries, or all that a stream or a stretch of time left behind, from the disk too; see forget.py.

        Of streams that a filter names, what is open goes as well.
        """
        with self._mutex:
            self._writes += 1
            streams = [s for s in self._working if isinstance(what, Filter) and what.of_stream(s)]
            for stream in streams:
                del self._working[stream]
                self._let_go(stream)
            if not isinstance(what, Filter):
                entries = [entry for number in what if (entry := self._store.entries.get(number)) is not None]
                for stream in {entry.stream for entry in entries} & set(self._screens):  # nor what it goes on with
                    self._screens[stream] = ScreenText(stream, self._working[stream].gap_s)
            return forget(self._store, self._writable(), what)

    @guarded
    def used(self, numbers: Sequence[int]) -> None:
        """Note that entries were used as evidence: they grow stronger and fade later. Recall notes nothing."""
        with self._mutex:
            self._writes += 1
            self._writable().use(numbers)

    @guarded
    def sleep(
        self, target: float | None = None, max_loss: float | None = None, *, now_s: float | None = None
    ) -> SleepReport:
        """Make the bank smaller, as far as what it can recall holds; writing and asking go on meanwhile.

        Args:
            target: Share of the entries that is to be left, above 0 up to 1; None for the settings'.
            max_loss: Share of the probes that may be found no more, 0 to 1; None for the settings'.
            now_s: Time by the clock on the wall; None for now.

        Raises:
            ValueError: A share is out of its range, or the memory is open for reading.
        """
        config = self._config.sleep
        config = replace(
            config,
            target=config.target if target is None else target,
            max_loss=config.max_loss if max_loss is None else max_loss,
        )
        longterm = self._writable()
        sleep = Sleep(self._store, longterm, config, key_weight=self._config.recall.key_weight)
        report = sleep.run(mutex=self._mutex, size=self.bytes, now_s=time.time() if now_s is None else now_s)
        with self._mutex:
            self._writes += 1
            self._slept_at = longterm.bank.events
        return report

    @guarded
    def idle(self) -> SleepReport | None:
        """Nothing is to be written for a while: sleep, if the memory has filled so far that its settings say so.

        To be called by whoever writes, never from within `write`. None where it did not sleep.
        """
        config, longterm = self._config.sleep, self._writable()
        if not config.auto or longterm.bank.events == self._slept_at:
            return None
        if self.bytes() <= config.above * self.budget_bytes():
            return None
        return self.sleep(config.auto_target)

    @guarded
    def wake(self) -> int:
        """Take the last sleep back, as far as it is remembered; how many entries came back, without pictures."""
        with self._mutex:
            number = self._store.tombstones.newest()
            self._writes += 1
            return self._writable().wake(number) if number else 0

    def restoring(self) -> Restoring:
        """Where rows of another memory go in."""
        encoder = self._store.meta.encoder()
        assert encoder is not None  # a writer has adopted one
        return Restoring(self._store, self._writable(), dim=encoder[1].dim, budget_bytes=self.budget_bytes())

    # reading ---------------------------------------------------------------------------------------------

    @guarded
    def recall(self, query: Query) -> list[Candidate]:
        """The moments that bear most on a query, the strongest first; an empty memory gives none."""
        with self._mutex, self._store.snapshot():
            encoder = self._store.meta.encoder()
            if encoder is None:
                return []
            return recall(self._store, self._fresh_index(encoder[1].dim), encoder[1], query, self._config.recall)

    @guarded
    def comparable(self, query: Query) -> int:
        """How many pictures a query is compared with here; where several memories are asked, these add up."""
        with self._mutex, self._store.snapshot():
            encoder = self._store.meta.encoder()
            return 0 if encoder is None else comparable(self._store, self._fresh_index(encoder[1].dim), query)

    @guarded
    def overview(self, query: Query, found: Sequence[Candidate] = ()) -> list[SummaryHit]:
        """Whole scenes, chapters and days that a query is about, but for what these candidates show already."""
        with self._mutex, self._store.snapshot():
            encoder = self._store.meta.encoder()
            return [] if encoder is None else overview(self._store, encoder[1], query, found)

    def _fresh_index(self, dim: int) -> KeyIndex:
        """The index as of now; after a write only what differs is taken out and put in."""
        if self._index is None:
            self._index = KeyIndex(dim, self._rows)
        elif (
            self._index.due()
        ):  # from the second question on: a single one is answered sooner than an index is built
            self._index.rebuild()
        version = (self._store.version(), self._writes)
        if version != self._index_version:
            place, changed = self._store.journal.changed_since(self._journal_place)
            known = self._index_version is not None and changed is not None
            held = self._store.entries.ids(changed if known else None)
            indexed = self._index.ids(changed if known else None)
            rekeyed = self._store.journal.rekeyed_since(self._journal_place) if known else indexed
            self._index.remove(sorted(indexed - held | indexed & rekeyed))
            indexed = indexed - rekeyed
            new = sorted(held - indexed)
            for start in range(0, len(new), _BATCH):
                batch = new[start : start + _BATCH]
                self._index.add(batch, self._rows(batch))
            self._index_version, self._journal_place = version, place
        return self._index

    def _rows(self, numbers: Sequence[int]) -> FloatArray:
        return index_rows(self._store, numbers, self._config.recall)

    @guarded
    def notes(self, stream: str, t0_s: float, t1_s: float, *, at_s: float | None = None) -> list[Note]:
        """What was read, heard or given in a stretch of a stream's time, by time.

        Args:
            stream: Its name.
            t0_s: Start of the time.
            t1_s: End of the time; notes that touch it count.
            at_s: As if the stream ended here.
        """
        with self._mutex:
            return [
                as_of(row, at_s)
                for row in self._store.notes.within(stream, t0_s, t1_s)
                if at_s is None or row.known_s <= at_s
            ]

    @property
    def entities(self) -> EntityMemory:
        """Things and their visits, to be asked, as far as they are written down."""
        return EntityMemory(self._store.connection, self._config.entities)

    @guarded
    def change_entities(self, change: Callable[[EntityMemory], EntityChange]) -> EntityChange:
        """Merge, split or undo, all of it or nothing.

        Raises:
            HippocamError: What is named is not there.
        """
        with self._mutex:
            entities = self._writable().entities
            self._writes += 1
            with self._store.transaction():
                return change(entities)

    @guarded
    def encoder(self) -> tuple[str, EncoderSpec] | None:
        """Name and spec of the encoder that made the vectors; None where nothing was watched yet."""
        return self._store.meta.encoder()

    @guarded
    def entry_at(self, stream: str, time_s: float) -> int | None:
        """Id of the entry with a picture that covers a time of a stream, else of the nearest; None without one."""
        return self._store.lookup.pictured(stream, time_s)

    def image(self, number: int) -> Path:
        """Path of an entry's exemplar."""
        return self._exemplars.path(number)

    def latest(self, stream: str) -> list[Embedding]:
        """The newest frames of a stream that this process has written, the oldest first."""
        ring = self._sensory.get(stream)
        return ring.frames() if ring else []

    @guarded
    def find(self, first: int, last: int, *, limit: int) -> list[int]:
        """Ids from first to last, rising: of entries, and of those that only the journal remembers."""
        return self._store.lookup.between(first, last, limit)

    @guarded
    def notable(self, wanted: Filter, top: int) -> list[Candidate]:
        """The entries that were newest to their streams among those that meet some conditions, by time.

        Args:
            wanted: Where and when.
            top: How many at most.

        Returns:
            Candidates with a belief of 1: they were there.
        """
        with self._mutex, self._store.snapshot():
            every = (self._store.entries.get(number) for number in self._store.lookup.select(wanted))
            found = [
                (entry, spans) for entry in every if entry is not None and (spans := wanted.passing_of(entry))
            ]
            best = sorted(found, key=lambda pair: (-pair[0].utility, pair[0].t0_s, pair[0].id))[:top]
            return [
                Candidate(entry=entry, score=1.0, seen=1.0, cosine=0.0, words=(), spans=spans)
                for entry, spans in sorted(best, key=lambda pair: (pair[1][0].t0_s, pair[0].stream, pair[0].id))
            ]

    @guarded
    def explain(self, number: int) -> Explanation:
        """Why an entry is held, or was given up."""
        with self._mutex, self._store.snapshot():
            entry, encoder = self._store.entries.get(number), self._store.meta.encoder()
            worth = None
            if entry is not None and encoder is not None:
                bank = (
                    self._longterm.bank
                    if self._longterm
                    else open_bank(self._store, encoder[1], self._config.bank)
                )
                worth = bank.explain(number)
            return Explanation(entry=entry, journal=self._store.journal.rows(number), worth=worth)

    @guarded
    def streams(self) -> list[StreamStatus]:
        """What is held of each stream."""
        return self._store.streams.statuses()

    @guarded
    def coarse_streams(self) -> frozenset[str]:
        """Names of the streams that were previewed by their key frames alone."""
        return self._store.streams.coarse()

    @guarded
    def tiers(self) -> list[TierStatus]:
        """What each tier holds now. Sensory and working memory live in the process that writes."""
        rings = list(self._sensory.values())
        open_frames = sum(w.open_frames for w in list(self._working.values()))
        open_bytes = sum(w.open_bytes for w in list(self._working.values()))
        return [
            TierStatus(
                name="sensory",
                entries=sum(len(r.frames()) for r in rings),
                bytes=sum(r.bytes for r in rings),
                budget_bytes=sum(r.max_bytes for r in rings),
                where="memory",
            ),
            TierStatus(name="working", entries=open_frames, bytes=open_bytes, budget_bytes=None, where="memory"),
            TierStatus(
                name="long-term",
                entries=self._store.entries.count(),
                bytes=self.bytes(),
                budget_bytes=self.budget_bytes(),
                where="disk",
            ),
        ]

    @guarded
    def bytes(self) -> int:
        """Bytes of the folder, as `du -sb` counts them."""
        total = self.folder.stat().st_size
        for root, folders, files in os.walk(self.folder):
            for name in (*folders, *files):
                with suppress(FileNotFoundError):  # a writer may remove a file while we count
                    total += (Path(root) / name).stat().st_size
        return total

    @guarded
    def budget_bytes(self) -> int:
        """What the folder may take."""
        stored = self._store.meta.get("budget_bytes")
        return int(stored) if isinstance(stored, int) else DEFAULT_BUDGET_BYTES


def has_memory(folder: Path) -> bool:
    """Whether a memory, or something of its name, is in a folder."""
    database = folder / "memory.db"
    return database.is_file() and database.stat().st_size > 0


def _check_folder(path: Path) -> None:
    """Refuse to make a memory in a folder that holds something else, before anything is written there."""
    if path.exists() and not path.is_dir():
        raise NotAMemoryError(path, "is a file")
    if path.is_symlink() and not path.exists():
        raise NotAMemoryError(path, "is a link to nowhere")
    if has_memory(path):
        # Through SQLite: closing a file handle of our own would drop the POSIX locks of every connection that
        # this process has to it, and another process would then remove the log under our writer.
        with suppress(OlderFormatError):  # the writer brings it to the present format
            Store(path / "memory.db", writable=False).close()
    elif path.is_dir():
        own = ("exemplars", "writer.lock", "memory.db", "memory.db.new", "memory.db.new-wal", "memory.db.new-shm")
        foreign = sorted(p.name for p in path.iterdir() if p.name not in own)
        if foreign:
            raise NotAMemoryError(path, f"holds {foreign[0]!r} and no memory")
