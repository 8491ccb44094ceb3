import numpy as np
import pytest

from hippocam.memory.slots import MAX_REDUNDANCY, MIN_UTILITY, REACH, SIMILAR_FROM, SlotTable

D = 6


def vectors(rng, n):
    keys = rng.normal(size=(n, D)).astype(np.float32) + 1.0
    return (keys / np.linalg.norm(keys, axis=1, keepdims=True)).astype(np.float16)


def weakest_by_definition(slots):
    """An oracle: the formula of the module, over everything, from scratch."""
    worth = {}
    for stream in {s[1] for s in slots}:
        order = [s for s in slots if s[1] == stream]
        for place, (number, _, surprise, vector) in enumerate(order):
            near = order[max(0, place - REACH) : place] + order[place + 1 : place + 1 + REACH]
            cosines = [float(vector.astype(np.float32) @ v.astype(np.float32)) for *_, v in near]
            alike = max([0.0, *cosines])
            redundancy = min(max((alike - SIMILAR_FROM) / (1 - SIMILAR_FROM), 0), MAX_REDUNDANCY)
            worth[number] = max(surprise, MIN_UTILITY) * (1 - redundancy)
    return min(worth, key=lambda number: (round(worth[number], 6), number))


def test_the_weakest_is_the_one_of_the_definition_through_adds_and_removals():
    rng = np.random.default_rng(0)
    table, held = SlotTable(D), []
    for number, vector in enumerate(vectors(rng, 200)):
        stream = "ab"[int(rng.integers(2))]
        surprise = float(rng.uniform(0, 1))
        table.add(number, stream, surprise, 10 + number, vector)
        held.append((number, stream, surprise, vector))
        while len(held) > 40 or (len(held) > 5 and rng.random() < 0.2):
            gone = table.weakest()
            assert gone == weakest_by_definition(held)
            table.remove(gone)
            held = [s for s in held if s[0] != gone]
        assert len(table) == len(held)
        assert table.jpeg_total == sum(10 + s[0] for s in held)


def test_of_equal_entries_the_smallest_id_goes_and_only_one():
    table = SlotTable(D)
    same = np.ones(D, np.float16) / np.sqrt(D)
    for number in (7, 3, 9):
        table.add(number, "cam", 0.5, 1, same.astype(np.float16))
    assert table.weakest() == 3
    table.remove(3)
    assert sorted(table.ids()) == [7, 9]


def test_an_empty_table_has_no_weakest():
    with pytest.raises(ValueError, match="no entry"):
        SlotTable(4).weakest()
