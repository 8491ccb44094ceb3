"""The one loop that watches: decode, gate, encode and sense, and hand on in chunks.

    source -> split by camera -> gates -> notes woven in -> chunks -> encoder and senses -> items

A watch of files, an archive's workers and live cameras all run it; they differ in where frames come from and in
who takes the items. Decoding and gating run in a thread of their own, a bounded queue ahead of the encoder.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from hippocam.stream import guard
from hippocam.stream.chunks import P, ahead, chunks, woven
from hippocam.stream.errors import HippocamError, SourceError
from hippocam.stream.gates import Gates, split
from hippocam.stream.jpeg import encode_jpeg
from hippocam.stream.metrics import Meter
from hippocam.stream.pipeline import NO_SENSES, Chunk, Job, PipelineConfig, Senses
from hippocam.stream.portraits.choosing import PortraitChooser
from hippocam.stream.portraits.cutting import with_surroundings
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import (
    NO_SENSORS,
    Embedding,
    FloatArray,
    Frame,
    Image,
    Item,
    Note,
    Repeat,
    Sensed,
    Sensors,
)

T = TypeVar("T")


class Ingest:
    """Gates, encodes and senses what some streams show, for one run of a source or of live cameras.

    Args:
        encoder: Encodes what has changed.
        config: How a source is sampled and cut into chunks.
        senses: What perceives beside the encoder.
        meter: Is told what the stages do.
    """

    def __init__(
        self, encoder: Encoder, config: PipelineConfig, senses: Senses = NO_SENSES, meter: Meter | None = None
    ) -> None:
        self.config = config
        self._encoder, self.senses = encoder, senses
        self._meter = meter or Meter()
        self._gates = Gates(config.gate, config.reading if senses.reading is not None else None)
        self._portraits = PortraitChooser(config.portraits)

    def run(self, job: Job) -> Iterator[list[Item]]:
        """Yield what becomes of a source, chunk by chunk.

        Raises:
            SourceError: The source broke off; everything before it has been yielded.
            HippocamError: The encoder failed.
        """
        made = chunks(self._seen(job), self.config.chunk)
        for chunk in ahead(_gated(made, self._meter), depth=2, meter=self._meter):
            yield self.encode(chunk)

    def _seen(self, job: Job) -> Iterator[Frame | Repeat | Note]:
        """Yield the gated frames and notes of a source; words that cannot be read are told after all pictures."""
        source, meter = job.source, self._meter
        words = guard.Later(source.uri)

        def frames() -> Iterator[Frame | Repeat]:
            seen = source.observations(fps=self.config.fps, after_seq=job.after_seq, stretch=job.stretch)
            return split(job.name, meter.timed("decode", seen, within="gate"), self._gates)

        def notes() -> Iterable[tuple[float, Note]]:
            given = source.notes(job.name, hearing=self.senses.hearing, stretch=job.stretch, after_s=job.after_s)
            return guard.noted(source.uri, given)

        yield from woven(guard.read(source.uri, frames), words.read(notes), job.after_s)
        if words.error is not None:
            raise words.error

    def see(
        self, stream: str, seq: int, time_s: float, image: Image, sensors: Sensors = NO_SENSORS, text: str = ""
    ) -> Frame | Repeat:
        """Gate the next frame of a camera that is no source: a live one. The arguments are those of Frame."""
        return self._gates.see(stream, seq, time_s, image, sensors, text)

    def restart(self, stream: str) -> None:
        """Take the next frame of a stream as new whatever it shows, as after a gap."""
        self._gates.restart(stream)
        self._portraits.restart(stream)

    def encode(self, chunk: Sequence[Frame | P]) -> list[Embedding | P]:
        """Encode the frames of a chunk and let the senses look at them; everything else passes as it is, in order.

        Raises:
            HippocamError: The encoder or a sense failed: the next chunk would end like this one.
        """
        start = time.perf_counter()
        try:
            items = self._encoded(chunk)
        except HippocamError:
            raise
        except Exception as error:  # a network may raise anything; the source is not at fault
            raise HippocamError(f"the encoder failed ({type(error).__name__}: {error})") from error
        changed = sum(isinstance(item, Embedding) for item in items)
        self._meter.add("encode", items=changed, busy_s=time.perf_counter() - start)
        return items

    def _encoded(self, chunk: Sequence[Frame | P]) -> list[Embedding | P]:
        frames = [item for item in chunk if isinstance(item, Frame)]
        encoded = self._encoder.encode_images([frame.image for frame in frames])
        found = self._with_portraits(frames, [sense(frame, self.senses) for frame in frames])
        made = map(self._embedding, frames, encoded.vectors_ND, encoded.labels, found)
        return [next(made) if isinstance(item, Frame) else item for item in chunk]

    def _with_portraits(self, frames: Sequence[Frame], found: Sequence[Sensed]) -> list[Sensed]:
        """Encode the things that are worth it by themselves, all of a chunk together."""
        chosen = self._portraits.choose(frames, [each.things for each in found])
        if not chosen:
            return list(found)
        margin = self.config.portraits.margin
        cuts = [
            with_surroundings(frames[c.frame].image, found[c.frame].things[c.thing].box, margin) for c in chosen
        ]
        things = [list(each.things) for each in found]
        for each, portrait in zip(chosen, self._encoder.encode_images(cuts).vectors_ND, strict=True):
            things[each.frame][each.thing] = replace(things[each.frame][each.thing], portrait=portrait)
        return [replace(one, things=tuple(own)) for one, own in zip(found, things, strict=True)]

    def _embedding(self, frame: Frame, vector_D: FloatArray, labels: tuple[str, ...], sensed: Sensed) -> Embedding:
        return Embedding(
            stream=frame.stream,
            seq=frame.seq,
            time_s=frame.time_s,
            vector=vector_D,
            labels=labels,
            jpeg=encode_jpeg(frame.image, self.config.jpeg_side_px, self.config.jpeg_quality),
            sensors=frame.sensors,
            text=frame.text,
            sensed=sensed,
            cut_s=frame.cut_s,
            mark=frame.mark,
        )


def sense(frame: Frame, senses: Senses) -> Sensed:
    """Return what all senses together find in a frame."""
    looks = [one.look(frame.image) for one in senses.looking]
    if frame.read and senses.reading is not None:
        looks.append(senses.reading.look(frame.image))
    screens = [look.screen for look in looks if look.screen is not None]
    return Sensed(
        things=tuple(thing for look in looks for thing in look.things),
        screen=tuple(line for lines in screens for line in lines) if screens else None,
    )


def _gated(made: Iterator[list[T]], meter: Meter) -> Iterator[list[T]]:
    """Measure how long splitting and gating take; the meter of decoding subtracts its own share."""
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
    for index, job in enumerate(jobs):
        error, meter = None, Meter()
        try:
            for items in Ingest(encoder, config, senses, meter).run(job):
                yield Chunk(job=index, items=items)
        except SourceError as raised:
            error = raised
        yield Chunk(job=index, items=[], ended=True, error=error, stages=meter.status())
