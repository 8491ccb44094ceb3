"""A robot's memory with many entries, made at once: rows as the memory writes them, with random vectors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hippocam.memory.config import MemoryConfig
from hippocam.memory.memory import Memory
from hippocam.memory.records import Event, Level
from hippocam.stream.records import EncoderSpec, FloatArray, Sensors

CAMERAS = ("front", "left", "right")
# Entries that one transaction takes.
_BATCH = 2000
# Rows of the journal that are kept.
_JOURNAL = 1000
# The robot's path: laps of a ring, metres, and seconds between two entries.
_RADIUS_M, _STEP_S = 10.0, 2.0
RECORDING = "robot/000000"


def fill(folder: Path, *, encoder: str, spec: EncoderSpec, entries: int, seed: int = 0) -> None:
    """Make a memory with so many entries, none of which has a picture.

    Args:
        folder: Where; it must be empty or missing.
        encoder: Name of the encoder.
        spec: Its spec.
        entries: How many.
        seed: Of the vectors.
    """
    rng = np.random.default_rng(seed)
    config = MemoryConfig(budget_bytes=4_000_000_000)
    with Memory.open_writer(folder, encoder=encoder, spec=spec, config=config) as memory:
        store = memory.store
        with store.transaction():
            for camera in CAMERAS:
                store.streams.add(f"{RECORDING}/{camera}", RECORDING, f"robot://{RECORDING}", "", 5.0)
        events = _events(rng, spec.dim, entries)
        done = 0
        while done < entries:
            with store.transaction():
                for _ in range(min(_BATCH, entries - done)):
                    event = next(events)
                    entry_id = store.entries.insert(event)
                    store.entries.demote([entry_id], Level.VECTORS)
                    store.journal.add(event.stream, event.t1_s, "kept", entry_id, None, "{}", keep=_JOURNAL)
                    done += 1
        with store.transaction():
            store.streams.complete(RECORDING)


def _events(rng: np.random.Generator, dim: int, entries: int) -> Iterator[Event]:
    for number in range(entries):
        seq, t0_s = number // len(CAMERAS), _STEP_S * (number // len(CAMERAS))
        angle = t0_s / 60
        turned = np.array([np.sin(angle / 2), np.cos(angle / 2)])
        pose = np.array([_RADIUS_M * np.cos(angle), _RADIUS_M * np.sin(angle), 0, 0, 0, *turned], np.float32)
        yield Event(
            stream=f"{RECORDING}/{CAMERAS[number % len(CAMERAS)]}",
            first_seq=seq,
            last_seq=seq,
            t0_s=t0_s,
            t1_s=t0_s + _STEP_S,
            known_s=t0_s,
            key=random_unit(rng, dim),
            scene=random_unit(rng, dim),
            surprise=0.5,
            utility=1.0,
            frame_s=t0_s,
            jpeg=b"",
            sensors=Sensors(pose=pose),
        )


def random_unit(rng: np.random.Generator, dim: int) -> FloatArray:
    """A random direction: float32 [dim], of length 1."""
    vector = rng.standard_normal(dim)
    unit: FloatArray = (vector / np.linalg.norm(vector)).astype(np.float32)
    return unit
