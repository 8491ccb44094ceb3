"""How much longer an archive run takes, with a clock that the test moves."""

import pytest

from hippocam.apps.archive.estimate import Estimate, Speeds
from hippocam.apps.archive.records import ArchiveProgress

HOUR_S = 3600.0


class Run:
    """A run of ten hours of footage by four workers, each of which makes nine seconds a second."""

    def __init__(self, speeds, workers=4):
        self.now_s = 0.0
        self.estimate = Estimate(speeds, "colours 2.0", workers, clock=lambda: self.now_s)

    def left_s(self, now_s, done_s, workers=4):
        self.now_s = now_s
        return self.estimate.left_s(
            ArchiveProgress(
                source="", done=0, total=9, done_s=done_s, total_s=10 * HOUR_S, failed=0, workers=workers
            )
        )


@pytest.fixture
def speeds(tmp_path):
    return Speeds(tmp_path / "cache" / "speeds.json")


def test_where_nothing_is_known_it_says_nothing_before_something_is_done(speeds):
    run = Run(speeds)
    assert run.left_s(30, 0) is None
    assert run.left_s(100, HOUR_S) == pytest.approx(900)


def test_the_next_run_knows_at_once_and_settles_on_its_own_speed(speeds):
    first = Run(speeds)
    first.now_s = 1000.0
    first.estimate.end(10 * HOUR_S, workers=4)  # nine times real time each
    second = Run(speeds)
    assert second.left_s(0, 0, workers=1) == pytest.approx(1000)  # its workers are still starting
    assert 1000 < second.left_s(60, 0) < 2500  # they take longer than they should
    assert second.left_s(1000, 5 * HOUR_S) == pytest.approx(1000, rel=0.1)  # half as fast as the first


def test_another_kind_of_run_and_a_short_one_say_nothing(speeds, tmp_path):
    short = Run(speeds)
    short.now_s = 100.0
    short.estimate.end(60.0, workers=1)
    assert Run(speeds).left_s(0, 0) is None
    speeds.keep("another encoder", 9.0)
    assert Run(speeds).left_s(0, 0) is None


@pytest.mark.parametrize("content", ["", "no JSON", "[1]", '{"colours 2.0": "fast"}'])
def test_a_file_that_is_no_use_is_no_harm(tmp_path, content):
    path = tmp_path / "speeds.json"
    path.write_text(content)
    assert Run(Speeds(path)).left_s(0, 0) is None
    Speeds(path).keep("colours 2.0", 9.0)
    assert Run(Speeds(path)).left_s(0, 0) == pytest.approx(1000)
