"""A video file into observations: true times, exact frames, a few decoded pictures in memory at most."""

from __future__ import annotations

import functools
import heapq
import logging
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import get_args

import numpy as np

from hippocam.stream.errors import MissingFramesError, SourceError
from hippocam.stream.protocols import Hearing
from hippocam.stream.records import Image, Note, Observation, Stretch, stream_id
from hippocam.stream.sources.container_text import text_notes
from hippocam.stream.sources.decode.cuts import CutFinder
from hippocam.stream.sources.decode.frames import Decoder, read_between, read_seqs, sample_video
from hippocam.stream.sources.decode.joined import unread_from
from hippocam.stream.sources.decode.length import length_s
from hippocam.stream.sources.decode.packet_index import PacketIndex, build_index, shared_index
from hippocam.stream.sources.decode.tracks import (
    ONLY,
    Track,
    instants,
    merged,
    or_failure,
    told_cameras,
    tracks_of,
)
from hippocam.stream.sources.remote import is_remote, path_of
from hippocam.stream.sources.sampling import pick_indices

log = logging.getLogger(__name__)

LONGEST_PX = 640
# FFmpeg starts as many decoding threads as it is told, each with frames of its own.
MOST_THREADS = 256

_NOTHING_DECODED = "no frame could be decoded: the data are damaged; copy or record it again"


