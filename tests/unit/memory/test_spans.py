"""The spans that an entry keeps are true ones: never averaged, the first and the latest among them."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from hippocam.memory.records import Span
from hippocam.memory.spans import MAX_SPANS, join_spans, union_of


def span(t0_s, t1_s):
    return Span(t0_s=t0_s, t1_s=t1_s, known_s=t1_s)


def test_spans_are_true_spans_first_latest_and_the_two_that_stand_most_alone():
    true = [span(0, 1), span(10, 11), span(12, 13), span(50, 51), span(52, 53), span(90, 91)]
    for order in (true, true[::-1], true[3:] + true[:3]):
        kept = join_spans(order)
        assert len(kept) == 4
        assert kept[0] == true[0]
        assert kept[-1] == true[-1]
        assert set(kept) <= set(true)
        assert [k.t0_s for k in kept] == sorted(k.t0_s for k in kept)


def test_spans_that_touch_become_their_union():
    assert join_spans([span(5, 9), span(0, 5), span(7, 8), span(20, 21)]) == [span(0, 9), span(20, 21)]


def test_a_union_is_known_once_the_last_of_its_frames_is():
    early = Span(t0_s=0.0, t1_s=5.0, known_s=9.0)
    late = Span(t0_s=5.0, t1_s=6.0, known_s=6.0)
    assert union_of([late, early]) == [Span(t0_s=0.0, t1_s=6.0, known_s=9.0)]


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 9)), min_size=1, max_size=12))
def test_a_union_holds_all_times_and_no_others(times):
    spans = [span(t0_s, t0_s + length) for t0_s, length in times]
    union = union_of(spans)
    seconds = {t for s in spans for t in range(int(2 * s.t0_s), int(2 * s.t1_s) + 1)}  # half seconds
    assert {t for s in union for t in range(int(2 * s.t0_s), int(2 * s.t1_s) + 1)} == seconds
    assert all(a.t1_s < b.t0_s for a, b in itertools.pairwise(union))
    kept = join_spans(spans)
    assert len(kept) == min(len(union), MAX_SPANS)
    assert set(kept) <= set(union)
    assert (kept[0], kept[-1]) == (union[0], union[-1])
