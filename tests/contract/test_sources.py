"""What every source promises, proved on each kind against frames that show their own number."""

from __future__ import annotations

import importlib.util
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from hippocam.stream.protocols import Source
from hippocam.stream.records import Note, Observation, Stretch, stream_id
from hippocam.stream.sources import open_sources
from hippocam.stream.sources.video import VideoSource
from hippocam.stream.zones.masking import MaskedSource
from hippocam.stream.zones.polygons import CameraZones

Case = tuple[Source, list[float]]
"""A source, and the true time in seconds of its every observation; seq n shows the number n."""


def _video(name: str, **settings: object) -> Callable[[Path, ModuleType], Case]:
    def build(folder: Path, media: ModuleType) -> Case:
        made = dict(settings)
        if isinstance(made.get("options"), tuple):
            gop, open_gop = made["options"]
            made["options"] = media.long_gop(gop, open_gop=open_gop)
        path = folder / name
        written_s = media.render_video(path, **made)
        # The clock of a transport stream starts anywhere; all else is shown when it was written to be.
        start_s = 0.0 if path.suffix == ".ts" else written_s[0]
        times_s = [start_s + time_s for time_s, _ in media.true_frames(path)]
        (source,) = open_sources([path]).sources
        return source, times_s

    return build


def _decord(folder: Path, media: ModuleType) -> Case:
    path = folder / "decord.mp4"
    media.render_video(path, frames=120, options=media.long_gop(30), size=(128, 64))
    return VideoSource(path, decoder="decord", threads=2), [i / 25 for i in range(120)]


def _trimmed(hidden: int, gop: int, frames: int) -> Callable[[Path, ModuleType], Case]:
    def build(folder: Path, media: ModuleType) -> Case:
        path = folder / "trimmed.mp4"
        media.render_video(path, frames=hidden + frames, fps=10, options=media.long_gop(gop), hidden=hidden)
        assert [number for _, number in media.true_frames(path)] == list(range(frames))
        return VideoSource(path), [i / 10 for i in range(frames)]

    return build


def _joined(suffix: str, *lengths: int) -> Callable[[Path, ModuleType], Case]:
    """Recordings behind each other in one file; each counts time from its own start."""

    def build(folder: Path, media: ModuleType) -> Case:
        parts, first = [], 0
        for length in lengths:
            parts.append(folder / f"{first}{suffix}")
            media.render_video(parts[-1], frames=length, fps=10, options=media.long_gop(20), first=first)
            first += length
        path = media.join(parts, folder / f"joined{suffix}")
        return VideoSource(path), [i / 10 for i in range(first)]

    return build


def _cameras(suffix: str, *gops: int) -> Callable[[Path, ModuleType], Case]:
    """A file with a video track for each lens, whose key frames lie at different times."""

    def build(folder: Path, media: ModuleType) -> Case:
        lenses = [folder / f"{gop}.mp4" for gop in gops]
        for path, gop in zip(lenses, gops, strict=True):
            media.render_video(path, frames=90, fps=10, options=media.long_gop(gop))
        return VideoSource(media.bundle(lenses, folder / f"lenses{suffix}")), [i / 10 for i in range(90)]

    return build


def _images(folder: Path, media: ModuleType) -> Case:
    import cv2

    for i in range(12):
        cv2.imwrite(str(folder / f"frame{i}.png"), media.numbered_image(i))
    (source,) = open_sources([folder]).sources
    return source, [float(i) for i in range(12)]


def _animation(suffix: str) -> Callable[[Path, ModuleType], Case]:
    def build(folder: Path, media: ModuleType) -> Case:
        import cv2

        animation = cv2.Animation()
        animation.frames = [media.numbered_image(i) for i in range(40)]
        animation.durations = [100 + 400 * (i == 12) for i in range(40)]
        assert cv2.imwriteanimation(str(folder / f"clip{suffix}"), animation)
        (source,) = open_sources([folder]).sources
        return source, [i / 10 + 0.4 * (i > 12) for i in range(40)]

    return build


