"""How far an archive is, told while a run goes on and afterwards."""

import json
import time

import pytest

from hippocam.apps.archive.records import ArchiveConfig, ArchiveRequest
from hippocam.apps.archive.run import archive
from hippocam.apps.archive.status import archive_status
from hippocam.apps.archive.work import work_folder_of
from hippocam.apps.cli.main import main
from hippocam.stream.errors import HippocamError

LOCAL = ArchiveConfig(executor="local")


@pytest.fixture
def helper(load_helpers):
    return load_helpers("archive_footage.py")


@pytest.fixture
def footage(tmp_path, helper):
    folder = tmp_path / "footage"
    for k in range(3):
        helper.render(folder / f"door_{k}.mp4", k, 12)
    (folder / "text.mp4").write_text("no video")
    return folder


def request(footage, **more):
    return ArchiveRequest(paths=(str(footage),), encoder="palette", **more)


def test_status_while_it_runs_and_afterwards(tmp_path, footage, capsys):
    root = tmp_path / "m"
    seen = []

    def look(progress):
        status = archive_status(root)
        assert status.running is not None
        assert status.running.total == 3
        assert (status.running.left_s is None) == (status.running.done_s == 0)  # no earlier run tells
        seen.append(status.running.done_s)
        time.sleep(1.1)  # it is recorded once a second

    report = archive(root, request(footage), LOCAL, on_progress=look)
    assert seen[0] == 0
    assert seen[-1] > 0
    assert json.loads((root / "summary.json").read_text())["archived"] == report.archived == 3
    (footage / "door_1.mp4").unlink()
    status = archive_status(root)
    assert status.running is None
    assert status.recordings == {"waiting": 0, "begun": 0, "done": 3, "quarantined": 1, "duplicate": 0}
    assert status.gone == (str(footage / "door_1.mp4"),)
    assert [(m.recordings, m.bytes > 0) for m in status.memories] == [(3, True)]
    assert status.hours == pytest.approx(36 / 3600, rel=0.1)
    assert main(["archive", "status", "--memories", str(root), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["recordings"]["done"] == 3
    assert main(["archive", "status", "--memories", str(root)]) == 0
    assert "3 done, 1 quarantined" in capsys.readouterr().out
    again = archive(root, request(footage), LOCAL)
    assert again.gone == status.gone


def test_without_an_archive_there_is_no_status(tmp_path):
    with pytest.raises(HippocamError, match="no archive is here"):
        archive_status(tmp_path)


def test_failures_are_no_recordings(tmp_path, footage, helper):
    whole = helper.render(footage / "cut.mkv", 9, 12)
    data = whole.read_bytes()
    whole.write_bytes(data[: len(data) // 2])
    report = archive(tmp_path / "m", request(footage), LOCAL)
    assert len(report.failed) == 2
    assert [memory.recordings for memory in report.memories] == [report.archived] == [3]


def test_a_budget_grows_with_the_hours(tmp_path, footage, helper):
    root, rate = tmp_path / "m", 300.0
    first = archive(root, request(footage, budget_mb_per_hour=rate), LOCAL)
    (memory,) = first.memories
    assert memory.budget_bytes == pytest.approx(36 / 3600 * rate * 1e6, rel=0.05)
    assert memory.bytes <= memory.budget_bytes
    helper.render(footage / "door_9.mp4", 9, 36)
    (memory,) = archive(root, request(footage, budget_mb_per_hour=rate), LOCAL).memories
    assert memory.budget_bytes == pytest.approx(72 / 3600 * rate * 1e6, rel=0.05)
    (memory,) = archive(tmp_path / "n", request(footage, budget_mb_per_hour=rate, budget_mb=50), LOCAL).memories
    assert memory.budget_bytes == 50e6


def test_what_waits_may_wait_elsewhere_and_is_forgotten_there_too(tmp_path, footage, helper):
    root, work = tmp_path / "m", tmp_path / "fast"
    told = []

    def stop(progress):
        told.append(sorted(p.name for p in work.rglob("*.part")))
        if progress.done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        archive(root, request(footage, work=str(work)), LOCAL, on_progress=stop)
    assert any(told)
    assert work_folder_of(root).parent == work
    assert not list((root / ".archive").glob("*/*.part"))
    assert (work_folder_of(root) / "copies" / "all").is_dir()
    assert main(["forget", "--stream", "door_0", "--yes", "--memory", str(root / "all")]) == 0
    assert not (work_folder_of(root) / "copies" / "all").exists()
    archive(root, request(footage), LOCAL)  # it is known where
    assert work_folder_of(root).parent == work


def test_a_little_footage_needs_no_ray(tmp_path, footage, monkeypatch):
    monkeypatch.setattr("hippocam.apps.archive.run.run_on_ray", None)
    assert archive(tmp_path / "m", request(footage), ArchiveConfig(executor="auto")).archived == 3
