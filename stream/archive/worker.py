"""One segment into one part, in a process of its own.

What goes wrong with a segment is written into its part, so that one bad file never stops the others. A segment
that kills its worker several times is not tried again; its part says why.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hippocam.stream.archive.parts import PartWriter
from hippocam.stream.archive.plan import Footage, Segment
from hippocam.stream.archive.work_folder import WorkFolder
from hippocam.stream.errors import HippocamError, SourceError
from hippocam.stream.guard import blamed_on
from hippocam.stream.ingest import Ingest
from hippocam.stream.pipeline import NO_SENSES, Job, PipelineConfig, Senses
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import Item

# Attempts without an end after which a segment is not tried again.
MAX_TRIES = 3
# Seconds between two looks at how far the memory has come, of a worker that waits for it.
_PAUSE_S = 0.1
# Seconds after which a waiting worker goes on although the memory has taken nothing.
_PATIENCE_S = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What every worker knows.

    Attributes:
        footage: All that is archived.
        folder: Where parts are written.
        pipeline: How frames are sampled, gated and encoded.
        segment_s: Length of a segment, seconds.
        ahead: How many segments may be made ahead of the memory.
        senses: What perceives beside the encoder.
    """

    footage: Sequence[Footage]
    folder: WorkFolder
    pipeline: PipelineConfig
    segment_s: float
    ahead: int
    senses: Senses = NO_SENSES


class SegmentWorker:
    """Makes parts. The encoder is loaded with the first segment.

    Args:
        work: What is to be done.
        make_encoder: Builds the encoder in this process.
    """

    def __init__(self, work: Work, make_encoder: Callable[[], Encoder]) -> None:
        self._work, self._make_encoder = work, make_encoder
        self._encoder: Encoder | None = None

    def __call__(self, row: dict[str, int]) -> dict[str, int | str]:
        """Make the part of a segment, unless it is there.

        Args:
            row: "at", its index in the run; "index" and "number", see Segment.

        Returns:
            "at", and "fatal": why the whole run cannot go on; "" where it can.
        """
        try:
            self.make(row["at"], Segment(index=row["index"], number=row["number"]))
        except (HippocamError, OSError) as error:
            return {"at": row["at"], "fatal": " ".join(str(error).split())}
        return {"at": row["at"], "fatal": ""}

    def make(self, at: int, segment: Segment) -> None:
        """Make the part of a segment when the memory has come near enough; do nothing if the part exists.

        Raises:
            HippocamError: The work folder or the footage is not seen from here, or the encoder cannot be had.
        """
        work, footage = self._work.folder, self._work.footage[segment.index]
        if not work.seen():
            raise HippocamError(
                f"{socket.gethostname()} does not see {work.folder}: put the archive's memories into a folder "
                "that all machines of the cluster share"
            )
        self._wait(at)
        path = work.part(footage.key, segment.number)
        if path.exists() or work.is_called_off(footage.key):
            return
        uri = footage.source.uri
        tries = work.attempt(footage.key, segment.number)
        with PartWriter(path) as part:
            began_s = time.process_time()
            error, seen = "", True
            try:
                if tries >= MAX_TRIES:
                    raise SourceError(
                        uri,
                        f"its worker died {tries} times on it (out of memory, or a fault in a decoder?); "
                        "what came before was kept, convert the file or have it tried again",
                    )
                for items in self._items(footage, segment.number):
                    with blamed_on(uri, "keeping it"):
                        part.add(items)
            except (
                SourceError
            ) as raised:  # all else is not the fault of this footage: other footage would fail too
                error = raised.reason
                seen = Path(uri).exists()
            part.end(error=error, seen=seen, cpu_s=time.process_time() - began_s)
        work.ended(footage.key, segment.number)

    def _wait(self, at: int) -> None:
        """Wait until the memory is near enough, but not for ever, or a lost machine would stop all others."""
        taken, since_s = self._work.folder.taken(), time.monotonic()
        while at > taken + self._work.ahead and time.monotonic() - since_s < _PATIENCE_S:
            time.sleep(_PAUSE_S)
            now = self._work.folder.taken()
            if now != taken:
                taken, since_s = now, time.monotonic()

    def _items(self, footage: Footage, number: int) -> Iterator[list[tuple[str, Item]]]:
        """Yield the frames and notes of a segment in chunks, each with the name of its camera."""
        work = self._work
        if self._encoder is None:
            self._encoder = self._make_encoder()
        index_file = work.folder.index(footage.key)
        job = Job(
            source=footage.source,
            name="",
            after_seq=footage.after_seq,
            after_s=footage.after_s,
            stretch=footage.stretch(number, segment_s=work.segment_s, index_file=index_file),
        )
        for items in Ingest(self._encoder, work.pipeline, work.senses).run(job):
            yield [(item.stream.removeprefix("/"), item) for item in items]
