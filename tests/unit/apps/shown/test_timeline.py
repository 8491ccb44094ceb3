"""Moments by time: those of the conditions, in order, and none that is in quarantine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hippocam.apps.ask.memories import Memories
from hippocam.apps.quarantine import quarantine
from hippocam.apps.shown.timeline import Timeline
from hippocam.memory.config import MemoryConfig
from hippocam.memory.memory import Memory
from hippocam.stream.errors import HippocamError
from hippocam.stream.records import EncoderSpec

SPEC = EncoderSpec(id="test:1", dim=8, normalised=True, midpoint=0.5, slope=10.0)


@pytest.fixture
def folder(tmp_path: Path, frames_of) -> Path:
    """Two cameras, each with four moments of ten seconds."""
    axes = np.eye(8, dtype=np.float32)
    with Memory.open_writer(tmp_path / "memory", encoder="test", spec=SPEC, config=MemoryConfig()) as memory:
        for camera, shift in (("yard", 0), ("door", 4)):
            memory.begin(camera, uri=f"{camera}.mp4")
            memory.write(frames_of(camera, [(float(t), axes[shift + t // 10]) for t in range(40)], jpeg_bytes=200))
            memory.finish(camera, end_s=40.0)
    return tmp_path / "memory"


def starts(found) -> list[tuple[str, float]]:
    return [(moment.stream, moment.spans[0][0]) for moment in found]


def test_moments_come_by_time_a_page_at_a_time(folder: Path) -> None:
    memories = Memories([folder], MemoryConfig())
    timeline = Timeline(lambda: memories)
    every, more = timeline.moments()
    assert not more
    assert [start_s for _, start_s in starts(every)] == sorted(start_s for _, start_s in starts(every))
    assert {stream for stream, _ in starts(every)} == {"yard", "door"}
    pages = [timeline.moments(3, skip) for skip in range(0, len(every), 3)]
    assert [moment for page, _ in pages for moment in page] == list(every)
    assert [more for _, more in pages] == [True] * (len(pages) - 1) + [False]
    assert all(Path(moment.image).is_file() for moment in every)
    assert timeline.moment(every[0].id) == every[0]
    memories.close()


def test_conditions_hold(folder: Path) -> None:
    memories = Memories([folder], MemoryConfig())
    timeline = Timeline(lambda: memories)
    found, _ = timeline.moments(stream="yard", after_s=12.0, before_s=28.0)
    assert {stream for stream, _ in starts(found)} == {"yard"}
    assert all(t0_s < 28.0 and t1_s > 12.0 for moment in found for t0_s, t1_s in moment.spans)
    assert len(found) == 2
    with pytest.raises(HippocamError, match="not in this memory"):
        timeline.moments(stream="attic")
    memories.close()


def test_what_is_in_quarantine_is_not_listed(folder: Path) -> None:
    quarantine(folder, stream="door")
    memories = Memories([folder], MemoryConfig())
    found, _ = Timeline(lambda: memories).moments()
    assert {moment.stream for moment in found} == {"yard"}
    memories.close()
