"""Files of one camera, each with the true time at which it begins, as one source whose times count from 1970."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hippocam.stream.errors import SourceError
from hippocam.stream.protocols import Hearing
from hippocam.stream.records import Image, Note, Observation, Stretch
from hippocam.stream.sources.folders import VIDEO_SUFFIXES
from hippocam.stream.sources.pictures.decoding import read_image
from hippocam.stream.sources.sampling import TimeGrid
from hippocam.stream.sources.video import LONGEST_PX, VideoSource
from hippocam.stream.sources.whole import WholeSource

# Positions are milliseconds since 1970, so that they stay what they are when older files go and newer ones come.
_PER_S = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A video or a picture that lies on this machine.

    Attributes:
        path: The file.
        start_s: When it begins, in seconds since 1970.
        end_s: When it ends, as its program says; None where that is not known.
        times_s: Of a video by the rank of a frame: its time, in seconds since 1970, for the frames that its
            program names; empty where the video's own times, counted from start_s, are true.
    """

    path: Path
    start_s: float
    end_s: float | None = None
    times_s: Mapping[int, float] = field(default_factory=dict)

    @property
    def is_picture(self) -> bool:
        """Whether it is a picture and no video."""
        return self.path.suffix.casefold() not in VIDEO_SUFFIXES


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Words with a time of their own, in seconds since 1970; fields as in Note."""

    kind: str
    t0_s: float
    t1_s: float
    text: str
    line: int = 0


class PieceSource(WholeSource):
    """Pieces of one camera in the order of time, with the words that belong to it.

    Args:
        id: Name of the source.
        uri: Where its program keeps it.
        pieces: By their start.
        words: By their start.
    """

    def __init__(self, *, id: str, uri: str, pieces: Sequence[Piece], words: Sequence[Words] = ()) -> None:
        self._id, self._uri = id, uri
        self._pieces, self._words = pieces, words

    @property
    def id(self) -> str:
        """Name of the source."""
        return self._id

    @property
    def uri(self) -> str:
        """Where its program keeps it."""
        return self._uri

    @property
    def duration_s(self) -> float | None:
        """None: its times count from 1970."""
        return None

    @property
    def pieces(self) -> int:
        """How many files it has."""
        return len(self._pieces)

    def observations(
        self, *, fps: float | None, after_seq: int = -1, stretch: Stretch | None = None
    ) -> Iterator[Observation]:
        """Yield what the pieces show; what one shows of a time that another has shown is left out.

        Args:
            fps: Pictures a second, above 0; None for every one.
            after_seq: Only what comes after this time, in milliseconds since 1970.
            stretch: Ignored: there is only one segment.

        Raises:
            SourceError: Pieces cannot be read, or not to their ends; all others were yielded.
        """
        last, broken = after_seq, list[str]()
        for piece in self._pieces:
            if piece.end_s is not None and round(piece.end_s * _PER_S) <= after_seq:
                continue
            try:
                for time_s, images in _shown(piece, fps):
                    seq = round(time_s * _PER_S)
                    if after_seq < seq <= last and piece.is_picture:  # several photographs in one second
                        seq = last + 1
                    if seq > last:
                        last = seq
                        shown_s = max(time_s, seq / _PER_S)
                        cut_s = shown_s if piece.is_picture else None  # a photograph is an event of its own
                        yield Observation(seq=seq, time_s=shown_s, images=images, cut_s=cut_s)
            except SourceError as error:
                broken.append(f"{piece.path.name}: {error.reason}")
        if broken:
            more = f"; and {len(broken) - 1} more" if len(broken) > 1 else ""
            raise SourceError(self.uri, f"{broken[0]}{more}; all others were kept")

    def notes(
        self, stream: str, *, hearing: Hearing | None, stretch: Stretch | None = None, after_s: float | None = None
    ) -> Iterator[tuple[float, Note]]:
        """Yield the words of its program, each known from its start on. Its sound is left unheard.

        Args:
            stream: Name of the stream that the notes are of.
            hearing: Not used.
            stretch: Ignored: there is only one segment.
            after_s: What was known before this is left out; None for nothing.
        """
        for words in self._words:
            if after_s is None or words.t0_s >= after_s:
                note = Note(
                    stream=stream,
                    kind=words.kind,
                    t0_s=words.t0_s,
                    t1_s=words.t1_s,
                    text=words.text,
                    line=words.line,
                )
                yield words.t0_s, note


def _shown(piece: Piece, fps: float | None) -> Iterator[tuple[float, Mapping[str, Image]]]:
    """The pictures of a piece, with their times since 1970."""
    if piece.is_picture:
        image = read_image(piece.path, LONGEST_PX)
        if image is None:
            raise SourceError(str(piece.path), "no picture that can be decoded")
        yield piece.start_s, {"": image}
    elif piece.times_s:
        grid = TimeGrid(fps)
        for seen in VideoSource(piece.path).observations(fps=None):
            time_s = piece.times_s.get(seen.seq)
            if time_s is not None and grid.keeps(time_s):
                yield time_s, {"": next(iter(seen.images.values()))}
    else:
        for seen in VideoSource(piece.path).observations(fps=fps):
            yield piece.start_s + seen.time_s, {"": next(iter(seen.images.values()))}


class Folders:
    """The folders below which a program's files lie here; what it calls them may begin otherwise.

    A database that somebody hands over must not name other files of this machine, so nothing else is read.

    Args:
        roots: The folders.
    """

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = [root.resolve() for root in roots]
        self._fitting: list[tuple[Path, int]] = []  # folders, and how many names to leave out there, that did fit

    def find(self, named: str) -> Path | None:
        """The file that a program calls so: below a folder, by as much of its path as fits; None where it is not.

        Args:
            named: A path as the program knows it, as in its container: "/media/frigate/recordings/...".
        """
        parts = [part for part in named.replace("\\", "/").split("/") if part not in ("", ".", "..")]
        others = [(root, skipped) for root in self._roots for skipped in range(len(parts))]
        for root, skipped in (*self._fitting, *others):
            path = root.joinpath(*parts[skipped:])
            if skipped < len(parts) and path.is_file() and path.resolve().is_relative_to(root):
                if (root, skipped) not in self._fitting:
                    self._fitting.append((root, skipped))
                return path
        return None
