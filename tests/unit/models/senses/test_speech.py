"""The plumbing of speech with sounds at known times, and real speech where the data and the extra are there."""

import importlib.util
import itertools
import math
import pickle
import sys
from dataclasses import dataclass
from fractions import Fraction
from types import SimpleNamespace

import av
import numpy as np
import pytest

from hippocam.models.senses import speech
from hippocam.models.senses.speech import Speech, SpeechConfig, Word, quietest, repeats_itself, sentences
from hippocam.stream.sources.sound import RATE, read_sound, sound_length_s


def video_with_tones(path, tones, seconds, *, sound_s=0.0, picture_s=0.0):
    """A video with sound from sound_s on, silent but for tones [(t0_s, t1_s)] on the clock of its pictures."""
    with av.open(str(path), "w") as out:
        picture = out.add_stream("libx264", rate=2, options={"preset": "ultrafast"})
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        picture.codec_context.time_base = Fraction(1, 90000)
        sound = out.add_stream("aac" if path.suffix == ".mp4" else "libopus", rate=48000)
        for k in range(round(2 * (seconds - picture_s))):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), k % 250, np.uint8), format="rgb24")
            frame.pts, frame.time_base = round((picture_s + k / 2) * 90000), Fraction(1, 90000)
            out.mux(picture.encode(frame))
        out.mux(picture.encode(None))
        times = np.arange(round(sound_s * 48000), round(seconds * 48000)) / 48000
        wave = np.zeros(len(times), np.float32)
        for t0_s, t1_s in tones:
            inside = (times >= t0_s) & (times < t1_s)
            wave[inside] = 0.5 * np.sin(2 * np.pi * 440 * times[inside])
        for at in range(0, len(wave) - 960, 960):
            frame = av.AudioFrame.from_ndarray(wave[None, at : at + 960], format="fltp", layout="mono")
            frame.sample_rate, frame.time_base = 48000, Fraction(1, 48000)
            frame.pts = round(sound_s * 48000) + at
            out.mux(sound.encode(frame))
        out.mux(sound.encode(None))
    return path


def loud(sound_N):
    """A recogniser for tones: each is a word that says how long it was."""
    on = np.concatenate([[0], (np.abs(sound_N) > 0.05).astype(int), [0]])
    close = np.convolve(on, np.ones(400), mode="same") > 0  # a tone swings through zero
    edges = np.flatnonzero(np.diff(np.concatenate([[0], close.astype(int), [0]])))
    return [
        [Word(float(a / RATE), float(b / RATE), f" tone{(b - a) / RATE:.0f}.")]
        for a, b in zip(edges[::2], edges[1::2], strict=True)
    ]


def heard(path, from_s=-math.inf, to_s=math.inf, after_s=None):
    found = Speech(recognise=loud).hear(str(path), "cam", from_s, to_s, after_s)
    return [(round(note.t0_s, 1), round(note.t1_s, 1), note.text) for _, note in found]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
@pytest.mark.parametrize(("sound_s", "picture_s"), [(0.0, 0.0), (1.5, 0.0), (0.0, 1.5)])
def test_sound_has_the_times_of_the_pictures(tmp_path, name, sound_s, picture_s):
    path = video_with_tones(tmp_path / name, [(3.0, 4.0), (6.0, 8.0)], 10, sound_s=sound_s, picture_s=picture_s)
    for (t0_s, t1_s, text), (a_s, b_s, word) in zip(
        heard(path), [(3.0, 4.0, "tone1."), (6.0, 8.0, "tone2.")], strict=True
    ):
        assert (t0_s, t1_s) == pytest.approx((a_s, b_s), abs=0.11)
        assert text == word


