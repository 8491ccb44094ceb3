"""A policy that reads its memory as a service: observations are remembered, and answered with a chunk of actions.

    observation -> encoder -> memory -> what the goal reminds of -> policy -> actions
                                            `-> which moments the actions rested on -> memory

The answer to an observation with a goal (a prompt, "goal_image" or "goal"):

    actions           float32 [H, A]; of kinds of actions A is 1, the number of the kind
    policy/gate       how far the policy relied on its memory, 0 to 1
    memory/used       ids of the moments that it read
    memory/stale      whether the memory could not be written or read: then it acted without one
    memory/refused    what of the observation could not be used, such as "pose" or "time went back"
    server_timing     {"infer_ms"}, as openpi's server tells it

An observation without one, or with {"remember": True}, is remembered alone. Where the goal is another one than
before, that is a key event.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from hippocam.apps.robot.names import UNNAMED, newest_episodes, recording_name
from hippocam.apps.robot.policy.remembering import OurMemory, follower_of
from hippocam.apps.robot.serve.observation import BETWEEN_S, Observed, observed
from hippocam.memory.memory import MemoryWriter
from hippocam.memory.recall.rows import Hit, headings
from hippocam.models.policies.playing import Turn
from hippocam.models.policies.policy import Policy, Unrepeating
from hippocam.models.policies.records import Doubles, Moment, nothing
from hippocam.stream.errors import HippocamError
from hippocam.stream.jpeg import encode_jpeg
from hippocam.stream.pipeline import PipelineConfig
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import FloatArray, Image

# A gate from which on an action is said to rest on what was recalled.
_RELIED = 0.5


@dataclass(slots=True)
class _Episode:
    """One environment's episode.

    Attributes:
        memory: What is written of it, and recalled for it.
        acting: The policy.
        goal: What was asked for last.
        time_s: The newest instant.
        stale: Whether the memory could not be written last.
    """

    memory: OurMemory
    acting: Unrepeating
    goal: bytes = b""
    time_s: float = float("-inf")
    stale: bool = False


class PolicyService:
    """Acts for robots; one observation is answered at a time.

    Args:
        memory: Open for writing; its vectors are those that the policy sees.
        policy: Chooses the actions.
        encoder: Makes vectors of pictures and words; None where robots send vectors.

    Attributes:
        metadata: What a client is told when it connects.
    """

    def __init__(self, memory: MemoryWriter, policy: Policy, encoder: Encoder | None = None) -> None:
        self._memory, self._policy, self._encoder = memory, policy, encoder
        self._follower = follower_of(memory)
        self._episodes = newest_episodes(row.recording for row in memory.progress())
        self._going: dict[str, _Episode] = {}
        self._taking = threading.Lock()
        self._began_s = time.monotonic()
        sizes = policy.sizes
        self.metadata: Mapping[str, Any] = {
            "memory": "hippocam",
            "policy": policy.card.world,
            "chunk": sizes.chunk,
            "actions": sizes.actions,
            "continuous": sizes.continuous,
            "vector": sizes.dim if encoder is None else 0,
        }

    @contextmanager
    def client(self) -> Iterator[PolicyService]:
        """Answer a client; all clients share the environments."""
        yield self

    def reply(self, content: object) -> dict[str, Any]:
        """Remember an observation, and choose actions where it has a goal."""
        began_s, seen = time.monotonic(), observed(content)
        with self._taking:
            if seen.reset:
                self._end(seen.env)
            if seen.reset and not (seen.images or seen.vectors):
                return {"reset_finished": True}
            episode = self._episode(seen.env)
            turns = self._turns(seen, episode.time_s, began_s - self._began_s)
            goal_D = None if seen.only_remember else self._goal(seen)
            late = ["time went back"] if turns[-1].time_s <= episode.time_s else []
            refused = {"memory/refused": [*seen.refused, *late]}
            self._remember(episode, turns, goal_D)
            if goal_D is None:
                return refused | {"remembered": len(turns), "memory/stale": episode.stale}
            answer = refused | self._act(episode, turns[-1], goal_D)
        return answer | {"server_timing": {"infer_ms": 1000 * (time.monotonic() - began_s)}}

    def close(self) -> None:
        """End the episodes."""
        with self._taking:
            for env in list(self._going):
                self._end(env)

    def _end(self, env: str) -> None:
        episode = self._going.pop(env, None)
        if episode is not None:
            episode.memory.ended()

    def _episode(self, env: str) -> _Episode:
        if env not in self._going:
            name = env or UNNAMED
            number = self._episodes[name] = self._episodes.get(name, -1) + 1
            within = env if env else None
            memory = OurMemory(self._memory, recording_name(env, number), within=within, follower=self._follower)
            self._going[env] = _Episode(memory=memory, acting=Unrepeating(self._policy))
        return self._going[env]

    def _turns(self, seen: Observed, last_s: float, clock_s: float) -> list[Turn]:
        """What was seen at each instant since the last call; instants that do not come later are left out.

        The newest is always there: it is what the policy acts on.

        Raises:
            ValueError: There is nothing that the policy could see.
        """
        turns: list[Turn] = []
        if "time" in seen.refused and last_s > float("-inf"):
            clock_s = last_s  # the clock here is not the robot's
        for back in reversed(range(seen.frames)):
            told_s = seen.time_at(back)
            time_s = (
                (clock_s if seen.time_s is None else seen.time_s) - BETWEEN_S * back if told_s is None else told_s
            )
            vector_D, jpeg = self._view(seen, back)
            pose = _flat_pose(seen.pose_at(back))
            turn = Turn(time_s=time_s, vector_D=vector_D, pose=pose, mark=seen.mark_at(back), jpeg=jpeg)
            if time_s > (turns[-1].time_s if turns else last_s) or not back:
                turns.append(turn)
        return turns

    def _view(self, seen: Observed, back: int) -> tuple[FloatArray, bytes]:
        """What the policy sees at an instant, float32 [D], and the picture that is kept of it."""
        dim, vector_D = self._policy.sizes.dim, seen.vector_at(back)
        if self._encoder is None:
            if vector_D is None or len(vector_D) != dim:
                found = "none" if vector_D is None else f"one of {len(vector_D)}"
                raise ValueError(f'this policy sees vectors of {dim} numbers, under "vector"; found {found}')
            return _unit(vector_D), b""
        images = seen.images_at(back)
        if not images:
            raise ValueError("this policy sees pictures, and there is none in the observation")
        image = images[min(images)]
        config = PipelineConfig()
        jpeg = encode_jpeg(image, config.jpeg_side_px, config.jpeg_quality)
        return _unit(self._encoder.encode_images([image]).vectors_ND[0]), jpeg

    def _goal(self, seen: Observed) -> FloatArray | None:
        """What is asked for, float32 [D]; None where nothing is.

        Raises:
            ValueError: It is of another kind than the policy understands.
        """
        goal, dim = seen.goal, self._policy.sizes.dim
        if goal is not None and goal.ndim == 1:
            if len(goal) != dim:
                raise ValueError(f"this policy's goals are vectors of {dim} numbers, found one of {len(goal)}")
            return _unit(goal.astype(np.float32))
        if goal is None and not seen.prompt:
            return None
        if self._encoder is None:
            raise ValueError(f'this policy was taught goals as vectors of {dim} numbers, under "goal"')
        if goal is not None:
            image: Image = goal.astype(np.uint8)
            return _unit(self._encoder.encode_images([image]).vectors_ND[0])
        return _unit(self._encoder.encode_texts([seen.prompt])[0])

    def _remember(self, episode: _Episode, turns: Sequence[Turn], goal_D: FloatArray | None) -> None:
        """Write what was seen. Where that fails, the policy acts without a memory; the next call tries again."""
        goal = b"" if goal_D is None else goal_D.tobytes()
        try:
            for number, turn in enumerate(turns, start=1):
                if number == len(turns) and goal and goal != episode.goal:
                    episode.memory.named()
                if turn.time_s > episode.time_s:
                    episode.memory.observe(turn)
                    episode.time_s = turn.time_s
            episode.stale = False
        except HippocamError:
            episode.stale = True
        episode.goal = goal or episode.goal

    def _act(self, episode: _Episode, turn: Turn, goal_D: FloatArray) -> dict[str, Any]:
        hits: list[Hit] = []
        recalled = nothing(len(goal_D), stale=True)
        if not episode.stale:
            try:
                hits = episode.memory.hits(goal_D)
                recalled = episode.memory.read(hits, turn.time_s)
            except HippocamError:
                episode.stale = True
        moment = Moment(view_D=turn.vector_D, goal_D=goal_D, pose=turn.pose, recalled=recalled)
        chosen = episode.acting.act(moment)
        relied = hits if chosen.gate >= _RELIED else []
        try:
            episode.memory.acted(turn.time_s, relied)
        except HippocamError:
            episode.stale = True
        return {
            "actions": np.asarray(chosen.actions, np.float32).reshape(len(chosen.actions), -1),
            "policy/gate": chosen.gate,
            "memory/used": [f"{hit.entry_id:016x}" for hit in relied],
            "memory/stale": episode.stale,
        }


def _flat_pose(pose: Doubles | None) -> Doubles:
    """x, y and heading; the origin where nobody told where the robot is."""
    if pose is None:
        return np.zeros(3)
    return pose if len(pose) == 3 else np.array([pose[0], pose[1], headings(pose[None])[0]])


def _unit(vector_D: FloatArray) -> FloatArray:
    length = float(np.linalg.norm(vector_D))
    if not np.isfinite(length) or length == 0:
        raise ValueError("a vector of zeros, or of numbers that are not finite, shows nothing")
    return (vector_D / length).astype(np.float32)
