"""A video file into its packet index: every frame's true time and key flag, without decoding anything.

Legend: N number of frames. "Decode order" is the order of packets in the file, "presentation order" that of
true time; a frame's seq is its rank in presentation order.
"""

from __future__ import annotations

import fcntl
import functools
import logging
import os
from dataclasses import asdict, dataclass, fields
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hippocam.stream.errors import SourceError
from hippocam.stream.opencv import MOST_PIXELS
from hippocam.stream.sources.decode.joined import JoinedClock
from hippocam.stream.sources.files import ends_beyond_file, open_container, packets_of

if TYPE_CHECKING:
    from collections.abc import Sequence

log = logging.getLogger(__name__)

# A header's duration may exceed the last packet by rounding, but never by more than this.
_SLACK_S = 1.0
# Or by more than this share.
_SLACK_SHARE = 0.01
# Rate of a file whose header gives none that can be.
_USUAL_FPS = 25.0
_DAY_S = 86_400.0
_YEAR_S = 366 * _DAY_S
# Containers that tell when a frame is decoded, and not when it is shown.
_DECODING_TIMES = ("avi", "asf")
# A frame does not last longer than this.
_LONGEST_FRAME_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketIndex:
    """Where each frame of a video is, in presentation order.

    Attributes:
        stream_index: Which stream of the container is the video.
        time_base: Seconds per tick of a presentation timestamp.
        pts: int64 [N], presentation timestamps in ticks, strictly increasing unless linear.
        times_s: float64 [N], true seconds; 0 is what a browser's player shows as 0.
        positions: int64 [N], rank of each frame's packet in decode order, among those of hidden frames too.
        keys: int64 [K], positions (decode order) of key frames, ascending; hidden ones too.
        key_pts: int64 [K], their timestamps in ticks.
        hidden_pts: int64 [H], timestamps of hidden frames, ascending: an edit list leaves them out, but others
            may need them to be decoded.
        hidden_positions: int64 [H], their positions.
        damaged: bool [N], packets that the demuxer marked corrupt.
        origin_s: Container time that is shown as 0, in seconds.
        size: Width and height in pixels as displayed before rotation (square pixels).
        parts: How many recordings are read one after the other: more than one where they were joined.
        container: FFmpeg's name of the container format, "mov,mp4,m4a,3gp,3g2,mj2" for instance.
        linear: Timestamps are missing, repeated or jump back, or hidden frames have times among shown ones':
            only decoding from the start gives the order. Where they jump back they are those of a `JoinedClock`.
        reordered: The file tells when frames are decoded and not when they are shown, as an AVI does, and they are
            shown in another order: their times are those of the order in which they come out of the decoder.
        nominal_fps: The header's frame rate, for frames that carry no time at all.
        cut: The file ends before its header says.
        declared_s: Length in seconds that the header says, None where it says none.
    """

    stream_index: int
    time_base: Fraction
    pts: NDArray[np.int64]
    times_s: NDArray[np.float64]
    positions: NDArray[np.int64]
    keys: NDArray[np.int64]
    key_pts: NDArray[np.int64]
    hidden_pts: NDArray[np.int64]
    hidden_positions: NDArray[np.int64]
    damaged: NDArray[np.bool_]
    origin_s: float
    size: tuple[int, int]
    parts: int
    container: str
    linear: bool
    reordered: bool
    nominal_fps: float
    cut: bool
    declared_s: float | None

    def __len__(self) -> int:
        return len(self.pts)

    def seq_of(self, pts: int | None) -> int | None:
        """Return the seq of the shown frame with a timestamp, None where there is none."""
        return _at(self.pts, pts)

    def position_of(self, pts: int | None) -> int | None:
        """Return the position of the frame with a timestamp, shown or hidden, None where there is none."""
        seq = _at(self.pts, pts)
        if seq is not None:
            return int(self.positions[seq])
        hidden = _at(self.hidden_pts, pts)
        return None if hidden is None else int(self.hidden_positions[hidden])

    def has_key(self, seq: int) -> bool:
        """Whether there is a key frame from which frame seq can be decoded; not where a recording began late."""
        return len(self.keys) > 0 and self.keys[0] <= self.positions[seq] and self.key_pts[0] <= self.pts[seq]

    def key_before(self, seq: int) -> int:
        """Return the rank in keys of the key frame from which frame seq can be decoded.

        A picture that is shown before its own key frame (open group of pictures) needs the key frame before.
        """
        rank = int(np.searchsorted(self.keys, self.positions[seq], side="right")) - 1
        while rank > 0 and self.key_pts[rank] > self.pts[seq]:
            rank -= 1
        return max(rank, 0)


