"""Frames that a file lists and its decoder never gives: counted and told, once all others were given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from hippocam.stream.errors import SourceError
from hippocam.stream.records import Stretch
from hippocam.stream.sources import video
from hippocam.stream.sources.decode.packet_index import PacketIndex, build_index
from hippocam.stream.sources.video import VideoSource


@pytest.fixture
def phantom(tmp_path: Path, media: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A video of 100 frames, one of which stands in the index at another time than the decoder gives."""
    path = tmp_path / "a.mp4"
    media.render_video(path, frames=100, fps=10, options=media.long_gop(25))

    def moved(index: PacketIndex) -> PacketIndex:
        pts = index.pts.copy()
        pts[40] += 1
        return replace(index, pts=pts)

    real = video.shared_index
    monkeypatch.setattr(video, "build_index", lambda *given: moved(build_index(*given)))
    monkeypatch.setattr(video, "shared_index", lambda *given: moved(real(*given)))
    return path


def test_they_are_counted_and_told(phantom: Path) -> None:
    seen: list[int] = []
    told = "1 of 10 wanted frames never came .*, the first at 4.0 s; all others"
    with pytest.raises(SourceError, match=told):  # noqa: PT012
        for observation in VideoSource(phantom).observations(fps=1):
            seen.append(observation.seq)
    assert seen == [0, 10, 20, 30, 50, 60, 70, 80, 90]


def test_in_an_archive_they_do_not_keep_later_segments_back(
    phantom: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source, seen = VideoSource(phantom), []
    for number in range(5):
        stretch = Stretch(number=number, count=5, segment_s=2.0, index_file=tmp_path / "index.npz")
        seen += [observation.seq for observation in source.observations(fps=1, stretch=stretch)]
    assert seen == [0, 10, 20, 30, 50, 60, 70, 80, 90]
    assert "never came" in caplog.text


def test_a_recording_that_begins_between_key_frames_is_whole(tmp_path: Path, media: ModuleType) -> None:
    """What lies before its first key frame cannot be decoded by anybody, and is no fault."""
    whole, late = tmp_path / "whole.ts", tmp_path / "late.ts"
    media.render_video(whole, frames=100, fps=10, options=media.long_gop(25))
    data = whole.read_bytes()
    late.write_bytes(data[: 188 * 3] + data[188 * (len(data) // 188 // 8) :])
    index = build_index(late, "late")
    seen = [observation.seq for observation in VideoSource(late).observations(fps=None)]
    assert len(seen) > 60
    assert np.all(np.diff(seen) == 1)
    assert seen[-1] == len(index) - 1
