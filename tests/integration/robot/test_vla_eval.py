"""vla-eval's own harness runs a benchmark against a memory before a policy server."""

import numpy as np
import pytest

pytest.importorskip("vla_eval", reason="needs pip install vla-eval")
pytest.importorskip("websockets", reason="extra robot is not installed")

import vla_eval
from vla_eval.benchmarks.base import StepBenchmark, StepResult

from hippocam.apps.robot import RobotMemory
from hippocam.apps.robot.intake import RobotConfig
from hippocam.apps.robot.serve.memory import MemoryService, RecallingConfig
from hippocam.apps.robot.serve.vla_eval import ServiceModelServer
from hippocam.memory.memory import Memory

COLOURS = ((220, 20, 20), (20, 200, 20), (20, 20, 220))
STEPS = 12


class Rooms(StepBenchmark):
    """Three rooms of four steps each; it succeeds where every action is the one that was wanted."""

    def __init__(self):
        super().__init__()
        self.done = []

    def get_tasks(self):
        return [{"name": "look", "suite": "rooms"}]

    def reset(self, task):
        self.at, self.right = 0, True
        return 0

    def step(self, action):
        self.right &= bool(np.allclose(action["actions"], [self.at % 5, 7.0]))
        self.at += 1
        return StepResult(obs=self.at, reward=0.0, done=self.at >= STEPS, info={})

    def make_obs(self, raw_obs, task):
        room = min(2, raw_obs // 4)
        image = np.full((48, 64, 3), 128, np.uint8)
        image[8:40, 16:48] = COLOURS[room]
        return {"images": {"front": image}, "task_description": "something red", "states": np.ones(3, np.float32)}

    def get_step_result(self, step_result):
        return {"success": self.right}


def chunk(answered):
    """Five numbered actions."""
    del answered
    return np.stack([np.arange(5, dtype=np.float32), np.full(5, 7, np.float32)], axis=1)


def test_the_harness_runs_its_episodes_and_every_frame_is_remembered(tmp_path, policy_server):
    policy = policy_server(chunk)
    config = RobotConfig(fps=None, slot_bytes=1_000_000, slots=64)
    with RobotMemory.open(tmp_path / "robot", encoder="palette", budget_mb=2, config=config) as memory:
        service = MemoryService(memory, RecallingConfig(upstream=policy.url, deadline_ms=60_000))
        results = vla_eval.evaluate(
            ServiceModelServer(service),
            {
                "benchmarks": [
                    {"benchmark": f"{__name__}:Rooms", "mode": "sync", "episodes_per_task": 2, "params": {}}
                ]
            },
            no_save=True,
            output_dir=tmp_path / "results",
        )
        assert memory.status().refused == {}
    assert results[0]["mean_success"] == 1.0
    assert len(policy.seen) == 2 * 3  # a chunk of five in 12 steps: thrice an episode
    assert {tuple(content["memory/images"].shape[1:]) for content in policy.seen} == {(224, 224, 3)}
    assert policy.seen[0]["prompt"] == "something red"
    with Memory.open_reader(tmp_path / "robot") as reader:
        frames = {stream.id: stream.frames_seen for stream in reader.streams()}
    assert set(frames.values()) == {STEPS}
    assert len(frames) == 2
