import dataclasses
import json

from hippocam.apps.bench import scale_hours
from hippocam.apps.bench.scale_hours import Size, Written, _too_much, run, run_written
from hippocam.apps.bench.scale_report import table
from hippocam.apps.cli.main import main


def size(**changes):
    values = {
        "hours": 100, "shards": 1, "entries": 62_500, "fill_s": 10.0, "fill_rows": 62_500, "disk_bytes": 10**8,
        "rss_mb": 62.5, "first_s": 2.0, "settle_s": 3.0, "p50_ms": 8.0, "p95_ms": 9.0, "found": 1.0,
    }  # fmt: skip
    return Size(**values | changes)


def test_small_memories_are_filled_and_asked_together():
    result = run([1, 5], dim=32, entries_an_hour=200, shard_hours=2, seconds=300, queries=6)
    one, five = result.sizes
    assert (one.shards, one.entries, one.fill_rows) == (1, 200, 200)
    assert (five.shards, five.entries) == (3, 1000)
    assert five.fill_rows == 800  # the hour from before is asked again
    assert one.found == five.found == 1.0
    assert five.disk_bytes > one.disk_bytes
    assert result.left_out == ()
    assert json.loads(json.dumps(dataclasses.asdict(result)))["sizes"][1]["hours"] == 5


def test_what_does_not_fit_is_left_out_and_told_as_arithmetic():
    result = run([1, 10, 1000], dim=32, entries_an_hour=100, shard_hours=10, disk_bytes=4_000_000, queries=2)
    assert [s.hours for s in result.sizes] == [1, 10]
    assert result.left_out == (1000,)
    told = table(result, speed=10.0)
    assert "Not run: 1,000 hours (1,000 hours would take" in told
    assert "- entries: 1,000 h x 100 an hour = 100,000" in told
    assert "- memories: 1,000 h / 10 h = 100" in told
    assert "= 4 to take them in within a day" in told
    assert "with V times real time" in table(result)
    assert "\n| 1,000 |" not in told  # no figure for what was not run


def test_time_and_disk_are_looked_at_before_a_size_is_run():
    assert _too_much(10, [], 0.0, 0.0) == ""
    assert _too_much(1000, [size()], 200.0, 4e9) == ""
    assert "about 150 s more, and 100 s were left" in _too_much(1000, [size()], 100.0, 4e9)
    assert "1 GB of databases, and 0.5 GB were allowed" in _too_much(1000, [size()], 1000.0, 5e8)


def test_the_arithmetic_follows_from_the_figures():
    result = scale_hours.HoursResult(
        dim=768,
        entries_an_hour=625,
        shard_hours=100,
        written=Written(
            hours=2, frames=7200, entries=1250, seconds=7.2, folder_bytes=24 * 10**6, picture_bytes=20 * 10**6
        ),
        sizes=(size(),),
        left_out=(10_000,),
        why="it would take too long",
    )
    told = table(result, speed=20.0)
    assert "1000 frames a second" in told
    assert "- disk: 10,000 h x 12.0 MB = 120 GB with all pictures; 10,000 h x 2.00 MB = 20 GB without" in told
    assert "- RAM to answer: 6,250,000 entries x 1,000 bytes = 6.2 GB" in told
    assert "- a question: 100 memories x 8.0 ms = 800 ms in one process on" in told
    assert "= 21 to take them in within a day" in told
    assert "- live: 100 cameras / 20 = 5 cores; they make 10,000 hours in 4.2 days" in told


def test_a_stretch_is_written_with_its_pictures():
    written = run_written(0.02, 16, 600)
    assert written.frames == 72
    assert 8 <= written.entries <= 14
    assert written.picture_bytes == written.entries * scale_hours.JPEG_BYTES
    assert written.folder_bytes > written.picture_bytes


def test_hours_below_one_are_refused(capsys):
    assert main(["bench", "scale", "--hours", "0"]) == 2
    assert "--hours must be 1 or more" in capsys.readouterr().err


def test_the_section_names_its_command(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(scale_hours, "DIM", 16)
    monkeypatch.setattr(scale_hours, "run", lambda sizes, **k: run([1], dim=16, entries_an_hour=50, queries=1))
    out = tmp_path / "B.md"
    assert main(["bench", "scale", "--hours", "20", "--speed", "12", "--out", str(out)]) == 0
    assert "## Scale, 20 hours" in out.read_text()
    assert "`hippocam bench scale --hours 20 --speed 12`" in out.read_text()
    assert "within a day" in capsys.readouterr().out
