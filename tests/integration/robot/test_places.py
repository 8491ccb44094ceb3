"""Places: what was passed by on a real drive, and where things were seen in a simulator that knows the truth.

The simulator is a hall with coloured posts, three metres wide. The robot drives a square twice, the second time
the other way round, and its camera draws each post as wide as it is near.
"""

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from hippocam.apps.cli.main import main
from hippocam.apps.session import Session
from hippocam.memory.config import MemoryConfig
from hippocam.memory.memory import Memory
from hippocam.memory.recall.query import RecallConfig
from hippocam.memory.recall.rows import Condition
from hippocam.memory.recall.snapshot import SnapshotFollower
from hippocam.stream.records import Embedding, EncoderSpec, Sensors
from tests.robot_logs import write_tum

# Colour and place of each post, outside the square that is driven, one beside each side.
POSTS = {
    "red": ((215, 25, 25), (4.0, -1.5)),
    "green": ((25, 170, 45), (9.5, 4.0)),
    "blue": ((30, 60, 210), (4.0, 9.5)),
    "yellow": ((225, 205, 30), (-1.5, 4.0)),
}
SIDE, SPEED, HZ, WIDE = 8.0, 1.0, 5.0, 3.0
ROUND_S = 4 * SIDE / SPEED
VIEW = math.radians(60)


def way(time_s):
    """x, y and heading: round the square against the clock, then with it."""
    forth = time_s < ROUND_S
    along = SPEED * (time_s if forth else 2 * ROUND_S - time_s) % (4 * SIDE)
    side, rest = divmod(along, SIDE)
    corners = [(0.0, 0.0), (SIDE, 0.0), (SIDE, SIDE), (0.0, SIDE)]
    heading = side * math.pi / 2
    x, y = corners[int(side) % 4]
    x, y = x + rest * math.cos(heading), y + rest * math.sin(heading)
    return x, y, heading if forth else heading + math.pi


def bearing(time_s, colour):
    """Angle of a post from the middle of the view, radians to the left, and its distance in metres."""
    x, y, heading = way(time_s)
    at = POSTS[colour][1]
    angle = math.atan2(at[1] - y, at[0] - x) - heading
    return math.atan2(math.sin(angle), math.cos(angle)), math.hypot(at[0] - x, at[1] - y)


def seen(time_s, colour):
    """How much of the view a post fills."""
    angle, distance = bearing(time_s, colour)
    return 0.0 if abs(angle) > VIEW / 2 else WIDE / distance / VIEW


def camera(time_s):
    image = np.full((96, 128, 3), 120, np.uint8)
    for colour, (rgb, _) in sorted(POSTS.items(), key=lambda post: -bearing(time_s, post[0])[1]):
        angle, distance = bearing(time_s, colour)
        if seen(time_s, colour):
            middle = 64 - 128 * angle / VIEW
            half = 128 * WIDE / distance / VIEW / 2
            tall = min(46, round(240 / distance))
            left, right = (int(np.clip(edge, 0, 128)) for edge in (middle - half, middle + half))
            image[48 - tall : 48 + tall, left:right] = rgb
    return image


@pytest.fixture(scope="module")
def hall(tmp_path_factory):
    """The drive in TUM's format, replayed into a memory from the command line."""
    folder = tmp_path_factory.mktemp("hall")
    times_s = np.arange(0, 2 * ROUND_S, 1 / HZ)
    write_tum(folder / "drive", [camera(time_s) for time_s in times_s], times_s, way=way)
    memory = folder / "robot.hippo"
    settings = folder / "glances.yaml"  # as the docs advise a robot that only glances at things
    settings.write_text("memory: {working: {gamma: 0, min_frames: 1}}\n")
    command = ["robot", "replay", str(folder / "drive"), "--memory", str(memory), "--encoder", "palette"]
    assert main([*command, "--config", str(settings)]) == 0
    return memory


def last_seen(colour):
    """When a post last filled half of the view."""
    return max(time_s for time_s in np.arange(0, 2 * ROUND_S, 1 / HZ) if seen(time_s, colour) >= 0.5)


