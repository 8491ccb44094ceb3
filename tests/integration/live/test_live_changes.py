"""A memory is changed while a live process writes to it: that process does it, between two frames."""

import configparser
import json
import subprocess
import time
from datetime import datetime

import av
import cv2
import numpy as np
import pytest

from hippocam.apps import Session
from hippocam.apps.cli.main import main
from hippocam.apps.live.endpoint import ask_live
from hippocam.memory.memory import Memory


@pytest.fixture(scope="module")
def helpers(load_helpers):
    return load_helpers("live_process.py")


@pytest.fixture
def clip(tmp_path, colour_video):
    return colour_video(tmp_path / "yard.mp4", [("green", 1.5), ("red", 1.5)])


def hippocam(capsys, *arguments):
    code = main([*map(str, arguments), "--json"])
    said = capsys.readouterr()
    return code, json.loads(said.out.splitlines()[-1]) if said.out else said.err


def entries(memory, stream="yard"):
    with Session(memory) as session:
        held = any(known.id == stream for known in session.status().streams)
        return session.search("red", stream=stream, top=1000) if held else ()


def test_pin_forget_sleep_and_more_cameras_while_it_runs(helpers, tmp_path, clip, colour_video, capsys):
    memory, other = tmp_path / "m", colour_video(tmp_path / "gate.mp4", [("blue", 2), ("yellow", 2)])
    with helpers.Live(memory, clip, "--loop", "--fps", 5, "--look-back-mb", 3) as live:
        live.wait_for(lambda row: row["seen"])
        helpers.until(lambda: memory.is_dir() and len([e for e in entries(memory) if "open-" not in e.id]) > 3)
        first = min((e for e in entries(memory) if "open-" not in e.id), key=lambda e: e.t0_s)
        assert hippocam(capsys, "pin", first.id, "--memory", memory)[0] == 0
        with Memory.open_reader(memory) as reader:
            assert any(slot.pinned for slot in reader.store.entries.slots())
        now = datetime.now().isoformat(sep=" ")
        assert (
            first.id
            in hippocam(capsys, "pin", "--stream", "yard", "--before", now, "--memory", memory)[1]["entries"]
        )
        # another camera, with its own name and its own colours
        code, added = hippocam(capsys, "live", "add", f"door={other}", "--memory", memory)
        assert (code, added) == (0, {"added": ["door"]})
        helpers.until(lambda: live.cameras().get("door", {}).get("seen"))
        # what was seen until now goes, footage too; what comes after stays
        before_s = time.time()
        said = datetime.fromtimestamp(before_s).isoformat(sep=" ")
        code, gone = hippocam(capsys, "forget", "--stream", "yard", "--before", said, "--yes", "--memory", memory)
        assert code == 0
        assert gone["entries"] > 3
        assert all(e.t1_s >= before_s - 1 for e in entries(memory))
        footage = live.place.look_back("yard")
        assert all(int(path.stem) / 1000 > before_s - 1 for path in footage.glob("*.mkv"))
        seen = live.cameras()["yard"]["seen"]
        helpers.until(lambda: live.cameras()["yard"]["seen"] > seen + 10)
        helpers.until(lambda: [e for e in entries(memory) if "open-" not in e.id])
        assert hippocam(capsys, "sleep", "--memory", memory)[0] == 0
        # a whole stream, which goes on from nothing
        helpers.until(lambda: [e for e in entries(memory, "door") if "open-" not in e.id])
        code, gone = hippocam(capsys, "forget", "--stream", "door", "--yes", "--memory", memory)
        assert code == 0, gone
        assert gone["streams"] == 1
        helpers.until(lambda: [e for e in entries(memory, "door") if "open-" not in e.id])
        code, said = hippocam(capsys, "live", "remove", "door", "--memory", memory)
        assert (code, said) == (0, {"removed": ["door"]})
        assert set(live.cameras()) == {"yard"}
        held = entries(memory, "door")
        assert held
        code, said = hippocam(capsys, "live", "remove", "yard", "--memory", memory)
        assert code == 2
        assert "only camera" in said
        code, said = hippocam(capsys, "pin", "0" * 16, "--memory", memory)
        assert code == 2
        assert "0000" in said
        assert hippocam(capsys, "live", "stop", "--memory", memory)[0] == 0
        assert live.process.wait(helpers.LONG_S) == 0
    assert {e.id for e in entries(memory, "door")} == {e.id for e in held}
    assert hippocam(capsys, "verify", "--memory", memory)[0] == 0


