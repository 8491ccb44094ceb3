"""How often, and after which wait, a camera that broke off is restarted."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryConfig:
    """When a camera is restarted.

    Attributes:
        first_s: Wait before the first restart, seconds above 0.
        most_s: Longest wait, seconds; each wait is twice the one before.
        jitter: Share by which a wait is shortened at random, so that cameras do not all come back at once.
        budget: Restarts without a good run between them before the camera is abandoned, 1 or more; 0: no limit.
        well_s: Seconds of frames after which a run is good: the budget and the wait then start again.
    """

    first_s: float = 0.5
    most_s: float = 10.0
    jitter: float = 0.2
    budget: int = 1000
    well_s: float = 60.0

    def __post_init__(self) -> None:
        if not 0 < self.first_s <= self.most_s:
            raise ValueError(f"first_s must be above 0 and at most most_s, found {self.first_s}, {self.most_s}")
        if not 0 <= self.jitter < 1:
            raise ValueError(f"jitter must be 0 or more and below 1, found {self.jitter}")
        if self.budget < 0:
            raise ValueError(f"restarts must be 0 (for no end) or more, found {self.budget}")


class Retry:
    """The waits of one camera.

    Args:
        config: See RetryConfig.
        rng: Randomness of the jitter.
    """

    def __init__(self, config: RetryConfig, rng: random.Random) -> None:
        self._config, self._rng = config, rng
        self._spent = 0

    def ran(self, seconds: float) -> None:
        """Record for how many seconds the last run gave frames."""
        if seconds >= self._config.well_s:
            self._spent = 0

    def wait_s(self) -> float | None:
        """Return the seconds to wait before the next restart; None if the budget is spent."""
        config = self._config
        if config.budget and self._spent >= config.budget:
            return None
        wait_s = min(config.most_s, config.first_s * 2.0 ** min(self._spent, 30))
        self._spent += 1
        return wait_s * (1 - config.jitter * self._rng.random())
