"""The preview of a video: key frames alone, with their own numbers and true times."""

from __future__ import annotations

import pickle
from pathlib import Path
from types import ModuleType

import av
import pytest

from hippocam.stream.errors import SourceError
from hippocam.stream.sources import SourceConfig, open_sources
from hippocam.stream.sources.decode.keyframes import pick_keyframes, preview_fps
from hippocam.stream.sources.decode.packet_index import build_index
from hippocam.stream.sources.video import VideoSource


def seen(source: VideoSource, media: ModuleType, **kwargs: float) -> list[tuple[int, float, int | None]]:
    return [
        (o.seq, round(o.time_s, 6), media.read_number(o.images[""]))
        for o in source.observations(**{"fps": None, **kwargs})  # type: ignore[arg-type]
    ]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    ("name", "options"),
    [("a.mp4", {}), ("a.mkv", {}), ("a.ts", {}), ("a.mp4", {"open_gop": True})],
    ids=["mp4", "mkv", "ts", "open"],
)
def test_the_known_key_frames_are_given_and_nothing_else(
    tmp_path: Path, media: ModuleType, name: str, options: dict[str, bool], threads: int
) -> None:
    # 10 frames a second, a key frame every 5 s
    times = media.render_video(tmp_path / name, frames=240, fps=10, options=media.long_gop(50, **options))
    source = VideoSource(tmp_path / name, keyframes_only=True, threads=threads)
    found = seen(source, media)
    assert [(seq, number) for seq, _, number in found] == [(k, k) for k in (0, 50, 100, 150, 200)]
    assert [time_s for _, time_s, _ in found] == pytest.approx(
        [times[k] - times[0] for k in (0, 50, 100, 150, 200)]
    )
    assert seen(source, media, after_seq=50) == found[2:]
    assert seen(source, media, after_seq=200) == []


def test_times_are_the_true_ones_at_a_changing_rate(tmp_path: Path, media: ModuleType) -> None:
    times = [0.0, 0.1, 0.2, 5.03, 5.5, 6.0, 17.25, 17.3, 17.4, 30.9, 31.0, 31.5]
    media.render_video(tmp_path / "a.mp4", times_s=times, options=media.long_gop(3))
    found = seen(VideoSource(tmp_path / "a.mp4", keyframes_only=True), media)
    assert found == [(k, pytest.approx(times[k], abs=1e-4), k) for k in (0, 3, 6, 9)]


def test_of_many_key_frames_one_in_four_seconds_is_given(tmp_path: Path, media: ModuleType) -> None:
    media.render_video(tmp_path / "a.mkv", frames=130, fps=10, codec="mjpeg", pix_fmt="yuvj422p")
    source = VideoSource(tmp_path / "a.mkv", keyframes_only=True)
    assert [row[0] for row in seen(source, media)] == [0, 40, 80, 120]
    assert [row[0] for row in seen(source, media, fps=1.0)] == [0, 40, 80, 120]
    assert [row[0] for row in seen(source, media, fps=0.1)] == [0, 100]
    assert preview_fps(None) == preview_fps(30) == 0.25
    with pytest.raises(ValueError, match="fps must be above 0"):
        seen(source, media, fps=-1.0)


def test_only_key_frames_are_decoded(tmp_path: Path, media: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.mp4"
    media.render_video(path, frames=300, fps=10, options=media.long_gop(60))
    source, decoded = VideoSource(path, keyframes_only=True), []
    from hippocam.stream.sources.decode import keyframes

    image = keyframes.Converter.image
    monkeypatch.setattr(
        keyframes.Converter, "image", lambda self, frame: decoded.append(frame) or image(self, frame)
    )
    assert len(seen(source, media)) == len(decoded) == 5
    assert all(frame.key_frame for frame in decoded)


def test_a_file_whose_times_jump_back_is_previewed_at_the_same_rate(tmp_path: Path, media: ModuleType) -> None:
    for name in ("a.ts", "b.ts"):
        media.render_video(tmp_path / name, frames=100, fps=10, options=media.long_gop(20))
    both = tmp_path / "both.ts"
    both.write_bytes((tmp_path / "a.ts").read_bytes() + (tmp_path / "b.ts").read_bytes())
    assert build_index(both, "both").linear
    assert [number for *_, number in seen(VideoSource(both, keyframes_only=True), media)] == [0, 40, 80, 20, 60]


def test_damaged_and_cut_files_give_what_is_whole(tmp_path: Path, media: ModuleType) -> None:
    whole = tmp_path / "whole.mp4"
    media.render_video(
        whole, frames=300, fps=10, options=media.long_gop(50), container_options={"movflags": "faststart"}
    )
    cut = media.cut(whole, tmp_path / "cut.mp4", 0.6)
    found = []
    observations = VideoSource(cut, keyframes_only=True).observations(fps=None)
    with pytest.raises(SourceError, match="truncated: read up to"):
        found.extend((o.seq, media.read_number(o.images[""])) for o in observations)
    assert found[0] == (0, 0)
    assert all(seq == number and seq % 50 == 0 for seq, number in found)
    index = build_index(whole, "whole")
    index.damaged[100] = True
    assert pick_keyframes(index, 0.25).tolist() == [0, 50, 150, 200, 250]


def test_the_rotation_is_kept(tmp_path: Path, media: ModuleType) -> None:
    media.render_video(tmp_path / "a.mp4", frames=3, rotation=90)
    (only,) = VideoSource(tmp_path / "a.mp4", keyframes_only=True).observations(fps=None)
    assert only.images[""].shape == (96, 64, 3)


def test_videos_are_opened_so_and_can_be_sent_elsewhere(tmp_path: Path, media: ModuleType) -> None:
    media.render_video(tmp_path / "a.mp4", frames=3)
    (source,) = open_sources([tmp_path], SourceConfig(keyframes_only=True)).sources
    assert isinstance(source, VideoSource)
    assert pickle.loads(pickle.dumps(source)).keyframes_only
    assert not VideoSource("a.mp4").keyframes_only


def test_real_films_give_their_key_frames(shared_data: Path) -> None:
    path = shared_data / "video" / "film" / "sintel_trailer_480p_14chapters.mp4"
    index = build_index(path, "sintel")
    found = list(VideoSource(path, keyframes_only=True).observations(fps=None))
    assert [o.seq for o in found] == pick_keyframes(index, 0.25).tolist()
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.skip_frame = "NONKEY"
        keys = {frame.pts for frame in container.decode(stream)}
    assert {int(index.pts[o.seq]) for o in found} <= keys
