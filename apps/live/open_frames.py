"""What cameras show now: the frames of open events, searched beside the memory.

The live process holds these frames. The process that asks encodes the question and reads closed events from the
memory itself, so that the live process only compares a few vectors.

Shapes: D embedding dimension.
"""

from __future__ import annotations

import base64
import logging
import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from hippocam.apps.live.endpoint import ask_live
from hippocam.apps.live.folder import LiveFolder, Pictures
from hippocam.memory.filter import Filter
from hippocam.memory.recall.query import Query
from hippocam.memory.recall.recall import belief
from hippocam.memory.records import Evidence
from hippocam.stream.errors import HippocamError
from hippocam.stream.records import Embedding, EncoderSpec, FloatArray, Repeat

log = logging.getLogger(__name__)

_MOST_FRAMES = 128
_SHOWN = 64
_LATEST = 8


@dataclass(slots=True)
class _Seen:
    """A frame, and until when it was shown unchanged."""

    frame: Embedding
    until_s: float


class OpenFrames:
    """The newest frames of each camera, for as long as their event may be open. Thread-safe.

    Args:
        spec: The encoder's spec.
        hold_s: How long a frame is held, seconds of stream time; longer than an event can be open.
        shown: Folder for the pictures of moments that are returned.
    """

    def __init__(self, spec: EncoderSpec, hold_s: float, shown: Path) -> None:
        self._spec, self._hold_s = spec, hold_s
        self._streams: dict[str, deque[_Seen]] = {}
        self._pictures = Pictures(shown, _SHOWN)
        self._lock = threading.Lock()

    def add(self, items: Iterable[Embedding | Repeat]) -> None:
        """Take frames and repeats, in the order of time within each stream."""
        with self._lock:
            for item in items:
                held = self._streams.setdefault(item.stream, deque(maxlen=_MOST_FRAMES))
                if isinstance(item, Embedding):
                    held.append(_Seen(item, item.time_s))
                elif held:
                    held[-1].until_s = item.time_s
                while held and held[0].until_s < item.time_s - self._hold_s:
                    held.popleft()

    def close(self, stream: str) -> None:
        """Delete a camera's frames: its event was closed, and the memory has it."""
        with self._lock:
            self._streams.pop(stream, None)

    def latest(self, stream: str, count: int) -> list[Embedding]:
        """The newest frames of a camera, the oldest first."""
        with self._lock:
            return [seen.frame for seen in self._streams.get(stream, ())][-count:]

    def search(self, vector_D: FloatArray, wanted: Filter, *, top: int, compared: int) -> list[dict[str, Any]]:
        """Return the frames that best show what a vector describes, one a camera, the strongest first.

        Args:
            vector_D: float32 [D], the question in the encoder's space.
            wanted: Where and when to look.
            top: How many frames at most.
            compared: How many pictures the question is compared with in all; see `recall.belief`.
        """
        asked_D = vector_D / max(float(np.linalg.norm(vector_D)), 1e-9)
        best: list[tuple[float, _Seen]] = []
        with self._lock:
            for stream, held in self._streams.items():
                if not wanted.of_stream(stream):
                    continue
                seen = [s for s in held if wanted.overlaps(s.frame.time_s, s.until_s, s.frame.time_s)]
                if seen:
                    vectors_ND = np.stack([s.frame.vector for s in seen])
                    lengths_N = np.maximum(np.linalg.norm(vectors_ND, axis=1), 1e-9)
                    cosines_N = vectors_ND @ asked_D / lengths_N
                    # Among frames that show it equally well, take the newest: it is what is there now.
                    index = len(seen) - 1 - int(np.argmax(cosines_N[::-1].round(4)))
                    best.append((float(cosines_N[index]), seen[index]))
        best.sort(key=lambda found: (-found[0], found[1].frame.stream))
        return [self._moment(cosine, seen, compared) for cosine, seen in best[:top]]

    def _moment(self, cosine: float, seen: _Seen, compared: int) -> dict[str, Any]:
        frame = seen.frame
        picture = self._pictures.add(frame.stream, frame.seq, frame.time_s, frame.jpeg)
        return {
            "id": f"open-{frame.stream}-{frame.seq}",
            "stream": frame.stream,
            "t0_s": frame.time_s,
            "t1_s": seen.until_s,
            "cosine": cosine,
            "score": belief(cosine, self._spec, compared),
            "image": str(picture),
            "vector": frame.vector.tolist(),
            "things": [thing.label for thing in frame.sensed.things],
            "screen": list(frame.sensed.screen or ()),
        }


