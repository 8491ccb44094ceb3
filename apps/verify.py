"""Tells whether a memory is as it was written, and repairs it where it is not."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from hippocam.memory.errors import DamagedError, memory_errors
from hippocam.memory.memory import Memory
from hippocam.memory.verify.checks import verify
from hippocam.memory.verify.problems import Kind, Problem
from hippocam.memory.verify.repair import repair


def problems_of(folder: Path) -> list[Problem]:
    """Say what is wrong with a memory; nothing is changed.

    Raises:
        MemoryFolderError: There is no memory, or it is of a format that is not read here.
    """
    with memory_errors(folder):
        return verify(folder)


def mend(folder: Path) -> list[Problem]:
    """Repair what is wrong with a memory.

    Returns:
        What was wrong.

    Raises:
        MemoryFolderError: There is no memory, somebody writes to it, or nothing can be saved.
    """
    with memory_errors(folder):
        try:
            problems = repair(folder)
        except sqlite3.DatabaseError as error:
            raise DamagedError(folder, f"nothing of the database can be saved ({error})") from error
        if {problem.kind for problem in problems} - {Kind.LEFTOVER}:
            with Memory.open_reader(folder) as memory:
                made_with = memory.encoder()
            if made_with is not None:  # a writer makes room, and finishes what is pending
                Memory.open_writer(folder, encoder=made_with[0], spec=made_with[1]).close()
        return problems
