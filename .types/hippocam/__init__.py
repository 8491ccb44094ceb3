"""A memory for video and robots.

`Session` watches and answers, `RobotMemory` attaches to a robot's observations, and `Memory` below both takes
vectors of any encoder.

The packages `apps`, `memory` and `stream` export the records that go with them; what these four do not
export may change at any time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hippocam.stream.exports import exporter
from hippocam.stream.opencv import prepare_opencv
from hippocam.stream.telemetry import switch_off

switch_off()
prepare_opencv()

if TYPE_CHECKING:
    from hippocam.apps.robot.memory import RobotMemory
    from hippocam.apps.session import Session
    from hippocam.memory.memory import Memory

_HOMES = {
    "RobotMemory": "apps.robot.memory",
    "Session": "apps.session",
    "Memory": "memory.memory",
}

__all__ = [
    "Memory",
    "RobotMemory",
    "Session",
]

__getattr__ = exporter(__name__, _HOMES)
