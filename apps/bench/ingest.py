"""How fast footage is watched on one core, compared with the two floors: decoding alone and encoding alone.

Each variant runs in a process of its own, on one core, with one thread a library, and loads its networks before
the clock starts. Variants take turns, so that a busy machine is busy for all of them; figures are medians over the
rounds. Processor time counts, since other processes disturb it least; time by the clock stands beside it.

    decode   the sampled frames of the clip, through our source, and nothing else
    encode   those of them that pass the change gate, decoded beforehand, in the pipeline's chunks
    watch    what `Session.watch` does, as it comes: decode, gate, encode, text and things, JPEG, memory on disk
    bare     the same with all senses but the encoder off
    opencv   what one writes first: `read()` every frame, encode those that are due with the same encoder
    fast     the same as a preview: key frames alone, one in 4 s at most
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from hippocam.apps.bench.one_core import in_child, stay_on_one_core
from hippocam.apps.records import WatchReport
from hippocam.apps.settings import DEFAULT_ENCODER
from hippocam.models.senses.config import SensesConfig
from hippocam.stream.errors import HippocamError

Variant = Literal["decode", "encode", "watch", "bare", "opencv", "fast"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)
# Targets for a clip at 720p, on one core, with the bundled encoder.
TARGET_WATCH = 8.0
TARGET_FAST = 60.0
TARGET_OVERHEAD = 0.10
_LONGEST_S = 1800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """One variant on one clip: medians over the rounds.

    Attributes:
        cpu_s: Processor time of all its threads, s.
        wall_s: Time by the clock, s.
        frames: Frames that it looked at.
        encoded: How many of these were encoded.
    """

    cpu_s: float
    wall_s: float
    frames: int
    encoded: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipSpeed:
    """All variants on one clip, or on all clips together.

    Attributes:
        clip: Its name.
        size: Width and height in pixels; (0, 0) for all clips.
        seconds: Its length.
        variants: By name.
    """

    clip: str
    size: tuple[int, int]
    seconds: float
    variants: dict[Variant, Timing]

    def times_real(self, variant: Variant, *, wall: bool = False) -> float:
        """Seconds of footage in a second."""
        timing = self.variants[variant]
        return self.seconds / max(timing.wall_s if wall else timing.cpu_s, 1e-9)

    def overhead(self, *, wall: bool = False) -> float:
        """Time that `bare` takes beyond decoding and encoding alone, as a share of these two."""

        def took(variant: Variant) -> float:
            return self.variants[variant].wall_s if wall else self.variants[variant].cpu_s

        floors = took("decode") + took("encode")
        return (took("bare") - floors) / max(floors, 1e-9)


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestResult:
    """Every clip.

    Attributes:
        encoder: Name of the encoder.
        fps: Frames a second that are looked at.
        rounds: How often each variant ran on each clip.
        clips: In the order given.
    """

    encoder: str
    fps: float
    rounds: int
    clips: tuple[ClipSpeed, ...]

    @property
    def total(self) -> ClipSpeed:
        """All clips one after the other."""
        return ClipSpeed(
            clip="all",
            size=(0, 0),
            seconds=sum(clip.seconds for clip in self.clips),
            variants={
                variant: Timing(
                    cpu_s=sum(clip.variants[variant].cpu_s for clip in self.clips),
                    wall_s=sum(clip.variants[variant].wall_s for clip in self.clips),
                    frames=sum(clip.variants[variant].frames for clip in self.clips),
                    encoded=sum(clip.variants[variant].encoded for clip in self.clips),
                )
                for variant in VARIANTS
            },
        )


def run(
    clips: Sequence[Path],
    *,
    encoder: str = DEFAULT_ENCODER,
    fps: float = 1.0,
    rounds: int = 3,
    report: Callable[[str], None] = lambda line: None,
) -> IngestResult:
    """Measure all variants on each clip.

    Args:
        clips: Video files.
        encoder: Name of the encoder.
        fps: Frames a second that are looked at, above 0.
        rounds: How often each variant runs on each clip, 1 or more.
        report: Called with a line of progress after each measurement.

    Raises:
        HippocamError: A clip cannot be read, or none was given.
    """
    from hippocam.stream.sources.decode.packet_index import build_index

    if not clips:
        raise HippocamError("no clip was given: name video files with --videos")
    if rounds < 1:
        raise HippocamError(f"--rounds must be 1 or more, found {rounds}")
    found = list[ClipSpeed]()
    for clip in clips:
        index = build_index(clip, str(clip))
        step_s = float(index.times_s[-1] - index.times_s[0]) / max(1, len(index) - 1)
        took: dict[Variant, list[Timing]] = {variant: [] for variant in VARIANTS}
        for number in range(rounds):
            for variant in VARIANTS:
                timing = _in_child(variant, clip, encoder, fps)
                took[variant].append(timing)
                report(f"{clip.name} {number + 1}/{rounds} {variant}: {timing.cpu_s:.2f} s")
        found.append(
            ClipSpeed(
                clip=clip.name,
                size=index.size,
                seconds=float(index.times_s.max() - index.times_s.min()) + step_s,
                variants={variant: _median(timings) for variant, timings in took.items()},
            )
        )
    return IngestResult(encoder=encoder, fps=fps, rounds=rounds, clips=tuple(found))


def _median(timings: Sequence[Timing]) -> Timing:
    return Timing(
        cpu_s=statistics.median(t.cpu_s for t in timings),
        wall_s=statistics.median(t.wall_s for t in timings),
        frames=timings[0].frames,
        encoded=timings[0].encoded,
    )


def _in_child(variant: Variant, clip: Path, encoder: str, fps: float) -> Timing:
    """Run one variant in a process of its own."""
    arguments = json.dumps({"variant": variant, "clip": str(clip.resolve()), "encoder": encoder, "fps": fps})
    what = f"{clip}: {variant} failed"
    return Timing(**in_child(__name__, arguments, what=what, longest_s=_LONGEST_S))


# in the child -----------------------------------------------------------------------------------------------


def child(arguments: str) -> None:
    """Measure one variant on one core and print a Timing as JSON: what a process of `run` does."""
    stay_on_one_core()
    given: dict[str, Any] = json.loads(arguments)
    print(json.dumps(asdict(measure(given["variant"], Path(given["clip"]), given["encoder"], given["fps"]))))


def measure(variant: Variant, clip: Path, encoder: str, fps: float) -> Timing:
    """Measure one variant in this process, as it is."""
    work = {"decode": _decode, "encode": _encode, "opencv": _opencv}
    return work[variant](clip, encoder, fps) if variant in work else _watch(clip, encoder, fps, variant)


@contextmanager
def _clock() -> Iterator[Callable[[], tuple[float, float]]]:
    """Yield a function that returns the processor and clock time since then."""
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    yield lambda: (time.process_time() - cpu_s, time.perf_counter() - wall_s)


def _timing(spent: tuple[float, float], frames: int, encoded: int) -> Timing:
    return Timing(cpu_s=spent[0], wall_s=spent[1], frames=frames, encoded=encoded)


def _decode(clip: Path, encoder: str, fps: float) -> Timing:
    from hippocam.stream.sources.video import VideoSource

    import_av()
    with _clock() as spent:
        frames = sum(1 for _ in VideoSource(clip).observations(fps=fps))
        return _timing(spent(), frames, 0)


def import_av() -> None:
    """Load the decoder's library before the clock starts."""
    import av

    assert av.__version__


