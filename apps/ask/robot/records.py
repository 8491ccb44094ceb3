"""What is known of a robot beside its pictures: what it acted on, and its pose, state and action at a time.

Shapes: S, A numbers of a state and an action.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from hippocam.apps.ask.where import Where
from hippocam.memory.records import Evidence
from hippocam.stream.records import FloatArray


class Act(NamedTuple):
    """A stretch of time in which a robot acted on the same moments.

    Attributes:
        stream: Its stream.
        t0_s: When it first acted on them.
        t1_s: When it last did.
        ids: Ids of the moments, the strongest first.
    """

    stream: str
    t0_s: float
    t1_s: float
    ids: tuple[str, ...]


# Why a moment is shown beside what the robot itself knew then.
OWN_RECORD = "the robot's own record of this time"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """What was known of a robot at one instant; each part may be absent.

    Attributes:
        stream: Its stream.
        time_s: When.
        pose: float64 [7], x, y, z in metres and the quaternion qx, qy, qz, qw.
        state: float32 [S], in the robot's own units.
        action: float32 [A], likewise.
        state_names: What its numbers are called, one each; none where nobody told.
        action_names: Likewise.
    """

    stream: str
    time_s: float
    pose: NDArray[np.float64] | None = None
    state: FloatArray | None = None
    action: FloatArray | None = None
    state_names: tuple[str, ...] = ()
    action_names: tuple[str, ...] = ()


class RobotRecords(Protocol):
    """Where it is looked up."""

    def acts(self, where: Where) -> Sequence[Act]:
        """What robots acted on in some streams and times, by time."""

    def moments(self, ids: Sequence[str], at_s: float | None) -> Sequence[Evidence]:
        """The moments of some ids that are still held."""

    def at(self, stream: str, time_s: float, at_s: float | None = None) -> Sample | None:
        """What was known of a robot nearest to a time."""
