"""What the memory's answers are compared with: saying always the same, and the plain encoder without a memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from hippocam.apps.ask.question.description import description, statement
from hippocam.apps.bench.answers.films import Film, FilmQuestion, Window
from hippocam.apps.bench.answers.score import Said, Shown
from hippocam.apps.bench.perception_cache import items, pieces
from hippocam.memory.recall.recall import belief
from hippocam.models.readers.reading import SEEN_FROM
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import FloatArray
from hippocam.stream.timecode import format_time

# Pieces whose belief is at least this share of the best one's are told too.
_ALSO = 0.8
_MOST = 3


class Baseline(Protocol):
    """A way to answer that has no memory."""

    name: str

    def answer(self, question: FilmQuestion, film: Film, stream: str) -> Said:
        """Answer a question about a film, whose stream is named so."""


class NotSeen:
    """Says that nothing was ever seen."""

    name = 'always "not seen"'

    def answer(self, question: FilmQuestion, film: Film, stream: str) -> Said:
        """Deny."""
        return Said(text="Not seen.", unknown=True)


class Always:
    """Says yes to everything, and shows the whole film."""

    name = 'always "yes"'

    def answer(self, question: FilmQuestion, film: Film, stream: str) -> Said:
        """Affirm."""
        whole = (Shown(stream, 0.0, film.duration_s),)
        text = f"Yes: 0:00 to {format_time(film.duration_s)}."
        return Said(text=text, belief=1.0, moments=whole, cited=whole)


class Pieces:
    """Finds moments by the plain encoder: pieces of 5 seconds by cosine, no senses, no entities, no words.

    Args:
        encoder: Encodes a frame a second; what it gave is cached.
    """

    name = "plain 5 s pieces"

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._films: dict[str, tuple[list[Window], FloatArray]] = {}

    def answer(self, question: FilmQuestion, film: Film, stream: str) -> Said:
        """Tell the best pieces that are believed; else deny."""
        windows, rows_ND = self._pieces(film, question.asked_at_s)
        asked_D = self._encoder.encode_texts([description(statement(question.question))])[0]
        cosines = rows_ND @ (asked_D / max(float(np.linalg.norm(asked_D)), 1e-9))
        order = np.argsort(-cosines, kind="stable")
        beliefs = [belief(float(cosines[row]), self._encoder.spec, len(windows)) for row in order]
        moments = tuple(Shown(stream, *windows[row]) for row in order)
        best = beliefs[0]
        if best < SEEN_FROM:
            return Said(text="Not seen.", unknown=True, belief=best, moments=moments[:_MOST])
        cited = tuple(m for m, b in zip(moments, beliefs, strict=True) if b >= max(SEEN_FROM, _ALSO * best))[
            :_MOST
        ]
        return Said(text=f"Yes: {_told(cited)}.", belief=best, moments=moments[:_MOST], cited=cited)

    def _pieces(self, film: Film, at_s: float | None) -> tuple[list[Window], FloatArray]:
        if film.name not in self._films:
            windows, means_ND = pieces(items(film.video, self._encoder))
            lengths_N = np.linalg.norm(means_ND, axis=1, keepdims=True)
            ends = [(start, min(end, film.duration_s)) for start, end in windows]
            self._films[film.name] = ends, means_ND / np.maximum(lengths_N, 1e-9)
        windows, rows_ND = self._films[film.name]
        seen = len(windows) if at_s is None else max(1, sum(start <= at_s for start, _ in windows))
        return windows[:seen], rows_ND[:seen]


def _told(moments: Sequence[Shown]) -> str:
    return "; ".join(f"{format_time(m.t0_s)} to {format_time(m.t1_s)}" for m in moments)
