"""A few faults of each kind that `make chaos` makes by the hundred: kills, damage, broken recordings."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHAOS = Path(__file__).parents[1] / "chaos.py"
# One of each at least; full disks, Ray and live cameras have tests of their own.
_KINDS = ["making", "working", "forgetting", "sleeping", "moving", "damage", "fuzz", "archives", "recordings"]


@pytest.mark.timeout(3600)
def test_a_few_faults_of_each_kind_leave_whole_memories(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- results: written by make chaos -->\nstale\n<!-- end of results -->\nafter\n")
    command = [sys.executable, str(CHAOS), "--count", "1", "--seed", "5", "--write", str(page), "--only", *_KINDS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line for line in page.read_text().splitlines() if line.startswith("| ")][1:]
    assert len(rows) == len(_KINDS)
    for row in rows:
        tries, wrong = (int(cell) for cell in row.split("|")[2:4])
        assert tries >= 1
        assert wrong == 0
    assert page.read_text().startswith("before\n")
    assert page.read_text().endswith("after\n")
    assert "stale" not in page.read_text()
