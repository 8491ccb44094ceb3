"""A video file into observations: true times, exact frames, a few decoded pictures in memory at most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from hippocam.stream.errors import SourceError
from hippocam.stream.records import Image, Observation
from hippocam.stream.sources.packet_index import PacketIndex, build_index, open_container
from hippocam.stream.sources.sampling import pick_indices

LONGEST_PX = 640


class VideoSource:
    """A video file as a source with one unnamed camera.

    Holds the path and small settings only, so that it can be sent to another process; the file is opened by
    `observations`, once per call.
    """

    def __init__(
        self, path: str | Path, *, id: str | None = None, longest_px: int = LONGEST_PX, threads: int = 1
    ) -> None:
        """Name a video.

        Args:
            path: The file.
            id: Name of the source; the file's stem when None.
            longest_px: Pictures are scaled down until their longer side has at most this many pixels.
            threads: Decoding threads, 0 for one per core.

        Raises:
            ValueError: longest_px is below 16 or threads is negative.
        """
        if longest_px < 16:
            raise ValueError(f"longest_px must be 16 or more, found {longest_px}")
        if threads < 0:
            raise ValueError(f"threads must be 0 (one per core) or more, found {threads}")
        self._path = Path(path).expanduser().absolute()
        self._id = id if id is not None else self._path.stem
        self._longest_px = longest_px
        self._threads = threads
        self._duration_s: float | None = None

    @property
    def id(self) -> str:
        """Name of the source."""
        return self._id

    @property
    def uri(self) -> str:
        """Absolute path of the file."""
        return str(self._path)

    @property
    def duration_s(self) -> float | None:
        """Length in seconds from the file's header, None where the header has none or cannot be read."""
        if self._duration_s is None:
            try:
                with open_container(self._path, self.uri) as container:
                    if container.duration:
                        self._duration_s = container.duration / 1e6
            except SourceError:
                return None  # observations() tells why
        return self._duration_s

    def __repr__(self) -> str:
        return f"VideoSource({self.uri!r}, id={self._id!r})"

    def observations(self, *, fps: float | None, after_seq: int = -1) -> Iterator[Observation]:
        """Yield frames as observations with one camera, "".

        The first frame at or after each point of the grid k / fps is yielded with its own true time; seq
        is the frame's rank in presentation order. Frames whose data are damaged are left out.

        Args:
            fps: Frames a second, above 0; None or a rate above the file's own gives every frame.
            after_seq: Only frames with a greater seq; what lies before is not decoded.

        Raises:
            ValueError: fps is not a positive number.
            SourceError: The file cannot be read, or ends before its header says (after all readable frames).
        """
        index = build_index(self._path, self.uri)
        last_s: float | None = None
        for seq, time_s, image in sample_video(
            self._path,
            self.uri,
            index,
            fps=fps,
            after_seq=after_seq,
            longest=self._longest_px,
            threads=self._threads,
        ):
            last_s = time_s
            yield Observation(seq=seq, time_s=time_s, images={"": image})
        if last_s is None and after_seq < 0:
            raise SourceError(
                self.uri, "no frame could be decoded: the data are damaged; copy or record it again"
            )
        if index.cut_s is not None:
            end_s = float(index.times_s.max())
            raise SourceError(
                self.uri,
                f"truncated: read up to {end_s:.1f} s of {index.cut_s:.1f} s; the part before it was kept, "
                "copy or download the file again for the rest",
            )


def sample_video(
    path: Path, uri: str, index: PacketIndex, *, fps: float | None, after_seq: int, longest: int, threads: int
) -> Iterator[tuple[int, float, Image]]:
    """Yield (seq, true seconds, picture) of the frames that fps keeps, by the decoder that suits the file."""
    if index.linear:
        from hippocam.stream.sources.decode_pyav import read_linear

        yield from read_linear(
            path, uri, index, fps=fps, after_seq=after_seq, longest=longest, threads=threads
        )
        return
    usable = np.flatnonzero(~index.damaged)
    picks = usable[pick_indices(index.times_s[usable], fps)]
    wanted = [int(seq) for seq in picks[picks > after_seq]]
    for seq, image in read_seqs(path, uri, index, wanted, longest=longest, threads=threads):
        yield seq, float(index.times_s[seq]), image


def read_seqs(
    path: Path, uri: str, index: PacketIndex, seqs: Sequence[int], *, longest: int, threads: int
) -> Iterator[tuple[int, Image]]:
    """Yield (seq, picture) of the wanted frames that can be decoded; seqs strictly increase."""
    from hippocam.stream.sources import decode_pyav

    if index.linear:
        wanted = set(seqs)
        for seq, _, image in decode_pyav.read_linear(
            path, uri, index, fps=None, after_seq=min(wanted, default=0) - 1, longest=longest, threads=threads
        ):
            if seq in wanted:
                yield seq, image
        return
    yield from decode_pyav.read_frames(path, uri, index, seqs, longest, threads)
