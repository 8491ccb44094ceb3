"""Recall: a question's vector and words in, moments with a belief each out.

Candidates come from the nearest entries (FAISS) and from full text. The belief that an entry shows what was asked
for joins what is seen and what is written, as independent causes (noisy-or, Pearl 1988):
p = 1 - (1 - p_seen) * (1 - p_written). p_seen is the encoder's calibrated belief at the cosine; p_written
grows with the share of the question's words that the source's text holds, and that notes of its time hold: what
was read in the picture, said, or given by the container (notes.py). A note speaks for one entry, with which it
shares most time; where none is left it speaks for itself. So does a thing by its own picture (things.py): where
that is believed more than the whole frames, p_seen is its.

Where a memory is so large that the index no longer looks at every entry, it is also gone through from coarse to
fine: the best chapters, their best scenes; the entries in these join the candidates.

Shapes: N entries, D embedding dimension.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from hippocam.memory.filter import Filter
from hippocam.memory.recall.index import KeyIndex
from hippocam.memory.recall.notes import NoteHit, about_speech, find_notes
from hippocam.memory.recall.query import Candidate, Query, RecallConfig, SummaryHit
from hippocam.memory.recall.stress import stressed
from hippocam.memory.recall.thing_hit import ThingHit
from hippocam.memory.recall.things import entry_of, find_things
from hippocam.memory.recall.things import lend as lend_things
from hippocam.memory.recall.words import content_words
from hippocam.memory.records import Entry, Level, Span
from hippocam.memory.store.database import Store
from hippocam.memory.store.notes import note_id
from hippocam.memory.store.summaries import Kind, Summary
from hippocam.memory.working.context import unit
from hippocam.stream.records import EncoderSpec, FloatArray

# Belief when all of a question's words stand in the source's own text.
TEXT_WEIGHT = 0.9
# Belief when all of them stand among the recognised labels.
LABEL_WEIGHT = 0.3
# Candidates that are weighed for each moment that is asked for.
_WIDER = 8
# Belief of a neighbour in time, as a share of that of the moment that it stands beside.
_BESIDE = 0.5
# The longest pause between a moment and its neighbour, in seconds.
_BESIDE_GAP_S = 5.0
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
    store: Store, index: KeyIndex, spec: EncoderSpec, query: Query, config: RecallConfig
) -> list[Candidate]:
    """Find the entries that bear most on a query, the strongest first, equal ones by time. Writes nothing.

    Args:
        store: The memory's database.
        index: Index of the entries that have vectors, up to date; see `index_rows`.
        spec: Spec of the encoder.
        query: What is looked for.
        config: How cosines are weighed; part of what the index holds.
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
    most = _WIDER * query.top
    cosines = dict(index.search(query.vector, most, among))
    if not index.exact:
        cosines.update(_coarse_to_fine(store, index, query, wanted, most, allowed))
    words, spoken = content_words(query.text), about_speech(query.text)
    written = store.words.match(words, "text", list(cosines))
    named = store.words.match(words, "labels", list(cosines))
    permitted = None if allowed is None else set(allowed)
    lent, alone = _lend(store, find_notes(store.notes, query.text, wanted, most, query.sentences), wanted)
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
    if not spoken:
        things = find_things(store, query.vector, wanted, most, lambda c, n: belief(c, spec, compared + n))
        shown, unheld = lend_things(store, things, wanted)
    for entry_id in {**lent, **shown}:
        if entry_id not in extra and entry_id not in cosines:
            extra.append(entry_id)
    further = most + len(lent) + len(shown)
    cosines.update(index.search(query.vector, further, [entry_id for entry_id in extra if entry_id in index]))
    extra = [entry_id for entry_id in extra if entry_id not in index][:further]
    found = []
    for entry_id in {**cosines, **dict.fromkeys(extra)}:
        entry = store.entries.get(entry_id)
        if entry is not None and (spans := wanted.passing_of(entry)):
            cosine = _cosine(cosines.get(entry_id))
            seen = 0.0 if cosine is None or spoken else belief(cosine, spec, compared)
            counts = written.get(entry_id, 0), named.get(entry_id, 0)
            weighed = _weigh(entry, spans, seen, cosine or 0.0, words, counts, lent.get(entry_id))
            found.append(_with_thing(weighed, shown.get(entry_id)))
    found += map(_by_itself, alone)
    found += map(_thing_by_itself, unheld)
    found.sort(key=order)
    best = found[: query.top]
    return _with_neighbours(store, best, query, wanted) if query.beside else best


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


def _with_neighbours(store: Store, best: list[Candidate], query: Query, wanted: Filter) -> list[Candidate]:
    """Add the neighbours of the first `beside` candidates, each believed less than the one it stands beside."""
    known = {candidate.entry.id for candidate in best}
    found = list(best)
    for anchor in best[: query.beside]:
        neighbours = _next_to(store, anchor, wanted) if query.far else _close_to(store, anchor, wanted)
        for entry, spans in neighbours:
            if entry.id in known:
                continue
            known.add(entry.id)
            found.append(
                Candidate(
                    entry=entry,
                    score=_BESIDE * anchor.score,
                    seen=0.0,
                    cosine=0.0,
                    words=(),
                    spans=spans,
                    beside=anchor.entry.id,
                )
            )
    return sorted(found, key=order)


