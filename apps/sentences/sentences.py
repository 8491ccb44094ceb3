"""Entries into sentences: what a memory keeps of them is looked up and handed to the composer.

Nothing is stored for it. A sentence is made when it is read, in about two milliseconds, from the vector, the
visits and the notes that a memory holds anyway, so memories of older versions have sentences too.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial

from hippocam.memory.entities.records import Visit
from hippocam.memory.memory import Memory
from hippocam.memory.records import Entry, Level
from hippocam.memory.store.summaries import Kind
from hippocam.models.lazy import Lazy
from hippocam.models.registry import make_encoder
from hippocam.models.sentences.compose import Composer
from hippocam.models.sentences.moment import Moment, Subject
from hippocam.models.sentences.vectors import phrase_vectors
from hippocam.stream.errors import HippocamError
from hippocam.stream.records import FloatArray, Note

log = logging.getLogger(__name__)

# A visit counts at a time this far from the frame that shows it best, or where it was seen so often a second.
_NEAR_S = 1.5
_OFTEN = 0.5
# A line that stands there for more than this share of so much time on both sides is furniture: a clock, a name.
_WIDE_S = 300.0
_FURNITURE = 0.5
_LEAST_WIDE_S = 30.0


class Sentences:
    """Words the moments of one memory.

    Args:
        memory: What is looked up.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._composer = Lazy(partial(_composer_of, memory))

    def of_entry(self, entry: Entry, at_s: float | None = None) -> str:
        """What an entry's picture looks like, as one phrase: "two people sitting at a table".

        Args:
            entry: The entry.
            at_s: As if the stream ended here.
        """
        span = entry.shown
        frame_s = min(max(entry.frame_s, span.t0_s), span.t1_s)
        scene_D = None
        if entry.level < Level.WORDS:
            _, (scene_D,) = self._memory.store.entries.vectors([entry.id])
        lines, standing = self._lines(entry.stream, frame_s, at_s)
        return self._composer().sentence(
            Moment(
                scene_D=scene_D,
                around_D=self._around(entry.stream, frame_s, at_s),
                subjects=self._subjects(entry.stream, frame_s, at_s),
                lines=lines,
                standing=standing,
            )
        )

    def _subjects(self, stream: str, time_s: float, at_s: float | None) -> tuple[Subject, ...]:
        """What was there at a time, people first, then the kinds of which there are most."""
        visits = self._memory.entities.within(stream, time_s, time_s)
        known = (visit for visit in visits if at_s is None or visit.known_s <= at_s)
        counts = Counter(visit.label for visit in known if _shown(visit, time_s))
        ordered = sorted(counts.items(), key=lambda pair: (pair[0] != "person", -pair[1], pair[0]))
        return tuple(Subject(label=label, count=count) for label, count in ordered)

    def _lines(self, stream: str, time_s: float, at_s: float | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What was to be read at a time, and what of that stands there all the time."""
        shown = [note for note in self._memory.notes(stream, time_s, time_s, at_s=at_s) if note.kind == "screen"]
        if not shown:
            return (), ()
        wide = self._memory.notes(stream, time_s - _WIDE_S, time_s + _WIDE_S, at_s=at_s)
        standing = tuple(note.text for note in shown if _is_furniture(note, wide))
        return tuple(note.text for note in shown if note.text not in standing), standing

    def _around(self, stream: str, time_s: float, at_s: float | None) -> FloatArray | None:
        """The mean of the scene that a time lies in."""
        for scene in self._memory.store.summaries.of(stream, Kind.SCENE):
            if scene.t0_s <= time_s <= scene.t1_s and (at_s is None or scene.known_s <= at_s):
                return scene.vector_D
        return None


def _composer_of(memory: Memory) -> Composer:
    """A composer for a memory's encoder; one that knows no phrases where that encoder is not to be had here."""
    made_with = memory.encoder()
    if made_with is None:
        return Composer(None)
    name, spec = made_with
    try:
        return Composer(phrase_vectors(spec, partial(make_encoder, name)))
    except HippocamError as error:
        log.info("sentences are made without pictures: %s", error)
        return Composer(None)


def _shown(visit: Visit, time_s: float) -> bool:
    """Whether a visit's thing was seen at about a time, not only before and after it."""
    if not visit.t0_s <= time_s <= visit.t1_s or any(from_s <= time_s < to_s for from_s, to_s in visit.gaps):
        return False
    often = visit.hits >= _OFTEN * (visit.t1_s - visit.t0_s)
    return often or abs(time_s - visit.frame_s) <= _NEAR_S


def _is_furniture(note: Note, wide: Sequence[Note]) -> bool:
    """Whether a line stands there all the time, in one note or, where reading flickered, in many."""
    start_s, end_s = min(other.t0_s for other in wide), max(other.t1_s for other in wide)
    same_s = sum(_seconds(wide, note.text))
    return end_s - start_s >= _LEAST_WIDE_S and same_s > _FURNITURE * (end_s - start_s)


def _seconds(notes: Iterable[Note], text: str) -> Iterable[float]:
    return (note.t1_s - note.t0_s for note in notes if note.text == text)
