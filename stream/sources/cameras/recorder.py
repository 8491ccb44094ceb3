"""Packets of a live camera into short files as they came, not encoded again; see stream/live/lookback.py.

Raw pictures of a webcam are compressed on the way. A file begins with a key frame and can be read while it is
written, also after its writer was killed.
"""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from hippocam.stream.live.lookback import LookBackConfig, SegmentRing
from hippocam.stream.private import write_bytes
from hippocam.stream.records import Image

log = logging.getLogger(__name__)

# Written through at once, in clusters of half a second, so that another process sees the newest footage.
_OPTIONS = {"cluster_time_limit": "500", "flush_packets": "1"}
# About what the container adds to a file.
_FILE_BYTES = 4096
# About what it adds to a packet, its share of the seek index included.
_PACKET_BYTES = 64
_RAW_TICK = Fraction(1, 1000)


class Recorder:
    """Writes one camera's packets; what cannot be written is left out, and said once.

    Args:
        config: Where files are kept, and how much.
    """

    def __init__(self, config: LookBackConfig) -> None:
        self._ring = SegmentRing(config)
        self._segment_s = config.segment_s
        self._out: Any = None
        self._path: Path | None = None
        self._stream: Any = None
        self._first_s = 0.0
        self._start_dts = 0
        self._last_dts = -(2**62)
        self._bytes = 0
        self._key: object = None
        self._told = False

    def take(self, packet: Any, stream: Any, time_s: float) -> None:
        """Write a packet.

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
            if packet.is_keyframe and (self._out is None or time_s - self._first_s >= self._segment_s):
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
        write_bytes(self._path, b"")  # for its owner alone; FFmpeg keeps the mode
        self._out = av.open(str(self._path), "w", format="matroska", options=dict(_OPTIONS))
        self._stream = self._out.add_stream_from_template(stream)
        self._key, self._first_s, self._start_dts = key, time_s, packet.dts
        self._last_dts, self._bytes = packet.dts - 1, _FILE_BYTES

    def _write(self, packet: Any, time_s: float) -> None:
        self._bytes += packet.size + _PACKET_BYTES
        if not self._ring.room(self._bytes, time_s):
            self._delete_open()  # it goes on with the next key frame
            return
        self._last_dts = packet.dts
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


class RawRecorder:
    """Compresses pictures as they come and gives them to a `Recorder`.

    Args:
        recorder: Where the packets go.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._encoder: Any = None
        self._muxed: Any = None
        self._size = (0, 0)

    def take(self, image: Image, arrived_s: float, time_s: float) -> None:
        """Write a picture.

        Args:
            image: uint8 [H, W, 3] BGR.
            arrived_s: When it came, on the monotonic clock.
            time_s: When it came, seconds since 1970.
        """
        import av

        height, width = image.shape[0] // 2 * 2, image.shape[1] // 2 * 2
        if self._encoder is None or self._size != (width, height):
            self._start(width, height)
        even = np.ascontiguousarray(image[:height, :width])
        frame = av.VideoFrame.from_ndarray(even, format="bgr24").reformat(format="yuv420p")
        frame.pts, frame.time_base = round(arrived_s / _RAW_TICK), _RAW_TICK
        for packet in self._encoder.encode(frame):
            self._recorder.take(packet, self._muxed, time_s)

    def _start(self, width: int, height: int) -> None:
        import av

        self._recorder.close()
        # the stream of a container that goes nowhere: files take their own from it
        self._sink = av.open("/dev/null", "w", format="matroska")
        self._muxed = self._sink.add_stream(
            "libx264", rate=30, options={"preset": "ultrafast", "tune": "zerolatency", "g": "60"}
        )
        self._muxed.width, self._muxed.height, self._muxed.pix_fmt = width, height, "yuv420p"
        self._muxed.codec_context.time_base = _RAW_TICK
        self._sink.start_encoding()  # or the stream does not know its parameters yet
        self._encoder, self._size = self._muxed.codec_context, (width, height)
