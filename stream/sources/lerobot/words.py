"""What a LeRobot dataset says beside its pictures: what its numbers are called, and its language columns.

Of the language columns (v3) the persistent one repeats all rows of an episode on each frame; a row holds from its
time on until the next of its style. Events stand on the frame at whose time they happen.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from hippocam.stream.records import ACTION_NAMES, STATE_NAMES, Note, stream_id
from hippocam.stream.robot.dimensions import named

PERSISTENT, EVENTS = "language_persistent", "language_events"
# Rows that are not kept: the task in other words, and paths in pixels.
_NOT_KEPT = ("task_aug", "trace")
_LETTERS = 1000


class _Said(NamedTuple):
    time_s: float
    style: str
    text: str
    camera: str


def names_of(feature: object) -> list[str]:
    """What the numbers of a feature are called.

    Datasets have a list of names, lists of them, lists by a name, or indices by name.
    """
    names = feature.get("names") if isinstance(feature, Mapping) else None
    if isinstance(names, Mapping):
        numbered = all(isinstance(index, int) for index in names.values())
        by_index = sorted(names.items(), key=lambda pair: str(pair[1]).zfill(9))
        names = [name for name, _ in by_index] if numbered else list(names.values())
    if not isinstance(names, Sequence) or isinstance(names, str):
        return []
    flat = [name for each in names for name in (each if isinstance(each, (list, tuple)) else [each])]
    return flat if all(isinstance(name, str) for name in flat) else []


def name_notes(
    stream: str, cameras: Sequence[str], state: Sequence[str], action: Sequence[str]
) -> Iterator[tuple[float, Note]]:
    """What the numbers of an episode are called, as notes of its first camera."""
    for kind, names in ((STATE_NAMES, state), (ACTION_NAMES, action)):
        for note in named(kind, names, stream=stream_id(stream, cameras[0]), time_s=0.0):
            yield note.t0_s, note


def task_notes(
    stream: str, cameras: Sequence[str], times_s: Sequence[float], tasks: Sequence[str]
) -> Iterator[tuple[float, Note]]:
    """Each task but the first of an episode, as a note of its first camera from where it begins to where it ends.

    Args:
        stream: Name of the episode.
        cameras: Short names of its cameras.
        times_s: Of its rows; not finite where a row has none.
        tasks: What the robot was told, for each row.
    """
    timed = [(time_s, task) for time_s, task in zip(times_s, tasks, strict=True) if math.isfinite(time_s)]
    starts = [at for at in range(1, len(timed)) if timed[at][1] != timed[at - 1][1]]
    for start, end in zip(starts, [*starts[1:], len(timed) - 1], strict=False):
        time_s, task = timed[start]
        if task:
            yield time_s, _note(stream, cameras, _Said(time_s, "task", " ".join(task.split()), ""), timed[end][0])


def language_notes(
    stream: str, cameras: Sequence[str], times_s: Sequence[float], columns: Mapping[str, Sequence[Any]]
) -> Iterator[tuple[float, Note]]:
    """What the language columns of an episode say, by time.

    Args:
        stream: Name of the episode.
        cameras: Short names of its cameras; what is said of none of them is noted with the first.
        times_s: Of its rows; not finite where a row has none.
        columns: The language columns that there are, a value for each row.
    """
    finite = [time_s for time_s in times_s if math.isfinite(time_s)]
    if not finite or not cameras:
        return
    end_s = max(finite)
    lasting = sorted(_persistent(columns.get(PERSISTENT, ())))
    happened = _events(times_s, columns.get(EVENTS, ()))
    notes = [
        _note(stream, cameras, said, min(end_s, _until(said, lasting))) for said in lasting if said.time_s <= end_s
    ]
    notes += [_note(stream, cameras, said, said.time_s) for said in happened]
    for note in sorted(notes, key=lambda note: note.t0_s):
        yield note.t0_s, note


def _note(stream: str, cameras: Sequence[str], said: _Said, until_s: float) -> Note:
    camera = said.camera if said.camera in cameras else cameras[0]
    text = f"{said.style}: {said.text}"[:_LETTERS]
    return Note(stream=stream_id(stream, camera), kind="mark", t0_s=said.time_s, t1_s=until_s, text=text)


def _until(said: _Said, every: Sequence[_Said]) -> float:
    later = (other.time_s for other in every if other.style == said.style and other.time_s > said.time_s)
    return min(later, default=math.inf)


def _persistent(rows: Sequence[Any]) -> list[_Said]:
    """The persistent rows of an episode: each frame repeats them, so the first that has any tells."""
    told = next((value for value in rows if value), None)
    every = told if isinstance(told, list) else []
    return [
        said for row in every if (said := _said(row, row.get("timestamp") if isinstance(row, Mapping) else None))
    ]


def _events(times_s: Sequence[float], rows: Sequence[Any]) -> list[_Said]:
    found = []
    for time_s, value in zip(times_s, rows, strict=False):
        for row in value if isinstance(value, list) else ():
            said = _said(row, time_s)
            if said is not None:
                found.append(said)
    return found


def _said(row: object, time_s: object) -> _Said | None:
    """A row of a language column; None where it says nothing, or at no time."""
    if not isinstance(row, Mapping) or not isinstance(time_s, (int, float)) or not math.isfinite(time_s):
        return None
    style = row.get("style")
    text = row.get("content") or _spoken(row.get("tool_calls"))
    if style in _NOT_KEPT or not isinstance(text, str) or not text.strip():
        return None
    camera = str(row.get("camera") or "").removeprefix("observation.images.")
    told = str(style or "said")
    if style == "vqa":
        told = "question" if row.get("role") == "user" else "answer"
    return _Said(max(0.0, round(float(time_s), 6)), told, " ".join(text.split()), camera)


def _spoken(calls: object) -> str:
    """What a robot says aloud, by calls of the tool `say`."""
    texts = []
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, Mapping) else None
        arguments = function.get("arguments") if isinstance(function, Mapping) else None
        if isinstance(arguments, Mapping) and isinstance(arguments.get("text"), str):
            texts.append(arguments["text"])
    return " ".join(texts)
