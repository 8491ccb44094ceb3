import sqlite3
import subprocess
import sys

import pytest

from hippocam.apps.archive.layout import Home
from hippocam.apps.archive.ledger import Ledger, State
from hippocam.apps.content import fingerprint_of
from hippocam.stream.errors import HippocamError


@pytest.fixture
def ledger(tmp_path):
    with Ledger(tmp_path / "archive.db", clock=lambda: 1e9) as opened:
        yield opened


def test_what_became_of_a_recording_is_kept(tmp_path, ledger):
    row = ledger.add(memory="all", path="/a.mp4", fingerprint="1:a:b")
    assert (row.state, row.name) == (State.WAITING, "")
    ledger.set_state(row.id, State.BEGUN, name="a")
    ledger.set_state(row.id, State.QUARANTINED, reason="cut", seconds=10, cpu_s=2)
    ledger.set_state(row.id, State.DONE, seconds=5)
    ledger.close()
    with Ledger(tmp_path / "archive.db") as again:
        (row,) = again.rows(memory="all", state=State.DONE)
        assert (row.name, row.reason, row.seconds, row.cpu_s) == ("a", "", 15, 2)
        assert again.rows(state=State.BEGUN) == []


def test_a_recording_is_told_by_its_content_first_where_it_was(tmp_path, ledger):
    for name in ("a", "b", "gone"):
        (tmp_path / name).write_bytes(b"same")
        ledger.add(memory="m", path=str(tmp_path / name), fingerprint=fingerprint_of(str(tmp_path / name)))
    (tmp_path / "gone").unlink()
    same = fingerprint_of(str(tmp_path / "a"))
    given = [(str(tmp_path / name), same) for name in ("new", "b", "newer")] + [(str(tmp_path / "a"), "9:x:y")]
    found = [row and row.path for row in ledger.match(given)]
    assert found == [str(tmp_path / "gone"), str(tmp_path / "b"), str(tmp_path / "a"), None]


def test_content_that_cannot_be_told_is_known_by_its_place_alone(ledger):
    row = ledger.add(memory="m", path="/robot#episode_1", fingerprint="")
    assert ledger.match([("/other#episode_1", ""), ("/robot#episode_1", "")]) == [None, row]


def test_memories_of_one_name_are_told_apart_and_stay_the_same(ledger):
    names = [ledger.memory_for(Home(what, "cam")) for what in ("/x/cam", "/y/cam", "/x/cam")]
    assert names == ["cam", "cam-2", "cam"]
    assert ledger.memory_for(Home("/z", "archive.db")) == "archive.db-2"
    ledger.set_unit("cam-2", is_open=True)
    assert ledger.open_units() == ["cam-2"]
    ledger.set_unit("cam-2", is_open=False)
    assert ledger.open_units() == []


def test_settings_are_kept(ledger):
    assert ledger.setting("request") is None
    ledger.set_setting("request", {"paths": ["/a"]})
    assert ledger.setting("request") == {"paths": ["/a"]}


def test_a_transaction_counts_whole_or_not_at_all(ledger):
    def fail():
        with ledger.transaction():
            ledger.add(memory="m", path="/a", fingerprint="1:a:b")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert ledger.rows() == []


def test_a_kill_leaves_what_was_committed(tmp_path):
    script = """
import os, sys
from pathlib import Path
from hippocam.apps.archive.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]))
with ledger.transaction():
    ledger.add(memory="m", path="/a", fingerprint="1:a:b")
open_one = ledger.transaction()
open_one.__enter__()
ledger.add(memory="m", path="/b", fingerprint="2:a:b")
os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "archive.db")], check=False)
    assert done.returncode == -9
    with Ledger(tmp_path / "archive.db") as ledger:
        assert [row.path for row in ledger.rows()] == ["/a"]


def test_what_is_no_ledger_is_told(tmp_path):
    (tmp_path / "text.db").write_text("no database, but text " * 100)
    with pytest.raises(HippocamError, match="ledger cannot be used"):
        Ledger(tmp_path / "text.db")
    Ledger(tmp_path / "newer.db").close()
    database = sqlite3.connect(tmp_path / "newer.db")
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(HippocamError, match="no ledger of this hippocam"):
        Ledger(tmp_path / "newer.db")


def test_a_ledger_of_0_2_is_read_on(tmp_path):
    with Ledger(tmp_path / "archive.db") as ledger:
        row = ledger.add(memory="m", path="/a", fingerprint="1:a:b")
    database = sqlite3.connect(tmp_path / "archive.db")
    database.executescript("ALTER TABLE recording DROP COLUMN original; PRAGMA user_version = 1;")
    database.close()
    with Ledger(tmp_path / "archive.db") as ledger:
        ledger.set_state(row.id, State.DUPLICATE, reason="of /b", original=7)
    with Ledger(tmp_path / "archive.db") as ledger:
        (row,) = ledger.rows()
        assert (row.state, row.reason, row.original) == (State.DUPLICATE, "of /b", 7)
