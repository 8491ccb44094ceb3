"""What a camera hears, beside its pictures in one file after the other."""

from __future__ import annotations

from fractions import Fraction
from typing import Any


class RecordedSound:
    """Writes a camera's packets of sound; those that Matroska does not take (G.711 of many cameras) as plain PCM.

    Args:
        stream: The camera's stream of sound.
    """

    def __init__(self, stream: Any) -> None:
        self._stream, self._rate = stream, stream.codec_context.sample_rate or 8000
        self._out: Any = None
        self._into: Any = None
        self._resampler: Any = None
        self._last = -1

    def begin(self, out: Any) -> None:
        """Write into a container from now on; to be called before anything is written to it."""
        import av

        self._out, self._last, self._resampler = out, -1, None
        try:
            self._into = out.add_stream_from_template(self._stream)
        except ValueError:
            self._into = out.add_stream("pcm_s16le", rate=self._rate, layout="mono")
            self._resampler = av.AudioResampler("s16", "mono", self._rate)

    def write(self, packet: Any, zero: Fraction) -> int:
        """Write a packet; return its bytes.

        Args:
            packet: Its times are changed.
            zero: The camera's time that the file shows as 0, seconds.
        """
        at = packet.pts - round(zero / packet.time_base)
        if at <= self._last:
            return 0
        self._last = at
        if self._resampler is None:
            packet.pts = packet.dts = at
            packet.stream = self._into
            written = [packet]
        else:
            written = self._plain(packet, round(at * packet.time_base * self._rate))
        sizes = [one.size for one in written]
        for one in written:
            self._out.mux(one)
        return sum(sizes)

    def _plain(self, packet: Any, sample: int) -> list[Any]:
        made = []
        for frame in packet.decode():
            frame.pts = None
            for plain in self._resampler.resample(frame):
                plain.pts, plain.time_base = sample, Fraction(1, self._rate)
                sample += plain.samples
                made += self._into.encode(plain)
        return made
