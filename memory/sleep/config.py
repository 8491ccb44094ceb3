"""When and how far a memory is made smaller."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class SleepConfig:
    """When and how far the bank is made smaller.

    Attributes:
        auto: Whether an idle memory sleeps of itself.
        above: Share of the budget above which it does, 0 to 1.
        target: Share that is to be left of the bytes that the entries would take had no sleep merged any or
            reduced their vectors; above 0 up to 1.
        auto_target: The share where the memory sleeps of itself, only to make some room.
        max_loss: Share of the probes that may no longer be found, 0 to 1.
        horizon_s: How long a sleep can be undone, seconds, 0 or more.
        horizon_share: Share of the budget that is kept for this at most, 0 to 0.5.
        seed: Seed of the probes that are drawn.
    """

    auto: bool = True
    above: float = 0.8
    target: float = 0.25
    auto_target: float = 0.75
    max_loss: float = 0.01
    horizon_s: float = 7 * 86400.0
    horizon_share: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        limits = {
            "above": (0, 1),
            "target": (1e-3, 1),
            "auto_target": (1e-3, 1),
            "max_loss": (0, 1),
            "horizon_s": (0, 1e12),
        }
        for name, (low, high) in {**limits, "horizon_share": (0, 0.5)}.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"sleep.{name} must be {low} to {high}, found {value}")

    def asked(self, target: float | None, max_loss: float | None) -> SleepConfig:
        """These settings with what was asked for; None keeps a setting.

        Raises:
            ValueError: A share is out of its range.
        """
        return replace(
            self,
            target=self.target if target is None else target,
            max_loss=self.max_loss if max_loss is None else max_loss,
        )
