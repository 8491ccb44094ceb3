"""What a policy reads: the moment it is in, and the moments that its memory recalled.

Shapes: B batch, K recalled moments, D numbers of a vector, F of a moment's features, H actions of a chunk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hippocam.stream.records import FloatArray

Doubles = NDArray[np.float64]
# Features of where a robot is, and of a recalled moment beside its vector.
PLACE, MOMENT = 4, 13
# Metres (or cells) that distances are divided by, and seconds that an age of 1 stands for as a logarithm.
_NEAR, _MIDDLE, _FAR, _AGE = 1.0, 4.0, 32.0, 8.0


def _none(*shape: int) -> FloatArray:
    return np.zeros(shape, np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recollection:
    """What a memory recalled at one moment; without moments where it is empty.

    Attributes:
        vectors_KD: float32 [K, D], of length 1.
        cosines_K: float32 [K], of the question with each.
        poses_K3: float64 [K, 3], where the robot was: x and y in metres, heading in radians.
        ages_K: float32 [K], seconds since.
        outcomes_K: float32 [K], how the episode went that it is of: 1 well, -1 badly, 0 unknown.
        stale: Whether the memory lags too far behind to be relied on; then nothing of it is read.
    """

    vectors_KD: FloatArray
    cosines_K: FloatArray
    poses_K3: Doubles
    ages_K: FloatArray
    outcomes_K: FloatArray
    stale: bool = False

    def __post_init__(self) -> None:
        count = len(self.vectors_KD)
        found = [len(each) for each in (self.cosines_K, self.poses_K3, self.ages_K, self.outcomes_K)]
        if found != [count] * 4:
            raise ValueError(f"a recollection of {count} moments needs {count} of everything, found {found}")

    def __len__(self) -> int:
        return len(self.vectors_KD)

    def only(self, rows: Sequence[int] | NDArray[np.int64]) -> Recollection:
        """Some of the moments, in this order."""
        kept = np.asarray(rows, np.int64)
        return Recollection(
            vectors_KD=self.vectors_KD[kept],
            cosines_K=self.cosines_K[kept],
            poses_K3=self.poses_K3[kept],
            ages_K=self.ages_K[kept],
            outcomes_K=self.outcomes_K[kept],
            stale=self.stale,
        )


def nothing(dim: int, *, stale: bool = False) -> Recollection:
    """What an empty memory recalls."""
    return Recollection(
        vectors_KD=_none(0, dim),
        cosines_K=_none(0),
        poses_K3=np.zeros((0, 3)),
        ages_K=_none(0),
        outcomes_K=_none(0),
        stale=stale,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moment:
    """The moment in which a policy acts.

    Attributes:
        view_D: float32 [D], of length 1: what the encoder makes of the picture.
        goal_D: float32 [D], of length 1: what is asked for.
        pose: float64 [3]: x and y in metres, heading in radians.
        recalled: What the memory recalls of the goal.
    """

    view_D: FloatArray
    goal_D: FloatArray
    pose: Doubles
    recalled: Recollection


class Batch(NamedTuple):
    """Some moments as a network reads them.

    Attributes:
        view_BD: What is seen.
        goal_BD: What is asked for.
        place_BF: Where the robot is, `PLACE` numbers.
        vectors_BKD: What was recalled, padded with zeros.
        moments_BKF: The rest that is known of it, `MOMENT` numbers.
        held_BK: Which of these are moments that may be read, and no padding.
    """

    view_BD: Tensor
    goal_BD: Tensor
    place_BF: Tensor
    vectors_BKD: Tensor
    moments_BKF: Tensor
    held_BK: Tensor


def batch_of(moments: Sequence[Moment]) -> Batch:
    """Lay moments out for a network. What a stale memory recalled is left out."""
    dim = len(moments[0].view_D)
    widest = max(1, *(len(each.recalled) for each in moments))
    vectors, features = _none(len(moments), widest, dim), _none(len(moments), widest, MOMENT)
    held = np.zeros((len(moments), widest), bool)
    for row, moment in enumerate(moments):
        recalled = moment.recalled
        if len(recalled) and not recalled.stale:
            vectors[row, : len(recalled)] = recalled.vectors_KD
            features[row, : len(recalled)] = moment_features(moment.pose, recalled)
            held[row, : len(recalled)] = True
    return Batch(
        torch.from_numpy(np.stack([each.view_D for each in moments])),
        torch.from_numpy(np.stack([each.goal_D for each in moments])),
        torch.from_numpy(np.stack([place_features(each.pose) for each in moments])),
        torch.from_numpy(vectors),
        torch.from_numpy(features),
        torch.from_numpy(held),
    )


def place_features(pose: Doubles) -> FloatArray:
    """Where the robot is, as numbers of about one: float32 [PLACE]."""
    x, y, heading = pose
    return np.array([x / _FAR, y / _FAR, np.cos(heading), np.sin(heading)], np.float32)


def moment_features(pose: Doubles, recalled: Recollection) -> FloatArray:
    """What is known of recalled moments as seen from where the robot is now: float32 [K, MOMENT]."""
    off = recalled.poses_K3[:, :2] - pose[:2]
    heading = pose[2]
    ahead = off @ np.array([np.cos(heading), np.sin(heading)])
    left = off @ np.array([-np.sin(heading), np.cos(heading)])
    turned = recalled.poses_K3[:, 2] - heading
    columns = [
        recalled.cosines_K,
        *(np.tanh(distance / scale) for distance in (ahead, left) for scale in (_NEAR, _MIDDLE)),
        ahead / _FAR,
        left / _FAR,
        np.abs(ahead) < _NEAR / 2,
        np.abs(left) < _NEAR / 2,
        np.cos(turned),
        np.sin(turned),
        np.log1p(recalled.ages_K) / _AGE,
        recalled.outcomes_K,
    ]
    return np.stack(columns, 1).astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySizes:
    """Sizes of a policy's network.

    Attributes:
        dim: D, numbers of the encoder's vectors.
        actions: Kinds of actions, or where they are continuous numbers of one.
        chunk: H, actions that are chosen at once.
        continuous: Whether actions are numbers rather than kinds.
        width: Width of the network.
        read: K, recalled moments that are read at most.
    """

    dim: int
    actions: int
    chunk: int = 4
    continuous: bool = False
    width: int = 64
    read: int = 8

    def __post_init__(self) -> None:
        if min(self.dim, self.actions, self.chunk, self.width, self.read) < 1:
            raise ValueError(f"a policy's sizes must be 1 or more, found {self}")
