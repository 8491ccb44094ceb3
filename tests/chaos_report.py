"""What came of the faults that chaos.py makes: counted, told, and written into a page."""

from __future__ import annotations

import contextlib
import datetime
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

# Seconds after which something hangs.
HANGS_S = 600
# What stands between these in the report is written anew.
BEGIN, END = "<!-- results: written by make chaos -->", "<!-- end of results -->"


@dataclass
class Outcome:
    """What came of one kind of fault.

    Attributes:
        what: The kind.
        also: What else was counted, in words, with the names of `counted` and {tries} in braces.
        tries: How many faults there were.
        faults: What went wrong, each with what makes it again.
        counted: How often what is told beside that was the case.
    """

    what: str
    also: str = ""
    tries: int = 0
    faults: list[str] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)

    @property
    def told(self) -> str:
        """What else was counted."""
        return self.also.format_map(self.counted + Counter(tries=self.tries))

    @contextlib.contextmanager
    def trying(self, which: str) -> Iterator[None]:
        """Count a try; whatever is raised in it is a fault."""
        self.tries += 1
        try:
            yield
        except Exception as error:
            self.faults.append(f"{which}: {type(error).__name__}: {error}".replace("\n", " ")[:300])

    def add(self, other: Outcome) -> None:
        """Take in what came of another round of the same kind."""
        self.tries += other.tries
        self.faults += other.faults
        self.counted += other.counted


@contextlib.contextmanager
def within(seconds: int) -> Iterator[None]:
    """Raise where something takes so long that it hangs."""

    def late(*_: object) -> None:
        raise TimeoutError(f"not done after {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def table(outcomes: Sequence[Outcome], command: str, seconds: float) -> str:
    """The outcomes as Markdown."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    lines = [
        f"`{command}`, {datetime.date.today()}, commit {commit.stdout.strip() or 'unknown'}, "
        f"{os.cpu_count()} cores, {seconds / 60:.0f} minutes:",
        "",
        "| fault | tries | went wrong | |",
        "|---|---|---|---|",
        *(f"| {one.what} | {one.tries} | {len(one.faults)} | {one.told} |" for one in outcomes),
    ]
    wrong = [f"- {fault}" for one in outcomes for fault in one.faults]
    return "\n".join([*lines, *(["", "What went wrong:", "", *wrong] if wrong else [])])


def write(page: Path, result: str) -> None:
    """Put results in the place of the ones before them."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    page.write_text(f"{before}{BEGIN}\n\n{result}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")
