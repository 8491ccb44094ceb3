"""One memory in one folder: embeddings in, moments out.

    memory.db          streams, entries, their words and vectors (SQLite)
    exemplars/         one JPEG an entry
    writer.lock        held by the one process that writes
    questions.journal  what was answered, until the writer has learned from it

`Memory.open_reader` gives a Memory, which answers and changes nothing; any number of them may be open. The one
MemoryWriter that `Memory.open_writer` gives takes embeddings too: sensory ring, working memory and long-term
memory are behind its `write`.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self, Unpack

from hippocam.memory.bank.bank import Bank
from hippocam.memory.config import MemoryConfig
from hippocam.memory.entities.bank import EntityMemory
from hippocam.memory.entities.records import EntityChange
from hippocam.memory.errors import NoMemoryError, guarded, memory_errors
from hippocam.memory.explanation import Explanation, explain
from hippocam.memory.filter import Filter
from hippocam.memory.folder import DATABASE, EXEMPLARS, folder_bytes, has_memory, opened_to_write
from hippocam.memory.forget import Deleted, finish_when_opened, forget
from hippocam.memory.lock import WriterLock
from hippocam.memory.longterm.budget import entity_bytes
from hippocam.memory.longterm.longterm import LongTerm, open_bank
from hippocam.memory.provenance.records import Origin
from hippocam.memory.questions import Cited, QuestionJournal
from hippocam.memory.recall.fresh_index import FreshIndex
from hippocam.memory.recall.query import Candidate, Query, SummaryHit
from hippocam.memory.recall.recall import comparable, index_rows, notable, overview, recall
from hippocam.memory.recall.trust import PictureCheck
from hippocam.memory.records import Entry, StreamStatus, TierStatus
from hippocam.memory.sleep.sleep import Sleep, SleepReport
from hippocam.memory.store.database import Store
from hippocam.memory.store.exemplars import Exemplars
from hippocam.memory.store.streams import StreamRow
from hippocam.memory.streams import OpenStream, OpenStreams, Recording, RecordingFields, tier_on_disk, tiers_of
from hippocam.stream.records import Embedding, EncoderSpec, FloatArray, Item, Note


class Memory:
    """A memory to ask; threads may share it. A context manager that closes itself.

    `open_reader` makes one; `open_writer` makes a MemoryWriter. Asking changes nothing on disk; only `used` does.

    Attributes:
        folder: Where it is.
        store: Its database, for what needs whole rows of it: export, measurements, tests.
    """

    _streams: Iterable[OpenStream] = ()  # a reader has none open

    def __init__(self, folder: Path, config: MemoryConfig, store: Store, asked: Store | None = None) -> None:
        self.folder, self.store = folder, store
        self._config = config
        self._exemplars = Exemplars(folder / EXEMPLARS)
        self._mutex = threading.RLock()
        self._asked, self._asking = (store, self._mutex) if asked is None else (asked, threading.RLock())
        read = functools.partial(index_rows, self._asked, config=config.recall)
        self._index = FreshIndex(self._asked, read, self._asking)

    @staticmethod
    def open_reader(folder: str | Path, config: MemoryConfig | None = None) -> Memory:
        """Open a memory to read from; a writer may work on it meanwhile.

        Raises:
            MemoryFolderError: There is none, or it is foreign or of another format.
        """
        path = Path(folder)
        with memory_errors(path):
            if not has_memory(path):
                raise NoMemoryError(path)
            return Memory(path, config or MemoryConfig(), Store(path / DATABASE, writable=False))

    @staticmethod
    def open_writer(
        folder: str | Path, *, encoder: str, spec: EncoderSpec, config: MemoryConfig | None = None
    ) -> MemoryWriter:
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
        opening = opened_to_write(path, encoder=encoder, spec=spec, budget_bytes=config.budget_bytes)
        with memory_errors(path), opening as (lock, store):
            budget_bytes = store.meta.budget_bytes()
            most_bytes = entity_bytes(budget_bytes, config.entities.budget_bytes)
            entities = replace(config.entities, budget_bytes=most_bytes)
            things = EntityMemory(store.connection, entities, store.coverage)
            longterm = LongTerm(
                path,
                store,
                Exemplars(path / EXEMPLARS),
                things,
                spec=spec,
                budget_bytes=budget_bytes,
                config=config.bank,
                sleep_share=config.sleep.horizon_share,
                notes_share=config.notes_share,
                questions=QuestionJournal(path, budget_bytes) if config.questions else None,
            )
            longterm.learn_from_questions()
            return MemoryWriter(path, config, store, lock, longterm, things)

    def close(self) -> None:
        """Close what is open."""
        self._index.close()
        with self._asking, self._mutex:
            self._asked.close()
            self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # moments ---------------------------------------------------------------------------------------------

    @guarded
    def recall(self, query: Query, check: PictureCheck | None = None) -> list[Candidate]:
        """Find the moments that bear most on a query; `check` looks at imported pictures again, see trust.py."""
        with self._asking, self._asked.snapshot():
            encoder = self._asked.meta.encoder()
            if encoder is None:
                return []
            index = self._index.now(encoder[1].dim)
            return recall(self._asked, index, encoder[1], query, self._config.recall, check)

    @guarded
    def comparable(self, query: Query) -> int:
        """Count the pictures that a query is compared with; of several memories that are asked they add up."""
        with self._asking, self._asked.snapshot():
            encoder = self._asked.meta.encoder()
            return 0 if encoder is None else comparable(self._asked, self._index.now(encoder[1].dim), query)

    @guarded
    def overview(self, query: Query, found: Sequence[Candidate] = ()) -> list[SummaryHit]:
        """Find the scenes, chapters and days that a query is about, except what `found` shows already."""
        with self._asking, self._asked.snapshot():
            encoder = self._asked.meta.encoder()
            return [] if encoder is None else overview(self._asked, encoder[1], query, found)

    @guarded
    def notable(self, wanted: Filter, top: int) -> list[Candidate]:
        """Find the `top` entries that were most novel in their streams among those that pass a filter, by time."""
        with self._asking, self._asked.snapshot():
            return notable(self._asked, wanted, top)

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
            holds = self.store.provenance.quarantine().holds_note
            return [note for note in self.store.notes.known(stream, t0_s, t1_s, at_s) if not holds(note)]

    @property
    def entities(self) -> EntityMemory:
        """Things and their visits, as far as they are written down."""
        return EntityMemory(self.store.connection, self._config.entities, self.store.coverage)

    # entries ---------------------------------------------------------------------------------------------

    @guarded
    def used(self, entry_ids: Sequence[int], question: FloatArray | None = None) -> None:
        """Note that an answer rested on some entries; what is asked for is kept longer, and found after sleep.

        The next writer learns it from a journal beside the database, the one file that a reader writes to.

        Args:
            entry_ids: Those that carried the answer first; those that are not held are skipped.
            question: float32 [D], the question in the encoder's space; None where there was none.
        """
        if not self._config.questions:
            return
        with self._mutex:
            held = [entry for entry_id in entry_ids if (entry := self.store.entries.get(entry_id)) is not None]
            cited = [Cited(entry.id, entry.stream, entry.shown.t0_s, entry.shown.t1_s) for entry in held]
            QuestionJournal(self.folder, self.budget_bytes()).append(question, cited)

    @guarded
    def entry(self, entry_id: int) -> Entry | None:
        """An entry as it is held, None where it is not (any more)."""
        return self.store.entries.get(entry_id)

    @guarded
    def explain(self, entry_id: int) -> Explanation:
        """Tell why an entry is held, or was given up. A reader builds the bank for it; `entry` reads a row."""
        with self._mutex, self.store.snapshot():
            return explain(self.store, entry_id, lambda spec: self._bank(spec).explain(entry_id))

    def _bank(self, spec: EncoderSpec) -> Bank:
        return open_bank(self.store, spec, self._config.bank)

    @guarded
    def find(self, first: int, last: int, *, limit: int) -> list[int]:
        """Ids from first to last, rising: of entries, and of those that only the journal remembers."""
        return self.store.lookup.between(first, last, limit)

    @guarded
    def entry_at(
        self, stream: str, time_s: float, at_s: float | None = None, within: tuple[float, float] | None = None
    ) -> int | None:
        """Id of the entry with a picture that shows a time of a stream best; see `Lookup.pictured`."""
        return self.store.lookup.pictured(stream, time_s, at_s, within)

    def image(self, entry_id: int) -> Path:
        """Path of an entry's exemplar; where that is no file of its own, as a link, of none."""
        return self._exemplars.shown(entry_id)

    # what is held ----------------------------------------------------------------------------------------

    @guarded
    def encoder(self) -> tuple[str, EncoderSpec] | None:
        """Name and spec of the encoder that made the vectors; None where nothing was watched yet."""
        return self.store.meta.encoder()

    @guarded
    def streams(self) -> list[StreamStatus]:
        """What is held of each stream."""
        return self.store.streams.statuses()

    @guarded
    def progress(self, *, recording: str | None = None, fingerprint: str | None = None) -> list[StreamRow]:
        """The streams of a recording, or of the same content, and how far each was watched; empty if unknown."""
        return self.store.streams.rows(recording=recording, fingerprint=fingerprint)

    @guarded
    def tiers(self) -> list[TierStatus]:
        """What each tier holds now. Sensory and working memory live in the process that writes."""
        with self._mutex:  # SQLite calls a writer's checksums back: beside them another thread would wait for ever
            held, budget_bytes = self.store.entries.count(), self.budget_bytes()
        return [*tiers_of(self._streams), tier_on_disk(held, self.bytes(), budget_bytes)]

    @guarded
    def bytes(self) -> int:
        """Bytes of the folder, as `du -sb` counts them."""
        return folder_bytes(self.folder)

    @guarded
    def budget_bytes(self) -> int:
        """What the folder may take."""
        return self.store.meta.budget_bytes()