def build_index(path: Path, uri: str, number: int = 0) -> PacketIndex:
    """Read all packets of a file once, without decoding (about 5 microseconds a packet).

    Args:
        path: The file.
        uri: Its name in messages.
        number: Which of its moving pictures, in a file of several.

    Raises:
        SourceError: The file cannot be opened, has no moving picture, or its codec is unknown.
    """
    import av

    with open_container(path, uri) as container:
        stream = video_stream(container, uri, number)
        pts: list[int | None] = []
        dts: list[int | None] = []
        keys: list[bool] = []
        damaged: list[bool] = []
        hidden: list[bool] = []
        clock = JoinedClock(container)
        end_s = 0.0
        try:
            for packet in packets_of(container):
                if packet.size == 0:  # the end marker, or a sample that says "no change"
                    continue
                if packet.stream_index == stream.index:
                    clock.set(packet)
                    pts.append(packet.pts)
                    dts.append(packet.dts)
                    keys.append(packet.is_keyframe)
                    damaged.append(packet.is_corrupt)
                    hidden.append(packet.is_discard)
                if packet.is_discard:  # decoded for others' sake, but outside the edit list
                    continue
                last = packet.pts if packet.pts is not None else packet.dts
                if last is not None and packet.time_base:
                    end_s = max(end_s, float((last + (packet.duration or 0)) * packet.time_base))
        except av.FFmpegError as error:
            log.info("%s: reading packets stopped early: %s", uri, error)
        lag = _invented_lag(pts, dts) if container.format.name in _DECODING_TIMES else 0
        reordered = lag > 0 and bool(stream.codec_context.has_b_frames)
        shown = np.flatnonzero(~np.array(hidden, dtype=bool))
        if not len(shown):
            if pts:
                raise SourceError(uri, "its edit list hides every frame of it; make the cut again")
            raise SourceError(uri, "no frame in it: truncated right after its header; copy it again")
        shown_pts = [pts[at] for at in shown]
        origin_s = _origin_s(container, stream, shown_pts)
        declared_s = header_length_s(container)
        cut = ends_beyond_file(path)
        if cut and 0 < stream.frames <= len(pts) and container.format.name != "gif":
            cut = False  # what is missing at the end is no picture; of a GIF no header says how many there are
        if cut is None:  # other containers do not say how many bytes they should have
            slack_s = max(_SLACK_S, _SLACK_SHARE * (declared_s or 0.0))
            # What the header of joined recordings says is about one of them.
            cut = declared_s is not None and not clock.moved and declared_s - (end_s - origin_s) > slack_s
        times_known = {p for p in shown_pts if p is not None}
        linear = (
            len(times_known) < len(shown)
            or clock.moved
            or reordered
            or _mixed(times_known, {p for at, p in enumerate(pts) if hidden[at] and p is not None})
            or _goes_back([dts[at] for at in shown])
            or not any(keys)
            or not stream.time_base
        )
        ticks = np.array([p if p is not None else 0 for p in pts], dtype=np.int64)
        order = shown if linear else shown[np.argsort(ticks[shown], kind="stable")]
        unshown = np.array([at for at, p in enumerate(pts) if hidden[at] and p is not None], dtype=np.int64)
        unshown = unshown[np.argsort(ticks[unshown], kind="stable")]
        time_base = stream.time_base or Fraction(1, 1000)
        key_positions = np.flatnonzero(np.array(keys))
        rate = stream.average_rate or stream.guessed_rate
        times_s = ticks[order] * (time_base.numerator / time_base.denominator) - origin_s
        if lag:
            times_s -= max(0.0, min(float(lag * time_base), float(times_s.min())))
        nominal_fps = float(rate) if rate else _USUAL_FPS
        if container.format.name == "avi" and len(order) > 1 and not linear:
            gap_s = float(times_s[-1] - times_s[0]) / (len(order) - 1)
            if gap_s > _LONGEST_FRAME_S:
                log.warning("%s: %.0f s a frame by its header, taken for %g a second", uri, gap_s, _USUAL_FPS)
                nominal_fps, times_s = _USUAL_FPS, np.arange(len(order)) / _USUAL_FPS
        return PacketIndex(
            stream_index=stream.index,
            time_base=time_base,
            pts=ticks[order],
            times_s=times_s,
            positions=order.astype(np.int64),
            keys=key_positions.astype(np.int64),
            key_pts=ticks[key_positions],
            hidden_pts=ticks[unshown],
            hidden_positions=unshown,
            damaged=np.array(damaged)[order],
            origin_s=origin_s,
            size=display_size(int(stream.width or 0), int(stream.height or 0), stream.sample_aspect_ratio),
            parts=clock.jumps + 1,
            container=container.format.name,
            linear=linear,
            reordered=reordered,
            nominal_fps=nominal_fps,
            cut=cut,
            declared_s=declared_s,
        )


