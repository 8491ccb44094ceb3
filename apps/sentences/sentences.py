"""Entries into sentences: what a memory keeps of them is looked up and handed to the composer.

Nothing is stored for it. A sentence is made when it is read, in about two milliseconds, from the vector, the
visits and the notes that a memory holds anyway, so memories of older versions have sentences too.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np

from hippocam.apps.sentences.people import People
from hippocam.apps.sentences.subjects import counted, subjects_at
from hippocam.memory.memory import Memory
from hippocam.memory.records import Entry, Level
from hippocam.memory.store.summaries import Kind
from hippocam.models.lazy import Lazy
from hippocam.models.registry import make_encoder
from hippocam.models.sentences.compose import NOTHING_KNOWN, Composer
from hippocam.models.sentences.moment import Moment
from hippocam.models.sentences.picture import Look, look_of
from hippocam.models.sentences.vectors import phrase_vectors
from hippocam.stream.errors import HippocamError, MissingLibraryError
from hippocam.stream.records import FloatArray, Note

log = logging.getLogger(__name__)

# Entries of a stretch of time that are looked at, the latest ones.
_MOST_ENTRIES = 600
# Sentences that are remembered, since one entry is found again and again.
MOST_TOLD = 4096
# A line that stands there for more than this share of so much time on both sides is furniture: a clock, a name.
_WIDE_S = 300.0
_FURNITURE = 0.5
_LEAST_WIDE_S = 30.0


class Sentences:
    """Words the moments of one memory.

    Args:
        memory: What is looked up.
        most_told: Sentences that are remembered at most; 0 where each entry is asked for once.

    Attributes:
        people: Tells the people in them by their portraits.
    """

    def __init__(self, memory: Memory, most_told: int = MOST_TOLD) -> None:
        self._memory, self._most_told = memory, most_told
        self._composer = Lazy(partial(_composer_of, memory))
        self._told: dict[tuple[object, ...], str] = {}
        self.people = People(memory)

    def of_entry(self, entry: Entry, at_s: float | None = None) -> str:
        """What an entry's picture looks like, as one phrase: "two people sitting at a table".

        Args:
            entry: The entry.
            at_s: As if the stream ended here.
        """
        key = (entry.id, entry.level, entry.spans, entry.frame_s, at_s)
        told = self._told.get(key)
        if told is None:
            if len(self._told) >= self._most_told:
                self._told.clear()
            told = self._told[key] = self._tell(entry, at_s)
        return told

    def of_frame(self, vector_D: FloatArray, labels: Sequence[str], lines: Sequence[str]) -> str:
        """What a frame looks like whose event is still open.

        Args:
            vector_D: float32 [D], its vector.
            labels: Of the things that were found in it.
            lines: What was read in it.
        """
        return self._composer().sentence(Moment(scene_D=vector_D, subjects=counted(labels), lines=tuple(lines)))

    def of_span(self, stream: str, t0_s: float, t1_s: float, at_s: float | None = None) -> str:
        """What a stretch of a stream looks like: the moment in it that is nearest to its mean.

        A scene, chapter or day is a stretch too; `contents` tells a long one in several sentences.

        Args:
            stream: Its name within the memory.
            t0_s: Start of the stretch.
            t1_s: End of the stretch.
            at_s: As if the stream ended here.
        """
        store = self._memory.store
        passed = store.lookup.passed_by(stream, t0_s, t1_s, _MOST_ENTRIES)
        found = [entry for entry_id in passed if (entry := self._memory.entry(entry_id)) is not None]
        found = [entry for entry in found if at_s is None or entry.known_s <= at_s]
        shown = [entry for entry in found if entry.level < Level.WORDS]
        if not shown:
            return self.of_entry(found[-1], at_s) if found else NOTHING_KNOWN
        _, scenes_ND = store.entries.vectors([entry.id for entry in shown])
        seconds = [max(0.1, min(entry.t1_s, t1_s) - max(entry.t0_s, t0_s)) for entry in shown]
        nearest = int(np.argmax(scenes_ND @ (np.asarray(seconds, np.float32) @ scenes_ND)))
        return self.of_entry(shown[nearest], at_s)

    def _tell(self, entry: Entry, at_s: float | None) -> str:
        span = entry.shown
        frame_s = min(max(entry.frame_s, span.t0_s), span.t1_s)
        scene_D = self._scene(entry)
        lines, standing = self._lines(entry.stream, frame_s, at_s)
        visits = self._memory.entities.within(entry.stream, frame_s, frame_s)
        people = self.people.kinds(at_s) if any(visit.label == "person" for visit in visits) else {}
        return self._composer().sentence(
            Moment(
                scene_D=scene_D,
                around_D=self._around(entry.stream, frame_s, at_s),
                look=self._look(entry),
                subjects=subjects_at(visits, frame_s, at_s, people),
                lines=lines,  # not what a robot was told, which cannot be read in its pictures
                standing=standing,
            )
        )

    def _scene(self, entry: Entry) -> FloatArray | None:
        if entry.level >= Level.WORDS:
            return None
        _, scenes_1D = self._memory.store.entries.vectors([entry.id])
        return np.asarray(scenes_1D[0])

    def _look(self, entry: Entry) -> Look | None:
        if entry.level >= Level.VECTORS:
            return None
        try:
            return look_of(self._memory.image(entry.id).read_bytes())
        except MissingLibraryError:
            return None  # a memory is asked where no picture can be decoded, too
        except OSError:  # given up a moment ago, or not to be read
            return None

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
        scene = self._memory.store.summaries.at(stream, Kind.SCENE, time_s)
        return None if scene is None or (at_s is not None and scene.known_s > at_s) else scene.vector_D


def _composer_of(memory: Memory) -> Composer:
    """A composer for a memory's encoder; one that knows no phrases where that encoder is not to be had here."""
    made_with = memory.encoder()
    if made_with is None:
        return Composer(None)
    name, spec = made_with
    try:
        return Composer(phrase_vectors(spec, partial(make_encoder, name)), spec)
    except HippocamError as error:
        log.info("sentences are made without pictures: %s", error)
        return Composer(None)


def _is_furniture(note: Note, wide: Sequence[Note]) -> bool:
    """Whether a line stands there all the time, in one note or, where reading flickered, in many."""
    start_s, end_s = min(other.t0_s for other in wide), max(other.t1_s for other in wide)
    same_s = sum(_seconds(wide, note.text))
    return end_s - start_s >= _LEAST_WIDE_S and same_s > _FURNITURE * (end_s - start_s)


def _seconds(notes: Iterable[Note], text: str) -> Iterable[float]:
    return (note.t1_s - note.t0_s for note in notes if note.text == text)
