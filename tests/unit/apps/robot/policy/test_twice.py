"""The same task twice: what the policy did the first time is all that the memory holds of it."""

import numpy as np
import pytest

from hippocam.apps.robot.policy.remembering import our_memory
from hippocam.apps.robot.policy.trials import Played
from hippocam.apps.robot.policy.twice import Attempts, spared, try_twice
from hippocam.apps.robot.policy.worlds import WORLDS
from hippocam.models.policies.policy import Chosen
from hippocam.stream.errors import HippocamError

WORLD = WORLDS["levers"]


class WhatWorked:
    """Pulls the lever of the nearest moment that worked; where there is none, the next one."""

    def __init__(self):
        self.pulls = 0

    def act(self, moment, draws=None):
        recalled = moment.recalled
        like = np.flatnonzero((recalled.cosines_K > 0.5) & (recalled.outcomes_K > 0))
        lever = recalled.poses_K3[like[0], 0] if len(like) else moment.pose[0] + 1
        return Chosen(np.array([round(float(lever)) % 5]), 1.0)


@pytest.mark.parametrize("others", [0, 4])
def test_who_reads_what_worked_needs_one_pull_the_second_time(others):
    every = try_twice(
        WORLD, WhatWorked(), lambda: our_memory("levers", WORLD.dim), size=others, seeds=[3], episodes=6
    )
    assert all(attempts.first.success and attempts.second.success for attempts in every)
    assert [attempts.second.steps for attempts in every] == [1] * 6
    assert max(attempts.first.steps for attempts in every) > 1


def test_what_is_spared_has_an_interval():
    every = [Attempts(Played(steps=first), Played(steps=1)) for first in (1, 2, 3, 4, 5)]
    mean, low, high = spared(every)
    assert mean == 2.0
    assert (low, high) == pytest.approx((2 - 1.386, 2 + 1.386), abs=0.01)  # 1.96 * sqrt(2.5 / 5)


def test_a_world_without_second_attempts_is_refused():
    with pytest.raises(HippocamError, match="cannot be tried twice"):
        try_twice(WORLDS["tour"], WhatWorked(), lambda: our_memory("tour", 32), size=4, seeds=[1], episodes=1)
