"""Archives on a Ray cluster of several nodes: they join late, lack the package, die; and so may the head."""

import os
import signal
import subprocess
import sys
import time

import pytest

from hippocam.apps.archive.records import ArchiveConfig
from hippocam.apps.archive.run import archive
from hippocam.stream.archive import runner
from hippocam.stream.archive.nodes import WorkersConfig

pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning"
)
SEGMENT_S = 4.0
# A store of the least size, and memory for as many workers as there are cores.
NODE = {"object_store_memory": 80 << 20, "memory": 4_000_000_000}


@pytest.fixture(scope="module")
def helper(load_helpers):
    return load_helpers("archive_footage.py")


@pytest.fixture(scope="module")
def footage(tmp_path_factory, helper):
    """Three cameras with two recordings each."""
    folder = tmp_path_factory.mktemp("footage")
    for number, camera in enumerate(("door", "hall", "yard")):
        for day in (1, 2):
            helper.render(folder / camera / f"2023-11-0{day}_14-00-00.mp4", 10 * number + day, 20)
    return folder


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, helper, footage):
    """The memories that one process makes."""
    root = tmp_path_factory.mktemp("undisturbed")
    assert helper.local(root, footage, per="camera", segment_s=SEGMENT_S).archived == 6
    return helper.contents(root)


@pytest.fixture
def cluster():
    """A cluster whose head has no cores: scaled to zero."""
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": 80 << 20}
    made = Cluster(initialize_head=True, head_node_args=head)
    yield made
    made.shutdown()


def test_machines_that_come_late_lack_something_or_die(
    tmp_path, helper, footage, undisturbed, cluster, monkeypatch
):
    """From nothing to one node; then one joins that has no package, one that has, and the first dies."""
    monkeypatch.setattr(runner, "_TELL_S", 0.5)
    broken = tmp_path / "broken" / "hippocam"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ModuleNotFoundError('No module named hippocam')")
    notes, nodes = [], {}

    def add(name, **more):
        nodes[name] = cluster.add_node(num_cpus=1, node_name=name, wait=True, **NODE, **more)

    def noted(text):
        notes.append(text)
        if "waiting for machines" in text and not nodes:
            add("first")

    def told(progress):
        if progress.source and "bare" not in nodes:
            add("bare", env_vars={"PYTHONPATH": str(broken.parent)})
            add("late")
            cluster.remove_node(nodes.pop("first"), allow_graceful=False)
        if "bare" in nodes and not any("first has left" in note for note in notes):
            time.sleep(1)  # Ray takes some seconds to notice

    config = ArchiveConfig(workers=WorkersConfig(address=cluster.address), unit_s=30.0, ahead=2)
    request = helper.request(footage, per="camera", segment_s=SEGMENT_S)
    report = archive(tmp_path / "m", request, config, on_progress=told, on_note=noted)
    assert "first" not in nodes, notes
    assert report.archived == 6
    assert [failure.source for failure in report.left_out] == ["bare"]
    assert "No module named hippocam" in report.left_out[0].reason
    assert "waiting for machines" in notes[0]
    for expected in ("first has joined", "late has joined", "first has left"):
        assert sum(expected in note for note in notes) == 1, notes
    assert helper.contents(tmp_path / "m") == undisturbed


def test_the_processes_that_write_memories_may_be_killed(tmp_path, helper, footage, undisturbed):
    """With nothing made ahead, more than one memory is written; all processes are killed once another writes."""
    dead, notes = [], []

    def kill_all(progress):
        being_written = [copy for copy in tmp_path.glob(".archive/copies/*") if copy.suffix != ".new"]
        if not dead and len(being_written) > 1:
            dead.extend(helper.workers_of(os.getpid()))
            for process in dead:
                os.kill(process, signal.SIGKILL)

    config = ArchiveConfig(workers=WorkersConfig(workers=2, memory_mb=100), unit_s=30.0, ahead=1)
    request = helper.request(footage, per="camera", segment_s=SEGMENT_S)
    if (os.cpu_count() or 1) < 2:
        pytest.skip("two workers need two cores")
    report = archive(tmp_path, request, config, on_progress=kill_all, on_note=notes.append)
    assert dead
    assert any("the process that wrote it died" in note for note in notes), notes
    assert report.archived == 6
    assert helper.contents(tmp_path) == undisturbed


def test_where_the_head_dies_one_line_says_so_and_the_run_goes_on_elsewhere(
    tmp_path, helper, footage, undisturbed, cluster
):
    cluster.add_node(num_cpus=1, wait=True, **NODE)
    command = [sys.executable, helper.__file__, footage, tmp_path, cluster.address, "slow", SEGMENT_S]
    driver = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until_s = time.monotonic() + 120
    while not list(tmp_path.glob(".archive/work/*/*.part")) and time.monotonic() < until_s:
        time.sleep(0.1)
    cluster.head_node.kill_all_processes(check_alive=False, allow_graceful=False)
    _, told = driver.communicate(timeout=120)
    assert driver.returncode == 1, told
    assert f"the head of the Ray cluster at {cluster.address} is gone; what was made is kept" in told
    assert helper.local(tmp_path, footage, per="camera", segment_s=SEGMENT_S).archived >= 1
    assert helper.contents(tmp_path) == undisturbed
