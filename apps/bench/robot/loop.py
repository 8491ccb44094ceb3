"""A control loop of 30 Hz with three cameras that observes and recalls, and how late it is.

The same loop without a memory runs in the same minutes, so that what the machine does beside is told apart.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from hippocam.apps.bench.robot.fill import CAMERAS
from hippocam.stream.records import Image

HZ = 30.0
TEXTS = ("a red cup on a table", "the door", "somebody at the window", "a box on the floor")
_SIZE = (480, 640)


class Answer(Protocol):
    """What is looked at of what is recalled; see `Recalled`."""

    @property
    def age_ms(self) -> float:
        """How old the newest observation is that it knows."""

    @property
    def stale(self) -> bool:
        """Whether that is too old."""


class Observer(Protocol):
    """A robot's memory, as the loop calls it."""

    def observe(
        self,
        *,
        time_s: float,
        images: Mapping[str, Image] | None = None,
        state: ArrayLike | None = None,
        action: ArrayLike | None = None,
        text: str = "",
    ) -> bool:
        """Take an observation."""

    def recall(self, question: str, *, now: float, deadline_ms: float) -> Answer:
        """Recall."""


@dataclass(slots=True)
class Timings:
    """What a loop measured.

    Attributes:
        observe_ms: Of each call.
        recall_ms: Of each call.
        age_ms: How old the newest observation was that each recall knew; infinite where none answered.
        stale: Whether each recall was stale, by the second since the loop began.
        late_ticks: Ticks that began more than a period after their time.
        ticks: All of them.
    """

    observe_ms: list[float] = field(default_factory=list)
    recall_ms: list[float] = field(default_factory=list)
    age_ms: list[float] = field(default_factory=list)
    stale: list[tuple[float, bool]] = field(default_factory=list)
    late_ticks: int = 0
    ticks: int = 0

    def first(self, stale: bool, after_s: float) -> float | None:
        """Seconds after a time at which a recall was first stale, or was so no more; None where never."""
        times = [at_s - after_s for at_s, was in self.stale if at_s >= after_s and was == stale]
        return min(times, default=None)


def pictures(count: int = 60) -> list[Image]:
    """What a camera that moves past boxes sees: uint8 [480, 640, 3] each."""
    rng = np.random.default_rng(0)
    wall = rng.integers(60, 200, (_SIZE[0] // 8, 4 * _SIZE[1] // 8, 3)).repeat(8, 0).repeat(8, 1).astype(np.uint8)
    step = (wall.shape[1] - _SIZE[1]) // count
    return [np.ascontiguousarray(wall[:, k * step : k * step + _SIZE[1]]) for k in range(count)]


def run_loop(
    seconds: float,
    memory: Observer | None,
    *,
    from_s: float = 0.0,
    happens: Callable[[float], None] | None = None,
) -> Timings:
    """Run the loop.

    Args:
        seconds: For how long.
        memory: What it observes into and recalls from; None for an empty loop.
        from_s: Time of the robot's clock at which it begins.
        happens: Called at each tick with the seconds since the loop began, in the loop's own thread.
    """
    seen, found = pictures(), Timings()
    begun_s = time.monotonic()
    for tick in range(int(seconds * HZ)):
        due_s = tick / HZ
        while (wait_s := begun_s + due_s - time.monotonic()) > 0:
            time.sleep(wait_s)
        found.ticks += 1
        found.late_ticks += time.monotonic() - begun_s > due_s + 1 / HZ
        if happens is not None:
            happens(due_s)
        if memory is None:
            continue
        images = {camera: seen[(tick + 20 * k) % len(seen)] for k, camera in enumerate(CAMERAS)}
        start = time.perf_counter()
        memory.observe(images=images, time_s=from_s + due_s, state=np.zeros(14), action=np.zeros(7), text="drive")
        between = time.perf_counter()
        recalled = memory.recall(TEXTS[tick % len(TEXTS)], now=from_s + due_s, deadline_ms=10)
        found.recall_ms.append(1000 * (time.perf_counter() - between))
        found.observe_ms.append(1000 * (between - start))
        found.age_ms.append(recalled.age_ms)
        found.stale.append((due_s, recalled.stale))
    return found
