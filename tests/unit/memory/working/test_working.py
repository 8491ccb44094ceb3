import itertools

import numpy as np
import pytest

from hippocam.memory.records import Continuation, Event
from hippocam.memory.working.working import WorkingConfig, WorkingMemory
from hippocam.stream.records import Embedding

A, B, C = np.eye(8, dtype=np.float32)[:3]


def run(items, config=None, end_s=None):
    working = WorkingMemory("cam", config)
    closed = [event for item in items for event in working.push(item)]
    return closed + list(working.flush(end_s))


def noisy(rng, vector):
    return vector + 0.05 * rng.normal(size=8).astype(np.float32)


def test_events_are_cut_where_the_scene_changes(frames_of):
    rng = np.random.default_rng(0)
    scenes = [(t, noisy(rng, A if t < 5 else B if t < 9 else C)) for t in range(14)]
    events = run(frames_of("cam", scenes), end_s=14.5)
    assert [(e.t0_s, e.t1_s) for e in events] == [(0, 5), (5, 9), (9, 14.5)]


def test_a_noisy_still_scene_is_cut_by_length_only(frames_of):
    rng = np.random.default_rng(1)
    events = run(frames_of("cam", [(t, noisy(rng, A)) for t in range(60)]), WorkingConfig(max_s=20))
    assert [e.t0_s for e in events] == [0, 20, 40]


def test_the_exemplar_is_a_frame_of_its_event_and_the_nearest_to_its_mean(frames_of):
    rng = np.random.default_rng(2)
    items = frames_of("cam", [(t + 0.25, noisy(rng, A if t < 6 else B)) for t in range(12)])
    for event in run(items):
        inside = [i for i in items if event.first_seq <= i.seq <= event.last_seq]
        mean = np.mean([i.vector for i in inside], axis=0)
        nearest = max(inside, key=lambda i: float(i.vector @ mean))
        assert event.frame_s == nearest.time_s
        assert event.jpeg == nearest.jpeg == f"cam@{event.frame_s:.3f}".encode()


def test_the_key_is_what_is_new_in_the_place(frames_of):
    scenes = [(t, A) for t in range(9)] + [(t, A + B) for t in range(9, 13)]
    first, second = run(frames_of("cam", scenes))
    assert first.key @ A == pytest.approx(1)
    assert first.surprise == pytest.approx(1)
    assert second.scene @ A > 0.7
    assert second.key @ B == pytest.approx(1, abs=1e-5)  # the A that was there all along is gone
    assert second.surprise == pytest.approx(np.sqrt(0.5), abs=1e-3)  # half of A + B is new


