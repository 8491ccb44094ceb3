"""Policies that read the whole history by themselves."""

import numpy as np
import torch

from hippocam.apps.bench.policy.sequences import GruNetwork, Recurrent, TransformerNetwork, Walks, walk
from hippocam.apps.robot.policy.demonstrations import demonstrate
from hippocam.apps.worlds.tour import ACTIONS, DIM, Tour, TourConfig
from hippocam.models.policies.records import Moment, PolicySizes, Recollection, batch_of, nothing

SIZES = PolicySizes(dim=DIM, actions=ACTIONS, width=16)


def walked(seed=1):
    return walk(demonstrate(Tour(TourConfig(rooms=4), (seed,)), 4, np.random.default_rng(0)), 4)


def test_a_walk_is_acted_on_from_the_question_on():
    shown = len(Tour(TourConfig(rooms=4), (1,)).turns())
    found = walked()
    assert (found.chunks_TH[:shown] == -1).all()
    assert (found.chunks_TH[shown:, 0] >= 0).all()
    assert found.chunks_TH[-1].tolist() == [3, -1, -1, -1]
    goals = found.inputs_TN[:, DIM : 2 * DIM]
    assert not goals[:shown].any()
    assert goals[shown:].any(1).all()


def test_a_gru_learns_from_padded_walks_as_from_whole_ones():
    torch.manual_seed(0)
    network, walks = GruNetwork(SIZES), Walks([walked(1), walked(2)])
    acts = [(each.chunks_TH >= 0).sum() for each in (walked(1), walked(2))]
    with torch.no_grad():
        alone = [network.loss(*walks.batch([row])).item() for row in (0, 1)]
        both = network.loss(*walks.batch([0, 1])).item()
    assert np.isclose(both, np.average(alone, weights=acts), atol=1e-5)


def test_a_recurrent_policy_acts_as_its_network_does_on_the_whole_sequence():
    torch.manual_seed(0)
    network = GruNetwork(SIZES).eval()
    game = Tour(TourConfig(rooms=4), (1,))
    policy = Recurrent(network)
    policy.begin()
    for turn in game.turns():
        policy.observe(turn)
    policy.named()
    turn = game.now()
    policy.observe(turn)
    recalled = policy.recall(game.goal_D, turn.time_s)
    moment = Moment(view_D=turn.vector_D, goal_D=game.goal_D, pose=turn.pose, recalled=recalled)
    inputs = walked().inputs_TN
    count = len(Tour(TourConfig(rooms=4), (1,)).turns()) + 1
    with torch.no_grad():
        states, _ = network.cell(torch.from_numpy(inputs[None, :count]))
        expected = network.head.choose(states[:, -1])[0].tolist()
    assert policy.act(moment).actions.tolist() == expected


def test_a_transformer_passes_over_padding():
    torch.manual_seed(0)
    network, rng = TransformerNetwork(SIZES).eval(), np.random.default_rng(0)

    def moment(count):
        recalled = nothing(DIM)
        if count:
            recalled = Recollection(
                vectors_KD=np.ones((count, DIM), np.float32),
                cosines_K=np.linspace(0, 1, count, dtype=np.float32),
                poses_K3=np.zeros((count, 3)),
                ages_K=np.ones(count, np.float32),
                outcomes_K=np.zeros(count, np.float32),
            )
        return Moment(view_D=view_D, goal_D=view_D, pose=np.zeros(3), recalled=recalled)

    view_D = rng.standard_normal(DIM).astype(np.float32)
    with torch.no_grad():
        alone = [network.state(batch_of([moment(count)])) for count in (0, 3)]
        both = network.state(batch_of([moment(0), moment(3), moment(9)]))
    torch.testing.assert_close(both[:2], torch.cat(alone), atol=1e-5, rtol=1e-4)
