import random
import threading

import pytest

from hippocam.stream.live.retry import Retry, RetryConfig
from hippocam.stream.live.ring import DropRing


def test_a_full_ring_drops_the_oldest_and_counts_it():
    ready = threading.Event()
    ring = DropRing(3, ready)
    for i in range(10):
        ring.put(i)
    assert ready.is_set()
    assert [ring.take() for _ in range(4)] == [7, 8, 9, None]
    assert ring.dropped == 7


def test_a_ring_under_a_fast_producer_loses_and_doubles_nothing_uncounted():
    ring, taken = DropRing(4), []
    producer = threading.Thread(target=lambda: [ring.put(i) for i in range(20_000)])
    producer.start()
    while producer.is_alive() or len(ring):
        if (item := ring.take()) is not None:
            taken.append(item)
    producer.join()
    assert taken == sorted(set(taken))
    assert len(taken) + ring.dropped == 20_000


def test_a_ring_of_no_size_is_refused():
    with pytest.raises(ValueError, match="1 item or more, found 0"):
        DropRing(0)


def test_waits_double_up_to_the_longest_and_the_budget_ends_them():
    retry = Retry(RetryConfig(first_s=1, most_s=5, jitter=0, budget=5), random.Random(0))
    assert [retry.wait_s() for _ in range(6)] == [1, 2, 4, 5, 5, None]


def test_a_good_run_fills_the_budget_and_a_short_one_does_not():
    retry = Retry(RetryConfig(first_s=1, most_s=8, jitter=0, budget=2, well_s=60), random.Random(0))
    retry.wait_s()
    retry.ran(59)
    assert retry.wait_s() == 2
    assert retry.wait_s() is None
    retry.ran(60)
    assert retry.wait_s() == 1


def test_no_budget_never_ends_and_jitter_only_shortens():
    retry = Retry(RetryConfig(first_s=1, most_s=4, jitter=0.5, budget=0), random.Random(1))
    waits = [retry.wait_s() for _ in range(5000)]
    assert all(wait is not None and 0.5 <= wait <= 4 for wait in waits)
    assert len(set(waits)) > 100


@pytest.mark.parametrize("bad", [{"first_s": 0}, {"first_s": 20}, {"jitter": 1}, {"budget": -1}])
def test_senseless_settings_are_refused(bad):
    with pytest.raises(ValueError, match="found"):
        RetryConfig(**bad)
