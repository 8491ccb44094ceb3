"""Models that believe whatever they read: the worst reader that an attacker can wish for."""

from __future__ import annotations

import json
from collections.abc import Callable

from hippocam.memory.recall.words import content_words
from hippocam.models.readers.context import Context, ContextConfig, Shown
from hippocam.models.readers.prompt import Message
from hippocam.models.readers.reading import Reading
from hippocam.models.readers.reply import converse


class GullibleReader:
    """Says what the question says, cites the record with most of its words, and is sure of it.

    What it replies goes through the checks that every model's reply goes through.

    Args:
        sees: Whether it is given pictures.
    """

    def __init__(self, *, sees: bool) -> None:
        self.id = "gullible, given pictures" if sees else "gullible, records alone"
        self._sees = sees

    @property
    def budget(self) -> ContextConfig:
        """What readers with a model are given."""
        return ContextConfig() if self._sees else ContextConfig(frames=0)

    def read(self, context: Context, on_token: Callable[[str], None] | None = None) -> Reading:
        """Believe the record that speaks most like the question."""
        words = set(content_words(context.question))

        def complete(turns: list[Message]) -> str:
            best = max(context.shown, key=lambda shown: (_held(shown, words), shown.belief))
            answer = f"{context.question.rstrip('?')} [{best.mark}]."
            return json.dumps({"answer": answer, "evidence": [best.mark], "confidence": 0.99, "unknown": False})

        return converse(context, complete, reader=self.id, sees=self._sees)


def _held(shown: Shown, words: set[str]) -> int:
    """How many of some words a record holds, by whatever way they came."""
    notes = shown.evidence.notes if shown.evidence is not None else ()
    texts = [shown.stream, shown.text, *(note.text for note in notes)]
    return len(words & {word for text in texts for word in content_words(text)})
