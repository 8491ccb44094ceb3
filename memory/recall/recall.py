"""Recall: a question's vector and words in, moments with a belief each out.

Candidates come from the nearest entries (FAISS) and from full text. The belief that an entry shows what was asked
for joins what is seen and what is written, as independent causes (noisy-or, Pearl 1988):
p = 1 - (1 - p_seen) * (1 - p_written). p_seen is the encoder's calibrated belief at the cosine; p_written
grows with the share of the question's words that the source's text holds, and that notes of its time hold: what
was read in the picture, said, or given by the container (notes.py). That is so where words can be the answer.
Where a picture is asked for, it is believed by itself, and words alone are a claim and no answer (trust.py). A
note speaks for one entry, with which it shares most time; where none is left
it speaks for itself. So does a thing by its own picture (things.py): where that is believed more than the whole
frames, p_seen is its.

Where a memory is so large that the index no longer looks at every entry, it is also gone through from coarse to
fine: the best chapters, their best scenes; the entries in these join the candidates.

Shapes: N entries, D embedding dimension.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from hippocam.memory.filter import Filter
from hippocam.memory.provenance.records import import_of
from hippocam.memory.recall.index import KeyIndex
from hippocam.memory.recall.neighbours import with_neighbours
from hippocam.memory.recall.notes import about_speech, find_notes, words_that_answer
from hippocam.memory.recall.query import Candidate, NoteHit, Query, RecallConfig, SummaryHit, order
from hippocam.memory.recall.ranking import by_belief, trusted, varied, without_copies
from hippocam.memory.recall.thing_hit import ThingHit
from hippocam.memory.recall.things import find_things
from hippocam.memory.recall.things import lend as lend_things
from hippocam.memory.recall.trust import BELIEVED_FROM, PictureCheck, Trust
from hippocam.memory.recall.weighing import LABEL_WEIGHT, lend_notes, note_by_itself, thing_by_itself, weighed
from hippocam.memory.recall.words import Words, content_words
from hippocam.memory.records import Level
from hippocam.memory.store.database import Store
from hippocam.memory.store.summaries import Kind, Summary
from hippocam.memory.stress import stressed
from hippocam.memory.working.context import unit
from hippocam.stream.records import EncoderSpec, FloatArray

# Candidates that are weighed for each moment that is asked for.
_WIDER = 8
# The most candidates that are weighed.
_WIDEST = 4096
# Chapters, and scenes of these, that are gone into from coarse to fine.
_CHAPTERS = 16
_SCENES = 16


def midpoint(spec: EncoderSpec, compared: int) -> float:
    """Cosine at which the belief is one half when `compared` pictures were compared; see EncoderSpec."""
    return spec.midpoint + spec.growth * math.log(max(compared, 20) / 20)


def belief(cosine: float, spec: EncoderSpec, compared: int) -> float:
    """The encoder's calibrated belief that a picture at this cosine, of so many compared, shows what was asked."""
    return 1.0 / (1.0 + math.exp(-spec.slope * (cosine - midpoint(spec, compared))))


def index_rows(store: Store, entry_ids: Sequence[int], config: RecallConfig) -> FloatArray:
    """What the index holds of some entries, float32 [N, D]; see `stressed`."""
    return stressed(*store.entries.vectors(entry_ids), config.key_weight)


