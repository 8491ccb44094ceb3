from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from hippocam.apps.shown.bundle import MOST_MOMENTS, Cut, csv_of, zip_of
from hippocam.memory.records import StreamStatus
from hippocam.stream.errors import HippocamError


def status(path: Path, name: str = "yard") -> StreamStatus:
    return StreamStatus(
        id=name, source=str(path), fps=1.0, duration_s=6.0, complete=True, frames_seen=6, frames_encoded=6,
        events=1, entries=1, entry_bytes=1000, evicted=0, t0_s=0.0, t1_s=6.0,
    )  # fmt: skip


@pytest.fixture
def video(tmp_path: Path, colour_video: Callable[..., Path]) -> Path:
    return colour_video(tmp_path / "yard.mp4", [("red", 3), ("blue", 3)])


def test_each_moment_has_its_clip_and_the_list_says_which(tmp_path: Path, video: Path) -> None:
    lost = status(tmp_path / "gone.mp4", "gone")
    cuts = [
        Cut(status(video), 1.0, 2.0, {"id": "a", "looks_like": "=red"}),
        Cut(lost, 0.0, 1.0, {"id": "b", "looks_like": "blue"}),
        Cut(None, 0.0, 1.0, {"id": "c", "looks_like": "secret"}),
        Cut(status(video), 4.0, 4.0, {"id": "d", "looks_like": "an instant"}),
    ]
    assert zip_of(cuts, None, tmp_path / "out.zip") == 2
    with zipfile.ZipFile(tmp_path / "out.zip") as packed:
        names = packed.namelist()
        rows = json.loads(packed.read("moments.json"))
        table = list(csv.DictReader(io.StringIO(packed.read("moments.csv").decode())))
        packed.extractall(tmp_path / "out")
    assert names == ["001-yard-1.mp4", "004-yard-4.mp4", "moments.json", "moments.csv"]
    assert [row["files"] for row in rows] == [["001-yard-1.mp4"], [], [], ["004-yard-4.mp4"]]
    assert rows[1]["missing"]
    assert rows[2]["missing"] == "its footage is not shown here"
    assert (table[0]["files"], table[0]["looks_like"]) == ("001-yard-1.mp4", "'=red")
    for name in names[:2]:
        with av.open(str(tmp_path / "out" / name)) as clip:
            assert any(True for _ in clip.decode(video=0))


def test_of_nothing_no_file_is_made_and_too_much_is_refused(tmp_path: Path, video: Path) -> None:
    with pytest.raises(HippocamError, match="no footage"):
        zip_of([Cut(None, 0.0, 1.0, {"id": "a"})], None, tmp_path / "out.zip")
    with pytest.raises(HippocamError, match="found 201"):
        zip_of([Cut(status(video), 0.0, 1.0, {})] * (MOST_MOMENTS + 1), None, tmp_path / "out.zip")
    with pytest.raises(HippocamError, match="seconds in all"):
        zip_of([Cut(status(video), 0.0, 4000.0, {})], None, tmp_path / "out.zip")


def test_no_cell_is_a_formula() -> None:
    assert csv_of([{"a": "=1+1", "b": ["x", "y"], "c": 2}]).splitlines() == ["a,b,c", "'=1+1,x; y,2"]
