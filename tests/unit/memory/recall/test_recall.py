import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hippocam.memory.filter import Filter
from hippocam.memory.longterm.summaries import Summaries, SummaryConfig
from hippocam.memory.recall.index import KeyIndex
from hippocam.memory.recall.query import Query, RecallConfig
from hippocam.memory.recall.recall import belief, index_rows, overview, recall
from hippocam.memory.records import Event, Level, Span
from hippocam.memory.store.database import Store
from hippocam.memory.store.summaries import Kind
from hippocam.stream.records import EncoderSpec, Sensors

D = 16
SPEC = EncoderSpec(id="test:1", dim=D, normalised=True, midpoint=0.5, slope=20.0)
AXES = np.eye(D, dtype=np.float32)
CONFIG = RecallConfig()


def unit(vector):
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def make_event(stream="cam", seq=0, t0_s=0.0, key=AXES[0], scene=None, **kwargs):
    return Event(
        stream=stream, first_seq=seq, last_seq=seq + 4, t0_s=t0_s, t1_s=t0_s + 5, known_s=t0_s + 4, key=key,
        scene=key if scene is None else scene, surprise=0.5, utility=1.0, frame_s=t0_s + 2, jpeg=b"x", **kwargs,
    )  # fmt: skip


def span(t0_s, t1_s, known_s=None):
    return Span(t0_s=float(t0_s), t1_s=float(t1_s), known_s=float(t1_s if known_s is None else known_s))


class Bench:
    """A store, and questions to it as Memory asks them."""

    def __init__(self, store):
        self.store = store
        self.flat_values = 10**9

    def put(self, *events):
        return [self.store.entries.insert(event) for event in events]

    def index(self):
        def read(numbers):
            return index_rows(self.store, numbers, CONFIG)

        index = KeyIndex(D, read, flat_values=self.flat_values)
        numbers = sorted(self.store.entries.ids())
        index.add(numbers, read(numbers))
        if index.due():
            index.rebuild(wait=True)
        return index

    def ask(self, vector=AXES[0], text="", **kwargs):
        query = Query(text=text, vector=vector, **kwargs)
        return recall(self.store, self.index(), SPEC, query, CONFIG)

    def see_again(self, number, *spans):
        first, *further = spans
        self.store.entries.set_spans(number, first=first, further=further, met=len(spans), strength=1.0)


@pytest.fixture
def bench(tmp_path):
    store = Store(tmp_path / "memory.db", writable=True)
    yield Bench(store)
    store.close()


def test_cosines_are_those_of_key_and_scene_by_brute_force(bench):
    rng = np.random.default_rng(0)
    events = [
        make_event(seq=k, t0_s=5.0 * k, key=unit(rng.standard_normal(D)), scene=unit(rng.standard_normal(D)))
        for k in range(200)
    ]
    numbers = bench.put(*events)
    query = unit(rng.standard_normal(D))
    keys, scenes = bench.store.entries.vectors(numbers)
    rows = [unit(s + (1 - (s @ k) ** 2) ** 2 * (s @ k) * k) for k, s in zip(keys, scenes, strict=True)]
    truth = {n: float(row @ query) for n, row in zip(numbers, rows, strict=True)}
    found = bench.ask(query, top=10)
    assert [c.entry.id for c in found] == sorted(truth, key=lambda n: -truth[n])[:10]
    for candidate in found:
        assert candidate.cosine == pytest.approx(truth[candidate.entry.id], abs=1e-6)
        assert candidate.score == pytest.approx(belief(candidate.cosine, SPEC, 200))
    assert bench.ask(query, top=10) == found


