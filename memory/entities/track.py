"""One thing while it is followed within one visit, and its state as plain data to go on from later."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from hippocam.memory.entities.records import MOVERS
from hippocam.stream.records import Box, FloatArray

# Points of a track's path that are kept.
MOST_POINTS = 16
# How far a thing must have moved, in its own sizes, to count as one that moves by itself.
_WENT_ABOUT = 0.5
# Weight of labels that cannot move by themselves, for a thing that did.
_IMMOBILE_LABEL_WEIGHT = 0.25
# Attributes whose names in a stored state are older ones.
_STORED_NAMES = {
    "detection_index": "place",
    "farthest": "way",
    "foreground_s": "motion_s",
    "covered_by_s": "front_s",
}


@dataclass(slots=True, kw_only=True)
class Track:
    """One thing within one visit. Times as in Visit.

    Attributes:
        first_seq: Position of the frame that showed it first.
        detection_index: Which of that frame's detections it was.
        before_s: Time of the last frame without it, minus infinity where there was none.
        first_s: Time of its first frame.
        last_s: Time of the newest frame with it.
        box: Where it was last.
        start: Centre of its first box.
        gone_s: Time of the first frame without it, while it is out of sight.
        known_s: When it became known, None before.
        due_s: When it was ready to be compared with earlier visits, None before.
        misses: Frames since it was last there.
        hits: Detections.
        score: Score of the surest detection.
        votes: Sum of scores by label.
        sums: Sum of looks by label, float32 [A] each.
        speed: Speed of its centre, in shares of the picture a second.
        farthest: The farthest that it got from its start, in its own sizes.
        best: How well its best detection shows it, and that detection's time and box.
        gaps: As in Visit.
        patch: Its pixels when it was last detected, uint8, small.
        ended: Whether the visit is over.
        foreground_s: First frame of the foreground that it came with, None where there is none.
        left: Whether nothing was before the background since it was last there.
        covered_by_s: First frame of the foreground that covered it when it was last detected, None for none.
        path: Where it was and when, at up to `MOST_POINTS` times spread over the visit; the first and the newest.
        hues: For each label and each part from top to bottom, how much speaks for each name of a colour.
        portraits: Sum of the portraits that it has, float32 [D]; empty where it has none.
        portrait_s: Time of the newest of these.
    """

    first_seq: int
    detection_index: int
    before_s: float
    first_s: float
    last_s: float
    box: Box
    start: tuple[float, float]
    gone_s: float | None = None
    known_s: float | None = None
    due_s: float | None = None
    misses: int = 0
    hits: int = 0
    score: float = 0.0
    votes: dict[str, float] = field(default_factory=dict)
    sums: dict[str, FloatArray] = field(default_factory=dict)
    speed: tuple[float, float] = (0.0, 0.0)
    farthest: float = 0.0
    best: tuple[float, float, Box] = (0.0, 0.0, (0.0, 0.0, 1.0, 1.0))
    gaps: list[tuple[float, float]] = field(default_factory=list)
    patch: bytes = b""
    ended: bool = False
    foreground_s: float | None = None
    left: bool = False
    covered_by_s: float | None = None
    path: list[tuple[float, Box]] = field(default_factory=list)
    hues: dict[str, list[dict[str, float]]] = field(default_factory=dict)
    portraits: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))
    portrait_s: float | None = None

    @property
    def label(self) -> str:
        """The label with the most votes; for a thing that moved by itself, labels that can do so count most."""
        went_about = self.farthest > _WENT_ABOUT

        def weight(label: str) -> float:
            return self.votes[label] * (_IMMOBILE_LABEL_WEIGHT if went_about and label not in MOVERS else 1)

        return max(sorted(self.votes), key=weight)

    @property
    def look(self) -> FloatArray:
        """Mean look under its label, float32 [A], of length 1."""
        total = self.sums[self.label]
        return (total / max(float(np.linalg.norm(total)), 1e-12)).astype(np.float32)

    @property
    def colours(self) -> tuple[str, ...]:
        """Names of its colours under its label by part, from top to bottom; "" for a part that tells none."""
        parts = self.hues.get(self.label, [])
        named = tuple(max(sorted(part), key=lambda name: part[name]) if part else "" for part in parts)
        return named if any(named) else ()

    @property
    def portrait(self) -> FloatArray | None:
        """Mean of its portraits, float32 [D], of length 1; None where it has none."""
        if not len(self.portraits):
            return None
        return (self.portraits / max(float(np.linalg.norm(self.portraits)), 1e-12)).astype(np.float32)

    def note_place(self, time_s: float, box: Box) -> None:
        """Note where it is at a time."""
        self.path.append((time_s, box))
        if len(self.path) > MOST_POINTS:  # the one without which the gaps in time stay shortest
            gaps = [self.path[i + 1][0] - self.path[i - 1][0] for i in range(1, len(self.path) - 1)]
            del self.path[1 + gaps.index(min(gaps))]

    def note_colours(self, label: str, colours: Sequence[str], weight: float) -> None:
        """Note in which colours it was seen.

        Args:
            label: What it was taken for.
            colours: As in Thing.
            weight: How well it was shown.
        """
        parts = self.hues.setdefault(label, [{} for _ in colours])
        for part, name in zip(parts, colours, strict=False):  # another version may name more parts
            if name:
                part[name] = part.get(name, 0.0) + weight

    def add_portrait(self, portrait: FloatArray, time_s: float) -> None:
        """Add one more portrait, float32 [D], seen at a time."""
        same = len(self.portraits) == len(portrait)
        total = self.portraits + portrait if same else portrait
        self.portraits = total.astype(np.float16).astype(np.float32)  # as its state keeps it
        self.portrait_s = time_s

    def to_plain(self) -> dict[str, Any]:
        """The track as JSON can hold it; bytes and arrays become base64."""
        names = [each.name for each in fields(self)]
        row = {_STORED_NAMES.get(name, name): _plain(getattr(self, name)) for name in names}
        row["portraits"] = base64.b64encode(self.portraits.astype("<f2").tobytes()).decode()
        return row

    @classmethod
    def from_plain(cls, row: dict[str, Any]) -> Track:
        """Go on from what `to_plain` gave."""
        names = {stored: name for name, stored in _STORED_NAMES.items()}
        values = {names.get(stored, stored): value for stored, value in row.items()}
        shows, time_s, box = values["best"]
        sums = {label: np.frombuffer(base64.b64decode(text), "<f4") for label, text in values["sums"].items()}
        return cls(
            **{
                **values,
                "box": tuple(values["box"]),
                "start": tuple(values["start"]),
                "speed": tuple(values["speed"]),
                "sums": sums,
                "best": (shows, time_s, tuple(box)),
                "gaps": [(from_s, to_s) for from_s, to_s in values["gaps"]],
                "patch": base64.b64decode(values["patch"]),
                # tracks of an older hippocam have none of these
                "path": [(at_s, tuple(at)) for at_s, at in values.get("path", ())],
                "portraits": np.frombuffer(base64.b64decode(values.get("portraits", "")), "<f2").astype(
                    np.float32
                ),
            }
        )


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, np.ndarray):
        return base64.b64encode(np.asarray(value, "<f4").tobytes()).decode()
    return value
