"""Packets into fragmented MP4, which a browser shows before the rest is there.

A fragment is a few tenths of a second. What browsers can play is not encoded again; pictures of any other kind
become H.264 on the way, and sound AAC.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple, Protocol

from hippocam.stream.sources.decode.pyav import settle_colours
from hippocam.stream.sources.files import add_copy

# Codecs that every browser plays, as FFmpeg calls them.
PLAYED, _PLAYED_SOUND = ("h264",), ("aac",)
_FORMAT = {"movflags": "empty_moov+default_base_moof", "frag_duration": "400000"}
_ENCODER, _OPTIONS = "libx264", {"preset": "ultrafast", "tune": "zerolatency", "crf": "28", "threads": "1"}
_SIDE_PX = 1280
# Samples of a frame of AAC, and of a second where a stream does not say.
_SOUND_FRAME, _SOUND_RATE = 1024, 8000
# Times go through names of files and addresses, in milliseconds.
_EXACT_S = 0.002


class Timed(NamedTuple):
    """A packet and when it was taken.

    Attributes:
        time_s: Seconds since 1970.
        packet: av.Packet.
        stream: Its stream.
        heard: Whether packets of sound come beside those of pictures.
    """

    time_s: float
    packet: Any
    stream: Any
    heard: bool


def fragments(packets: Iterator[Timed], start_s: float) -> Iterator[bytes]:
    """Give packets from a time on as fragmented MP4; its times count from the first picture."""
    import av

    sink, writers = _Sink(), dict[str, _Writer]()
    with av.open(sink, "w", format="mp4", options=_FORMAT) as container:
        for time_s, packet, stream, heard in packets:
            if time_s < start_s - _EXACT_S or (not writers and stream.type != "video"):
                continue
            writers = writers or _writers(container, stream, time_s, heard=heard)
            writers[stream.type].write(time_s, packet)
            if sink.waiting:
                yield sink.take()
        for writer in writers.values():
            writer.end()
    if writers:
        yield sink.take()


class _Sink:
    """Takes what a container writes, until it is taken."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, content: bytes) -> int:
        self._parts.append(bytes(content))
        return len(content)

    @property
    def waiting(self) -> bool:
        """Whether there is anything to take."""
        return bool(self._parts)

    def take(self) -> bytes:
        """What was written since the last time."""
        taken, self._parts = b"".join(self._parts), []
        return taken


class _Writer(Protocol):
    """Puts the packets of one kind into a container, with times from its first picture on."""

    def write(self, time_s: float, packet: Any) -> None:
        """Write a packet."""

    def end(self) -> None:
        """Write what is held back."""


def _writers(container: Any, pictures: Any, origin_s: float, *, heard: bool) -> dict[str, _Writer]:
    """What writes pictures, and the sound of the same file where that is heard, into a container."""
    copied = pictures.codec_context.name in PLAYED
    made: dict[str, _Writer] = {"video": (_Copied if copied else _Encoded)(container, pictures, origin_s)}
    for sound in pictures.container.streams.audio[:1] if heard else ():
        copied = sound.codec_context.name in _PLAYED_SOUND
        made["audio"] = (_Copied if copied else _EncodedSound)(container, sound, origin_s)
    return made


class _Copied:
    """Puts packets into a container as they are."""

    def __init__(self, container: Any, stream: Any, origin_s: float) -> None:
        self._container, self._origin_s, self._last_dts = container, origin_s, -(2**62)
        self._into = add_copy(container, stream)

    def write(self, time_s: float, packet: Any) -> None:
        pts = round((time_s - self._origin_s) / packet.time_base)
        dts = max(pts - (packet.pts - packet.dts), self._last_dts + 1)
        packet.pts, packet.dts, self._last_dts = max(pts, dts), dts, dts
        packet.stream = self._into
        self._container.mux(packet)

    def end(self) -> None:
        """There is nothing left to write."""


class _Encoded:
    """Decodes pictures, and encodes them for browsers."""

    def __init__(self, container: Any, stream: Any, origin_s: float) -> None:
        self._container, self._origin_s, self._last_ms = container, origin_s, -1
        context = stream.codec_context
        scale = min(1.0, _SIDE_PX / max(context.width, context.height, 1))
        self._into = container.add_stream(_ENCODER, rate=30, options=_OPTIONS)
        self._into.width = max(2, 2 * round(context.width * scale / 2))
        self._into.height = max(2, 2 * round(context.height * scale / 2))
        self._into.pix_fmt = "yuv420p"
        self._into.codec_context.time_base = Fraction(1, 1000)

    def write(self, time_s: float, packet: Any) -> None:
        for frame in packet.decode():
            settle_colours(frame)
            shown = frame.reformat(self._into.width, self._into.height, "yuv420p")
            self._last_ms = max(round(1000 * (time_s - self._origin_s)), self._last_ms + 1)
            shown.pts, shown.time_base, shown.pict_type = self._last_ms, Fraction(1, 1000), 0
            self._container.mux(self._into.encode(shown))

    def end(self) -> None:
        """Write what the encoder holds back."""
        self._container.mux(self._into.encode(None))


class _EncodedSound:
    """Decodes sound, as telephones have it (G.711) most often, and encodes it for browsers."""

    def __init__(self, container: Any, stream: Any, origin_s: float) -> None:
        import av

        context = stream.codec_context
        self._container, self._origin_s, self._rate = container, origin_s, context.sample_rate or _SOUND_RATE
        self._into = container.add_stream("aac", rate=self._rate, layout="mono")
        self._resampler = av.AudioResampler("fltp", "mono", self._rate, frame_size=_SOUND_FRAME)
        self._next: int | None = None  # number of the sample that comes next

    def write(self, time_s: float, packet: Any) -> None:
        at = round((time_s - self._origin_s) * self._rate)
        if self._next is None or abs(at - self._next) > self._rate:  # the first one, or after a pause
            self._next = max(at, self._next or 0)
        for frame in packet.decode():
            frame.pts = None
            self._encode(self._resampler.resample(frame))

    def end(self) -> None:
        """Write what the encoder holds back."""
        self._encode(self._resampler.resample(None))
        self._container.mux(self._into.encode(None))

    def _encode(self, frames: list[Any]) -> None:
        for frame in frames:
            frame.pts, frame.time_base = self._next, Fraction(1, self._rate)
            self._next = (self._next or 0) + frame.samples
            self._container.mux(self._into.encode(frame))
