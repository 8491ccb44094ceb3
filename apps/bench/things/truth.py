"""Annotated things: which clip shows what, and when.

    [{"video", "half": "calibrate" or "report", "duration_s", "annotated_by",
      "queries": [{"text", "windows": [[from_s, to_s], ...], "at": [[time_s, x, y], ...]}]}]

What is chosen, is chosen on the first half; the other is only reported. `at` are points on the thing, as shares.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hippocam.stream.errors import HippocamError

HALVES = ("calibrate", "report")
Window = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A thing that is searched for.

    Attributes:
        text: What it is.
        windows: When it can be seen, seconds.
    """

    text: str
    windows: tuple[Window, ...]

    def shown_at(self, time_s: float) -> bool:
        """Whether it can be seen at a time."""
        return any(t0_s <= time_s <= t1_s for t0_s, t1_s in self.windows)

    def shown_for(self, t0_s: float, t1_s: float) -> float:
        """Share of a moment in which it can be seen, 0 to 1."""
        if t1_s <= t0_s:
            return float(self.shown_at(t0_s))
        return sum(max(0.0, min(t1_s, end) - max(t0_s, start)) for start, end in self.windows) / (t1_s - t0_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class ThingClip:
    """A video with the things that it shows.

    Attributes:
        name: Its name.
        video: The file.
        half: One of HALVES.
        duration_s: Its length, seconds.
        asked: What is searched for in it.
    """

    name: str
    video: Path
    half: str
    duration_s: float
    asked: tuple[Asked, ...]


def read_things(file: Path, videos: Path, halves: Sequence[str] = HALVES) -> list[ThingClip]:
    """Read annotations; clips whose video is missing are left out.

    Raises:
        HippocamError: The file is missing, or no such file of annotations.
    """
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
        clips = [
            ThingClip(
                name=Path(row["video"]).stem,
                video=videos / row["video"],
                half=row["half"],
                duration_s=float(row["duration_s"]),
                asked=tuple(
                    Asked(text=each["text"], windows=tuple((t0_s, t1_s) for t0_s, t1_s in each["windows"]))
                    for each in row["queries"]
                ),
            )
            for row in rows
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HippocamError(f"{file}: no annotations of things ({error})") from error
    return [clip for clip in clips if clip.half in halves and clip.video.is_file()]
