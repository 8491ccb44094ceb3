"""When a recording was made and by which camera, by how cameras, recorders and phones name what they write."""

import time
from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np
import pytest

from hippocam.stream.errors import HippocamError
from hippocam.stream.sources.dates import PathPattern, camera_at, recorded_at


def local() -> float:
    return datetime(2023, 11, 2, 14, 5).timestamp()


@pytest.fixture(params=["UTC", "Europe/Berlin", "America/New_York"], autouse=True)
def zone(request, monkeypatch):
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("path", "camera", "folder"),
    [
        ("front_2023-11-02_14-05-00.mp4", "front", ""),
        ("front_2023-11-02_1405.mp4", "front", ""),
        ("2023-11-02 14-05-00 front door.mkv", "front-door", ""),
        ("NVR_ch1_main_20231102140500_20231102150000.mp4", "NVR-ch1-main", ""),
        ("VID_20231102_140500.mp4", "VID", ""),
        ("Screenshot 2023-11-02 at 14.05.00.mov", "Screenshot", ""),
        ("front/20231102_140500_001.mp4", "front", "front"),
        ("front/2023-11-02/14-05-00.mp4", "front", "front"),
        ("front/2023-11-02/14-05.mp4", "front", "front"),
        ("front/2023/11/02/14/05.mp4", "front", "front"),
        ("front/2023/11/02/14-05.mp4", "front", "front"),
        ("front/2023-11/02/1405.mp4", "front", "front"),
        ("2023-11-02/front/14-05-00.mp4", "front", "front"),
        ("2023-11-02/front_1405.mp4", "front", ""),
        ("2023-11-02/cam2_14-05-00.mp4", "cam2", ""),
        ("20231102/front/140500.mp4", "front", "front"),
        ("house/2023_11_02/yard_14_05_00.mp4", "yard", "house"),
        ("1/2023-11-02/14-05.mp4", "1", "1"),
    ],
)
def test_names_tell_a_local_time_and_a_camera(path, camera, folder):
    found = recorded_at(Path("/footage") / path)
    assert found is not None
    assert (found.start_s, found.by) == (local(), "name")
    assert camera_at(Path("/footage") / path) == (camera, Path("/footage") / folder)


@pytest.mark.parametrize(
    "path",
    [
        "2023-11-02/14/front/05.00.mp4",
        "front_20231102T140500Z.mp4",
        "front-1698933900.mp4",
        "front-1698933900.000.mp4",
    ],
)
def test_some_names_tell_a_time_in_utc(path):
    found = recorded_at(Path("/footage") / path)
    assert found is not None
    assert found.start_s == datetime(2023, 11, 2, 14, 5, tzinfo=UTC).timestamp()


def test_a_day_alone_counts_from_its_midnight():
    for path in (
        "/footage/2023-11-02/front.mp4",
        "/footage/front_2023-11-02.mp4",
        "/footage/front/2023/11/02/clip.mp4",
    ):
        found = recorded_at(Path(path))
        assert found is not None
        assert found.start_s == datetime(2023, 11, 2).timestamp()


@pytest.mark.parametrize(
    "name",
    [
        "clip.mp4",
        "clip_0001.mp4",
        "GX010123.MP4",
        "front_2023-13-02_14-05-00.mp4",
        "front_2023-02-30_14-05-00.mp4",
        "front_1969-07-20_20-17-40.mp4",
        "front_2099-11-02_14-05-00.mp4",
        "2024.mp4",
        "10/05.mp4",
    ],
)
def test_other_names_tell_no_time(name):
    assert recorded_at(Path("/footage") / name) is None


@pytest.mark.parametrize(
    ("stem", "camera"),
    [
        ("front_2024-01-31_12-00-00", "front"),
        ("cam01_20240131T120000Z", "cam01"),
        ("2024-01-31 cam 2", "cam-2"),
        ("cam_1_20240131_1200", "cam-1"),
        ("GOPR0042", "GOPR0042"),
        ("20240131-120000", "footage"),
        ("20240131_120000_yard", "yard"),
    ],
)
def test_the_name_of_a_file_tells_its_camera(stem, camera):
    assert camera_at(Path(f"/footage/{stem}.mp4"))[0] == camera


def test_cameras_of_one_name_in_two_houses_are_two():
    one, other = (camera_at(Path(f"/{house}/2023-11-02/front_1405.mp4")) for house in ("a", "b"))
    assert one[0] == other[0]
    assert one[1] != other[1]


def test_a_pattern_is_asked_first():
    pattern = PathPattern("{camera}/*_%d%m%Y%H%M")
    path = Path("/footage/yard/clip_021120231405.mp4")
    found = recorded_at(path, pattern)
    assert found is not None
    assert (found.start_s, found.by) == (local(), "pattern")
    assert camera_at(path, pattern)[0] == "yard"
    assert PathPattern("%s").start_s(Path("/x/1698933900.5.mp4")) == 1698933900.5
    assert PathPattern("%Y-%m-%dT%H.%M.%S%z").start_s(Path("/x/2023-11-02T14.05.00+02:00.mp4")) == (
        datetime(2023, 11, 2, 12, 5, tzinfo=UTC).timestamp()
    )
    other = recorded_at(Path("/footage/front_2023-11-02_1405.mp4"), pattern)
    assert other is not None
    assert other.by == "name"


@pytest.mark.parametrize("text", ["%Y-%q", "%Y%Y"])
def test_a_pattern_that_means_nothing_is_refused(text):
    with pytest.raises(HippocamError, match="pattern"):
        PathPattern(text)


def test_what_no_name_tells_the_file_may(tmp_path):
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as file:
        file.metadata["creation_time"] = "2023-11-02T14:05:00.000000Z"
        stream = file.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 64
        for _ in range(5):
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    found = recorded_at(path)
    assert found is not None
    assert found.by == "container"
    assert found.start_s == datetime(2023, 11, 2, 14, 5, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("seconds", [0, 31_536_000, 2_082_844_800, 2**32 - 1])
def test_a_header_of_no_possible_date_tells_none(tmp_path, media, seconds):
    # 1904, where the clock of the format begins; 1905; 1970, where a machine's begins; 2040
    media.render_video(tmp_path / "clip.mp4", frames=5)
    content = (tmp_path / "clip.mp4").read_bytes()
    at = content.index(b"mvhd") + 8
    (tmp_path / "clip.mp4").write_bytes(content[:at] + seconds.to_bytes(4, "big") + content[at + 4 :])
    assert recorded_at(tmp_path / "clip.mp4") is None


@pytest.mark.parametrize("text", ["2264-01-01T00:00:00Z", "0000-00-00T99:99:99Z", "9999-12-31T23:59:59Z", "later"])
def test_a_field_of_no_possible_date_tells_none(tmp_path, media, text):
    with av.open(str(tmp_path / "clip.mkv"), "w") as container:
        container.metadata["creation_time"] = text
        container.metadata["date"] = text
        stream = container.add_stream("mpeg4", rate=25, width=96, height=64, pix_fmt="yuv420p")
        for k in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(media.numbered_image(k), format="rgb24")))
        container.mux(stream.encode(None))
    assert recorded_at(tmp_path / "clip.mkv") is None


def test_pictures_tell_by_the_first_of_them(tmp_path):
    for name in ("2023-11-02_14-05-10.jpg", "2023-11-02_14-05-00.jpg", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    found = recorded_at(tmp_path)
    assert found is not None
    assert found.start_s == local()
