"""The sound of cameras: at the times of their pictures, whatever is damaged or missing."""

import itertools
from fractions import Fraction

import av
import numpy as np
import pytest

from hippocam.stream.live.address import parse_address
from hippocam.stream.live.capture import sample
from hippocam.stream.live.messages import Captured, Sound
from hippocam.stream.sources.cameras.pyav import read_file
from hippocam.stream.sources.cameras.sound import microphone
from hippocam.stream.sources.sound import RATE


def flashes(path, moments, seconds, *, codec="aac", rate=48000, without=()):
    """A film that is black and silent, but white and loud in each of some moments (from_s, to_s).

    Args:
        path: Where it goes.
        moments: When it is white and loud.
        seconds: How long it is.
        codec: Codec of its sound.
        rate: Samples a second.
        without: Times of which the sound is missing.
    """

    def on(time_s):
        return any(t0_s <= time_s < t1_s for t0_s, t1_s in moments)

    with av.open(str(path), "w") as out:
        picture = out.add_stream("libx264", rate=10, options={"preset": "ultrafast", "tune": "zerolatency"})
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        track = out.add_stream(codec, rate=rate, layout="mono")
        step, layout = rate // 50, track.codec_context.format.name
        sounding = av.AudioResampler(format=layout, layout="mono", rate=rate, frame_size=None)
        for k in range(round(seconds * 10)):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 250 * on(k / 10), np.uint8), format="rgb24")
            frame.pts, frame.time_base = k, Fraction(1, 10)
            out.mux(picture.encode(frame))
            for at in range(k * rate // 10, (k + 1) * rate // 10, step):
                if any(t0_s <= at / rate < t1_s for t0_s, t1_s in without):
                    continue
                times = np.arange(at, at + step) / rate
                wave = np.where([on(t) for t in times], 20000 * np.sin(2 * np.pi * 440 * times), 0).astype(
                    np.int16
                )
                heard = av.AudioFrame.from_ndarray(wave[None], format="s16", layout="mono")
                heard.sample_rate, heard.pts, heard.time_base = rate, at, Fraction(1, rate)
                for ready in sounding.resample(heard):
                    out.mux(track.encode(ready))
        out.mux(picture.encode(None))
        out.mux(track.encode(None))
    return path


def pieces_of(path, *, spoil=()):
    """What a microphone gives of a file; the packets of some numbers are spoilt before."""
    with av.open(str(path)) as container:
        hears = microphone(container, timed=True)
        for number, packet in enumerate(container.demux(hears.track)):
            if number in spoil:
                packet = av.Packet(b"\xff" * 40)
                packet.stream = hears.track
            yield from hears.take(packet, 500.0)


def loud_from(pieces, at):
    """When it becomes loud, seconds; `at` tells when a piece begins."""
    for piece in pieces:
        over = np.flatnonzero(np.abs(piece.samples_N) > 3000)
        if len(over):
            return at(piece) + over[0] / RATE
    raise AssertionError("it is never loud")


@pytest.mark.parametrize(("codec", "rate", "name"), [("aac", 48000, "a.mp4"), ("pcm_alaw", 8000, "a.mov")])
def test_sound_of_any_kind_comes_in_pieces_at_its_own_times(tmp_path, codec, rate, name):
    path = flashes(tmp_path / name, [(1.5, 2.0)], 4, codec=codec, rate=rate)
    pieces = list(pieces_of(path))
    assert all(piece.samples_N.dtype == np.int16 for piece in pieces)
    assert sum(len(piece.samples_N) for piece in pieces) / RATE == pytest.approx(4, abs=0.6)
    for piece, after in itertools.pairwise(pieces):
        assert after.pts_s == pytest.approx(piece.pts_s + len(piece.samples_N) / RATE, abs=0.05)
    assert loud_from(pieces, lambda piece: piece.pts_s) == pytest.approx(1.5, abs=0.05)


def test_sound_that_is_missing_ends_a_piece_and_damage_ends_nothing(tmp_path):
    path = flashes(tmp_path / "a.mkv", [(3.0, 3.5)], 4, codec="pcm_s16le", rate=16000, without=[(1.0, 2.2)])
    pieces = list(pieces_of(path))
    (late,) = [after for piece, after in itertools.pairwise(pieces) if after.pts_s - piece.pts_s > 1.0]
    assert late.pts_s == pytest.approx(2.2, abs=0.05)
    assert loud_from(pieces, lambda piece: piece.pts_s) == pytest.approx(3.0, abs=0.05)
    path = flashes(tmp_path / "b.mp4", [(3.0, 3.5)], 4)
    spoilt = list(pieces_of(path, spoil=range(20, 30)))
    assert loud_from(spoilt, lambda piece: piece.pts_s) == pytest.approx(3.0, abs=0.1)


def test_a_film_without_sound_has_no_microphone(tmp_path, media):
    media.render_video(tmp_path / "a.mp4", frames=5)
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert microphone(container, timed=True) is None


def test_what_is_seen_and_heard_at_once_has_one_time(tmp_path):
    path = flashes(tmp_path / "a.mp4", [(0.8, 1.4)], 1.6)
    messages = list(
        sample(
            read_file(parse_address(str(path)), longest=64, loop=False, recorder=None, sound=True),
            10,
            trust_pts=False,
        )
    )
    seen_s = next(m.taken_s for m in messages if isinstance(m, Captured) and m.image.mean() > 128)
    heard = [m for m in messages if isinstance(m, Sound)]
    assert loud_from(heard, lambda piece: piece.taken_s) == pytest.approx(seen_s, abs=0.15)