def test_a_stretch_is_what_the_whole_is_there(tmp_path):
    path = video_with_tones(tmp_path / "a.mp4", [(k, k + 0.5) for k in range(1, 20)], 21)
    whole, zero_s = read_sound(path, "a", 0.0, math.inf)
    part, start_s = read_sound(path, "a", 7.25, 12.5)
    assert (zero_s, start_s) == (0.0, 7.25)
    assert len(part) == round(5.25 * RATE)
    expected = whole[round(7.25 * RATE) : round(12.5 * RATE)]
    assert np.abs(part - expected)[100:-100].mean() < 0.02
    assert sound_length_s(path, "a") == pytest.approx(21, abs=0.1)


def test_a_long_file_is_heard_in_windows_each_word_once(tmp_path, monkeypatch):
    monkeypatch.setattr(speech, "WINDOW_S", 10.0)
    monkeypatch.setattr(speech, "_NEAR_S", 2.0)
    tones = [(1.0, 2.0), (9.2, 11.3), (19.0, 20.4), (29.8, 30.4), (33.0, 35.0)]  # four across or at a border
    path = video_with_tones(tmp_path / "a.mp4", tones, 37)
    whole = heard(path)
    assert [text for _, _, text in whole] == ["tone1.", "tone2.", "tone1.", "tone1.", "tone2."]
    for (t0_s, t1_s, _), tone in zip(whole, tones, strict=True):
        assert (t0_s, t1_s) == pytest.approx(tone, abs=0.11)
    assert heard(path, -math.inf, 20.0) + heard(path, 20.0, 30.0) + heard(path, 30.0, math.inf) == whole
    known = [due_s for due_s, _ in Speech(recognise=loud).hear(str(path), "cam", -math.inf, math.inf)]
    assert known == sorted(known)
    assert all(due_s >= t1_s - 0.05 for due_s, (_, t1_s, _) in zip(known, whole, strict=True))
    on = heard(path, after_s=25.0)  # an interrupted watch is gone on with
    assert on == [words for words in whole if words in on]
    assert {(t, text) for t, _, text in whole if t > 25} <= {(t, text) for t, _, text in on}
    assert whole[0] not in on


def test_a_file_without_sound_says_nothing(tmp_path, media):
    media.render_video(tmp_path / "a.mp4", frames=20)
    assert heard(tmp_path / "a.mp4") == []
    (tmp_path / "b.mp4").write_bytes(b"\x00" * 100)
    assert heard(tmp_path / "b.mp4") == []


def test_words_become_sentences():
    words = [
        Word(0.0, 0.4, " Good"), Word(0.4, 0.9, " day."), Word(1.0, 1.5, " And"), Word(1.5, 2.0, " now"),
        Word(4.0, 4.4, " the"), Word(4.4, 5.0, " news."),
    ]  # fmt: skip
    assert list(sentences(words)) == [(0.0, 0.9, "Good day."), (1.0, 2.0, "And now"), (4.0, 5.0, "the news.")]
    endless = [Word(float(k), k + 1.0, f" w{k}") for k in range(40)]
    assert all(t1_s - t0_s <= 15 for t0_s, t1_s, _ in sentences(endless))
    assert " ".join(text for _, _, text in sentences(endless)).split() == [f"w{k}" for k in range(40)]


def test_what_repeats_itself_is_noticed():
    assert repeats_itself("Thank you for watching. " * 12)
    assert not repeats_itself(
        "The committee met on Thursday to weigh whether the bridge should be mended or replaced."
    )


def test_the_quietest_place_is_found():
    sound = np.ones(10 * RATE, np.float32)
    sound[4 * RATE : 5 * RATE] = 0
    assert 4 * RATE < quietest(sound, 2 * RATE, 8 * RATE) < 5 * RATE
    assert quietest(sound, 20 * RATE, 30 * RATE) == len(sound)


@dataclass
class Segment:
    """What Whisper says of a stretch: faster_whisper's names."""

    text: str
    no_speech_prob: float
    avg_logprob: float

    @property
    def words(self):
        return [SimpleNamespace(start=0.0, end=1.0, word=f" {word}") for word in self.text.split()]


