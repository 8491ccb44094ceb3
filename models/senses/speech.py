"""The sound of a video file into sentences with their true times: Whisper (Radford et al. 2022), small.

A file is heard in windows of about two minutes, cut where it is quietest near fixed times; so a window depends on
the file alone, memory is bounded, and a long file can be heard in parts, in any order, or gone on with. A detector
of voices (Silero) goes first: where nobody speaks Whisper is not asked. What Whisper makes up in noise and music
is held down by what it says of itself: how likely the words are, and, where they are unlikely, how likely it is
that nobody spoke. The latter alone says little: one probability stands for a window of 30 seconds, and over clear
speech (videopilot_demo.mp4, 0:46 to 1:16) it was .70 where the words had a mean log probability of -.21.
"""

from __future__ import annotations

import logging
import math
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hippocam.models.weights import fetch
from hippocam.stream.errors import SourceError
from hippocam.stream.records import FloatArray, Note
from hippocam.stream.sources.sound import RATE, read_sound, sound_length_s

if TYPE_CHECKING:
    from faster_whisper import WhisperModel
    from faster_whisper.transcribe import Segment

log = logging.getLogger(__name__)

KIND = "speech"
# Windows begin near multiples of this, where it is quietest.
WINDOW_S = 120.0
# How far before and after a multiple the quietest moment is looked for.
_NEAR_S = 5.0
# Seconds over which loudness is averaged to find the quietest moment.
_QUIET_S = 0.3
# A pause between words that ends a sentence.
_PAUSE_S = 1.0
# Longest sentence.
_LONGEST_S = 15.0
# What ends a sentence.
_ENDS = (".", "!", "?", "…", "。", "！", "？")
# Text that packs better than this repeats itself (as in Whisper's own decoding).
_REPEATS = 2.4
_FILES = {
    "config.json": "whisper-base-config",
    "tokenizer.json": "whisper-base-tokenizer",
    "vocabulary.txt": "whisper-base-vocabulary",
}
# Mean log probability of the words above which somebody spoke (as in Whisper's own decoding).
_SPOKEN = -1.0
_MODEL = ("whisper-base-model-1", "whisper-base-model-2")
# A window is left out if its language is less likely than this.
_LANGUAGE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechConfig:
    """How sound is heard.

    Attributes:
        language: Code of the language that is spoken, "en", "nl"; "" to let each window tell.
        voice: Probability of a voice from which sound is listened to, 0 to 1.
        sure: Mean log probability of its words from which a sentence is believed, -5 to 0.
        nobody: Probability that nobody spoke above which a sentence of unlikely words (mean log probability -1 or
            less, where `sure` lets them through) is left out, 0 to 1.
        threads: Threads, 0 for one on each core.
    """

    language: str = ""
    voice: float = 0.5
    sure: float = -0.8
    nobody: float = 0.6
    threads: int = 1

    def __post_init__(self) -> None:
        for name, low, high in (("voice", 0.0, 1.0), ("sure", -5.0, 0.0), ("nobody", 0.0, 1.0)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"hearing.{name} must be {low:g} to {high:g}, found {value}")


class Word(NamedTuple):
    """A word, and when it is said, in seconds of its window."""

    t0_s: float
    t1_s: float
    text: str