def _encode(clip: Path, encoder: str, fps: float) -> Timing:
    from hippocam.stream.chunks import chunks
    from hippocam.stream.gates import Gates, split
    from hippocam.stream.pipeline import PipelineConfig
    from hippocam.stream.records import Frame
    from hippocam.stream.sources.video import VideoSource

    config, loaded = PipelineConfig(), _loaded(encoder)
    observations = VideoSource(clip).observations(fps=fps)
    cut = list(chunks(split("clip", observations, Gates(config.gate)), config.chunk))
    pictures = [[item.image for item in chunk if isinstance(item, Frame)] for chunk in cut]
    with _clock() as spent:
        for batch in pictures:
            loaded.encode_images(batch)
        return _timing(spent(), sum(map(len, cut)), sum(map(len, pictures)))


def _opencv(clip: Path, encoder: str, fps: float) -> Timing:
    import cv2

    from hippocam.stream.pipeline import PipelineConfig

    size, loaded = PipelineConfig().chunk, _loaded(encoder)
    with _clock() as spent:
        video, batch, frames, encoded, due_s = cv2.VideoCapture(str(clip)), [], 0, 0, 0.0
        rate = video.get(cv2.CAP_PROP_FPS) or 25.0
        while True:
            there, picture = video.read()
            if there:
                frames += 1
                if (frames - 1) / rate + 1e-3 >= due_s:
                    due_s += 1 / fps
                    batch.append(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
            if len(batch) == size or (batch and not there):
                loaded.encode_images(batch)
                encoded += len(batch)
                batch = []
            if not there:
                break
        video.release()
        return _timing(spent(), frames, encoded)


def _watch(clip: Path, encoder: str, fps: float, variant: Variant) -> Timing:
    """What `Session.watch` does: open the source, claim it, watch it into a memory on disk."""
    import cv2
    import numpy as np

    from hippocam.apps.watch import Work, watch_sources
    from hippocam.memory.memory import Memory
    from hippocam.models.senses.build import make_senses
    from hippocam.stream.pipeline import NO_SENSES, PipelineConfig
    from hippocam.stream.sources import SourceConfig, open_sources

    made, preview = _loaded(encoder), variant == "fast"
    senses = make_senses(SensesConfig()) if variant == "watch" else NO_SENSES
    work = Work(encoder=made, make_encoder=lambda: made, pipeline=PipelineConfig(fps=fps), senses=senses)

    def watch(path: Path, folder: Path) -> WatchReport:
        opened = open_sources([path], SourceConfig(keyframes_only=preview))
        if opened.failed:
            raise opened.failed[0]
        with Memory.open_writer(folder, encoder=encoder, spec=made.spec) as memory:
            return watch_sources(memory, opened.sources, work, started=time.monotonic())

    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder) / "first.png"
        cv2.imwrite(str(first), np.zeros((48, 64, 3), np.uint8))
        watch(first, Path(folder) / "m")  # loads the networks and makes the memory
        import_av()
        with _clock() as spent:
            watched = watch(clip, Path(folder) / "m")
            took = spent()
    if watched.failed:
        raise HippocamError(f"{clip}: {watched.failed[0].reason}")
    return _timing(
        took, sum(s.frames_seen for s in watched.streams), sum(s.frames_encoded for s in watched.streams)
    )