def test_camera_place_and_pose(bench):
    def pose(x, y):
        return Sensors(pose=np.array([x, y, 0, 0, 0, 0, 1], np.float32))

    a, b, c, d = bench.put(
        make_event("home/left", place=1, sensors=pose(0, 0)),
        make_event("home/right", place=1, sensors=pose(3, 4)),
        make_event("left", place=2),
        make_event("home/left", seq=9, t0_s=50, place=2, sensors=pose(6, 8)),
    )

    def ids(**kwargs):
        return {candidate.entry.id for candidate in bench.ask(**kwargs)}

    assert ids(camera="left") == {a, c, d}
    assert ids(camera="eft") == set()
    assert ids(stream="home") == {a, b, d}
    assert ids(place=1) == {a, b}
    assert ids(stream="home/left", place=2) == {d}
    assert ids(place_of=a) == {a}
    assert ids(place_of=12345) == set()
    assert ids(near=(0.0, 0.0, 5.0)) == {a, b}
    assert ids(near=(6.0, 8.0, 0.1)) == {d}


def test_only_spans_that_pass_are_cited_the_exemplars_first(bench):
    (number,) = bench.put(make_event(t0_s=100.0))  # exemplar at 102
    bench.see_again(number, span(10, 20), span(100, 105), span(300, 310), span(500, 510))

    def cited(**kwargs):
        found = bench.ask(**kwargs)
        return [([(s.t0_s, s.t1_s) for s in c.spans], (c.cited.t0_s, c.cited.t1_s)) for c in found]

    every = [(10, 20), (100, 105), (300, 310), (500, 510)]
    assert cited() == [(every, (100, 105))]
    assert cited(after_s=105) == [(every[2:], (500, 510))]
    assert cited(before_s=50) == [(every[:1], (10, 20))]
    assert cited(after_s=20, before_s=100) == []  # seen before and after, not then
    assert cited(at_s=400) == [(every[:3], (100, 105))]
    assert cited(at_s=50) == []  # its exemplar, and so its key, is of later


times = st.integers(0, 60).map(float)
maybe = st.none() | times


@settings(max_examples=200, deadline=None)
@given(
    starts=st.lists(st.tuples(times, st.integers(0, 9), st.integers(0, 5)), min_size=1, max_size=4),
    which=st.integers(0, 3),
    after_s=maybe,
    before_s=maybe,
    at_s=maybe,
)
def test_a_span_passes_if_and_only_if_it_meets_every_condition(starts, which, after_s, before_s, at_s):
    spans = tuple(span(t, t + length, t + min(known, length)) for t, length, known in sorted(starts))
    frame_s = spans[min(which, len(spans) - 1)].t0_s
    passing = Filter(after_s=after_s, before_s=before_s, at_s=at_s).passing(spans, frame_s)
    whole = at_s is None or (
        spans[0].known_s <= at_s
        and frame_s <= at_s
        and all(s.known_s <= at_s for s in spans if s.t0_s <= frame_s <= s.t1_s)
    )
    for s in spans:
        meets = (
            whole
            and s.t1_s > (-math.inf if after_s is None else after_s)
            and s.t0_s < (math.inf if before_s is None else before_s)
            and s.known_s <= (math.inf if at_s is None else at_s)
        )
        assert (s in passing) == meets


def test_the_store_selects_what_the_filter_passes(bench):
    rng = np.random.default_rng(1)
    for k in range(120):
        (number,) = bench.put(
            make_event(f"s{k % 3}/cam{k % 2}", seq=k, t0_s=float(rng.integers(100)), place=k % 4)
        )
        if k % 2:
            starts = sorted(rng.integers(100, size=3).tolist())
            bench.see_again(number, *(span(t, t + 3, t + 2) for t in starts))
    numbers = sorted(bench.store.entries.ids())
    for _ in range(100):
        values = [None if rng.random() < 0.5 else float(rng.integers(110)) for _ in range(3)]
        wanted = Filter(
            stream=rng.choice([None, "s1", "s2/cam0"]),
            camera=rng.choice([None, "cam1"]),
            place=rng.choice([None, 2]),
            after_s=values[0],
            before_s=values[1],
            at_s=values[2],
        )
        truth = [n for n in numbers if wanted.passing_of(bench.store.entries.get(n))]
        assert bench.store.lookup.select(wanted) == truth
        found = bench.ask(
            top=500, **{f.name: getattr(wanted, f.name) for f in dataclasses.fields(wanted) if f.name != "near"}
        )
        assert sorted(c.entry.id for c in found) == truth