def recall(
    store: Store,
    index: KeyIndex,
    spec: EncoderSpec,
    query: Query,
    config: RecallConfig,
    check: PictureCheck | None = None,
) -> list[Candidate]:
    """Find the entries that bear most on a query, the strongest first, equal ones by time. Writes nothing.

    Args:
        store: The memory's database.
        index: Index of the entries that have vectors, up to date; see `index_rows`.
        spec: Spec of the encoder.
        query: What is looked for.
        config: How cosines are weighed; part of what the index holds.
        check: Looks at pictures of imports again; None takes their vectors at their word.
    """
    wanted = _with_place(store, query)
    if wanted is None:
        return []
    query = replace(query, vector=unit(query.vector))
    allowed = store.lookup.select(wanted) if wanted else None
    among = None if allowed is None else [entry_id for entry_id in allowed if entry_id in index]
    compared = query.compared
    if compared is None:
        compared = len(index) if among is None else len(among)
    believed = functools.partial(belief, spec=spec, compared=compared)
    asked = Words.ALL if query.in_words else words_that_answer(query.text)
    trust = Trust(store.provenance, query.vector, believed, check, words=asked)
    most, cosines = _nearest(store, index, query, among, believed, trust)
    if not index.exact:
        cosines.update(_coarse_to_fine(store, index, query, wanted, most, allowed))
    words, spoken = content_words(query.text), about_speech(query.text)
    written = store.words.match(words, "text", list(cosines))
    named = store.words.match(words, "labels", list(cosines))
    permitted = None if allowed is None else set(allowed)
    lent, alone = lend_notes(store, _notes(store, query, wanted, most), wanted)
    extra = _worded(
        (
            entry_id
            for entry_id in {*written, *named}
            if entry_id not in cosines and (permitted is None or entry_id in permitted)
        ),
        written,
        named,
        most,
    )
    shown, unheld = dict[int, ThingHit](), list[ThingHit]()
    if not spoken and not query.of_place:
        things = find_things(
            store, query.vector, wanted, most, lambda c, n: belief(c, spec, compared + n), query.labels
        )
        shown, unheld = lend_things(store, things, wanted)
    for entry_id in {**lent, **shown}:
        if entry_id not in extra and entry_id not in cosines:
            extra.append(entry_id)
    further = most + len(lent) + len(shown)
    cosines.update(index.search(query.vector, further, [entry_id for entry_id in extra if entry_id in index]))
    extra = [entry_id for entry_id in extra if entry_id not in index][:further]
    found, entries = [], store.entries.several([*cosines, *extra])
    for entry_id in {**cosines, **dict.fromkeys(extra)}:
        entry = entries.get(entry_id)
        if entry is not None and (spans := wanted.passing_of(entry)):
            cosine = _cosine(cosines.get(entry_id))
            seen = 0.0 if cosine is None or spoken else believed(cosine)
            counts = written.get(entry_id, 0), named.get(entry_id, 0)
            noted, thing = lent.get(entry_id), shown.get(entry_id)
            found.append(weighed(trust, entry, spans, seen, cosine or 0.0, words, counts, noted, thing))
    found += [note_by_itself(trust, hit) for hit in alone]
    found += [thing_by_itself(trust, hit) for hit in unheld]
    ranked = sorted(trusted(sorted(found, key=order)), key=by_belief)  # stable
    # where words are asked for, it says nothing of a moment that its picture is like another's
    best = _varied(store, ranked, query.top, words) if asked is Words.NONE else ranked[: query.top]
    return with_neighbours(store, best, query, wanted) if query.beside else best


def _notes(store: Store, query: Query, wanted: Filter, most: int) -> list[NoteHit]:
    return find_notes(store.notes, query.text, wanted, most, sentences=query.sentences, about_words=query.in_words)


def comparable(store: Store, index: KeyIndex, query: Query) -> int:
    """Count the pictures that a query is compared with: the entries with vectors that meet its conditions."""
    wanted = _with_place(store, query)
    if wanted is None:
        return 0
    return sum(entry_id in index for entry_id in store.lookup.select(wanted)) if wanted else len(index)


