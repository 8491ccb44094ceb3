"""Turns whatever goes wrong in a source into that source's error, so that one bad source never stops others.

A decoder, a parser or a source of somebody else's may raise anything. Every executor reads sources through here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from numbers import Real
from typing import TypeVar

from hippocam.stream.errors import HippocamError, SourceError
from hippocam.stream.protocols import Source
from hippocam.stream.records import Note, storable

T = TypeVar("T")

# Most characters of a foreign error's message that are shown.
_MAX_TOLD = 300


@contextmanager
def blamed_on(uri: str, doing: str = "reading it") -> Iterator[None]:
    """Raise whatever goes wrong inside as an error of a source; errors of ours stay as they are.

    Args:
        uri: The source.
        doing: What was being done.

    Raises:
        SourceError: Something went wrong; its cause is the original.
    """
    try:
        yield
    except (HippocamError, KeyboardInterrupt):
        raise
    except OSError as error:
        raise SourceError(uri, f"cannot be read on ({_told(error)}); see to its disk and watch again") from error
    except BaseException as error:  # also what a parser in Rust panics with, and one that ends the process
        raise SourceError(uri, f"{doing} failed ({type(error).__name__}: {_told(error)})") from error


def _told(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # it cannot even say what is wrong
        text = "without a word"
    return storable(" ".join(text.split())[:_MAX_TOLD])


def read(uri: str, opened: Callable[[], Iterable[T]]) -> Iterator[T]:
    """Open something of a source and yield what it gives.

    Raises:
        SourceError: As for `blamed_on`; what came before has been yielded.
    """
    with blamed_on(uri, "opening it"):
        items = iter(opened())
    while True:
        with blamed_on(uri):
            try:
                item = next(items)
            except StopIteration:
                return
        yield item


def noted(uri: str, given: Iterable[tuple[float, Note]]) -> Iterator[tuple[float, Note]]:
    """Yield the words that come with a source, each checked to be what `Source.notes` promises.

    Raises:
        SourceError: One is something else.
    """
    for one in given:
        known = isinstance(one, tuple) and len(one) == 2 and isinstance(one[0], Real) and not math.isnan(one[0])
        if not known or not isinstance(one[1], Note):
            raise SourceError(uri, f"gave {type(one).__name__} for words with the time at which they are known")
        yield one


class Later:
    """Reads as `read` does, but ends quietly where the source breaks off, and keeps the error for later.

    It is for words beside pictures: pictures are not held back because words cannot be read.

    Args:
        uri: The source.

    Attributes:
        error: Why it broke off; None where it has not.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self.error: SourceError | None = None

    def read(self, opened: Callable[[], Iterable[T]]) -> Iterator[T]:
        """Open something of the source and yield what it gives.

        Raises:
            HippocamError: Something other than the source is at fault.
        """
        try:
            yield from read(self._uri, opened)
        except SourceError as error:
            self.error = error


def length_s(source: Source) -> float | None:
    """Length of a source in seconds; None where it cannot be told: reading the source tells why."""
    try:
        seconds = source.duration_s
        return float(seconds) if seconds is not None and math.isfinite(seconds) and seconds >= 0 else None
    except Exception:
        return None


def segment_count(source: Source, segment_s: float) -> int:
    """Return how many segments of about segment_s a source is cut into, 1 or more.

    Raises:
        SourceError: As for `blamed_on`.
    """
    with blamed_on(source.uri, "cutting it into segments"):
        return max(1, int(source.segments(segment_s)))
