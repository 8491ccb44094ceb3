import threading

import numpy as np
import pytest

from hippocam.memory.recall.index import KeyIndex

D = 32


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


class Rows:
    """Clustered unit rows under shuffled ids, and the index over them."""

    def __init__(self, n, *, flat_values=10**9, seed=0):
        rng = np.random.default_rng(seed)
        centres = unit(rng.standard_normal((max(1, n // 20), D)))
        rows = unit(centres[rng.integers(len(centres), size=n)] + 0.1 * rng.standard_normal((n, D)))
        self.ids = (rng.permutation(n) * 7 + (1 << 61)).tolist()
        self.held = dict(zip(self.ids, rows, strict=True))
        self.rng = rng
        self.index = KeyIndex(D, self.read, flat_values=flat_values)
        self.index.add(self.ids, rows)

    def read(self, numbers):
        return np.stack([self.held[number] for number in numbers])

    def queries(self, n):
        rows = np.stack(list(self.held.values()))
        return unit(rows[self.rng.integers(len(rows), size=n)] + 0.15 * self.rng.standard_normal((n, D)))

    def add(self, numbers, rows):
        self.held.update(zip(numbers, rows, strict=True))
        self.index.add(numbers, rows)

    def remove(self, numbers):
        self.index.remove(numbers)
        for number in numbers:
            del self.held[number]

    def truth(self, query, k, among=None):
        """By brute force, without FAISS."""
        numbers = sorted(self.held if among is None else among)
        scores = (np.stack([self.held[n] for n in numbers]) * query).sum(axis=1, dtype=np.float64)
        return sorted(zip(numbers, scores.tolist(), strict=True), key=lambda pair: (-pair[1], pair[0]))[:k]

    def recall(self, k=10, n=50, among=None):
        """Share of the true best that are found; every score must be the true one."""
        hits = 0
        for query in self.queries(n):
            true = dict(self.truth(query, len(self.held), among))
            found = self.index.search(query, k, among)
            assert len(found) == min(k, len(true))
            assert found == sorted(found, key=lambda pair: (-pair[1], pair[0]))
            assert all(true[number] == score for number, score in found)
            hits += len(dict(found).keys() & {number for number, _ in list(true.items())[:k]})
        return hits / (n * min(k, len(self.held if among is None else among)))


def test_flat_gives_what_brute_force_gives():
    rows = Rows(3000)
    assert rows.index.exact
    for query in rows.queries(30):
        assert rows.index.search(query, 10) == rows.truth(query, 10)


@pytest.mark.parametrize("size", [1, 5, 40, 2500])
def test_flat_among_some_gives_what_brute_force_gives(size):
    rows = Rows(3000)
    among = rows.ids[:size]
    for query in rows.queries(10):
        assert rows.index.search(query, 10, among) == rows.truth(query, 10, among)


def test_equal_rows_come_by_id_and_nothing_gives_nothing():
    index = KeyIndex(D, lambda numbers: np.ones((len(numbers), D), np.float32))
    assert index.search(np.ones(D, np.float32), 5) == []
    index.add([9, 3, 7], np.ones((3, D), np.float32))
    assert [number for number, _ in index.search(np.ones(D, np.float32), 3)] == [3, 7, 9]
    assert index.search(np.ones(D, np.float32), 3, []) == []


def test_a_large_index_finds_what_the_flat_one_finds_with_the_same_scores():
    rows = Rows(12_000, flat_values=3000 * D)
    assert rows.index.due()
    rows.index.rebuild(wait=True)
    assert not rows.index.exact
    assert not rows.index.due()
    assert rows.recall() >= 0.98
    assert rows.recall(among=rows.ids[:6000]) >= 0.98
    assert rows.recall(among=rows.ids[:500]) == 1.0


def test_building_twice_gives_the_same_answers():
    first, second = Rows(6000, flat_values=1000 * D), Rows(6000, flat_values=1000 * D)
    first.index.rebuild(wait=True)
    second.index.rebuild(wait=True)
    for query in first.queries(20):
        assert first.index.search(query, 10) == second.index.search(query, 10)


@pytest.mark.parametrize("large", [False, True])
def test_removal_frees_and_leaves_no_ghost(large):
    rows = Rows(6000, flat_values=1000 * D)
    if large:
        rows.index.rebuild(wait=True)
    gone = rows.ids[:4000]
    rows.remove(gone)
    assert len(rows.index) == rows.index._view.ntotal == 2000
    assert rows.index.ids() == set(rows.held)
    assert gone[0] not in rows.index
    found = {number for query in rows.queries(100) for number, _ in rows.index.search(query, 50)}
    assert found.isdisjoint(gone)
    rows.remove(rows.ids[4000:])
    assert len(rows.index) == 0
    assert rows.index.search(np.ones(D, np.float32), 5) == []


def test_an_id_may_come_back_with_another_row():
    rows = Rows(4000, flat_values=1000 * D)
    rows.index.rebuild(wait=True)
    number = rows.ids[17]
    rows.remove([number])
    new = unit(rows.rng.standard_normal((1, D)))
    rows.add([number], new)
    assert rows.index.search(new[0], 1) == [(number, pytest.approx(1.0))]
    assert len(rows.index) == 4000


def test_it_is_built_anew_when_it_has_doubled_and_goes_flat_when_little_is_left():
    rows = Rows(4000, flat_values=1500 * D)
    rows.index.rebuild(wait=True)
    more = unit(rows.rng.standard_normal((4001, D)))
    rows.add(list(range(4001)), more)
    assert rows.index.due()
    rows.index.rebuild(wait=True)
    assert not rows.index.due()
    assert len(rows.index) == 8001
    for row in range(0, 4001, 500):
        assert rows.index.search(more[row], 1)[0][0] == row
    rows.remove(list(range(4001)))
    rows.remove(rows.ids[:3000])
    assert rows.index.due()
    rows.index.rebuild(wait=True)
    assert rows.index.exact
    assert rows.index.ids() == set(rows.held)
    assert rows.recall() == 1.0


def test_answers_go_on_while_another_view_is_built_and_changes_meanwhile_are_in_it():
    rows = Rows(20_000, flat_values=2000 * D)
    queries = rows.queries(20)
    stop, failures, answered = threading.Event(), list[object](), [0]

    def search():
        while not stop.is_set():
            for query in queries:
                found = rows.index.search(query, 5)
                answered[0] += 1
                if len(found) != 5:
                    failures.append(found)

    thread = threading.Thread(target=search)
    thread.start()
    try:
        rows.index.rebuild()
        before = answered[0]
        new = unit(rows.rng.standard_normal((300, D)))
        rows.add(list(range(300)), new)
        gone = rows.ids[:500]
        rows.index.remove(gone)  # and still readable, as rows are in a snapshot of the store
        rows.index.rebuild(wait=True)  # the same one, or nothing that is left of it
        assert answered[0] > before
    finally:
        stop.set()
        thread.join()
    assert not failures
    assert not rows.index.exact
    for number in gone:
        del rows.held[number]
    assert rows.index.ids() == set(rows.held)
    assert len(rows.index) == len(rows.held)
    assert all(rows.index.search(new[k], 1)[0][0] == k for k in range(0, 300, 20))
    assert rows.recall() >= 0.98