def test_what_is_asked_at_a_time_was_known_then(bench):
    rng = np.random.default_rng(2)
    for k in range(60):
        (number,) = bench.put(make_event(seq=k, t0_s=float(rng.integers(200))))
        if k % 2:
            entry = bench.store.entries.get(number)
            later = sorted((entry.t1_s + rng.integers(1, 200, size=2)).tolist())
            bench.see_again(number, entry.spans[0], *(span(t, t + 3, t + 2) for t in later))
    for at_s in range(0, 400, 7):
        for candidate in bench.ask(at_s=float(at_s), top=100):
            assert all(s.known_s <= at_s for s in candidate.spans)
            assert candidate.entry.known_s <= at_s
            assert candidate.entry.frame_s <= at_s


def test_an_entry_of_words_alone_is_found_by_its_words(bench):
    one, _ = bench.put(
        make_event(key=AXES[1], text="grasp the yellow bottle"), make_event(seq=5, t0_s=9.0, key=AXES[2])
    )
    bench.store.entries.demote([one], Level.WORDS)
    best = bench.ask(AXES[9], "a yellow bottle")[0]
    assert best.entry.id == one
    assert (best.seen, best.cosine) == (0, 0)
    assert best.score == pytest.approx(0.9)
    assert one not in {c.entry.id for c in bench.ask(AXES[1])}


def test_of_many_with_the_same_words_the_one_that_looks_right_is_found(bench):
    rng = np.random.default_rng(0)
    near = [unit(0.5 * AXES[0] + AXES[2 + k % 9]) for k in range(60)]
    bench.put(*(make_event(seq=k, t0_s=5.0 * k, key=key) for k, key in enumerate(near)))
    far = [unit(rng.standard_normal(D) - 4 * AXES[0]) for _ in range(300)]
    far[250] = unit(0.4 * AXES[0] + AXES[1])
    numbers = bench.put(
        *(make_event("task", seq=k, t0_s=5.0 * k, key=key, text="wash the cup") for k, key in enumerate(far))
    )
    assert bench.ask(AXES[0], "a cup", top=2)[0].entry.id == numbers[250]


def test_a_word_that_most_entries_hold_is_still_counted_where_it_matters(bench):
    numbers = bench.put(*(make_event(seq=k, t0_s=5.0 * k, labels=("person",)) for k in range(30)))
    (rare,) = bench.put(make_event(seq=99, t0_s=999.0, labels=("person", "dog")))
    store = bench.store
    assert store.words.match(["person", "dog"], "labels", numbers[:2], most=10) == {
        numbers[0]: 1, numbers[1]: 1, rare: 1,
    }  # fmt: skip
    assert len(store.words.match(["person"], "labels", [])) == 31


def test_neighbours_are_context_below_their_anchor(bench):
    events = [make_event(seq=5 * k, t0_s=5.0 * k, key=AXES[k]) for k in range(6)]
    numbers = bench.put(*events, make_event("other", seq=1, t0_s=5.0, key=AXES[9]))
    found = bench.ask(AXES[2], top=1, beside=1)
    anchor, *context = found
    assert anchor.entry.id == numbers[2]
    assert {c.entry.id for c in context} == {numbers[1], numbers[3]}
    assert all(c.beside == anchor.entry.id and c.score < anchor.score for c in context)
    assert bench.ask(AXES[2], top=1) == [anchor]
    assert {c.entry.id for c in bench.ask(AXES[2], top=1, beside=1, before_s=15.0)} == set(numbers[1:3])


