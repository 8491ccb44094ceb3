"""What the pipeline asks of the parts it is handed: a source, an encoder, senses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from hippocam.stream.records import (
    EncodedImages,
    EncoderSpec,
    FloatArray,
    Image,
    Note,
    Observation,
    Sensed,
    Stretch,
)


class Source(Protocol):
    """Something that can be watched once from its start (or from a later position) to its end."""

    @property
    def id(self) -> str:
        """Name of the source, unique within a memory; streams are named after it."""

    @property
    def uri(self) -> str:
        """Where the source is, as a person would write it: a path or an address."""

    @property
    def duration_s(self) -> float | None:
        """Length in seconds, None where it is not known beforehand."""

    @property
    def keyframes_only(self) -> bool:
        """Whether it gives key frames alone, whose times are coarse: a preview."""

    def observations(
        self, *, fps: float | None, after_seq: int = -1, stretch: Stretch | None = None
    ) -> Iterator[Observation]:
        """Yield observations in the order of their seq, at about fps a second (None: every one).

        Args:
            fps: Sampling rate in observations a second; the same fps gives the same seqs each time.
            after_seq: Only those with a greater seq, so that an interrupted watch can go on. If a stretch has any,
                those before them may be given too.
            stretch: Only those of this segment; None for all. Those of all segments together are those of the
                source.

        Raises:
            SourceError: The source cannot be read at all, or from here on (a truncated file).
        """

    def notes(
        self, stream: str, *, hearing: Hearing | None, stretch: Stretch | None = None, after_s: float | None = None
    ) -> Iterator[tuple[float, Note]]:
        """Yield the words that come with the source or are said in it, by the time from which on they are known.

        Args:
            stream: Name of the stream that the notes are of.
            hearing: Listens to the source's sound; None to leave it unheard.
            stretch: Only those that begin in this segment; None for all.
            after_s: What was known before this need not be heard again; None for all.
        """

    def segments(self, segment_s: float) -> int:
        """Return how many segments of about segment_s it can be cut into; 1 if it can only be read whole."""


class Encoder(Protocol):
    """Pictures and texts into one space. Loading weights may take seconds; constructing must not."""

    @property
    def spec(self) -> EncoderSpec:
        """Identity and geometry of the vectors."""

    def encode_images(self, images: Sequence[Image]) -> EncodedImages:
        """Encode N pictures, uint8 [H, W, 3] RGB of any size each.

        The result for a picture does not depend on its neighbours in the batch.
        """

    def encode_texts(self, texts: Sequence[str]) -> FloatArray:
        """Encode N texts to float32 [N, D]."""


class Sense(Protocol):
    """Looks at pictures beside the encoder: finds things, or reads what is written in them.

    Picklable before it looks; loading weights may take seconds, constructing must not.
    """

    @property
    def id(self) -> str:
        """Name and version, for example "efficientdet-lite0:1"."""

    def look(self, image: Image) -> Sensed:
        """Look at one picture, uint8 [H, W, 3] RGB of any size; the result depends on nothing else."""


class Hearing(Protocol):
    """Listens to the sound of a file and writes down what is said.

    Picklable before it hears; loading weights may take seconds, constructing must not.
    """

    @property
    def id(self) -> str:
        """Name and version, for example "whisper-base:1"."""

    def hear(
        self, path: str, stream: str, from_s: float, to_s: float, after_s: float | None = None
    ) -> Iterator[tuple[float, Note]]:
        """Yield what is said in a stretch of a file's time, by time; nothing where it has no sound.

        A file is heard in windows that depend on the file alone. Those that begin in [from_s, to_s) are heard, so
        that consecutive stretches together give what the whole file gives.

        Args:
            path: The file.
            stream: Name of the stream that the notes are of.
            from_s: Start, seconds; below 0 for the start of the file.
            to_s: End, seconds; infinite for the end of the file.
            after_s: Windows that end before this need not be heard: they were written down earlier.

        Yields:
            Time from which on a note is known (the end of its window), and the note. Times are those of the
            file's pictures.
        """
