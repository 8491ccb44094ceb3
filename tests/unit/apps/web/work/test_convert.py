from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from hippocam.apps.web.work.convert import convert
from hippocam.stream.errors import SourceError


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
