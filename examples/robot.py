"""A robot's memory in its control loop: three lines attach it, and the loop never waits for it.

    python examples/robot.py [FOLDER]

The robot drives past three coloured boxes and asks where it saw the red one. Its camera is drawn here, and the
encoder is the small one that knows colours; leave out `encoder` for the best on this machine. With a folder the
memory stays there, and can be asked further by `hippocam ask --memory FOLDER`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from tempfile import TemporaryDirectory

import numpy as np

from hippocam import RobotMemory
from hippocam.apps import Settings
from hippocam.memory import MemoryConfig, WorkingConfig
from hippocam.stream import Image

HZ = 30.0
# Name, colour, and where it stands along the way, in metres.
BOXES = (("red", (200, 30, 30), 1.0), ("green", (30, 170, 60), 3.0), ("blue", (40, 60, 200), 5.0))


def camera(x: float) -> Image:
    """What the robot sees at x metres: grey, and a box where one is near."""
    picture: Image = np.full((120, 160, 3), 120, np.uint8)
    for _, colour, at in BOXES:
        if abs(at - x) < 0.7:
            left = int(60 + 80 * (at - x))
            picture[20:100, max(0, left) : left + 60] = colour
    return picture


def drive() -> Iterator[tuple[float, float]]:
    """Time in seconds and position in metres, thirty times a second."""
    for tick in range(int(6 * HZ)):
        yield tick / HZ, tick / HZ


def main(folder: str) -> None:
    """Drive, then ask."""
    # as for any robot that glances at things: what is seen for a second is an event of its own
    glances = Settings(memory=MemoryConfig(working=WorkingConfig(gamma=0, min_frames=1)))
    with RobotMemory.open(folder, encoder="palette", budget_mb=64, settings=glances) as memory:
        t = 0.0
        for t, x in drive():
            memory.observe(images={"front": camera(x)}, time_s=t, pose=[x, 0.0, 0.0], text="look around")
            found = memory.recall("a red box", now=t, deadline_ms=10)
            memory.acted(t, [1.0], used=[entry.id for entry in found.entries[:1]])
            time.sleep(1 / HZ)
        time.sleep(1.0)  # as a robot that stands and asks
        found = memory.recall("a red box", now=t, deadline_ms=1000)
        for entry in found.entries[:1]:
            at = "?" if entry.pose is None else f"{entry.pose[0]:.1f} m"
            print(f"a red box: seen at {entry.t0_s:.1f} to {entry.t1_s:.1f} s, at {at} ({entry.stream})")
        print(memory.status())


if __name__ == "__main__":  # processes are started, which read this file
    if len(sys.argv) > 1:
        main(sys.argv[1])
    else:
        with TemporaryDirectory() as somewhere:
            main(f"{somewhere}/robot.hippo")
