"""`hippocam bench year`, some minutes of it."""

import json

import pytest

from hippocam.apps.bench.year.run import run, table
from hippocam.apps.cli.main import main


@pytest.fixture(scope="module")
def result():
    return run(0.01, numbers=16, budget_bytes=64_000_000, seconds=0.5)


def test_all_frames_are_written_and_told_by_tenths(result):
    assert result.frames == 5000
    assert [part.frames for part in result.parts] == list(range(500, 5001, 500))
    entries = [part.entries for part in result.parts]
    assert entries == sorted(entries)
    assert 5000 / 11 < result.events < 5000 / 7  # scenes of 8 to 10 frames


def test_a_year_is_as_many_frames_as_it_has_seconds(result):
    assert result.year_hours == pytest.approx(result.frame_us * 31_536_000 / 1e6 / 3600)


def test_the_table_tells_what_was_measured(result):
    text = table(result)
    assert "5,000 frames (0.1 days at one a second, D = 16" in text
    assert "into 64 MB without pictures" in text
    assert text.count("\n| ") == 1 + 10 + 1 + 2  # heads, tenths, calls


def test_the_command_prints_one_object_on_its_last_line(capsys):
    command = "bench year --days 0.01 --numbers 16 --budget-mb 64 --seconds 0.2 --json"
    assert main(command.split()) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["frames"] == 5000
    assert {"frame_us", "write", "recall", "recall_p95_ms", "open_s", "parts"} <= told.keys()