def _invented_lag(pts: Sequence[int | None], dts: Sequence[int | None]) -> int:
    """By how many ticks FFmpeg shows each frame behind its decoding, in a file that tells only the latter.

    0 where the file, or its codec, tells both: then frames that others rest on are shown behind them.
    """
    known = [(p, d) for p, d in zip(pts, dts, strict=True) if p is not None and d is not None]
    if not known or any(p >= q for (p, _), (q, _) in pairwise(known)):
        return 0
    return max(0, known[0][0] - known[0][1])


def _at(ticks: NDArray[np.int64], pts: int | None) -> int | None:
    """Index of a timestamp among ascending ones, None where it is not among them."""
    if pts is None:
        return None
    rank = int(np.searchsorted(ticks, pts))
    return rank if rank < len(ticks) and ticks[rank] == pts else None


def video_stream(container: Any, uri: str, number: int = 0) -> Any:
    """Return a moving picture of an open container, the first one unless a number is given.

    Raises:
        SourceError: There is none (audio only), or no decoder for it.
    """
    videos = moving_pictures(container)
    if not videos:
        kinds = sorted({s.type for s in container.streams})
        if not kinds:
            raise SourceError(uri, "nothing in it: truncated within its header; copy or download it again")
        if "audio" in kinds:
            raise SourceError(uri, "only sound in it, no picture; give a file with video")
        raise SourceError(uri, f"no picture in it (found: {', '.join(kinds)}); give a file with video")
    stream = videos[number]
    if stream.codec_context is None:
        raise SourceError(uri, "its video codec is unknown or encrypted (DRM); convert it to H.264 or VP9 first")
    if stream.width * stream.height > MOST_PIXELS:
        raise SourceError(uri, f"its pictures have {stream.width} x {stream.height} pixels, which is too many")
    return stream


def moving_pictures(container: Any) -> list[Any]:
    """The video tracks of an open container, but for those that its header tells to be covers, of one frame."""
    from av.stream import Disposition

    still = Disposition.attached_pic | Disposition.timed_thumbnails
    pictures = [track for track in container.streams.video if not track.disposition & still]
    moving = [track for track in pictures if track.frames != 1]
    return moving or pictures


def _origin_s(container: Any, stream: Any, pts: Sequence[int | None]) -> float:
    """Return the container time that is shown as 0.

    Browsers keep a late start of MP4, WebM and the like (tried in Chromium: a picture that begins at 1 s is shown
    at 1 s, with sound before it or not) and move only negative times up to 0. Other containers (MPEG transport
    streams) count from an arbitrary clock; there the earliest of picture and sound is 0.
    """
    starts = [
        float(s.start_time * s.time_base)
        for s in container.streams
        if s.type in ("video", "audio") and s.start_time is not None and s.time_base
    ]
    if stream.start_time is None or not starts:
        known = [p for p in pts if p is not None]
        starts = [float(min(known) * stream.time_base)] if known and stream.time_base else [0.0]
    return min(0.0, *starts) if _counts_from_zero(container) else min(starts)


