"""Memories of other kinds keep what their rules say."""

import numpy as np
import pytest

from hippocam.apps.bench.policy.banks import (
    KEEPS,
    READS,
    STACK,
    Fifo,
    Full,
    Hard,
    Memoryless,
    Merging,
    Stack,
    Uniform,
)
from hippocam.models.policies.playing import FAILED, WORKED, Turn

DIM = 16


def steps(count, seed=0):
    vectors = np.random.default_rng(seed).standard_normal((count, DIM)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [Turn(float(k), vectors[k], np.array([k, 0.0, 0.0])) for k in range(count)]


def kept(bank, turns):
    for turn in turns:
        bank.observe(turn)
    bank.named()
    return bank.recall(turns[-1].vector_D, turns[-1].time_s + 1)


@pytest.mark.parametrize(
    ("kind", "places"),
    [
        (Memoryless, []),
        (Stack, range(300 - STACK, 300)),
        (Fifo, range(300 - KEEPS, 300)),
        (Full, range(300)),
    ],
)
def test_the_last_steps_are_kept(kind, places):
    found = kept(kind(DIM), steps(300))
    assert found.poses_K3[:, 0].tolist() == list(places)
    assert found.ages_K.tolist() == [300 - place for place in places]


def test_a_hard_read_takes_the_most_similar_of_all():
    turns = steps(300)
    found = kept(Hard(DIM), turns)
    every = np.stack([turn.vector_D for turn in turns]) @ turns[-1].vector_D
    assert found.poses_K3[:, 0].tolist() == np.argsort(-every)[:READS].tolist()


def test_a_uniform_sample_is_one():
    """Each of 200 steps is kept in 48 of 200 runs' shares: early ones as often as late ones."""
    counts = np.zeros(200)
    for seed in range(60):
        counts[kept(Uniform(DIM, seed), steps(200)).poses_K3[:, 0].astype(int)] += 1
    assert counts.sum() == 60 * KEEPS
    assert counts[:100].sum() / counts.sum() == pytest.approx(0.5, abs=0.03)


def test_merging_makes_a_mean_of_the_two_neighbours_most_alike():
    turns = steps(KEEPS + 1)
    alike = turns[20]._replace(time_s=21.0, pose=turns[21].pose)
    turns[21] = alike
    found = kept(Merging(DIM), turns)
    assert len(found) == KEEPS
    assert 20.0 not in found.poses_K3[:, 0]
    row = found.poses_K3[:, 0].tolist().index(21.0)
    assert found.vectors_KD[row] == pytest.approx(alike.vector_D, abs=1e-6)
    assert found.ages_K[row] == pytest.approx(KEEPS + 1 - 20.5)


def test_bytes_are_those_of_what_is_kept():
    bank = Fifo(DIM)
    kept(bank, steps(100))
    assert bank.bytes() == KEEPS * (4 * DIM + 12 + 8 + 1)


@pytest.mark.parametrize("kind", [Full, Hard, Fifo, Merging])
def test_how_something_went_is_kept_with_its_step(kind):
    """Of a bank that is not full, and of one that was full for long."""
    for count in (7, 3 * KEEPS):
        turns = [turn._replace(mark=(FAILED, "", WORKED)[k % 3]) for k, turn in enumerate(steps(count))]
        found = kept(kind(DIM), turns)
        went = {round(x): outcome for x, outcome in zip(found.poses_K3[:, 0], found.outcomes_K, strict=True)}
        assert went[count - 1] == (count - 1) % 3 - 1
        if kind is not Merging:
            assert all(outcome == x % 3 - 1 for x, outcome in went.items())
