"""How many workers of a simulated cluster were at work, from what they wrote down."""

import pytest

from hippocam.apps.bench.cluster.run import average
from hippocam.apps.bench.cluster.waiting import read_work, write_work


def test_how_many_were_at_work_is_told_of_any_time(tmp_path):
    go = tmp_path / "go"
    for began_s, ended_s in ((0.0, 10.0), (10.0, 20.0), (5.0, 10.0)):
        write_work(go, began_s, ended_s)
    worked = read_work(go)
    assert sorted(worked) == [(0.0, 10.0), (5.0, 10.0), (10.0, 20.0)]
    assert average(worked, 0, 20) == pytest.approx(1.25)
    assert average(worked, 5, 10) == pytest.approx(2)
    assert average(worked, 20, 30) == 0
