"""What the numbers of a robot's state and action are called, as notes of its streams.

A note holds a thousand characters, so long lists of names become several, in the order of their lines. Behind a
state's own numbers may stand distances that depth cameras measured, nine of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hippocam.stream.records import ACTION_NAMES, STATE_NAMES, Note

# Characters of names in one note; longest name that is kept, and how many.
_NOTE_CHARS, _NAME_CHARS, _MOST = 900, 60, 512
# The fields of a depth camera's picture in which a distance is kept, row by row.
FIELDS = (
    "top left", "top", "top right", "left", "centre", "right", "bottom left", "bottom", "bottom right",
)  # fmt: skip
_UNIT = " m"


def named(kind: str, names: Sequence[str], *, stream: str, time_s: float) -> list[Note]:
    """The names of a state or an action as notes.

    Args:
        kind: STATE_NAMES or ACTION_NAMES.
        names: One a number, in order; none where nobody knows them.
        stream: Of the robot.
        time_s: From when on.
    """
    if kind not in (STATE_NAMES, ACTION_NAMES):
        raise ValueError(f"names are of {STATE_NAMES!r} or {ACTION_NAMES!r}, found {kind!r}")
    lines, line = list[str](), ""
    for name in map(_plain, names[:_MOST]):
        if line and len(line) + len(name) > _NOTE_CHARS:
            lines.append(line)
            line = ""
        line += f", {name}" if line else name
    lines += [line] if line else []
    return [
        Note(stream=stream, kind=kind, t0_s=time_s, t1_s=time_s, text=text, line=number)
        for number, text in enumerate(lines)
    ]


def distances_of(camera: str) -> list[str]:
    """What the distances that a depth camera measured are called."""
    return [f"{camera} {field}{_UNIT}" for field in FIELDS]


def is_distance(name: str) -> bool:
    """Whether a number of a state is a distance that a depth camera measured."""
    return name.endswith(tuple(f" {field}{_UNIT}" for field in FIELDS))


def names_in(notes: Iterable[Note], kind: str) -> list[str]:
    """The names of a state or an action, from the notes of a stream; none where there are none."""
    own = sorted((note for note in notes if note.kind == kind), key=lambda note: (note.t0_s, note.line))
    latest = [note for note in own if note.t0_s == own[-1].t0_s]
    return [name for note in latest for name in note.text.split(", ")]


def _plain(name: object) -> str:
    return " ".join(str(name).replace(",", " ").split())[:_NAME_CHARS] or "?"