def _loaded(encoder: str) -> Any:
    """Make an encoder and have it encode one picture, so that it is loaded."""
    import numpy as np

    from hippocam.models.registry import make_encoder

    made = make_encoder(encoder)
    made.encode_images([np.zeros((48, 64, 3), np.uint8)])
    return made


# report -----------------------------------------------------------------------------------------------------


def table(result: IngestResult) -> str:
    """The result as Markdown."""
    lines = [
        f"Times real time on one core, by processor time (medians of {result.rounds} rounds in which the variants "
        f"take turns, a process each); sampled at {result.fps:g} a second, encoder {result.encoder}. "
        "*Decode* and *encode* alone are the floors: the sampled frames, and those of them that pass the change "
        "gate. *Watch* is `hippocam watch` as it comes, with text read and things followed; *bare* without. "
        "*OpenCV* reads every frame and encodes all that are due. Overhead is what bare takes beyond both floors, "
        "as a share of their sum, by processor time and by the clock.",
        "",
        "| clip | size | s | frames | encoded | decode | encode | watch | bare | OpenCV | OpenCV / bare, time "
        "| `--fast` | key frames | overhead | by clock |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    rows = [*result.clips, result.total] if len(result.clips) > 1 else list(result.clips)
    for c in rows:
        size, watch = f"{c.size[0]}x{c.size[1]}" if c.size[0] else "", c.variants["watch"]
        faster = c.variants["opencv"].cpu_s / max(c.variants["bare"].cpu_s, 1e-9)
        speeds = {variant: c.times_real(variant) for variant in VARIANTS}
        lines.append(
            f"| {c.clip} | {size} | {c.seconds:.0f} | {watch.frames} | {watch.encoded} | {speeds['decode']:.1f} "
            f"| {speeds['encode']:.1f} | {speeds['watch']:.1f} | {speeds['bare']:.1f} "
            f"| {speeds['opencv']:.1f} | {faster:.2f} | {speeds['fast']:.0f} | {c.variants['fast'].frames} "
            f"| {c.overhead():+.0%} | {c.overhead(wall=True):+.0%} |"
        )
    tall = [c for c in result.clips if min(c.size) >= 720]
    if tall:
        lines += ["", _verdict(tall, result)]
    return "\n".join(lines)


def _verdict(tall: Sequence[ClipSpeed], result: IngestResult) -> str:
    """Say whether clips of 720 lines meet the targets."""
    total = IngestResult(encoder=result.encoder, fps=result.fps, rounds=result.rounds, clips=tuple(tall)).total
    watch, fast, overhead = total.times_real("watch"), total.times_real("fast"), total.overhead()
    slowest = {variant: min(clip.times_real(variant) for clip in tall) for variant in VARIANTS}
    told = [
        f"watch {watch:.1f} times real time, {slowest['watch']:.1f} on the slowest (target {TARGET_WATCH:g}: "
        f"{_met(watch >= TARGET_WATCH)})",
        f"`--fast` {fast:.0f}, {slowest['fast']:.0f} on the slowest (target {TARGET_FAST:g}: "
        f"{_met(fast >= TARGET_FAST)})",
        f"overhead {overhead:+.0%}, {max(clip.overhead() for clip in tall):+.0%} at most (target at most "
        f"{TARGET_OVERHEAD:.0%}: {_met(overhead <= TARGET_OVERHEAD)})",
    ]
    clips = ", ".join(c.clip for c in tall)
    return f"Targets at 720 lines, by all such clips together ({clips}): {'; '.join(told)}."


def _met(met: bool) -> str:
    return "met" if met else "missed"
