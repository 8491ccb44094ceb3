"""One segment into one part, in a process of its own.

What goes wrong with a segment is written into its part, so that one bad file never stops the others. A segment
that kills its worker several times is not tried again; its part says why.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from hippocam.stream.archive.parts import PartWriter
from hippocam.stream.archive.plan import Footage
from hippocam.stream.archive.work_folder import WorkFolder
from hippocam.stream.errors import HippocamError, SourceError
from hippocam.stream.guard import blamed_on
from hippocam.stream.ingest import Ingest
from hippocam.stream.pipeline import NO_SENSES, Job, PipelineConfig, Senses
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import Frame, Item
from hippocam.stream.sources.remote import is_there

# Attempts without an end after which a segment is not tried again.
MAX_TRIES = 3
# Sides of the blank picture that networks are loaded with, pixels.
_BLANK_PX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """How segments are made, and where they are written.

    Attributes:
        folder: Where parts are written.
        pipeline: How frames are sampled, gated and encoded.
        segment_s: Length of a segment, seconds.
        senses: What perceives beside the encoder.
    """

    folder: WorkFolder
    pipeline: PipelineConfig
    segment_s: float
    senses: Senses = NO_SENSES


class Made(NamedTuple):
    """What became of an attempt to make a segment; what is wrong with footage that can be read stands in its part.

    Attributes:
        problem: Why no part was made; "" where it was.
        fault: Whose fault that is: this machine's, or that of footage that cannot be handed over; or the footage
            is not seen from here and may be gone for all.
        reason: Of footage that is not seen from here, what its source said.
    """

    problem: str = ""
    fault: Literal["machine", "unseen", "footage"] = "machine"
    reason: str = ""


class SegmentWorker:
    """Makes parts. The encoder is loaded when it is prepared, or with the first segment.

    Args:
        work: How segments are made.
        make_encoder: Builds the encoder in this process.
    """

    def __init__(self, work: Work, make_encoder: Callable[[], Encoder]) -> None:
        self._work, self._make_encoder = work, make_encoder
        self._encoder: Encoder | None = None

    def prepare(self) -> None:
        """Load all networks, so that what is missing on this machine shows before any footage is touched.

        Raises:
            HippocamError: The work folder is not seen from here, or the encoder or a sense cannot be had.
        """
        self._check_seen()
        blank = np.zeros((_BLANK_PX, _BLANK_PX, 3), np.uint8)
        reads = self._work.senses.reading is not None
        frame = Frame(stream="/", seq=0, time_s=0.0, image=blank, read=reads)
        self._ingest().encode([frame])

    def make(self, footage: Footage, number: int) -> Made:
        """Make the part of a segment, unless it is there."""
        try:
            unseen = self._make(footage, number)
        except (HippocamError, OSError) as error:
            return Made(" ".join(str(error).split()))
        if not unseen:
            return Made()
        uri = footage.source.uri
        told = f"{socket.gethostname()} does not see {uri}: mount it on all machines alike"
        return Made(told, "unseen", unseen)

    def _make(self, footage: Footage, number: int) -> str:
        """Make the part of a segment, unless it exists.

        Returns:
            What its source said of footage that is not seen from here; "" of any other.

        Raises:
            HippocamError: The work folder is not seen from here, or the encoder cannot be had.
        """
        work = self._work.folder
        self._check_seen()
        path = work.part(footage.key, number)
        if path.exists() or work.is_called_off(footage.key):
            return ""
        uri = footage.source.uri
        tries = work.attempt(footage.key, number)
        with PartWriter(path) as part:
            began_s = time.process_time()
            error = ""
            try:
                if tries >= MAX_TRIES:
                    raise SourceError(
                        uri,
                        f"its worker died {tries} times on it (out of memory, or a fault in a decoder?); "
                        "what came before was kept, convert the file or have it tried again",
                    )
                for items in self._items(footage, number):
                    with blamed_on(uri, "keeping it"):
                        part.add(items)
            except SourceError as raised:  # all else would befall other footage, too
                if not is_there(uri):
                    work.ended(footage.key, number)
                    return raised.reason
                error = raised.reason
            part.end(error=error, cpu_s=time.process_time() - began_s)
        work.ended(footage.key, number)
        return ""

    def _check_seen(self) -> None:
        if not self._work.folder.seen():
            raise HippocamError(
                f"{socket.gethostname()} does not see {self._work.folder.folder}: put the archive's memories into "
                "a folder that all machines of the cluster share"
            )

    def _ingest(self) -> Ingest:
        if self._encoder is None:
            self._encoder = self._make_encoder()
        return Ingest(self._encoder, self._work.pipeline, self._work.senses)

    def _items(self, footage: Footage, number: int) -> Iterator[list[tuple[str, Item]]]:
        """Yield the frames and notes of a segment in chunks, each with the name of its camera."""
        work = self._work
        index_file = work.folder.index(footage.key)
        job = Job(
            source=footage.source,
            name="",
            after_seq=footage.after_seq,
            after_s=footage.after_s,
            stretch=footage.stretch(number, segment_s=work.segment_s, index_file=index_file),
        )
        for items in self._ingest().run(job):
            yield [(item.stream.removeprefix("/"), item) for item in items]


def give_up(work: Work, footage: Footage, number: int, made: Made) -> bool:
    """Write a part that says why it holds nothing, if the footage is at fault and no machine.

    Returns:
        Whether it is.
    """
    reason = made.problem
    if made.fault == "unseen" and not is_there(footage.source.uri):
        reason = made.reason
    elif made.fault != "footage":
        return False
    with PartWriter(work.folder.part(footage.key, number)) as part:
        part.end(error=reason, cpu_s=0.0)
    return True