def container_zero_s(container: Any, uri: str) -> float:
    """Return the time of an open file, in its own count, that is shown as 0, which sound and subtitles count from.

    Raises:
        SourceError: As for `video_stream`.
    """
    return _origin_s(container, video_stream(container, uri), ())


def header_length_s(container: Any) -> float | None:
    """Return the length in seconds that an open file's header says, counted from the time shown as 0.

    None where it says none, or one that cannot be: of more than a year, or of less than a byte in 100 s, as is
    left by recorders that were cut off before they knew.
    """
    if not container.duration or container.duration / 1e6 > min(_YEAR_S, max(100 * container.size, _DAY_S)):
        return None
    # The length of MP4 as FFmpeg tells it leaves out a late start.
    late = container.start_time if "mp4" in container.format.name else 0
    return float((container.duration + max(0, late or 0)) / 1e6)


def _counts_from_zero(container: Any) -> bool:
    return any(name in container.format.name for name in ("mp4", "matroska", "webm", "ogg"))


def _mixed(shown: set[int], hidden: set[int]) -> bool:
    """Whether hidden frames have times among those of shown ones, as in a film that is several cuts of one."""
    first, last = min(shown, default=0), max(shown, default=0)
    return any(first <= p <= last for p in hidden)


def _goes_back(dts: Sequence[int | None]) -> bool:
    known = np.array([d for d in dts if d is not None], dtype=np.int64)
    return bool(np.any(np.diff(known) < 0))


def display_size(width: int, height: int, aspect: Fraction | None) -> tuple[int, int]:
    """Return width and height with square pixels; the shape is kept, neither side grows.

    Args:
        width: In pixels as stored.
        height: In pixels as stored.
        aspect: Width of a stored pixel by its height; None where nobody says, so 1.
    """
    if aspect and aspect > 1:
        height = max(1, round(height / aspect))
    elif aspect and 0 < aspect < 1:
        width = max(1, round(width * aspect))
    return width, height


def scaled_size(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """Return width and height with the longer side at most longest pixels, the shape kept, never enlarged."""
    width, height = size
    scale = min(1.0, longest / max(width, height, 1))
    return max(1, round(width * scale)), max(1, round(height * scale))


@functools.lru_cache(maxsize=1)  # a worker reads the segments of a video one after the other
def shared_index(path: Path, uri: str, file: Path, number: int = 0) -> PacketIndex:
    """Return the packet index of a video; the first process that needs it builds it, the others read the file.

    Args:
        path: The video.
        uri: Its name in messages.
        file: Where the index is kept; processes wait for the one that builds it.
        number: As for `build_index`.

    Raises:
        SourceError: As for `build_index`.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the kernel frees it with its process
        if not file.exists():
            save_index(build_index(path, uri, number), file)
    return load_index(file)


def save_index(index: PacketIndex, path: Path) -> None:
    """Write a packet index to a file, whole or not at all; it takes about 25 bytes a frame."""
    values = asdict(index)
    values["time_base"] = [index.time_base.numerator, index.time_base.denominator]
    values["declared_s"] = [] if index.declared_s is None else [index.declared_s]
    new = path.with_name(f"{path.name}.new-{os.uname().nodename}-{os.getpid()}.npz")
    arrays: dict[str, Any] = {name: np.asarray(value) for name, value in values.items()}
    np.savez(new, **arrays)
    os.replace(new, path)


def load_index(path: Path) -> PacketIndex:
    """Read a packet index that `save_index` wrote."""
    with np.load(path, allow_pickle=False) as file:
        values = {field.name: file[field.name] for field in fields(PacketIndex)}
    numerator, denominator = map(int, values["time_base"])
    declared = values["declared_s"].tolist()
    plain = {name: value.tolist() for name, value in values.items() if not value.ndim}
    return PacketIndex(
        **{
            **values,
            **plain,
            "time_base": Fraction(numerator, denominator),
            "size": tuple(values["size"].tolist()),
            "declared_s": declared[0] if declared else None,
        }
    )
