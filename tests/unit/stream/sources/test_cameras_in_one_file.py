"""Files with several video tracks: each track is a camera, and one that is bad does not end the others."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from hippocam.stream.clips.cut import cut
from hippocam.stream.errors import SourceError
from hippocam.stream.records import Observation, Stretch
from hippocam.stream.sources.video import VideoSource


def lenses(folder: Path, media: ModuleType, to: str, *rates: float, titles: tuple[str, ...] = ()) -> VideoSource:
    """A file with a lens of each rate; lens n shows its own frame numbers for 6 s."""
    paths = [folder / f"lens{number}.mp4" for number in range(len(rates))]
    for path, rate in zip(paths, rates, strict=True):
        media.render_video(path, frames=int(6 * rate), fps=rate, options=media.long_gop(20))
    return VideoSource(media.bundle(paths, folder / to, titles))


def shown(seen: list[Observation], camera: str, media: ModuleType) -> list[tuple[float, int]]:
    """True time and number of every picture of a camera."""
    return [
        (round(o.time_s, 4), media.read_number(o.images[camera])) for o in seen if o.images.get(camera) is not None
    ]


def _take(source: VideoSource, seen: list[Observation]) -> None:
    for one in source.observations(fps=1):
        seen.append(one)


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.ts", "a.nut"])
def test_lenses_of_different_rates_show_their_own_frames_at_their_own_times(
    tmp_path: Path, media: ModuleType, name: str
) -> None:
    source = lenses(tmp_path, media, name, 10, 4, 25)
    seen = list(source.observations(fps=None))
    assert [o.seq for o in seen] == sorted({o.seq for o in seen})
    assert [o.time_s for o in seen] == sorted(o.time_s for o in seen)
    for camera, rate in (("1", 10), ("2", 4), ("3", 25)):
        found = shown(seen, camera, media)
        assert [number for _, number in found] == list(range(6 * rate))
        np.testing.assert_allclose([s for s, _ in found], np.arange(6 * rate) / rate + found[0][0], atol=0.002)
        assert found[0][0] <= 0.5  # containers that count from any clock: the earliest picture is 0


@pytest.mark.parametrize("fps", [0.5, 1, 3])
def test_each_camera_is_sampled_by_itself(tmp_path: Path, media: ModuleType, fps: float) -> None:
    source = lenses(tmp_path, media, "a.mp4", 10, 4)
    every = list(source.observations(fps=None))
    seen = list(source.observations(fps=fps))
    for camera in ("1", "2"):
        times_s = [time_s for time_s, _ in shown(every, camera, media)]
        grid = [
            next(t for t in times_s if t >= k / fps - 0.001) for k in range(int(6 * fps)) if k / fps <= times_s[-1]
        ]
        assert [time_s for time_s, _ in shown(seen, camera, media)] == grid


@pytest.mark.parametrize("after", [0, 7, 20, 43])
def test_an_interrupted_watch_goes_on_behind_any_frame(tmp_path: Path, media: ModuleType, after: int) -> None:
    source = lenses(tmp_path, media, "a.mkv", 10, 4)
    every = [(o.seq, sorted(o.images)) for o in source.observations(fps=2)]
    rest = [(o.seq, sorted(o.images)) for o in source.observations(fps=2, after_seq=after)]
    assert rest == [one for one in every if one[0] > after]


@pytest.mark.parametrize(
    ("titles", "cameras"),
    [
        (("Front", "Rear view"), ["front", "rear-view"]),
        (("Front", "front"), ["1", "2"]),
        (("VideoHandler", "VideoHandler"), ["1", "2"]),
        (("", "Rear"), ["1", "2"]),
        (("../../etc", "\x1b[31m"), ["etc", "31m"]),
    ],
)
def test_titles_that_tell_tracks_apart_name_the_cameras(
    tmp_path: Path, media: ModuleType, titles: tuple[str, ...], cameras: list[str]
) -> None:
    source = lenses(tmp_path, media, "a.mkv", 10, 10, titles=titles)
    assert sorted(next(source.observations(fps=1)).images) == sorted(cameras)


def test_a_segment_is_the_whole_file_and_the_same_on_any_machine(tmp_path: Path, media: ModuleType) -> None:
    source = lenses(tmp_path, media, "a.mp4", 10, 4)
    assert source.segments(1.0) == 1
    stretch = Stretch(number=0, count=1, segment_s=1.0, index_file=tmp_path / "index.npz")
    whole = [o.seq for o in source.observations(fps=2)]
    assert [o.seq for o in source.observations(fps=2, stretch=stretch)] == whole
    assert [o.seq for o in source.observations(fps=2, stretch=stretch, after_seq=whole[5])] == whole
    assert not list(source.observations(fps=2, stretch=stretch, after_seq=10_000))


def test_one_damaged_track_is_told_and_the_other_is_watched(tmp_path: Path, media: ModuleType) -> None:
    source = lenses(tmp_path, media, "a.mp4", 10, 10, titles=("front", "rear"))
    data = bytearray(Path(source.uri).read_bytes())
    at = data.rindex(b"avc1") if data.count(b"avc1") > 1 else -1
    data[at : at + 4] = b"zzzz"  # no decoder for the last track
    Path(source.uri).write_bytes(data)
    seen: list[Observation] = []
    with pytest.raises(SourceError, match="rear: .*all others were kept"):
        _take(source, seen)
    assert [sorted(o.images) for o in seen] == [["front"]] * 6


def test_between_looks_through_the_lens_of_the_stream(tmp_path: Path, media: ModuleType) -> None:
    source = lenses(tmp_path, media, "a.mp4", 10, 4)
    for stream, rate in (("a/1", 10), ("drive/a-2/2", 4)):
        camera = source.camera_of(stream)
        looked = list(source.between(2.0, 3.0, fps=None, camera=camera))
        assert [media.read_number(image) for _, image in looked] == list(range(2 * rate, 3 * rate + 1))
    with pytest.raises(SourceError, match="no video track is called 'rear'"):
        list(source.between(2.0, 3.0, fps=None, camera="rear"))


@pytest.mark.parametrize("first", [False, True], ids=["behind", "before"])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.nut"])
def test_a_track_of_one_frame_is_a_cover_and_no_camera(
    tmp_path: Path, media: ModuleType, name: str, first: bool
) -> None:
    film, cover = tmp_path / "film.mp4", tmp_path / "cover.mp4"
    media.render_video(film, frames=60, fps=10, options=media.long_gop(20))
    media.render_video(cover, frames=1, first=1000)
    source = VideoSource(
        media.bundle([cover, film] if first else [film, cover], tmp_path / name, ("one", "two")), id="a"
    )
    stretch = Stretch(number=0, count=1, segment_s=60.0, index_file=tmp_path / "index.npz")
    assert source.cameras == ("",)
    for seen in (list(source.observations(fps=1)), list(source.observations(fps=1, stretch=stretch))):
        assert [number for _, number in shown(seen, "", media)] == list(range(0, 60, 10))
    assert [media.read_number(image) for _, image in source.between(2.0, 2.05, fps=None)] == [20]
    cut(Path(source.uri), tmp_path / "clip.mkv", 2.0, 2.1, number=source.track_of("a"))
    assert next(number for _, number in media.true_frames(tmp_path / "clip.mkv")) == 20
