"""Stretches of sound are heard at their true times, in every container, wherever reading begins."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from hippocam.stream.sources.sound import RATE, read_sound

BEEPS_S = (1.0, 3.0, 6.0, 9.5)
LENGTH_S, HEARD_AT = 12, 48_000
# Container, codec of its pictures, codec of its sound.
KINDS = [
    (".mp4", "libx264", "aac"),
    (".mkv", "libx264", "flac"),
    (".webm", "libvpx", "libopus"),
    (".ts", "libx264", "mp2"),
    (".mpg", "mpeg2video", "mp2"),
    (".vob", "mpeg2video", "ac3"),
    (".avi", "mpeg4", "pcm_s16le"),
]


def render(path: Path, pictures: str, sound: str) -> None:
    """A film with a beep of .2 s at each of the times."""
    with av.open(str(path), "w") as container:
        video, audio = container.add_stream(pictures, rate=25), container.add_stream(sound, rate=HEARD_AT)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio.layout = "mono"
        t_N = np.arange(LENGTH_S * HEARD_AT) / HEARD_AT
        beeping = np.any([(at <= t_N) & (t_N < at + 0.2) for at in BEEPS_S], axis=0)
        wave = (beeping * 0.7 * np.sin(2 * np.pi * 800 * t_N)).astype(np.float32)
        into = av.AudioResampler(audio.format, "mono", HEARD_AT, frame_size=audio.frame_size or 1024)
        grey = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), format="rgb24")
        for second in range(LENGTH_S):
            for _ in range(25):
                container.mux(video.encode(grey))
            piece = wave[second * HEARD_AT : (second + 1) * HEARD_AT]
            heard = av.AudioFrame.from_ndarray(piece[None], format="fltp", layout="mono")
            heard.sample_rate, heard.pts = HEARD_AT, second * HEARD_AT
            for frame in into.resample(heard):
                container.mux(audio.encode(frame))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))


def beeps(path: Path, from_s: float, to_s: float) -> list[float]:
    """When beeps begin in a stretch of sound."""
    sound_N, first_s = read_sound(path, str(path), from_s, to_s)
    loud = np.flatnonzero(np.abs(sound_N) > 0.2)
    begins = loud[np.diff(loud, prepend=-RATE) > RATE // 2]
    return [first_s + float(at) / RATE for at in begins]


@pytest.mark.parametrize(("suffix", "pictures", "sound"), KINDS)
def test_each_beep_is_heard_at_its_time(tmp_path: Path, suffix: str, pictures: str, sound: str) -> None:
    path = tmp_path / f"a{suffix}"
    render(path, pictures, sound)
    for from_s, to_s in ((0.0, LENGTH_S), (2.5, 7.0), (5.5, 8.0), (9.0, LENGTH_S)):
        expected = [at for at in BEEPS_S if from_s <= at < to_s]
        assert beeps(path, from_s, to_s) == pytest.approx(expected, abs=0.08)


def test_a_packet_that_is_damaged_silences_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    render(path, "libx264", "flac")
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
        damaged = next(packet for packet in packets if packet.pts * packet.time_base > 2.0)
        at = data.index(bytes(damaged))
    data[at : at + 4] = b"\0" * 4
    path.write_bytes(data)
    assert beeps(path, 0.0, LENGTH_S) == pytest.approx(BEEPS_S, abs=0.08)
