"""Which segment is made and taken next: every memory's own in order, whatever comes back or is begun again."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hippocam.stream.archive.plan import Footage, Segment
from hippocam.stream.archive.queue import Queue
from hippocam.stream.sources.video import VideoSource


def footage(*memories):
    """Footage given as ("memory", segments)."""
    source = VideoSource(Path("a.mp4"))
    return [Footage(source=source, key=str(i), segments=n, memory=m) for i, (m, n) in enumerate(memories)]


def at(index, number):
    return Segment(index=index, number=number)


def test_the_longest_memory_comes_first_and_only_so_many_together():
    queue = Queue(footage(("a", 1), ("b", 3), ("c", 2)), ahead=9)
    assert [queue.hand_out(1) for _ in range(3)] == [at(1, 0), at(1, 1), at(1, 2)]
    assert [queue.hand_out(1) for _ in range(4)] == [at(2, 0), at(2, 1), at(0, 0), None]


def test_no_memory_gets_further_behind_than_is_allowed():
    queue = Queue(footage(("a", 5)), ahead=2)
    assert [queue.hand_out(4), queue.hand_out(4), queue.hand_out(4)] == [at(0, 0), at(0, 1), None]
    queue.made(at(0, 0))
    assert queue.takeable() == [at(0, 0)]
    queue.take(at(0, 0))
    assert queue.takeable() == []
    assert queue.hand_out(4) is None
    queue.taken(at(0, 0))
    assert queue.hand_out(4) == at(0, 2)


def test_what_comes_back_is_handed_out_first():
    queue = Queue(footage(("a", 2), ("b", 5)), ahead=3)
    given_out = [queue.hand_out(2) for _ in range(4)]
    queue.give_back(given_out[2])
    queue.give_back(given_out[0])
    assert [queue.hand_out(1), queue.hand_out(1)] == [given_out[0], given_out[2]]


def test_a_memory_that_begins_again_takes_what_was_made():
    queue = Queue(footage(("a", 3)), ahead=9)
    for _ in range(3):
        queue.made(queue.hand_out(1))
    for number in range(3):
        queue.take(at(0, number))
        queue.taken(at(0, number))
    assert queue.ends("a")
    assert queue.untaken == 0
    queue.rewind(at(0, 1))
    assert (queue.untaken, queue.unmade, queue.takeable()) == (2, 0, [at(0, 1)])


@pytest.mark.parametrize("together", [1, 3])
@settings(deadline=None)
@given(counts=st.lists(st.integers(1, 6), min_size=1, max_size=6), data=st.data())
def test_whatever_happens_each_memory_takes_all_of_its_own_in_order(together, counts, data):
    """Workers lose segments and writers begin again at random; the truth is each memory's own list."""
    memories = [data.draw(st.sampled_from("abc")) for _ in counts]
    queue = Queue(footage(*zip(memories, counts, strict=True)), ahead=data.draw(st.integers(1, 4)))
    making, taken, losses = [], {name: [] for name in memories}, 6
    while queue.untaken:
        segment = queue.hand_out(together)
        if segment is not None:
            making.append(segment)
        if making:
            one = making.pop(data.draw(st.integers(0, len(making) - 1)))
            if losses and data.draw(st.booleans()):
                losses -= 1
                queue.give_back(one)
            else:
                queue.made(one)
        for segment in queue.takeable():
            name = memories[segment.index]
            queue.take(segment)
            if losses and taken[name] and data.draw(st.booleans()):
                losses -= 1
                again = data.draw(st.sampled_from(taken[name]))
                taken[name] = taken[name][: taken[name].index(again)]
                queue.rewind(again)
            else:
                taken[name].append(segment)
                queue.taken(segment)
    expected = {name: [] for name in memories}
    for index, (name, count) in enumerate(zip(memories, counts, strict=True)):
        expected[name] += [at(index, number) for number in range(count)]
    assert taken == expected
    assert queue.unmade == 0
