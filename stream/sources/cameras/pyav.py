"""A live address or a file at real-time speed into frames as they come, with PyAV."""

from __future__ import annotations

import errno
import functools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from hippocam.stream.errors import SourceError
from hippocam.stream.live.address import LiveAddress
from hippocam.stream.records import Image
from hippocam.stream.sources.cameras.recorder import PictureRecorder, Recorder
from hippocam.stream.sources.cameras.sound import ArrivedSound, microphone
from hippocam.stream.sources.decode.pyav import Converter
from hippocam.stream.sources.files import FORMATS, open_alone

# An address may not lead to files of this machine, nor a camera's answer be a script that names other addresses.
_NETWORK = "rtsp,rtsps,rtp,srtp,udp,tcp,tls,http,https,httpproxy,crypto,hls"
_FORMATS = ("rtsp", "rtp", "sdp", "hls", "dash", *FORMATS)
_OPTIONS = {
    "fflags": "nobuffer",
    "flags": "low_delay",
    "rtsp_transport": "tcp",
    "analyzeduration": "1000000",
    "fpsprobesize": "0",
    "protocol_whitelist": _NETWORK,
    "format_whitelist": ",".join(_FORMATS),
    "max_redirects": "0",  # a camera outside would choose whom in this network we ask
}
# A frame of a file that is late by more than this is shown at once, and those after it on time again.
_LATE_S = 1.0
_NOMINAL_S = 0.04
# Times of arrival are written down in these, in seconds.
_TICK = Fraction(1, 1000)


@dataclass(slots=True)
class Arrived:
    """A decoded frame as it came.

    Attributes:
        pts_s: Presentation time in seconds on the source's clock; None where it gives none.
        arrived_s: When its packet came, on the monotonic clock.
        size: Width and height in pixels.
        image: Makes the picture, uint8 [H, W, 3] RGB; costs time, so only of wanted frames.
        codec: Name of its codec.
        damaged: Packets that could not be decoded so far.
    """

    pts_s: float | None
    arrived_s: float
    size: tuple[int, int]
    image: Callable[[], Image]
    codec: str
    damaged: int


def read_url(
    address: LiveAddress,
    *,
    longest: int,
    timeout_s: float,
    recorder: Recorder | PictureRecorder | None,
    sound: bool = False,
) -> Iterator[Arrived | ArrivedSound]:
    """Yield the frames of a network camera until it breaks off.

    Args:
        address: Address of kind "url".
        longest: Longer side of the pictures in pixels, at most.
        timeout_s: How long opening, and a read, may take.
        recorder: Takes the packets as they came, or the pictures, masked; None to keep none.
        sound: Whether its sound is given, too.

    Raises:
        SourceError: It cannot be opened, or broke off.
    """
    import av

    timeout = (timeout_s, timeout_s)
    with _opened(
        address, lambda: av.open(address.target, options=dict(_OPTIONS), timeout=timeout, metadata_errors="ignore")
    ) as container:
        yield from _frames(address, container, longest, recorder, lambda seconds: None, sound=sound)
    raise SourceError(address.uri, "the camera ended the stream")


def read_file(
    address: LiveAddress,
    *,
    longest: int,
    loop: bool,
    recorder: Recorder | PictureRecorder | None,
    sound: bool = False,
) -> Iterator[Arrived | ArrivedSound]:
    """Yield the frames of a file when a player would show them; over and over where loop is set.

    Args:
        address: Address of kind "file".
        longest: Longer side of the pictures in pixels, at most.
        loop: Whether it begins again where it ends.
        recorder: Takes the packets as they came, or the pictures, masked; None to keep none.
        sound: Whether its sound is given, too.

    Raises:
        SourceError: It cannot be opened or read.
    """
    pace = _Pace()
    while True:
        with _opened(address, lambda: open_alone(Path(address.target))) as container:
            yield from _frames(address, container, longest, recorder, pace.wait, sound=sound)
        if not loop:
            return
        if not pace.moved:
            raise SourceError(address.uri, "no frame in it can be decoded; convert it to MP4 or WebM")
        pace.again()


