"""A robot's own vectors and poses into a memory; then: what was seen, and what was seen here?

The robot drives through three rooms. Its encoder is stood in for by drawn vectors: one direction a room, one for a
cup that is in the kitchen and later in the lab.
"""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from hippocam import Memory
from hippocam.memory import MemoryConfig, Query
from hippocam.stream import Embedding, EncoderSpec, FloatArray, Sensors

DIM = 64
SPEC = EncoderSpec(id="robot-example:1", dim=DIM, normalised=True, midpoint=0.3, slope=20.0)
ROOMS = {"kitchen": (0.0, 0.0), "hall": (6.0, 0.0), "lab": (6.0, 8.0)}
# Room, seconds in it, and the seconds of these in which the cup is in view.
DRIVE = (("kitchen", 40, range(20, 26)), ("hall", 40, range(0)), ("lab", 40, range(15, 21)))


def unit(vector: NDArray[np.float64]) -> FloatArray:
    """Scale to length 1, as the spec promises."""
    scaled: FloatArray = (vector / np.linalg.norm(vector)).astype(np.float32)
    return scaled


def frames(cup: FloatArray, rng: np.random.Generator) -> Iterator[Embedding]:
    """What the robot sees, once a second, and where it is."""
    seq = 0
    for room, seconds, with_cup in DRIVE:
        looks = unit(rng.standard_normal(DIM))
        for second in range(seconds):
            seen = looks + (1.5 * cup if second in with_cup else 0) + 0.02 * rng.standard_normal(DIM)
            pose = np.array([*ROOMS[room], 0, 0, 0, 0, 1], np.float32)  # metres, and a quaternion
            sensors = Sensors(pose=pose)
            yield Embedding(stream="front", seq=seq, time_s=float(seq), vector=unit(seen), sensors=sensors)
            seq += 1


def main() -> None:
    """Drive, then ask."""
    rng = np.random.default_rng(0)
    cup = unit(rng.standard_normal(DIM))
    config = MemoryConfig(budget_bytes=2_000_000)
    with (
        TemporaryDirectory() as folder,
        Memory.open_writer(folder, encoder="robot-example", spec=SPEC, config=config) as memory,
    ):
        memory.begin("front", uri="robot://front")
        for frame in frames(cup, rng):
            memory.write([frame])  # as it comes; a reader may ask meanwhile
        memory.finish("front")
        x, y = ROOMS["lab"]
        for asked, near in (
            ("a cup", None),
            ("a cup in the lab", (x, y, 1.0)),
            ("a cup outside", (50.0, 0.0, 1.0)),
        ):
            print(f"{asked}:")
            for found in memory.recall(Query(text="", vector=cup, near=near)):
                if found.score > 0.5:
                    times = ", ".join(f"{span.t0_s:g} to {span.t1_s:g} s" for span in found.spans)
                    print(f"  {times}, belief {found.score:.2f}")


if __name__ == "__main__":
    main()