def heard_of(monkeypatch, segments, config=None):
    """What is believed where Whisper, faked, hears these segments and a voice is everywhere."""
    whisper = SimpleNamespace(transcribe=lambda sound, **_: (segments, SimpleNamespace(language_probability=1.0)))
    vad = SimpleNamespace(VadOptions=lambda **_: None, get_speech_timestamps=lambda sound, options: [{}])
    monkeypatch.setitem(
        sys.modules, "faster_whisper", SimpleNamespace(vad=vad, WhisperModel=lambda *_, **__: whisper)
    )
    monkeypatch.setitem(sys.modules, "faster_whisper.vad", vad)
    monkeypatch.setattr(speech, "fetch", lambda name: SimpleNamespace(read_bytes=lambda: b""))
    said = Speech(config)._words(np.zeros(RATE, np.float32))
    return ["".join(word.text for word in words).strip() for words in said]


def test_speech_is_left_out_only_where_its_words_are_unlikely(monkeypatch):
    """Whisper's own rule: a window is silent where it says so and, at the same time, its words are unlikely."""
    segments = [
        Segment(f"{no_speech} {logprob}", no_speech, logprob)
        for no_speech in (0.05, 0.6, 0.7, 0.99)
        for logprob in (-0.1, -0.79, -0.9, -1.1, -2.0)
    ]
    kept = heard_of(monkeypatch, segments, SpeechConfig(sure=-5.0))
    assert " ".join(kept).split() == [
        word for s in segments if not (s.no_speech_prob > 0.6 and s.avg_logprob <= -1.0) for word in s.text.split()
    ]
    assert " ".join(heard_of(monkeypatch, segments)).split() == [
        word for s in segments if s.avg_logprob >= -0.8 for word in s.text.split()
    ]


def test_a_sentence_goes_on_from_one_segment_to_the_next_but_not_over_one_that_is_left_out(monkeypatch):
    segments = [
        Segment("Put the kettle", 0.1, -0.2),
        Segment("on the stove.", 0.1, -0.2),
        Segment("mumbled", 0.1, -2.0),
        Segment("Then wait.", 0.1, -0.2),
    ]
    assert heard_of(monkeypatch, segments) == ["Put the kettle on the stove.", "Then wait."]


def test_it_travels_without_its_weights():
    assert len(pickle.dumps(Speech())) < 1000


@pytest.mark.skipif(
    importlib.util.find_spec("faster_whisper") is None, reason="the extra [speech] is not installed"
)
def test_real_speech_is_written_down_with_its_times(shared_data):
    """The truth is what the subtitles say that were published with this trailer: 0:12 and 0:18.5, to a second."""
    path = shared_data / "video/film/sintel_trailer_480p_14chapters.mp4"
    notes = [note for _, note in Speech().hear(str(path), "s", -math.inf, math.inf)]
    text = " ".join(note.text for note in notes).casefold()
    assert "land of the gatekeepers" in text
    assert "searching for someone" in text
    assert len(text.split()) < 40  # of music and battle nothing is made up
    (gate,) = [note for note in notes if "gatekeepers" in note.text]
    assert (gate.t0_s, gate.t1_s) == pytest.approx((12.0, 15.0), abs=1.0)


@pytest.mark.skipif(
    importlib.util.find_spec("faster_whisper") is None, reason="the extra [speech] is not installed"
)
def test_clear_speech_is_not_taken_for_silence(shared_data):
    """The truth is what this film's own slides show while it is said: a voice speaks all along."""
    path = shared_data / "video/explainer/videopilot_demo.mp4"
    notes = [note for _, note in Speech().hear(str(path), "s", -math.inf, math.inf)]
    said = [(note.t0_s, note.text.casefold()) for note in notes]
    for word, t0_s, t1_s in [
        ("voices", 42.5, 57),
        ("locally", 57, 69.5),
        ("music", 69.5, 79.5),
        ("export", 79, 90.5),
    ]:
        assert any(t0_s - 1.5 <= at_s <= t1_s and word in text for at_s, text in said)
    gaps = [b.t0_s - a.t1_s for a, b in itertools.pairwise(notes)]
    assert max(gaps) < 3
