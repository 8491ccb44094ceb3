"""The memory's database: one SQLite file in WAL mode, one writer; a class for each concern of its tables.

Rows hold everything but the exemplars. Vectors are stored as scaled int8 (memory/codec.py), sensors as float32;
nothing that is stored is ever evaluated or unpickled.
"""

from __future__ import annotations

import math
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from hippocam.memory.asof.table import CoverageTable
from hippocam.memory.errors import (
    DiskError,
    MemoryFolderError,
    NewerFormatError,
    NotAMemoryError,
    OlderFormatError,
    one_line,
)
from hippocam.memory.provenance.table import ProvenanceTable
from hippocam.memory.store import sums
from hippocam.memory.store.blocks.table import EntryBlocks
from hippocam.memory.store.commits.folding import Folding
from hippocam.memory.store.commits.full_text import FullTexts
from hippocam.memory.store.commits.transactions import Transactions
from hippocam.memory.store.entries import EntryTable
from hippocam.memory.store.journal import JournalTable
from hippocam.memory.store.lookup import EntryLookup
from hippocam.memory.store.meta import MetaTable
from hippocam.memory.store.migrations import OLDER, READABLE, migrate
from hippocam.memory.store.notes import NoteTable
from hippocam.memory.store.places import PlaceTable
from hippocam.memory.store.portraits import PortraitTable
from hippocam.memory.store.probes import ProbeTable
from hippocam.memory.store.schema import (
    APPLICATION_ID,
    FORMAT,
    OLDER_VIEWS,
    PAGE_BYTES,
    WAL_PAGES,
    WITH_MOTION,
    create,
)
from hippocam.memory.store.states import BankTable, StateTable
from hippocam.memory.store.streams import StreamTable
from hippocam.memory.store.summaries import SummaryTable
from hippocam.memory.store.tombstones import TombstoneTable
from hippocam.memory.store.words import EntryWords

# Seconds to wait for another process that writes, or that reads what is to be folded back.
WAIT_S = 10.0
# Free pages that are given back to the disk in one step.
_FREED_PAGES = 16


