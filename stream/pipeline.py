"""A source in, chunks of embeddings and notes out: decode, split by camera, gate, encode.

Beside the encoder, senses may look at pictures, and notes (subtitles, speech) come in between them once they are
known. Decoding runs in a thread of its own, a bounded queue ahead of the encoder. Chunks have a fixed size and
depend on the source alone, so every executor encodes the same batches and makes the same memory.
"""

from __future__ import annotations

import heapq
import math
import queue
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from hippocam.stream import opencv as cv2
from hippocam.stream.errors import SourceError
from hippocam.stream.gate import ChangeGate, GateConfig
from hippocam.stream.metrics import Meter, StageStatus
from hippocam.stream.protocols import Encoder, Hearing, Sense, Source
from hippocam.stream.reading_gate import ReadingConfig, ReadingGate
from hippocam.stream.records import (
    Embedding,
    Frame,
    Image,
    Item,
    Note,
    Observation,
    Repeat,
    Sensed,
)
from hippocam.stream.sources.container_text import text_notes
from hippocam.stream.sources.video import VideoSource

T = TypeVar("T")
# What passes the encoder as it is.
P = TypeVar("P", bound=Repeat | Note)
# A note, and the time from which on it is known.
Told = tuple[float, Note]


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
    """

    fps: float | None = 1.0
    chunk: int = 8
    jpeg_side_px: int = 512
    jpeg_quality: int = 80
    gate: GateConfig = field(default_factory=GateConfig)
    reading: ReadingConfig = field(default_factory=ReadingConfig)

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


NO_SENSES = Senses()


def stream_id(source_id: str, camera: str) -> str:
    """Name of one camera's stream: the source's own id where it has one unnamed camera."""
    return f"{source_id}/{camera}" if camera else source_id


def _told(uri: str, observations: Iterable[Observation]) -> Iterator[Observation]:
    """Make whatever the disk does to a source that source's own error, so that the others go on."""
    try:
        yield from observations
    except OSError as error:
        raise SourceError(uri, f"cannot be read on ({error}); see to its disk and watch again") from error


def split(
    source_id: str,
    observations: Iterable[Observation],
    gate_config: GateConfig,
    *,
    source_uri: str = "",
    reading: ReadingConfig | None = None,
) -> Iterator[Frame | Repeat]:
    """Split observations into one frame a camera, and gate each camera's frames.

    Args:
        source_id: What streams are named after.
        observations: In the order of their seq.
        gate_config: When a frame counts as changed.
        source_uri: Named in errors.
        reading: Which changed frames are to be read; None for none.

    Raises:
        SourceError: The source broke off, or its disk failed.
    """
    gates: dict[str, ChangeGate] = {}
    readers: dict[str, ReadingGate] = {}
    for seen in _told(source_uri, observations):
        for camera in sorted(seen.images):
            stream, image = stream_id(source_id, camera), seen.images[camera]
            gate = gates.setdefault(stream, ChangeGate(gate_config))
            reader = None if reading is None else readers.setdefault(stream, ReadingGate(reading))
            changed = gate.changed(image)
            read = reader is not None and (reader.due if changed else reader.overdue)(image, seen.time_s)
            if changed or read:
                yield Frame(
                    stream=stream,
                    seq=seen.seq,
                    time_s=seen.time_s,
                    image=image,
                    sensors=seen.sensors,
                    text=seen.text,
                    read=read,
                )
            else:
                yield Repeat(stream=stream, seq=seen.seq, time_s=seen.time_s)


