"""The product as attacks meet it: it watches, asks, exports and imports; and plain recall, to measure it by.

Plain recall knows no defence: all that speaks for a moment counts, wherever it came from. The product has no
switch for it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from hippocam.apps.ask.ask import ask
from hippocam.apps.ask.memories import Memories
from hippocam.apps.ask.reader import Reader
from hippocam.apps.ask.search import Part, Search
from hippocam.apps.bench.poison.remembering import remembering
from hippocam.apps.records import Answer
from hippocam.apps.transfer.exporting import export, write_file
from hippocam.apps.transfer.importing import import_file
from hippocam.memory.config import MemoryConfig
from hippocam.memory.recall.notes import about_speech
from hippocam.memory.recall.query import Candidate, Query, order
from hippocam.memory.recall.recall import belief
from hippocam.memory.recall.weighing import LABEL_WEIGHT, TEXT_WEIGHT
from hippocam.memory.recall.words import content_words
from hippocam.memory.records import Evidence
from hippocam.stream.protocols import Encoder

# More than a memory of the bench holds.
_ALL = 2000


class PlainSearch(Search):
    """Searches as `Search` does, and believes pictures and words alike: noisy-or of all, the strongest first."""

    def recall(self, part: Part) -> list[Candidate]:
        """What a memory finds: every candidate, weighed anew, and the best of them."""
        query = part.query
        every = part.memory.recall(replace(query, top=_ALL, beside=0))
        compared = part.memory.comparable(query) if query.compared is None else query.compared
        return sorted((self._plain(c, query, compared) for c in every), key=order)[: query.top]

    def _plain(self, candidate: Candidate, query: Query, compared: int) -> Candidate:
        words = content_words(query.text)
        # only what came with an import is believed otherwise than its vector says
        doubted = candidate.made_by is not None and candidate.cosine != 0 and not about_speech(query.text)
        seen = belief(candidate.cosine, self.encoder.spec, compared) if doubted else candidate.seen
        missed = 1 - seen
        missed *= 1 - TEXT_WEIGHT * _share(words, candidate.entry.text) ** 2
        missed *= 1 - LABEL_WEIGHT * _share(words, " ".join(candidate.entry.labels))
        missed *= 1 - (candidate.noted.belief if candidate.noted is not None else 0.0)
        return replace(
            candidate, seen=seen, score=1 - missed, witnessed=None, claimed=False, told=0.0, made_by=None
        )


def _share(words: list[str], text: str) -> float:
    """Share of a question's words that a text holds."""
    held = set(content_words(text))
    return sum(word in held for word in words) / max(1, len(words))


class Product:
    """What the bench does with memories; see `tools.Product`.

    Args:
        encoder: The encoder of all memories.
        name: Name by which it is built.
    """

    def __init__(self, encoder: Encoder, name: str) -> None:
        self.encoder, self.name = remembering(encoder), name

    @contextmanager
    def opened(self, folder: Path) -> Iterator[tuple[Asker, Asker]]:
        """Ask a memory, with plain recall and with the product's."""
        memories = Memories([folder], MemoryConfig())
        try:
            yield Asker(PlainSearch(memories, self.encoder)), Asker(Search(memories, self.encoder))
        finally:
            memories.close()

    def moved(self, source: Path, target: Path, *, stream: str | None = None, pictures: bool = True) -> None:
        """Export a memory or a stream of it, and take that into another one."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "export.jsonl"
            lines = export(source, "jsonl", stream=stream, pictures=pictures)
            write_file(file, lines, memory=source)
            import_file(file, target, encoder=self.name)


class Asker:
    """Asks by one search."""

    def __init__(self, search: Search) -> None:
        self._search = search

    def search(self, text: str, top: int) -> Sequence[Evidence]:
        """The moments that show what a text describes, the strongest first."""
        return self._search.search(text, {"top": top})

    def ask(self, question: str, reader: Reader) -> Answer:
        """What a reader answers."""
        return ask(self._search, self._search.encoder, question, {}, reader, latest=lambda _: ())