class Speech:
    """Writes down what is said in video files; weights are fetched and read with the first voice.

    Args:
        config: How sound is heard.
        recognise: What turns a window of sound, float32 [N] at 16 kHz, into groups of words; None for Whisper.
    """

    id = "whisper-base:1"
    weights = (*_FILES.values(), *_MODEL)

    def __init__(self, config: SpeechConfig | None = None, recognise: Any = None) -> None:
        self._config = config or SpeechConfig()
        self._recognise = recognise
        self._whisper: WhisperModel | None = None

    def __getstate__(self) -> tuple[SpeechConfig, Any]:
        """Travel to another process without what was loaded."""
        return self._config, self._recognise

    def __setstate__(self, state: tuple[SpeechConfig, Any]) -> None:
        self.__init__(*state)  # type: ignore[misc]

    def hear(
        self, path: str, stream: str, from_s: float, to_s: float, after_s: float | None = None
    ) -> Iterator[tuple[float, Note]]:
        """Yield what is said, each sentence with the time from which on it is known; see `Hearing`."""
        file = Path(path)
        try:
            length_s = sound_length_s(file, path)
            if length_s is None:
                return
            first = max(0, math.ceil(from_s / WINDOW_S)) if math.isfinite(from_s) else 0
            last = math.ceil(min(to_s, max(length_s, WINDOW_S)) / WINDOW_S)
            for number in range(first, last):
                if after_s is not None and (number + 1) * WINDOW_S + _NEAR_S < after_s:
                    continue
                end_s, sound_N, zero_s = self._window(
                    file, path, number, is_last=(number + 1) * WINDOW_S >= length_s
                )
                for t0_s, t1_s, text in self.said(sound_N):
                    note = Note(stream=stream, kind=KIND, t0_s=zero_s + t0_s, t1_s=zero_s + t1_s, text=text)
                    yield end_s, note
        except SourceError as error:
            log.info("%s: nothing more is heard: %s", path, error)

    def said(self, sound_N: FloatArray) -> Iterator[Word]:
        """Yield the sentences that are said in float32 [N] at 16 kHz, with their times in seconds of it."""
        for words in (self._recognise or self._words)(sound_N):
            yield from sentences(words)

    def _window(self, file: Path, uri: str, number: int, *, is_last: bool) -> tuple[float, FloatArray, float]:
        """Read a window: its end in seconds, its sound, and the time of its first sample."""
        near_s = number * WINDOW_S - _NEAR_S if number else 0.0
        far_s = math.inf if is_last else (number + 1) * WINDOW_S + _NEAR_S
        sound_N, zero_s = read_sound(file, uri, near_s, far_s)
        begin = quietest(sound_N, 0, int(2 * _NEAR_S * RATE)) if number else 0
        end = len(sound_N)
        if not is_last:
            end = quietest(sound_N, int(((number + 1) * WINDOW_S - _NEAR_S - zero_s) * RATE), len(sound_N))
        return zero_s + end / RATE, sound_N[begin:end], zero_s + begin / RATE

    def _words(self, sound_N: FloatArray) -> Iterator[list[Word]]:
        """Words as Whisper hears them, only in groups that it is sure of."""
        from faster_whisper.vad import VadOptions, get_speech_timestamps

        options = VadOptions(threshold=self._config.voice, min_speech_duration_ms=250, min_silence_duration_ms=500)
        if not len(sound_N) or not get_speech_timestamps(sound_N, options):
            return
        model = self._model()
        segments, told = model.transcribe(
            sound_N,
            language=self._config.language or None,
            beam_size=1,
            temperature=0.0,
            no_speech_threshold=self._config.nobody,
            log_prob_threshold=_SPOKEN,
            condition_on_previous_text=False,  # or a phrase that was made up once would come again and again
            word_timestamps=True,
            vad_filter=True,
            vad_parameters=options,
        )
        if not self._config.language and told.language_probability < _LANGUAGE:
            return
        said, before = list[Word](), ""  # of segments in a row: a sentence may begin in one and end in another
        for segment in segments:
            text = " ".join(segment.text.split())
            if self._is_believed(segment) and not repeats_itself(text) and text != before:
                said += [Word(word.start, word.end, word.word) for word in segment.words or ()]
            elif said:
                yield said
                said = []
            before = text
        if said:
            yield said

    def _is_believed(self, segment: Segment) -> bool:
        """Whether a segment's words were likely enough, and not those of a silence."""
        silence = segment.no_speech_prob > self._config.nobody and segment.avg_logprob <= _SPOKEN
        return bool(segment.avg_logprob >= self._config.sure and not silence)

    def _model(self) -> WhisperModel:
        if self._whisper is None:
            from faster_whisper import WhisperModel
            from tqdm import tqdm

            tqdm.set_lock(
                threading.RLock()
            )  # its own is shared with other processes, and outlives one that is killed
            files: dict[str, Any] = {name: fetch(weights).read_bytes() for name, weights in _FILES.items()}
            files["model.bin"] = b"".join(fetch(part).read_bytes() for part in _MODEL)
            self._whisper = WhisperModel(
                "whisper-base", device="cpu", compute_type="int8", cpu_threads=self._config.threads, files=files
            )
        return self._whisper


def sentences(words: list[Word]) -> Iterator[Word]:
    """Group words into sentences, each up to a full stop, a pause, or the longest length."""
    said: list[Word] = []
    for word in words:
        if said and (word.t0_s - said[-1].t1_s > _PAUSE_S or word.t1_s - said[0].t0_s > _LONGEST_S):
            yield _sentence(said)
            said = []
        said.append(word)
        if word.text.rstrip().endswith(_ENDS):
            yield _sentence(said)
            said = []
    if said:
        yield _sentence(said)


def _sentence(words: list[Word]) -> Word:
    text = " ".join("".join(word.text for word in words).split())
    return Word(round(words[0].t0_s, 3), round(max(words[0].t0_s, words[-1].t1_s), 3), text)


def repeats_itself(text: str) -> bool:
    """Whether a text is one phrase again and again."""
    data = text.encode()
    return len(data) > _REPEATS * len(zlib.compress(data))


def quietest(sound_N: NDArray[Any], first: int, last: int) -> int:
    """The sample, from first to before last, around which it is quietest; first where there is none."""
    step = int(_QUIET_S * RATE)
    count = (min(last, len(sound_N)) - first) // step
    if count < 1:
        return max(0, min(first, len(sound_N)))
    loud = np.square(sound_N[first : first + count * step], dtype=np.float64).reshape(count, step).mean(axis=1)
    return first + int(np.argmin(loud.round(9))) * step + step // 2
