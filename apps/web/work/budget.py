"""The job that gives a memory another budget: what no longer fits is given up at once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from hippocam.apps.records import Status
from hippocam.apps.web.work.jobs import Outcome, Step
from hippocam.apps.wording import megabytes


class Opened(Protocol):
    """What is open of one memory."""

    def changing(self, budget_bytes: int | None = None) -> AbstractContextManager[object]:
        """Open it for writing, within another budget from now on."""


class Budgeted(Protocol):
    """A `Session`, as far as it is needed here."""

    @property
    def opened(self) -> Opened:
        """What is open of the memory."""

    def status(self) -> Status:
        """What is held."""


@dataclass(frozen=True, slots=True)
class SetBudget:
    """Gives a memory another budget.

    Attributes:
        session: The session of the memory.
        budget_bytes: What its folder may take from now on.
        check: Raises a HippocamError where that holds not even what is kept beside the events.
        paused: Lets rest meanwhile what else writes to the memory.
    """

    session: Budgeted
    budget_bytes: int
    check: Callable[[], object]
    paused: Callable[[], AbstractContextManager[None]]
    kind: str = "budget"

    @property
    def name(self) -> str:
        """The budget, in words."""
        return f"a budget of {megabytes(self.budget_bytes)}"

    def run(self, tell: Callable[[Step], None]) -> Outcome:
        """Change it."""
        tell(Step())
        self.check()
        before = _entries(self.session.status())
        tell(Step())
        with self.paused(), self.session.opened.changing(self.budget_bytes):
            pass  # opening it makes the room that the budget asks for
        after = self.session.status()
        return Outcome(
            note=f"{_entries(after)} of {before} events are held, in {megabytes(after.bytes)} "
            f"of {megabytes(after.budget_bytes)}"
        )

    def failed(self) -> bool:
        """There is nothing to clean up; it can be tried again."""
        return True


def _entries(status: Status) -> int:
    return sum(stream.entries for stream in status.streams)
