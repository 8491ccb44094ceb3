"""What a machine can do that lacks a library: each case in a process where the library cannot be loaded."""

import subprocess
import sys

import pytest

SCENES = [("red", 10), ("green", 10), ("blue", 10)]
WITHOUT = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {missing!r}:
            raise ImportError("libxcb.so.1: cannot open shared object file: No such file or directory")

sys.meta_path.insert(0, Missing())
from hippocam.apps.cli.main import main

for arguments in {commands!r}:
    print("$", *arguments)
    if code := main(arguments):
        sys.exit(code)
"""


def without(missing, *commands):
    code = WITHOUT.format(missing=set(missing), commands=[[str(word) for word in command] for command in commands])
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=900, check=False)


@pytest.fixture
def clip(tmp_path, colour_video):
    return colour_video(tmp_path / "field.mp4", SCENES)


@pytest.fixture
def memory(tmp_path, clip):
    done = without((), ["watch", clip, "--memory", tmp_path / "m", "--encoder", "palette"])
    assert done.returncode == 0, done.stderr
    return tmp_path / "m"


def test_without_opencv_watching_is_refused_in_one_line(tmp_path, clip):
    done = without(["cv2"], ["watch", clip, "--memory", tmp_path / "m", "--encoder", "palette"])
    assert done.returncode == 2
    assert [line for line in done.stderr.splitlines() if line] == [
        "hippocam: OpenCV cannot be loaded (libxcb.so.1: cannot open shared object file: No such file or "
        "directory): pip uninstall -y opencv-python && pip install opencv-python-headless"
    ]
    assert not (tmp_path / "m").exists()


def test_without_opencv_a_memory_answers_and_is_looked_after(tmp_path, memory):
    at = ["--memory", memory]
    asked = ["ask", "When was there something green?", *at]
    out = tmp_path / "m.jsonl"
    done = without(
        ["cv2"],
        ["status", *at],
        asked,
        ["search", "blue", *at],
        ["export", "--out", out, *at],
        ["import", out, "--memory", tmp_path / "again"],
        ["sleep", *at],
        ["forget", "--before", "5", "--yes", *at],
    )
    assert done.returncode == 0, done.stderr
    assert "0:10 to 0:20" in done.stdout


def test_without_opencv_the_page_is_served(memory):
    page = """
from hippocam.apps import Session
from hippocam.apps.web.server import build_app
from fastapi.testclient import TestClient

with Session({memory!r}) as session, TestClient(build_app(session), base_url="http://127.0.0.1") as client:
    assert client.get("/").status_code == 200
"""
    code = WITHOUT.format(missing={"cv2"}, commands=[]) + page.format(memory=str(memory))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr


def test_colours_are_watched_and_asked_without_torch(tmp_path, clip):
    at = ["--memory", tmp_path / "m"]
    done = without(
        ["torch", "ray", "transformers"],
        ["watch", clip, *at, "--encoder", "palette"],
        ["ask", "When was there something green?", *at],
        ["status", *at],
    )
    assert done.returncode == 0, done.stderr
    assert "0:10 to 0:20" in done.stdout
