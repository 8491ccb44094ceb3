"""Films of each codec give the frames that are wanted, from wherever reading begins, whatever is skipped."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from hippocam.stream.records import Stretch
from hippocam.stream.sources.video import VideoSource

# Encoders with options for a key frame in 40 frames, so that most are read from a frame that nobody wants.
CODECS = {
    "libx264": {"preset": "ultrafast", "g": "40", "bf": "2"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none:keyint=40"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "g": "40"},
    "libsvtav1": {"preset": "8", "crf": "20", "svtav1-params": "keyint=40"},
}
SIZE = (192, 128)


@pytest.fixture(scope="module", params=CODECS)
def film(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, media: ModuleType) -> Path:
    """A film of 100 numbered frames, 25 a second, in each codec."""
    path: Path = tmp_path_factory.mktemp("films") / f"{request.param}.mkv"
    media.render_video(path, frames=100, codec=request.param, options=CODECS[request.param], size=SIZE)
    assert [number for _, number in media.true_frames(path)] == list(range(100))
    return path


@pytest.mark.parametrize("after", [0, 20, 49, 85])
@pytest.mark.parametrize("fps", [None, 5])
def test_an_interrupted_watch_goes_on(film: Path, media: ModuleType, after: int, fps: float | None) -> None:
    seen = list(VideoSource(film).observations(fps=fps, after_seq=after))
    step = 1 if fps is None else 5
    assert [o.seq for o in seen] == [k for k in range(0, 100, step) if k > after]
    assert [media.read_number(o.images[""]) for o in seen] == [o.seq for o in seen]


def test_a_stretch_is_looked_at_again(film: Path, media: ModuleType) -> None:
    looked = list(VideoSource(film).between(2.2, 2.6, fps=None))
    assert [media.read_number(image) for _, image in looked] == list(range(55, 66))


def test_segments_hold_all_frames_together(film: Path, tmp_path: Path, media: ModuleType) -> None:
    stretches = [
        Stretch(number=k, count=3, segment_s=4 / 3, index_file=tmp_path / f"{film.name}.npz") for k in range(3)
    ]
    seen = [o for one in stretches for o in VideoSource(film).observations(fps=5, stretch=one)]
    assert [o.seq for o in seen] == list(range(0, 100, 5))
    assert [media.read_number(o.images[""]) for o in seen] == list(range(0, 100, 5))


@pytest.mark.parametrize("name", ["a.mpg", "a.vob", "a.h264", "a.ts", "a.wmv"])
def test_films_that_are_hard_to_seek_in_show_the_right_frames(
    tmp_path: Path, media: ModuleType, name: str
) -> None:
    # A program stream gives frames other timestamps where one lands in its midst; raw streams have none at all.
    whole, path = tmp_path / "whole.mp4", tmp_path / name
    media.render_video(whole, frames=100)
    codecs = {".mpg": "mpeg1video", ".vob": "mpeg2video", ".wmv": "wmv2"}
    media.encode_anew(whole, path, codec=codecs.get(path.suffix, "libx264"))
    every = [media.read_number(o.images[""]) for o in VideoSource(path).observations(fps=None)]
    assert every == list(range(100))
    for after in (20, 49, 77):
        seen = list(VideoSource(path).observations(fps=5, after_seq=after))
        assert [media.read_number(o.images[""]) for o in seen] == [o.seq for o in seen]
        assert [o.seq for o in seen] == [k for k in range(0, 100, 5) if k > after]
    looked = list(VideoSource(path).between(2.2, 2.6, fps=None))
    assert [media.read_number(image) for _, image in looked] == [round(25 * time_s) for time_s, _ in looked]
    assert 10 <= len(looked) <= 11


@pytest.mark.parametrize("codec", ["libx264", "libx265", "libsvtav1"])
def test_a_trimmed_film_is_seen_from_its_start(tmp_path: Path, media: ModuleType, codec: str) -> None:
    path = tmp_path / "a.mp4"
    media.render_video(path, frames=60, codec=codec, options=CODECS[codec], hidden=27, size=SIZE)
    seen = [media.read_number(o.images[""]) for o in VideoSource(path).observations(fps=None)]
    assert seen == list(range(33))
