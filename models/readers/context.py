"""Evidence and live frames into what a reader is given: in order, with true times, within a stated budget.

This is the one place where it is decided what a reader sees: the newest frames of a live stream first, then
evidence by time. What does not fit is left out in a fixed order: older live frames, the weakest moments' pictures,
the weakest moments.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hippocam.memory.recall.notes import words_that_answer
from hippocam.memory.recall.words import Words
from hippocam.memory.records import Evidence
from hippocam.models.errors import ReaderError
from hippocam.models.readers.checks import check_whole
from hippocam.models.readers.question_kind import QuestionKind
from hippocam.models.readers.quoting import without_claims
from hippocam.models.readers.reading import Given
from hippocam.stream import opencv as cv2
from hippocam.stream.jpeg import decode_jpeg
from hippocam.stream.records import Embedding

# Live frames that are left out last.
_LEAST_LIVE = 4
_JPEG_QUALITY = 85
_JPEG_START = b"\xff\xd8"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextConfig:
    """What a reader may be given.

    Attributes:
        moments: Moments that are looked up, 1 to 64.
        frames: Most pictures, 0 to 64; 0 for a reader that does not see.
        live_frames: Newest frames of a stream that is being watched, 0 to 8.
        tokens: Most tokens of all of it, 256 to 1,000,000; counted by the reader where it can, else estimated.
        frame_px: Longer side of a picture, 64 to 2048 pixels; larger ones are made smaller.
        tokens_per_frame: Estimate for a picture, 1 to 10,000.
    """

    moments: int = 12
    frames: int = 24
    live_frames: int = 6
    tokens: int = 6000
    frame_px: int = 448
    tokens_per_frame: int = 256

    def __post_init__(self) -> None:
        check_whole("context.moments", self.moments, 1, 64)
        check_whole("context.frames", self.frames, 0, 64)
        check_whole("context.live_frames", self.live_frames, 0, 8)
        check_whole("context.tokens", self.tokens, 256, 1_000_000)
        check_whole("context.frame_px", self.frame_px, 64, 2048)
        check_whole("context.tokens_per_frame", self.tokens_per_frame, 1, 10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A moment or a live frame as a reader is given it.

    Attributes:
        mark: As in Given.
        id: As in Given.
        stream: Which stream, "" where the name is kept back; see `without_claims`. Untrusted.
        time_s: Time of its frame.
        sentence: As in Evidence; "" for a live frame. It quotes words of the picture: untrusted.
        text: Words that the source gave. Untrusted.
        jpeg: Its picture; empty where it is not given.
        evidence: The moment as it is told; None for a live frame.
    """

    mark: str
    id: str
    stream: str
    time_s: float
    sentence: str
    text: str
    jpeg: bytes
    evidence: Evidence | None = None

    @property
    def claimed(self) -> bool:
        """Whether only words, or a name, say that it shows what was asked for."""
        return self.evidence is not None and self.evidence.claimed

    @property
    def belief(self) -> float:
        """The memory's belief that it shows what was asked for; one half for a live frame, which is not known."""
        return self.evidence.score if self.evidence else 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """All that a reader is given.

    Attributes:
        question: As it was asked.
        evidence: Every moment that was found, the strongest first.
        shown: Live frames, the oldest first, then moments by time, within the budget.
        kind: What the question wants to know.
        records: What the memory's own records say of the streams and times that are asked about: their lengths,
            what was told apart, words, an answer from records. They quote words of pictures: untrusted.
    """

    question: str
    evidence: tuple[Evidence, ...]
    shown: tuple[Shown, ...]
    kind: QuestionKind = QuestionKind.WHEN
    records: tuple[str, ...] = ()

    @property
    def given(self) -> tuple[Given, ...]:
        """The part of it that is kept with the answer."""
        streams = {moment.id: moment.stream for moment in self.evidence}
        return tuple(
            Given(
                mark=s.mark,
                id=s.id,
                stream=streams.get(s.id, s.stream),
                time_s=s.time_s,
                picture=bool(s.jpeg),
            )
            for s in self.shown
        )

    @property
    def in_words(self) -> bool:
        """Whether any words can be the answer; else it is seen, or read in a picture."""
        return _words(self.kind, self.question) is Words.ALL

    @property
    def pictures(self) -> int:
        """How many pictures are given."""
        return sum(bool(s.jpeg) for s in self.shown)

    def smaller(self) -> Context | None:
        """The context without its least important part; None if only one moment is left."""
        live = [s for s in self.shown if s.evidence is None]
        moments = [s for s in self.shown if s.evidence is not None]
        pictured = [s for s in moments if s.jpeg]
        if len(live) > _LEAST_LIVE:
            return self._without(live[0])
        if pictured:
            weakest = min(pictured, key=lambda s: (s.belief, -s.time_s))
            kept = tuple(replace(s, jpeg=b"") if s is weakest else s for s in self.shown)
            return replace(self, shown=kept)
        if len(self.shown) <= 1:
            return None
        return self._without(live[0] if live else min(moments, key=lambda s: (s.belief, -s.time_s)))

    def fitted(self, count: Callable[[Context], int], most: int) -> Context:
        """The context made smaller until it counts no more than `most`.

        Raises:
            ReaderError: Not even one moment fits.
        """
        context, counted = self, count(self)
        while counted > most:
            less = context.smaller()
            if less is None:
                raise ReaderError(
                    f"one moment takes {counted} tokens and there is room for {most}: raise "
                    "reader.context.tokens, or the model's own context"
                )
            context, counted = less, count(less)
        return context

    def _without(self, shown: Shown) -> Context:
        return replace(self, shown=tuple(s for s in self.shown if s is not shown))