def test_no_neighbour_across_a_gap(bench):
    bench.put(
        make_event(seq=0, t0_s=0.0, key=AXES[1]),
        make_event(seq=5, t0_s=100.0, key=AXES[2]),
        make_event(seq=9, t0_s=105.0, key=AXES[3]),
    )
    assert [c.entry.t0_s for c in bench.ask(AXES[2], top=1, beside=1)] == [100, 105]


def fill(bench, n, *, run=6, seed=0):
    """Runs of events that look alike, with summaries; the looks of the runs."""
    rng = np.random.default_rng(seed)
    looks = [unit(rng.standard_normal(D)) for _ in range(n // run)]
    summaries = Summaries(bench.store.summaries, dim=D, budget_bytes=10**9, config=SummaryConfig())
    for k in range(n):
        key = unit(looks[k // run] + 0.05 * rng.standard_normal(D))
        event = make_event(seq=5 * k, t0_s=5.0 * k, key=key, labels=(f"look{k // run}",))
        with bench.store.transaction():
            summaries.add(event, bench.store.entries.insert(event))
    with bench.store.transaction():
        summaries.finish("cam")
    return looks


def test_no_answer_holds_an_ancestor_and_its_descendant(bench):
    looks = fill(bench, 600)
    for look in looks[::9]:
        query = Query(text="", vector=look, top=8)
        moments = recall(bench.store, bench.index(), SPEC, query, CONFIG)
        hits = overview(bench.store, SPEC, query, moments)
        assert hits
        times = [(h.summary.t0_s, h.summary.t1_s) for h in hits]
        times += [(s.t0_s, s.t1_s) for c in moments for s in c.spans]
        parents = {h.summary.id: h.summary.parent for h in hits}
        assert not set(parents) & set(parents.values())
        for k, (t0_s, t1_s) in enumerate(times):
            for other0_s, other1_s in times[k + 1 : len(hits)]:
                assert t1_s <= other0_s or other1_s <= t0_s
            if k < len(hits):
                assert all(t1_s <= a or b <= t0_s for a, b in times[len(hits) :])


def test_a_time_whose_entries_are_all_gone_is_still_told_of(bench):
    looks = fill(bench, 120)
    for number in bench.store.lookup.begun_within("cam", 30.0, 59.0):
        bench.store.entries.delete(number)
    best = overview(bench.store, SPEC, Query(text="", vector=looks[1]))[0]
    assert (best.summary.kind, best.summary.t0_s, best.summary.t1_s) == (Kind.SCENE, 30, 60)
    assert best.entries == 0
    assert best.score > 0.9
    assert overview(bench.store, SPEC, Query(text="look1", vector=AXES[0]))[0].words == ("look1",)
    known = overview(bench.store, SPEC, Query(text="", vector=looks[1], at_s=40.0))
    assert [h.summary.known_s for h in known] == [29]
    assert all(
        h.summary.t1_s > 300 for h in overview(bench.store, SPEC, Query(text="", vector=AXES[0], after_s=300))
    )


def test_a_large_memory_is_searched_as_well_as_a_small_one(bench):
    looks = fill(bench, 3000)
    doubtful = dataclasses.replace(SPEC, midpoint=2.0)  # nothing is believed, so that no look-alike makes way
    queries = [Query(text="", vector=look, top=5) for look in looks[::20]]
    small = [recall(bench.store, bench.index(), doubtful, query, CONFIG) for query in queries]
    bench.flat_values = 100 * D
    index = bench.index()
    assert not index.exact
    hits = 0
    for truth, query in zip(small, queries, strict=True):
        found = recall(bench.store, index, doubtful, query, CONFIG)
        hits += len({c.entry.id for c in found} & {c.entry.id for c in truth})
        assert all(c in truth for c in found if c.entry.id in {t.entry.id for t in truth})
    assert hits / (5 * len(small)) >= 0.98


def test_a_wrong_weight_is_named():
    with pytest.raises(ValueError, match=r"recall\.key_weight must be 0 to 100, found -2"):
        RecallConfig(key_weight=-2)
