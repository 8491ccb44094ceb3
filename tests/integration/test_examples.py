"""The programs in examples/ run as their README says, and print what is true of what they draw."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"


def run(*command: str, path: Path | None = None) -> str:
    """What a command prints; its working folder is the checkout, `path` is searched for modules first."""
    there = [str(path)] if path else []
    paths = os.pathsep.join([*there, *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": paths} if paths else dict(os.environ)
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_library_finds_red_and_says_that_purple_was_not_there() -> None:
    printed = run("-m", "examples.library")
    assert "When is something red? Perhaps 0:08 to 0:16 in colours" in printed
    assert re.findall(r"^  colours (\S+) to (\S+) s", printed, flags=re.MULTILINE) == [("8", "16")]
    assert "Was there anything purple? Not seen" in printed


def test_the_robot_knows_where_it_saw_the_red_box() -> None:
    printed = run("-m", "examples.robot")
    (t0_s, t1_s, at), *_ = re.findall(r"a red box: seen at (\S+) to (\S+) s, at (\S+) m", printed)
    assert float(t0_s) < 1.7  # it is in view from 0.3 to 1.7 m, at a metre a second
    assert float(t1_s) > 0.3
    assert 0.3 <= float(at) <= 1.7


def test_the_memory_finds_the_cup_and_where_it_was() -> None:
    found = dict(re.findall(r"^(a cup[^:]*):\n((?:  .*\n)*)", run("-m", "examples.vectors"), flags=re.MULTILINE))
    times = {asked: re.findall(r"(\d+) to (\d+) s", lines) for asked, lines in found.items()}
    assert sorted(times["a cup"]) == [("20", "26"), ("95", "101")]
    assert times["a cup in the lab"] == [("95", "101")]
    assert times["a cup outside"] == []


def test_the_camera_alerts_and_answers() -> None:
    printed = run("-m", "examples.live")
    assert printed.count("alert: something red on yard") == 1
    (answer,) = re.findall(r"(?:Likely|Perhaps) \S+ (\S+) to \S+ (\S+) in yard", printed)
    t0_s, t1_s = (sum(60**i * float(part) for i, part in enumerate(reversed(t.split(":")))) for t in answer)
    assert (t1_s - t0_s) % 86400 == pytest.approx(2, abs=1)


def test_an_encoder_of_ones_own_is_installed_and_chosen(tmp_path: Path) -> None:
    source, site, memory = tmp_path / "source", tmp_path / "site", str(tmp_path / "memory")
    shutil.copytree(EXAMPLES / "own_encoder", source)  # a build leaves files beside what it builds
    offline = ("--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check", "-q")
    run("-m", "pip", "install", *offline, "--target", str(site), str(source))
    clip = str(tmp_path / "day.mp4")
    run(
        "-c",
        f"from pathlib import Path; from examples.clip import draw; draw(Path({clip!r}), ['white', 'blue'], 5)",
    )
    hippocam = ("-m", "hippocam.apps.cli.main")
    watch = run(*hippocam, "watch", clip, "--memory", memory, "--encoder", "brightness", path=site)
    assert "2 events" in watch
    assert "0:00 to 0:05 in day" in run(*hippocam, "ask", "When is it bright?", "--memory", memory, path=site)
    assert "Not seen" in run(*hippocam, "ask", "When is it red?", "--memory", memory, path=site)


def test_every_example_stands_in_the_readme() -> None:
    readme = (EXAMPLES / "README.md").read_text()
    programs = {file.stem for file in EXAMPLES.glob("*.py")} - {"__init__", "clip"}
    assert programs == set(re.findall(r"python -m examples\.(\w+)", readme))
