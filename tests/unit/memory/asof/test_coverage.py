"""When streams were looked at: runs, gaps, less exactly where room is short, and nothing of what was forgotten."""

from __future__ import annotations

import sqlite3

import numpy as np
import pytest

from hippocam.memory.asof.coverage import Coverage, Run, coarser, without
from hippocam.memory.config import MemoryConfig
from hippocam.memory.filter import Filter
from hippocam.memory.memory import Memory
from hippocam.memory.verify.checks import verify
from hippocam.memory.verify.problems import Kind
from hippocam.stream.records import EncoderSpec

D = 16
SPEC = EncoderSpec(id="test:1", dim=D, normalised=True, midpoint=0.5, slope=20.0)
AXES = np.eye(D, dtype=np.float32)
THINGS = "things test:1"


def run(
    t0_s: float, t1_s: float, *, stream: str = "cam", looks: int | None = None, by: tuple[str, ...] = ()
) -> Run:
    return Run(stream, t0_s, t1_s, t1_s - t0_s, int(t1_s - t0_s) if looks is None else looks, by)


def writer(folder, budget_bytes=2_000_000):
    config = MemoryConfig(budget_bytes=budget_bytes)
    return Memory.open_writer(folder, encoder="test", spec=SPEC, config=config)


def rows_wrong(folder):
    """What is wrong with rows and tables: the pictures of these tests are none."""
    return [problem for problem in verify(folder) if problem.kind in (Kind.ROW, Kind.DATABASE)]


