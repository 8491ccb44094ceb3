"""`hippocam bench robot`, small: what it counts is there, and its last line is what others read."""

import json

import pytest

from hippocam.apps.bench.robot import run as bench
from hippocam.apps.cli.main import main


@pytest.fixture
def _short(monkeypatch):
    for name, seconds in (("_BEFORE_S", 0.5), ("_OUT_S", 1.0), ("_AFTER_S", 1.0)):
        monkeypatch.setattr(bench, name, seconds)


@pytest.mark.usefixtures("_short")
def test_a_small_run_ends_with_what_is_promised(capsys, tmp_path):
    page = tmp_path / "robot.md"
    options = ["--entries", "60,120", "--encoder", "palette", "--seconds", "1", "--out", str(page), "--json"]
    assert main(["bench", "robot", *options]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(result["observe_ms"]) == {"p50", "p99", "max"}
    assert set(result["recall_ms"]) == {"60", "120"}
    assert result["ticks"] == 60
    assert 0 <= result["late_ticks"] <= 60
    assert set(result["faults"]) == {"encoder stopped", "memory killed", "reader asleep"}
    for fault in result["faults"].values():
        assert fault["ticks"] == 75
        assert set(fault) >= {"late_ticks", "stale_after_s", "recovered_after_s"}
    assert "| `recall`, 120 entries |" in page.read_text()
