"""Nothing leaves the machine: no name is looked up, nobody is connected to, no file is left outside our folders.

Every system call of the processes is watched by strace, which sees what native libraries do as well.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from hippocam.models.weights import cache_root
from hippocam.stream.telemetry import SWITCHES, switch_off

COLOURS = [("red", 4.0), ("green", 4.0)]
# An internet address in a call, but for those of this machine.
OUTWARD = re.compile(
    r'AF_INET6?, .*?(?:inet_addr\("(?!127\.|0\.0\.0\.0)|inet_pton\(AF_INET6, "(?!::1"|::"|::ffff:127))'
)


@pytest.fixture
def watched(tmp_path: Path) -> Callable[..., list[str]]:
    """A hippocam command, traced, with an empty home: `watched("watch", ...)` begins the command line."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    (tmp_path / "home").mkdir()

    def command(*arguments: object) -> list[str]:
        trace = ["strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg", "-o", str(tmp_path / "trace")]
        return [*trace, sys.executable, "-m", "hippocam.apps.cli.main", *map(str, arguments)]

    return command


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A user's environment: no CI, none of the switches, a home of its own; weights where they were fetched to."""
    off = {"CI", "GITHUB_ACTIONS", "XDG_CACHE_HOME", "XDG_DATA_HOME", *SWITCHES}
    kept = {name: value for name, value in os.environ.items() if name not in off}
    return {**kept, "HOME": str(tmp_path / "home"), "HIPPOCAM_CACHE": str(cache_root())}


def nothing_left(tmp_path: Path) -> None:
    calls = (tmp_path / "trace").read_text(errors="replace").splitlines()
    assert [call for call in calls if OUTWARD.search(call)] == []
    assert sorted(str(path) for path in (tmp_path / "home").rglob("*") if path.is_file()) == []


def test_watching_and_asking_with_every_sense(tmp_path, watched, environment, colour_video):
    clip = colour_video(tmp_path / "clip.mp4", COLOURS)
    command = watched("watch", clip, "--memory", tmp_path / "m")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900, check=False)
    if "weights" in done.stderr and done.returncode == 2:
        pytest.skip(f"the default encoder's weights are not here: {done.stderr}")
    assert done.returncode == 0, done.stderr
    nothing_left(tmp_path)
    command = watched("ask", "When was it red?", "--memory", tmp_path / "m")
    subprocess.run(command, env=environment, capture_output=True, timeout=900, check=True)
    nothing_left(tmp_path)


def test_an_archive_on_ray(tmp_path, watched, environment, colour_video):
    (tmp_path / "footage").mkdir()
    colour_video(tmp_path / "footage" / "clip.mp4", COLOURS)
    where = ("--memories", tmp_path / "out", "--encoder", "palette")
    command = watched("archive", tmp_path / "footage", *where)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=290, check=False)
    assert done.returncode == 0, done.stderr
    nothing_left(tmp_path)


def test_a_visit_of_the_page(tmp_path, watched, environment):
    command = watched("web", "--memory", tmp_path / "m", "--port", 0)
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        line = process.stdout.readline()  # it says where it listens as soon as it does
        assert line.startswith("open http://"), line + process.stderr.read()
        with httpx.Client(base_url=line.split()[1], timeout=120, trust_env=False) as client:
            assert client.get("/").status_code == 200
            assert client.get("/config").status_code == 200
        time.sleep(3)  # what is sent in the background has time to be
    finally:
        os.killpg(process.pid, signal.SIGINT)  # strace passes none on: the page it runs is of the same group
        process.communicate(timeout=120)
    nothing_left(tmp_path)


def test_what_a_user_has_set_stays(monkeypatch):
    for name in SWITCHES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "1")
    switch_off()
    assert os.environ == os.environ | {**SWITCHES, "RAY_USAGE_STATS_ENABLED": "1"}
