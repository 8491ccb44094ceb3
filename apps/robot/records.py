"""What a robot's memory is given, and what it gives back.

Shapes: H, W a picture's height and width; D embedding dimension; S, A state and action sizes. Times are seconds on
the robot's own clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hippocam.stream.records import FloatArray, Image

Doubles = NDArray[np.float64]
# Frames of an open event that can be recalled: the newest.
MOST_OPEN = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One instant of one environment, on its way to the process that encodes and writes.

    Attributes:
        seq: Position among all that this robot's memory was given, from 0.
        env: Which environment.
        episode: Which episode of it, from 0.
        time_s: When.
        images: uint8 [H, W, 3] RGB by camera; only those whose turn it is.
        state: float32 [S], or None.
        action: float32 [A], or None.
        pose: float64 [7], x, y, z in metres and the quaternion qx, qy, qz, qw, or None.
        text: Words that the robot gave, such as its task.
        mark: Why this is a key event ("reset", "task", "gripper", or the user's words); "" where it is none.
        ends: Whether the episode before this one ends here.
        acts: Whether this is an action that was chosen, and nothing that was observed.
        used: Ids of the entries that the action rested on, as the database has them.
    """

    seq: int
    env: str
    episode: int
    time_s: float
    images: Mapping[str, Image] = field(default_factory=dict)
    state: FloatArray | None = None
    action: FloatArray | None = None
    pose: Doubles | None = None
    text: str = ""
    mark: str = ""
    ends: bool = False
    acts: bool = False
    used: tuple[int, ...] = ()


class FreshFrame(NamedTuple):
    """A frame whose event may still be open.

    Attributes:
        stream: Its stream.
        time_s: When it was seen.
        until_s: Until when it was seen unchanged.
        vector: float32 [D].
        pose: float64 [7] or None.
        text: Words that the robot gave.
    """

    stream: str
    time_s: float
    until_s: float
    vector: FloatArray
    pose: Doubles | FloatArray | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """What the process that remembers tells the one that recalls, after each write.

    Attributes:
        frames: New frames, and older ones that are prolonged.
        as_of: Episode and time of the newest observation that was taken in, by environment.
    """

    frames: tuple[FreshFrame, ...]
    as_of: Mapping[str, tuple[int, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecalledEntry:
    """A moment that was recalled.

    Attributes:
        id: Id of its entry, as people see it; "" while its event is open, where it has none yet.
        stream: env/episode/camera.
        t0_s: Start of the span that was found.
        t1_s: Its end.
        cosine: Of the question with the moment, -1 to 1; 0 where nothing but conditions was asked.
        vector: float32 [D], of length 1.
        pose: float64 [7], where the robot was (nearest to the place that was asked for), or None.
        text: Words that the robot gave then. Untrusted.
        image: Path of its picture, "" where there is none (any more).
    """

    id: str
    stream: str
    t0_s: float
    t1_s: float
    cosine: float
    vector: FloatArray
    pose: Doubles | None = None
    text: str = ""
    image: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """What a robot's memory says to a question, and how far it can be relied on.

    Attributes:
        entries: The moments, the nearest first; empty where nothing was answered in time.
        version: Of the snapshot that was read; it rises with each that is published. -1 where none answered.
        as_of_s: Time of the newest observation that was taken in; None where there is none.
        age_ms: How long before `now` that was, milliseconds; infinite where nothing was taken in.
        stale: Whether that is longer ago than the memory may lag.
        complete: Whether everything was searched that was taken in: an answer came before the deadline, and what
            the memory held when it was opened has been read.
        error: In one line why the question cannot be searched for; "" where it can.
    """

    entries: tuple[RecalledEntry, ...] = ()
    version: int = -1
    as_of_s: float | None = None
    age_ms: float = float("inf")
    stale: bool = True
    complete: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotStatus:
    """How the memory keeps up with its robot.

    Attributes:
        observed: Observations that were given.
        dropped: Pictures that were overwritten before they were taken, by camera.
        refused: What was not taken, by reason: "time went back", "picture", "pose", "too large" ...
        waiting: Observations that wait to be taken.
        restarts: How often a process of ours ended and was started again.
        error: Why the memory does not remember now, in one line; "" where it does.
    """

    observed: int
    dropped: Mapping[str, int]
    refused: Mapping[str, int]
    waiting: int
    restarts: int
    error: str
