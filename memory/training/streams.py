"""Streams to learn consolidation from: their events in order, and how well questions point at each.

They come from events just cut, or from a memory that watched them before (stored_streams.py). Nobody has to label
anything.

Shapes: N events of a stream; Q questions; D embedding dimension.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.records import Event
from hippocam.stream.records import FloatArray

# A question is shared among the events by a softmax of its cosines with this temperature.
_TEMPERATURE = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingStream:
    """The events of one stream, by time.

    Attributes:
        keys_ND: float32 [N, D], what was new in each, of length 1.
        surprises_N: As in Event.
        utilities_N: As in Event.
        places_N: As in Event.
        t0_N: Starts, in seconds.
        t1_N: Ends, in seconds.
        pointed_N: How well questions point at each, 1 for the average event; None where none were asked.
    """

    keys_ND: FloatArray
    surprises_N: NDArray[np.float64]
    utilities_N: NDArray[np.float64]
    places_N: NDArray[np.int64]
    t0_N: NDArray[np.float64]
    t1_N: NDArray[np.float64]
    pointed_N: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        count = len(self.keys_ND)
        for name in ("surprises_N", "utilities_N", "places_N", "t0_N", "t1_N", "pointed_N"):
            values = getattr(self, name)
            if values is not None and len(values) != count:
                raise ValueError(f"TrainingStream.{name} must be [{count}] as the keys are, found {len(values)}")
        if (np.diff(self.t0_N) < 0).any():
            raise ValueError("TrainingStream must be in the order of t0_N")

    def __len__(self) -> int:
        return len(self.keys_ND)

    def pieces(self, count: int) -> list[TrainingStream]:
        """Cut the stream into `count` pieces, one after the other."""
        return [self.where(rows) for rows in np.array_split(np.arange(len(self)), count)]

    def where(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> TrainingStream:
        """Some of its events: a mask, or rising positions."""
        return TrainingStream(
            keys_ND=self.keys_ND[rows],
            surprises_N=self.surprises_N[rows],
            utilities_N=self.utilities_N[rows],
            places_N=self.places_N[rows],
            t0_N=self.t0_N[rows],
            t1_N=self.t1_N[rows],
            pointed_N=None if self.pointed_N is None else self.pointed_N[rows],
        )


def stream_from_events(events: Sequence[Event], questions_QD: FloatArray | None = None) -> TrainingStream:
    """The events of one stream as working memory closed them.

    Args:
        events: In any order.
        questions_QD: float32 [Q, D], texts that somebody might ask for; most will point at nothing that is there.
    """
    events = sorted(events, key=lambda event: (event.t0_s, event.first_seq))
    keys_ND, scenes_ND = np.stack([event.key for event in events]), np.stack([event.scene for event in events])
    return TrainingStream(
        keys_ND=keys_ND,
        surprises_N=np.array([event.surprise for event in events]),
        utilities_N=np.array([event.utility for event in events]),
        places_N=np.array([event.place for event in events]),
        t0_N=np.array([event.t0_s for event in events]),
        t1_N=np.array([event.t1_s for event in events]),
        pointed_N=None if questions_QD is None else pointed_at(keys_ND, scenes_ND, questions_QD),
    )


def pointed_at(keys_ND: FloatArray, scenes_ND: FloatArray, questions_QD: FloatArray) -> NDArray[np.float64]:
    """How much of many questions goes to each event, 1 on average.

    Each question is shared among the events by a softmax of its cosines with key and scene, so that one that is
    near to nothing in particular says little.
    """
    both_ND = (keys_ND + scenes_ND) / 2
    shares_N = np.zeros(len(keys_ND))
    for start in range(0, len(questions_QD), 256):
        cosine_QN = (questions_QD[start : start + 256] @ both_ND.T).astype(np.float64)
        share_QN = np.exp((cosine_QN - cosine_QN.max(axis=1, keepdims=True)) / _TEMPERATURE)
        shares_N += (share_QN / share_QN.sum(axis=1, keepdims=True)).sum(axis=0)
    return shares_N * (len(keys_ND) / max(len(questions_QD), 1))
