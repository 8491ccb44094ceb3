"""The executor is a choice: local and Ray make the same memory, to the byte where the order is defined."""

import sqlite3

import pytest

from hippocam.apps import Session

ray = pytest.importorskip("ray")


def contents(folder):
    database = sqlite3.connect(folder / "memory.db")
    tables = {name: sorted(database.execute(f"SELECT * FROM {name}")) for name in ("stream", "entry")}
    database.close()
    return tables, {p.name: p.read_bytes() for p in (folder / "exemplars").iterdir()}


def words_in_a_state_column(folder, media):
    import pyarrow as pa
    from pyarrow import parquet

    media.render_lerobot(folder, lengths=(10,))
    (data,) = folder.glob("data/*/*.parquet")
    table = parquet.read_table(data)
    index = table.column_names.index("observation.state")
    parquet.write_table(table.set_column(index, "observation.state", pa.array(["open", "closed"] * 5)), data)
    return folder


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
def test_ray_and_local_make_the_same_memory(tmp_path, colour_video, media):
    media.render_lerobot(tmp_path / "robot", lengths=(30, 40))
    media.render_video(tmp_path / "broken-whole.mp4", frames=300, container_options={"movflags": "faststart"})
    sources = [
        colour_video(tmp_path / "a.mp4", [("red", 6), ("blue", 9), ("red", 3)]),
        colour_video(tmp_path / "b.mp4", [("green", 4), ("yellow", 7)]),
        media.cut(tmp_path / "broken-whole.mp4", tmp_path / "broken.mp4", 0.7),
        tmp_path / "robot",
        tmp_path / "missing.mp4",
        words_in_a_state_column(tmp_path / "words", media),
    ]
    reports = {}
    for executor in ("local", "ray"):
        with Session(tmp_path / executor, encoder="palette") as session:
            reports[executor] = session.watch(sources, executor=executor, fps=5)
    assert contents(tmp_path / "local") == contents(tmp_path / "ray")
    local, on_ray = reports["local"], reports["ray"]
    assert local.streams == on_ray.streams
    assert {s.id for s in local.streams} >= {"a", "b", "broken", "robot/episode_000000/top"}
    assert set(local.failed) == set(on_ray.failed)
    assert len(local.failed) == 3
    told = next(failure for failure in local.failed if "words" in failure.source)
    assert "could not convert string to float" in told.reason
    assert not ray.is_initialized()


def test_ray_passes_on_what_goes_wrong_inside_a_worker(tmp_path, colour_video):
    clip = colour_video(tmp_path / "a.mp4", [("red", 2)])
    unreadable = tmp_path / "text.mp4"
    unreadable.write_text("not a video")
    with Session(tmp_path / "m", encoder="palette") as session:
        report = session.watch([clip, unreadable], executor="ray")
    assert [f.source for f in report.failed] == [str(unreadable)]
    assert [s.id for s in report.streams if s.entries] == ["a"]
