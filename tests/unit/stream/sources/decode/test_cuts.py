"""Cuts of films made here, at known times, found from the frames that are decoded anyway."""

import av
import numpy as np
import pytest

from hippocam.stream.sources.decode.cuts import CutFinder, chosen_keys
from hippocam.stream.sources.video import VideoSource

RATE = 24


def film(path, shots, *, gop=250, scene_cuts=True, moves=0):
    """A film of shots [seconds]: each a pattern of its own that moves by some pixels a frame."""
    options = {"preset": "ultrafast", "g": str(gop), "sc_threshold": "40" if scene_cuts else "0"}
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for shot, seconds in enumerate(shots):
            pattern = (
                np.random.default_rng(shot).integers(0, 256, (6, 10, 3), np.uint8).repeat(16, 0).repeat(16, 1)
            )
            for k in range(round(seconds * RATE)):
                picture = np.roll(pattern, moves * k, axis=1)
                for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                    out.mux(packet)
        out.mux(stream.encode(None))
    return path


def cuts(path, **how):
    return [o.cut_s for o in VideoSource(path).observations(fps=1.0, **how) if o.cut_s is not None]


@pytest.mark.parametrize(("gop", "scene_cuts"), [(250, True), (96, False), (250, False)])
def test_cuts_have_their_own_times_wherever_the_key_frames_are(tmp_path, gop, scene_cuts):
    path = film(tmp_path / "film.mp4", [2.5, 2.75, 1.0, 2.0], gop=gop, scene_cuts=scene_cuts)
    assert cuts(path) == pytest.approx([2.5, 5.25, 6.25], abs=3 / RATE)


def test_where_only_key_frames_in_rhythm_are_decoded_nobody_can_tell(tmp_path):
    assert cuts(film(tmp_path / "film.mp4", [2.5, 2.75], gop=RATE, scene_cuts=False)) == []


def test_motion_is_no_cut(tmp_path):
    assert cuts(film(tmp_path / "film.mp4", [6.0], moves=5)) == []


def test_going_on_finds_the_same_cuts_as_going_through(tmp_path):
    path = film(tmp_path / "film.mp4", [2.5, 1.75, 3.0, 2.0])
    whole = [(o.seq, o.cut_s) for o in VideoSource(path).observations(fps=1.0)]
    for seq, _ in whole[:-1]:
        rest = [(o.seq, o.cut_s) for o in VideoSource(path).observations(fps=1.0, after_seq=seq)]
        assert rest == [pair for pair in whole if pair[0] > seq]


def test_key_frames_in_rhythm_were_not_chosen_for_what_they_show():
    assert chosen_keys(np.array([0, 24, 48, 72])).tolist() == [False] * 4
    assert chosen_keys(np.array([0, 250, 300, 550])).tolist() == [False, False, True, False]
    assert not chosen_keys(np.arange(100)).any()  # every frame is one
    assert chosen_keys(np.array([0])).tolist() == [False]


def test_a_format_whose_samples_cannot_be_told_apart_gives_nothing():
    finder = CutFinder()
    for value in (0, 255):
        finder.see(float(value), av.VideoFrame.from_ndarray(np.full((32, 32, 3), value, np.uint8), format="rgb24"))
    assert finder.take() is None
