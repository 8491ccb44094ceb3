"""`hippocam archive`: whatever is killed or small, the memories are those of an undisturbed run."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from hippocam.apps.archive.records import ArchiveConfig, ArchiveRequest
from hippocam.apps.archive.run import archive
from hippocam.apps.cli.main import main
from hippocam.memory.filter import Filter
from hippocam.memory.lock import WriterLock
from hippocam.memory.memory import Memory
from hippocam.models.registry import make_encoder
from hippocam.stream.archive.nodes import WorkersConfig
from hippocam.stream.errors import HippocamError

HELPER = Path(__file__).resolve().parents[2] / "archive_footage.py"
RAY = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture(scope="module")
def helper(load_helpers):
    return load_helpers("archive_footage.py")


@pytest.fixture(scope="module")
def footage(tmp_path_factory, helper):
    """Four videos in two folders, one of them truncated, and one that is none."""
    folder = tmp_path_factory.mktemp("footage")
    helper.render(folder / "door/door_2024-01-01.mp4", 1, 35)
    helper.render(folder / "door/door_2024-01-02.mp4", 2, 40)
    helper.render(folder / "yard/yard.mkv", 3, 25)
    whole = helper.render(folder / "whole.mkv", 4, 30)
    data = whole.read_bytes()
    (folder / "yard/cut.mkv").write_bytes(data[: len(data) * 2 // 3])
    whole.unlink()
    (folder / "yard/text.mp4").write_text("no video")
    return folder


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, helper, footage):
    """The memories of a run in which nothing went wrong."""
    root = tmp_path_factory.mktemp("undisturbed")
    report = helper.local(root, footage)
    assert (report.archived, len(report.failed)) == (3, 2)
    return helper.contents(root)


def killed(*arguments, within=()):
    command = [*within, sys.executable, str(HELPER), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, timeout=900)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def test_the_footage_of_these_tests_is_too_much_for_its_memory(undisturbed):
    tables, pictures = undisturbed["all"]
    assert {"smaller picture", "no picture"} & {row[3] for row in tables["journal"]}
    assert len(pictures) < len(tables["entry"]) or min(map(len, pictures.values())) < 5000


@pytest.mark.parametrize(
    ("where", "count"), [("segment", 1), ("segment", 5), ("segment", 9), ("event", 7), ("event", 22)]
)
def test_a_driver_that_is_killed_and_run_again_makes_the_same_memories(
    tmp_path, helper, footage, undisturbed, where, count
):
    root = tmp_path / "memories"
    killed(footage, root, "local", where, count)
    report = helper.local(root, footage)
    assert helper.contents(root) == undisturbed
    assert report.archived >= 1
    assert not list((root / ".archive").glob("*/*")), "nothing is left over"


def test_it_may_be_killed_again_and_again(tmp_path, helper, footage, undisturbed):
    for count in (3, 1, 4):
        killed(footage, tmp_path, "local", "segment", count)
    helper.local(tmp_path, footage)
    assert helper.contents(tmp_path) == undisturbed


def test_what_was_encoded_is_not_encoded_again(tmp_path, helper, footage):
    killed(footage, tmp_path, "local", "segment", 3)
    parts = {path: path.stat().st_mtime_ns for path in (tmp_path / ".archive/work").glob("*/*.part")}
    assert len(parts) == 3
    killed(footage, tmp_path, "local", "event", 2)
    assert all(path.stat().st_mtime_ns == when for path, when in parts.items())


def test_others_changes_since_the_kill_are_kept(tmp_path, helper, footage, undisturbed):
    """What is forgotten stays so, even where the memory was to be put back."""
    killed(footage, tmp_path, "local", "segment", 7)
    with Memory.open_writer(tmp_path / "all", encoder="palette", spec=make_encoder("palette").spec) as memory:
        assert memory.forget(Filter(stream="door_2024-01-01")).entries
    helper.local(tmp_path, footage)
    tables, _ = helper.contents(tmp_path)["all"]
    assert not [row for row in tables["entry"] if row[1] == "door_2024-01-01"]
    assert {row[1] for row in tables["entry"]} == {row[1] for row in undisturbed["all"][0]["entry"]} - {
        "door_2024-01-01"
    }


# on Ray -----------------------------------------------------------------------------------------------


@RAY
def test_ray_with_a_worker_killed_and_64_mb_of_shared_memory_makes_the_same_memories(
    tmp_path, helper, footage, undisturbed
):
    """The object store is what Ray allows at least; see OBJECT_STORE_BYTES."""
    import ray

    dead, stores = [], []

    def kill_all(progress):
        if progress.source and not dead:
            stores.append(ray.cluster_resources()["object_store_memory"])
            dead.extend(helper.workers_of(os.getpid()))
            for process in dead:
                os.kill(process, signal.SIGKILL)

    config = ArchiveConfig(unit_s=30.0, ahead=2)
    report = archive(tmp_path, helper.request(footage), config, on_progress=kill_all)
    assert dead
    assert stores[0] < 84e6
    assert report.archived == 3
    assert report.workers >= 1
    assert report.core_hours > 0
    assert helper.contents(tmp_path) == undisturbed
    assert not ray.is_initialized()


def small_shared_memory():
    """A command in front of another that gives it a /dev/shm of 64 MB; nothing where that is not allowed."""
    mount = 'mount -t tmpfs -o size=64m tmpfs /dev/shm && exec "$@"'
    within = ["unshare", "--mount", "bash", "-c", mount, "bash"]
    try:
        subprocess.run([*within, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    return within


@RAY
def test_ray_with_its_driver_killed_makes_the_same_memories(tmp_path, helper, footage, undisturbed):
    """In a container's 64 MB of /dev/shm, where this process may make one."""
    killed(footage, tmp_path, "ray", "segment", 5, within=small_shared_memory())
    report = archive(tmp_path, ArchiveRequest(), ArchiveConfig(unit_s=30.0, ahead=2), resume=True)
    assert [failure.source for failure in report.failed] == [str(footage / "yard/cut.mkv")]
    assert [failure.source for failure in report.quarantined] == [str(footage / "yard/text.mp4")]
    assert helper.contents(tmp_path) == undisturbed


