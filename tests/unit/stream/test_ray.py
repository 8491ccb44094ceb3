import socket
import sys
from contextlib import closing
from types import SimpleNamespace

import pytest

from hippocam.stream.errors import HippocamError
from hippocam.stream.ray import running_ray


class FakeRay(SimpleNamespace):
    """Stands in for the module: takes down what it is told."""

    def __init__(self, *, runs=False, fails=None):
        super().__init__(runs=runs, fails=fails, began=[], stopped=0)

    def is_initialized(self):
        return self.runs

    def init(self, address, **options):
        self.began.append((address, options))
        if self.fails is not None:
            raise self.fails

    def shutdown(self):
        self.stopped += 1


@pytest.fixture
def put_ray(monkeypatch):
    """Put a module in Ray's place."""
    for name in ("RAY_ADDRESS", "RAY_USAGE_STATS_ENABLED", "RAY_BACKEND_LOG_LEVEL"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)

    def put(ray):
        monkeypatch.setitem(sys.modules, "ray", ray)
        return ray

    return put


def test_it_is_started_without_dashboard_and_stopped(put_ray):
    ray = put_ray(FakeRay())
    with running_ray(object_store_bytes=80 << 20) as given:
        assert given is ray
        assert not ray.stopped
    ((address, options),) = ray.began
    assert address == "local"
    assert (options["include_dashboard"], options["object_store_memory"]) == (False, 80 << 20)
    assert ray.stopped == 1


def test_it_is_stopped_after_an_error(put_ray):
    ray = put_ray(FakeRay())
    with pytest.raises(ZeroDivisionError), running_ray():
        raise ZeroDivisionError
    assert ray.stopped == 1


def test_usage_statistics_are_off_unless_a_user_says_otherwise(put_ray, monkeypatch):
    import os

    put_ray(FakeRay())
    with running_ray():
        assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "1")
    with running_ray():
        assert os.environ["RAY_USAGE_STATS_ENABLED"] == "1"


def test_one_that_runs_already_is_used_and_left_running(put_ray):
    ray = put_ray(FakeRay(runs=True))
    with running_ray("10.0.0.1:6379"):
        pass
    assert not ray.began
    assert not ray.stopped


@pytest.mark.parametrize(
    ("asked", "environment", "expected"),
    [(None, None, "local"), (None, "auto", "auto"), ("local", "auto", "local"), ("auto", None, "auto")],
)
def test_where_it_is_started(put_ray, monkeypatch, asked, environment, expected):
    ray = put_ray(FakeRay())
    if environment:
        monkeypatch.setenv("RAY_ADDRESS", environment)
    with running_ray(asked, object_store_bytes=80 << 20):
        pass
    ((address, options),) = ray.began
    assert address == expected
    assert ("object_store_memory" in options) == (expected == "local"), "a cluster has its own"


@pytest.mark.parametrize(
    ("address", "told"),
    [("local", "Ray did not start .no room."), ("auto", "Ray at auto: nobody answers there .no room.")],
)
def test_its_errors_are_one_line_of_ours(put_ray, address, told):
    put_ray(FakeRay(fails=RuntimeError("no room\nand many\nlines")))
    with pytest.raises(HippocamError, match=told) as raised, running_ray(address):
        pass
    assert "\n" not in str(raised.value)


def test_a_cluster_that_is_not_there_is_told_at_once(put_ray):
    ray = put_ray(FakeRay())
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(HippocamError, match=f"Ray at {address}: nobody answers there"), running_ray(address):
        pass
    assert not ray.began
