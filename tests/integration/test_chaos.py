"""`make chaos`, once each: it comes to its end, and what it found stands on the page."""

import subprocess
import sys
from pathlib import Path

CHAOS = Path(__file__).resolve().parents[1] / "chaos.py"


def test_one_of_each_fault_goes_well_and_is_written_down(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n\n<!-- results: written by make chaos -->\nold\n<!-- end of results -->\n\nbehind\n")
    command = [sys.executable, CHAOS, "--count", "1", "--seed", "3", "--write", page]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1500, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    written = page.read_text()
    assert written.startswith("before\n")
    assert written.endswith("\nbehind\n")
    assert "old" not in written
    rows = [line.split(" | ") for line in written.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == 6
    assert all(int(tries) > 0 and wrong == "0" for _, tries, wrong, *_ in rows[:3] + rows[4:])  # disks take root
