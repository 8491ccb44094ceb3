"""Working memory: the frames of one stream in, closed events out.

Per stream it holds the open event, the context (context.py: recent past and places) and the recent surprises. An
event is cut where the frame's surprise s = 1 - cos(frame, mean of the open event) exceeds mean + gamma * sd of the
recent s (event segmentation by prediction error, as in EM-LLM, Fountas et al. 2024, applied to frames), where the
film itself is cut, then at the cut's own time, where the source marks a frame, and at gaps. The key of a closed
event is what it adds to the context.

Shapes: D embedding dimension.
"""

from __future__ import annotations

import json
import math
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from hippocam.memory.records import KEY_FRAMES, Continuation, Event, id_of
from hippocam.memory.working.context import Context, ContextConfig, Place, PlaceChange, unit
from hippocam.stream.records import NO_SENSORS, Embedding, FloatArray, Repeat
from hippocam.stream.robot.motion import motion_of

# The usual surprise of a stream is the mean over its events, later over about this many of the newest.
_USUAL_EVENTS = 512
# Characters of the source's words that an event keeps.
_MAX_TEXT = 2000
# Above this, surprise makes no more difference.
_MOST_SURPRISE = 0.99
# In one event of this many, a frame is held out of its mean to ask with later, if the event has that many frames.
_PROBE_EVERY = 16
_PROBE_FRAMES = 4
# How the reason of an event's end begins where the film was cut.
_CUT = "cut"
# Key frames of a preview that are farther apart than this, in seconds, make a gap.
_KEYS_APART_S = 60.0


class WorkingState(NamedTuple):
    """What a stream's working memory leaves behind after an event: bytes, and the place that changed."""

    blob: bytes
    change: PlaceChange | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingConfig:
    """Where events are cut and what their keys are.

    Attributes:
        gamma: Standard deviations above the mean surprise at which an event is cut, 0 or more.
        floor: Surprise below which nothing is cut, 0 to 2: still scenes are not chopped by noise.
        window: Recent surprises that mean and deviation are taken over, 8 or more.
        min_frames: Fewest frames of an event, repeats included, 1 or more.
        max_s: Longest event in seconds, above 0. It bounds what a crash can lose.
        max_frames: Most encoded frames that an event holds, so that memory is bounded at any rate.
        onset: Where a change that lies between two frames is dated, as a share of the time between them, back from
            the second: 0 at the second, 0.5 half-way, 0 to 1.
        by_change: Whether an event also ends where something comes before a still camera's background, or leaves.
        gap_s: A jump in time of more than this, or backwards, ends an event, seconds above 0.
        context: What counts as known, and is taken out of a key.
    """

    gamma: float = 0.5
    floor: float = 0.15
    window: int = 128
    min_frames: int = 2
    max_s: float = 10.0
    max_frames: int = 64
    onset: float = 0.0
    by_change: bool = False
    gap_s: float = 15.0
    context: ContextConfig = field(default_factory=ContextConfig)

    def __post_init__(self) -> None:
        limits = {
            "gamma": (0, math.inf),
            "floor": (0, 2),
            "window": (8, 65536),
            "min_frames": (1, self.max_frames),
            "max_s": (1e-3, math.inf),
            "onset": (0, 1),
            "gap_s": (1e-3, math.inf),
        }
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"working.{name} must be {low} to {high}, found {value}")


