"""A policy in a file."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from hippocam.models.errors import PolicyError
from hippocam.models.policies.network import PolicyNetwork
from hippocam.models.policies.policy import Policy, PolicyCard
from hippocam.models.policies.records import Moment, PolicySizes, nothing

MOMENT = Moment(
    view_D=np.ones(4, np.float32),
    goal_D=np.arange(4, dtype=np.float32),
    pose=np.zeros(3),
    recalled=nothing(4),
)


def test_a_policy_that_was_written_acts_as_before(tmp_path):
    torch.manual_seed(3)
    policy = Policy(
        PolicyNetwork(PolicySizes(dim=4, actions=5)), PolicyCard(world="tour", seed=2, trained={"a": 1.5})
    )
    policy.write(tmp_path / "of" / "mine.safetensors")
    read = Policy.read(tmp_path / "of" / "mine.safetensors")
    assert (read.card, read.sizes) == (policy.card, policy.sizes)
    assert (read.act(MOMENT).actions == policy.act(MOMENT).actions).all()
    assert read.act(MOMENT).gate == 0.0


@pytest.mark.parametrize("content", [b"", b"no policy", None])
def test_what_is_no_policy_is_refused(tmp_path, content):
    path = tmp_path / "file"
    if content is None:
        save_file({"weight": torch.zeros(2)}, path)
    else:
        path.write_bytes(content)
    with pytest.raises(PolicyError, match="no policy is in this file"):
        Policy.read(path)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(PolicyError, match="no such file"):
        Policy.read(tmp_path / "none")