class MemoryWriter(Memory):
    """The one that writes to a memory; over a connection of its own it can be asked meanwhile, like a reader.

    Attributes:
        longterm: What keeps entries within the budget, for what takes in whole rows: import, tests.
        finished: The deletion that was cut short in another process and finished as this one opened; else None.
    """

    def __init__(
        self,
        folder: Path,
        config: MemoryConfig,
        store: Store,
        lock: WriterLock,
        longterm: LongTerm,
        things: EntityMemory,
    ) -> None:
        super().__init__(folder, config, store, Store(store.path, writable=False))
        store.held_while_emptied = self._asking
        self._lock: WriterLock | None = lock
        self.longterm = longterm
        self.finished = finish_when_opened(store, longterm, things)
        self._things = things
        self._streams: OpenStreams = OpenStreams(store, longterm.intake, things, config.working, self._mutex)

    def close(self) -> None:
        """Close what is open and let others write. Open events are kept only by `finish`."""
        with self._mutex:
            super().close()
            if self._lock is not None:
                self._lock.release()
                self._lock = None

    @property
    def entities(self) -> EntityMemory:
        """Things and their visits, as far as they are written down; it follows what is written."""
        return self._things

    # watching --------------------------------------------------------------------------------------------

    @guarded
    def begin(self, recording: str, *, uri: str, **more: Unpack[RecordingFields]) -> int:
        """Announce a recording whose streams will be written.

        Args:
            recording: Its id; its streams are named recording or recording/camera.
            uri: Where it is.
            more: fingerprint, fps, senses and recorded_s, as in `Recording`.

        Returns:
            Position after which to go on: -1 from the start.
        """
        self._streams.announce(Recording(recording, uri, **more))
        return min((row.last_seq for row in self.store.streams.rows(recording=recording)), default=-1)

    @guarded
    def relocate(self, recording: str, uri: str, fingerprint: str | None = None) -> None:
        """Write down where a recording is now; also its fingerprint, once more is known of its content."""
        with self._mutex:
            self.store.streams.relocate(recording, uri, fingerprint)

    @guarded
    def end_s(self, recording: str) -> float | None:
        """Up to when a recording was watched; None where nothing of it is stored yet."""
        rows = self.store.streams.rows(recording=recording)
        return min((row.end_s for row in rows if row.last_seq >= 0), default=None)

    @guarded
    def write(self, items: Sequence[Item]) -> None:
        """Take frames and notes of announced recordings; what is stored already is passed over.

        Raises:
            MemoryFolderError: The disk is full, or the budget holds not one picture.
        """
        with self._mutex, self.longterm.together(len(items)):
            for item in items:
                self._streams.write(item)

    @guarded
    def finish(self, recording: str, *, end_s: float | None = None, complete: bool = True) -> None:
        """Close the open events of a recording.

        Args:
            recording: As given to `begin`.
            end_s: Where it ends, when known.
            complete: Whether it was watched to its end: if so, watching it again adds nothing. Else what is in
                sight now was cut off.
        """
        streams = self._streams.finish(recording, end_s, cut_off=not complete)
        with self._mutex:
            self.longterm.finish(recording, streams, complete=complete)

    def latest(self, stream: str) -> list[Embedding]:
        """The newest frames of a stream that were written here, the oldest first."""
        known = self._streams.get(stream)
        return known.ring.frames() if known else []

    # changing what is held -------------------------------------------------------------------------------

    @guarded
    def pin(self, entry_id: int, pinned: bool = True) -> bool:
        """Never give up an entry, or with `pinned` False treat it like any other; False where it is not held."""
        with self._mutex:
            return self.longterm.held.pin(entry_id, pinned)

    def used(self, entry_ids: Sequence[int], question: FloatArray | None = None) -> None:
        """Note that an answer rested on some entries, and learn it at once; see `Memory.used`."""
        super().used(entry_ids, question)
        self._learn_from_questions()

    @guarded
    def _learn_from_questions(self) -> None:
        with self._mutex:
            self.longterm.learn_from_questions()

    @guarded
    def forget(self, what: Filter | Origin | Sequence[int], *, ended_only: bool = False) -> Deleted:
        """Delete entries, a stream, a time or an origin, from the disk too, with what is open; see forget.py."""
        with self._mutex:
            self.longterm.learn_from_questions()  # or one that still waits would come back
            if not ended_only:  # what is open goes on
                self._streams.delete(what)
            return forget(self.store, self.longterm, self._things, what, ended_only=ended_only)

    @guarded
    def change_entities(self, change: Callable[[EntityMemory], EntityChange]) -> EntityChange:
        """Let `change` merge, split or undo, in one transaction.

        Raises:
            HippocamError: What is named is not there.
        """
        with self._mutex, self.store.transaction():
            return change(self._things)

    def _bank(self, spec: EncoderSpec) -> Bank:
        return self.longterm.bank

    # sleeping --------------------------------------------------------------------------------------------

    @guarded
    def sleep(
        self, target: float | None = None, max_loss: float | None = None, *, now_s: float | None = None
    ) -> SleepReport:
        """Make the bank smaller, as far as what it can recall holds; writing and asking go on meanwhile.

        Args:
            target: Share of the entries' bytes that is to be left, as in SleepConfig; None for the settings'.
            max_loss: Share of the probes that may be found no more, 0 to 1; None for the settings'.
            now_s: Time by the clock on the wall; None for now.

        Raises:
            ValueError: A share is out of its range.
        """
        config = self._config.sleep.asked(target, max_loss)
        self._learn_from_questions()
        sleep = Sleep(self.store, self.longterm, config, key_weight=self._config.recall.key_weight)
        report = sleep.run(mutex=self._mutex, size=self.bytes, now_s=time.time() if now_s is None else now_s)
        with self._mutex, self.store.transaction():
            self.store.meta.put(slept_at=self.longterm.bank.learning.events)
        return report

    @guarded
    def idle(self) -> SleepReport | None:
        """Sleep if the memory is as full as its settings ask for; None where it did not sleep.

        For whoever writes to call when there is nothing to write for a while.
        """
        config = self._config.sleep
        self._learn_from_questions()
        if not config.auto or self.longterm.bank.learning.events == self.store.meta.get("slept_at"):
            return None
        if self.longterm.budget.used_bytes() <= config.above * self.budget_bytes():
            return None
        return self.sleep(config.auto_target)

    @guarded
    def wake(self) -> int:
        """Undo the last sleep as far as it is remembered; return how many entries are again what they were."""
        with self._mutex:
            sleep_id = self.store.tombstones.newest()
            return self.longterm.sleep.wake(sleep_id) if sleep_id else 0
