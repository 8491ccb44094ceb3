"""A robot's memory as a service: each observation is remembered, and what it reminds of is recalled.

Alone it answers with what was recalled. Before another policy server (`upstream`) it forwards the observation with
that, and the answer is that server's; where that does not answer, a robot may be told to hold. {"reset": True}
ends an episode, and {"reset_finished": True} answers it; what has {"remember": True} is remembered alone, and
{"remembered": N} answers it.

Added to what is forwarded, and to what is answered alone:

    memory/images     uint8 [K, H, W, 3], pictures of the recalled moments, the nearest first
    memory/ages_s     float32 [K], how long ago they were
    memory/cosines    float32 [K]
    memory/stale      whether the memory lags
    memory/refused    what of the observation could not be used, such as "pose" or "time went back"
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from hippocam.apps.robot.memory import RobotMemory
from hippocam.apps.robot.records import Recalled, RecalledEntry
from hippocam.apps.robot.serve.hold import Hold, Kind
from hippocam.apps.robot.serve.observation import BETWEEN_S, Observed, observed
from hippocam.apps.robot.serve.server import MOST_BYTES
from hippocam.apps.robot.serve.upstream import Upstream
from hippocam.apps.robot.shown import shown_of
from hippocam.stream.errors import HippocamError


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallingConfig:
    """What is recalled for an observation, and who answers it.

    Attributes:
        upstream: ws:// address of the policy server that is asked; None to serve the memory alone.
        deadline_ms: How long recall may take.
        top: Moments that are recalled for an observation.
        side_px: Side of the pictures that are added, pixels.
        answer_s: How long the policy server may take to answer, seconds.
        hold: What its actions are, where a robot is to hold while it does not answer: see `Hold`; None tells the
            robot's program why there is no answer, and ends its connection.
    """

    upstream: str | None = None
    deadline_ms: float = 50.0
    top: int = 4
    side_px: int = 224
    answer_s: float = 60.0
    hold: Kind | None = None

    def __post_init__(self) -> None:
        if self.upstream is not None and urlsplit(self.upstream).scheme not in ("ws", "wss"):
            raise ValueError(f"upstream must be a ws:// or wss:// address, found {self.upstream!r}")
        if not self.answer_s > 0:
            raise ValueError(f"answer_s must be above 0, found {self.answer_s}")


class MemoryService:
    """Remembers and recalls for robots; one observation is taken at a time.

    Args:
        memory: The memory.
        config: What is recalled, and who answers.
    """

    def __init__(self, memory: RobotMemory, config: RecallingConfig) -> None:
        self._memory, self._config = memory, config
        self._taking = threading.Lock()
        self._began_s = time.monotonic()
        self._newest_s: dict[str, float] = {}  # by environment

    @contextmanager
    def client(self) -> Iterator[_Client]:
        """Answer a client, with a connection of its own to the policy server."""
        if self._config.upstream is None:
            yield _Client(self, None)
        else:
            with Upstream(self._config.upstream, MOST_BYTES, self._config.answer_s) as upstream:
                yield _Client(self, upstream, None if self._config.hold is None else Hold(self._config.hold))

    def remember(self, seen: Observed) -> tuple[float, list[str]]:
        """Remember an observation with all its pictures; return its time, and what of it could not be used.

        One whose time cannot be used is not remembered: the clock here is not the robot's.
        """
        with self._taking:
            before = self._memory.status().refused
            if seen.reset:
                self._memory.reset(env=seen.env)
            here_s = time.monotonic() - self._began_s if seen.time_s is None else seen.time_s
            timeless = "time" in seen.refused
            now_s = self._newest_s.get(seen.env, here_s) if timeless else here_s
            self._newest_s[seen.env] = now_s
            for back in () if timeless else reversed(range(seen.frames)):
                told_s = seen.time_at(back)
                self._memory.observe(
                    images=seen.images_at(back),
                    time_s=now_s - BETWEEN_S * back if told_s is None else told_s,
                    state=None if back else seen.state,
                    pose=seen.pose_at(back),
                    text=seen.prompt,
                    mark=seen.mark_at(back),
                    env=seen.env,
                )
            after = self._memory.status().refused
        refused = [reason for reason, count in after.items() if count > before.get(reason, 0)]
        return now_s, sorted({*seen.refused, *refused})

    def end(self, env: str) -> None:
        """End an environment's episode."""
        with self._taking:
            self._memory.reset(env=env)

    def recall(self, seen: Observed, now_s: float) -> Recalled:
        """What an observation's task reminds of."""
        return self._memory.recall(
            seen.prompt or None,
            now=now_s,
            deadline_ms=self._config.deadline_ms,
            top=self._config.top,
            env=seen.env or None,
        )

    def acted(self, now_s: float, answer: Mapping[str, Any], recalled: Recalled, env: str) -> None:
        """Keep what another server did, and which moments it was given for it."""
        actions = answer.get("actions")
        if isinstance(actions, np.ndarray) and actions.ndim and actions.size:
            first = np.asarray(actions).reshape(len(actions), -1)[0]
            with self._taking:
                self._memory.acted(now_s, first, used=[entry.id for entry in recalled.entries], env=env)

    def added(self, recalled: Recalled, now_s: float, refused: Sequence[str]) -> dict[str, Any]:
        """What is added to an observation: see the module."""
        shown = shown_of(recalled, now_s, self._config.side_px)
        return {
            "memory/images": shown.images,
            "memory/ages_s": shown.ages_s,
            "memory/cosines": shown.cosines,
            "memory/stale": recalled.stale,
            "memory/refused": list(refused),
        }


class _Client:
    """Answers one client."""

    def __init__(self, service: MemoryService, upstream: Upstream | None, hold: Hold | None = None) -> None:
        self._service, self._upstream, self._hold = service, upstream, hold
        self.metadata = ({} if upstream is None else upstream.metadata) | {"memory": "hippocam"}

    def reply(self, content: object) -> dict[str, Any]:
        """Remember an observation, recall what it reminds of, and answer or have it answered."""
        seen, upstream = observed(content), self._upstream
        if seen.reset and not seen.images:
            self._service.end(seen.env)
            return {"reset_finished": True} | ({} if upstream is None else upstream.ask(content))
        now_s, refused = self._service.remember(seen)
        if seen.only_remember:
            return {"remembered": seen.frames, "memory/refused": refused}
        recalled = self._service.recall(seen, now_s)
        added = self._service.added(recalled, now_s, refused)
        if upstream is None or not isinstance(content, dict):
            return added | {"entries": [_told(entry) for entry in recalled.entries]}
        try:
            answer = upstream.ask(content | added)
        except HippocamError as error:
            held = None if self._hold is None else self._hold.chunk()
            if held is None:
                raise
            return {"actions": held, "policy/held": str(error)} | added
        if self._hold is not None:
            self._hold.chose(answer.get("actions"))
        self._service.acted(now_s, answer, recalled, seen.env)
        return answer


def _told(entry: RecalledEntry) -> dict[str, Any]:
    """A recalled moment as it is sent."""
    pose = None if entry.pose is None else entry.pose.tolist()
    return {
        "id": entry.id,
        "stream": entry.stream,
        "t0_s": entry.t0_s,
        "t1_s": entry.t1_s,
        "cosine": entry.cosine,
        "text": entry.text,
        "pose": pose,
    }