def test_what_was_there_all_along_is_taken_out_when_a_camera_comes_back(frames_of):
    places = [(t, (A, B)[t // 20 % 2]) for t in range(60)]
    *_, last = run(frames_of("cam", [*places, *((t, B + C) for t in range(60, 64))]))
    assert last.key @ C > 0.95  # B was known from 20 s to 40 s, and not since


def test_a_place_is_recognised_again(frames_of):
    events = run(frames_of("cam", [(t, (A, B, C)[t // 30 % 3]) for t in range(180)]))
    at = {t: next(e.place for e in events if e.t0_s <= t < e.t1_s) for t in (25, 55, 85, 115, 145, 175)}
    assert at[25] == at[115] != at[55] == at[145] != at[85] == at[175]


def test_a_quiet_scene_prolongs_its_event_without_new_ones(frames_of):
    quiet = [(0, A), (1, A)] + [(t, None) for t in range(2, 100)]
    event, *more = run(frames_of("cam", quiet), end_s=100)
    assert isinstance(event, Event)
    assert all(isinstance(m, Continuation) for m in more)
    assert event.known_s == 1
    assert more[-1].t1_s == 100
    assert event.frames + event.repeats + sum(m.repeats for m in more) == 100
    assert max(b.t1_s - a.t1_s for a, b in zip([event, *more], more, strict=False)) <= 11


def test_a_gap_ends_an_event_at_its_last_frame(frames_of):
    events = run(frames_of("cam", [(0, A), (1, A), (2, A), (500, A), (501, A)]))
    assert [(e.t0_s, e.t1_s) for e in events] == [(0, 2), (500, 501)]


def test_times_that_run_backwards_start_a_new_event_and_stay_true(frames_of):
    events = run(frames_of("cam", [(10, A), (11, A), (3, A), (4, A)]))
    assert [(e.t0_s, e.t1_s) for e in events] == [(10, 11), (3, 4)]


def test_one_frame_makes_one_event(frames_of):
    (event,) = run(frames_of("cam", [(0, A)]), end_s=0.04)
    assert (event.t0_s, event.t1_s, event.frames) == (0, 0.04, 1)


def test_restored_state_goes_on_as_if_never_interrupted(frames_of):
    rng = np.random.default_rng(3)
    items = frames_of("cam", [(t, noisy(rng, (A, B, C, A + B)[t // 4 % 4])) for t in range(64)])
    whole = run(items)
    for stop in (1, 3, 7):
        first, changes, places, working = [], [], {}, WorkingMemory("cam")
        feed = (event for item in items for event in working.push(item))
        for _ in range(stop):
            first.append(next(feed))
            changes.append(working.state().change)
        again = WorkingMemory("cam")
        places.update((c.place.number, c.place) for c in changes)
        again.restore(working.state().blob, list(places.values()))
        rest = [i for i in items if i.seq > first[-1].last_seq]
        second = [event for item in rest for event in again.push(item)] + list(again.flush())
        for got, true in zip(first + second, whole, strict=True):
            assert (got.first_seq, got.last_seq, got.t0_s, got.t1_s) == (
                true.first_seq,
                true.last_seq,
                true.t0_s,
                true.t1_s,
            )
            np.testing.assert_array_equal(got.key, true.key)


def test_the_open_event_is_bounded_at_any_frame_rate(frames_of):
    working = WorkingMemory("cam", WorkingConfig(max_frames=16))
    for item in frames_of("cam", [(t / 1000, A) for t in range(500)]):
        list(working.push(item))
        assert working.open_frames <= 16


@pytest.mark.parametrize(("name", "value"), [("gamma", -1), ("max_s", 0), ("min_frames", 0), ("window", 1)])
def test_a_wrong_setting_is_named(name, value):
    with pytest.raises(ValueError, match=f"working.{name} must be"):
        WorkingConfig(**{name: value})


def test_sampling_slower_than_a_gap_leaves_no_holes(frames_of):
    working = WorkingMemory("cam", fps=0.05)
    items = frames_of("cam", [(20.0 * n, (A, B, C)[n // 2 % 3]) for n in range(8)])
    events = [event for item in items for event in working.push(item)] + list(working.flush(160))
    assert events[0].t0_s == 0
    assert all(a.t1_s == b.t0_s for a, b in itertools.pairwise(events))


def test_a_length_that_the_header_made_up_is_not_believed(frames_of):
    for claimed in (float("inf"), float("nan"), 1e9, -5.0):
        (event,) = run(frames_of("cam", [(0, A), (1, A)]), end_s=claimed)
        assert event.t1_s == 1


@pytest.mark.parametrize(("seconds", "factor"), [(2.0, 1.0), (10.0, 1.0), (100.0, 1 + np.log(10.0))])
def test_what_lasts_longer_than_any_piece_is_worth_more(seconds, factor):
    vectors = np.eye(8, dtype=np.float32)
    utilities = []
    for lasted in (1.0, seconds):
        working = WorkingMemory("cam", WorkingConfig(gap_s=1e9))
        for seq, vector in enumerate(vectors):
            list(working.push(Embedding(stream="cam", seq=seq, time_s=1000.0 * seq, vector=vector)))
            (event,) = working.flush(1000.0 * seq + (lasted if seq == 7 else 1.0))
        utilities.append(event.utility)
    assert utilities[1] / utilities[0] == pytest.approx(factor)
