"""Recall: a question's vector and words in, moments with a belief each out.

Candidates come from the nearest keys (FAISS, exact) and from full text. The belief that an entry shows what
was asked for joins what is seen and what is written, as independent causes (noisy-or, Pearl 1988):
p = 1 - (1 - p_seen) * (1 - p_written). p_seen is the encoder's calibrated belief at the cosine; p_written
grows with the share of the question's words that the source's text holds.

Shapes: D embedding dimension.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hippocam.memory.faiss_index import KeyIndex
from hippocam.memory.records import Entry
from hippocam.memory.store import Store
from hippocam.stream.records import EncoderSpec, FloatArray

# Belief when all of a question's words stand in the source's own text, or among the recognised labels.
TEXT_WEIGHT, LABEL_WEIGHT = 0.9, 0.3
_STOP = frozenset(
    """
    a about after again all an and any anybody anyone anything are as at be been before being but by can
    could did do does doing down during each ever find first for from had has have he her his how i if
    in into is it its last many me more most moment much near no not of off on one or other out over s
    scene see seen she show some somebody someone something t that the their them then there these they
    thing this those through time times to up was we were what when where which while who whose why will
    with would you your
    """.split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallConfig:
    """How candidates are weighed.

    Attributes:
        key_weight: Share of the cosine with the key (what is new in an event), 0 to 1; the rest goes to the
            cosine with its scene (what is shown in all).
    """

    key_weight: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.key_weight <= 1:
            raise ValueError(f"recall.key_weight must be 0 to 1, found {self.key_weight}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is looked for, and where.

    Attributes:
        text: The words of the question.
        vector: float32 [D], the question in the encoder's space.
        stream: Only this stream, or the cameras of this source.
        after_s: Only moments that end after this time.
        before_s: Only moments that begin before this time.
        at_s: As if the stream ended here: nothing that rests on a later frame.
        top: Moments at most, 1 or more.
    """

    text: str
    vector: FloatArray
    stream: str | None = None
    after_s: float | None = None
    before_s: float | None = None
    at_s: float | None = None
    top: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An entry with the beliefs that speak for it.

    Attributes:
        entry: The entry.
        score: p, 0 to 1.
        seen: p_seen, 0 to 1.
        cosine: What p_seen rests on.
        words: Words of the question that the source's text or the labels hold.
    """

    entry: Entry
    score: float
    seen: float
    cosine: float
    words: tuple[str, ...]


def content_words(text: str) -> list[str]:
    """The words of a question that carry meaning, lower case, each once."""
    return [w for w in dict.fromkeys(re.findall(r"[^\W_]+", text.lower())) if w not in _STOP]


def midpoint(spec: EncoderSpec, compared: int) -> float:
    """Cosine at which the belief is one half when so many pictures were compared; see EncoderSpec."""
    return spec.midpoint + spec.growth * math.log(max(compared, 20) / 20)


def belief(cosine: float, spec: EncoderSpec, compared: int) -> float:
    """The encoder's calibrated belief that a picture at this cosine, of so many compared, shows what was asked."""
    return 1.0 / (1.0 + math.exp(-spec.slope * (cosine - midpoint(spec, compared))))


def recall(
    store: Store, index: KeyIndex, spec: EncoderSpec, query: Query, config: RecallConfig
) -> list[Candidate]:
    """The entries that bear most on a query, the strongest first, equal ones by time. Writes nothing."""
    among: list[int] | None = None
    before_s = min((t for t in (query.before_s, query.at_s) if t is not None), default=None)
    if query.stream is not None or query.after_s is not None or before_s is not None:
        among = store.select(stream=query.stream, after_s=query.after_s, before_s=before_s, known_by_s=query.at_s)
    share = config.key_weight
    compared = len(index) if among is None else len(among)
    row = np.concatenate([share * query.vector, (1 - share) * query.vector]).astype(np.float32)
    cosines = dict(index.search(row, 8 * query.top, among))
    words = content_words(query.text)
    written = store.match_words(words, "text")
    named = store.match_words(words, "labels")
    allowed = None if among is None else set(among)
    extra = sorted(
        (n for n in {*written, *named} if n not in cosines and (allowed is None or n in allowed)),
        key=lambda n: (-written.get(n, 0), -named.get(n, 0), n),
    )[: 8 * query.top]
    cosines.update(index.search(row, len(extra), extra))
    found = [
        _weigh(entry, belief(cosine, spec, compared), cosine, words, written.get(number, 0), named.get(number, 0))
        for number, cosine in cosines.items()
        if (entry := store.entry(number)) is not None
    ]
    found.sort(key=lambda c: (-c.score, -c.cosine, c.entry.stream, c.entry.t0_s))
    return found[: query.top]


def _weigh(entry: Entry, seen: float, cosine: float, words: Sequence[str], written: int, named: int) -> Candidate:
    total = max(1, len(words))
    by_text = TEXT_WEIGHT * (written / total) ** 2
    by_label = LABEL_WEIGHT * named / total
    holds = set(content_words(entry.text)) | set(content_words(" ".join(entry.labels)))
    return Candidate(
        entry=entry,
        score=1 - (1 - seen) * (1 - by_text) * (1 - by_label),
        seen=seen,
        cosine=cosine,
        words=tuple(word for word in words if word in holds),
    )
