"""Forty random memories that forgot something are those that never saw it, and a trace of it would be found."""

from __future__ import annotations

import pytest

from hippocam.apps.bench.forgetting.cases import draw
from hippocam.apps.bench.forgetting.run import outcome_of, run, table
from hippocam.memory.longterm.longterm import LongTerm
from hippocam.memory.memory import MemoryWriter

LEARNED = {"learned", "bank", "lesson"}


@pytest.fixture(scope="module")
def outcomes():
    return run(range(40))


def test_what_is_held_and_recalled_of_the_rest_is_what_never_seeing_it_gives(outcomes):
    assert all(one.recalled for one in outcomes)
    assert not any(set(one.differing) - LEARNED for one in outcomes)
    assert {one.whole for one in outcomes} == {True, False}


def test_what_was_learned_is_the_same_but_where_something_was_seen_again(outcomes):
    whole = [one for one in outcomes if one.whole]
    assert sum(bool(one.differing) for one in whole) <= len(whole) / 4


def test_nothing_is_left_of_it(outcomes):
    assert not any(one.left or one.touching for one in outcomes)
    stream, stretch = table(outcomes).splitlines()[-2:]
    assert stream.endswith("| 0 | 0 | 0 |")
    assert stretch.endswith("| 0 | 0 | 0 |")


def test_a_memory_that_keeps_what_it_learned_is_found_out(monkeypatch):
    monkeypatch.setattr(LongTerm, "relearn", lambda self: None)
    seed = next(seed for seed in range(20) if draw(seed).whole)
    assert "learned" in outcome_of(draw(seed), seed).differing


def test_a_memory_that_forgets_nothing_is_found_out(monkeypatch):
    monkeypatch.setattr(MemoryWriter, "forget", lambda self, what: None)
    kept = [outcome_of(draw(seed), seed) for seed in range(6)]
    assert all(one.touching and not one.equal for one in kept)
    assert any(one.left for one in kept if one.whole)
    assert any(one.left for one in kept if not one.whole)
