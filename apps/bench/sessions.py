"""What a bench asks of a session. Whoever runs a bench hands in how one is opened, as `hippocam.apps.Session`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from hippocam.apps.ask.reader import Reader
from hippocam.apps.records import Answer, WatchReport
from hippocam.apps.settings import Settings
from hippocam.memory.records import Evidence
from hippocam.stream.records import EncoderSpec


class BenchSession(Protocol):
    """A memory that is watched into and asked."""

    def watch(self, sources: Sequence[str | Path], *, budget_mb: float | None = None) -> WatchReport:
        """Watch sources into the memory."""

    def search(self, text: str, *, at_s: float | None = None, top: int | None = None) -> tuple[Evidence, ...]:
        """Moments that show what a text describes, the strongest first."""

    def ask(
        self, question: str, *, reader: Reader | None = None, at_s: float | None = None, stream: str | None = None
    ) -> Answer:
        """Answer a question."""

    def memory_encoder(self) -> tuple[str, EncoderSpec]:
        """Name and spec of the memory's encoder."""


class OpenSession(Protocol):
    """Opens a session on a memory's folder, or on several folders as one."""

    def __call__(
        self, memory: Path | Sequence[Path], /, *, encoder: str | None = None, settings: Settings | None = None
    ) -> AbstractContextManager[BenchSession]:
        """Open it; the encoder and settings are those of `hippocam.apps.Session`."""