@RAY
def test_a_cluster_without_room_is_told_and_does_not_hang(tmp_path, helper, footage):
    import ray

    ray.init("local", num_cpus=1, num_gpus=0, include_dashboard=False, log_to_driver=False, logging_level="error")
    try:
        with pytest.raises(HippocamError, match="1 of its 1 cores free"):
            archive(tmp_path, helper.request(footage), ArchiveConfig(workers=WorkersConfig(workers=4)))
        with pytest.raises(HippocamError, match="no free GPU"):
            archive(tmp_path, helper.request(footage), ArchiveConfig(workers=WorkersConfig(gpu_share=0.5)))
    finally:
        ray.shutdown()


# the ledger ---------------------------------------------------------------------------------------------


def test_done_work_is_passed_over_and_bad_files_are_told_once(tmp_path, helper, footage, capsys):
    first = helper.local(tmp_path, footage)
    reasons = {Path(failure.source).name: failure.reason for failure in first.failed}
    assert "truncated: read up to" in reasons["cut.mkv"]
    assert "text, not a video" in reasons["text.mp4"]
    assert first.hours == pytest.approx((35 + 40 + 25 + 20) / 3600, rel=0.1)
    before = helper.contents(tmp_path)
    assert main(["archive", "--memories", str(tmp_path), "--resume", "--executor", "local"]) == 0
    told = capsys.readouterr().out
    assert "0 archived, 3 known already" in told
    assert told.count("in quarantine") == 2
    assert main(["archive", "--memories", str(tmp_path), "--resume", "--json"]) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (report["known"], len(report["quarantined"]), report["failed"]) == (3, 2, [])
    assert helper.contents(tmp_path) == before
    again = helper.local(tmp_path, footage, config={"retry": True})
    assert {Path(failure.source).name for failure in again.failed} == {"cut.mkv"}
    tables, _ = helper.contents(tmp_path)["all"]
    assert sorted(tables["entry"]) == sorted(before["all"][0]["entry"])


