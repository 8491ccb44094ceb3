"""What goes through the pipeline and how: its settings, its senses, a job in, chunks out; ingest.py runs it."""

from __future__ import annotations

from dataclasses import dataclass, field

from hippocam.stream.errors import SourceError
from hippocam.stream.gate import GateConfig
from hippocam.stream.metrics import StageStatus
from hippocam.stream.portraits.choosing import PortraitConfig
from hippocam.stream.protocols import Hearing, Sense, Source
from hippocam.stream.reading_gate import ReadingConfig
from hippocam.stream.records import Item, Stretch


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineConfig:
    """How a source is sampled and cut into work for the encoder.

    Attributes:
        fps: Observations a second, above 0; None takes every one.
        chunk: Frames that are encoded together, 1 or more.
        jpeg_side_px: Longer side of the kept pictures, pixels, 64 to 4096; smaller ones are not enlarged.
        jpeg_quality: 1 to 100.
        gate: When a frame counts as changed.
        reading: Which changed frames are read, where a sense reads.
        portraits: Which things are encoded by themselves, where a sense finds things.
    """

    fps: float | None = 1.0
    chunk: int = 8
    jpeg_side_px: int = 512
    jpeg_quality: int = 80
    gate: GateConfig = field(default_factory=GateConfig)
    reading: ReadingConfig = field(default_factory=ReadingConfig)
    portraits: PortraitConfig = field(default_factory=PortraitConfig)

    def __post_init__(self) -> None:
        if self.fps is not None and not self.fps > 0:
            raise ValueError(f"fps must be above 0 (or left out for every frame), found {self.fps}")
        for name, low, high in (("chunk", 1, 1024), ("jpeg_side_px", 64, 4096), ("jpeg_quality", 1, 100)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"pipeline.{name} must be {low} to {high}, found {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Senses:
    """What perceives beside the encoder; picklable before it is used.

    Attributes:
        looking: Look at every changed frame.
        reading: Looks at the changed frames that the reading gate lets pass; None to read nothing.
        hearing: Hears the sound of video files; None to hear nothing.
    """

    looking: tuple[Sense, ...] = ()
    reading: Sense | None = None
    hearing: Hearing | None = None

    @property
    def ids(self) -> tuple[str, ...]:
        """Names and versions, which tell what was made with them from what was not."""
        every = (*self.looking, self.reading, self.hearing)
        return tuple(sense.id for sense in every if sense is not None)

    @property
    def named(self) -> tuple[str, ...]:
        """Each of them with what it finds before its id: "things", "screen", "speech"."""
        every = (
            *(("things", sense) for sense in self.looking),
            ("screen", self.reading),
            ("speech", self.hearing),
        )
        return tuple(f"{finds} {sense.id}" for finds, sense in every if sense is not None)


NO_SENSES = Senses()


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A source to run through the pipeline.

    Attributes:
        source: What is watched.
        name: What its streams are named after; its id, mostly.
        after_seq: Go on after this position, as when an earlier watch was interrupted; -1 from the start.
        after_s: Time up to which that watch was written; notes that were known before are not given again.
        stretch: Only this segment of the source; None for all of it.
    """

    source: Source
    name: str
    after_seq: int = -1
    after_s: float | None = None
    stretch: Stretch | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """What an executor hands on: some items of a job, and whether the job ended with them.

    Attributes:
        job: Which job, by its index in the list.
        items: Embeddings, repeats and notes, each stream in the order of its seq.
        ended: Whether nothing follows.
        error: Why the job broke off; everything before has been handed on.
        stages: With the last chunk of a job: what decoder, gate and encoder did for all of it.
    """

    job: int
    items: list[Item]
    ended: bool = False
    error: SourceError | None = None
    stages: tuple[StageStatus, ...] = ()
