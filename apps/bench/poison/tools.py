"""What the bench needs of the product, handed in by whoever runs it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from hippocam.apps.ask.reader import Reader
from hippocam.memory.records import Evidence
from hippocam.stream.protocols import Encoder

# Moments that are looked at.
TOP = 5


class Answered(Protocol):
    """An answer, as far as it is judged; see `hippocam.apps.Answer`."""

    @property
    def unknown(self) -> bool:
        """Whether the memory holds nothing that answers the question."""

    @property
    def prompt(self) -> str:
        """What a model was given."""

    @property
    def evidence(self) -> Sequence[Evidence]:
        """Moments, the strongest first."""

    @property
    def cited(self) -> Sequence[str]:
        """Ids of those that the answer rests on."""


class Asker(Protocol):
    """Asks a memory, in one way."""

    def search(self, text: str, top: int) -> Sequence[Evidence]:
        """The moments that show what a text describes, the strongest first."""

    def ask(self, question: str, reader: Reader) -> Answered:
        """What a reader answers."""


class Product(Protocol):
    """What is done with memories."""

    @property
    def encoder(self) -> Encoder:
        """The encoder of all memories."""

    @property
    def name(self) -> str:
        """Name by which it is built."""

    def opened(self, folder: Path) -> AbstractContextManager[tuple[Asker, Asker]]:
        """Ask a memory, with plain recall and with the product's."""

    def moved(self, source: Path, target: Path, *, stream: str | None = None, pictures: bool = True) -> None:
        """Export a memory or a stream of it, and take that into another one."""