def _lerobot(version: str, **settings: object) -> Callable[[Path, ModuleType], Case]:
    def build(folder: Path, media: ModuleType) -> Case:
        media.render_lerobot(folder / "arm", version=version, lengths=(30, 25), **settings)
        return open_sources([folder / "arm"]).sources[0], [i / 10 for i in range(30)]

    return build


def _log(kind: str) -> Callable[[Path, ModuleType], Case]:
    """A robot's log; the times of its pictures are uneven, but for RLDS, which has none."""

    def build(folder: Path, media: ModuleType) -> Case:
        pytest.importorskip("rosbags", reason="extra robot is not installed")
        times_s = [i / 10 + 0.5 * (i > 20) for i in range(40)]
        pictures = [media.numbered_image(i) for i in range(40)]
        path = folder / f"log{'' if kind.startswith('.') else '/'}{kind}"
        path.parent.mkdir(exist_ok=True)
        logs = _logs()
        if kind == ".tfrecord":
            logs.write_rlds(path, [pictures])
            times_s = [i / 5 for i in range(40)]
        elif kind == ".mcap":
            logs.write_mcap(path, pictures, times_s)
        elif kind == "tum":
            logs.write_tum(path, pictures, times_s)
        else:
            logs.write_bag(path, pictures, times_s, version=1 if kind == ".bag" else 2)
        (source,) = open_sources([path]).sources
        return source, times_s

    return build


def _logs() -> ModuleType:
    file = Path(__file__).parents[1] / "robot_logs.py"
    spec = importlib.util.spec_from_file_location("hippocam_test_robot_logs", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _with_words(folder: Path, media: ModuleType) -> Case:
    times_s = [i / 25 for i in range(150)]
    media.render_video(folder / "words.mp4", frames=150, options=media.long_gop(20))
    cues = [(0.0, 0.5, "first"), (1.9, 4.1, "over a cut"), (5.5, 5.9, "last")]
    lines = (f"{n}\n00:00:0{a:.3f} --> 00:00:0{b:.3f}\n{text}\n\n" for n, (a, b, text) in enumerate(cues))
    (folder / "words.srt").write_text("".join(lines))
    return VideoSource(folder / "words.mp4"), times_s


def _masked(folder: Path, media: ModuleType) -> Case:
    """A pixel in a corner is masked, so that the number can still be read."""
    source, times_s = _with_words(folder, media)
    corner = CameraZones(masks=[[[0.0, 0.0], [0.01, 0.0], [0.0, 0.01]]])
    return MaskedSource(source, {source.id: corner}, ()), times_s


_VFR = [0, 0.04, 0.5, 0.54, 1.7, 1.74, 5, 5.04, 5.5, 9.0, 9.02, 9.04]
CASES = {
    "mp4": _video("plain.mp4"),
    "mp4, one key frame, B-frames": _video("long.mp4", frames=200, options=(250, False)),
    "mp4, open groups": _video("open.mp4", frames=120, options=(24, True)),
    "mp4, variable rate": _video("vfr.mp4", times_s=_VFR),
    "mp4, starts at 2 s": _video("late.mp4", times_s=[2 + i / 25 for i in range(50)]),
    "webm, starts at 2 s": _video("late.webm", times_s=[2 + i / 25 for i in range(50)]),
    "mp4 with sound": _video("sound.mp4", sound_s=2.0),
    "mkv, open groups": _video("open.mkv", frames=120, options=(24, True)),
    "mkv, time jumps": _video("jump.mkv", times_s=[i / 25 + 100 * (i >= 25) for i in range(50)]),
    "mp4, trimmed behind its only key frame": _trimmed(43, 500, 80),
    "mp4, trimmed between key frames": _trimmed(43, 20, 80),
    "mp4, trimmed just before a key frame": _trimmed(39, 20, 80),
    "mp4, trimmed at a key frame": _trimmed(40, 20, 80),
    "mp4, two cameras": _cameras(".mp4", 20, 250),
    "mkv, three cameras": _cameras(".mkv", 7, 20, 33),
    "ts, two cameras": _cameras(".ts", 20, 33),
    "ts, three joined": _joined(".ts", 50, 33, 41),
    "ts, the first one short": _joined(".ts", 2, 60),
    "ts, open groups": _video("open.ts", frames=120, options=(24, True)),
    "webm": _video("clip.webm", frames=60),
    "avi": _video("clip.avi"),
    "decord": _decord,
    "mp4 with subtitles beside it": _with_words,
    "mp4 with a mask": _masked,
    "images": _images,
    "animated WebP": _animation(".webp"),
    "animated PNG": _animation(".png"),
    "lerobot v2.1": _lerobot("v2.1"),
    "lerobot v2.1, pictures in parquet": _lerobot("v2.1", cameras=("top",), in_parquet=("wrist",)),
    "lerobot v3": _lerobot("v3.0"),
    "ROS 1 bag": _log(".bag"),
    "ROS 2 bag": _log("bag"),
    "MCAP": _log(".mcap"),
    "RLDS": _log(".tfrecord"),
    "TUM": _log("tum"),
}


@pytest.fixture(scope="module", params=list(CASES))
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, media: ModuleType) -> Case:
    return CASES[request.param](tmp_path_factory.mktemp("source"), media)