def overview(store: Store, spec: EncoderSpec, query: Query, found: Sequence[Candidate] = ()) -> list[SummaryHit]:
    """Find the scenes, chapters and days that bear most on a query, the strongest first. Writes nothing.

    None of them contains another, and none covers a time that one of the candidates in `found` cites.

    Args:
        store: The memory's database.
        spec: Spec of the encoder.
        query: What is looked for. `near` cannot be met by a summary.
        found: Candidates that are shown beside them.
    """
    wanted = _with_place(store, query)
    if wanted is None or wanted.near is not None:
        return []
    asked_D = unit(query.vector)
    every = [s for s in store.summaries.every(wanted.at_s) if _meets(s, wanted)]
    words = content_words(query.text)
    hits = []
    for summary in every:
        cosine = float(unit(summary.vector_D) @ asked_D)
        held = dict.fromkeys(word for text, _ in summary.words for word in content_words(text))
        shared = tuple(word for word in words if word in held)
        seen = belief(cosine, spec, len(every))
        score = 1 - (1 - seen) * (1 - LABEL_WEIGHT * len(shared) / max(1, len(words)))
        hits.append(SummaryHit(summary=summary, score=score, cosine=cosine, words=shared, entries=0))
    hits.sort(key=lambda h: (-h.score, -h.cosine, h.summary.kind, h.summary.stream, h.summary.first_seq))
    chosen = list[SummaryHit]()
    taken = [(c.entry.stream, span.t0_s, span.t1_s) for c in found for span in c.spans]
    for hit in hits:
        if len(chosen) == query.top:
            break
        s = hit.summary
        if any(s.stream == stream and _share_time(t0_s, t1_s, s.t0_s, s.t1_s) for stream, t0_s, t1_s in taken):
            continue
        taken.append((s.stream, s.t0_s, s.t1_s))
        chosen.append(replace(hit, entries=len(store.lookup.begun_within(s.stream, s.t0_s, s.t1_s))))
    return chosen


def _nearest(
    store: Store,
    index: KeyIndex,
    query: Query,
    among: Sequence[int] | None,
    believed: Callable[[float], float],
    trust: Trust,
) -> tuple[int, dict[int, float]]:
    """The nearest entries by cosine, and how many were asked for.

    Some for each moment that is asked for; more, as long as even the last of them is believed and they are copies
    of few: else what was planted many times could fill the list. A question of the kind that the entries are of,
    as a picture is of pictures, comes so near to all of them that belief, which is calibrated for texts beside
    pictures, would end nothing.
    """
    most = _WIDER * query.top
    while True:
        cosines = dict(index.search(query.vector, most, among))
        if len(cosines) < most or most >= _WIDEST or believed(min(cosines.values())) < BELIEVED_FROM:
            return most, cosines
        if _tell_apart(store, trust, list(cosines), query.top):
            return most, cosines
        most *= 4


def _tell_apart(store: Store, trust: Trust, entry_ids: Sequence[int], least: int) -> bool:
    """Whether `least` of some entries are footage that is not doubted, and none of these a copy of another."""
    if trust.doubts_imports:
        held = store.entries.several(entry_ids).values()
        entry_ids = [entry.id for entry in held if not trust.doubts(entry)]
    return len(entry_ids) >= least and without_copies(store.entries.vectors(entry_ids)[1], least) == least


def _varied(store: Store, found: Sequence[Candidate], top: int, words: Sequence[str]) -> list[Candidate]:
    """The best candidates, without what tells the same as others and keeps more moments out; see `varied`."""
    compared = [
        c.entry.id
        for rank, c in enumerate(found)
        if c.entry.level < Level.WORDS and (rank < _WIDER * top or c.score >= BELIEVED_FROM or c.told)
    ]
    _, scenes_ND = store.entries.vectors(compared)
    return varied(found, dict(zip(compared, scenes_ND, strict=True)), top, words)


def _share_time(a0_s: float, a1_s: float, b0_s: float, b1_s: float) -> bool:
    """Whether two times overlap; an instant overlaps a time that it lies in or at the edge of."""
    start, end = max(a0_s, b0_s), min(a1_s, b1_s)
    return start < end or (start == end and (a0_s == a1_s or b0_s == b1_s))


def _worded(
    entry_ids: Iterable[int], written: Mapping[int, int], named: Mapping[int, int], least: int
) -> list[int]:
    """The `least` entries that hold most words, and all that hold as many as the last of these."""
    rank = {entry_id: (-written.get(entry_id, 0), -named.get(entry_id, 0)) for entry_id in entry_ids}
    ordered = sorted(rank, key=lambda entry_id: (rank[entry_id], entry_id))
    if len(ordered) > least:
        last = rank[ordered[least - 1]]
        ordered = [entry_id for entry_id in ordered if rank[entry_id] <= last]
    return ordered


