"""A memory that is attached to a robot's observations, and that its control loop never waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hippocam.stream.exports import exporter

if TYPE_CHECKING:
    from hippocam.apps.robot.env_wrapper import MemoryWrapper, WrapperConfig
    from hippocam.apps.robot.memory import RobotMemory
    from hippocam.apps.robot.records import Recalled, RecalledEntry, RobotStatus

_HOMES = {
    "MemoryWrapper": "env_wrapper",
    "Recalled": "records",
    "RecalledEntry": "records",
    "RobotMemory": "memory",
    "RobotStatus": "records",
    "WrapperConfig": "env_wrapper",
}

__all__ = ["MemoryWrapper", "Recalled", "RecalledEntry", "RobotMemory", "RobotStatus", "WrapperConfig"]

__getattr__ = exporter(__name__, _HOMES)
