"""Working memory: the frames of one stream in, closed events out.

Per stream it holds the open event, a slow background and the recent surprises. An event is cut where the
frame's surprise s = 1 - cos(frame, mean of the open event) exceeds mean + gamma * sd of the recent s
(event segmentation by prediction error, as in EM-LLM, Fountas et al. 2024, applied to frames), and at gaps.
The key of a closed event is what it adds to the background: key = mean - strength * background.

Shapes: D embedding dimension.
"""

from __future__ import annotations

import json
import math
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hippocam.memory.records import Continuation, Event
from hippocam.stream.records import Embedding, FloatArray, Repeat

# The usual surprise of a stream is the mean over its events, over about this many of the last ones later on.
_USUAL_EVENTS = 64
# Characters of the source's words that an event keeps.
_MAX_TEXT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingConfig:
    """Where events are cut and what their keys are.

    Attributes:
        gamma: Standard deviations above the mean surprise at which an event is cut, 0 or more.
        floor: Surprise below which nothing is cut, 0 to 2: still scenes are not chopped by noise.
        window: Recent surprises that mean and deviation are taken over, 8 or more.
        min_frames: Frames that an event has at least, repeats counted, 1 or more.
        max_s: Longest event in seconds, above 0. It bounds what a crash can lose.
        max_frames: Most encoded frames that an event holds, so that memory is bounded at any rate.
        gap_s: A jump in time of more than this, or backwards, ends an event, seconds above 0.
        background_tau_s: Time constant of the background, seconds above 0.
        background_strength: How much of the background is taken out of a key, 0 to 1.
    """

    gamma: float = 0.5
    floor: float = 0.15
    window: int = 128
    min_frames: int = 2
    max_s: float = 10.0
    max_frames: int = 64
    gap_s: float = 15.0
    background_tau_s: float = 120.0
    background_strength: float = 1.0

    def __post_init__(self) -> None:
        limits = {
            "gamma": (0, math.inf),
            "floor": (0, 2),
            "window": (8, 65536),
            "min_frames": (1, self.max_frames),
            "max_s": (1e-3, math.inf),
            "gap_s": (1e-3, math.inf),
            "background_tau_s": (1e-3, math.inf),
            "background_strength": (0, 1),
        }
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"working.{name} must be {low} to {high}, found {value}")


def unit(vector: FloatArray) -> FloatArray:
    """Scale a vector to length 1; a zero vector stays zero."""
    length = float(np.linalg.norm(vector))
    return (vector / length).astype(np.float32) if length > 1e-9 else np.zeros_like(vector)


