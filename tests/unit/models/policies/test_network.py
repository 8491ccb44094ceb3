"""The read of a policy: nothing that may not be read changes anything; heads give and learn chunks."""

import numpy as np
import pytest
import torch

from hippocam.models.policies.network import PolicyNetwork
from hippocam.models.policies.records import Moment, PolicySizes, Recollection, batch_of, nothing

DIM = 6


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Several threads wait for each other longer than so small a network takes."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def recollection(count, *, stale=False, seed=0):
    rng = np.random.default_rng(seed)
    return Recollection(
        vectors_KD=rng.standard_normal((count, DIM)).astype(np.float32),
        cosines_K=rng.uniform(-1, 1, count).astype(np.float32),
        poses_K3=rng.standard_normal((count, 3)),
        ages_K=rng.uniform(0, 9, count).astype(np.float32),
        outcomes_K=np.zeros(count, np.float32),
        stale=stale,
    )


def moment(recalled):
    rng = np.random.default_rng(5)
    view_D, goal_D = rng.standard_normal((2, DIM)).astype(np.float32)
    return Moment(view_D=view_D, goal_D=goal_D, pose=np.array([1.0, 2.0, 0.5]), recalled=recalled)


def network(**sizes):
    torch.manual_seed(0)
    return PolicyNetwork(PolicySizes(dim=DIM, actions=3, width=16, **sizes)).eval()


def test_the_gate_is_exactly_zero_without_a_memory_and_with_a_stale_one():
    read = network()
    empty, stale, fresh = (moment(each) for each in (nothing(DIM), recollection(4, stale=True), recollection(4)))
    states, gates = zip(*(read.state(batch_of([each])) for each in (empty, stale, fresh)), strict=True)
    assert gates[0].item() == 0.0
    assert gates[1].item() == 0.0
    assert 0 < gates[2].item() < 1
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])
    assert not states[0][0, 16:].any()  # what was read: nothing


def test_padding_changes_nothing():
    read = network()
    alone = read.state(batch_of([moment(recollection(2))]))[0]
    beside = read.state(batch_of([moment(recollection(2)), moment(recollection(7, seed=3))]))[0]
    torch.testing.assert_close(beside[:1], alone, atol=1e-6, rtol=1e-5)


def test_the_order_of_what_was_recalled_does_not_matter():
    read, found = network(), recollection(5)
    one = read.state(batch_of([moment(found)]))[0]
    other = read.state(batch_of([moment(found.only([3, 1, 4, 0, 2]))]))[0]
    torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(("continuous", "shape"), [(False, (1, 4)), (True, (1, 4, 3))])
def test_heads_choose_chunks(continuous, shape):
    read = network(continuous=continuous)
    chunk, _ = read.choose(batch_of([moment(recollection(3))]))
    assert chunk.shape == shape


def test_a_flow_learns_which_of_two_actions_goes_with_what_it_sees():
    torch.manual_seed(1)
    flow = PolicyNetwork(PolicySizes(dim=DIM, actions=2, chunk=2, width=16, continuous=True))
    moments = [moment(nothing(DIM)) for _ in range(64)]
    goals = np.sign(np.random.default_rng(0).standard_normal(64)).astype(np.float32)
    batch = batch_of(moments)
    batch = batch._replace(goal_BD=torch.from_numpy(goals)[:, None].repeat(1, DIM))
    chunk_BHA = torch.from_numpy(goals)[:, None, None].repeat(1, 2, 2) * torch.tensor([1.0, -0.5])
    chunk_BHA[:, 1] = torch.nan  # the episode ends after one action
    optimizer = torch.optim.Adam(flow.parameters(), lr=3e-3)
    for _ in range(300):
        optimizer.zero_grad()
        loss = flow.loss(batch, chunk_BHA)
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        chosen, _ = flow.choose(batch, torch.Generator().manual_seed(0))
    assert (chosen[:, 0].sign() == chunk_BHA[:, 0].sign()).all()
    assert (chosen[:, 0] - chunk_BHA[:, 0]).abs().mean() < 0.15


def test_a_recollection_has_as_many_of_everything():
    with pytest.raises(ValueError, match="2 moments needs 2"):
        Recollection(
            vectors_KD=np.zeros((2, DIM), np.float32),
            cosines_K=np.zeros(2, np.float32),
            poses_K3=np.zeros((1, 3)),
            ages_K=np.zeros(2, np.float32),
            outcomes_K=np.zeros(2, np.float32),
        )


def test_a_place_is_told_as_seen_from_the_robot():
    """A moment two metres ahead of a robot that looks along y, seen while it looked the other way."""
    from hippocam.models.policies.records import moment_features

    found = recollection(1).only([0])
    placed = Recollection(
        vectors_KD=found.vectors_KD,
        cosines_K=found.cosines_K,
        poses_K3=np.array([[1.0, 4.0, -np.pi / 2]]),
        ages_K=found.ages_K,
        outcomes_K=found.outcomes_K,
    )
    _, ahead, _, left, *rest = moment_features(np.array([1.0, 2.0, np.pi / 2]), placed)[0]
    assert ahead == pytest.approx(np.tanh(2), abs=1e-6)
    assert left == pytest.approx(0, abs=1e-6)
    assert rest[5:7] == pytest.approx([-1, 0], abs=1e-6)  # half a turn off
