"""Observations into frames that changed and repeats that did not: each stream behind gates of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hippocam.stream.gate import ChangeGate, GateConfig, Glance
from hippocam.stream.reading_gate import ReadingConfig, ReadingGate
from hippocam.stream.records import NO_SENSORS, Frame, Image, Observation, Repeat, Sensors, stream_id


class Gates:
    """One change gate a stream, and one reading gate where something reads.

    Args:
        change: When a frame counts as changed.
        reading: Which changed frames are to be read; None for none.
    """

    def __init__(self, change: GateConfig, reading: ReadingConfig | None = None) -> None:
        self._change, self._reading = change, reading
        self._gates: dict[str, ChangeGate] = {}
        self._readers: dict[str, ReadingGate] = {}

    def see(
        self,
        stream: str,
        seq: int,
        time_s: float,
        image: Image,
        sensors: Sensors = NO_SENSORS,
        text: str = "",
        cut_s: float | None = None,
        mark: str = "",
    ) -> Frame | Repeat:
        """Gate the next frame of a stream: return a Frame if it changed or is to be read, else a Repeat.

        The arguments are those of Frame. One with a mark counts as changed.
        """
        if mark:
            self.restart(stream)
        gate = self._gates.setdefault(stream, ChangeGate(self._change))
        seen = Glance(image)
        changed = gate.changed(seen)
        read = False
        if self._reading is not None:
            reader = self._readers.setdefault(stream, ReadingGate(self._reading))
            read = (reader.due if changed else reader.overdue)(seen, time_s)
        if not (changed or read):
            return Repeat(stream=stream, seq=seq, time_s=time_s, sensors=sensors)
        return Frame(
            stream=stream,
            seq=seq,
            time_s=time_s,
            image=image,
            sensors=sensors,
            text=text,
            read=read,
            cut_s=cut_s,
            mark=mark,
        )

    def restart(self, stream: str) -> None:
        """Compare the next frame of a stream with nothing: it counts as changed whatever it shows."""
        self._gates.pop(stream, None)
        self._readers.pop(stream, None)


def split(source_id: str, observations: Iterable[Observation], gates: Gates) -> Iterator[Frame | Repeat]:
    """Split observations into one frame a camera, and gate each camera's frames.

    Args:
        source_id: What streams are named after.
        observations: In the order of their seq.
        gates: Gates of these streams.

    Raises:
        ValueError: A seq does not rise.
    """
    last_seq, marks = -1, dict[str, str]()  # by camera, until it has a picture
    for seen in observations:
        if seen.seq <= last_seq:
            raise ValueError(f"position {seen.seq} came after position {last_seq}")
        last_seq = seen.seq
        if seen.mark:
            marks |= dict.fromkeys({*marks, *seen.images}, seen.mark)
        for camera in sorted(seen.images):
            mark, marks[camera] = marks.get(camera, ""), ""
            yield gates.see(
                stream_id(source_id, camera),
                seen.seq,
                seen.time_s,
                seen.images[camera],
                seen.sensors,
                seen.text,
                seen.cut_s,
                mark,
            )