class WorkingMemory:
    """The open event of one stream and what is needed to close it."""

    def __init__(self, stream: str, config: WorkingConfig | None = None, *, fps: float | None = None) -> None:
        self.stream = stream
        self._config = config or WorkingConfig()
        # a slow sampling rate makes no gaps
        self._gap_s = max(self._config.gap_s, 3 / fps if fps else 0.0)
        self._frames: list[Embedding] = []
        self._repeats = 0
        self._last: Embedding | Repeat | None = None
        self._sum: FloatArray | None = None
        self._surprises: deque[float] = deque(maxlen=self._config.window)
        self._background: FloatArray | None = None
        self._usual = 0.0
        self._events = 0
        self._quiet = 0
        self._quiet_from_s = 0.0

    def push(self, item: Embedding | Repeat) -> Iterator[Event | Continuation]:
        """Take the next item of the stream; yield what it closed (nothing, mostly)."""
        if self._last is not None and not 0 <= item.time_s - self._last.time_s <= self._gap_s:
            yield from self.flush()
        if isinstance(item, Repeat):
            yield from self._push_repeat(item)
        else:
            yield from self._push_frame(item)
        self._last = item

    def flush(self, end_s: float | None = None) -> Iterator[Event | Continuation]:
        """Close what is open: at the end of the stream, or before a gap.

        Args:
            end_s: Where the stream ends, when known; else the time of its last item.
        """
        if self._last is not None:
            last_s = self._last.time_s
            known = end_s is not None and last_s < end_s <= last_s + self._gap_s  # headers may be wrong
            yield from self._close(end_s if known and end_s is not None else last_s)
        self._last = None

    @property
    def open_frames(self) -> int:
        """Encoded frames in the open event."""
        return len(self._frames)

    @property
    def open_bytes(self) -> int:
        """Bytes of their pictures and vectors."""
        return sum(len(frame.jpeg) + frame.vector.nbytes for frame in self._frames)

    def _push_repeat(self, item: Repeat) -> Iterator[Event | Continuation]:
        self._surprises.append(0.0)  # or a still camera's rare changes would be measured against each other
        if self._frames:
            if item.time_s - self._frames[0].time_s >= self._config.max_s:
                yield from self._close(item.time_s)
            else:
                self._repeats += 1
                return
        elif self._quiet and item.time_s - self._quiet_from_s >= self._config.max_s:
            yield from self._close(item.time_s)
        if not self._quiet:
            self._quiet_from_s = item.time_s
        self._quiet += 1

    def _push_frame(self, item: Embedding) -> Iterator[Event | Continuation]:
        if self._frames and self._sum is not None:
            surprise = 1.0 - float(unit(item.vector) @ unit(self._sum))
            cut = self._cuts(surprise, item)
            self._surprises.append(surprise)  # before the event closes: state() at that moment holds it
            if cut:
                yield from self._close(item.time_s)
        elif self._quiet:
            yield from self._close(item.time_s)
        self._frames.append(item)
        self._sum = item.vector.copy() if self._sum is None else self._sum + item.vector

    def _cuts(self, surprise: float, item: Embedding) -> bool:
        config = self._config
        if len(self._frames) >= config.max_frames or item.time_s - self._frames[0].time_s >= config.max_s:
            return True
        if len(self._frames) + self._repeats < config.min_frames or surprise < config.floor:
            return False
        if not self._surprises:
            return True
        recent = np.asarray(self._surprises)
        return surprise > float(recent.mean() + config.gamma * recent.std())

    def _close(self, end_s: float) -> Iterator[Event | Continuation]:
        last = self._last
        assert last is not None
        if self._frames:
            yield self._event(end_s, last.seq)
        elif self._quiet:
            yield Continuation(stream=self.stream, last_seq=last.seq, t1_s=end_s, repeats=self._quiet)
        self._frames, self._sum, self._repeats, self._quiet = [], None, 0, 0

    def _event(self, end_s: float, last_seq: int) -> Event:
        vectors_ND = np.stack([frame.vector for frame in self._frames])
        mean = unit(vectors_ND.mean(axis=0))
        known = self._background is not None
        background = self._background if self._background is not None else mean
        strength = self._config.background_strength if known else 0.0
        exemplar = self._frames[int(np.argmax(vectors_ND @ mean))]
        labels = Counter(label for frame in self._frames for label in frame.labels)
        surprise = 1.0 - float(mean @ unit(background)) if known else 1.0
        if known:  # the first event has no background to surprise
            self._events += 1
            self._usual += (surprise - self._usual) / min(self._events, _USUAL_EVENTS)
        event = Event(
            stream=self.stream,
            first_seq=self._frames[0].seq,
            last_seq=last_seq,
            t0_s=self._frames[0].time_s,
            t1_s=max(end_s, self._frames[-1].time_s),
            known_s=self._frames[-1].time_s,
            key=unit(mean - strength * background),
            scene=mean,
            surprise=surprise,
            utility=surprise / max(self._usual, 1e-6) if known else 1.0,
            frame_s=exemplar.time_s,
            jpeg=exemplar.jpeg,
            sensors=exemplar.sensors,
            labels=tuple(label for label, _ in labels.most_common(5)),
            text="\n".join(dict.fromkeys(frame.text for frame in self._frames if frame.text))[:_MAX_TEXT],
            frames=len(self._frames),
            repeats=self._repeats,
        )
        decay = math.exp(-max(event.t1_s - event.t0_s, 1e-3) / self._config.background_tau_s)
        self._background = (decay * background + (1 - decay) * mean).astype(np.float32)
        return event

    def state(self) -> bytes:
        """What outlives a closed event, as bytes: the background, the recent surprises and the usual one."""
        background = self._background if self._background is not None else np.zeros(0, np.float32)
        head = json.dumps({"dim": len(background), "usual": self._usual, "events": self._events}).encode()
        surprises = np.asarray(self._surprises, np.float64)
        return head + b"\n" + background.astype("<f4").tobytes() + surprises.astype("<f8").tobytes()

    def restore(self, state: bytes) -> None:
        """Take up the state of an earlier run, as just after its last closed event."""
        head, _, body = state.partition(b"\n")
        values = json.loads(head)
        self._usual, self._events = float(values["usual"]), int(values["events"])
        split = 4 * int(values["dim"])
        background = np.frombuffer(body[:split], "<f4").astype(np.float32)
        self._background = background if len(background) else None
        self._surprises.clear()
        self._surprises.extend(np.frombuffer(body[split:], "<f8").tolist())
