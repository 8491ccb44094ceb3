"""When a standing question fires: once for each visit of what the detector knows, else once until it is over.

One picture is no proof: among many, some come near any words. So some must agree. What is asked for by a name that
the detector knows is told when it was followed in as many pictures, once for each visit, whenever the last alert
was. If more is said of it than its name ("a red car"), the encoder must believe pictures of that visit, too, and
the colours that were named from its pixels must not say otherwise. For anything else the encoder's belief must be
high in as many pictures in a row, and low in as many before it fires again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from hippocam.apps.ask.nouns import Thing, coloured_in, contradicted
from hippocam.apps.live.standing import AlertConfig
from hippocam.memory.entities.records import EntityConfig
from hippocam.memory.entities.track import Track
from hippocam.memory.entities.tracker import Tracker
from hippocam.stream.records import Box, Embedding, Repeat
from hippocam.stream.zones.polygons import Zone

# How long an alert that the encoder alone causes is silent afterwards, seconds.
_PAUSE_S = 60.0


class Look(NamedTuple):
    """What one frame tells a trigger.

    Attributes:
        time_s: Time of the frame.
        belief: The encoder's belief that it shows what is asked for; None for an unchanged frame.
        things: What is followed and in sight.
    """

    time_s: float
    belief: float | None
    things: Sequence[Track] = ()


class Firing(NamedTuple):
    """An alert that fires.

    Attributes:
        belief: How sure: the encoder's belief, or the detector's score.
        label: What the detector calls the thing; "" where the encoder alone says so.
        box: Where it is, as shares of the picture; None as above.
    """

    belief: float
    label: str = ""
    box: Box | None = None


class Followed:
    """The things that are in sight of each camera, as the detector saw them in two pictures."""

    def __init__(self) -> None:
        self._trackers = dict[str, Tracker]()

    def see(self, item: Embedding | Repeat) -> list[Track]:
        """Take a camera's next frame; return what it shows."""
        tracker = self._trackers.setdefault(item.stream, Tracker(EntityConfig()))
        tracker.push(item)
        return [track for track in tracker.tracks if track.known_s is not None and track.gone_s is None]


@dataclass(slots=True)
class BeliefTrigger:
    """For what the encoder alone tells."""

    config: AlertConfig
    armed: bool = True
    _belief: float = 0.0
    _high: int = 0
    _low: int = 0
    _since_s: float | None = None
    _fired_s: float = float("-inf")

    def see(self, look: Look) -> Firing | None:
        """Take a camera's next frame; say whether the alert fires."""
        config = self.config
        self._belief = self._belief if look.belief is None else look.belief
        if self._belief >= config.threshold:
            self._high, self._low = self._high + 1, 0
            self._since_s = look.time_s if self._since_s is None else self._since_s
        elif self._belief < config.release:
            self._high, self._low, self._since_s = 0, self._low + 1, None
            self.armed |= self._low >= config.pictures
        since_s = self._since_s
        if not self.armed or since_s is None or self._high < config.pictures:
            return None
        pause_s = _PAUSE_S if config.cooldown_s is None else config.cooldown_s
        if look.time_s - since_s < config.hold_s or look.time_s - self._fired_s < pause_s:
            return None
        self.armed, self._fired_s = False, look.time_s
        return Firing(self._belief)

    def lose(self) -> None:
        """Start again after the camera was away."""
        self._belief, self._high, self._low, self._since_s, self.armed = 0.0, 0, 0, None, True


@dataclass(slots=True)
class VisitTrigger:
    """For what the detector knows: fires once for each visit.

    Attributes:
        config: The question.
        thing: What it names.
        zone: Where the thing must stand; None for anywhere.
    """

    config: AlertConfig
    thing: Thing
    zone: Zone | None = None
    _agreeing: dict[tuple[int, int], int] = field(default_factory=dict)
    _told: set[tuple[int, int]] = field(default_factory=set)
    _fired_s: float = float("-inf")

    def see(self, look: Look) -> Firing | None:
        """Take a camera's next frame; say whether the alert fires."""
        meant = {_visit(track): track for track in look.things if self._is_meant(track)}
        self._told &= {_visit(track) for track in look.things}
        self._agreeing = {visit: self._agreeing.get(visit, 0) for visit in meant}
        for visit in meant:
            if not self._agrees(look.belief):
                self._agreeing[visit] = 0
            elif look.belief is not None or self._agreeing[visit]:
                self._agreeing[visit] += 1
        ready = [v for v, track in meant.items() if v not in self._told and self._is_ready(v, track, look.time_s)]
        if not ready or look.time_s - self._fired_s < (self.config.cooldown_s or 0.0):
            return None
        self._told.update(ready)
        self._fired_s = look.time_s
        best = max((meant[visit] for visit in ready), key=lambda track: track.score)
        sure = best.score if self.thing.plain or look.belief is None else look.belief
        return Firing(sure, best.label, best.box)

    def lose(self) -> None:
        """Nothing: a thing that is seen again at once after the camera was away is on the same visit."""

    def _is_meant(self, track: Track) -> bool:
        """Whether it is such a thing, where it must stand, and of no other colour than the question says."""
        if track.label not in self.thing.labels or (self.zone is not None and not self.zone.holds(track.box)):
            return False
        asked = (each for each in coloured_in(self.config.text) if set(each.labels) & set(self.thing.labels))
        return not any(contradicted(each, [track]) for each in asked)

    def _agrees(self, belief: float | None) -> bool:
        return self.thing.plain or belief is None or belief >= self.config.threshold

    def _is_ready(self, visit: tuple[int, int], track: Track, time_s: float) -> bool:
        seen = max(track.hits, self._agreeing[visit]) if self.thing.plain else self._agreeing[visit]
        return seen >= self.config.pictures and time_s - track.first_s >= self.config.hold_s


def _visit(track: Track) -> tuple[int, int]:
    """What tells a visit from others of its stream."""
    return track.first_seq, track.detection_index