def notes_of(
    source: Source,
    stream: str,
    senses: Senses,
    *,
    from_s: float = -math.inf,
    to_s: float = math.inf,
    after_s: float | None = None,
) -> Iterator[Told]:
    """What is said in a source and in what comes with it, each note with the time from which on it is known.

    Args:
        source: What is watched; only video files have notes.
        stream: Name of the stream that the notes are of.
        senses: Whether it is heard.
        from_s: Only what begins (as speech: in a window that begins) from here on.
        to_s: And before this; stretches that follow one another give what the whole gives.
        after_s: What was known before this was written down; it need not be heard again.
    """
    if not isinstance(source, VideoSource):
        return iter(())
    path = Path(source.uri)
    given = ((n.t0_s, n) for n in text_notes(path, source.uri, stream) if from_s <= n.t0_s < to_s)
    if senses.hearing is None or source.keyframes_only:
        return given
    heard = senses.hearing.hear(source.uri, stream, from_s, to_s, after_s)
    return heapq.merge(given, heard, key=lambda told: told[0])


def woven(
    frames: Iterable[Frame | Repeat], told: Iterable[Told], after_s: float | None = None
) -> Iterator[Frame | Repeat | Note]:
    """Put notes between frames: each before the first frame that is later than the note was known.

    Args:
        frames: In the order of their seq.
        told: In the order in which they are known.
        after_s: What was known before this is left out: an earlier watch, up to here, has written it.
    """
    coming = iter(told)
    due = next(coming, None)
    for frame in frames:
        while due is not None and due[0] < frame.time_s:
            if after_s is None or due[0] >= after_s:
                yield due[1]
            due = next(coming, None)
        yield frame
    while due is not None:
        if after_s is None or due[0] >= after_s:
            yield due[1]
        due = next(coming, None)


def chunks(items: Iterable[Frame | P], size: int) -> Iterator[list[Frame | P]]:
    """Cut items into lists with size frames each, and at most 16 times as many items.

    Where the source breaks off, what it gave before that is yielded first.
    """
    chunk: list[Frame | P] = []
    frames = 0
    try:
        for item in items:
            chunk.append(item)
            frames += isinstance(item, Frame)
            if frames == size or len(chunk) == 16 * size:
                yield chunk
                chunk, frames = [], 0
    except SourceError:
        if chunk:
            yield chunk
        raise
    if chunk:
        yield chunk


def encode(
    chunk: Sequence[Frame | P], encoder: Encoder, config: PipelineConfig, senses: Senses = NO_SENSES
) -> list[Embedding | P]:
    """Encode the frames of a chunk and let the senses look at them; all else passes as it is, in its order."""
    frames = [item for item in chunk if isinstance(item, Frame)]
    encoded = encoder.encode_images([frame.image for frame in frames])
    vectors = iter(zip(encoded.vectors_ND, encoded.labels, strict=True))
    out: list[Embedding | P] = []
    for item in chunk:
        if not isinstance(item, Frame):
            out.append(item)
            continue
        vector, labels = next(vectors)
        out.append(
            Embedding(
                stream=item.stream,
                seq=item.seq,
                time_s=item.time_s,
                vector=vector,
                labels=labels,
                jpeg=encode_jpeg(item.image, config.jpeg_side_px, config.jpeg_quality),
                sensors=item.sensors,
                text=item.text,
                sensed=sense(item, senses),
            )
        )
    return out


def sense(frame: Frame, senses: Senses) -> Sensed:
    """What all senses together find in a frame."""
    looks = [one.look(frame.image) for one in senses.looking]
    if frame.read and senses.reading is not None:
        looks.append(senses.reading.look(frame.image))
    screens = [look.screen for look in looks if look.screen is not None]
    return Sensed(
        things=tuple(thing for look in looks for thing in look.things),
        screen=tuple(line for lines in screens for line in lines) if screens else None,
    )


