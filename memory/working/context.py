"""What a stream has shown so far, so that an event's key holds what is new in it and nothing else.

Two things are known of a stream: its recent past (an exponential mean over some seconds) and its places (a bounded
set of centroids of that mean, found again when a camera comes back). The key of an event is what is left of its
mean once both are projected out: r = m - proj(m; recent, nearest place). Its length is the event's surprise: the
sine of the angle between the event and what was expected.

Shapes: D embedding dimension, P places.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hippocam.memory.codec import rounded
from hippocam.stream.records import FloatArray

# A place moves at least this much towards what is seen there: light changes over the day.
_MIN_RATE = 0.05
# Directions of which less than this lies outside the ones before them are ignored.
_INDEPENDENT = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextConfig:
    """What counts as known.

    Attributes:
        recent_s: Time constant of the recent past, seconds above 0.
        places: Most places of one stream that are held, 1 or more; the one not seen for longest makes room.
        same_place: Cosine above which the recent past is in a known place, -1 to 1.
    """

    recent_s: float = 12.0
    places: int = 32
    same_place: float = 0.7

    def __post_init__(self) -> None:
        limits = {"recent_s": (1e-3, math.inf), "places": (1, 1024), "same_place": (-1, 1)}
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"context.{name} must be {low} to {high}, found {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place of a stream.

    Attributes:
        number: From 1, in the order of first sight; never used again.
        vector: float32 [D], of length 1.
        seen: Events that were absorbed there.
        last_s: Stream time of the last of them.
    """

    number: int
    vector: FloatArray
    seen: int
    last_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceChange:
    """What one event changed: a place that is new or moved, and the number of one given up for it."""

    place: Place
    given_up: int | None = None


class Context:
    """Recent past and places of one stream."""

    def __init__(self, config: ContextConfig | None = None) -> None:
        self._config = config or ContextConfig()
        self._recent: FloatArray | None = None
        self._places: list[Place] = []
        self._looks: FloatArray | None = None  # the places' vectors [P, D]; None where they are to be put together
        self._next = 1

    @property
    def known(self) -> bool:
        """Whether anything was absorbed yet."""
        return self._recent is not None

    def residual(self, mean_D: FloatArray) -> tuple[FloatArray, float]:
        """What is new in an event.

        Args:
            mean_D: float32 [D], the event's mean, of length 1.

        Returns:
            The key, float32 [D] of length 1, and the surprise, 0 to 1. Of the first event all is new.
        """
        known = []
        if self._recent is not None:
            known.append(unit(self._recent))
        if self._places:
            known.append(self._places[self._nearest(mean_D)].vector)
        left = mean_D.astype(np.float64)
        basis: list[np.ndarray] = []
        for direction in known:
            own = direction.astype(np.float64)
            for other in basis:
                own = own - (own @ other) * other
            length = float(np.linalg.norm(own))
            if length > _INDEPENDENT:
                own /= length
                basis.append(own)
                left = left - (left @ own) * own
        return unit(left.astype(np.float32)), min(1.0, float(np.linalg.norm(left)))

    def absorb(self, mean_D: FloatArray, seconds: float, now_s: float) -> PlaceChange:
        """Take in an event, and say in which place it was.

        Args:
            mean_D: float32 [D], its mean.
            seconds: How long it was.
            now_s: Stream time of its end.
        """
        if self._recent is None:
            self._recent = _half(mean_D)
        else:
            keep = math.exp(-max(seconds, 1e-3) / self._config.recent_s)
            self._recent = _half(keep * self._recent + (1 - keep) * mean_D)
        here = unit(self._recent)
        if self._places:
            at = self._nearest(here)
            place = self._places[at]
            if float(place.vector @ here) > self._config.same_place:
                rate = max(1 / (place.seen + 1), _MIN_RATE)
                moved = rounded(unit((1 - rate) * place.vector + rate * here))
                self._places[at] = Place(number=place.number, vector=moved, seen=place.seen + 1, last_s=now_s)
                self._looks_PD()[at] = moved
                return PlaceChange(place=self._places[at])
        given_up = None
        new = Place(number=self._next, vector=rounded(here), seen=1, last_s=now_s)
        self._next += 1
        if len(self._places) >= self._config.places:
            at = min(range(len(self._places)), key=lambda at: (self._places[at].last_s, self._places[at].number))
            looks_PD = self._looks_PD()
            looks_PD[at:-1], looks_PD[-1] = looks_PD[at + 1 :], new.vector
            given_up = self._places.pop(at).number
        else:
            self._looks = None
        self._places.append(new)
        return PlaceChange(place=new, given_up=given_up)

    def _nearest(self, vector_D: FloatArray) -> int:
        return int(np.argmax(self._looks_PD() @ vector_D))

    def _looks_PD(self) -> FloatArray:
        if self._looks is None:
            self._looks = np.stack([place.vector for place in self._places])
        return self._looks

    def state(self) -> tuple[dict[str, int], list[FloatArray]]:
        """What outlives a closed event, without the places, which are kept one by one; vectors fit float16."""
        return {"next_place": self._next}, [] if self._recent is None else [self._recent]

    def restore(self, next_place: int, recent_D: FloatArray | None, places: list[Place]) -> None:
        """Take up the state of an earlier run."""
        self._recent = recent_D
        self._places = sorted(places, key=lambda place: place.number)
        self._looks = None
        self._next = next_place


def _half(vector: FloatArray) -> FloatArray:
    return vector.astype(np.float16).astype(np.float32)


def unit(vector: FloatArray) -> FloatArray:
    """Scale a vector to length 1; a zero vector stays zero."""
    square = vector.dot(vector)
    length = math.sqrt(square) if vector.dtype == np.float64 else float(np.float32(math.sqrt(square)))
    return (vector / length).astype(np.float32, copy=False) if length > 1e-9 else np.zeros_like(vector, np.float32)
