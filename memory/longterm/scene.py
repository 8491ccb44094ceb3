"""The scene that a stream is in, and one summary made of several.

A scene is a run of events that belong together; as it is open it grows event by event. Its vector is the mean of
its events by duration. Its row's state gives the open scene back to the last bit.

Shapes: D embedding dimension.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hippocam.memory.recall.words import content_words
from hippocam.memory.records import Continuation, Event, id_of
from hippocam.memory.store.summaries import Kind, Summary
from hippocam.stream.records import FloatArray

# Words of an open scene that are counted.
_COUNTED_WORDS = 32
# Words of a closed scene that are kept.
_KEPT_WORDS = 8
# Characters of a word that are kept.
_MOST_LETTERS = 24
# Recent events over which the usual likeness is taken.
_USUAL_EVENTS = 64
# Cosines below the usual one that are never a cut.
_LEAST_DROP = 0.05
# A span of no length weighs as much as one of this length.
_LEAST_S = 0.1


class Usual:
    """Mean and variance of the likeness of a stream's events with their scenes, over about the last 64."""

    def __init__(self, count: float = 0, mean: float = 0, variance: float = 0) -> None:
        self.count, self.mean, self.variance = count, mean, variance

    def add(self, likeness: float) -> None:
        """Take in the likeness of one more event."""
        self.count = min(self.count + 1, _USUAL_EVENTS)
        off = likeness - self.mean
        self.mean += off / self.count
        self.variance += (off * (likeness - self.mean) - self.variance) / self.count

    def falls(self, likeness: float, gamma: float) -> bool:
        """Whether a likeness lies below the usual one by more than gamma standard deviations."""
        return self.count > 0 and likeness < self.mean - max(gamma * self.variance**0.5, _LEAST_DROP)


@dataclass(slots=True, kw_only=True)
class Scene:
    """The scene that a stream is in. Fields as in Summary.

    Attributes:
        last_t0_s: Start of its newest event.
        counts: How often labels and words came, the most frequent ones.
        sum_D: Sum of its events' scenes, each times its seconds, float32 [D].
        usual: How alike the stream's events usually are.
    """

    stream: str
    first_seq: int
    t0_s: float
    t1_s: float
    known_s: float
    last_t0_s: float
    seconds: float
    events: int
    place: int
    exemplar: int | None
    counts: dict[str, int]
    sum_D: FloatArray
    usual: Usual

    @classmethod
    def of(cls, event: Event, entry_id: int, usual: Usual) -> Scene:
        """A scene that begins with an event, which an entry holds."""
        seconds = max(event.t1_s - event.t0_s, _LEAST_S)
        return cls(
            stream=event.stream,
            first_seq=event.first_seq,
            t0_s=event.t0_s,
            t1_s=event.t1_s,
            known_s=event.known_s,
            last_t0_s=event.t0_s,
            seconds=seconds,
            events=1,
            place=event.place,
            exemplar=entry_id,
            counts=_count({}, event),
            sum_D=event.scene * np.float32(seconds),
            usual=usual,
        )

    def again(self, more: Continuation) -> Scene:
        """A scene that looks the same and begins behind a gap, with what was there unchanged."""
        seconds = max(more.t1_s - more.t0_s, _LEAST_S)
        return replace(
            self,
            first_seq=more.last_seq,
            t0_s=more.t0_s,
            t1_s=more.t1_s,
            known_s=more.t0_s,
            last_t0_s=more.t0_s,
            seconds=seconds,
            events=1,
            sum_D=self.mean_D * np.float32(seconds),
        )

    @property
    def mean_D(self) -> FloatArray:
        """Mean of its events by duration, float32 [D], of length 1."""
        return unit_mean(self.sum_D)

    def add(self, event: Event) -> None:
        """Take in the next event."""
        seconds = max(event.t1_s - event.t0_s, _LEAST_S)
        self.t0_s = min(self.t0_s, event.t0_s)
        self.t1_s = max(self.t1_s, event.t1_s)
        self.known_s = max(self.known_s, event.known_s)
        self.last_t0_s = event.t0_s
        self.seconds += seconds
        self.events += 1
        self.place = self.place or event.place
        self.counts = _count(self.counts, event)
        self.sum_D = self.sum_D + event.scene * np.float32(seconds)

    def prolong(self, t1_s: float, more_s: float) -> None:
        """Prolong it unchanged up to a time; `more_s` of that counts as its duration."""
        self.sum_D *= np.float32(1 + more_s / self.seconds)
        self.seconds += more_s
        self.t1_s = t1_s

    def summary(self) -> Summary:
        """Its row as it is now; the row's state gives this object back to the last bit."""
        head = np.asarray([self.last_t0_s, self.usual.count, self.usual.mean, self.usual.variance], "<f8")
        return self._row(tuple(self.counts.items()), head.tobytes() + self.sum_D.astype("<f4").tobytes())

    def closed(self) -> Summary:
        """Its row once it is closed."""
        return self._row(most_frequent(self.counts), None)

    def _row(self, words: tuple[tuple[str, int], ...], state: bytes | None) -> Summary:
        return Summary(
            id=summary_id(self.stream, Kind.SCENE, self.first_seq),
            stream=self.stream,
            kind=Kind.SCENE,
            parent=None,
            first_seq=self.first_seq,
            t0_s=self.t0_s,
            t1_s=self.t1_s,
            known_s=self.known_s,
            seconds=self.seconds,
            events=self.events,
            place=self.place,
            exemplar=self.exemplar,
            vector_D=self.mean_D,
            words=words,
            state=state,
        )

    @classmethod
    def resume(cls, row: Summary) -> Scene:
        """Go on from the row that `summary` gave."""
        assert row.state is not None
        last_t0_s, count, mean, variance = np.frombuffer(row.state[:32], "<f8").tolist()
        return cls(
            stream=row.stream,
            first_seq=row.first_seq,
            t0_s=row.t0_s,
            t1_s=row.t1_s,
            known_s=row.known_s,
            last_t0_s=last_t0_s,
            seconds=row.seconds,
            events=row.events,
            place=row.place,
            exemplar=row.exemplar,
            counts=dict(row.words),
            sum_D=np.frombuffer(row.state[32:], "<f4").astype(np.float32),
            usual=Usual(count, mean, variance),
        )


