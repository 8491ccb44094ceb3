"""Frames and notes into chunks for the encoder, made ahead of it.

Chunks have a fixed size and depend on the source alone, so every executor encodes the same batches and makes the
same memory.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from hippocam.stream.errors import SourceError
from hippocam.stream.metrics import Meter
from hippocam.stream.records import Frame, Note, Repeat

T = TypeVar("T")
# What passes the encoder as it is.
P = TypeVar("P", bound=Repeat | Note)


def woven(
    frames: Iterable[Frame | Repeat], known: Iterable[tuple[float, Note]], after_s: float | None = None
) -> Iterator[Frame | Repeat | Note]:
    """Put each note before the first frame that comes after the note was known.

    Args:
        frames: In the order of their seq.
        known: The time at which each note was known, and the note, by time.
        after_s: Leave out notes that were known before this: an earlier watch has written them.
    """
    coming = iter(known)
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
    """Cut items into lists of `size` frames, and of at most 16 times as many items.

    If the source breaks off, everything before that is yielded first.
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


@dataclass(frozen=True, slots=True)
class _End:
    error: BaseException | None


def ahead(items: Iterator[T], depth: int, meter: Meter | None = None) -> Iterator[T]:
    """Compute items in a thread, at most `depth` ahead of the consumer, to whom its errors are raised.

    The meter is told how long decoding waited for room in the queue, and encoding for frames.
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
