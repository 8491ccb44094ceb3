"""What a capture process runs: it reads an address and sends messages until the source ends or breaks off."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hippocam.stream.errors import SourceError
from hippocam.stream.live.address import LiveAddress
from hippocam.stream.live.clock import LiveClock
from hippocam.stream.live.lookback import LookBackConfig
from hippocam.stream.live.messages import Beat, Captured, Ended, Failed, Message, Opened, Sound
from hippocam.stream.sources.cameras.sound import ArrivedSound
from hippocam.stream.sources.sampling import TimeGrid
from hippocam.stream.zones.polygons import Polygon

if TYPE_CHECKING:
    from hippocam.stream.sources.cameras.pyav import Arrived

_BEAT_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureConfig:
    """How a live camera is read.

    Attributes:
        fps: Frames a second that are sent on, above 0.
        longest_px: Longer side of their pictures, pixels, 16 or more; smaller ones are not enlarged.
        timeout_s: How long opening or a read may take before it counts as failed, seconds above 0.
        loop: Whether a file is played again when it ends.
        sound: Whether what a camera hears is sent on beside what it shows.
        look_back: Where the original footage is kept, and how much of it; None keeps none.
        masks: What is grey in that footage, which is then encoded again.
    """

    fps: float = 1.0
    longest_px: int = 640
    timeout_s: float = 10.0
    loop: bool = False
    sound: bool = False
    look_back: LookBackConfig | None = None
    masks: Sequence[Polygon] = ()

    def __post_init__(self) -> None:
        if not 0 < self.fps < float("inf"):
            raise ValueError(f"fps must be above 0, found {self.fps}")
        if self.longest_px < 16:
            raise ValueError(f"longest_px must be 16 or more, found {self.longest_px}")
        if not self.timeout_s > 0:
            raise ValueError(f"timeout_s must be above 0, found {self.timeout_s}")


def run_capture(address: LiveAddress, config: CaptureConfig, send: Callable[[Message], None]) -> None:
    """Read a camera and send what it shows; the last message is `Failed` or `Ended`.

    Args:
        address: Address of the camera.
        config: How it is read.
        send: Takes the messages; may block.
    """
    try:
        for message in sample(_arrivals(address, config), config.fps, trust_pts=address.kind == "url"):
            send(message)
    except SourceError as error:
        send(Failed(reason=error.reason))
    else:
        send(Ended())


def _arrivals(address: LiveAddress, config: CaptureConfig) -> Iterator[Arrived | ArrivedSound]:
    from hippocam.stream.sources.cameras.recorder import PictureRecorder, Recorder

    packets = Recorder(config.look_back) if config.look_back else None
    pictures = PictureRecorder(packets, config.masks) if packets is not None else None
    recorder = pictures if config.masks else packets
    try:
        if address.kind == "url":
            from hippocam.stream.sources.cameras.pyav import read_url

            yield from read_url(
                address,
                longest=config.longest_px,
                timeout_s=config.timeout_s,
                recorder=recorder,
                sound=config.sound,
            )
        elif address.kind == "file":
            from hippocam.stream.sources.cameras.pyav import read_file

            yield from read_file(
                address, longest=config.longest_px, loop=config.loop, recorder=recorder, sound=config.sound
            )
        else:
            from hippocam.stream.sources.cameras.opencv import read_device

            yield from read_device(address, longest=config.longest_px, recorder=pictures)
    finally:
        if packets is not None:
            packets.close()


def sample(
    arrivals: Iterator[Arrived | ArrivedSound],
    fps: float,
    *,
    trust_pts: bool,
    monotonic: Callable[[], float] = time.monotonic,
) -> Iterator[Message]:
    """Sample arriving frames; yield those and all sound with their true times, and heartbeats.

    Args:
        arrivals: Frames and sound of the source as they arrive.
        fps: Frames a second that are yielded.
        trust_pts: Whether presentation times tell when frames were taken.
        monotonic: Seconds of the monotonic clock.
    """
    clock, grid = LiveClock(), TimeGrid(fps)
    beat_s, frames = -float("inf"), 0
    for arrived in arrivals:
        if isinstance(arrived, ArrivedSound):
            taken_s = clock.place_s(arrived.pts_s if trust_pts else None, arrived.arrived_s)
            yield Sound(taken_s=taken_s, samples_N=arrived.samples_N)
            continue
        frames += 1
        if frames == 1:
            yield Opened(codec=arrived.codec)
        taken_s = clock.time_s(arrived.pts_s if trust_pts else None, arrived.arrived_s)
        if grid.keeps(taken_s):
            yield Captured(taken_s=taken_s, image=arrived.image(), size=arrived.size)
        now_s = monotonic()
        if now_s - beat_s >= _BEAT_S:
            beat_s = now_s
            yield Beat(frames=frames, damaged=arrived.damaged, jumps=clock.jumps, lag_s=now_s - taken_s)
