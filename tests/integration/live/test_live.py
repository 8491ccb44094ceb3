"""Live cameras in real processes, killed and asked from outside as people and accidents do."""

import json
import os
import signal
import sqlite3
import subprocess

import av
import pytest

from hippocam.apps.cli.main import main
from hippocam.apps.live.endpoint import ask_live
from hippocam.memory.memory import Memory
from hippocam.models.encoders.palette import PaletteEncoder


@pytest.fixture(scope="module")
def helpers(load_helpers):
    return load_helpers("live_process.py")


@pytest.fixture
def clip(tmp_path, colour_video):
    return colour_video(tmp_path / "yard.mp4", [("green", 1.5), ("red", 1.5)])


def command(helpers, *arguments):
    done = subprocess.run(
        [str(helpers.HIPPOCAM), *map(str, arguments), "--json"],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    return done.returncode, json.loads(done.stdout.splitlines()[-1]) if done.stdout else done.stderr


def whole(memory):
    """The memory is consistent, within its budget, and free to be written again."""
    database = sqlite3.connect(memory / "memory.db")
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    rows = database.execute("SELECT count(*) FROM entry").fetchone()[0]
    database.close()
    with Memory.open_writer(memory, encoder="palette", spec=PaletteEncoder().spec) as writer:
        assert writer.bytes() <= writer.budget_bytes()
    return rows


def gone(pid):
    """Whether a process has ended (one that nobody has waited for yet included)."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_what_is_shown_now_is_found_while_it_runs_and_kept_when_it_stops(helpers, tmp_path, clip):
    memory = tmp_path / "m"
    asked = "tell me when something red comes"
    with helpers.Live(memory, clip, "--loop", "--fps", 5, "--look-back-mb", 2, "--alert", asked) as live:
        live.wait_for(lambda row: row["seen"])
        # before its event is closed
        helpers.until(lambda: any(m.id.startswith("open-yard-") for m in helpers.find(memory, "red")))
        code, clips = command(helpers, "clip", "--memory", memory, "--last", "2s", "--out", tmp_path / "c.mp4")
        assert code == 0
        with av.open(clips["clips"][0]["path"]) as container:
            assert sum(1 for _ in container.decode(video=0)) >= 10
        code, status = command(helpers, "live", "status", "--memory", memory)
        (camera,) = status["cameras"]
        assert (code, camera["state"], camera["size"], camera["dropped"]) == (0, "live", [160, 90], 0)
        assert command(helpers, "live", "stop", "--memory", memory) == (0, {"stopping": True})
        assert live.process.wait(helpers.LONG_S) == 0
    assert not live.place.socket.exists()
    told = list(map(json.loads, live.lines))
    assert all(row["error"] == "" for line in told for row in line.get("cameras", ()))
    (alert,) = map(json.loads, live.place.alerts.read_text().splitlines())  # one: its pause is a minute
    assert alert in told
    assert (alert["stream"], alert["text"]) == ("yard", asked)
    assert alert["belief"] > 0.6
    with open(alert["image"], "rb") as picture:
        assert picture.read(2) == b"\xff\xd8"
    assert whole(memory) >= 1
    (red, *_) = helpers.find(memory, "red")
    assert not red.id.startswith("open")
    assert 1.7e9 < red.t0_s < red.t1_s < 1e10
    code, message = command(helpers, "live", "status", "--memory", memory)
    assert code == 2
    assert "no live process runs" in message


def test_a_capture_that_is_killed_or_hangs_comes_back_and_the_gap_is_recorded(helpers, tmp_path, clip):
    options = ("--loop", "--fps", 5, "--look-back-mb", 0, "--stall", "3s")
    with helpers.Live(tmp_path / "m", f"cam={clip}", *options) as live:
        first = live.wait_for(lambda row: row["seen"] > 3)
        os.kill(first["pid"], signal.SIGKILL)
        second = live.wait_for(lambda row: row["restarts"] == 1 and row["seen"] > first["seen"] + 3)
        assert second["state"] == "live"
        assert second["pid"] != first["pid"]
        os.kill(second["pid"], signal.SIGSTOP)
        third = live.wait_for(lambda row: row["restarts"] == 2 and row["seen"] > second["seen"] + 3)
        assert first["last_s"] < second["last_s"] < third["last_s"]
        assert live.end(signal.SIGINT) == 0
    assert all(helpers.until(lambda pid=row["pid"]: gone(pid)) for row in (first, second, third))
    reasons = [row.get("error", "") for row in live.logged("state") if row["state"] == "away"]
    assert reasons == ["its process died", "no frame for 3 s"]
    gap = live.logged("gap")[-1]
    assert gap["from_s"] < second["last_s"] + 1 < gap["to_s"] < third["last_s"]
    spans = helpers.spans(tmp_path / "m", "red", "green")
    assert spans
    assert not any(t0_s < gap["to_s"] - 0.1 and t1_s > gap["from_s"] + 0.1 for t0_s, t1_s in spans)
    assert whole(tmp_path / "m") >= 1


def test_a_kill_of_everything_leaves_the_memory_whole_and_nobody_behind(helpers, tmp_path, clip):
    memory = tmp_path / "m"
    for _ in range(2):  # the second run finds what the first left behind
        with helpers.Live(memory, clip, "--loop", "--fps", 10, "--budget-mb", 1, "--look-back-mb", 1) as live:
            row = live.wait_for(lambda row: row["seen"] > 18)
            live.process.kill()
            live.process.wait(helpers.LONG_S)
            assert helpers.until(lambda pid=row["pid"]: gone(pid))
        assert whole(memory) >= 1
        assert ask_live(live.place.socket, {"op": "status"}) is None
    code, clips = command(helpers, "clip", "--memory", memory, "--last", "1s", "--out", tmp_path / "c.mp4")
    assert code == 0  # footage up to the kill
    assert clips["clips"][0]["frames"] >= 5


def test_several_cameras_share_one_memory_and_a_lost_one_is_told(helpers, tmp_path, clip, colour_video):
    memory, other = tmp_path / "m", colour_video(tmp_path / "gate.mp4", [("blue", 2)])
    nobody = "rtsp://me:secret@127.0.0.1:9/x"
    options = ("--fps", 5, "--restarts", 1, "--look-back-mb", 4)
    with helpers.Live(memory, clip, other, f"lost={nobody}", *options) as live:
        assert live.process.wait(helpers.LONG_S) == 1  # both files end, the third camera is given up
    assert "given up" in "".join(live.errors)
    assert "secret" not in "".join([*live.errors, *live.lines, live.place.log.read_text()])
    last = {row["stream"]: row for row in json.loads(live.lines[-1])["cameras"]}
    assert {name: row["state"] for name, row in last.items()} == {
        "yard": "ended", "gate": "ended", "lost": "given up",
    }  # fmt: skip
    assert last["lost"]["restarts"] == 1
    assert [m.stream for m in helpers.find(memory, "blue")] == ["gate"]
    assert [m.stream for m in helpers.find(memory, "red")] == ["yard"]
    code, message = command(helpers, "clip", "--memory", memory)
    assert code == 2
    assert "several cameras; give --stream, one of gate" in message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.mp4"], "no such file, and no address"),
        (["0", "--webhook", "http://h/"], "--webhook has nothing to post"),
        (["0", "--alert", "x", "--webhook", "mailto:me"], "--webhook: not an address"),
        (["0", "--look-back-mb", "0.5"], "1 MB or more a camera"),
        (["0", "--fps", "-1"], "fps must be above 0"),
        (["0", "--fps", "0"], "fps must be above 0"),
        (["0", "--restarts", "-1"], "restarts must be 0"),
    ],
)
def test_wrong_use_is_told_in_one_line(tmp_path, capsys, arguments, message):
    code = main(["live", "add", *arguments, "--memory", str(tmp_path / "m"), "--encoder", "palette"])
    told = capsys.readouterr().err
    assert code == 2
    assert message in told
    assert len(told.strip().splitlines()) == 1


def test_a_camera_can_run_on_ray(helpers, tmp_path, clip):
    pytest.importorskip("ray")
    with helpers.Live(tmp_path / "m", clip, "--fps", 5, "--executor", "ray", "--look-back-mb", 1) as live:
        assert live.process.wait(helpers.LONG_S) == 0, "".join(live.errors)
    (row,) = json.loads(live.lines[-1])["cameras"]
    assert (row["state"], row["dropped"]) == ("ended", 0)
    assert row["seen"] == pytest.approx(15, abs=2)
    assert [m.stream for m in helpers.find(tmp_path / "m", "red")] == ["yard"]
