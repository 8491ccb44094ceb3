"""What the page needs of a `Session`: what it asks, what it shows, what it changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, Unpack

from hippocam.apps.ask.question.meaning import Turn
from hippocam.apps.ask.where import Where
from hippocam.apps.records import Answer, Status, WatchProgress, WatchReport
from hippocam.apps.settings import Settings
from hippocam.memory.entities.records import Entity, EntityChange
from hippocam.memory.explanation import Explanation
from hippocam.memory.forget import Deleted
from hippocam.memory.records import Evidence
from hippocam.memory.sleep.sleep import SleepReport


class Asked(Protocol):
    """What is asked and shown; each member as in `Session`."""

    @property
    def folders(self) -> tuple[Path, ...]:
        """The memories' folders."""

    @property
    def folder(self) -> Path:
        """The memory's folder, where there is one."""

    @property
    def settings(self) -> Settings:
        """Everything that can be set."""

    def status(self) -> Status:
        """What is held."""

    def search(self, text: str, **where: Unpack[Where]) -> tuple[Evidence, ...]:
        """Moments that show what a text describes."""

    def ask(
        self,
        question: str,
        *,
        reader: str | None = None,
        on_token: Callable[[str], None] | None = None,
        before: Turn | None = None,
        **where: Unpack[Where],
    ) -> Answer:
        """Answer a question."""

    def used(self, answer: Answer) -> None:
        """Say that an answer was of use."""

    def explain(self, entry: str) -> tuple[int, Explanation]:
        """Why an entry is held."""

    def entry_at(self, stream: str, time_s: float, within: tuple[float, float] | None = None) -> str | None:
        """Id of the entry that shows a time of a stream best."""

    def picture(self, entry: str) -> Path | None:
        """Path of an entry's picture."""

    def entities(
        self, *, stream: str | None = None, label: str | None = None, at_s: float | None = None
    ) -> Sequence[Entity]:
        """Things and people that were told apart."""


class Changed(Protocol):
    """What is changed; each member as in `Session`."""

    def watch(
        self, sources: Sequence[str | Path], *, on_progress: Callable[[WatchProgress], None] | None = None
    ) -> WatchReport:
        """Watch sources into the memory."""

    def pin(self, entries: Sequence[str], pinned: bool = True) -> tuple[str, ...]:
        """Keep entries whatever comes, or no longer."""

    def forget(
        self,
        entries: Sequence[str] = (),
        *,
        stream: str | None = None,
        after_s: float | None = None,
        before_s: float | None = None,
    ) -> Deleted:
        """Delete entries, or what a stream or a time left behind."""

    def sleep(self, target: float | None = None) -> SleepReport:
        """Make the memory smaller."""

    def wake(self) -> int:
        """Undo the last sleep."""

    def merge_entities(self, into: int, other: int) -> EntityChange:
        """Make two entities one."""

    def split_entity(self, visit: int) -> EntityChange:
        """Make a visit an entity of its own."""

    def undo_entities(self, change: int) -> EntityChange:
        """Undo a link, merge or split."""