def watch(memory, frames_of, times_s, *, stream="cam", still=False, complete=True, first_seq=0):
    seen = [(t, None if still and k else AXES[int(t) // 7 % D]) for k, t in enumerate(times_s)]
    memory.begin(stream, uri=f"/x/{stream}.mp4", fps=1.0, senses=(THINGS,))
    memory.write(frames_of(stream, seen, first_seq=first_seq))
    memory.finish(stream, complete=complete)


@pytest.mark.parametrize("still", [False, True])
def test_an_hour_without_a_gap_is_one_run(tmp_path, frames_of, still):
    with writer(tmp_path / "m") as memory:
        watch(memory, frames_of, np.arange(0.0, 600.0), still=still)
        (only,) = memory.store.coverage.of("cam").runs
    assert (only.t0_s, only.t1_s, only.looks, only.by) == (0.0, 599.0, 600, ("test:1", THINGS))
    assert only.rate == pytest.approx(1.0, rel=0.01)
    assert only.has("things")
    assert not only.has("screen")


def test_a_gap_is_told_also_within_a_still_scene(tmp_path, frames_of):
    times = [*np.arange(0.0, 60.0), *np.arange(200.0, 260.0)]
    with writer(tmp_path / "m") as memory:
        watch(memory, frames_of, times, still=True)
        coverage = memory.store.coverage.of("cam")
    assert coverage.spans == ((0.0, 59.0), (200.0, 259.0))
    assert coverage.at(59.0) is not None
    assert coverage.at(130.0) is None
    assert coverage.at(230.0) == coverage.runs[1]


def test_going_on_after_an_interruption_goes_on_with_the_run(tmp_path, frames_of):
    for times in (np.arange(0.0, 60.0), np.arange(60.0, 100.0)):
        with writer(tmp_path / "m") as memory:
            watch(memory, frames_of, times, complete=False, first_seq=int(times[0]))
    with Memory.open_reader(tmp_path / "m") as memory:
        assert memory.store.coverage.of("cam").spans == ((0.0, 99.0),)
        assert memory.store.coverage.of("cam").runs[0].looks == 100


def test_another_sense_begins_another_run(tmp_path, frames_of):
    with writer(tmp_path / "m") as memory:
        watch(memory, frames_of, np.arange(0.0, 60.0), complete=False)
    with writer(tmp_path / "m") as memory:
        memory.begin("cam", uri="/x/cam.mp4", fps=1.0)
        memory.write(frames_of("cam", [(60.0 + t, AXES[0]) for t in range(30)], first_seq=60))
        memory.finish("cam")
        first, second = memory.store.coverage.of("cam").runs
    assert (first.has("things"), second.has("things")) == (True, False)


def test_what_came_later_leaves_nothing_not_even_a_rate():
    whole = Coverage(stream="cam", runs=(run(0, 50), run(80, 100, looks=400)))
    cut = whole.within(0, 60)
    assert cut.runs == (run(0, 50),)
    assert cut.at(90) is None
    assert whole.within(0, 25).runs == (run(0, 25),)


def test_the_smallest_gaps_are_joined_first_and_every_stream_keeps_a_run():
    runs = [run(0, 10), run(12, 20), run(100, 110), run(0, 5, stream="other")]
    left = coarser(runs, 3)
    assert [(each.stream, each.t0_s, each.t1_s) for each in left] == [
        ("cam", 0, 20),
        ("cam", 100, 110),
        ("other", 0, 5),
    ]
    assert (left[0].looked_s, left[0].whole) == (18, False)
    assert len(coarser(runs, 1)) == 2


def test_many_gaps_stay_within_their_share(tmp_path, frames_of):
    with writer(tmp_path / "m", budget_bytes=1_000_000) as memory:
        times = [100.0 * k + t for k in range(300) for t in range(3)]
        watch(memory, frames_of, times)
        coverage = memory.store.coverage.of("cam")
        assert len(coverage.runs) <= memory.longterm.coverage_rows < 300
        assert sum(each.looks for each in coverage.runs) == 900
        assert (coverage.runs[0].t0_s, coverage.last_s) == (0.0, times[-1])
        assert memory.bytes() <= 1_000_000


def test_cutting_a_time_out_of_runs():
    assert without([run(0, 100)], 40, 60) == [run(0, 40), run(60, 100)]
    assert without([run(0, 100), run(200, 300)], -np.inf, np.inf) == []
    assert without([run(0, 100)], 100.5, 200) == [run(0, 100)]


def test_what_is_forgotten_was_never_looked_at(tmp_path, frames_of):
    with writer(tmp_path / "m") as memory:
        watch(memory, frames_of, np.arange(0.0, 100.0))
        memory.forget(Filter(stream="cam", after_s=40.0, before_s=60.0))
        coverage = memory.store.coverage.of("cam")
        assert coverage.at(50.0) is None
        assert coverage.at(30.0) is not None
        assert coverage.at(70.0) is not None
        memory.forget(Filter(stream="cam"))
        assert memory.store.coverage.every() == {}


def test_a_changed_row_is_found(tmp_path, frames_of):
    with writer(tmp_path / "m") as memory:
        watch(memory, frames_of, np.arange(0.0, 100.0))
    assert rows_wrong(tmp_path / "m") == []
    db = sqlite3.connect(tmp_path / "m" / "memory.db")
    db.execute("UPDATE coverage SET t1_s = 5000")
    db.commit()
    db.close()
    (problem,) = rows_wrong(tmp_path / "m")
    assert (problem.kind, problem.repair) == (Kind.ROW, "given up")
    assert problem.what.startswith("coverage cam")


def test_of_an_older_memory_one_rough_run_is_told(tmp_path, frames_of):
    with writer(tmp_path / "m") as memory:
        watch(memory, frames_of, [*np.arange(0.0, 50.0), *np.arange(500.0, 550.0)])
    db = sqlite3.connect(tmp_path / "m" / "memory.db")
    db.executescript(
        "DROP TABLE coverage; DROP TABLE entry_block; DROP INDEX entry_loose; DROP TABLE row_total;"
        "PRAGMA user_version = 5"
    )
    db.close()
    with Memory.open_reader(tmp_path / "m") as memory:
        read = memory.store.coverage.of("cam")
    with writer(tmp_path / "m") as memory:
        assert memory.store.coverage.of("cam") == read
    assert rows_wrong(tmp_path / "m") == []
    (only,) = read.runs
    assert (only.t0_s, only.t1_s, only.looks, only.whole, only.has("things")) == (0.0, 549.0, 100, False, None)
