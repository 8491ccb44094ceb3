"""What a robot did along an event: written, read, recalled by place, and given up with the rest."""

import numpy as np
import pytest

from hippocam.memory.config import MemoryConfig
from hippocam.memory.filter import Filter
from hippocam.memory.memory import Memory
from hippocam.memory.recall.query import Query
from hippocam.memory.records import Level
from hippocam.stream.records import Embedding, EncoderSpec, Sensors
from hippocam.stream.robot.motion import MOST_SAMPLES, Motion, motion_of

D = 16
SPEC = EncoderSpec(id="test:1", dim=D, normalised=True, midpoint=0.5, slope=20.0)


def frame(k, pose=None, state=None, action=None, dtype=np.float64):
    vector = np.zeros(D, np.float32)
    vector[0] = 1.0
    sensors = Sensors(
        pose=None if pose is None else np.asarray(pose, dtype),
        state=None if state is None else np.asarray(state, np.float32),
        action=None if action is None else np.asarray(action, np.float32),
    )
    return Embedding(stream="front", seq=k, time_s=float(k), vector=vector, sensors=sensors)


def along_x(count, metres=1.0):
    return [frame(k, [metres * k, 0, 0, 0, 0, 0, 1], state=[k, -k], action=[0.5 * k]) for k in range(count)]


@pytest.mark.parametrize("count", [2, 5, 16, 17, 64])
def test_samples_lie_evenly_and_come_back_as_they_were(count):
    motion = motion_of(along_x(count))
    assert len(motion.times_s) == min(count, MOST_SAMPLES)
    assert (motion.times_s[0], motion.times_s[-1]) == (0.0, count - 1.0)
    assert np.diff(motion.times_s).max() - np.diff(motion.times_s).min() <= 1.0
    assert motion.size == len(motion.pack())
    found = Motion.unpack(motion.pack())
    assert np.allclose(found.times_s, motion.times_s)
    assert np.array_equal(found.poses[:, 0], found.times_s)
    assert np.array_equal(found.states, np.stack([found.times_s, -found.times_s], axis=1))
    assert np.array_equal(found.actions[:, 0], 0.5 * found.times_s)


def test_samples_that_are_not_finite_are_left_out():
    """Versions before 0.3 kept them, and called a memory damaged that held one."""
    written = motion_of(along_x(5))
    states = written.states.copy()
    states[1:3, 0] = np.nan, np.inf
    kept = Motion(times_s=written.times_s, poses=written.poses, states=states, actions=written.actions)
    found = Motion.unpack(kept.pack())
    assert found.times_s.tolist() == [0.0, 3.0, 4.0]
    assert found.poses[:, 0].tolist() == found.states[:, 0].tolist() == [0.0, 3.0, 4.0]
    assert found.actions[:, 0].tolist() == [0.0, 1.5, 2.0]
    assert Motion.unpack(Motion(times_s=written.times_s, states=np.full_like(states, np.nan)).pack()) is None


def test_a_map_that_is_far_from_its_origin_loses_no_millimetre():
    x = 4_158_999.123  # as coordinates about the earth's centre are
    frames = [frame(k, [x + 0.001 * k, -x, 0, 0, 0, 0, 1]) for k in range(4)]
    found = Motion.unpack(motion_of(frames).pack())
    assert np.abs(found.poses[:, 0] - (x + 0.001 * np.arange(4))).max() < 1e-4


def test_a_single_frame_far_from_the_origin_loses_no_millimetre_either(tmp_path):
    x = 4_158_999.123
    assert motion_of([frame(0, [1.5, 0, 0, 0, 0, 0, 1])]) is None  # an entry's own sensors keep it
    config = MemoryConfig(budget_bytes=1_000_000)
    with Memory.open_writer(tmp_path / "robot", encoder="test", spec=SPEC, config=config) as memory:
        memory.begin("front", uri="robot://front")
        memory.write([frame(0, [x, -x, 0, 0, 0, 0, 1])])
        memory.finish("front")
        near = Query(text="", vector=frame(0).vector, near=(x, -x, 0.001))
        assert len(memory.recall(near)) == 1


def test_a_part_that_not_every_frame_has_is_left_out():
    frames = [frame(0, state=[1, 2]), frame(1, [0] * 6 + [1], state=[3, 4]), frame(2, state=[5, 6])]
    motion = motion_of(frames)
    assert motion.poses is None
    assert motion.states.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert motion_of([frame(0), frame(1)]) is None
    assert motion_of([frame(0, state=[1])]) is None
    assert motion_of([frame(0, state=[1]), frame(1, state=[1, 2])]).states.tolist() == [[1]]  # of one size


def test_a_frame_without_its_state_takes_nothing_from_the_others():
    frames = [frame(k, [k, 0, 0, 0, 0, 0, 1], state=None if k == 2 else [k, -k], action=[k]) for k in range(6)]
    motion = motion_of(frames)
    assert motion.times_s.tolist() == [0, 1, 3, 4, 5]
    assert motion.states[:, 0].tolist() == motion.actions[:, 0].tolist() == motion.poses[:, 0].tolist()


@pytest.mark.parametrize("damage", [b"", b"\x00" * 10, b"\x00" * 39])
def test_what_was_not_written_so_is_refused(damage):
    with pytest.raises(ValueError, match="motion"):
        Motion.unpack(damage)


@pytest.mark.parametrize("seed", range(50))
def test_a_damaged_one_is_refused_or_finite(seed):
    rng = np.random.default_rng(seed)
    blob = bytearray(motion_of(along_x(8)).pack())
    blob[int(rng.integers(len(blob)))] ^= 1 << int(rng.integers(8))
    try:
        found = Motion.unpack(bytes(blob))
    except ValueError:
        return
    assert np.isfinite(found.times_s).all()


def test_a_place_that_was_passed_by_in_the_middle_of_an_event_is_near(tmp_path):
    config = MemoryConfig(budget_bytes=1_000_000)
    with Memory.open_writer(tmp_path / "robot", encoder="test", spec=SPEC, config=config) as memory:
        memory.begin("front", uri="robot://front")
        memory.write(along_x(9))
        memory.finish("front")
        (entry,) = memory.recall(Query(text="", vector=along_x(1)[0].vector))
        picture_x = float(entry.entry.sensors.pose[0])
        passed_x = 0.0 if picture_x > 4 else 8.0  # far from where the picture is from
        for wanted, expected in ((passed_x, 1), (20.0, 0)):
            near = Query(text="", vector=along_x(1)[0].vector, near=(wanted, 0.0, 0.6))
            assert len(memory.recall(near)) == expected
            assert len(memory.notable(Filter(near=(wanted, 0.0, 0.6)), 5)) == expected
        motion = memory.entry(entry.entry.id).motion
        assert motion.states[motion.nearest(5.2)].tolist() == [5.0, -5.0]
        memory.store.entries.demote([entry.entry.id], Level.SIGNS)
        assert memory.entry(entry.entry.id).motion is None
        assert memory.entry(entry.entry.id).sensors.pose is not None
