"""How live cameras are watched: what `watch_live` is told beside the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from hippocam.apps.live.keeping import KeepConfig
from hippocam.stream.live.camera import CameraConfig
from hippocam.stream.zones.polygons import CameraZones

Executor = Literal["local", "ray"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveConfig:
    """How live cameras are watched.

    Attributes:
        camera: When a camera counts as hanging, and how it is restarted.
        loop: Play files again from the start when they end.
        gap_s: A pause of more than this between two frames is a gap, seconds above 0 (or three frames, if longer).
        look_back_mb: Budget of the original footage that is kept, millions of bytes for all cameras; 0 keeps none.
        look_back_s: Age at which that footage is deleted, seconds above 0.
        sound: Whether that footage has what the cameras hear.
        executor: "local" runs a process for each camera, "ray" an actor.
        zones: What is marked in the pictures of cameras, by the names of their streams, in place of what is kept
            beside the memory; None for what is kept.
        keep: Which footage is kept longer than the look-back.
        read_share: What reading text in pictures may take of the time of the thread that looks, 0 to 1; 0 reads
            nothing.
        hear_share: What hearing what is said may take of one core, 0 to 1; 0 hears nothing.
        days: Age at which what was seen is deleted, with its footage and alerts, days above 0; None for never.
            That is done at the start and then once a day; what is open then is cut.
    """

    camera: CameraConfig = field(default_factory=CameraConfig)
    loop: bool = False
    gap_s: float = 3.0
    look_back_mb: float = 256.0
    look_back_s: float = 600.0
    sound: bool = True
    executor: Executor = "local"
    zones: Mapping[str, CameraZones] | None = None
    keep: KeepConfig = field(default_factory=KeepConfig)
    read_share: float = 0.1
    hear_share: float = 0.25
    days: float | None = None

    def __post_init__(self) -> None:
        if not self.gap_s > 0 or not self.look_back_s > 0:
            raise ValueError(f"gap_s and look_back_s must be above 0, found {self.gap_s}, {self.look_back_s}")
        if not 0 <= self.look_back_mb < 1e9:
            raise ValueError(f"--look-back-mb must be 0 or more, found {self.look_back_mb}")
        if not 0 <= self.read_share <= 1:
            raise ValueError(f"--read-share must be 0 to 1, found {self.read_share:g}")
        if not 0 <= self.hear_share <= 1:
            raise ValueError(f"--hear-share must be 0 to 1, found {self.hear_share:g}")
        if self.days is not None and not self.days > 0:
            raise ValueError(f"--days must be above 0, found {self.days:g}")
        if self.keep.what != "nothing" and not self.look_back_mb:
            raise ValueError("footage is kept out of the look-back: --keep needs --look-back-mb above 0")
