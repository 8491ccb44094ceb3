"""Robots' logs, against what the libraries that wrote them were given."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from hippocam.stream.errors import SourceError
from hippocam.stream.records import ACTION_NAMES, STATE_NAMES
from hippocam.stream.robot.dimensions import names_in
from hippocam.stream.sources import open_sources
from hippocam.stream.sources.logs.ros_messages import Known, camera_name

pytest.importorskip("rosbags", reason="extra robot is not installed")
pytest.importorskip("mcap_ros2", reason="extra robot is not installed")

TIMES_S = [0.0, 0.1, 0.25, 0.7, 1.2]


@pytest.fixture(scope="module")
def logs(load_helpers):
    return load_helpers("robot_logs.py")


@pytest.fixture(scope="module")
def pictures(media):
    return [media.numbered_image(i) for i in range(len(TIMES_S))]


def seen_of(path):
    (source,) = open_sources([path]).sources
    return list(source.observations(fps=None))


@pytest.mark.parametrize("version", [1, 2])
def test_a_bag_has_its_pictures_joints_commands_and_the_pose_in_the_map(tmp_path, logs, pictures, media, version):
    path = tmp_path / ("drive.bag" if version == 1 else "drive")
    logs.write_bag(path, pictures, TIMES_S, version=version)
    seen = seen_of(path)
    assert [o.time_s for o in seen] == pytest.approx(TIMES_S, abs=1e-6)
    for number, o in enumerate(seen):
        assert media.read_number(o.images["camera_color"]) == number
        assert o.sensors.state.tolist() == [number, -number]
        assert o.sensors.action.tolist() == [1, 0, 0, 0, 0, 0]
        # a quarter about z: what is ahead in odom's frame is to the left in the map's
        assert o.sensors.pose[:3] == pytest.approx([10.0, 20.0 + TIMES_S[number], 0.0], abs=1e-5)
        assert abs(o.sensors.pose[5]) == pytest.approx(np.sqrt(0.5))


@pytest.mark.parametrize("version", [1, 2])
def test_numbers_are_called_as_the_bag_calls_its_joints(tmp_path, logs, pictures, version):
    path = tmp_path / ("drive.bag" if version == 1 else "drive")
    logs.write_bag(path, pictures, TIMES_S, version=version)
    (source,) = open_sources([path]).sources
    notes = [note for _, note in source.notes("drive", hearing=None)]
    assert {note.stream for note in notes} == {"drive/camera_color"}
    assert names_in(notes, STATE_NAMES) == ["a", "b"]
    assert names_in(notes, ACTION_NAMES)[:4] == ["linear x", "linear y", "linear z", "angular x"]


@pytest.mark.parametrize("version", [1, 2])
def test_times_are_those_of_the_headers_and_not_of_the_log(tmp_path, logs, pictures, version):
    path = tmp_path / ("late.bag" if version == 1 else "late")
    logs.write_bag(path, pictures, TIMES_S, version=version, lag_s=5.0)
    assert [o.time_s for o in seen_of(path)] == pytest.approx(TIMES_S, abs=1e-6)


@pytest.mark.parametrize("encoding", ["bgr8", "rgba8", "bgra8"])
def test_pictures_of_any_order_of_channels_are_rgb(tmp_path, logs, encoding):
    red = np.zeros((8, 10, 3), np.uint8)
    red[..., 0] = 200
    logs.write_bag(tmp_path / "red.bag", [red], [0.0], version=1, encoding=encoding)
    (seen,) = seen_of(tmp_path / "red.bag")
    assert np.array_equal(seen.images["camera_color"], red)


def test_mcap_has_its_pictures_and_poses_and_no_distances(tmp_path, logs, pictures, media):
    logs.write_mcap(tmp_path / "drive.mcap", pictures, TIMES_S)
    seen = seen_of(tmp_path / "drive.mcap")
    assert [set(o.images) for o in seen] == [{"front"}] * len(TIMES_S)
    assert [media.read_number(o.images["front"]) for o in seen] == list(range(len(TIMES_S)))
    assert [o.sensors.pose[0] for o in seen] == pytest.approx(TIMES_S)
    assert [o.time_s for o in seen] == pytest.approx(TIMES_S, abs=1e-6)


def test_a_tum_sequence_has_the_pose_nearest_to_each_picture(tmp_path, logs, pictures, media):
    logs.write_tum(tmp_path / "fr1", pictures, TIMES_S)
    seen = seen_of(tmp_path / "fr1")
    assert [media.read_number(o.images[""]) for o in seen] == list(range(len(TIMES_S)))
    assert [o.sensors.pose[0] for o in seen] == pytest.approx(TIMES_S, abs=0.011)
    assert [o.sensors.pose[1] for o in seen] == [2.0] * len(TIMES_S)


def test_large_coordinates_are_kept_to_the_millimetre(tmp_path, logs, pictures):
    logs.write_tum(tmp_path / "fr1", pictures, TIMES_S, poses=False)
    rows = [f"{logs.START_S + time_s} 500000.123 5400000.456 3 0 0 0 1" for time_s in TIMES_S]
    (tmp_path / "fr1" / "groundtruth.txt").write_text("\n".join(rows))
    for seen in seen_of(tmp_path / "fr1"):
        assert seen.sensors.pose[:2].tolist() == [500000.123, 5400000.456]


def test_transforms_of_large_maps_are_chained_to_the_millimetre():
    def numbers(**values):
        return SimpleNamespace(**values)

    def link(parent, child, x, y):
        moved = numbers(translation=numbers(x=x, y=y, z=0.0), rotation=numbers(x=0.0, y=0.0, z=0.0, w=1.0))
        return numbers(header=numbers(frame_id=parent), child_frame_id=child, transform=moved)

    known = Known()
    links = [link("map", "odom", 500000.123, 5400000.456), link("odom", "base_link", 0.002, 0.003)]
    known.take("tf2_msgs/TFMessage", numbers(transforms=links))
    assert known.sensors.pose[:2] == pytest.approx([500000.125, 5400000.459], abs=1e-6)


def test_a_tum_sequence_without_a_trajectory_or_with_missing_pictures_is_watched(tmp_path, logs, pictures):
    logs.write_tum(tmp_path / "fr1", pictures, TIMES_S, poses=False)
    next((tmp_path / "fr1" / "rgb").iterdir()).unlink()
    (source,) = open_sources([tmp_path / "fr1"]).sources
    observations, seen = source.observations(fps=None), []
    for _ in TIMES_S[1:]:
        seen.append(next(observations))
    with pytest.raises(SourceError, match=f"1 of the {len(TIMES_S)} pictures that rgb.txt names are not there"):
        next(observations)
    assert len(seen) == len(TIMES_S) - 1
    assert all(observation.sensors.pose is None for observation in seen)


def test_a_list_that_leads_out_of_its_folder_is_refused(tmp_path, logs, pictures):
    logs.write_tum(tmp_path / "fr1", pictures, TIMES_S)
    (tmp_path / "fr1" / "rgb.txt").write_text("1.0 ../../etc/passwd.png\n")
    (source,) = open_sources([tmp_path / "fr1"]).sources
    with pytest.raises(SourceError, match="leads out of its folder"):
        list(source.observations(fps=None))


def test_each_record_of_rlds_is_an_episode_with_its_task(tmp_path, logs, pictures, media):
    path = tmp_path / "arm-train.tfrecord-00000-of-00001"
    logs.write_rlds(path, [pictures, pictures[:3]])
    first, second = open_sources([path]).sources
    assert (first.id, second.id) == ("arm-train/episode_000000", "arm-train/episode_000001")
    assert [o.time_s for o in first.observations(fps=None)] == [0.0, 0.2, 0.4, 0.6, 0.8]
    seen = list(second.observations(fps=None))
    assert [media.read_number(o.images["image"]) for o in seen] == [0, 1, 2]
    assert [o.sensors.state.tolist() for o in seen] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert [o.sensors.action.tolist() for o in seen] == [[0, -1], [-2, -3], [-4, -5]]
    assert {o.text for o in seen} == {"open the drawer"}


@pytest.mark.parametrize("share", [0.3, 0.8, 0.99])
def test_a_log_that_is_cut_off_gives_what_is_whole_and_one_line(tmp_path, logs, pictures, share):
    logs.write_bag(tmp_path / "a.bag", pictures, TIMES_S, version=1)
    logs.write_mcap(tmp_path / "b.mcap", pictures, TIMES_S)
    logs.write_rlds(tmp_path / "c.tfrecord", [pictures, pictures])
    for path in sorted(tmp_path.iterdir()):
        data = path.read_bytes()
        path.write_bytes(data[: int(share * len(data))])
        found = open_sources([path])
        told = list(found.failed)
        for source in found.sources:
            try:
                for seen in source.observations(fps=None):
                    assert seen.images
            except SourceError as error:
                told.append(error)
        assert told, path.name
        assert all("\n" not in str(error) for error in told)


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_log_ends_in_a_source_error_or_in_whole_pictures(tmp_path, logs, pictures, seed):
    rng = np.random.default_rng(seed)
    logs.write_bag(tmp_path / "a.bag", pictures[:2], TIMES_S[:2], version=1)
    logs.write_mcap(tmp_path / "b.mcap", pictures[:2], TIMES_S[:2])
    logs.write_rlds(tmp_path / "c.tfrecord", [pictures[:2]])
    for path in sorted(tmp_path.iterdir()):
        data = bytearray(path.read_bytes())
        for _ in range(int(rng.integers(1, 12))):
            data[int(rng.integers(len(data)))] = int(rng.integers(256))
        path.write_bytes(bytes(data))
        for source in open_sources([path]).sources:
            told = []
            try:
                for seen in source.observations(fps=None):
                    assert np.isfinite(seen.time_s)
            except SourceError as error:
                told.append(str(error))
            assert "\n" not in "".join(told)


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        ("/camera/color/image_raw", "camera_color"),
        ("/front/image_raw/compressed", "front"),
        ("/image_raw", "camera"),
        ("/usb_cam/image_rect_color", "usb_cam"),
        ("/left/image", "left"),
        ("/zed/rgb", "zed_rgb"),
    ],
)
def test_a_camera_is_named_by_what_tells_its_topic_from_others(topic, expected):
    assert camera_name(topic) == expected


def test_real_logs_of_robots_are_read(shared_data: Path):
    robot = shared_data / "robot"
    (bag,) = open_sources([robot / "ros1_bags" / "t265_office_0.1s.bag"]).sources
    seen = list(bag.observations(fps=None))
    assert [set(o.images) for o in seen] == [{"camera_fisheye1"}, {"camera_fisheye2"}] * 3
    assert all(o.sensors.pose is not None for o in seen)
    rlds = open_sources([robot / "bridge_rlds_debug"])
    assert len(rlds.sources) == 25
    steps = list(rlds.sources[0].observations(fps=None))
    assert steps[0].text.startswith("put cup from counter")
    assert all(len(o.images) == 4 and len(o.sensors.state) == len(o.sensors.action) == 7 for o in steps)
