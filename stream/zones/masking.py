"""A source with masks before its pictures: what they cover nobody looks at, in whichever process it is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from hippocam.stream.protocols import Hearing, Source
from hippocam.stream.records import Note, Observation, Stretch, stream_id
from hippocam.stream.zones.polygons import CameraZones, marked_for, masked


class MaskedSource:
    """A source whose pictures are masked; see `Source`.

    Args:
        source: The source.
        zones: What is marked, by the names or patterns of streams and cameras.
        names: What else the source is called: the camera that made it.
    """

    def __init__(self, source: Source, zones: Mapping[str, CameraZones], names: tuple[str, ...]) -> None:
        self._source, self._zones, self._names = source, zones, names

    @property
    def id(self) -> str:
        """That of the source."""
        return self._source.id

    @property
    def uri(self) -> str:
        """That of the source."""
        return self._source.uri

    @property
    def duration_s(self) -> float | None:
        """That of the source."""
        return self._source.duration_s

    @property
    def keyframes_only(self) -> bool:
        """Whether the source gives key frames alone."""
        return self._source.keyframes_only

    def observations(
        self, *, fps: float | None, after_seq: int = -1, stretch: Stretch | None = None
    ) -> Iterator[Observation]:
        """Yield what the source shows beside its masks; the arguments are those of `Source.observations`."""
        for seen in self._source.observations(fps=fps, after_seq=after_seq, stretch=stretch):
            covered = {camera: masked(image, self._marked(camera).masks) for camera, image in seen.images.items()}
            yield replace(seen, images=covered)

    def notes(
        self, stream: str, *, hearing: Hearing | None, stretch: Stretch | None = None, after_s: float | None = None
    ) -> Iterator[tuple[float, Note]]:
        """Yield the words of the source: sound has no masks."""
        return self._source.notes(stream, hearing=hearing, stretch=stretch, after_s=after_s)

    def segments(self, segment_s: float) -> int:
        """Into how many segments the source can be cut."""
        return self._source.segments(segment_s)

    def _marked(self, camera: str) -> CameraZones:
        own = (stream_id(self.id, camera), camera) if camera else ()
        return marked_for(self._zones, *own, self.id, *self._names)