class WorkingMemory:
    """The open event of one stream and what is needed to close it."""

    def __init__(self, stream: str, config: WorkingConfig | None = None, *, fps: float | None = None) -> None:
        self.stream = stream
        self._config = config or WorkingConfig()
        # a slow sampling rate makes no gaps, nor do key frames far apart
        slow_s = _KEYS_APART_S if fps == KEY_FRAMES else 3 / fps if fps else 0.0
        self._gap_s = max(self._config.gap_s, slow_s)
        self._frames: list[Embedding] = []
        self._begin_s: float | None = None  # where the open event begins, if before its first frame
        self._repeats = 0
        self._still: list[Repeat] = []  # those of the repeats in which something was known of a robot
        self._last: Embedding | Repeat | None = None
        self._sum: FloatArray | None = None
        self._surprises: deque[float] = deque(maxlen=self._config.window)
        self._context = Context(self._config.context)
        self._change: PlaceChange | None = None
        self._shown: FloatArray | None = None
        self._usual = 0.0
        self._events = 0
        self._quiet = 0
        self._quiet_from_s = 0.0

    def push(self, item: Embedding | Repeat, *, changed: str = "") -> Iterator[Event | Continuation]:
        """Take the next item of the stream; yield what it closed, which is mostly nothing.

        Args:
            item: In the order of its seq.
            changed: Why an event begins here, if the caller knows: something came before a still camera.
        """
        if self._last is not None and not 0 <= item.time_s - self._last.time_s <= self._gap_s:
            yield from self._close(self._last.time_s, "gap")
        if isinstance(item, Repeat):
            yield from self._push_repeat(item)
        else:
            yield from self._push_frame(item, changed)
        self._last = item

    def flush(self, end_s: float | None = None) -> Iterator[Event | Continuation]:
        """Close what is open: at the end of the stream, or before a gap.

        Args:
            end_s: Where the stream ends, when known; else the time of its last item.
        """
        if self._last is not None:
            last_s = self._last.time_s
            known = end_s is not None and last_s < end_s <= last_s + self._gap_s  # headers may be wrong
            yield from self._close(end_s if known and end_s is not None else last_s, "end")
        self._last = None

    @property
    def gap_s(self) -> float:
        """A jump in time of more than this, or backwards, is a gap; seconds."""
        return self._gap_s

    @property
    def open_frames(self) -> int:
        """Encoded frames in the open event."""
        return len(self._frames)

    @property
    def open_bytes(self) -> int:
        """Bytes of their pictures and vectors."""
        return sum(len(frame.jpeg) + frame.vector.nbytes for frame in self._frames)

    def _push_repeat(self, item: Repeat) -> Iterator[Event | Continuation]:
        goes_on = bool(self._frames)
        if self._frames and item.time_s - self._frames[0].time_s >= self._config.max_s:
            yield from self._close(item.time_s, f"{self._config.max_s:g} s long")
            goes_on = False
        elif self._quiet and item.time_s - self._quiet_from_s >= self._config.max_s:
            yield from self._close(item.time_s, "quiet")
        # after what closed, whose state must not have it: it comes again after an interruption; without it a still
        # camera's rare changes would be measured against each other
        self._surprises.append(0.0)
        if goes_on:
            self._repeats += 1
            if item.sensors is not NO_SENSORS:
                self._still.append(item)
            return
        if not self._quiet:
            self._quiet_from_s = item.time_s
        self._quiet += 1

    def _push_frame(self, item: Embedding, changed: str) -> Iterator[Event | Continuation]:
        if self._frames and self._sum is not None:
            surprise = 1.0 - float(unit(item.vector) @ unit(self._sum))
            cut = changed or self._cuts(surprise, item)
            self._surprises.append(
                float(np.float32(surprise))
            )  # before the event closes: state() at that moment holds it
            if cut:
                begins = bool(changed) or cut.startswith(("surprise", _CUT))
                yield from self._close(self._onset_s(item) if begins else item.time_s, cut, begins=begins)
        elif self._quiet:
            yield from self._close(self._onset_s(item), "quiet", begins=True)
        self._frames.append(item)
        self._sum = item.vector.copy() if self._sum is None else self._sum + item.vector

    def _onset_s(self, item: Embedding) -> float:
        """When something that an item is the first to show is taken to have begun, after the item before it."""
        assert self._last is not None
        if item.cut_s is not None and self._last.time_s < item.cut_s <= item.time_s:
            return item.cut_s
        onset_s = item.time_s - self._config.onset * (item.time_s - self._last.time_s)
        return max(onset_s, self._last.time_s)  # rounding must not put it before

    def _cuts(self, surprise: float, item: Embedding) -> str:
        """Why the open event ends before a frame; empty where it goes on."""
        config = self._config
        if item.mark:
            return item.mark
        if item.cut_s is not None and surprise >= config.floor:
            return f"{_CUT} at {item.cut_s:.2f} s"
        if item.time_s - self._frames[0].time_s >= config.max_s:
            return f"{config.max_s:g} s long"
        if len(self._frames) >= config.max_frames:
            return f"{config.max_frames} frames long"
        if len(self._frames) + self._repeats < config.min_frames or surprise < config.floor:
            return ""
        recent = np.asarray(self._surprises or [0.0])
        limit = float(recent.mean() + config.gamma * recent.std())
        return f"surprise {surprise:.2f} above {max(limit, config.floor):.2f}" if surprise > limit else ""

    def _close(self, end_s: float, cut: str, *, begins: bool = False) -> Iterator[Event | Continuation]:
        """Close what is open; the next event begins where it ends, or with its own first frame."""
        last, begun_s = self._last, self._begin_s
        assert last is not None
        self._begin_s = end_s if begins else None  # before the event closes: state() at that moment holds it
        if self._frames:
            yield self._event(begun_s, end_s, last.seq, cut)
        elif self._quiet:
            if self._shown is not None:  # what stands still becomes the recent past
                self._change = self._context.absorb(self._shown, end_s - self._quiet_from_s, end_s)
            yield Continuation(
                stream=self.stream,
                last_seq=last.seq,
                t0_s=self._quiet_from_s,
                t1_s=end_s,
                repeats=self._quiet,
            )
        self._frames, self._sum, self._repeats, self._quiet = [], None, 0, 0
        self._still = []

    def _event(self, begun_s: float | None, end_s: float, last_seq: int, cut: str) -> Event:
        frames = self._frames
        view = None
        if len(frames) >= _PROBE_FRAMES and id_of(self.stream, frames[0].seq) % _PROBE_EVERY == 0:
            view = frames[len(frames) // 2]
            frames = [frame for frame in frames if frame is not view]
        vectors_ND = np.stack([frame.vector for frame in frames])
        mean = unit(vectors_ND.mean(axis=0))
        exemplar = frames[int(np.argmax(vectors_ND @ mean))]
        labels = Counter(label for frame in frames for label in frame.labels)
        known = self._context.known
        key, surprise = self._context.residual(mean)
        view_D = None if view is None else self._context.residual(unit(view.vector))[0]
        # new over known: the tangent of the angle whose sine is the surprise
        novelty = surprise / math.sqrt(1 - min(surprise, _MOST_SURPRISE) ** 2)
        if known:  # the first event has no context to surprise
            self._events += 1
            self._usual += (novelty - self._usual) / min(self._events, _USUAL_EVENTS)
        t0_s = self._frames[0].time_s if begun_s is None else begun_s
        t1_s = max(end_s, self._frames[-1].time_s)
        self._shown = self._frames[-1].vector.astype(np.float16).astype(np.float32)
        self._change = self._context.absorb(mean, t1_s - t0_s, t1_s)
        return Event(
            stream=self.stream,
            first_seq=self._frames[0].seq,
            last_seq=last_seq,
            t0_s=t0_s,
            t1_s=t1_s,
            known_s=self._frames[-1].time_s,
            key=key,
            scene=mean,
            surprise=surprise,
            utility=(novelty / max(self._usual, 1e-6) if known else 1.0) * self._lasted(t1_s - t0_s),
            frame_s=exemplar.time_s,
            jpeg=exemplar.jpeg,
            sensors=exemplar.sensors,
            motion=motion_of(sorted([*self._frames, *self._still], key=lambda item: item.seq)),
            labels=tuple(label for label, _ in labels.most_common(5)),
            text="\n".join(dict.fromkeys(frame.text for frame in self._frames if frame.text))[:_MAX_TEXT],
            frames=len(self._frames),
            repeats=self._repeats,
            place=self._change.place.number,
            cut=cut,
            view=view_D,
        )

    def _lasted(self, seconds: float) -> float:
        """Factor on the utility of an event for how long it lasted: 1 for any that is cut here.

        What lasts longer is asked for more often. Events that are cut here are pieces, whose lengths tell nothing;
        those that come with an end of their own, such as a sentence, may last longer than any piece.
        """
        return 1 + math.log(max(1.0, seconds / self._config.max_s))

    def state(self) -> WorkingState:
        """What outlives a closed event: the context, the recent surprises, the usual one, and the next's start."""
        context, vectors = self._context.state()
        if self._shown is not None:
            vectors = [*vectors, self._shown]
        dim = len(vectors[0]) if vectors else 0
        head = {"dim": dim, "vectors": len(vectors), "usual": self._usual, "events": self._events, **context}
        if self._begin_s is not None:
            head["begin_s"] = self._begin_s
        body = b"".join(vector.astype("<f2").tobytes() for vector in vectors)
        surprises = np.asarray(self._surprises, "<f4")
        return WorkingState(json.dumps(head).encode() + b"\n" + body + surprises.tobytes(), self._change)

    def begin(self, next_place: int) -> None:
        """Go on with a stream that left no state behind: its entries have the places before this number."""
        self._context.restore(next_place, None, [])

    def restore(self, state: bytes, places: list[Place]) -> None:
        """Take up the state of an earlier run, as just after its last closed event."""
        head, _, body = state.partition(b"\n")
        values = json.loads(head)
        self._usual, self._events = float(values["usual"]), int(values["events"])
        self._begin_s = values.get("begin_s")
        count, dim = int(values["vectors"]), int(values["dim"])
        stored = np.frombuffer(body[: 2 * count * dim], "<f2").astype(np.float32).reshape(count, dim)
        self._context.restore(int(values["next_place"]), stored[0] if count else None, places)
        self._shown = stored[1] if count > 1 else None
        self._surprises.clear()
        self._surprises.extend(np.frombuffer(body[2 * count * dim :], "<f4").tolist())