@pytest.mark.parametrize("colour", POSTS)
def test_where_something_was_last_seen_is_told_with_the_place_of_the_robot_then(capsys, hall, colour):
    assert main(["ask", "--memory", str(hall), "--json", f"Where did you last see something {colour}?"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert not told["unknown"]
    end_s = max(moment["t1_s"] for moment in told["evidence"] if moment["id"] in told["cited"])
    assert end_s == pytest.approx(last_seen(colour), abs=1.0)
    x, y, _ = way(end_s)
    assert "The robot was at x " in told["answer"]
    said = told["answer"].split("The robot was at ")[1]
    words = said.replace(",", "").split()
    assert math.hypot(float(words[1]) - x, float(words[4]) - y) <= 0.5


def test_a_place_is_found_on_both_visits_and_by_its_heading_on_one(hall):
    """The middle of the first side is passed eastward at 4 s and westward at 60 s."""
    with Memory.open_reader(hall) as memory:
        follower = SnapshotFollower(memory.store, RecallConfig())
        follower.follow()
        near = (4.0, 0.0, 0.3)

        def times(**more):
            hits = follower.latest.search(None, Condition(near=near, **more), 100)
            return sorted((hit.t0_s, hit.t1_s) for hit in hits)

        both = times()
        assert any(t0_s <= 4 <= t1_s for t0_s, t1_s in both)
        assert any(t0_s <= 60 <= t1_s for t0_s, t1_s in both)
        assert all(t1_s >= 4 - 0.4 and (t0_s <= 4.4 or t1_s >= 59.6) for t0_s, t1_s in both)
        east, west = times(heading=(0.0, 0.3)), times(heading=(math.pi, 0.3))
        assert all(t0_s <= 4.4 for t0_s, _ in east)
        assert all(t1_s >= 59.6 for _, t1_s in west)
        assert east
        assert west
        assert times(heading=(math.pi / 2, 0.3)) == []


def test_what_was_seen_from_a_place_is_searched_there_only(hall):
    with Session(hall) as session:
        here = session.search("something red", near=(1.0, 0.0, 2.0), top=1)[0]
        there = session.search("something red", near=(8.0, 6.0, 2.0), top=1)
    assert any(seen(time_s, "red") > 0.1 for time_s in np.arange(here.t0_s, here.t1_s + 0.1, 1 / HZ))
    assert all(found.score < here.score for found in there)


def test_the_map_shows_the_square(hall, tmp_path, capsys):
    out = tmp_path / "map.png"
    assert main(["robot", "map", "--memory", str(hall), "--out", str(out), "--find", "something red"]) == 0
    assert cv2.imread(str(out)).size
    assert "1 recordings" in capsys.readouterr().out


def driven(folder: Path):
    """x and y in metres to the east and north, and times, of a minute's real drive at 17 m/s."""
    positions, times_s = np.load(folder / "frame_positions"), np.load(folder / "frame_times")
    up = positions.mean(0) / np.linalg.norm(positions.mean(0))
    east = np.cross([0, 0, 1], up)
    east /= np.linalg.norm(east)
    moved = positions - positions[0]
    return np.stack([moved @ east, moved @ np.cross(up, east)], 1), times_s - times_s[0]


@pytest.mark.parametrize("radius", [2.0, 5.0, 20.0])
def test_every_place_of_a_real_drive_is_found_when_it_was_passed(shared_data, tmp_path, radius):
    """Of an event sixteen samples are kept, which lie 10 m apart at this speed."""
    folder = shared_data / "robot" / "comma2k19_example1" / "global_pose"
    if not folder.is_dir():
        pytest.skip("comma2k19 is not here")
    xy, times_s = driven(folder)
    spec = EncoderSpec(id="c:1", dim=32, normalised=True, midpoint=0.3, slope=20.0)
    rng = np.random.default_rng(0)
    look = rng.normal(size=spec.dim)
    with Memory.open_writer(
        tmp_path / "car", encoder="c", spec=spec, config=MemoryConfig(budget_bytes=8_000_000)
    ) as memory:
        memory.begin("car", uri="robot://car")
        for k in range(0, len(times_s), 4):
            vector = look + 0.1 * rng.normal(size=spec.dim)
            sensors = Sensors(pose=np.array([*xy[k], 0, 0, 0, 0, 1]))
            vector = (vector / np.linalg.norm(vector)).astype(np.float32)
            memory.write(
                [Embedding(stream="car", seq=k, time_s=float(times_s[k]), vector=vector, sensors=sensors)]
            )
        memory.finish("car")
        follower = SnapshotFollower(memory.store, RecallConfig())
        follower.follow()
        for k in range(0, len(times_s), 10):
            near = (float(xy[k, 0]), float(xy[k, 1]), radius)
            hits = follower.latest.search(None, Condition(near=near), 100)
            assert any(hit.t0_s - 0.3 <= times_s[k] <= hit.t1_s + 0.3 for hit in hits)
            there = np.hypot(*(xy - xy[k]).T) <= radius
            for hit in hits:  # nor is anything found that was never there
                assert (there & (times_s >= hit.t0_s - 0.3) & (times_s <= hit.t1_s + 0.3)).any()


def test_a_real_tracking_cameras_places_are_found_by_where_it_was_and_looked(shared_data, tmp_path):
    """A tenth of a second of a T265 in an office; where it was is read from the log by rosbags alone."""
    rosbag1, typesys = pytest.importorskip("rosbags.rosbag1"), pytest.importorskip("rosbags.typesys")
    bag = shared_data / "robot" / "ros1_bags" / "t265_office_0.1s.bag"
    if not bag.is_file():
        pytest.skip("the log of a T265 is not here")
    types = typesys.get_typestore(typesys.Stores.ROS1_NOETIC)
    with rosbag1.Reader(bag) as log:
        odometry = [each for each in log.connections if each.msgtype == "nav_msgs/msg/Odometry"]
        poses = [
            types.deserialize_ros1(raw, each.msgtype).pose.pose
            for each, _, raw in log.messages(connections=odometry)
        ]
    assert main(f"robot replay {bag} --memory {tmp_path / 'm'} --encoder palette --fps 30".split()) == 0
    turn = poses[0].orientation
    heading = math.atan2(2 * (turn.w * turn.z + turn.x * turn.y), 1 - 2 * (turn.y * turn.y + turn.z * turn.z))
    with Memory.open_reader(tmp_path / "m") as memory:
        follower = SnapshotFollower(memory.store, RecallConfig())
        follower.follow()

        def cameras(**condition):
            found = follower.latest.search(None, Condition(**condition), 10)
            return {hit.stream.rpartition("/")[2] for hit in found}

        x, y = poses[0].position.x, poses[0].position.y
        both = {"camera_fisheye1", "camera_fisheye2"}
        assert cameras(near=(x, y, 0.05)) == cameras(heading=(heading, 0.1)) == both
        assert cameras(near=(x, y, 0.05), heading=(heading, 0.1)) == both
        assert cameras(near=(x + 0.3, y, 0.05)) == cameras(heading=(heading + math.pi, 0.1)) == set()
        assert cameras(near=(x, y, 0.05), heading=(heading + 1.0, 0.1)) == set()
