"""Sentences about many videos, by two annotators, into one lifelog and the questions about it.

The videos are joined one after the other. What the first annotator said of them is what happens, what the second
said of the same minutes is what is asked. The files are ActivityNet Captions' own, `val_1.json` and `val_2.json`
(Krishna et al. 2017): for each video its duration, and sentences with start and end in seconds.

Shapes: N sentences.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hippocam.apps.bench.lifelog.records import Lifelog, Told
from hippocam.stream.errors import HippocamError

SEEN, ASKED = "val_1.json", "val_2.json"
Videos = Mapping[str, Mapping[str, Any]]


def read_lifelog(folder: Path, seed: int, of: Callable[[str], bool] | None = None) -> Lifelog:
    """Join the videos of a folder into one lifelog.

    Args:
        folder: Holds `val_1.json` and `val_2.json`.
        seed: Draws the order of the videos.
        of: Which videos, by name; None for all.

    Raises:
        HippocamError: A file is missing or holds something else, or no video has both annotators.
    """
    seen, asked = _read(folder / SEEN), _read(folder / ASKED)
    seen = {name: video for name, video in seen.items() if of is None or of(name)}
    names = sorted(seen)
    order = np.random.default_rng(seed).permutation(len(names))
    starts_s, end_s = dict[str, float](), 0.0
    for index in order:
        starts_s[names[index]] = end_s
        end_s += float(seen[names[index]]["duration"])
    questions = {name: video for name, video in asked.items() if name in seen}
    if not questions:
        raise HippocamError(f"{folder}: {ASKED} is about none of the videos of {SEEN}")
    return Lifelog(seen=_told(seen, starts_s), asked=_told(questions, starts_s), seconds=end_s)


def _told(videos: Videos, starts_s: Mapping[str, float]) -> Told:
    rows = sorted(
        (starts_s[name] + t0_s, starts_s[name] + t1_s, text.strip())
        for name, video in videos.items()
        for (t0_s, t1_s), text in zip(video["timestamps"], video["sentences"], strict=True)
    )
    return Told(
        texts=tuple(text for _, _, text in rows),
        t0_N=np.array([t0_s for t0_s, _, _ in rows]),
        t1_N=np.array([t1_s for _, t1_s, _ in rows]),
    )


def _read(file: Path) -> Videos:
    try:
        videos: Videos = json.loads(file.read_text(encoding="utf-8"))
        for video in videos.values():
            lengths = len(video["timestamps"]), len(video["sentences"])
            if lengths[0] != lengths[1] or not all(0 <= t0 <= t1 for t0, t1 in video["timestamps"]):
                raise ValueError(f"{lengths[0]} times and {lengths[1]} sentences of a video, or a time before 0")
            float(video["duration"])
    except FileNotFoundError:
        raise HippocamError(f"{file}: no such file; the folder must hold {SEEN} and {ASKED}") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise HippocamError(f"{file}: not captions as ActivityNet's are ({error})") from error
    return videos
