"""Standing questions as they are asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertConfig:
    """A standing question.

    Attributes:
        text: What is looked for, in plain words: "tell me when a truck stops here".
        threshold: The encoder's belief from which it counts as shown, above 0 up to 1.
        release: Belief below which it counts as gone, 0 to threshold.
        pictures: How many pictures must agree, 1 or more.
        hold_s: How long it must be shown before the alert fires, seconds, 0 or more.
        cooldown_s: How long the alert then stays silent on that camera whatever comes, seconds, 0 or more; None
            for a minute, and for no time at all where the detector tells visits apart.
        streams: Names of the streams that are looked at; empty for all.
        zone: Name of the zone in which a thing must stand; "" for anywhere. Cameras without that zone are not
            looked at.
    """

    text: str
    threshold: float = 0.6
    release: float = 0.4
    pictures: int = 2
    hold_s: float = 0.0
    cooldown_s: float | None = None
    streams: Sequence[str] = ()
    zone: str = ""

    def __post_init__(self) -> None:
        if not str(self.text).strip():
            raise ValueError("an alert's text is empty: say what to look for")
        if not 0 < self.threshold <= 1 or not 0 <= self.release <= self.threshold:
            raise ValueError(
                f"alert {self.text!r}: threshold must be above 0 up to 1 and release at most that, "
                f"found {self.threshold} and {self.release}"
            )
        if self.pictures < 1:
            raise ValueError(f"alert {self.text!r}: pictures must be 1 or more, found {self.pictures}")
        if self.hold_s < 0 or (self.cooldown_s or 0) < 0:
            raise ValueError(f"alert {self.text!r}: hold_s and cooldown_s must be 0 or more")