class VideoSource:
    """A video file as a source: of one unnamed camera, or of a camera for each of its video tracks.

    Holds the path and small settings only, so that it can be sent to another process; the file is opened by
    `observations`, once per call.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        id: str | None = None,
        longest_px: int = LONGEST_PX,
        threads: int = 1,
        decoder: Decoder = "auto",
        keyframes_only: bool = False,
    ) -> None:
        """Name a video.

        Args:
            path: The file.
            id: Name of the source; the file's stem when None.
            longest_px: Pictures are scaled down until their longer side has at most this many pixels.
            threads: Decoding threads, 0 for one per core, 256 at most.
            decoder: "pyav", "decord", or "auto": decord for reading most frames of a small MP4 with several
                threads (it is faster there, and gives the same pixels), PyAV otherwise. decord needs an upright,
                whole MP4 and gives way to PyAV for all else; frames and times are always the same. It decodes
                ahead: expect some 100 MB more (up to 600 MB seen at 640 x 360).
            keyframes_only: Preview: give key frames alone, with their own true times, one in 4 s at most.

        Raises:
            ValueError: longest_px is below 16, threads is below 0 or above 256, or decoder is none of the three.
        """
        if longest_px < 16:
            raise ValueError(f"longest_px must be 16 or more, found {longest_px}")
        if not 0 <= threads <= MOST_THREADS:
            raise ValueError(f"threads must be 0 (one per core) to {MOST_THREADS}, found {threads}")
        if decoder not in get_args(Decoder):
            raise ValueError(f"decoder must be one of {', '.join(get_args(Decoder))}, found {decoder!r}")
        self._path = path_of(path) if is_remote(path) else Path(os.path.abspath(Path(path).expanduser()))
        self._id = id if id is not None else self._path.stem
        self._longest_px = longest_px
        self._threads = threads
        self._decoder = decoder
        self._keyframes_only = keyframes_only
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
    def keyframes_only(self) -> bool:
        """Whether it gives key frames alone."""
        return self._keyframes_only

    @property
    def duration_s(self) -> float | None:
        """Length in seconds from the file's header, or counted; None where it cannot be told."""
        if self._duration_s is None:
            try:
                self._duration_s = length_s(self._path, self.uri)
            except SourceError:
                return None  # observations() tells why
        return self._duration_s

    def __repr__(self) -> str:
        return f"VideoSource({self.uri!r}, id={self._id!r})"

    def observations(
        self, *, fps: float | None, after_seq: int = -1, stretch: Stretch | None = None
    ) -> Iterator[Observation]:
        """Yield frames as observations: of one camera, "", or of those that show a frame at that instant.

        The first frame of each camera at or after each point of the grid k / fps is yielded with its own true
        time; seq is the frame's rank in presentation order (of several cameras that of the instant), also where
        only key frames are given. Frames whose data are damaged are left out.

        Args:
            fps: Frames a second, above 0; None or a rate above the file's own gives every frame.
            after_seq: Only frames with a greater seq; what lies before is not decoded.
            stretch: Only the frames of this segment, decoded by one thread of PyAV on any machine. One that has
                a frame after `after_seq` is given whole: what is made of it must not depend on where an earlier
                watch was interrupted.

        Raises:
            ValueError: fps is not a positive number.
            SourceError: The file cannot be read, or ends before its header says; or of several cameras one
                cannot be read. All readable frames were yielded before.
        """
        tracks = tracks_of(self._path, self.uri)
        if len(tracks) > 1:
            yield from self._cameras(tracks, fps, after_seq, whole=stretch is not None)
            return
        if stretch is not None:
            yield from self._within(stretch, fps, after_seq, tracks[0].number)
            return
        index = build_index(self._path, self.uri, tracks[0].number)
        last_s: float | None = None
        cuts = CutFinder()
        for seq, time_s, image in self._sampled(index, fps, after_seq, cuts=cuts):
            last_s = time_s
            yield Observation(seq=seq, time_s=time_s, images={"": image}, cut_s=cuts.take())
        if last_s is None and after_seq < 0:
            raise SourceError(self.uri, _NOTHING_DECODED)
        self._check_end(index)

    def _check_end(self, index: PacketIndex) -> None:
        """Tell what of a file was not there to be read, once all else was.

        Raises:
            SourceError: It ends before its header says, or another recording that is not read lies behind.
        """
        if index.cut:
            raise _truncated(self.uri, index)
        unread = unread_from(self._path, index.container, index.parts)
        if unread is not None:
            raise SourceError(
                self.uri,
                f"another recording is joined behind, from byte {unread} on, not read: its tracks differ, or "
                "this format has no joins; cut the file there; all that can be read was kept",
            )

    def _sampled(
        self,
        index: PacketIndex,
        fps: float | None,
        after_seq: int,
        *,
        alone: bool = False,
        cuts: CutFinder | None = None,
    ) -> Iterator[tuple[int, float, Image]]:
        """Sample one track; alone: by one thread of PyAV, so that any machine gives the same pictures."""
        try:
            yield from sample_video(
                self._path,
                self.uri,
                index,
                fps=fps,
                after_seq=after_seq,
                longest=self._longest_px,
                threads=1 if alone else self._threads,
                decoder="pyav" if alone else self._decoder,
                keyframes_only=self._keyframes_only,
                cuts=cuts,
            )
        except MissingFramesError:
            self._check_end(index)  # which may know why
            raise

    def _cameras(
        self, tracks: Sequence[Track], fps: float | None, after_seq: int, *, whole: bool
    ) -> Iterator[Observation]:
        """Yield the frames of several tracks; whole: all of them, if any comes after after_seq."""
        failures: dict[str, str] = {}
        read: list[tuple[Track, PacketIndex]] = []
        for track in tracks:
            try:
                read.append((track, build_index(self._path, self.uri, track.number)))
            except SourceError as error:
                failures[track.camera] = error.reason
        ranks = instants([index for _, index in read]) if read else []
        if whole and max((int(rank_N[-1]) for rank_N in ranks), default=-1) > after_seq:
            after_seq = -1
        frames = []
        for (track, index), rank_N in zip(read, ranks, strict=True):
            after = int(np.searchsorted(rank_N, after_seq, side="right")) - 1
            sampled = functools.partial(self._sampled, index, fps, after, alone=whole)
            frames.append(or_failure(sampled, functools.partial(failures.__setitem__, track.camera)))
        nothing = after_seq < 0
        for rank, time_s, images in merged([track for track, _ in read], ranks, frames):
            nothing = False
            yield Observation(seq=rank, time_s=time_s, images=images)
        if nothing:
            raise SourceError(self.uri, told_cameras(failures) if failures else _NOTHING_DECODED)
        for _, index in read:
            self._check_end(index)
        if failures:
            raise SourceError(self.uri, f"{told_cameras(failures)}; all others were kept")

    def _within(self, stretch: Stretch, fps: float | None, after_seq: int, number: int) -> Iterator[Observation]:
        index = shared_index(self._path, self.uri, stretch.index_file, number)
        if index.linear:  # decodable from its start only: the last segment gets all of it
            if stretch.is_last:
                for seq, time_s, image in self._sampled(index, fps, after_seq, alone=True):
                    yield Observation(seq=seq, time_s=time_s, images={"": image})
        else:
            seqs = _seqs_within(index, stretch, fps)
            if seqs and seqs[-1] > after_seq:
                pictures = read_seqs(self._path, self.uri, index, seqs, longest=self._longest_px, threads=1)
                try:
                    for seq, image in pictures:
                        yield Observation(seq=seq, time_s=float(index.times_s[seq]), images={"": image})
                except MissingFramesError as error:  # must not keep the segments behind it back
                    if stretch.is_last:
                        raise
                    log.warning("%s", error)
        if stretch.is_last:
            self._check_end(index)

    def notes(
        self, stream: str, *, hearing: Hearing | None, stretch: Stretch | None = None, after_s: float | None = None
    ) -> Iterator[tuple[float, Note]]:
        """Yield subtitles, chapters and speech by the time from which on they are known; a preview is not heard.

        Subtitles are known from their start on, speech from the end of the window in which it was heard. Of
        several cameras the first one has the words: they are of the file, and kept once.

        Args:
            stream: Name of the stream that the notes are of.
            hearing: Listens to the sound; None to leave it unheard.
            stretch: Only what begins (as speech: in a window that begins) in this segment; None for all.
            after_s: What was known before this need not be heard again; None for all.
        """
        from_s, to_s = (-math.inf, math.inf) if stretch is None else (stretch.from_s, stretch.to_s)
        stream = stream_id(stream, self._tracks()[0].camera)
        given = ((n.t0_s, n) for n in text_notes(self._path, self.uri, stream) if from_s <= n.t0_s < to_s)
        if hearing is None or self._keyframes_only:
            return given
        heard = hearing.hear(self.uri, stream, from_s, to_s, after_s)
        return heapq.merge(given, heard, key=lambda known: known[0])

    def segments(self, segment_s: float) -> int:
        """Return how many segments of about segment_s it is cut into, by the length in its header.

        1 if it has several cameras: their key frames lie at different times, so no cut suits all of them.
        """
        if len(self._tracks()) > 1:
            return 1
        return max(1, round((self.duration_s or 0.0) / segment_s))

    def camera_of(self, stream: str) -> str:
        """Return which camera a stream of this file shows, by the end of its name; "" for the only one."""
        last = stream.rpartition("/")[2]
        return last if last in self.cameras else self.cameras[0]

    def track_of(self, stream: str) -> int:
        """Return the number of the video track that a stream of this file shows, as a clip is cut from it."""
        camera = self.camera_of(stream)
        return next(track.number for track in self._tracks() if track.camera == camera)

    @property
    def cameras(self) -> tuple[str, ...]:
        """Names of its cameras, the one first that players show; "" alone where it has one."""
        return tuple(track.camera for track in self._tracks())

    def _tracks(self) -> tuple[Track, ...]:
        try:
            return tracks_of(self._path, self.uri)
        except SourceError:
            return (ONLY,)  # observations() tells why

    def between(
        self, t0_s: float, t1_s: float, *, fps: float | None, camera: str = ""
    ) -> Iterator[tuple[float, Image]]:
        """Yield true time and picture of the frames in a stretch of time, at about fps a second (None: every one).

        Args:
            t0_s: Start of the stretch, seconds.
            t1_s: Its end.
            fps: Frames a second.
            camera: Whose frames, in a file of several cameras.

        Raises:
            SourceError: The file cannot be read, or has no such camera.
        """
        number = next((track.number for track in tracks_of(self._path, self.uri) if track.camera == camera), None)
        if number is None:
            raise SourceError(self.uri, f"no video track is called {camera!r} any more")
        index = build_index(self._path, self.uri, number)
        yield from read_between(
            self._path, self.uri, index, t0_s, t1_s, fps=fps, longest=self._longest_px, threads=self._threads
        )


def told_end(index: PacketIndex) -> str:
    """Tell how far a truncated video goes: "12.0 s of 139.4 s"."""
    end = f"{float(index.times_s.max()):.1f} s"
    known = index.declared_s is not None and index.declared_s > float(index.times_s.max()) + 0.1
    return f"{end} of {index.declared_s:.1f} s" if known else end


def _truncated(uri: str, index: PacketIndex) -> SourceError:
    return SourceError(
        uri,
        f"truncated: read up to {told_end(index)}; the part before it was kept, "
        "copy or download the file again for the rest",
    )


def _seqs_within(index: PacketIndex, stretch: Stretch, fps: float | None) -> list[int]:
    """Wanted frames of the groups of pictures whose key frame lies in the segment: none is decoded twice."""
    usable = np.flatnonzero(~index.damaged)
    picks = usable[pick_indices(index.times_s[usable], fps)]
    keys = np.array([index.key_before(int(seq)) for seq in picks], np.int64)
    key_s = index.key_pts[keys] * float(index.time_base) - index.origin_s
    segment = np.clip(np.floor(key_s / stretch.segment_s), 0, stretch.count - 1)
    return [int(seq) for seq in picks[np.maximum.accumulate(segment) == stretch.number]]