def _expected(times_s: list[float], fps: float) -> list[int]:
    """The rule in its plainest form: the first frame at or after each grid point, each frame once."""
    seqs = []
    for k in range(int(times_s[-1] * fps) + 2):
        later = [i for i, time_s in enumerate(times_s) if time_s >= k / fps - 0.001]
        if later and later[0] not in seqs:
            seqs.append(later[0])
    return seqs


def _same(a: Observation, b: Observation) -> bool:
    pixels = all(np.array_equal(a.images[camera], b.images[camera]) for camera in a.images | b.images)
    return (a.seq, a.time_s, a.text) == (b.seq, b.time_s, b.text) and pixels


def test_every_frame_comes_once_with_its_true_time_and_picture(case: Case, media: ModuleType) -> None:
    source, times_s = case
    seen = list(source.observations(fps=None))
    assert [o.seq for o in seen] == list(range(len(times_s)))
    np.testing.assert_allclose([o.time_s for o in seen], times_s, atol=1e-5)
    for o in seen:
        assert o.images
        assert {media.read_number(image) for image in o.images.values()} == {o.seq}


@pytest.mark.parametrize("fps", [0.3, 1, 4, 7.5])
def test_sampling_takes_the_first_frame_at_or_after_each_grid_point(
    case: Case, media: ModuleType, fps: float
) -> None:
    source, times_s = case
    if fps >= 0.99 / np.median(np.diff(times_s)):
        pytest.skip("every frame is kept at this rate")
    seen = list(source.observations(fps=fps))
    assert [o.seq for o in seen] == _expected(times_s, fps)
    assert [media.read_number(next(iter(o.images.values()))) for o in seen] == [o.seq for o in seen]


def test_same_rate_gives_the_same_observations(case: Case) -> None:
    source, _ = case
    first, second = (list(source.observations(fps=4)) for _ in range(2))
    assert len(first) == len(second)
    assert all(map(_same, first, second))