def test_footage_is_kept_by_event_and_cut_by_time_and_by_moment(helpers, tmp_path, clip, capsys):
    memory = tmp_path / "m"
    options = (
        "--loop",
        "--fps",
        5,
        "--look-back-mb",
        3,
        "--look-back",
        "4s",
        "--keep",
        "motion",
        "--keep-before",
        "1s",
    )
    with helpers.Live(memory, clip, *options) as live:
        kept, footage = live.place.kept("yard"), live.place.look_back("yard")
        live.wait_for(lambda row: row["seen"])
        helpers.until(lambda: {p.name for p in kept.glob("*.mkv")} - {p.name for p in footage.glob("*.mkv")})
        helpers.until(lambda: [e for e in entries(memory) if "open-" not in e.id])
        assert hippocam(capsys, "live", "stop", "--memory", memory)[0] == 0
        assert live.process.wait(helpers.LONG_S) == 0
    first_s = min(int(path.stem) for path in kept.glob("*.mkv")) / 1000
    said = [datetime.fromtimestamp(first_s + at_s).isoformat(sep=" ") for at_s in (0, 2)]
    out = tmp_path / "by time.mp4"
    code, cut = hippocam(
        capsys,
        "clip",
        "--after",
        said[0],
        "--before",
        said[1],
        "--stream",
        "yard",
        "--out",
        out,
        "--memory",
        memory,
    )
    assert code == 0
    ((t0_s, t1_s),) = cut["clips"][0]["spans"]
    assert first_s - 2.5 < t0_s <= first_s + 0.1
    assert first_s + 1 < t1_s < first_s + 5
    red = min((e for e in entries(memory) if "open-" not in e.id), key=lambda e: e.t0_s)
    code, cut = hippocam(capsys, "clip", red.id, "--out", tmp_path / "by moment.mp4", "--memory", memory)
    assert code == 0
    assert cut["clips"][0]["spans"][-1][1] > red.t0_s
    code, said = hippocam(capsys, "clip", red.id, "--last", "3s", "--memory", memory)
    assert (code, "give a moment" in said) == (2, True)


def a_sign(path):
    """Five seconds of a white wall, and five of a sign on it."""
    wall = np.full((360, 640, 3), 235, np.uint8)
    sign = cv2.putText(wall.copy(), "HARBOUR", (60, 200), cv2.FONT_HERSHEY_SIMPLEX, 3.5, (20, 20, 20), 9)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for image in [wall] * 50 + [sign] * 50:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    return path


def test_what_is_written_in_live_pictures_is_read_within_a_share(helpers, tmp_path):
    memory, sign = tmp_path / "m", a_sign(tmp_path / "sign.mp4")
    with helpers.Live(
        memory, f"sign={sign}", "--loop", "--fps", 2, "--look-back-mb", 0, "--read-share", 0.5
    ) as live:
        live.wait_for(lambda row: row["seen"])
        helpers.until(lambda: ask_live(live.place.socket, {"op": "status"})["reading"]["read"] >= 3)
        live.wait_for(lambda row: row["seen"] >= 24)  # the sign has come and gone
        assert live.end() == 0
    with Session(memory) as session:
        assert "HARBOUR" in session.ask("What is written on the sign?", stream="sign").answer.upper()


def test_a_clip_of_a_recording_by_time_and_by_moment(tmp_path, clip, capsys):
    memory = tmp_path / "m"
    assert hippocam(capsys, "watch", clip, "--encoder", "palette", "--memory", memory)[0] == 0
    (found,) = (e for e in entries(memory) if e.score > 0.5)
    for conditions in ((found.id,), ("--after", "0:01", "--before", "0:02")):
        code, cut = hippocam(capsys, "clip", *conditions, "--out", tmp_path / "c.mkv", "--memory", memory)
        assert code == 0
        assert (tmp_path / "c.mkv").stat().st_size > 1000
        assert cut["clips"][0]["frames"] > 5


def test_a_unit_for_systemd(tmp_path, capsys, monkeypatch):
    folder = tmp_path / "100% mine"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert main(["live", "service", "rtsp://cam/front?a=1%20b", "--alert", "a dog", "--memory", "m"]) == 0
    unit = configparser.ConfigParser(interpolation=None, delimiters=("=",))
    unit.optionxform = str
    unit.read_string(capsys.readouterr().out)
    service = unit["Service"]
    assert service["WorkingDirectory"] == str(folder).replace("%", "%%")
    assert service["ExecStart"].endswith('live add rtsp://cam/front?a=1%%20b --alert "a dog" --memory m')
    assert service["KillSignal"] == "SIGINT"
    path = tmp_path / "hippocam.service"
    assert main(["live", "service", "/dev/video0"]) == 0
    path.write_text(capsys.readouterr().out)
    try:
        checked = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True, timeout=120)
    except FileNotFoundError:
        return
    assert "hippocam.service" not in checked.stderr


def test_without_a_live_process_nothing_is_added_or_removed(tmp_path, capsys):
    assert main(["live", "remove", "yard", "--memory", str(tmp_path)]) == 2
    assert "no live process runs" in capsys.readouterr().err
    assert main(["live", "service"]) == 2