def summary_id(stream: str, kind: Kind, first_seq: int) -> int:
    """Id of a summary: positive, 63 bits."""
    return id_of(f"{stream}\0{kind.name}", first_seq)


def joined(kind: Kind, parts: Sequence[Summary]) -> Summary:
    """Join several summaries of one stream, given in order, into one."""
    seconds = np.asarray([part.seconds for part in parts], np.float32)
    mean_D = unit_mean(seconds @ np.stack([part.vector_D for part in parts]))
    nearest = max(parts, key=lambda part: (round(float(part.vector_D @ mean_D), 6), -part.first_seq))
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(dict(part.words))
    places = {part.place for part in parts}
    first = parts[0]
    return Summary(
        id=summary_id(first.stream, kind, first.first_seq),
        stream=first.stream,
        kind=kind,
        parent=None,
        first_seq=first.first_seq,
        t0_s=min(part.t0_s for part in parts),
        t1_s=max(part.t1_s for part in parts),
        known_s=max(part.known_s for part in parts),
        seconds=sum(part.seconds for part in parts),
        events=sum(part.events for part in parts),
        place=places.pop() if len(places) == 1 else 0,
        exemplar=nearest.exemplar,
        vector_D=mean_D,
        words=most_frequent(counts),
    )


def _count(counts: dict[str, int], event: Event) -> dict[str, int]:
    """Counts with an event's labels and words; the most frequent stay."""
    if not event.labels and not event.text:
        return counts
    new = Counter(counts)
    new.update(word[:_MOST_LETTERS] for word in dict.fromkeys([*event.labels, *content_words(event.text)]))
    return dict(most_frequent(new, _COUNTED_WORDS))


def most_frequent(counts: dict[str, int], most: int = _KEPT_WORDS) -> tuple[tuple[str, int], ...]:
    """The most frequent words with their counts, the most frequent first, equal ones by the alphabet."""
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:most])


def unit_mean(vector: FloatArray) -> FloatArray:
    """Scale a sum of vectors to length 1."""
    length = float(np.linalg.norm(vector))
    return (vector / np.float32(max(length, 1e-9))).astype(np.float32)


def day_of(time_s: float) -> int:
    """Which day of stream time it is."""
    return int(time_s // 86400)