def encode_jpeg(image: Image, side_px: int, quality: int) -> bytes:
    """Compress uint8 [H, W, 3] RGB to JPEG bytes, the longer side at most side_px."""
    height, width = image.shape[:2]
    scale = side_px / max(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    ok, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not ok:
        raise RuntimeError(f"OpenCV could not compress a frame of shape {image.shape}")
    return bytes(data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A source to run through the pipeline.

    Attributes:
        source: What is watched.
        name: What its streams are named after; its id, mostly.
        after_seq: Go on after this position, as when an earlier watch was interrupted; -1 from the start.
        after_s: Time up to which that watch was written; notes that were known before are not given again.
    """

    source: Source
    name: str
    after_seq: int = -1
    after_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """What an executor hands on: some items of a job, and whether the job ended with them.

    Attributes:
        job: Which job, by its place in the list.
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


def embed(
    job: Job,
    encoder: Encoder,
    config: PipelineConfig,
    meter: Meter | None = None,
    senses: Senses = NO_SENSES,
) -> Iterator[list[Item]]:
    """Run one job through decode, gate and encode.

    Args:
        job: What is watched.
        encoder: Encodes what has changed.
        config: How it is sampled and cut.
        meter: Is told what the stages do.
        senses: What perceives beside the encoder.

    Raises:
        SourceError: The source broke off; everything before it has been yielded.
    """
    meter = meter or Meter()
    observations = job.source.observations(fps=config.fps, after_seq=job.after_seq)
    decoded = meter.timed("decode", observations, within="gate")
    reading = config.reading if senses.reading is not None else None
    frames = split(job.name, decoded, config.gate, source_uri=job.source.uri, reading=reading)
    told = notes_of(job.source, job.name, senses, after_s=job.after_s)
    made = chunks(woven(frames, told, job.after_s), config.chunk)
    for chunk in ahead(_gated(made, meter), depth=2, meter=meter):
        start = time.perf_counter()
        items: list[Item] = [*encode(chunk, encoder, config, senses)]
        changed = sum(isinstance(item, Embedding) for item in items)
        meter.add("encode", items=changed, busy_s=time.perf_counter() - start)
        yield items


def _gated(made: Iterator[list[T]], meter: Meter) -> Iterator[list[T]]:
    """Take down how long splitting, gating and all below it took; decoding is taken off again by its own meter."""
    while True:
        start = time.perf_counter()
        chunk = next(made, None)
        meter.add("gate", busy_s=time.perf_counter() - start)
        if chunk is None:
            return
        yield chunk


def run_local(
    jobs: Sequence[Job], encoder: Encoder, config: PipelineConfig, senses: Senses = NO_SENSES
) -> Iterator[Chunk]:
    """Run jobs one after the other in this process."""
    for place, job in enumerate(jobs):
        error, meter = None, Meter()
        try:
            for items in embed(job, encoder, config, meter, senses):
                yield Chunk(job=place, items=items)
        except SourceError as raised:
            error = raised
        yield Chunk(job=place, items=[], ended=True, error=error, stages=meter.status())


@dataclass(frozen=True, slots=True)
class _End:
    error: BaseException | None


def ahead(items: Iterator[T], depth: int, meter: Meter | None = None) -> Iterator[T]:
    """Compute items in a thread, at most depth ahead of the consumer; errors surface here.

    A meter is told how long decoding waited for room, and encoding for frames.
    """
    ready: queue.Queue[T | _End] = queue.Queue(maxsize=depth)
    stopped = threading.Event()

    def put(item: T | _End) -> bool:
        start = time.perf_counter()
        while not stopped.is_set():
            try:
                ready.put(item, timeout=0.1)
            except queue.Full:
                continue
            if meter is not None:
                meter.add("decode", waited_s=time.perf_counter() - start)
            return True
        return False

    def take() -> T | _End:
        start = time.perf_counter()
        item = ready.get()
        if meter is not None:
            meter.add("encode", waited_s=time.perf_counter() - start)
        return item

    def work() -> None:
        error: BaseException | None = None
        try:
            for item in items:
                if not put(item):
                    return
        except BaseException as raised:
            error = raised
        put(_End(error))

    worker = threading.Thread(target=work, name="hippocam-decode", daemon=True)
    worker.start()
    try:
        while not isinstance(item := take(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        stopped.set()
        worker.join()
