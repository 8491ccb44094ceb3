"""The sound of recordings that were joined byte by byte: heard where a player plays it, in every part."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from hippocam.stream.sources.sound import RATE, read_sound, sound_length_s


@pytest.fixture
def joined(tmp_path: Path, media: ModuleType) -> Path:
    """Three parts of 4 s, each with a tone and its own clock."""
    parts = []
    for k in range(3):
        parts.append(tmp_path / f"{k}.ts")
        media.render_video(parts[-1], frames=40, fps=10, sound_s=4.0)
    return media.join(parts, tmp_path / "all.ts")


def test_it_is_as_long_as_its_parts(joined: Path) -> None:
    assert sound_length_s(joined, "all") == pytest.approx(12.0, abs=0.3)
    whole, first_s = read_sound(joined, "all", 0.0, float("inf"))
    assert first_s == 0.0
    assert len(whole) / RATE == pytest.approx(12.0, abs=0.3)


@pytest.mark.parametrize("from_s", [0.5, 3.5, 5.0, 9.0, 10.5])
def test_any_stretch_of_it_is_heard(joined: Path, from_s: float) -> None:
    whole, _ = read_sound(joined, "all", 0.0, float("inf"))
    sound, first_s = read_sound(joined, "all", from_s, from_s + 1.0)
    assert (len(sound), first_s) == (RATE, from_s)
    assert np.abs(sound).mean() > 0.05
    start = round(from_s * RATE)
    assert np.abs(sound - whole[start : start + RATE]).max() < 0.01


def test_a_whole_recording_is_not_taken_for_joined(tmp_path: Path, media: ModuleType) -> None:
    media.render_video(tmp_path / "a.ts", frames=40, fps=10, sound_s=4.0)
    assert sound_length_s(tmp_path / "a.ts", "a") == pytest.approx(4.0, abs=0.2)
    sound, _ = read_sound(tmp_path / "a.ts", "a", 2.0, 3.0)
    assert len(sound) == RATE