def _with_place(store: Store, query: Query) -> Filter | None:
    """The conditions of a query, and that nothing is in quarantine; None where nothing can meet them."""
    wanted = replace(query.wanted, apart=store.provenance.quarantine() or None)
    if query.place_of is None:
        return wanted
    entry = store.entries.get(query.place_of)
    if entry is None or not entry.place or not wanted.of_stream(entry.stream):
        return None
    return replace(wanted, stream=entry.stream, place=entry.place)


def _meets(summary: Summary, wanted: Filter) -> bool:
    return (
        wanted.of_stream(summary.stream)
        and wanted.place in (None, summary.place)
        and (wanted.apart is None or not wanted.apart.holds_entry(summary.stream, summary.first_seq))
        and wanted.overlaps(summary.t0_s, summary.t1_s, summary.known_s)
    )


def _coarse_to_fine(
    store: Store, index: KeyIndex, query: Query, wanted: Filter, most: int, allowed: Iterable[int] | None
) -> Mapping[int, float]:
    """Find the nearest entries in the nearest scenes of the nearest chapters, with their cosines."""
    tops, vectors_ND = store.summaries.tops()
    if not tops:
        return {}
    scores = (vectors_ND @ query.vector).round(6).tolist()
    order = sorted(range(len(tops)), key=lambda k: (-scores[k], tops[k][0]))
    good = [tops[k][0] for k in order if _may(tops[k][1], tops[k][2], wanted)][:_CHAPTERS]
    scenes = list[Summary]()
    for part in filter(None, map(store.summaries.get, good)):
        inner = store.summaries.children(part) if part.kind == Kind.CHAPTER else []
        scenes += [s for s in inner if _may(s.stream, s.t0_s, wanted)] or [part]
    scenes.sort(key=lambda s: (-round(float(s.vector_D @ query.vector), 6), s.id))
    within = {
        entry_id
        for s in scenes[:_SCENES]
        for entry_id in store.lookup.begun_within(s.stream, s.t0_s, s.t1_s)[:256]
    }
    within.intersection_update(allowed if allowed is not None else within)
    return dict(index.search(query.vector, most, sorted(entry_id for entry_id in within if entry_id in index)))


def _may(stream: str, t0_s: float, wanted: Filter) -> bool:
    """Whether an entry of a stream that begins at `t0_s` or later may meet the conditions."""
    return wanted.of_stream(stream) and (wanted.before_s is None or t0_s < wanted.before_s)


def _cosine(found: float | None) -> float | None:
    """Clip an inner product to a cosine: of rounded vectors, or of signs, it may lie beyond 1."""
    return None if found is None else max(-1.0, min(1.0, found))


def notable(store: Store, wanted: Filter, top: int) -> list[Candidate]:
    """Find the entries that were most novel in their streams among those that meet some conditions, by time.

    Args:
        store: The memory's database.
        wanted: Where and when.
        top: How many at most.

    Returns:
        Candidates with a belief of 1: they were there.
    """
    wanted = replace(wanted, apart=store.provenance.quarantine() or None)
    every = store.entries.several(store.lookup.select(wanted)).values()
    found = [(entry, spans) for entry in every if (spans := wanted.passing_of(entry))]
    best = sorted(found, key=lambda pair: (-pair[0].utility, pair[0].t0_s, pair[0].id))[:top]
    parts = store.provenance.parts()
    return [
        Candidate(
            entry=entry,
            score=1.0,
            seen=1.0,
            cosine=0.0,
            words=(),
            spans=spans,
            made_by=import_of(parts.get(entry.stream), entry.first_seq),
        )
        for entry, spans in sorted(best, key=lambda pair: (pair[1][0].t0_s, pair[0].stream, pair[0].id))
    ]