class _Pace:
    """Waits until a packet of a file is due, over all rounds of it."""

    def __init__(self) -> None:
        self._began_s: float | None = None  # monotonic time at which the first packet was due
        self._first_s: float | None = None  # its presentation time, in this round
        self._base_s = self._played_s = 0.0  # played in earlier rounds, and in all

    @property
    def moved(self) -> bool:
        """Whether this round had packets."""
        return self._first_s is not None

    def again(self) -> None:
        """A new round begins."""
        self._first_s = None
        self._base_s = self._played_s = self._played_s + _NOMINAL_S

    def wait(self, dts_s: float) -> None:
        """Wait for a packet's time; what is late is not waited for, and what follows it counts from there."""
        self._first_s = dts_s if self._first_s is None else self._first_s
        self._played_s = max(self._played_s, self._base_s + dts_s - self._first_s)
        now_s = time.monotonic()
        if self._began_s is None or now_s - self._began_s - self._played_s > _LATE_S:
            self._began_s = now_s - self._played_s
        time.sleep(max(0.0, self._began_s + self._played_s - now_s))


def _opened(address: LiveAddress, opens: Callable[[], Any]) -> Any:
    import av

    try:
        return opens()
    except (av.FFmpegError, OSError) as error:
        sent_on = "; one that sends elsewhere is not followed" if error.errno == errno.EIO else ""
        raise SourceError(address.uri, f"cannot be opened ({_reason(error)}{sent_on})") from None


def _frames(
    address: LiveAddress,
    container: Any,
    longest: int,
    recorder: Recorder | PictureRecorder | None,
    pace: Callable[[float], None],
    *,
    sound: bool,
) -> Iterator[Arrived | ArrivedSound]:
    """Decode what comes; `pace` is told each packet's time in seconds before it is used."""
    import av

    if not container.streams.video:
        raise SourceError(address.uri, "has no picture; give the address of a video stream")
    stream = container.streams.video[0]
    stream.codec_context.thread_count = 1  # threads by frame would hold frames back
    converter = Converter(stream, address.uri, longest)
    # FFmpeg invents times for formats without any, as JPEG after JPEG over HTTP: 25 a second, whatever comes
    timed = not container.format.flags & av.format.Flags.no_timestamps.value
    damaged, tick = 0, 0
    hears = microphone(container, timed=timed) if sound else None
    heard = recorder.sound_of(container) if recorder is not None and timed else None
    track = heard if hears is None else hears.track
    packets = container.demux(*([stream] if track is None else [stream, track]))
    while True:
        try:
            packet = next(packets, None)
        except (av.FFmpegError, OSError) as error:
            raise SourceError(address.uri, f"broke off ({_reason(error)})") from None
        if packet is None:
            return
        if packet.dts is not None:
            pace(float(packet.dts * packet.time_base))
        arrived_s = time.monotonic()
        if packet.stream.index != stream.index:
            if hears is not None:
                yield from hears.take(packet, arrived_s)
            if recorder is not None and heard is not None:
                recorder.hear(packet)
            continue
        try:
            decoded = packet.decode()
        except (av.FFmpegError, ValueError):
            decoded, damaged = [], damaged + 1
        if isinstance(recorder, Recorder):
            if not timed and packet.size:
                tick = max(tick + 1, round(arrived_s / _TICK))
                packet.pts = packet.dts = tick
                packet.time_base = _TICK
            recorder.take(packet, stream, time.time())
        for frame in decoded:
            pts_s = None if frame.pts is None or not timed else float(frame.pts * frame.time_base)
            if isinstance(recorder, PictureRecorder):
                recorder.take(frame, arrived_s if pts_s is None else pts_s, time.time())
            yield Arrived(
                pts_s=pts_s,
                arrived_s=arrived_s,
                size=(frame.width, frame.height),
                image=functools.partial(converter.image, frame),
                codec=stream.codec_context.name,
                damaged=damaged,
            )


def _reason(error: Exception) -> str:
    """What went wrong, without the address: it may hold a password."""
    return getattr(error, "strerror", None) or type(error).__name__
