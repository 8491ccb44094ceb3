"""Live cameras into a memory: puts together all parts of a running live process."""

from __future__ import annotations

import functools
import json
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hippocam.apps.api import cameras_json
from hippocam.apps.encoder_choice import encoder_name
from hippocam.apps.live.alerts import Alerts
from hippocam.apps.live.changes import carry_out, filter_of_change
from hippocam.apps.live.config import LiveConfig
from hippocam.apps.live.endpoint import Endpoint
from hippocam.apps.live.folder import JsonLines, LiveFolder
from hippocam.apps.live.keeping import FootageKeeper
from hippocam.apps.live.open_frames import OpenFrames, answer_latest, answer_open
from hippocam.apps.live.retention import Retention
from hippocam.apps.live.senses.build import LiveSenses, live_senses
from hippocam.apps.live.senses.hearing import LiveHearing
from hippocam.apps.live.standing import AlertConfig
from hippocam.apps.live.status import LiveStatus
from hippocam.apps.live.watch import LiveWatch
from hippocam.apps.live.webhook import Webhook
from hippocam.apps.settings import Settings, budget_bytes
from hippocam.apps.zones.files import kept_zones, write_zones
from hippocam.memory.folder import has_memory
from hippocam.memory.memory import Memory, MemoryWriter
from hippocam.memory.store.migrations import upgrade
from hippocam.models.registry import make_encoder
from hippocam.stream import opencv
from hippocam.stream.ingest import Ingest
from hippocam.stream.live.address import LiveAddress, parse_addresses
from hippocam.stream.live.camera import Camera, Capture
from hippocam.stream.live.capture import CaptureConfig
from hippocam.stream.live.clock import Wall
from hippocam.stream.live.lookback import LookBackConfig, prune, segments, start_of
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import Frame
from hippocam.stream.zones.polygons import CameraZones, marked_for


def watch_live(
    folder: Path,
    sources: Sequence[str],
    *,
    settings: Settings,
    config: LiveConfig,
    encoder: str | None = None,
    fps: float | None = None,
    budget_mb: float | None = None,
    alerts: Sequence[AlertConfig] = (),
    webhook: str | None = None,
    webhook_private: bool = False,
    stop: threading.Event,
    for_s: float | None = None,
    on_status: Callable[[list[LiveStatus]], None],
    on_alert: Callable[[dict[str, object]], None] | None = None,
    launch: Callable[[LiveAddress, CaptureConfig], Capture] | None = None,
) -> list[LiveStatus]:
    """Watch live cameras into a memory until it is stopped.

    Args:
        folder: The memory's folder.
        sources: [NAME=]rtsp://..., http://..., /dev/video0 or a file each.
        settings: Pipeline and memory.
        config: How cameras are watched.
        encoder: Name of the encoder; None for the memory's own, or the default.
        fps: Frames a second that are looked at; None for the settings' rate.
        budget_mb: What the memory's folder may take, millions of bytes; None keeps its own.
        alerts: Standing questions.
        webhook: URL to post each alert to.
        webhook_private: Whether that may be in a private network, or on this machine.
        stop: Set to end the watch.
        for_s: Seconds after which the watch ends; None for no limit.
        on_status: Called with the cameras' states several times a second.
        on_alert: Called with each alert.
        launch: Starts a capture; None for the executor in `config`.

    Returns:
        The cameras' states at the end.

    Raises:
        HippocamError: A source is not understood, the memory cannot be used, or the encoder cannot be loaded.
    """
    addresses = parse_addresses(sources)
    pipeline = replace(settings.pipeline, fps=(settings.pipeline.fps or 1.0) if fps is None else fps)
    memory_config = settings.memory
    if budget_mb is not None:
        memory_config = replace(memory_config, budget_bytes=budget_bytes(budget_mb))
    name, model = _encoder(folder, encoder, settings)
    side = pipeline.jpeg_side_px
    opencv.load()
    beside = live_senses(settings, config)
    black = Frame(stream="", seq=0, time_s=0, image=np.zeros((side, side, 3), np.uint8))
    ingest = Ingest(model, pipeline, beside.senses)
    ingest.encode([black])  # so that the first frame does not wait for the networks to load
    live_folder, ready, wall = LiveFolder(folder), threading.Event(), Wall()
    with ExitStack() as stack:
        memory = stack.enter_context(
            Memory.open_writer(folder, encoder=name, spec=model.spec, config=memory_config)
        )
        live_folder.make()
        if config.zones is not None:
            write_zones(live_folder.zones, config.zones)
        zones = kept_zones(live_folder.zones)
        if config.executor == "ray" and launch is None:
            from hippocam.stream.live.ray_runner import ray_launcher

            launch = stack.enter_context(ray_launcher())
        hearing = beside.hearing and stack.enter_context(beside.hearing)
        fps = pipeline.fps or 1.0
        made = _Cameras(memory, live_folder, config, settings, fps, launch or _process, ready, hearing)
        made.count, made.zones = len(addresses), dict(zones)
        cameras = [made.make(address) for address in addresses]
        hook = Webhook(webhook, private=webhook_private) if webhook else None
        if hook is not None:
            stack.callback(hook.close)
        open_frames = OpenFrames(model.spec, memory_config.working.max_s + 5.0, live_folder.shown)
        watch = LiveWatch(
            memory,
            ingest,
            cameras,
            gap_s=config.gap_s,
            open_frames=open_frames,
            alerts=Alerts(
                alerts,
                model,
                live_folder,
                hook,
                on_alert,
                detects=beside.detects,
                zones=zones,
            ),
            log=JsonLines(live_folder.log),
            wall=wall,
            ready=ready,
            zones=zones,
            keeping=FootageKeeper(config.keep, live_folder),
            hearing=hearing,
        )
        _delete_old(live_folder, wall.now_s() - config.look_back_s)
        handle = functools.partial(_handle, watch, open_frames, model.spec.dim, stop, made, memory, beside)
        with Endpoint(live_folder.socket, handle):
            until_s = None if for_s is None else time.monotonic() + for_s
            retention = Retention(memory, config.days, wall.now_s) if config.days is not None else None
            watch.run(stop, functools.partial(_tick, watch, made, on_status, retention), until_s=until_s)
        return watch.status()


