"""What every robot's log becomes: instants in the order of their time, as a source that is read whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from hippocam.stream.errors import SourceError
from hippocam.stream.protocols import Hearing
from hippocam.stream.records import (
    ACTION_NAMES,
    NO_SENSORS,
    STATE_NAMES,
    Image,
    Note,
    Observation,
    Sensors,
    Stretch,
    stream_id,
)
from hippocam.stream.robot.dimensions import named
from hippocam.stream.sources.sampling import TimeGrid
from hippocam.stream.sources.whole import WholeSource

# Instants in which what the numbers are called is looked for.
_FIRST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Instant:
    """What a log says of one instant.

    Attributes:
        time_s: Seconds from the log's start, never less than the one before.
        images: Reads the picture of each camera that has one now; None where it cannot be decoded.
        sensors: What was known then.
        text: Words that the log gives, such as the task. Untrusted.
        state_names: What the numbers of the state are called; none where the log does not tell.
        action_names: Likewise, those of the action.
    """

    time_s: float
    images: Mapping[str, Callable[[], Image | None]] = field(default_factory=dict)
    sensors: Sensors = NO_SENSORS
    text: str = ""
    state_names: Sequence[str] = ()
    action_names: Sequence[str] = ()


class Log(Protocol):
    """A log of one recording or episode. Picklable before it is read."""

    @property
    def uri(self) -> str:
        """Where it is."""

    def duration_s(self) -> float | None:
        """Its length in seconds; None where that is not known without reading it."""

    def instants(self) -> Iterable[Instant]:
        """Read it from the start, in the order of time.

        Raises:
            SourceError: It cannot be read, or not to its end; or what of it was left out, once all else was given.
        """


class LogSource(WholeSource):
    """A log as a source; each of its cameras is sampled by itself.

    Args:
        log: What is read.
        id: Name of the source.
    """

    def __init__(self, log: Log, *, id: str) -> None:
        self._log, self._id = log, id

    @property
    def id(self) -> str:
        """Name of the source."""
        return self._id

    @property
    def uri(self) -> str:
        """Where the log is."""
        return self._log.uri

    @property
    def duration_s(self) -> float | None:
        """Length in seconds, None where it is not known."""
        try:
            return self._log.duration_s()
        except (SourceError, OSError):
            return None  # observations() tells why

    def notes(
        self, stream: str, *, hearing: Hearing | None, stretch: Stretch | None = None, after_s: float | None = None
    ) -> Iterator[tuple[float, Note]]:
        """Yield what its numbers are called, where its first instants tell: its words come with its instants.

        Args:
            stream: Name of the recording.
            hearing: Ignored: it has no sound.
            stretch: Ignored: there is only one segment.
            after_s: Ignored: little is said.
        """
        names: dict[str, Sequence[str]] = {}
        camera: str | None = None
        try:
            for instant in islice(self._log.instants(), _FIRST):
                camera = min(instant.images, default=None) if camera is None else camera
                for kind, told in ((STATE_NAMES, instant.state_names), (ACTION_NAMES, instant.action_names)):
                    if told:
                        names.setdefault(kind, told)
                if camera is not None and len(names) == 2:
                    break
        except SourceError:
            return  # observations() tells why
        for kind, told in names.items() if camera is not None else ():
            for note in named(kind, told, stream=stream_id(stream, camera or ""), time_s=0.0):
                yield note.t0_s, note

    def observations(
        self, *, fps: float | None, after_seq: int = -1, stretch: Stretch | None = None
    ) -> Iterator[Observation]:
        """Yield its instants that have pictures; seq is an instant's rank in the log.

        Args:
            fps: Pictures a second of each camera, above 0; None gives every one.
            after_seq: Only instants with a greater seq.
            stretch: Ignored: there is only one segment.

        Raises:
            ValueError: fps is not a positive number.
            SourceError: The log cannot be read; or, once all others were yielded, how many pictures of which
                camera cannot be decoded.
        """
        grids: dict[str, TimeGrid] = {}
        broken: dict[str, int] = {}
        for seq, instant in enumerate(self._log.instants()):
            images: dict[str, Image] = {}
            for camera, decode in instant.images.items():
                kept = grids.setdefault(camera, TimeGrid(fps)).keeps(instant.time_s)
                if not kept or seq <= after_seq:
                    continue
                image = decode()
                if image is None:
                    broken[camera] = broken.get(camera, 0) + 1
                else:
                    images[camera] = image
            if images:
                yield Observation(
                    seq=seq, time_s=instant.time_s, images=images, sensors=instant.sensors, text=instant.text
                )
        if broken:
            told = ", ".join(f"{count} of {camera or 'the camera'}" for camera, count in broken.items())
            raise SourceError(self.uri, f"pictures that cannot be read: {told}; all others were kept")
