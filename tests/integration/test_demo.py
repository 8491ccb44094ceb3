"""`make demo` where nothing can be fetched: the scene of its own, answered rightly."""

import re
import sys

import pytest

from hippocam.apps import demo


@pytest.fixture
def no_network(tmp_path, monkeypatch):
    """Nothing in the cache, and pip finds nothing."""
    monkeypatch.setenv("HIPPOCAM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.chdir(tmp_path)


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["demo", *arguments])
    return demo.main()


def answers(out):
    """Each question with the lines below it."""
    return {block.splitlines()[0]: block for block in re.split(r"^ask: ", out, flags=re.M)[1:]}


def test_without_network_the_rendered_scene_is_answered_rightly(no_network, monkeypatch, capsys):
    assert run(monkeypatch) == 0
    shown = capsys.readouterr()
    assert "cannot be fetched" in shown.out
    red, purple = answers(shown.out).values()
    found = re.search(r"Perhaps 0:(\d\d) to 0:(\d\d) in rendered-scene", red)
    assert found, red
    t0_s, t1_s = map(int, found.groups())
    assert (t0_s, t1_s) == (9, 13)  # at one frame a second, of a bus that comes at 8.1 s and is gone at 13 s
    assert "Not seen" in purple
    assert "WARNING" not in shown.err


def test_a_question_of_ones_own_is_asked_of_it(no_network, monkeypatch, capsys):
    assert run(monkeypatch, "--question", "When was it pink?") == 0
    (asked,) = answers(capsys.readouterr().out).values()
    assert "Not seen" in asked


def test_a_video_that_is_not_there_is_one_line(no_network, monkeypatch, capsys):
    assert run(monkeypatch, "--video", "missing.mp4") != 0
    assert "missing.mp4" in capsys.readouterr().err