class _Cameras:
    """Makes the cameras of a live process, at its start and as they are added.

    Args:
        memory: Open for writing.
        live_folder: What is kept beside it.
        config: How cameras are watched.
        settings: How large pictures are.
        fps: Frames a second that are looked at.
        launch: Starts a capture.
        ready: Set by the cameras.
        hearing: Hears them; None for nobody.

    Attributes:
        count: How many share the footage's budget.
        zones: What is marked in their pictures, by the names or patterns of streams.
    """

    def __init__(
        self,
        memory: MemoryWriter,
        live_folder: LiveFolder,
        config: LiveConfig,
        settings: Settings,
        fps: float,
        launch: Callable[[LiveAddress, CaptureConfig], Capture],
        ready: threading.Event,
        hearing: LiveHearing | None,
    ) -> None:
        self._hearing = hearing
        self._memory, self._live_folder, self._config, self._settings = memory, live_folder, config, settings
        self._fps, self._launch, self._ready = fps, launch, ready
        self._taken = set[str]()
        self.count = 0
        self.zones = dict[str, CameraZones]()

    def make(self, address: LiveAddress) -> tuple[str, Camera]:
        """Make a camera; return the name of its stream, too."""
        stream = _free_name(self._memory, address, self._taken)
        self._taken.add(stream)
        capture = _capture_config(self._live_folder, stream, self.count, self._fps, self._config, self._settings)
        hearing = self._hearing
        hear = functools.partial(hearing.windows.put, stream) if hearing is not None else None
        capture = replace(capture, sound=hearing is not None)
        rng = random.Random(stream)
        start = functools.partial(self._start, stream, address, capture)
        return stream, Camera(address, self._config.camera, start, ready=self._ready, rng=rng, hear=hear)

    def _start(self, stream: str, address: LiveAddress, capture: CaptureConfig) -> Capture:
        """Start a capture, whose footage has the masks of now."""
        return self._launch(address, replace(capture, masks=marked_for(self.zones, stream).masks))

    @property
    def records(self) -> bool:
        """Whether footage is kept."""
        return self._config.look_back_mb > 0

    def release(self, stream: str) -> None:
        """Let a name be given again: its camera is watched no more."""
        self._taken.discard(stream)

    def prune(self) -> None:
        """Keep the footage of all cameras within its budget, each of which keeps to a share of its own."""
        if self._config.look_back_mb:
            prune(self._live_folder.path / "look-back", round(self._config.look_back_mb * 1e6))


def _tick(
    watch: LiveWatch,
    made: _Cameras,
    on_status: Callable[[list[LiveStatus]], None],
    retention: Retention | None,
) -> None:
    states = watch.status()
    if retention is not None and (wanted := retention.due()) is not None:
        watch.change(None, functools.partial(retention.delete, wanted))  # what is open goes on
    if len(states) > made.count:  # cameras were added: their shares are more than there is
        made.prune()
    on_status(states)