@pytest.mark.parametrize("fps", [None, 4, 1])
def test_resuming_gives_exactly_the_rest(case: Case, fps: float | None) -> None:
    source, _ = case
    whole = list(source.observations(fps=fps))
    for at in {0, 1, len(whole) // 2, len(whole) - 2}:
        rest = list(source.observations(fps=fps, after_seq=whole[at].seq))
        assert [o.seq for o in rest] == [o.seq for o in whole[at + 1 :]]
        assert all(map(_same, rest, whole[at + 1 :]))
    assert not list(source.observations(fps=fps, after_seq=whole[-1].seq))


def test_a_rate_above_the_native_one_gives_every_frame(case: Case) -> None:
    source, times_s = case
    assert len(list(source.observations(fps=1000))) == len(times_s)


def test_a_source_survives_pickling(case: Case) -> None:
    source, _ = case
    copy: Source = pickle.loads(pickle.dumps(source))
    assert (copy.id, copy.uri, copy.duration_s) == (source.id, source.uri, source.duration_s)
    assert _same(next(iter(copy.observations(fps=1))), next(iter(source.observations(fps=1))))


def test_names_and_length(case: Case) -> None:
    source, _ = case
    assert source.id
    assert Path(source.uri.split("#")[0]).exists()
    assert source.duration_s is not None
    assert source.duration_s > 0


@pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf")])
def test_a_senseless_rate_is_refused(case: Case, fps: float) -> None:
    source, _ = case
    with pytest.raises(ValueError, match="fps must be above 0"):
        list(source.observations(fps=fps))


def test_an_unfinished_walk_closes_cleanly(case: Case) -> None:
    source, _ = case
    walk = source.observations(fps=None)
    next(walk)
    walk.close()  # type: ignore[attr-defined]
    assert next(iter(source.observations(fps=None))).seq == 0


class Clock:
    """Hears a word every second of the stretch that it is given; known a second later."""

    id = "clock:1"

    def __init__(self) -> None:
        self.heard: list[str] = []

    def hear(
        self, path: str, stream: str, from_s: float, to_s: float, after_s: float | None = None
    ) -> Iterator[tuple[float, Note]]:
        self.heard.append(path)
        for second in range(10):
            if from_s <= second < to_s and (after_s is None or second + 1 >= after_s):
                yield (
                    second + 1.0,
                    Note(stream=stream, kind="speech", t0_s=float(second), t1_s=second + 0.5, text="tick"),
                )


def _stretches(source: Source, segment_s: float, folder: Path) -> list[Stretch]:
    count = source.segments(segment_s)
    file = folder / "index.npz"
    return [Stretch(number=n, count=count, segment_s=segment_s, index_file=file) for n in range(count)]


@pytest.mark.parametrize("segment_s", [0.9, 2.0, 1e6])
@pytest.mark.parametrize("fps", [None, 4])
def test_all_segments_together_are_the_source(
    case: Case, tmp_path: Path, segment_s: float, fps: float | None
) -> None:
    source, _ = case
    stretches = _stretches(source, segment_s, tmp_path)
    assert len(stretches) >= 1
    assert segment_s < 1e6 or len(stretches) == 1
    parts = [list(source.observations(fps=fps, stretch=stretch)) for stretch in stretches]
    found, whole = [seen for part in parts for seen in part], list(source.observations(fps=fps))
    assert [o.seq for o in found] == [o.seq for o in whole]
    assert all(map(_same, found, whole))


def test_going_on_within_segments_leaves_nothing_out_and_reads_no_segment_in_vain(
    case: Case, tmp_path: Path
) -> None:
    source, _ = case
    stretches = _stretches(source, 2.0, tmp_path)
    whole = [o.seq for o in source.observations(fps=4)]
    after_seq = whole[len(whole) // 2]
    parts = [[o.seq for o in source.observations(fps=4, after_seq=after_seq, stretch=s)] for s in stretches]
    found = [seq for part in parts for seq in part]
    assert [seq for seq in found if seq > after_seq] == [seq for seq in whole if seq > after_seq]
    assert all(part[-1] > after_seq for part in parts if part)


def test_the_notes_of_all_segments_are_those_of_the_source(case: Case, tmp_path: Path) -> None:
    source, _ = case
    hearing = Clock()
    whole = list(source.notes("cam", hearing=hearing))
    assert [known_s for known_s, _ in whole] == sorted(known_s for known_s, _ in whole)
    cameras = {camera for seen in source.observations(fps=1) for camera in seen.images}
    assert {note.stream for _, note in whole} <= {stream_id("cam", camera) for camera in cameras}
    by_segment = [
        known
        for stretch in _stretches(source, 2.0, tmp_path)
        for known in source.notes("cam", hearing=Clock(), stretch=stretch)
    ]
    assert sorted(map(repr, by_segment)) == sorted(map(repr, whole))
    later = list(source.notes("cam", hearing=Clock(), after_s=5.0))
    assert [known for known in later if known[0] >= 5.0] == [known for known in whole if known[0] >= 5.0]
    unheard = [note.kind for _, note in source.notes("cam", hearing=None)]
    assert unheard == [note.kind for _, note in whole if note.kind != "speech"]
    assert hearing.heard == ([source.uri] if isinstance(source, VideoSource | MaskedSource) else [])


def test_only_a_preview_gives_key_frames_alone(case: Case) -> None:
    source, _ = case
    assert not source.keyframes_only
