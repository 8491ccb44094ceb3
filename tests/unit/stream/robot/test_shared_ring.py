"""The ring between two processes, against a plain list: what is taken, in which order, what was overwritten."""

import multiprocessing
import os
import signal

import numpy as np
import pytest

from hippocam.stream.robot.shared_ring import ItemTooLargeError, SharedRing

SPAWN = multiprocessing.get_context("spawn")


def everything(ring):
    taken = []
    while (item := ring.take()) is not None:
        taken.append(item)
    return taken


def test_items_come_out_in_order_with_their_arrays():
    ring = SharedRing(4, 100_000)
    picture = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    ring.put({"n": 1, "picture": picture, "turned": picture[::-1]})
    ring.put("words")
    first, second = everything(ring)
    assert second == "words"
    assert np.array_equal(first["picture"], picture)
    assert np.array_equal(first["turned"], picture[::-1])
    assert ring.take() is None


@pytest.mark.parametrize("seed", range(20))
def test_any_order_of_puts_and_takes_gives_the_newest_that_fit(seed):
    rng, ring, model, put = np.random.default_rng(seed), SharedRing(3, 1000), [], 0
    for _ in range(200):
        if rng.random() < 0.6:
            overwrites = ring.overwrites()
            assert (overwrites is not None) == (len(model) == 3)
            if overwrites is not None:
                assert overwrites == model.pop(0)
            ring.put(put)
            model.append(put)
            put += 1
        else:
            assert ring.take() == (model.pop(0) if model else None)
        assert len(ring) == len(model)


def test_an_item_that_is_too_large_is_refused_and_the_others_stay():
    ring = SharedRing(2, 1000)
    ring.put("before")
    with pytest.raises(ItemTooLargeError) as caught:
        ring.put(np.zeros(2000, np.uint8))
    assert caught.value.found > caught.value.most == 1000
    ring.put("after")
    assert everything(ring) == ["before", "after"]


@pytest.mark.parametrize("count", [28, 29, 30, 500])
def test_an_item_may_have_any_number_of_arrays(count):
    ring = SharedRing(2, 100_000)
    ring.put([np.full(3, index, np.float32) for index in range(count)])
    (item,) = everything(ring)
    assert [array.tolist() for array in item] == [[index] * 3 for index in range(count)]


def _fill(ring, ready, go):
    """Put numbered arrays as fast as can be, until killed."""
    number = 0
    while True:
        ring.put((number, np.full(50_000, number % 251, np.uint8)))
        number += 1
        if number == 100:
            ready.set()
            go.wait()


def test_whatever_is_taken_beside_a_busy_process_is_whole_and_in_order():
    """The writer laps the reader all the time, and is killed in the middle of it."""
    ring, ready, go = SharedRing(3, 60_000), SPAWN.Event(), SPAWN.Event()
    process = SPAWN.Process(target=_fill, args=(ring, ready, go), daemon=True)
    process.start()
    assert ready.wait(300)
    go.set()
    last, taken = -1, 0
    while taken < 2000:
        item = ring.take()
        if item is None:
            continue
        number, body = item
        assert number > last
        assert (body == number % 251).all()
        last, taken = number, taken + 1
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    for number, body in everything(ring):
        assert number > last
        assert (body == number % 251).all()
    ring.put("another process goes on")
    assert everything(ring)[-1] == "another process goes on"
