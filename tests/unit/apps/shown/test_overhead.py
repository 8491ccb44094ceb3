"""Where a robot was, from above: real trajectories, and marks where they belong."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from hippocam.apps.cli.main import main
from hippocam.apps.shown.overhead import Mark, Overhead, Path, overhead, recording_of
from hippocam.apps.shown.overhead_picture import draw
from hippocam.memory.config import MemoryConfig
from hippocam.memory.memory import Memory
from hippocam.models.registry import make_encoder
from hippocam.stream.jpeg import encode_jpeg
from hippocam.stream.records import Embedding, Sensors
from hippocam.stream.sources import open_sources

GREY, RED = (120, 120, 120), (210, 25, 25)
FOUND = (200, 30, 30)


def remembered(folder, times_s, poses, *, red=(0.0, 0.0), stream="drive/front"):
    """A memory of a trajectory, float64 [N, 7], in which something red is seen for a while."""
    encoder = make_encoder("palette")
    config = MemoryConfig(budget_bytes=4_000_000)
    with Memory.open_writer(folder, encoder="palette", spec=encoder.spec, config=config) as memory:
        memory.begin(recording_of(stream), uri="robot://drive")
        for seq, (time_s, pose) in enumerate(zip(times_s.tolist(), poses, strict=True)):
            image = np.full((48, 64, 3), GREY, np.uint8)
            if red[0] <= time_s < red[1]:
                image[4:44, 8:56] = RED
            vector = encoder.encode_images([image]).vectors_ND[0]
            sensors, jpeg = Sensors(pose=pose), encode_jpeg(image, 64, 80)
            memory.write(
                [Embedding(stream=stream, seq=seq, time_s=time_s, vector=vector, jpeg=jpeg, sensors=sensors)]
            )
        memory.finish(recording_of(stream))
    return folder


def seen_in(folder, **more):
    with Memory.open_reader(folder) as memory:
        return overhead([SimpleNamespace(memory=memory, prefix="")], **more)


def posed(points):
    return np.hstack([points, np.tile([0.0, 0, 0, 1], (len(points), 1))])


def test_a_real_drive_that_counts_from_the_earths_centre_goes_north(shared_data, tmp_path):
    """Its speed over the ground, measured by itself, gives the length of its way."""
    drive = shared_data / "robot" / "comma2k19_example1" / "global_pose"
    positions, velocities, times = (
        np.load(drive / f"frame_{name}") for name in ("positions", "velocities", "times")
    )
    every = slice(0, None, 4)
    seen = seen_in(remembered(tmp_path / "m", (times - times[0])[every], posed(positions[every])))
    (path,) = seen.paths
    assert seen.axes == ("east", "north")
    length_m = np.trapezoid(np.linalg.norm(velocities, axis=1), times)
    assert np.linalg.norm(np.diff(path.points, axis=0), axis=1).sum() == pytest.approx(length_m, rel=0.02)
    assert np.ptp(path.points[:, 2]) < 20  # a road is flat beside its length
    assert path.points[-1, 1] - path.points[0, 1] > 900


def test_a_real_tracking_cameras_log_is_one_path_of_both_cameras(shared_data, tmp_path):
    bag = shared_data / "robot" / "ros1_bags" / "t265_office_0.1s.bag"
    (source,) = open_sources([bag]).sources
    frames = [(o.time_s, o.sensors.pose) for o in source.observations(fps=None)]
    times, poses = np.array([f[0] for f in frames[::2]]), np.stack([f[1] for f in frames[::2]])
    (path,) = seen_in(remembered(tmp_path / "m", times, poses)).paths
    assert np.allclose(path.points[0, :2], [3.8978, 0.6309], atol=1e-3)


@pytest.mark.parametrize(
    ("moved", "axes"),
    [((4, 3, 0), ("x", "y")), ((4, 0.1, 3), ("x", "z")), ((0, 4, 3), ("y", "z")), ((0, 0, 0), ("x", "y"))],
)
def test_the_plane_is_the_one_in_which_it_moved(tmp_path, moved, axes):
    points = np.linspace([0, 0, 0], moved, 20)
    assert seen_in(remembered(tmp_path / "m", np.arange(20.0), posed(points))).axes == axes


def test_a_memory_without_positions_has_no_picture(tmp_path, capsys):
    encoder = make_encoder("palette")
    with Memory.open_writer(tmp_path / "m", encoder="palette", spec=encoder.spec, config=MemoryConfig()) as memory:
        memory.begin("film", uri="film.mp4")
        vector = encoder.encode_images([np.full((8, 8, 3), 9, np.uint8)]).vectors_ND[0]
        memory.write([Embedding(stream="film", seq=0, time_s=0.0, vector=vector, jpeg=b"")])
        memory.finish("film")
    assert seen_in(tmp_path / "m") is None
    assert main(["robot", "map", "--memory", str(tmp_path / "m"), "--out", str(tmp_path / "a.png")]) == 2
    assert "no position of a robot is known" in capsys.readouterr().err
    assert not (tmp_path / "a.png").exists()


def test_what_is_looked_for_is_marked_where_the_robot_was(tmp_path, capsys):
    """Half a metre a second along x: from 10 to 12 s it was at x = 5 to 6 m."""
    times = np.arange(0, 30, 0.5)
    folder = remembered(tmp_path / "m", times, posed(np.outer(times, [0.5, 0.1, 0])), red=(10.0, 12.0))
    out = tmp_path / "map.png"
    assert main(["robot", "map", "--memory", str(folder), "--out", str(out), "--find", "something red"]) == 0
    told = capsys.readouterr().out.splitlines()[1]
    assert 4.9 <= float(told.split(" x ")[1].split()[0]) <= 6.1
    picture = cv2.imread(str(out))[..., ::-1]
    rows, columns = np.nonzero((picture[:, :850] == FOUND).all(-1))
    x = 14.75 * (columns.mean() - 70) / 760  # from margin to margin it is 29.5 s of the way
    assert x == pytest.approx(5.5, abs=0.6)
    assert len(rows) > 200


def test_marks_of_one_kind_at_one_place_are_one_and_others_stand_beside(tmp_path):
    path = Path("a", np.arange(2.0), np.array([[0.0, 0, 0], [10, 0, 0]]))
    middle = np.array([5.0, 0, 0])
    marks = (Mark("cup", middle, False), Mark("cup", middle, False), Mark("car", middle, False))
    picture = cv2.imdecode(np.frombuffer(draw(Overhead(paths=(path,), marks=marks)), np.uint8), 1)[..., ::-1]
    for colour in ((31, 119, 180), (255, 127, 14)):
        rows, _ = np.nonzero((picture[:, :850] == colour).all(-1))
        assert 60 < len(rows) < 160  # one disc of 6 pixels each


def test_one_place_alone_and_odd_names_can_be_drawn():
    path = Path("caf\u00e9/" + "long" * 30, np.zeros(1), np.array([[1e6, -2e6, 3.0]]))
    assert draw(
        Overhead(paths=(path,), marks=(Mark("\u6c34", path.points[0], False),)), title="\u00fc"
    ).startswith(b"\x89PNG")