def build_context(
    question: str,
    evidence: Sequence[Evidence],
    live: Sequence[Embedding],
    config: ContextConfig,
    *,
    kind: QuestionKind = QuestionKind.WHEN,
    closer: Mapping[str, bytes] | None = None,
    records: Sequence[str] = (),
) -> Context:
    """Choose what a reader is given.

    Args:
        question: As it was asked.
        evidence: The strongest first.
        live: Newest frames of streams that are being watched, the oldest first.
        config: The budget.
        kind: What the question wants to know.
        records: As in Context.
        closer: JPEGs to use instead of the kept ones, by a moment's id, each of its `frame_s`.
    """
    closer = closer or {}
    words = _words(kind, question)
    newest = sorted(live, key=lambda frame: frame.time_s)[-config.live_frames :] if config.live_frames else []
    frames = [
        Shown(
            mark=f"L{place}",
            id=f"live:{frame.stream}@{frame.time_s:.3f}",
            stream=frame.stream,
            time_s=frame.time_s,
            sentence="",
            text=frame.text,
            jpeg=_picture(frame.jpeg, config),
        )
        for place, frame in enumerate(newest, start=1)
    ]
    moments = [
        Shown(
            mark=f"E{place}",
            id=moment.id,
            stream=told.stream,
            time_s=moment.frame_s if moment.image or moment.id in closer else moment.t0_s,
            sentence=told.sentence,
            text=told.text,
            jpeg=_picture(closer.get(moment.id) or _stored(moment.image), config) if config.frames else b"",
            evidence=told,
        )
        for place, moment in enumerate(sorted(evidence, key=lambda e: (e.t0_s, e.stream, e.id)), start=1)
        for told in [moment if _answers(words, moment) else without_claims(moment, question)]
    ]
    context = Context(
        question=question,
        evidence=tuple(evidence),
        shown=(*frames, *moments),
        kind=kind,
        records=tuple(records),
    )
    return context.fitted(lambda c: c.pictures, config.frames)


def estimated_tokens(text: str, pictures: int, config: ContextConfig) -> int:
    """About how many tokens a text and pictures take: 3 characters each, careful for JSON and digits."""
    return math.ceil(len(text) / 3) + pictures * config.tokens_per_frame


def _words(kind: QuestionKind, question: str) -> Words:
    return Words.ALL if kind.in_words else words_that_answer(question)


def _answers(words: Words, moment: Evidence) -> bool:
    """Whether a moment's words can be the answer; what was read is where its picture bore it out."""
    return words is Words.ALL or (moment.witnessed is None and words.answer(moment.notes[: moment.noted]))


def _stored(path: str) -> bytes:
    """An exemplar's bytes; none where it was given up, perhaps a moment ago, or cannot be read."""
    if not path:
        return b""
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


def _picture(jpeg: bytes, config: ContextConfig) -> bytes:
    """A JPEG no larger than the budget says; none where it is not wanted or is no picture."""
    if not config.frames or not jpeg.startswith(_JPEG_START):
        return b""
    image = decode_jpeg(jpeg)
    if image is None:
        return b""
    scale = config.frame_px / max(image.shape[:2])
    if scale >= 1:
        return jpeg
    size = tuple(max(1, round(side * scale)) for side in image.shape[1::-1])
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    done, made = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return made.tobytes() if done else b""
