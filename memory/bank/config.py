"""When two events are the same thing, and how memories fade."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hippocam.memory.bank.chooser import ARMS


@dataclass(frozen=True, slots=True, kw_only=True)
class BankConfig:
    """When two events are the same thing, and how memories fade.

    Attributes:
        same: Standard deviations above the mean cosine of two keys from which they are the same thing.
        alike: Standard deviations above that mean from which they are redundant; at most `same`.
        least_same: Cosine below which two keys are never the same thing, -1 to 1.
        most_same: Cosine above which they always are.
        again_s: Seconds after which a thing that is seen again was met again, above 0.
        fade_s: Seconds after which an entry that was met once begins to fade, above 0; None for what was learned.
        fade_power: How fast it fades then, 0 or more: decay = (1 + age / (fade_s * strength)) ** -fade_power;
            None for what was learned.
        window: Newest entries with which a new one is compared, so that writing takes no longer as a memory grows.
        arm: "surprise", "utility" or "product" for one of them always; "choose" for the best so far.
    """

    same: float = 5.0
    alike: float = 4.5
    least_same: float = 0.6
    most_same: float = 0.95
    again_s: float = 60.0
    fade_s: float | None = None
    fade_power: float | None = None
    window: int = 4096
    arm: str = "choose"

    def __post_init__(self) -> None:
        limits = {
            "same": (0, math.inf),
            "alike": (0, self.same),
            "least_same": (-1, self.most_same),
            "most_same": (-1, 1),
            "again_s": (1e-3, math.inf),
            "fade_s": (1e-3, math.inf),
            "fade_power": (0, 10),
            "window": (1, 1 << 30),
        }
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise ValueError(f"bank.{name} must be {low} to {high}, found {value}")
        if self.arm not in ("choose", *ARMS):
            raise ValueError(f"bank.arm must be choose, {', '.join(ARMS)}, found {self.arm!r}")
