"""What a running live process reports of each of its cameras."""

from __future__ import annotations

from dataclasses import dataclass

from hippocam.stream.live.camera import CameraStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveStatus:
    """The state of one camera, and what became of its frames.

    Attributes:
        stream: Name of its stream.
        source: Its address, without a password.
        camera: State of the camera.
        seen: Number of frames that reached the gate.
        encoded: Number of frames that passed it.
        gaps: Number of gaps in time.
        gap_s: Length of all gaps together, seconds.
        latency_s: How long after its true time a frame can be found: median of the last ones, 0 before the first.
        worst_s: The longest of these times.
        last_s: Time of the newest frame, seconds since 1970; None before the first.
        heard_s: Seconds of its sound that were heard.
        unheard_s: Seconds of its sound that were left out.
    """

    stream: str
    source: str
    camera: CameraStatus
    seen: int
    encoded: int
    gaps: int
    gap_s: float
    latency_s: float
    worst_s: float
    last_s: float | None
    heard_s: float = 0.0
    unheard_s: float = 0.0
