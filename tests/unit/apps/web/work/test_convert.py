from __future__ import annotations

from pathlib import Path
from types import ModuleType

import av
import numpy as np
import pytest

from hippocam.apps.web.work.convert import convert
from hippocam.stream.errors import SourceError
from hippocam.stream.sources.video import VideoSource


def test_a_converted_video_is_h264_with_the_times_it_had(tmp_path: Path) -> None:
    shades = [20, 90, 160, 230]
    with av.open(str(tmp_path / "old.avi"), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 66, 50, "yuv420p"
        for shade in shades:
            picture = np.full((50, 66, 3), shade, np.uint8)
            for _ in range(5):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    told: list[float] = []
    convert(tmp_path / "old.avi", tmp_path / "new.mp4", on_time=told.append)
    with av.open(str(tmp_path / "new.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        frames = [
            (frame.time, float(frame.to_ndarray(format="gray").mean())) for frame in container.decode(video=0)
        ]
    assert len(frames) == 20
    assert [time_s for time_s, _ in frames] == pytest.approx([k / 5 for k in range(20)], abs=0.01)
    assert [shade for _, shade in frames] == pytest.approx(np.repeat(shades, 5), abs=12)
    assert told == pytest.approx([k / 5 for k in range(20)], abs=0.01)
    assert {path.name for path in tmp_path.iterdir()} == {"old.avi", "new.mp4"}


def test_what_is_no_video_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "words.mp4").write_text("these are words " * 100)
    with pytest.raises(SourceError):
        convert(tmp_path / "words.mp4", tmp_path / "new.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["words.mp4"]


def test_a_converted_video_is_what_the_memory_saw(tmp_path: Path, media: ModuleType) -> None:
    """Turned upright, from when its picture begins, and through a join, behind which time begins again."""
    media.render_video(tmp_path / "turned.mp4", times_s=[1 + k / 10 for k in range(10)], rotation=90, sound_s=2.0)
    for name, first in (("a", 0), ("b", 20)):
        media.render_video(tmp_path / f"{name}.ts", frames=20, fps=10, first=first)
    media.join([tmp_path / "a.ts", tmp_path / "b.ts"], tmp_path / "joined.ts")
    for name in ("turned.mp4", "joined.ts"):
        convert(tmp_path / name, tmp_path / "new.mp4")
        seen = [(o.time_s, o.images[""]) for o in VideoSource(tmp_path / name).observations(fps=None)]
        with av.open(str(tmp_path / "new.mp4")) as container:
            frames = [(frame.time, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
        assert [time_s for time_s, _ in frames] == pytest.approx([time_s for time_s, _ in seen], abs=0.002)
        assert [media.read_number(picture) for _, picture in frames] == [
            media.read_number(picture) for _, picture in seen
        ]
        assert frames[0][1].shape == seen[0][1].shape