def answer_open(request: Mapping[str, Any], frames: OpenFrames, *, dim: int, compared: int) -> dict[str, Any]:
    """Answer what `open_moments` asks.

    Raises:
        ValueError: The request is malformed.
    """
    vector_D = np.asarray(request["vector"], np.float32)
    if vector_D.shape != (dim,) or not np.isfinite(vector_D).all():
        raise ValueError(f"the question's vector must have {dim} numbers, found shape {vector_D.shape}")
    conditions = {key: request.get(key) for key in _CONDITIONS}
    streams = conditions.pop("streams")
    wanted = Filter(**conditions, streams=None if streams is None else tuple(map(str, streams)))
    return {"moments": frames.search(vector_D, wanted, top=int(request["top"]), compared=compared)}


def answer_latest(request: Mapping[str, Any], frames: OpenFrames) -> dict[str, Any]:
    """Answer what `latest_frames` asks."""
    return {
        "frames": [
            {
                "seq": frame.seq,
                "time_s": frame.time_s,
                "vector": frame.vector.tolist(),
                "labels": list(frame.labels),
                "jpeg": base64.b64encode(frame.jpeg).decode(),
            }
            for frame in frames.latest(str(request["stream"]), _LATEST)
        ]
    }


def latest_frames(memory: Path, stream: str) -> list[Embedding]:
    """The newest frames of a camera that a live process watches, the oldest first; none where none runs."""
    try:
        answer = ask_live(LiveFolder(memory).socket, {"op": "latest", "stream": stream})
    except HippocamError as error:
        log.warning("what is shown now is left out: %s", error)
        return []
    return [
        Embedding(
            stream=stream,
            seq=int(row["seq"]),
            time_s=float(row["time_s"]),
            vector=np.asarray(row["vector"], np.float32),
            labels=tuple(map(str, row["labels"])),
            jpeg=base64.b64decode(row["jpeg"]),
        )
        for row in (answer or {}).get("frames", ())
    ]


_CONDITIONS = ("stream", "streams", "camera", "after_s", "before_s", "at_s")


class Wording(Protocol):
    """Says what a frame looks like."""

    def __call__(self, vector_D: FloatArray, labels: Sequence[str], lines: Sequence[str]) -> str:
        """One phrase for a frame's vector, the labels of the things in it and the lines that were read in it."""


def open_moments(
    memory: Path, found: Sequence[Evidence], query: Query, wording: Wording | None = None
) -> list[Evidence]:
    """What a query looks for and the running live process has seen in its open events.

    Without a live process, or where one hangs, there is none. Open events have no place yet, so a query for a
    place gets none.

    Args:
        memory: The memory's folder.
        found: What the memory gave; none of it is repeated.
        query: What was looked for.
        wording: Says what a frame looks like; None to leave that out.
    """
    if query.near is not None or query.place is not None or query.place_of is not None:
        return []
    request = {"op": "open", "vector": query.vector.tolist(), "top": query.top}
    request |= {key: getattr(query, key) for key in _CONDITIONS}
    try:
        answer = ask_live(LiveFolder(memory).socket, request)
    except HippocamError as error:
        log.warning("what is open now is left out: %s", error)
        return []
    return [_evidence(row, wording) for row in (answer or {}).get("moments", ()) if not _is_in(row, found)]


def _is_in(row: Mapping[str, Any], found: Iterable[Evidence]) -> bool:
    """Whether the memory gave that time of that camera already; an event ends where the next one begins."""
    return any(
        moment.id == row["id"]
        or (moment.stream == row["stream"] and any(t0_s <= row["t0_s"] < t1_s for t0_s, t1_s in moment.spans))
        for moment in found
    )


def _evidence(row: Mapping[str, Any], wording: Wording | None) -> Evidence:
    sentence = ""
    if wording is not None and "vector" in row:  # a live process of an older hippocam gives none
        lists = (tuple(map(str, row.get(name, ()))) for name in ("things", "screen"))
        sentence = wording(np.asarray(row["vector"], np.float32), *lists)
    why = f"picture against words: cosine {row['cosine']:.2f}, belief {row['score']:.0%}"
    t0_s, t1_s = float(row["t0_s"]), float(row["t1_s"])
    return Evidence(
        id=str(row["id"]),
        stream=str(row["stream"]),
        t0_s=t0_s,
        t1_s=t1_s,
        score=float(row["score"]),
        why=why + "; just seen, its event is still open",
        image=str(row["image"]),
        frame_s=t0_s,
        sentence=sentence,
        spans=((t0_s, t1_s),),
    )