def test_a_quarantined_file_that_is_mended_is_archived(tmp_path, helper):
    whole = helper.render(tmp_path / "whole.mkv", 4, 20)
    data, place = whole.read_bytes(), tmp_path / "in" / "a.mkv"
    place.parent.mkdir()
    place.write_bytes(data[: len(data) // 2])
    assert len(helper.local(tmp_path / "m", place.parent).failed) == 1
    place.write_bytes(data)
    report = helper.local(tmp_path / "m", place.parent)
    assert (report.archived, report.failed) == (1, ())
    (stream,) = helper.contents(tmp_path / "m")["all"][0]["stream"]
    assert stream[0] == "a", "it had grown, and was gone on with"


def test_a_moved_file_is_linked_anew_and_a_changed_one_is_done_again(tmp_path, helper):
    film = helper.render(tmp_path / "in" / "a.mp4", 1, 12)
    helper.local(tmp_path / "m", tmp_path / "in")
    moved = film.rename(tmp_path / "in" / "older.mp4")
    helper.render(film, 2, 14)  # a camera that writes over its file
    report = helper.local(tmp_path / "m", tmp_path / "in")
    assert (report.moved, report.archived, report.known) == ((str(moved),), 1, 1)
    with Memory.open_reader(tmp_path / "m" / "all") as memory:
        assert {s.id: s.source for s in memory.streams()} == {"a": str(moved), "a-2": str(film)}
    assert not helper.local(tmp_path / "m", tmp_path / "in").archived


def test_a_copy_is_archived_once_and_known_alone(tmp_path, helper):
    film = helper.render(tmp_path / "in" / "a.mp4", 1, 5)
    (tmp_path / "in" / "b.mp4").write_bytes(film.read_bytes())
    report = helper.local(tmp_path / "m", tmp_path / "in")
    (duplicate,) = report.duplicates
    assert (report.archived, duplicate.source) == (1, str(tmp_path / "in" / "b.mp4"))
    assert duplicate.reason == f"a duplicate of {film} (byte for byte)"
    report = helper.local(tmp_path / "m", tmp_path / "in" / "b.mp4")
    assert (report.archived, report.known, report.duplicates, report.moved) == (0, 0, (duplicate,), ())


def test_without_its_ledger_the_memories_still_know_what_they_hold(tmp_path, helper):
    helper.render(tmp_path / "in" / "a.mp4", 1, 5)
    helper.local(tmp_path / "m", tmp_path / "in")
    (tmp_path / "m" / "archive.db").unlink()
    report = helper.local(tmp_path / "m", tmp_path / "in")
    assert (report.archived, report.known) == (0, 1)


def test_a_memory_that_was_deleted_is_made_again(tmp_path, helper):
    helper.render(tmp_path / "in" / "a.mp4", 1, 5)
    helper.local(tmp_path / "m", tmp_path / "in")
    for path in (tmp_path / "m" / "all").rglob("*"):
        path.is_dir() or path.unlink()
    assert helper.local(tmp_path / "m", tmp_path / "in").archived == 1


@pytest.mark.parametrize(
    ("per", "memories"), [("folder", {"door", "yard"}), ("camera", {"door", "yard", "cut"}), ("all", {"all"})]
)
def test_one_memory_per_what_was_asked_for(tmp_path, helper, footage, per, memories):
    report = helper.local(tmp_path, footage, per=per)
    assert {Path(memory.folder).name for memory in report.memories} == memories
    assert all(memory.bytes <= memory.budget_bytes == 1_000_000 for memory in report.memories)
    other = "folder" if per != "folder" else "all"
    with pytest.raises(HippocamError, match=f"one per {per}"):
        helper.local(tmp_path, footage, per=other)


def test_robots_and_images_are_archived_beside_videos(tmp_path, helper, media):
    media.render_lerobot(tmp_path / "in" / "robot", lengths=(20, 30))
    report = helper.local(tmp_path / "m", tmp_path / "in", per="folder")
    assert (report.archived, report.failed) == (2, ())
    with Memory.open_reader(tmp_path / "m" / "robot") as memory:
        assert {s.id for s in memory.streams()} >= {"robot/episode_000000/top", "robot/episode_000001/wrist"}
    assert helper.local(tmp_path / "m", tmp_path / "in").known == 2


# wrong use ----------------------------------------------------------------------------------------------


def test_wrong_use_is_told_in_one_line(tmp_path, helper, capsys):
    assert main(["archive", "--memories", str(tmp_path / "m"), "--resume"]) == 2
    assert "no archive to go on with" in capsys.readouterr().err
    assert main(["archive", "--memories", str(tmp_path / "m")]) == 2
    assert "nothing to archive" in capsys.readouterr().err
    assert main(["archive", str(tmp_path / "no.mp4"), "--memories", str(tmp_path / "m"), "--segment", "0"]) == 2
    assert "segment_s must be 1 to 3600" in capsys.readouterr().err
    lock = WriterLock(tmp_path / "m" / ".archive" / "lock")
    assert main(["archive", str(tmp_path / "no.mp4"), "--memories", str(tmp_path / "m")]) == 2
    assert "another process archives" in capsys.readouterr().err
    lock.release()
    (tmp_path / "other").mkdir()
    database = sqlite3.connect(tmp_path / "other" / "archive.db")
    database.execute("CREATE TABLE t (x)")
    database.close()
    assert main(["archive", str(tmp_path / "no.mp4"), "--memories", str(tmp_path / "other")]) == 2
    assert "no ledger of this hippocam" in capsys.readouterr().err


def test_a_file_that_is_missing_is_a_failure_each_time(tmp_path, helper):
    for _ in range(2):
        report = helper.local(tmp_path / "m", tmp_path / "no.mp4")
        assert [failure.source for failure in report.failed] == [str(tmp_path / "no.mp4")]
