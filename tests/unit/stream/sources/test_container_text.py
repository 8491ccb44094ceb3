"""Subtitles and chapters written into files at known times, read back as notes."""

import io
import struct
from fractions import Fraction

import av
import numpy as np
import pytest

from hippocam.stream.records import Note
from hippocam.stream.sources.container_text import sidecars, text_notes

CUES = [(1.5, 2.75, "Good morning!"), (6.0, 7.25, "A <i>red</i> lorry & two\ncars")]
SRT = """1
00:00:01,500 --> 00:00:02,750
Good morning!

2
00:00:06,000 --> 00:00:07,250
A <i>red</i> lorry & two
cars
"""
ASS = b"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,Arial,16

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
READ = [(1.5, 2.75, "Good morning!"), (6.0, 7.25, "A red lorry & two cars")]


def video(path, codec="", *, start_s=0.0, seconds=8):
    """A video with the cues as a subtitle track that FFmpeg's own SubRip reader made."""
    with av.open(str(path), "w") as out:
        picture = out.add_stream("libx264", rate=5, options={"preset": "ultrafast"})
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        picture.codec_context.time_base = Fraction(1, 90000)
        track = out.add_stream(codec) if codec else None
        if track is not None:  # which the encoder asks for, and which says nothing
            track.codec_context.subtitle_header = ASS
        frames = []
        for k in range(seconds * 5):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 5 * k % 256, np.uint8), format="rgb24")
            frame.pts, frame.time_base = round((start_s + k / 5) * 90000), Fraction(1, 90000)
            frames += picture.encode(frame)
        out.mux(frames + picture.encode(None))
        for t0_s, t1_s, text in CUES if track is not None else ():
            packet = av.Packet(encoded(codec, text))
            packet.stream, packet.time_base = track, Fraction(1, 1000)
            packet.pts = packet.dts = round(t0_s * 1000)
            packet.duration = round((t1_s - t0_s) * 1000)
            out.mux(packet)
    return path


def encoded(codec, text):
    """A cue as its format has it: SubRip is plain text, mov_text has its length in front."""
    data = text.encode()
    return struct.pack(">H", len(data)) + data if codec == "mov_text" else data


def told(path):
    return [(round(n.t0_s, 3), round(n.t1_s, 3), n.text) for n in text_notes(path, str(path), "cam")]


def test_subtitles_of_matroska_have_their_times(tmp_path):
    path = video(tmp_path / "a.mkv", "srt")
    assert told(path) == READ
    assert {(n.stream, n.kind) for n in text_notes(path, str(path), "cam")} == {("cam", "subtitle")}


def test_subtitles_of_mp4_have_their_times_also_where_pictures_begin_late(tmp_path):
    assert told(video(tmp_path / "a.mp4", "mov_text")) == READ
    assert told(video(tmp_path / "late.mp4", "mov_text", start_s=1.0)) == READ  # as a browser shows them


def test_chapters_end_where_the_film_ends(tmp_path):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as out:
        picture = out.add_stream("libx264", rate=5)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        out.set_chapters(
            [
                {"id": 1, "start": 0, "end": 2000, "time_base": Fraction(1, 1000), "metadata": {"title": "Dawn"}},
                {
                    "id": 2,
                    "start": 2000,
                    "end": 9000,
                    "time_base": Fraction(1, 1000),
                    "metadata": {"title": "Noon"},
                },
            ]
        )
        for k in range(20):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 9 * k, np.uint8), format="rgb24")
            out.mux(picture.encode(frame))
        out.mux(picture.encode(None))
    assert told(path) == [(0.0, 2.0, "Dawn"), (2.0, 4.0, "Noon")]


def test_a_real_film_has_its_fourteen_chapters(shared_data):
    path = shared_data / "video/film/sintel_trailer_480p_14chapters.mp4"
    notes = text_notes(path, str(path), "sintel")
    assert [n.kind for n in notes] == ["chapter"] * 14
    assert [round(n.t0_s, 1) for n in notes] == [round(k / 10, 1) for k in range(14)]  # as its header says
    assert notes[0].text.startswith("Chap1A")


def test_files_beside_a_video_are_read_once_each(tmp_path):
    path = video(tmp_path / "my film.mp4")
    (tmp_path / "my film.srt").write_text(SRT)
    (tmp_path / "my film.en.vtt").write_text(
        "\ufeffWEBVTT\n\nNOTE by hand\n\nfirst\n00:01.500 --> 00:02.750 align:start\nGood morning!\n"
    )
    (tmp_path / "my film 2.srt").write_text(SRT.replace("Good", "Bad"))
    (tmp_path / "my filmXsrt").write_text(SRT.replace("Good", "Bad"))
    assert [p.name for p in sidecars(path)] == ["my film.en.vtt", "my film.srt"]
    assert told(path) == READ


@pytest.mark.parametrize("text", ["", "no cues at all", "00:00:09,000 --> 00:00:01,000\nbackwards\n", "\x00\x00"])
def test_what_makes_no_sense_is_left_out(tmp_path, text):
    path = video(tmp_path / "a.mp4")
    (tmp_path / "a.srt").write_text(text)
    assert told(path) == []


def test_bytes_of_an_older_encoding_are_letters_all_the_same(tmp_path):
    path = video(tmp_path / "a.mp4")
    (tmp_path / "a.srt").write_bytes("1\n00:00:01,000 --> 00:00:02,000\nÄrger\n".encode("latin-1"))
    assert told(path) == [(1.0, 2.0, "Ärger")]


def test_what_is_no_video_has_no_words(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(io.BytesIO(b"\x00" * 999).getvalue())
    assert text_notes(path, str(path), "cam") == []


def test_a_note_has_times_in_order():
    with pytest.raises(ValueError, match="times in order"):
        Note(stream="", kind="speech", t0_s=2.0, t1_s=1.0, text="x")
