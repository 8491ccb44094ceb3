"""A folder into what a writer needs to work on it: lock, database, long-term memory, things."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from hippocam.memory.config import MemoryConfig
from hippocam.memory.entities.bank import EntityMemory
from hippocam.memory.folder import DATABASE, EXEMPLARS, LOCK, adopt, check_writable, make_folder
from hippocam.memory.lock import WriterLock
from hippocam.memory.longterm.budget import entity_bytes
from hippocam.memory.longterm.longterm import LongTerm
from hippocam.memory.questions import QuestionJournal
from hippocam.memory.store.database import Store
from hippocam.memory.store.exemplars import Exemplars
from hippocam.stream.records import EncoderSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedToWrite:
    """What a writer works with.

    Attributes:
        lock: Keeps other writers out until it is released.
        store: The database.
        longterm: Keeps entries within the budget.
        things: Follows what streams show.
    """

    lock: WriterLock
    store: Store
    longterm: LongTerm
    things: EntityMemory


def open_to_write(folder: Path, config: MemoryConfig, *, encoder: str, spec: EncoderSpec) -> OpenedToWrite:
    """Open a memory, making it where the folder is missing or empty; where that fails, everything is closed again.

    Args:
        folder: Where it is.
        config: Budget and the rest.
        encoder: The name by which the encoder is built again.
        spec: The encoder's spec.

    Raises:
        MemoryFolderError: The folder is foreign, locked by another writer, or of another format.
        EncoderMismatchError: The memory was made with another encoder.
    """
    with ExitStack() as undo:
        check_writable(folder)
        make_folder(folder)
        lock = WriterLock(folder / LOCK)
        undo.callback(lock.release)
        store = Store(folder / DATABASE, writable=True)
        undo.callback(store.close)
        budget_bytes = config.budget_bytes or store.meta.budget_bytes()
        adopt(store, encoder=encoder, spec=spec, budget_bytes=budget_bytes)
        most_bytes = entity_bytes(budget_bytes, config.entities.budget_bytes)
        things = EntityMemory(store.connection, replace(config.entities, budget_bytes=most_bytes))
        longterm = LongTerm(
            folder,
            store,
            Exemplars(folder / EXEMPLARS),
            things,
            spec=spec,
            budget_bytes=budget_bytes,
            config=config.bank,
            sleep_share=config.sleep.horizon_share,
            notes_share=config.notes_share,
            questions=QuestionJournal(folder, budget_bytes) if config.questions else None,
        )
        longterm.learn_from_questions()
        undo.pop_all()
    return OpenedToWrite(lock=lock, store=store, longterm=longterm, things=things)
