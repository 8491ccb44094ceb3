"""Questions whose evidence was used, kept in a file beside the database until a writer takes them in.

Most processes that answer are readers, and there is only one writer. So a reader appends a line to this journal,
for which it locks the file for an instant, and the next writer learns from it: the evidence grows stronger, and
the question becomes a probe that sleep must go on to answer. A line is a JSON object:

    {"token": "9f...", "vector": base64 of a packed vector or null, "used": [["id", "stream", t0_s, t1_s], ...]}

A line that a kill cut short, or that somebody else wrote, is passed over. The journal never exceeds its share of
the budget: when it is full, its older half makes room.

Shapes: D embedding dimension.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import json
import math
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import numpy as np

from hippocam.memory.codec import pack, unpack
from hippocam.memory.records import format_id
from hippocam.stream.private import open_file
from hippocam.stream.records import FloatArray

NAME = "questions.journal"
# What the journal may take: this share of the memory's budget, and at most this many bytes.
_SHARE = 0.01
_MOST_BYTES = 256_000
# Moments of one answer that are kept.
_MOST_CITED = 3


class Cited(NamedTuple):
    """A moment that an answer rested on: the entry that held it, and where it was."""

    entry_id: int
    stream: str
    t0_s: float
    t1_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredQuestion:
    """A question and what its answer rested on.

    Attributes:
        token: Tells this question from any other, so that none is learned from twice.
        vector: float32 [D], the question in the encoder's space; None where evidence was used without one.
        cited: The moments, those that carry the answer first.
    """

    token: str
    vector: FloatArray | None
    cited: tuple[Cited, ...]


class QuestionJournal:
    """The journal of one memory; any number of processes may append to it.

    Args:
        folder: The memory's folder.
        budget_bytes: Budget of the memory; the journal takes a hundredth of it at most.
    """

    def __init__(self, folder: Path, budget_bytes: int) -> None:
        self._path = folder / NAME
        self.most_bytes = min(_MOST_BYTES, int(_SHARE * budget_bytes))

    def append(self, vector_D: FloatArray | None, cited: Sequence[Cited]) -> None:
        """Keep a question, durably, once this returns.

        Args:
            vector_D: float32 [D], of length 1; None where evidence was used without a question.
            cited: What the answer rested on; the first few are kept.

        Raises:
            OSError: The folder cannot be written to.
        """
        row = {
            "token": secrets.token_hex(8),
            "vector": None if vector_D is None else base64.b64encode(pack(vector_D)).decode(),
            "used": [[format_id(c.entry_id), c.stream, c.t0_s, c.t1_s] for c in cited[:_MOST_CITED]],
        }
        line = json.dumps(row, separators=(",", ":")).encode() + b"\n"
        if not cited or len(line) > self.most_bytes // 2:
            return
        with self._locked("a+b") as file:
            size = file.seek(0, os.SEEK_END)
            if size + 1 + len(line) > self.most_bytes:
                size = _keep_newest(file, self.most_bytes // 2 - 1)
            if size and not _ends_a_line(file):
                file.write(b"\n")  # somebody was killed while appending
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def read(self, dim: int, *, after: str = "") -> list[AnsweredQuestion]:
        """Read the questions, the oldest first.

        Args:
            dim: Length D of a vector; a line with another is passed over.
            after: Token of the last question that was taken in; only those behind it count, where it is there.
        """
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        questions = [question for line in lines if (question := _question(line, dim)) is not None]
        taken = [index for index, question in enumerate(questions) if question.token == after]
        return questions[taken[-1] + 1 :] if taken else questions

    def delete(self, through: str) -> None:
        """Delete the questions up to one with this token, once a writer has them; later ones stay."""
        if not self._path.exists():
            return
        with self._locked("r+b") as file:
            lines = file.read().splitlines(keepends=True)
            token = json.dumps(through).encode()
            last = max((index for index, line in enumerate(lines) if token in line), default=-1)
            _replace(file, b"".join(lines[last + 1 :]))

    @contextmanager
    def _locked(self, mode: str) -> Iterator[BinaryIO]:
        """Open the file with nobody else in it; the kernel frees the lock with its process."""
        with open_file(self._path, mode) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield cast(BinaryIO, file)


def _ends_a_line(file: BinaryIO) -> bool:
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def _keep_newest(file: BinaryIO, most_bytes: int) -> int:
    """Keep the newest lines that fit into a number of bytes; return how many bytes they are."""
    file.seek(0)
    lines = file.read().splitlines(keepends=True)
    kept, size = 0, 0
    while kept < len(lines) and size + len(lines[-1 - kept]) <= most_bytes:
        size += len(lines[-1 - kept])
        kept += 1
    _replace(file, b"".join(lines[len(lines) - kept :]))
    return size


def _replace(file: BinaryIO, content: bytes) -> None:
    """Give the file other content; what was there is overwritten, and its old end cut off."""
    file.seek(0)
    file.truncate()
    file.write(content)
    file.flush()


def _question(line: bytes, dim: int) -> AnsweredQuestion | None:
    """Read a line of the journal; None where it is not one of ours, whole and in range."""
    try:
        row = json.loads(line)
        vector = None if row["vector"] is None else unpack(base64.b64decode(row["vector"], validate=True))
        cited = tuple(Cited(int(i, 16), str(s), float(t0), float(t1)) for i, s, t0, t1 in row["used"])
        token = str(row["token"])
    except (ValueError, KeyError, TypeError, binascii.Error):
        return None
    fits = vector is None or (vector.shape == (dim,) and bool(np.isfinite(vector).all()))
    in_range = all(
        0 <= c.entry_id < 1 << 63 and math.isfinite(c.t0_s) and c.t0_s <= c.t1_s < math.inf for c in cited
    )
    return AnsweredQuestion(token=token, vector=vector, cited=cited) if fits and in_range and cited else None
