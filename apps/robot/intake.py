"""What a robot gives, checked and thinned out: which episode, which camera's turn, what is a key event."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from numpy.typing import ArrayLike

from hippocam.apps.robot import checks
from hippocam.apps.robot.names import UNNAMED
from hippocam.apps.robot.records import Seen
from hippocam.stream.records import FloatArray, Image

# A gripper moved where it crossed the middle of its range by this share of it, and did not just before; seconds.
# Without the pause, the noise of one that was never used would count.
_GRIPPER_MARGIN, _GRIPPER_PAUSE_S = 0.1, 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotConfig:
    """What of a robot's observations is looked at, and how far its memory may lag.

    Attributes:
        fps: Pictures a second that are looked at, of each camera; None for all.
        stale_s: A memory that knows nothing newer than this is stale, seconds above 0.
        gripper: Index of the gripper in the action (from the end where below 0): when it opens or closes, that is
            a key event. None where there is none.
        state_names: What the numbers of a state are called, one each; none where they have no names.
        action_names: What the numbers of an action are called, likewise.
        slots: Observations that may wait for the process that remembers, 2 or more.
        slot_bytes: Largest size of one, in bytes: all its pictures together.
    """

    fps: float | None = 5.0
    stale_s: float = 0.75
    gripper: int | None = None
    state_names: tuple[str, ...] = ()
    action_names: tuple[str, ...] = ()
    slots: int = 12
    slot_bytes: int = 16_000_000

    def __post_init__(self) -> None:
        if self.fps is not None and not self.fps > 0:
            raise ValueError(f"robot.fps must be above 0 (or left out for every picture), found {self.fps}")
        if not self.stale_s > 0:
            raise ValueError(f"robot.stale_s must be above 0, found {self.stale_s}")
        if self.slots < 2 or self.slot_bytes < 1024:
            raise ValueError(
                f"robot.slots must be 2 or more, slot_bytes 1024 or more, found {self.slots}, {self.slot_bytes}"
            )


@dataclass(slots=True)
class _Env:
    """What is known of an environment."""

    episode: int
    time_s: float = -math.inf
    text: str | None = None
    ends: bool = False  # the next observation begins another episode
    due_s: dict[str, float] = field(default_factory=dict)  # when each camera's next picture is looked at
    gripper: tuple[float, float] | None = None  # the range so far
    gripped_s: float = -math.inf
    acted: FloatArray | None = None  # what was done since the last observation
    high: bool = False  # whether the gripper is in the upper half of it


class Newest(NamedTuple):
    """The newest observation of an environment."""

    env: str
    episode: int
    time_s: float


class Intake:
    """Turns what a robot gives into `Seen`; every check here takes microseconds.

    Args:
        config: What is looked at.
        episodes: The newest episode that is held of each environment, by the name of its recordings.

    Attributes:
        observed: Observations so far.
        refused: What was not taken, by reason.
        refused_now: Whether something of the last observation was not.
    """

    def __init__(self, config: RobotConfig, episodes: Mapping[str, int]) -> None:
        self._config = config
        self._episodes = episodes
        self._envs: dict[str, _Env] = {}
        self._seq = 0
        self._last: str | None = None  # the environment that was observed last
        self.observed = 0
        self.refused: Counter[str] = Counter()
        self.refused_now = False

    def refuse(self, reason: str) -> None:
        """Count something that was not taken."""
        self.refused[reason] += 1
        self.refused_now = True

    def newest(self, env: str | None) -> Newest | None:
        """When an environment was observed last, or whichever was; None before the first observation."""
        name = self._last if env is None else env
        held = self._envs.get(name) if name is not None else None
        if name is None or held is None or held.time_s == -math.inf:
            return None
        return Newest(name, held.episode, held.time_s)

    def reset(self, env: object) -> None:
        """Have the next observation of an environment begin another episode."""
        self.refused_now = False
        named = self._env(env)
        if named is not None:
            held = named[1]
            held.ends = math.isfinite(held.time_s)

    def observe(
        self,
        *,
        time_s: float,
        images: Mapping[str, Image] | None,
        state: ArrayLike | None,
        action: ArrayLike | None,
        pose: ArrayLike | None,
        text: str,
        mark: str,
        env: str,
    ) -> Seen | None:
        """Check and thin out an observation; the arguments are those of `RobotMemory.observe`.

        Returns:
            What is left of it; None where its time or its environment cannot be used.
        """
        self.refused_now = False
        self.observed += 1
        named = self._env(env)
        if named is None:
            return None
        env, held = named
        at_s = self._time(held, time_s)
        if at_s is None:
            return None
        text, mark = self._words(text, "text", held.text or ""), self._words(mark, "mark", "mark")
        ends, marks = held.ends, [mark] if mark else []
        if ends:
            held.episode += 1
            held.ends, held.text, held.gripper, held.due_s = False, None, None, {}
            held.acted = None
            held.gripped_s = -math.inf
            marks.append("reset")
        if text != held.text and held.text is not None:
            marks.append("task")
        numbers, held.acted = self._numbers(action, "action") if action is not None else held.acted, None
        if self._gripped(held, numbers) and at_s >= held.gripped_s + _GRIPPER_PAUSE_S:
            marks.append("gripper")
            held.gripped_s = at_s
        held.text, held.time_s, self._last = text, at_s, env
        placed = None if pose is None else checks.pose_of(pose)
        if placed is None and pose is not None:
            self.refuse("pose")
        return Seen(
            seq=self._next(),
            env=env,
            episode=held.episode,
            time_s=at_s,
            images=self._images(held, images, at_s, every=bool(marks)),
            state=self._numbers(state, "state"),
            action=numbers,
            pose=placed,
            text=text,
            mark=", ".join(marks),
            ends=ends,
        )

    def acted(self, time_s: float, action: ArrayLike | None, used: Sequence[str], env: str) -> Seen | None:
        """What was done, and what it rested on; None where nothing of it can be used."""
        self.refused_now = False
        named = self._env(env)
        if named is None:
            return None
        at_s = checks.time_of(time_s)
        if at_s is None:
            self.refuse("time")
            return None
        numbers, entry_ids = self._numbers(action, "action"), self._entry_ids(used)
        if numbers is None and not entry_ids:
            return None
        env, held = named
        held.acted = numbers
        return Seen(
            seq=self._next(),
            env=env,
            episode=held.episode,
            time_s=at_s,
            action=numbers,
            acts=True,
            used=tuple(entry_ids),
        )

    def _entry_ids(self, used: object) -> list[int]:
        """Ids of entries; "" stands for an open event, which has none."""
        if not isinstance(used, (list, tuple)):
            self.refuse("used")
            return []
        found = [checks.entry_id_of(text) for text in used if not isinstance(text, str) or text]
        if None in found:
            self.refuse("used")
        return [entry_id for entry_id in found if entry_id is not None]

    def _env(self, env: object) -> tuple[str, _Env] | None:
        """An environment's name, and what is known of it."""
        name = checks.name_of(env)
        if name is None:
            self.refuse("env")
            return None
        held = self._envs.get(name)
        if held is None:
            held = self._envs[name] = _Env(episode=self._episodes.get(name or UNNAMED, -1) + 1)
        return name, held

    def _next(self) -> int:
        self._seq += 1
        return self._seq - 1

    def _time(self, held: _Env, time_s: object) -> float | None:
        at_s = checks.time_of(time_s)
        if at_s is None:
            self.refuse("time")
        elif not held.ends and at_s <= held.time_s:
            self.refuse("time went back")
            return None
        return at_s

    def _words(self, words: object, what: str, otherwise: str) -> str:
        told = checks.words_of(words)
        if told is None:
            self.refuse(what)
        return otherwise if told is None else told

    def _images(self, held: _Env, images: object, at_s: float, *, every: bool) -> dict[str, Image]:
        """The pictures whose turn it is, by camera."""
        told = checks.pictures_of(images)
        if told is None:
            self.refuse("images")
            return {}
        taken: dict[str, Image] = {}
        for key, image in told.items():
            camera = checks.name_of(key)
            if camera is None:
                self.refuse("camera")
            elif not checks.is_picture(image):
                self.refuse("picture")
            elif self._turn(held, camera, at_s) or every:
                taken[camera] = image
        return taken

    def _turn(self, held: _Env, camera: str, time_s: float) -> bool:
        """Whether a camera's picture is looked at, at the rate that is set."""
        if self._config.fps is None:
            return True
        due_s, step_s = held.due_s.get(camera, -math.inf), 1 / self._config.fps
        if time_s < due_s - 1e-6:
            return False
        held.due_s[camera] = due_s + step_s if time_s < due_s + step_s else time_s + step_s
        return True

    def _numbers(self, values: ArrayLike | None, what: str) -> FloatArray | None:
        if values is None:
            return None
        numbers = checks.numbers_of(values)
        if numbers is None:
            self.refuse(what)
        return numbers

    def _gripped(self, held: _Env, action: FloatArray | None) -> bool:
        """Whether the gripper opened or closed: crossed the middle of the range that it had so far."""
        index = self._config.gripper
        if index is None or action is None or not -len(action) <= index < len(action):
            return False
        value = float(action[index])
        low, high = held.gripper or (value, value)
        still = low == high  # it has not moved at all until now
        held.gripper = (min(low, value), max(high, value))
        if still:
            held.high = value > low
            return low != value
        low, high = held.gripper
        middle, margin = (low + high) / 2, _GRIPPER_MARGIN * (high - low)
        if abs(value - middle) < margin:
            return False
        before, held.high = held.high, value > middle
        return before != held.high
