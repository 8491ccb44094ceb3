"""LeRobot datasets: both layouts, absent episodes and cameras, damaged files, a real one."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from hippocam.stream.sources import open_sources
from hippocam.stream.sources.lerobot.episodes import find_episodes


@pytest.mark.parametrize("version", ["v2.1", "v3.0"])
def test_each_row_carries_cameras_sensors_task_and_time(
    tmp_path: Path, media: ModuleType, version: str, to_the_end: Any
) -> None:
    media.render_lerobot(tmp_path / "arm", version=version, lengths=(20, 30, 10), in_parquet=("hand",))
    sources, _ = find_episodes(tmp_path / "arm", name="arm")
    assert [source.id for source in sources] == [f"arm/episode_00000{i}" for i in range(3)]
    assert [source.duration_s for source in sources] == [2.0, 3.0, 1.0]
    starts = (0, 20, 50) if version == "v3.0" else (0, 0, 0)  # of the episode within its video
    for episode, (source, rows) in enumerate(zip(sources, (20, 30, 10), strict=True)):
        seen, reason = to_the_end(source)
        assert reason == ""
        assert [o.seq for o in seen] == list(range(rows))
        for o in seen:
            assert o.time_s == pytest.approx(o.seq / 10, abs=1e-6)
            assert o.text == media.TASKS[episode % 2]
            assert set(o.images) == {"top", "wrist", "hand"}
            for camera in ("top", "wrist"):
                assert media.read_number(o.images[camera]) == starts[episode] + o.seq
            assert media.read_number(o.images["hand"]) == o.seq
            np.testing.assert_array_equal(o.sensors.state, np.float32([o.seq, episode, 0.5]))
            np.testing.assert_array_equal(o.sensors.action, np.float32([o.seq, -o.seq]))
            np.testing.assert_array_equal(o.sensors.pose, np.float32([o.seq, 0, 0, 0, 0, 0, 1]))


def test_absent_episodes_are_told_and_passed_over_unless_none_is_there(
    tmp_path: Path, media: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    media.render_lerobot(tmp_path / "arm", lengths=(5, 5, 5))
    data = tmp_path / "arm/data/chunk-000"
    (data / "episode_000001.parquet").unlink()
    opened = open_sources([tmp_path / "arm"])
    assert [source.id for source in opened.sources] == ["arm/episode_000000", "arm/episode_000002"]
    assert not opened.failed
    assert "the data of 1 of the 3 listed episodes are not there, the first is episode_000001" in caplog.text
    for file in data.iterdir():
        file.unlink()
    opened = open_sources([tmp_path / "arm"])
    assert not opened.sources
    assert "lists 3 episodes, but none of their data files is there" in opened.failed[0].reason


@pytest.mark.parametrize("version", ["v2.1", "v3.0"])
def test_one_camera_missing_or_cut_leaves_the_others(
    tmp_path: Path, media: ModuleType, version: str, to_the_end: Any
) -> None:
    media.render_lerobot(tmp_path / "arm", version=version, lengths=(20,), cameras=("left", "mid", "right"))
    videos = {name: next((tmp_path / "arm/videos").glob(f"**/*{name}/**/*.mp4")) for name in ("left", "right")}
    videos["left"].unlink()
    media.cut(videos["right"], videos["right"], 0.5)
    seen, reason = to_the_end(find_episodes(tmp_path / "arm", name="arm")[0][0])
    assert [(o.seq, set(o.images)) for o in seen] == [(i, {"mid"}) for i in range(20)]
    assert "left: no such file" in reason
    assert "right: the MP4 has no index" in reason


def test_a_truncated_video_gives_its_frames_first(tmp_path: Path, media: ModuleType, to_the_end: Any) -> None:
    media.render_lerobot(tmp_path / "arm", lengths=(40,), cameras=("left", "right"))
    path = next((tmp_path / "arm/videos").glob("**/*right/*.mp4"))
    options = {"movflags": "faststart"}
    media.render_video(path, frames=40, fps=10, options=media.long_gop(10), container_options=options)
    media.cut(path, path, 0.7)
    seen, reason = to_the_end(find_episodes(tmp_path / "arm", name="arm")[0][0])
    assert len(seen) == 40
    assert [o.seq for o in seen if "right" in o.images][:10] == list(range(10))
    assert "right: its video is truncated" in reason


def test_no_camera_at_all_is_an_error_at_once(tmp_path: Path, media: ModuleType, to_the_end: Any) -> None:
    media.render_lerobot(tmp_path / "arm", lengths=(5,))
    for file in (tmp_path / "arm/videos").glob("**/*.mp4"):
        file.unlink()
    seen, reason = to_the_end(find_episodes(tmp_path / "arm", name="arm")[0][0])
    assert not seen
    assert reason.startswith("not one of its cameras can be read (top, wrist: no such file")


@pytest.mark.parametrize(
    ("info", "told"),
    [
        ("{", "cannot be understood"),
        ("{}", "cannot be understood"),
        ("[]", "cannot be understood"),
        (json.dumps({"codebase_version": "v9.0", "features": {}, "fps": 10}), "layout v9.0 is not known"),
        (json.dumps({"codebase_version": "v2.1", "features": {}, "fps": 10}), "cannot be understood"),
        (json.dumps({"codebase_version": "v3.0", "features": {}, "fps": 10}), "lists 0 episodes"),
    ],
)
def test_a_broken_meta_folder_is_told_in_one_line(tmp_path: Path, info: str, told: str) -> None:
    (tmp_path / "arm/meta").mkdir(parents=True)
    (tmp_path / "arm/meta/info.json").write_text(info)
    (error,) = open_sources([tmp_path / "arm"]).failed
    assert told in error.reason
    assert len(str(error).splitlines()) == 1


def test_a_data_file_that_is_a_git_lfs_pointer_is_told(tmp_path: Path, media: ModuleType, to_the_end: Any) -> None:
    media.render_lerobot(tmp_path / "arm", lengths=(5,))
    (tmp_path / "arm/data/chunk-000/episode_000000.parquet").write_text("version https://git-lfs.github.com\n")
    seen, reason = to_the_end(find_episodes(tmp_path / "arm", name="arm")[0][0])
    assert not seen
    assert "cannot be read" in reason
    assert len(reason.splitlines()) == 1


def test_real_dataset(shared_data: Path) -> None:
    opened = open_sources([shared_data / "robot" / "g1_pick_bottle"])
    assert not opened.failed
    assert [source.id for source in opened.sources] == [
        f"g1_pick_bottle/episode_{i:06d}" for i in (10, 20, 50, 99)
    ]
    source = pickle.loads(pickle.dumps(opened.sources[0]))
    seen = list(source.observations(fps=2))
    assert source.duration_s == pytest.approx(290 / 30)
    assert [o.time_s for o in seen] == pytest.approx(np.arange(20) / 2, abs=0.002)
    for o in seen:
        assert set(o.images) == {"cam_high"}
        assert o.images["cam_high"].shape == (480, 640, 3)
        assert o.sensors.state is not None
        assert o.sensors.state.shape == (26,)
        assert o.sensors.pose is None
        assert o.text == "Pick up the yellow bottle on the table."


@pytest.mark.parametrize("version", ["v2.1", "v3.0"])
def test_another_task_within_an_episode_is_marked_and_noted(
    tmp_path: Path, media: ModuleType, version: str, to_the_end: Any
) -> None:
    media.render_lerobot(tmp_path / "arm", version=version, lengths=(20, 20))
    for data in (tmp_path / "arm").glob("data/*/*.parquet"):
        table = parquet.read_table(data)
        at = table.schema.get_field_index("task_index")
        tasks = pa.array([0] * 5 + [1] * 9 + [0] * (table.num_rows - 14))
        parquet.write_table(table.set_column(at, "task_index", tasks), data)
    source = find_episodes(tmp_path / "arm", name="arm")[0][0]
    seen, _ = to_the_end(source)
    assert [(o.seq, o.mark) for o in seen if o.mark] == [(5, "another task"), (14, "another task")]
    slow = list(source.observations(fps=2.0))
    assert [(o.seq, o.text) for o in slow if o.mark] == [(5, media.TASKS[1]), (15, media.TASKS[0])]
    # an interrupted watch marks what an undisturbed one would
    assert [o.seq for o in source.observations(fps=None, after_seq=4) if o.mark] == [5, 14]
    assert [o.seq for o in source.observations(fps=None, after_seq=5) if o.mark] == [14]
    assert [o.seq for o in source.observations(fps=2.0, after_seq=10) if o.mark] == [15]
    notes = [(note.t0_s, note.t1_s, note.text) for _, note in source.notes("arm", hearing=None)]
    assert notes == [(0.5, 1.4, f"task: {media.TASKS[1]}"), (1.4, 1.9, f"task: {media.TASKS[0]}")]
