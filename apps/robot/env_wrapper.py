"""A Gymnasium environment with a memory: every observation is remembered, and what it reminds of is added to it.

    env = MemoryWrapper(gymnasium.make("MiniGrid-MemoryS13-v0", ...), memory)
    observation, info = env.reset()       # info["memory"] is what was recalled, see `Recalled`

It needs `gymnasium`. Several environments may share a memory; each has a name, which keeps them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from hippocam.apps.robot import checks
from hippocam.apps.robot.memory import RobotMemory
from hippocam.apps.robot.records import Recalled
from hippocam.apps.robot.shown import shown_of
from hippocam.stream.records import FloatArray, Image

# Steps a second of an environment that does not tell.
_STEPS_A_SECOND = 10.0
_LONGEST_S = 1e9
_WORDS = ("mission", "prompt", "instruction", "task", "language_instruction")
Question = str | Image | FloatArray | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapperConfig:
    """How an environment is remembered, and what of it is recalled.

    Attributes:
        name: Of the environment in the memory; "" for none.
        question: What is asked at an observation: words, a picture, a vector, or None for the latest moments; None
            to ask for its words ("mission", "prompt" ...), else for what looks like its first picture.
        top: Moments that are recalled.
        deadline_ms: How long that may take, milliseconds.
        step_s: Seconds between two steps; None for what the environment's `render_fps` says, else a tenth.
        within: Whether only moments of this environment are recalled, not of others that share the memory.
        side_px: Side of the pictures that are added to the observation; None adds nothing to it. What is added
            makes the observation a `Dict`: `observation` as it was, `memory/images` [top, side, side, 3],
            `memory/ages_s` and `memory/cosines` [top], filled up with zeros, and `memory/count`.
    """

    name: str = ""
    question: Callable[[Any], Question] | None = None
    top: int = 4
    deadline_ms: float = 50.0
    step_s: float | None = None
    within: bool = True
    side_px: int | None = None

    def __post_init__(self) -> None:
        if self.top < 1:
            raise ValueError(f"top must be 1 or more, found {self.top}")
        if self.step_s is not None and not self.step_s > 0:
            raise ValueError(f"step_s must be above 0, found {self.step_s}")


class MemoryWrapper(gymnasium.Wrapper):  # type: ignore[misc]
    """Remembers what an environment shows, and recalls what that reminds of.

    `info["memory"]` holds what was recalled. A reward that is not 0, and the end of an episode, are key events in
    words: "reward 1", "terminated". The same seed may recall something else, for the memory has gone on: the
    environment's spec says so (`nondeterministic`).

    Args:
        env: The environment. Pictures are uint8 [H, W, 3] in its observation, or what it renders where that has
            none; numbers in one dimension are its state.
        memory: Open; it is not closed with the environment.
        config: How it is remembered.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], memory: RobotMemory, config: WrapperConfig | None = None):
        super().__init__(env)
        self._memory, self._config = memory, config or WrapperConfig()
        rate = float(env.metadata.get("render_fps") or _STEPS_A_SECOND)
        self._step_s = 1 / rate if self._config.step_s is None else self._config.step_s
        self._time_s = 0.0
        if self._config.side_px is not None:
            self.observation_space = _with_memory(env.observation_space, self._config.top, self._config.side_px)

    @property
    def spec(self) -> Any:
        """The environment's spec, with the word that it is not determined by a seed."""
        spec = super().spec
        return None if spec is None else replace(spec, nondeterministic=True)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._memory.reset(env=self._config.name)
        self._time_s = 0.0
        return self._remembered(observation, dict(info), None, "")

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Do a step."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._time_s += self._step_s
        marks = [f"reward {float(reward):g}"] if reward else []
        marks += [word for word, so in (("terminated", terminated), ("truncated", truncated)) if so]
        observation, info = self._remembered(observation, dict(info), action, ", ".join(marks))
        return observation, reward, terminated, truncated, info

    def _remembered(
        self, observation: Any, info: dict[str, Any], action: Any, mark: str
    ) -> tuple[Any, dict[str, Any]]:
        """Remember an observation; return it and its info with what it reminds of."""
        config, parts = self._config, dict(_parts(observation, ""))
        images = {camera: value for camera, value in parts.items() if checks.is_picture(value)}
        images = images or self._rendered()
        words = next((parts[key] for key in _WORDS if isinstance(parts.get(key), str)), "")
        self._memory.observe(
            time_s=self._time_s,
            images=images,
            state=_state(parts),
            action=None if action is None else checks.numbers_of(action),
            text=words,
            mark=mark,
            env=config.name,
        )
        asked = words or next(iter(images.values()), None)
        recalled = self._memory.recall(
            asked if config.question is None else config.question(observation),
            now=self._time_s,
            deadline_ms=config.deadline_ms,
            top=config.top,
            env=config.name if config.within else None,
        )
        return self._added(observation, recalled), info | {"memory": recalled}

    def _rendered(self) -> dict[str, Image]:
        """What the environment draws, where it draws pictures."""
        picture = self.env.render() if self.env.render_mode == "rgb_array" else None
        return {"camera": picture} if checks.is_picture(picture) else {}

    def _added(self, observation: Any, recalled: Recalled) -> Any:
        """An observation with the pictures of what was recalled, where that is wanted."""
        config = self._config
        if config.side_px is None:
            return observation
        shown = shown_of(recalled, self._time_s, config.side_px)
        count = len(shown.images)
        return {
            "observation": observation,
            "memory/images": _filled(shown.images, config.top),
            "memory/ages_s": _filled(np.clip(shown.ages_s, 0, _LONGEST_S), config.top),
            "memory/cosines": _filled(np.clip(shown.cosines, -1, 1), config.top),
            "memory/count": np.int64(count),
        }


def _with_memory(space: spaces.Space[Any], top: int, side: int) -> spaces.Dict:
    return spaces.Dict(
        {
            "observation": space,
            "memory/images": spaces.Box(0, 255, (top, side, side, 3), np.uint8),
            "memory/ages_s": spaces.Box(0, _LONGEST_S, (top,), np.float32),
            "memory/cosines": spaces.Box(-1, 1, (top,), np.float32),
            "memory/count": spaces.Discrete(top + 1),
        }
    )


def _filled(rows: Any, top: int) -> Any:
    """Rows, with zeros behind them up to `top`."""
    return np.concatenate([rows, np.zeros((top - len(rows), *rows.shape[1:]), rows.dtype)])


def _parts(observation: Any, name: str) -> Iterator[tuple[str, Any]]:
    """The parts of an observation by their names, which a single one has not."""
    if isinstance(observation, Mapping):
        for key, value in observation.items():
            yield from _parts(value, f"{name}/{key}" if name else str(key))
    elif isinstance(observation, tuple):
        for number, value in enumerate(observation):
            yield from _parts(value, f"{name}/{number}" if name else str(number))
    else:
        yield name or "camera", observation


def _state(parts: Mapping[str, Any]) -> FloatArray | None:
    """All numbers in one dimension, by the order of their names."""
    rows = [value for _, value in sorted(parts.items()) if isinstance(value, np.ndarray) and value.ndim == 1]
    numbers = [row for row in map(checks.numbers_of, rows) if row is not None]
    return np.concatenate(numbers) if numbers else None
