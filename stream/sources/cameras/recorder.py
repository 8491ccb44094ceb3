"""Packets of a live camera into short files as they came, not encoded again; see stream/live/lookback.py.

The raw pictures of a webcam are compressed on the way, and so are those of a camera with masks, which are grey in
its footage, too. A file begins with a key frame and can be read while it is
written, also after its writer was killed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hippocam.stream.live.lookback import LookBackConfig, SegmentRing
from hippocam.stream.private import make_folder, write_bytes
from hippocam.stream.sources.cameras.recorded_sound import RecordedSound
from hippocam.stream.sources.decode.pyav import settle_colours
from hippocam.stream.sources.files import add_copy
from hippocam.stream.zones.polygons import Polygon, covered

log = logging.getLogger(__name__)

# Written through at once, in clusters of half a second, so that another process sees the newest footage.
_OPTIONS = {"cluster_time_limit": "500", "flush_packets": "1"}
# About what the container adds to a file.
_FILE_BYTES = 4096
# About what it adds to a packet, its share of the seek index included.
_PACKET_BYTES = 64
# How much larger a packet of sound may be as plain PCM.
_PLAIN_TIMES = 16
# Sound further from the pictures than this is on another clock, seconds.
_APART_S = 5.0
_RAW_TICK = Fraction(1, 1000)
_PIXELS = "yuv420p"
# Brightness and colours of what is masked in the planes of a picture.
_GREY, _COLOURLESS = 114, 128


class Recorder:
    """Writes one camera's packets; what cannot be written is left out, and said once.

    Args:
        config: Where files are kept, and how much.
    """

    def __init__(self, config: LookBackConfig) -> None:
        self._ring = SegmentRing(config)
        self._segment_s, self._hears = config.segment_s, config.sound
        self._out: Any = None
        self._path: Path | None = None
        self._stream: Any = None
        self._sound: RecordedSound | None = None
        self._first_s = self._taken_s = 0.0
        self._start_dts = 0
        self._last_dts = -(2**62)
        self._tick = _RAW_TICK
        self._bytes = 0
        self._key: object = None
        self._told = False

    def sound_of(self, container: Any) -> Any:
        """The stream of sound that is kept of a camera, whose packets `hear` takes; None where none is."""
        heard = container.streams.best("audio") if self._hears else None
        self._sound = None if heard is None else RecordedSound(heard)
        return heard

    def hear(self, packet: Any) -> None:
        """Write a packet of sound beside the pictures; where that cannot be, these go on without it.

        Args:
            packet: av.Packet of the stream that `sound_of` gave; its times are changed.
        """
        import av

        if self._out is None or self._sound is None or packet.pts is None or not packet.size:
            return
        if abs(packet.pts * packet.time_base - self._last_dts * self._tick) > _APART_S:
            return
        if not self._ring.room(self._bytes + _PLAIN_TIMES * packet.size + _PACKET_BYTES, self._taken_s):
            return  # it goes on with the next file
        try:
            self._bytes += self._sound.write(packet, self._start_dts * self._tick) + _PACKET_BYTES
        except (av.FFmpegError, OSError, ValueError) as error:
            log.info("look-back: sound is not kept (%s)", error)
            self._sound = None

    def take(self, packet: Any, stream: Any, time_s: float) -> None:
        """Write a packet of pictures.

        Args:
            packet: av.Packet; its times are changed.
            stream: The stream that it came from.
            time_s: When it came, seconds since 1970.
        """
        import av

        if packet.dts is None or packet.pts is None or not packet.size:
            return
        context = stream.codec_context
        key = (stream, context.width, context.height)
        if self._out is not None and (key != self._key or packet.dts <= self._last_dts):
            self.close()  # another picture size, or a clock that jumped back: a file of its own
        try:
            lasts = (
                0 <= time_s - self._first_s < self._segment_s
            )  # else, and where the machine's clock is set back
            if packet.is_keyframe and (self._out is None or not lasts):
                self.close()
                self._open(stream, key, packet, time_s)
            if self._out is not None:
                self._write(packet, time_s)
        except (av.FFmpegError, OSError, ValueError) as error:
            if not self._told:
                log.warning("look-back: not written (%s)", error)
            self._told = True
            self._delete_open()

    def _open(self, stream: Any, key: object, packet: Any, time_s: float) -> None:
        import av

        self._path = self._ring.path(time_s)
        make_folder(self._path.parent)  # somebody may have removed it
        write_bytes(self._path, b"")  # for its owner alone; FFmpeg keeps the mode
        self._out = av.open(str(self._path), "w", format="matroska", options=dict(_OPTIONS))
        self._stream = add_copy(self._out, stream)
        if self._sound is not None:
            self._sound.begin(self._out)
        self._key, self._first_s, self._start_dts = key, time_s, packet.dts
        self._tick = packet.time_base
        self._last_dts, self._bytes = packet.dts - 1, _FILE_BYTES

    def _write(self, packet: Any, time_s: float) -> None:
        self._bytes += packet.size + _PACKET_BYTES
        if not self._ring.room(self._bytes, time_s):
            self._delete_open()  # it goes on with the next key frame
            return
        self._last_dts, self._taken_s = packet.dts, time_s
        packet.pts -= self._start_dts
        packet.dts -= self._start_dts
        packet.stream = self._stream
        self._out.mux(packet)

    def _delete_open(self) -> None:
        """Delete the open file."""
        path = self._path
        self.close()
        if path is not None:
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """End the open file."""
        import av

        out, path, self._out, self._path = self._out, self._path, None, None
        if out is not None and path is not None:
            try:
                out.close()
            except (av.FFmpegError, OSError):
                log.debug("look-back: %s was not ended cleanly", path.name)
            self._ring.close(path)


class PictureRecorder:
    """Compresses pictures as they come, masked, and gives them to a `Recorder`.

    Args:
        recorder: Where the packets go.
        masks: What is grey in them.
    """

    def __init__(self, recorder: Recorder, masks: Sequence[Polygon] = ()) -> None:
        self._recorder, self._masks = recorder, tuple(masks)
        self._encoder: Any = None
        self._muxed: Any = None
        self._size = (0, 0)

    def take(self, frame: Any, at_s: float, time_s: float) -> None:
        """Write a picture.

        Args:
            frame: av.VideoFrame.
            at_s: When it is shown, seconds that rise from picture to picture.
            time_s: When it came, seconds since 1970.
        """
        import av

        width, height = frame.width // 2 * 2, frame.height // 2 * 2
        if self._encoder is None or self._size != (width, height):
            self._start(width, height)
        settle_colours(frame)
        shown = frame.reformat(width=width, height=height, format=_PIXELS)
        if self._masks:
            shown = av.VideoFrame.from_ndarray(_masked_planes(shown.to_ndarray(), self._masks), format=_PIXELS)
        shown.pts, shown.time_base = round(at_s / _RAW_TICK), _RAW_TICK
        for packet in self._encoder.encode(shown):
            self._recorder.take(packet, self._muxed, time_s)

    def sound_of(self, container: Any) -> Any:
        """As `Recorder.sound_of`: pictures keep their times, so that sound stays beside them."""
        return self._recorder.sound_of(container)

    def hear(self, packet: Any) -> None:
        """As `Recorder.hear`."""
        self._recorder.hear(packet)

    def close(self) -> None:
        """End the open file."""
        self._recorder.close()

    def _start(self, width: int, height: int) -> None:
        import av

        self._recorder.close()
        # the stream of a container that goes nowhere: files take their own from it
        self._sink = av.open("/dev/null", "w", format="matroska")
        self._muxed = self._sink.add_stream(
            "libx264", rate=30, options={"preset": "ultrafast", "tune": "zerolatency", "g": "60"}
        )
        self._muxed.width, self._muxed.height, self._muxed.pix_fmt = width, height, _PIXELS
        self._muxed.codec_context.time_base = _RAW_TICK
        self._muxed.codec_context.thread_count = 1
        self._sink.start_encoding()  # or the stream does not know its parameters yet
        self._encoder, self._size = self._muxed.codec_context, (width, height)


def _masked_planes(planes: NDArray[np.uint8], masks: Sequence[Polygon]) -> NDArray[np.uint8]:
    """Make the masks grey in the planes of a yuv420p picture, uint8 [1.5 H, W]: brightness, then two of colour."""
    height, width = planes.shape[0] * 2 // 3, planes.shape[1]
    flat, pixels = planes.reshape(-1), height * width
    whole_HW = covered(masks, height, width)
    flat[:pixels].reshape(height, width)[whole_HW] = _GREY
    half_HW = whole_HW.reshape(height // 2, 2, width // 2, 2).any(axis=(1, 3))
    for start in (pixels, pixels * 5 // 4):
        flat[start : start + pixels // 4].reshape(height // 2, width // 2)[half_HW] = _COLOURLESS
    return planes
