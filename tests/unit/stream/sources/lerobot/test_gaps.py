"""LeRobot rows without a picture, a time or a camera: counted by camera and episode, and nothing else lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from hippocam.stream.protocols import Source
from hippocam.stream.records import Observation
from hippocam.stream.sources import open_sources
from hippocam.stream.sources.lerobot.rows import counted_on, strays


def _change(file: Path, column: str, change: Callable[[list[Any]], list[Any]]) -> None:
    """Write another column into a parquet file."""
    table = parquet.read_table(file)
    values = pa.array(change(table.column(column).to_pylist()), table.schema.field(column).type)
    parquet.write_table(table.set_column(table.column_names.index(column), column, values), file)


def _episodes(folder: Path) -> tuple[Source, ...]:
    opened = open_sources([folder])
    assert not opened.failed
    return opened.sources


def _right(seen: list[Observation], media: ModuleType, first: int = 0) -> bool:
    """Whether every picture is the one of its row."""
    return all(media.read_number(i) == first + o.seq for o in seen for i in o.images.values())


@pytest.mark.parametrize("fps", [None, 1])
def test_a_video_that_is_shorter_than_its_rows(
    tmp_path: Path, media: ModuleType, fps: float | None, to_the_end: Any
) -> None:
    media.render_lerobot(tmp_path / "arm", lengths=(100, 20))
    (video,) = (tmp_path / "arm").glob("videos/*/*wrist/episode_000000.mp4")
    media.render_video(video, frames=40, fps=10)
    first, second = _episodes(tmp_path / "arm")
    seen, reason = to_the_end(first, fps)
    assert _right(seen, media)
    assert [o.seq for o in seen if "wrist" in o.images] == [o.seq for o in seen if o.seq < 40]
    assert all("top" in o.images for o in seen)
    assert "wrist: no picture in 60 of 100 rows, the first is row 40 at 4.0 s" in reason
    assert "top" not in reason
    assert to_the_end(second, fps)[1] == ""


@pytest.mark.parametrize("version", ["v2.1", "v3.0"])
@pytest.mark.parametrize("slower", [2, 5])
def test_a_camera_that_is_slower_than_the_rows_shows_its_frame_nearest_in_time(
    tmp_path: Path, media: ModuleType, version: str, slower: int, to_the_end: Any
) -> None:
    """Never one of the next episode, which begins where this one ends."""
    media.render_lerobot(tmp_path / "arm", version=version, lengths=(30, 20))
    for number, video in enumerate(sorted((tmp_path / "arm").glob("videos/**/*.mp4"))):
        if "wrist" in str(video):
            frames = (50 if version == "v3.0" else (30, 20)[number % 2]) // slower
            media.render_video(video, frames=frames, fps=10 / slower)
    for first, length, source in zip((0, 30), (30, 20), _episodes(tmp_path / "arm"), strict=True):
        seen, reason = to_the_end(source)
        assert reason == ""
        before = first // slower if version == "v3.0" else 0
        numbers = [media.read_number(o.images["wrist"]) - before for o in seen]
        assert all(0 <= number < length // slower for number in numbers)
        off = [abs(number * slower - o.seq) for number, o in zip(numbers, seen, strict=True)]
        assert max(off[:-slower]) <= slower / 2
        assert all("top" in o.images for o in seen)


@pytest.mark.parametrize("frames", [[7], [0], [3, 9, 29], []])
def test_rows_without_a_time(tmp_path: Path, media: ModuleType, frames: list[int], to_the_end: Any) -> None:
    media.render_lerobot(tmp_path / "arm", lengths=(30,))
    (data,) = (tmp_path / "arm").glob("data/*/*.parquet")
    _change(data, "timestamp", lambda times: [None if k in frames else t for k, t in enumerate(times)])
    seen, reason = to_the_end(_episodes(tmp_path / "arm")[0])
    assert [o.seq for o in seen] == [k for k in range(30) if k not in frames]
    assert [o.time_s for o in seen] == [k / 10 for k in range(30) if k not in frames]
    assert _right(seen, media)
    assert reason == (
        f"{len(frames)} of 30 rows have no time, the first is row {frames[0]}; all others were kept"
        if frames
        else ""
    )


def test_an_episode_without_any_time_is_told(tmp_path: Path, media: ModuleType, to_the_end: Any) -> None:
    media.render_lerobot(tmp_path / "arm", lengths=(30, 20))
    data = sorted((tmp_path / "arm").glob("data/*/*.parquet"))[0]
    _change(data, "timestamp", lambda times: [float("nan")] * len(times))
    first, second = _episodes(tmp_path / "arm")
    assert to_the_end(first) == ([], "30 of 30 rows have no time, the first is row 0")
    assert len(to_the_end(second)[0]) == 20


def test_states_that_are_not_finite_are_not_known(tmp_path: Path, media: ModuleType, to_the_end: Any) -> None:
    media.render_lerobot(tmp_path / "arm", lengths=(20,))
    (data,) = (tmp_path / "arm").glob("data/*/*.parquet")
    broken = {3: float("nan"), 4: float("inf"), 9: float("-inf")}
    _change(data, "observation.state", lambda rows: [[*r[:2], broken.get(k, r[2])] for k, r in enumerate(rows)])
    seen, reason = to_the_end(_episodes(tmp_path / "arm")[0])
    assert [o.seq for o in seen if o.sensors.state is None] == list(broken)
    assert all(o.sensors.action is not None and o.sensors.pose is not None for o in seen)
    assert reason.startswith("observation.state has numbers that are not finite in 3 rows, the first is row 3")


@pytest.mark.parametrize(
    ("value", "wrong"), [(None, "nothing"), ([1.0], "another count of numbers"), ([], "another count of numbers")]
)
def test_states_that_are_missing_or_of_another_size_are_told(
    tmp_path: Path, media: ModuleType, value: list[float] | None, wrong: str, to_the_end: Any
) -> None:
    media.render_lerobot(tmp_path / "arm", lengths=(20,))
    (data,) = (tmp_path / "arm").glob("data/*/*.parquet")
    for column in ("observation.state", "action"):
        _change(data, column, lambda rows: [value if k in (5, 7) else row for k, row in enumerate(rows)])
    seen, reason = to_the_end(_episodes(tmp_path / "arm")[0])
    assert len(seen) == 20
    assert [o.seq for o in seen if o.sensors.state is None] == [5, 7]
    assert [o.seq for o in seen if o.sensors.action is None] == [5, 7]
    told = [f"{column} has {wrong} in 2 rows, the first is row 5" for column in ("observation.state", "action")]
    assert reason == f"{'; '.join(told)}; all others were kept"


def test_times_that_begin_again_are_counted_on(tmp_path: Path, media: ModuleType, to_the_end: Any) -> None:
    media.render_lerobot(tmp_path / "arm", lengths=(60,))
    (data,) = (tmp_path / "arm").glob("data/*/*.parquet")
    _change(data, "timestamp", lambda times: [*times[:25], *times[:20], *times[:15]])
    (episode,) = _episodes(tmp_path / "arm")
    seen, reason = to_the_end(episode)
    assert [o.time_s for o in seen] == [k / 10 for k in range(60)]
    assert all(set(o.images) == {"top", "wrist"} for o in seen)
    assert _right(seen, media)
    assert "time goes back in its rows, first at row 25 of 60" in reason
    assert [o.seq for o in to_the_end(episode, 1)[0]] == [0, 10, 20, 30, 40, 50]


def test_counting_on_leaves_gaps_as_they_are() -> None:
    times, back = counted_on(np.array([0.0, 0.1, 5.0, 4.9, 5.0]), 0.1)
    assert times.tolist() == [0.0, 0.1, 5.0, 5.1, 5.2]
    assert back.tolist() == [3]


def _listed(folder: Path) -> Path:
    (file,) = folder.glob("meta/episodes/*/*.parquet")
    return file


KEY = "videos/observation.images.wrist"


@pytest.mark.parametrize("column", ["chunk_index", "file_index", "from_timestamp"])
def test_a_camera_that_one_episode_lacks(tmp_path: Path, media: ModuleType, column: str, to_the_end: Any) -> None:
    media.render_lerobot(tmp_path / "arm", version="v3.0", lengths=(20, 15, 10))
    _change(_listed(tmp_path / "arm"), f"{KEY}/{column}", lambda values: [values[0], None, values[2]])
    episodes = _episodes(tmp_path / "arm")
    watched = [to_the_end(episode) for episode in episodes]
    assert [reason != "" for _, reason in watched] == [False, True, False]
    assert "wrist: nothing is listed of it in this episode" in watched[1][1]
    assert [len(seen) for seen, _ in watched] == [20, 15, 10]
    assert [set(seen[0].images) for seen, _ in watched] == [{"top", "wrist"}, {"top"}, {"top", "wrist"}]
    assert _right(watched[1][0], media, first=20)
    assert _right(watched[2][0], media, first=35)


@pytest.mark.parametrize("column", ["data/chunk_index", "data/file_index", "episode_index"])
def test_one_row_of_nulls_refuses_no_other_episode(tmp_path: Path, media: ModuleType, column: str) -> None:
    media.render_lerobot(tmp_path / "arm", version="v3.0", lengths=(20, 15, 10))
    _change(_listed(tmp_path / "arm"), column, lambda values: [values[0], None, values[2]])
    opened = open_sources([tmp_path / "arm"])
    assert [source.id for source in opened.sources] == ["arm/episode_000000", "arm/episode_000002"]
    (error,) = opened.failed
    assert error.uri == f"{tmp_path / 'arm'}#" + ("row 1" if column == "episode_index" else "episode_000001")


def test_one_line_that_is_wrong_refuses_no_other_episode(tmp_path: Path, media: ModuleType) -> None:
    media.render_lerobot(tmp_path / "arm", lengths=(20, 15))
    file = tmp_path / "arm" / "meta" / "episodes.jsonl"
    first, second = map(json.loads, file.read_text().splitlines())
    file.write_text("\n".join(json.dumps(row) for row in ({**first, "length": "long"}, second)))
    opened = open_sources([tmp_path / "arm"])
    assert [source.id for source in opened.sources] == ["arm/episode_000001"]
    assert [error.uri for error in opened.failed] == [f"{tmp_path / 'arm'}#episode_000000"]


@pytest.mark.parametrize("version", ["v2.1", "v3.0"])
@pytest.mark.parametrize("gone", [1, 2])
def test_data_of_which_no_episode_is_listed_are_told(
    tmp_path: Path, media: ModuleType, version: str, gone: int
) -> None:
    media.render_lerobot(tmp_path / "arm", version=version, lengths=(20, 15, 10))
    if version == "v3.0":
        table = parquet.read_table(_listed(tmp_path / "arm"))
        left = pa.concat_tables([table.slice(0, gone), table.slice(gone + 1)])
        parquet.write_table(left, _listed(tmp_path / "arm"))
    else:
        file = tmp_path / "arm" / "meta" / "episodes.jsonl"
        rows = file.read_text().splitlines()
        file.write_text("\n".join(rows[:gone] + rows[gone + 1 :]))
    opened = open_sources([tmp_path / "arm"])
    assert [source.id for source in opened.sources] == [f"arm/episode_00000{k}" for k in range(3) if k != gone]
    assert [error.uri for error in opened.failed] == [str(tmp_path / "arm")]
    assert "a data file holds episodes that are not listed" in opened.failed[0].reason


@pytest.mark.parametrize("version", ["v2.1", "v3.0"])
def test_a_dataset_without_its_header_is_told_and_its_videos_are_watched(
    tmp_path: Path, media: ModuleType, version: str
) -> None:
    media.render_lerobot(tmp_path / "arm", version=version, lengths=(5, 5), cameras=("top",))
    (tmp_path / "arm" / "meta" / "info.json").unlink()
    opened = open_sources([tmp_path / "arm"])
    assert len(opened.sources) == (2 if version == "v2.1" else 1)
    (error,) = opened.failed
    assert "without its meta/info.json" in error.reason


@pytest.mark.parametrize("line", ["no JSON", "[]", '{"episode_index": 1, ', "null", "\xff"])
def test_a_line_that_is_no_row_refuses_no_episode(tmp_path: Path, media: ModuleType, line: str) -> None:
    media.render_lerobot(tmp_path / "arm", lengths=(20, 15))
    for name in ("episodes", "tasks"):
        file = tmp_path / "arm" / "meta" / f"{name}.jsonl"
        first, second = file.read_text().splitlines()
        file.write_bytes("\n".join((first, line, second)).encode("latin-1"))
    opened = open_sources([tmp_path / "arm"])
    assert [source.id for source in opened.sources] == ["arm/episode_000000", "arm/episode_000001"]
    assert [error.uri for error in opened.failed] == [f"{tmp_path / 'arm'}#row 1"]


def test_an_episode_that_begins_beyond_the_end_of_its_video(
    tmp_path: Path, media: ModuleType, to_the_end: Any
) -> None:
    media.render_lerobot(tmp_path / "arm", version="v3.0", lengths=(20, 15))
    _change(_listed(tmp_path / "arm"), f"{KEY}/from_timestamp", lambda values: [values[0], 100.0])
    first, second = _episodes(tmp_path / "arm")
    assert to_the_end(first)[1] == ""
    seen, reason = to_the_end(second)
    assert [set(o.images) for o in seen] == [{"top"}] * 15
    assert "wrist: no picture in 15 of 15 rows, the first is row 0 at 0.0 s" in reason


def test_the_next_episode_of_a_shared_video_is_not_shown(
    tmp_path: Path, media: ModuleType, to_the_end: Any
) -> None:
    media.render_lerobot(tmp_path / "arm", version="v3.0", lengths=(20, 15))
    listed = _listed(tmp_path / "arm")
    table = parquet.read_table(listed)
    table = table.append_column(f"{KEY}/to_timestamp", pa.array([1.2, 3.5]))
    parquet.write_table(table, listed)
    seen, reason = to_the_end(_episodes(tmp_path / "arm")[0])
    assert [o.seq for o in seen if "wrist" in o.images] == list(range(13))
    assert "wrist: no picture in 7 of 20 rows" in reason


@pytest.mark.parametrize("fps", [0, -1, float("nan"), "fast", None])
def test_a_rate_that_cannot_be_is_the_datasets_error(tmp_path: Path, media: ModuleType, fps: object) -> None:
    media.render_lerobot(tmp_path / "arm", lengths=(5,))
    media.render_video(tmp_path / "good.mp4", frames=3)
    file = tmp_path / "arm" / "meta" / "info.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "fps": fps}))
    opened = open_sources([tmp_path])
    assert [source.id for source in opened.sources] == ["good"]
    assert [error.uri for error in opened.failed] == [str(tmp_path / "arm")]


@pytest.mark.parametrize(
    ("times_s", "found"),
    [
        ([0.0, 0.1, 0.2, 0.15, 0.4, 0.5], [3]),
        ([0.0, 0.1, 0.2, 0.0, 0.4, 0.1, 0.6], [3, 5]),
        ([0.0, 0.1, 0.2, 0.0, 0.1, 0.2], []),  # recorded twice
        ([0.0, 0.1, 0.2, 0.3], []),
        ([0.0, 0.1], []),
        ([], []),
    ],
)
def test_a_row_with_an_earlier_time_is_no_new_beginning(times_s: list[float], found: list[int]) -> None:
    assert strays(np.array(times_s)).tolist() == found


def test_such_a_row_is_told_and_the_pictures_of_the_others_are_theirs(
    tmp_path: Path, media: ModuleType, to_the_end: Any
) -> None:
    media.render_lerobot(tmp_path / "arm", lengths=(30,))
    (data,) = (tmp_path / "arm").glob("data/*/*.parquet")
    _change(data, "timestamp", lambda times: [*times[:12], 0.3, *times[13:]])
    seen, reason = to_the_end(_episodes(tmp_path / "arm")[0])
    assert "1 of 30 rows have the time of an earlier one, the first is row 12" in reason
    others = [k for k in range(30) if k != 12]
    assert [(o.seq, o.time_s) for o in seen] == [(k, k / 10) for k in others]
    assert _right(seen, media)


@pytest.mark.parametrize("version", ["v2.1", "v3.0"])
def test_a_row_that_is_of_no_episode_is_told(
    tmp_path: Path, media: ModuleType, version: str, to_the_end: Any
) -> None:
    media.render_lerobot(tmp_path / "arm", version=version, lengths=(20, 15))
    data = min((tmp_path / "arm" / "data").rglob("*.parquet"))
    _change(
        data, "episode_index", lambda values: [None if row == 7 else value for row, value in enumerate(values)]
    )
    (first, second) = map(to_the_end, _episodes(tmp_path / "arm"))
    assert (len(first[0]), len(second[0]), second[1]) == (19, 15, "")
    assert "20 rows are listed, and 19 are there" in first[1]


@pytest.mark.parametrize("version", ["v2.1", "v3.0"])
def test_a_task_without_a_number_is_told_and_refuses_no_episode(
    tmp_path: Path, media: ModuleType, version: str, caplog: pytest.LogCaptureFixture, to_the_end: Any
) -> None:
    media.render_lerobot(tmp_path / "arm", version=version, lengths=(20, 15))
    if version == "v3.0":
        _change(tmp_path / "arm" / "meta" / "tasks.parquet", "task_index", lambda values: [values[0], None])
    else:
        with (tmp_path / "arm" / "meta" / "tasks.jsonl").open("a") as file:
            file.write(json.dumps({"task_index": None, "task": "rest"}) + "\n")
    assert [len(to_the_end(episode)[0]) for episode in _episodes(tmp_path / "arm")] == [20, 15]
    assert "1 of its tasks have no number" in caplog.text
