"""A source in, chunks of embeddings out: decode, split by camera, gate, encode.

Decoding runs in a thread of its own, a bounded queue ahead of the encoder. Chunks have a fixed size and
depend on the source alone, so every executor encodes the same batches and makes the same memory.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import cv2

from hippocam.stream.errors import SourceError
from hippocam.stream.gate import ChangeGate, GateConfig
from hippocam.stream.metrics import Meter, StageStatus
from hippocam.stream.protocols import Encoder, Source
from hippocam.stream.records import Embedding, Frame, Image, Observation, Repeat

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineConfig:
    """How a source is sampled and cut into work for the encoder.

    Attributes:
        fps: Observations a second, above 0; None takes every one.
        chunk: Frames that are encoded together, 1 or more.
        jpeg_side_px: Longer side of the kept pictures, pixels, 64 to 4096; smaller ones are not enlarged.
        jpeg_quality: 1 to 100.
        gate: When a frame counts as changed.
    """

    fps: float | None = 1.0
    chunk: int = 8
    jpeg_side_px: int = 512
    jpeg_quality: int = 80
    gate: GateConfig = field(default_factory=GateConfig)

    def __post_init__(self) -> None:
        if self.fps is not None and not self.fps > 0:
            raise ValueError(f"fps must be above 0 (or left out for every frame), found {self.fps}")
        for name, low, high in (("chunk", 1, 1024), ("jpeg_side_px", 64, 4096), ("jpeg_quality", 1, 100)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"pipeline.{name} must be {low} to {high}, found {value}")


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
    source_id: str, observations: Iterable[Observation], gate_config: GateConfig, *, source_uri: str = ""
) -> Iterator[Frame | Repeat]:
    """Split observations into one frame a camera, and gate each camera's frames.

    Raises:
        SourceError: The source broke off, or its disk failed.
    """
    gates: dict[str, ChangeGate] = {}
    for seen in _told(source_uri, observations):
        for camera in sorted(seen.images):
            stream, image = stream_id(source_id, camera), seen.images[camera]
            gate = gates.setdefault(stream, ChangeGate(gate_config))
            if gate.changed(image):
                yield Frame(
                    stream=stream,
                    seq=seen.seq,
                    time_s=seen.time_s,
                    image=image,
                    sensors=seen.sensors,
                    text=seen.text,
                )
            else:
                yield Repeat(stream=stream, seq=seen.seq, time_s=seen.time_s)


def chunks(items: Iterable[Frame | Repeat], size: int) -> Iterator[list[Frame | Repeat]]:
    """Cut items into lists with size frames each, and at most 16 times as many items.

    Where the source breaks off, what it gave before that is yielded first.
    """
    chunk: list[Frame | Repeat] = []
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


def encode(chunk: list[Frame | Repeat], encoder: Encoder, config: PipelineConfig) -> list[Embedding | Repeat]:
    """Encode the frames of a chunk; repeats pass as they are, and the order stays."""
    frames = [item for item in chunk if isinstance(item, Frame)]
    encoded = encoder.encode_images([frame.image for frame in frames])
    vectors = iter(zip(encoded.vectors_ND, encoded.labels, strict=True))
    out: list[Embedding | Repeat] = []
    for item in chunk:
        if isinstance(item, Repeat):
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
            )
        )
    return out


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
    """

    source: Source
    name: str
    after_seq: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """What an executor hands on: some items of a job, and whether the job ended with them.

    Attributes:
        job: Which job, by its place in the list.
        items: Embeddings and repeats, each stream in the order of its seq.
        ended: Whether nothing follows.
        error: Why the job broke off; everything before has been handed on.
        stages: With the last chunk of a job: what decoder, gate and encoder did for all of it.
    """

    job: int
    items: list[Embedding | Repeat]
    ended: bool = False
    error: SourceError | None = None
    stages: tuple[StageStatus, ...] = ()


def embed(
    job: Job, encoder: Encoder, config: PipelineConfig, meter: Meter | None = None
) -> Iterator[list[Embedding | Repeat]]:
    """Run one job through decode, gate and encode.

    Args:
        job: What is watched.
        encoder: Encodes what has changed.
        config: How it is sampled and cut.
        meter: Is told what the stages do.

    Raises:
        SourceError: The source broke off; everything before it has been yielded.
    """
    meter = meter or Meter()
    observations = job.source.observations(fps=config.fps, after_seq=job.after_seq)
    decoded = meter.timed("decode", observations, within="gate")
    made = chunks(split(job.name, decoded, config.gate, source_uri=job.source.uri), config.chunk)
    for chunk in ahead(_gated(made, meter), depth=2, meter=meter):
        start = time.perf_counter()
        items = encode(chunk, encoder, config)
        changed = sum(isinstance(item, Embedding) for item in items)
        meter.add("encode", items=changed, busy_s=time.perf_counter() - start)
        yield items


def _gated(made: Iterator[list[Frame | Repeat]], meter: Meter) -> Iterator[list[Frame | Repeat]]:
    """Take down how long splitting, gating and all below it took; decoding is taken off again by its own meter."""
    while True:
        start = time.perf_counter()
        chunk = next(made, None)
        meter.add("gate", busy_s=time.perf_counter() - start)
        if chunk is None:
            return
        yield chunk


def run_local(jobs: Sequence[Job], encoder: Encoder, config: PipelineConfig) -> Iterator[Chunk]:
    """Run jobs one after the other in this process."""
    for place, job in enumerate(jobs):
        error, meter = None, Meter()
        try:
            for items in embed(job, encoder, config, meter):
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