def _close_to(store: Store, anchor: Candidate, wanted: Filter) -> Iterator[tuple[Entry, tuple[Span, ...]]]:
    """The entries that stand beside a candidate within a few seconds."""
    span = anchor.cited
    for entry_id in store.lookup.beside(anchor.entry.stream, span.t0_s, span.t1_s, _BESIDE_GAP_S):
        entry = store.entries.get(entry_id)
        if entry is not None and (spans := wanted.passing_of(entry)):
            yield entry, spans


def _next_to(store: Store, anchor: Candidate, wanted: Filter) -> Iterator[tuple[Entry, tuple[Span, ...]]]:
    """The nearest entry on each side of a candidate in its stream (it may be the same), with the spans nearest."""
    found = dict[int, tuple[Entry, tuple[Span, ...]]]()
    for side in store.lookup.around(anchor.entry.stream, anchor.cited.t0_s, anchor.cited.t1_s):
        for entry_id, near in side:
            entry = store.entries.get(entry_id)
            if entry is not None and near in wanted.passing_of(entry):
                _, others = found.get(entry_id, (entry, ()))
                found[entry_id] = (entry, (*others, near))
                break
    yield from found.values()


def order(candidate: Candidate) -> tuple[float, float, str, float, int]:
    """Sort key of candidates: the strongest first, equal ones by time."""
    entry = candidate.entry
    return -candidate.score, -candidate.cosine, entry.stream, entry.t0_s, entry.id


def _cosine(found: float | None) -> float | None:
    """Clip an inner product to a cosine: of rounded vectors, or of signs, it may lie beyond 1."""
    return None if found is None else max(-1.0, min(1.0, found))


def _weigh(
    entry: Entry,
    spans: tuple[Span, ...],
    seen: float,
    cosine: float,
    words: Sequence[str],
    counts: tuple[int, int],
    noted: NoteHit | None,
) -> Candidate:
    total = max(1, len(words))
    by_text = TEXT_WEIGHT * (counts[0] / total) ** 2
    by_label = LABEL_WEIGHT * counts[1] / total
    by_note = noted.belief if noted is not None else 0.0
    holds = set(content_words(entry.text)) | set(content_words(" ".join(entry.labels)))
    return Candidate(
        entry=entry,
        score=1 - (1 - seen) * (1 - by_text) * (1 - by_label) * (1 - by_note),
        seen=seen,
        cosine=cosine,
        words=tuple(word for word in words if word in holds),
        spans=spans,
        noted=noted,
    )


def _with_thing(candidate: Candidate, hit: ThingHit | None) -> Candidate:
    """Let a thing speak for its entry where its own picture is believed more than the frames.

    The two are no independent causes: the frames show the thing too.
    """
    if hit is None or hit.belief <= candidate.seen:
        return candidate
    rest = (1 - candidate.score) / max(1 - candidate.seen, 1e-12)
    return replace(candidate, score=1 - (1 - hit.belief) * rest, seen=hit.belief, cosine=hit.cosine, thing=hit)


def _thing_by_itself(hit: ThingHit) -> Candidate:
    """Make a candidate without a picture of a thing whose time no entry holds any more."""
    return Candidate(
        entry=entry_of(hit),
        score=hit.belief,
        seen=hit.belief,
        cosine=hit.cosine,
        words=(),
        spans=(hit.span,),
        thing=hit,
    )


def _lend(store: Store, hits: Sequence[NoteHit], wanted: Filter) -> tuple[dict[int, NoteHit], list[NoteHit]]:
    """Give each note to the entry with which it shares most time.

    Returns:
        The strongest hit of each entry, and the hits whose time no entry holds any more.
    """
    lent, alone = dict[int, NoteHit](), list[NoteHit]()
    for hit in hits:
        shared = dict[int, float]()
        for entry_id in store.lookup.passed_by(hit.stream, hit.span.t0_s, hit.span.t1_s):
            entry = store.entries.get(entry_id)
            for span in wanted.passing_of(entry) if entry is not None else ():
                common_s = min(span.t1_s, hit.span.t1_s) - max(span.t0_s, hit.span.t0_s)
                if common_s >= 0:
                    shared[entry_id] = max(common_s, shared.get(entry_id, 0.0))
        if shared:
            best = min(shared, key=lambda entry_id: (-shared[entry_id], entry_id))
            lent.setdefault(best, hit)
        else:
            alone.append(hit)
    return lent, alone


def _by_itself(hit: NoteHit) -> Candidate:
    """Make a candidate without a picture of notes whose time no entry holds any more."""
    first, span = hit.notes[0], hit.span
    entry = Entry(
        id=note_id(first.stream, first.kind, first.t0_s, first.text),
        stream=hit.stream,
        t0_s=span.t0_s,
        t1_s=span.t1_s,
        known_s=span.known_s,
        frame_s=span.t0_s,
        surprise=0.0,
        utility=0.0,
        labels=(),
        text="",
        frames=0,
        repeats=0,
        jpeg_bytes=0,
        spans=(span,),
        level=Level.WORDS,
    )
    return Candidate(
        entry=entry, score=hit.belief, seen=0.0, cosine=0.0, words=hit.words, spans=(span,), noted=hit
    )


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
    every = (store.entries.get(entry_id) for entry_id in store.lookup.select(wanted))
    found = [(entry, spans) for entry in every if entry is not None and (spans := wanted.passing_of(entry))]
    best = sorted(found, key=lambda pair: (-pair[0].utility, pair[0].t0_s, pair[0].id))[:top]
    return [
        Candidate(entry=entry, score=1.0, seen=1.0, cosine=0.0, words=(), spans=spans)
        for entry, spans in sorted(best, key=lambda pair: (pair[1][0].t0_s, pair[0].stream, pair[0].id))
    ]
