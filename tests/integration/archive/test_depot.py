"""Memories of an archive that are copied whole to another disk when they are finished, and fetched from there."""

import json
import sqlite3
import tarfile
import time

import pytest

from hippocam.apps.archive.records import ArchiveConfig, ArchiveRequest
from hippocam.apps.archive.run import archive
from hippocam.apps.cli.main import main
from hippocam.apps.live.folder import LiveFolder
from hippocam.apps.zones.files import kept_zones, write_zones
from hippocam.stream.errors import HippocamError
from hippocam.stream.zones.polygons import CameraZones


@pytest.fixture(scope="module")
def helper(load_helpers):
    return load_helpers("archive_footage.py")


@pytest.fixture
def footage(tmp_path, helper):
    folder = tmp_path / "footage"
    for number, camera in enumerate(("door", "hall", "yard")):
        helper.render(folder / camera / "2023-11-02_14-05-00.mp4", number, 12)
    return folder


def test_another_folder_is_filled_and_goes_on(tmp_path, helper, footage, capsys):
    disk, here, there = tmp_path / "disk", tmp_path / "here", tmp_path / "there"
    assert helper.local(here, footage, per="camera", copy_to=str(disk)).archived == 3
    assert {path.name for path in disk.iterdir()} == {"archive.db", "run.json", "door.tar", "hall.tar", "yard.tar"}
    helper.render(footage / "door" / "2023-11-03_14-05-00.mp4", 9, 12)
    unchanged = (disk / "yard.tar").stat().st_mtime_ns
    report = helper.local(there, footage, copy_to=str(disk))
    assert (report.archived, report.known) == (1, 3)
    assert (disk / "yard.tar").stat().st_mtime_ns == unchanged, "only what changed is copied"
    with pytest.raises(HippocamError, match="another folder has written to it since"):
        archive(here, ArchiveRequest(), ArchiveConfig(executor="local"), resume=True)
    asked = tmp_path / "asked"
    assert main(["archive", "fetch", "--copy-to", str(disk), "--memories", str(asked), "--json"]) == 0
    names = json.loads(capsys.readouterr().out)["memories"]
    assert names == [str(asked / name) for name in ("door", "hall", "yard")]
    fetched, left = helper.contents(asked), helper.contents(there)
    assert {name: tables["entry"] for name, (tables, _) in fetched.items()} == {
        name: tables["entry"] for name, (tables, _) in left.items()
    }
    assert {name: pictures for name, (_, pictures) in fetched.items()} == {
        name: pictures for name, (_, pictures) in left.items()
    }
    assert main(["archive", "fetch", "--copy-to", str(disk), "--memories", str(asked)]) == 2
    assert "has an archive already" in capsys.readouterr().err


def test_zones_travel_with_a_memory_and_are_copied_when_they_change(tmp_path, helper, footage):
    """A question about a zone, and the next run's masks, are the same where the memory was fetched."""
    disk, here, there = tmp_path / "disk", tmp_path / "here", tmp_path / "there"
    gate, mask = ([[0, 0], [x, 0], [x, 1]] for x in (0.5, 0.25))
    helper.local(here, footage, per="camera", copy_to=str(disk), zones={"door": {"masks": [mask]}})
    files = [disk / f"{name}.tar" for name in ("door", "hall", "yard")]
    copied = [path.stat().st_mtime_ns for path in files]
    own = LiveFolder(here / "door").zones
    write_zones(own, {"*": CameraZones(zones={"gate": gate}, masks=[mask])})
    archive(here, ArchiveRequest(), ArchiveConfig(executor="local"), resume=True)
    assert [path.stat().st_mtime_ns == before for path, before in zip(files, copied, strict=True)] == [
        False, True, True,
    ]  # fmt: skip
    assert helper.local(there, footage, copy_to=str(disk)).known == 3
    assert kept_zones(LiveFolder(there / "door").zones) == kept_zones(own)
    assert kept_zones(own)["*"].zones == {"gate": gate}


def test_a_run_that_was_cut_short_copies_only_the_rest(tmp_path, helper, footage):
    disk, root = tmp_path / "disk", tmp_path / "here"

    def stop(progress):
        if progress.done == 2:
            until_s = time.monotonic() + 60
            while not (disk / "door.tar").exists() and time.monotonic() < until_s:
                time.sleep(0.05)
            raise KeyboardInterrupt

    request = helper.request(footage, per="camera", copy_to=str(disk))
    with pytest.raises(KeyboardInterrupt):
        archive(root, request, ArchiveConfig(executor="local"), on_progress=stop)
    assert not (disk / "archive.db").exists()
    copied = (disk / "door.tar").stat().st_mtime_ns
    archive(root, ArchiveRequest(), ArchiveConfig(executor="local"), resume=True)
    assert {path.name for path in disk.glob("*.tar")} == {"door.tar", "hall.tar", "yard.tar"}
    assert (disk / "door.tar").stat().st_mtime_ns == copied
    database = sqlite3.connect(disk / "archive.db")
    assert {state for (state,) in database.execute("SELECT state FROM recording")} == {"done"}
    database.close()


def test_what_is_no_memory_is_not_unpacked(tmp_path, helper, footage):
    disk = tmp_path / "disk"
    helper.local(tmp_path / "here", footage, per="camera", copy_to=str(disk))
    with tarfile.open(disk / "hall.tar", "w") as tar:
        tar.add(footage / "hall" / "2023-11-02_14-05-00.mp4", "../evil.mp4")
    with pytest.raises(HippocamError, match=r"hall\.tar: no memory of an archive"):
        helper.local(tmp_path / "there", footage, copy_to=str(disk))
    assert not list(tmp_path.rglob("evil.mp4"))


def test_where_nothing_can_be_copied_it_is_told(tmp_path, helper, footage):
    with pytest.raises(HippocamError, match="a web server takes no files"):
        helper.local(tmp_path / "m", footage, copy_to="https://example.org/m")
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(HippocamError, match="cannot be used"):
        helper.local(tmp_path / "n", footage, copy_to=str(tmp_path / "file"))