class Store:
    """Opens and checks the database of one memory, and owns a class for each concern of its tables.

    Attributes:
        meta: Settings of the memory.
        streams: Where each stream comes from, and how far it was watched.
        provenance: Which streams were imported, and what is in quarantine.
        coverage: When each stream was looked at.
        places: What streams under way show in general.
        tracked: What follows the things of streams under way.
        entries: The entries, by id.
        lookup: Which entries, by conditions and by time.
        words: Which entries, by their words.
        summaries: Scenes, chapters and days.
        notes: Words with times of their own.
        portraits: Things' own pictures, as the encoder sees them.
        journal: What happened to the entries, and why.
        learned: What was learned from the memory's own streams.
        bank: What the bank goes on from, that among it.
        probes: What is kept to ask with.
        tombstones: What entries were before a sleep merged them.
        transactions: Those of its connection.
        folded_from_bytes: Bytes of the log from which a thread aside folds it into the file.
        page_bytes: Bytes of a page of the file.
        held_while_emptied: What keeps this process from reading over another connection; or the log is never free.

    Args:
        path: The database file; it is made, with its schema, where writable and missing.
        writable: False opens for reading only: no statement can then change the file.
        new_page_bytes: Bytes of a page where the file is made; one that is there keeps its own.

    Raises:
        MemoryFolderError: The file is no database of ours, or of a newer format, or damaged; or it is of an older
            format and is only to be read. A writer brings it to the present one (migrations.py).
    """

    def __init__(self, path: Path, *, writable: bool, new_page_bytes: int = PAGE_BYTES) -> None:
        self.path = path
        self.page_bytes = new_page_bytes
        self._folding: Folding | None = None
        self._full_texts: FullTexts | None = None
        self._log = str(path) + "-wal"
        self.folded_from_bytes = WAL_PAGES * new_page_bytes
        self.held_while_emptied: AbstractContextManager[object] = nullcontext()
        if writable and not (path.exists() and path.stat().st_size):
            create(path, new_page_bytes)
        frozen = not writable and not os.access(path.parent, os.W_OK)  # a log cannot be opened there
        uri = f"{path.absolute().as_uri()}?{'mode=ro&immutable=1' if frozen else 'mode=rw'}"
        self._db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=WAIT_S, check_same_thread=False)
        self.transactions = Transactions(self._db, self._committed)
        self.meta = MetaTable(self._db)
        blocks = self._blocks = EntryBlocks(self._db)
        self.streams = StreamTable(self._db, blocks)
        self.provenance = ProvenanceTable(self._db)
        self.coverage = CoverageTable(self._db)
        self.places = PlaceTable(self._db)
        self.tracked = StateTable(self._db, "tracked", key="stream", value="state")
        self.entries = EntryTable(self._db, blocks)
        self.lookup = EntryLookup(blocks)
        self.words = EntryWords(blocks)
        self.summaries = SummaryTable(self._db)
        self.notes = NoteTable(self._db)
        self.portraits = PortraitTable(self._db)
        self.journal = JournalTable(self._db)
        self.learned = StateTable(self._db, "learned", key="name", value="value")
        self.bank = BankTable(self._db, self.learned)
        self.probes = ProbeTable(self._db)
        self.tombstones = TombstoneTable(self._db, blocks)
        try:
            self._prepare(writable)
        except sqlite3.OperationalError as error:
            self._db.close()
            raise DiskError(
                path.parent,
                f"{path.name} cannot be opened ({one_line(error)}); check the folder's permissions and the room "
                "on its disk",
            ) from error
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # its message may hold any bytes
            self._db.close()
            raise NotAMemoryError(path.parent, f"not a hippocam memory, or damaged ({one_line(error)})") from error
        except MemoryFolderError:
            self._db.close()
            raise

    def _prepare(self, writable: bool) -> None:
        db = self._db
        (application,) = db.execute("PRAGMA application_id").fetchone()
        (version,) = db.execute("PRAGMA user_version").fetchone()
        (self.page_bytes,) = db.execute("PRAGMA page_size").fetchone()
        if application != APPLICATION_ID:
            raise NotAMemoryError(self.path.parent, "not a hippocam memory")
        if version in OLDER and (writable or version not in READABLE):
            if not writable:
                raise OlderFormatError(self.path.parent, found=version, reads=FORMAT)
            migrate(self.path)
        elif version != FORMAT and (writable or version not in READABLE):
            raise NewerFormatError(self.path.parent, found=version, reads=FORMAT)
        db.execute("PRAGMA temp_store = MEMORY")  # what is held beside the database never reaches a disk
        if writable:
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("PRAGMA secure_delete = ON")
            sums.keep(db)
            db.execute("PRAGMA wal_autocheckpoint = 0")  # the thread aside does it
            db.execute("PRAGMA journal_size_limit = 0")  # its size is what it holds
            self._full_texts = FullTexts(db, self.page_bytes)
            self._full_texts.prepare()
            self.transactions.before_commit.append(self._full_texts.merge)
            self._folding = Folding(self.path)
        else:
            if version < WITH_MOTION:
                db.executescript(OLDER_VIEWS)
        self._blocks.open()
        if not writable:
            db.execute("PRAGMA query_only = ON")

    def close(self) -> None:
        """Close the connection; the last one folds the log into the file and removes it."""
        if self._folding is not None:
            self._folding.close()
        self._db.close()

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection, for what has tables of its own in this database: entities/."""
        return self._db

    def transaction(self, of: int = 1) -> AbstractContextManager[None]:
        """All statements inside take effect together, or none; where commits are shared it counts for so many."""
        return self.transactions.one(of)

    def with_commit(self, write: Callable[[], None]) -> None:
        """Inside a transaction: call `write` once, in the same transaction, when it is about to be committed."""
        self.transactions.with_commit(write)

    def together(self, most: int) -> AbstractContextManager[None]:
        """Let up to `most` transactions inside share a commit."""
        return self.transactions.together(most)

    def after_commit(self, call: Callable[[], None]) -> None:
        """Outside of transactions: call `call` once those that have ended are committed."""
        self.transactions.after_commit(call)

    def settle(self) -> None:
        """Commit what shares a commit with what may follow."""
        self.transactions.settle()

    def _committed(self) -> None:
        if self._folding is not None and self.log_bytes() > self.folded_from_bytes:
            self._folding.wake()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All reads inside see one state, whatever a writer does meanwhile."""
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("COMMIT")  # keeps what blocks were unpacked meanwhile; nothing else was written

    def version(self) -> tuple[int, int]:
        """What differs after another connection has committed, or this one has changed a row."""
        (version,) = self._db.execute("PRAGMA data_version").fetchone()
        return int(version), self._db.total_changes

    def generation(self) -> int:
        """What differs after all rows or all versions were replaced: a unit is redone, a bank lives again."""
        (generation,) = self._db.execute("PRAGMA schema_version").fetchone()
        return int(generation)

    def live_bytes(self) -> int:
        """Bytes of the pages in use: what the file would take without its free pages."""
        (pages,) = self._db.execute("PRAGMA page_count").fetchone()
        (free,) = self._db.execute("PRAGMA freelist_count").fetchone()
        return int(pages - free) * self.page_bytes

    def log_bytes(self) -> int:
        """Bytes of the log's file."""
        try:
            return os.stat(self._log).st_size
        except FileNotFoundError:
            return 0

    def shrink(self, least_bytes: float = math.inf) -> None:
        """Give free pages back to the disk, some at a time so that the log stays small.

        Args:
            least_bytes: How many bytes of them, if there are so many.
        """
        self.settle()
        left = least_bytes / self.page_bytes
        while left > 0:
            (free,) = self._db.execute("PRAGMA freelist_count").fetchone()
            if not free:
                break
            pages = math.ceil(min(_FREED_PAGES, left))
            self._db.executescript(f"PRAGMA incremental_vacuum({pages})")  # `execute` would free one page
            left -= pages
            self.fold_log()

    def wait_for_folding(self) -> None:
        """Commit what waits for that, and wait until the log is folded as far as it was when that began aside."""
        self.settle()
        if self._folding is not None:
            self._folding.wait()

    def fold_log(self, *, waits: bool = True) -> bool:
        """Fold the log into the file and empty it; False where a reader held on to it.

        Args:
            waits: Whether for readers, for some seconds.
        """
        self.wait_for_folding()
        with self.held_while_emptied:
            self._db.execute(f"PRAGMA busy_timeout = {int(waits * WAIT_S * 1000)}")
            try:
                (busy, *_) = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                self._db.execute(f"PRAGMA busy_timeout = {int(WAIT_S * 1000)}")
        return not busy

    def merge_words(self, steps: int | None = None) -> None:
        """Merge full text, which until then holds what was deleted, and deletions, too.

        Args:
            steps: How many times a few pages; None for all of it.
        """
        assert self._full_texts is not None
        self.settle()
        merged = self._full_texts.merge_all() if steps is None else self._full_texts.merge_more(steps)
        for _ in merged:
            if self.log_bytes() > self.folded_from_bytes:
                self.fold_log()

    def scrub(self) -> None:
        """Leave nothing of what was deleted in the full text, in free pages or in the log.

        Raises:
            DiskError: A process that reads keeps the log from being emptied; what was deleted is still in it.
        """
        self.merge_words()
        self.shrink()
        if not self.fold_log():
            raise DiskError(
                self.path.parent,
                "deleted, but a process that reads this memory keeps its log from being emptied, and the log "
                "still holds what was deleted; end that process and forget again, or the next writer ends it",
            )

    def sync_commits(self) -> None:
        """From now on have each commit on the disk before it returns."""
        self._db.execute("PRAGMA synchronous = FULL")