def _process(address: LiveAddress, config: CaptureConfig) -> Capture:
    from hippocam.stream.live.process import ProcessCapture

    return ProcessCapture(address, config)


def _encoder(folder: Path, wanted: str | None, settings: Settings) -> tuple[str, Encoder]:
    """Make the encoder that was asked for, else the memory's own, else the settings'."""
    own = None
    if has_memory(folder):
        upgrade(folder)
        with Memory.open_reader(folder) as memory:
            found = memory.encoder()
            own = found[0] if found else None
    name = encoder_name(wanted, own, settings.encoder)
    return name, make_encoder(name)


def _free_name(memory: Memory, address: LiveAddress, taken: set[str]) -> str:
    """Return the name of this camera's stream in the memory, or a free name."""
    number, name = 1, address.id
    while name in taken or any(known.source != address.uri for known in memory.progress(recording=name)):
        number += 1
        name = f"{address.id}-{number}"
    return name


def _capture_config(
    live_folder: LiveFolder, stream: str, cameras: int, fps: float, config: LiveConfig, settings: Settings
) -> CaptureConfig:
    look_back = None
    if config.look_back_mb:
        share = int(config.look_back_mb * 1e6 / cameras)
        look_back = LookBackConfig(
            folder=live_folder.look_back(stream), max_bytes=share, max_s=config.look_back_s, sound=config.sound
        )
    return CaptureConfig(
        fps=fps,
        longest_px=settings.sources.longest_px,
        timeout_s=config.camera.stall_s,
        loop=config.loop,
        look_back=look_back,
    )


def _delete_old(live_folder: LiveFolder, before_s: float) -> None:
    """Delete footage that is too old, also of cameras that are no longer watched."""
    for folder in (live_folder.path / "look-back").glob("*/"):
        for path in segments(folder):
            if start_of(path) < before_s:
                path.unlink(missing_ok=True)


def _handle(
    watch: LiveWatch,
    open_frames: OpenFrames,
    dim: int,
    stop: threading.Event,
    made: _Cameras,
    memory: MemoryWriter,
    beside: LiveSenses,
    request: Mapping[str, Any],
) -> Mapping[str, Any]:
    """Answer a request of another process."""
    op = request.get("op")
    if op == "change":
        return _change(watch, memory, request["name"], request)
    if op == "add":
        return _add(watch, made, parse_addresses(request["sources"]))
    if op == "remove":
        return _remove(watch, made, request["streams"])
    if op == "mark":
        marked = CameraZones(zones=request["zones"], masks=request["masks"])
        return _mark(watch, made, request["stream"], marked)
    if op == "open":
        return answer_open(request, open_frames, dim=dim, compared=watch.entries + 1)
    if op == "latest":
        return answer_latest(request, open_frames)
    if op == "status":
        return cameras_json(watch.status()) | beside.status()
    if op == "stop":
        stop.set()
        return {"stopping": True}
    raise ValueError(
        f"op {json.dumps(op)} is not known; there are open, latest, status, add, remove, mark, change, stop"
    )


def _change(watch: LiveWatch, memory: MemoryWriter, name: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """Change the memory for another process, between two frames; sleep goes on beside them."""
    if name == "sleep":
        return carry_out(memory, name, asked)
    done = dict[str, Any]()
    wanted = filter_of_change(asked) if name == "forget" else None
    watch.do(lambda: watch.change(wanted or None, lambda: done.update(carry_out(memory, name, asked))))
    return done


def _add(watch: LiveWatch, made: _Cameras, addresses: Sequence[LiveAddress]) -> Mapping[str, Any]:
    """Watch more cameras from now on."""
    names = list[str]()

    def act() -> None:
        for address in addresses:
            name, camera = made.make(address)
            watch.add(name, camera)
            names.append(name)

    watch.do(act)
    return {"added": names}


def _mark(watch: LiveWatch, made: _Cameras, stream: str, marked: CameraZones) -> Mapping[str, Any]:
    """Look at a camera with other zones and masks from now on."""
    made.zones[stream] = marked
    watch.do(lambda: watch.mark(stream, marked, renew=made.records))
    return {"marked": stream}


def _remove(watch: LiveWatch, made: _Cameras, streams: Sequence[str]) -> Mapping[str, Any]:
    """Watch some cameras no more."""

    def act() -> None:
        for stream in streams:
            watch.remove(stream)
            made.release(stream)

    watch.do(act)
    return {"removed": list(streams)}
