"""Gymnasium environments with a memory: Gymnasium's own checks, and MiniGrid's worlds played through it."""

import time
import warnings

import numpy as np
import pytest

pytest.importorskip("gymnasium", reason="needs pip install 'hippocam[robot-bench]'")

import gymnasium
from gymnasium.utils.env_checker import check_env

from hippocam.apps.robot import RobotMemory
from hippocam.apps.robot.env_wrapper import MemoryWrapper, WrapperConfig
from hippocam.apps.robot.intake import RobotConfig
from hippocam.memory.memory import Memory

END_S = 600.0
LOOKS = ((220, 20, 20), (20, 200, 20), (20, 20, 220), (230, 220, 40))


class Corridor(gymnasium.Env):
    """Rooms in a row, each of its own colour; the last one ends the episode with a reward."""

    metadata = {"render_fps": 2, "render_modes": []}  # noqa: RUF012
    observation_space = gymnasium.spaces.Dict(
        {
            "front": gymnasium.spaces.Box(0, 255, (32, 48, 3), np.uint8),
            "joints": gymnasium.spaces.Box(-10, 10, (2,), np.float32),
        }
    )
    action_space = gymnasium.spaces.Discrete(2)

    def _look(self):
        return {
            "front": np.full((32, 48, 3), LOOKS[self.room], np.uint8),
            "joints": np.array([self.room, -self.room], np.float32),
        }

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.room = 0
        return self._look(), {}

    def step(self, action):
        self.room = min(len(LOOKS) - 1, self.room + int(action))
        ends = self.room == len(LOOKS) - 1
        return self._look(), float(ends), ends, False, {}


gymnasium.register("test/Corridor-v0", entry_point=Corridor)


@pytest.fixture
def memory(tmp_path):
    config = RobotConfig(fps=None, slot_bytes=1_000_000, slots=64)
    with RobotMemory.open(tmp_path / "robot", encoder="palette", budget_mb=4, config=config) as opened:
        yield opened


def patient(**more):
    return WrapperConfig(deadline_ms=60_000, **more)


@pytest.mark.parametrize("side_px", [None, 24])
def test_gymnasiums_own_check_passes(memory, side_px):
    env = MemoryWrapper(gymnasium.make("test/Corridor-v0").unwrapped, memory, patient(side_px=side_px))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*different from the unwrapped.*")
        warnings.filterwarnings("ignore", message=".*a Dict, the observation space .*")
        check_env(env, skip_render_check=True, skip_close_check=True)  # these make it anew, without its memory
    assert env.spec is None or env.spec.nondeterministic


def walked(env, steps):
    """Reset, and go through the rooms."""
    env.reset(seed=0)
    return [env.step(action) for action in steps]


def test_what_was_seen_is_recalled_with_its_time_and_action_and_the_reward_is_a_key_event(memory, tmp_path):
    asked = []
    env = MemoryWrapper(Corridor(), memory, patient(question=lambda seen: asked.append(1) or "something red"))
    steps = walked(env, [0, 0, 1, 0, 1, 0, 1])
    assert len(asked) == 8
    assert [terminated for _, _, terminated, _, _ in steps] == [False] * 6 + [True]
    end_s = time.monotonic() + END_S
    while memory.recall(None, deadline_ms=60_000).as_of_s != 3.5:
        assert time.monotonic() < end_s
        time.sleep(0.02)
    env.reset()  # the next episode recalls the one before
    observation, _, _, _, info = env.step(0)
    best = info["memory"].entries[0]
    assert best.t0_s <= 1.0
    assert best.stream == "robot/000000/front"
    assert set(observation) == {"front", "joints"}
    memory.close()
    with Memory.open_reader(tmp_path / "robot") as reader:
        notes = [note.text for note in reader.notes("robot/000000/front", 0.0, 10.0)]
        rows = reader.store.entries.rows("robot/000000/front", (-1.0, 0), 100)
        rooms = {float(row.entry.sensors.state[0]) for row in rows}
    assert "reward 1, terminated" in notes
    assert 3.0 in rooms


def test_environments_that_share_a_memory_are_kept_apart_by_their_names(memory):
    names = ("0", "1", "2")

    def made(name):
        return lambda: MemoryWrapper(Corridor(), memory, patient(name=name))

    env = gymnasium.vector.SyncVectorEnv([made(name) for name in names])
    env.reset(seed=1)
    for step in range(10):  # the first walks on, and begins anew; the others stay
        _, _, _, _, infos = env.step(np.array([1, 0, 0]))
        for name, recalled in zip(names, infos["memory"], strict=True):
            streams = {entry.stream.split("/")[0] for entry in recalled.entries}
            assert streams <= {name}, step
    end_s = time.monotonic() + END_S

    def streams_of(name):
        return {entry.stream for entry in memory.recall(None, env=name, deadline_ms=60_000, top=100).entries}

    while len(streams_of("0")) < 2 or not streams_of("2"):
        assert time.monotonic() < end_s
        time.sleep(0.02)
    assert streams_of("1") == {"1/000000/front"}
    env.close()


def test_minigrids_memory_world_is_played_with_what_is_recalled_in_its_observation(memory):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its renderer's, on import
        pytest.importorskip("minigrid", reason="needs pip install 'hippocam[robot-bench]'")
        from minigrid.wrappers import RGBImgPartialObsWrapper
    made = RGBImgPartialObsWrapper(gymnasium.make("MiniGrid-MemoryS13-v0"))
    env = MemoryWrapper(made, memory, patient(name="grid", side_px=56, question=lambda seen: seen["image"]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MiniGrid's own: its words are longer than it says
        check_env(env, skip_render_check=True, skip_close_check=True)  # these make it anew, without its memory
        observation, info = env.reset(seed=3)
        for action in [2, 1, 0, 2, 1, 2] * 3:
            observation, _, _, _, info = env.step(action)
    assert observation["observation"]["image"].shape == (56, 56, 3)
    assert observation in env.observation_space
    assert info["memory"].entries
    assert all(entry.stream.startswith("grid/") for entry in info["memory"].entries)


@pytest.mark.parametrize(("what", "value"), [("top", 0), ("step_s", 0.0), ("step_s", -1.0)])
def test_a_setting_that_cannot_be_is_refused(what, value):
    with pytest.raises(ValueError, match=what):
        WrapperConfig(**{what: value})
