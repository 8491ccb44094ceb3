"""Depth cameras: which they are, how their numbers are read, and what of them stands behind the state.

Videos are coded here by LeRobot's formula, written down from its documentation.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import ModuleType
from typing import Any

import av
import cv2
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from hippocam.stream.records import STATE_NAMES, Observation
from hippocam.stream.robot.dimensions import FIELDS, names_in
from hippocam.stream.sources.lerobot.depth import nine
from hippocam.stream.sources.lerobot.episodes import LeRobotSource, find_episodes

H, W, FPS = 48, 64, 10
CODED = {"video.depth_min": 0.01, "video.depth_max": 10.0, "video.shift": 3.5, "video.use_log": True}
KEY = "observation.images.front_depth"


def _ramp(row: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Metres: near at the left, far at the right, all farther with each row; nothing measured at the top left."""
    metres = np.repeat(np.linspace(0.5, 4.0, W)[None], H, 0) + 0.1 * row
    metres[: H // 3, : W // 3 + 1] = 0
    return metres


def _middle(row: int, column: int) -> float:
    """The median distance of a column of fields, by the edges of its thirds."""
    begin, end = np.array_split(np.arange(W), 3)[column][[0, -1]]
    return float(0.5 + 3.5 * (begin + end) / 2 / (W - 1) + 0.1 * row)


def _coded(metres: Any) -> Any:
    low, high = math.log(0.01 + 3.5), math.log(10 + 3.5)
    codes = np.rint((np.log(metres + 3.5) - low) / (high - low) * 4095)
    return np.where(metres > 0, codes, 0).clip(0, 4095).astype(np.uint16)


def _video(path: Path, frames: int, numbers: Any, *, codec: str, pixels: str) -> None:
    path.parent.mkdir(parents=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=FPS)
        stream.width, stream.height, stream.pix_fmt = W, H, pixels
        stream.options = {"x265-params": "log-level=none:crf=12"} if codec == "libx265" else {}
        for row in range(frames):
            frame = av.VideoFrame(W, H, pixels)
            plane = frame.planes[0]
            lines = np.zeros((H, plane.line_size // 2), "<u2")
            lines[:, :W] = numbers(_ramp(row))
            plane.update(lines.tobytes())
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _with(folder: Path, feature: dict[str, Any], column: list[Any] | None = None) -> LeRobotSource:
    """The first episode of a dataset that has a depth camera, too."""
    file = folder / "meta" / "info.json"
    info = json.loads(file.read_text())
    info["features"][KEY] = {"names": None, **feature}
    info["features"]["observation.state"] = {"dtype": "float32", "names": ["elbow", "wrist", "gripper"]}
    file.write_text(json.dumps(info))
    if column is not None:
        (data,) = folder.glob("data/*/*.parquet")
        parquet.write_table(parquet.read_table(data).append_column(KEY, pa.array(column)), data)
    return find_episodes(folder, name="arm")[0][0]


def _is_the_ramp(seen: list[Observation], off_m: float) -> None:
    """Behind the three numbers of the state stand nine distances, of which the first was not measured."""
    for o in seen:
        assert o.sensors.state is not None
        assert o.sensors.state[:3].tolist() == [o.seq, 0, 0.5]
        expected = [_middle(o.seq, column) for _ in range(3) for column in range(3)]
        assert o.sensors.state[3] == 0
        assert o.sensors.state[4:] == pytest.approx(expected[1:], abs=off_m)


@pytest.mark.parametrize("marks", [{"info": {"is_depth_map": True, **CODED}}, {"video_info": CODED}])
def test_a_video_of_codes_is_read_in_metres(
    tmp_path: Path, media: ModuleType, marks: dict[str, Any], to_the_end: Any
) -> None:
    media.render_lerobot(tmp_path / "arm", lengths=(6,))
    video = tmp_path / f"arm/videos/chunk-000/{KEY}/episode_000000.mp4"
    _video(video, 6, _coded, codec="libx265", pixels="gray12le")
    seen, reason = to_the_end(_with(tmp_path / "arm", {"dtype": "video", **marks}))
    assert reason == ""
    assert [set(o.images) for o in seen] == [{"top", "wrist"}] * 6
    _is_the_ramp(seen, 0.03)


def test_a_video_of_millimetres_is_read_in_metres(tmp_path: Path, media: ModuleType, to_the_end: Any) -> None:
    media.render_lerobot(tmp_path / "arm", lengths=(6,))
    file = tmp_path / "arm" / "meta" / "info.json"
    told = json.loads(file.read_text()) | {"video_path": "videos/{video_key}/{episode_index}.mkv"}
    video = tmp_path / f"arm/videos/{KEY}/0.mkv"
    _video(video, 6, lambda metres: (1000 * metres).astype(np.uint16), codec="ffv1", pixels="gray16le")
    for name in ("top", "wrist"):
        (tmp_path / f"arm/videos/chunk-000/observation.images.{name}/episode_000000.mp4").rename(
            (tmp_path / "arm/videos" / f"observation.images.{name}").with_suffix(".mp4")
        )
        told["features"][f"observation.images.{name}"] = {"dtype": "video"}
        place = tmp_path / f"arm/videos/observation.images.{name}"
        place.mkdir()
        place.with_suffix(".mp4").rename(place / "0.mkv")
    file.write_text(json.dumps(told))
    seen, reason = to_the_end(_with(tmp_path / "arm", {"dtype": "video", "info": {"video.pix_fmt": "gray16le"}}))
    assert reason == ""
    _is_the_ramp(seen, 0.002)


def _tiff(metres: Any) -> bytes:
    return bytes(cv2.imencode(".tiff", metres.astype(np.float32))[1])


def _png(metres: Any) -> bytes:
    return bytes(cv2.imencode(".png", (1000 * metres).astype(np.uint16))[1])


@pytest.mark.parametrize(
    ("feature", "value"),
    [
        ({"dtype": "image"}, lambda metres: {"bytes": _tiff(metres), "path": None}),
        ({"dtype": "image"}, lambda metres: {"bytes": _png(metres), "path": None}),
        ({"dtype": "image", "info": {"depth_unit": "mm"}}, lambda m: {"bytes": _tiff(1000 * m), "path": None}),
        ({"dtype": "float32", "shape": [H, W]}, lambda metres: metres.astype(np.float32).tolist()),
        ({"dtype": "uint16", "shape": [H, W, 1]}, lambda m: (1000 * m[..., None]).astype(np.uint16).tolist()),
    ],
)
def test_pictures_and_arrays_of_distances_are_read(
    tmp_path: Path, media: ModuleType, feature: dict[str, Any], value: Any, to_the_end: Any
) -> None:
    media.render_lerobot(tmp_path / "arm", lengths=(4,))
    seen, reason = to_the_end(_with(tmp_path / "arm", feature, [value(_ramp(row)) for row in range(4)]))
    assert reason == ""
    _is_the_ramp(seen, 0.002)


def test_what_the_numbers_are_called_is_told_with_the_states_names(tmp_path: Path, media: ModuleType) -> None:
    media.render_lerobot(tmp_path / "arm", lengths=(4,))
    source = _with(tmp_path / "arm", {"dtype": "float32", "shape": [H, W]}, [_ramp(0).tolist()] * 4)
    names = names_in([note for _, note in source.notes("arm", hearing=None)], STATE_NAMES)
    assert names == ["elbow", "wrist", "gripper", *(f"front_depth {field} m" for field in FIELDS)]


def test_a_row_without_depth_measured_nothing_and_is_told(
    tmp_path: Path, media: ModuleType, to_the_end: Any
) -> None:
    media.render_lerobot(tmp_path / "arm", lengths=(4,))
    column = [_ramp(0).tolist(), None, [[1.0], [2.0, 3.0]], _ramp(3).tolist()]
    seen, reason = to_the_end(_with(tmp_path / "arm", {"dtype": "float32", "shape": [H, W]}, column))
    assert "front_depth: no picture in 2 of 4 rows, the first is row 1" in reason
    assert [float(o.sensors.state[7]) > 0 for o in seen if o.sensors.state is not None] == [
        True,
        False,
        False,
        True,
    ]
    assert [set(o.images) for o in seen] == [{"top", "wrist"}] * 4


@pytest.mark.parametrize(
    ("name", "feature"),
    [
        ("front", {"is_depth_map": True}),
        ("front", {"info": {"is_depth_map": True}}),
        ("front", {"video_info": {"video.is_depth_map": True}}),
        ("front", {"info": {"video.pix_fmt": "gray12le"}}),
        ("front", {"info": {"is_depth_map": True, **CODED, "video.shift": -1.0}}),
        ("depth", {}),
        ("front_depth", {"info": {"video.pix_fmt": "yuv420p"}}),
    ],
)
def test_a_video_whose_scale_nobody_tells_is_neither_picture_nor_distance(
    tmp_path: Path,
    media: ModuleType,
    caplog: pytest.LogCaptureFixture,
    name: str,
    feature: dict[str, Any],
    to_the_end: Any,
) -> None:
    media.render_lerobot(tmp_path / "arm", lengths=(5,))
    file = tmp_path / "arm" / "meta" / "info.json"
    info = json.loads(file.read_text())
    info["features"][f"observation.images.{name}"] = {"dtype": "video", **feature}
    info["features"]["observation.images.top"] |= {"info": {"video.pix_fmt": "yuv420p"}}
    file.write_text(json.dumps(info))
    seen, reason = to_the_end(find_episodes(tmp_path / "arm", name="arm")[0][0])
    assert reason == ""
    assert [set(o.images) for o in seen] == [{"top", "wrist"}] * 5
    (told,) = caplog.messages
    assert "nobody says how far" in told
    assert name in told


def test_a_picture_for_people_has_no_distances(tmp_path: Path, media: ModuleType, to_the_end: Any) -> None:
    media.render_lerobot(tmp_path / "arm", lengths=(3,))
    grey = bytes(cv2.imencode(".png", np.full((H, W), 90, np.uint8))[1])
    seen, reason = to_the_end(_with(tmp_path / "arm", {"dtype": "image"}, [{"bytes": grey, "path": None}] * 3))
    assert "front_depth: its distances have 8 bits and no scale" in reason
    assert [set(o.images) for o in seen] == [{"top", "wrist"}] * 3


def test_nine_fields_cover_a_picture_of_any_size() -> None:
    for height, width in ((3, 3), (7, 5), (480, 640)):
        assert nine(np.ones((height, width), np.float32)).tolist() == [1.0] * 9
