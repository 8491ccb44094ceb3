"""Pictures of a camera that does not move into what appeared, left and moved before its learned background.

A small picture (64 pixels wide) is compared with a background that follows slow light. A pixel is foreground where
it differs by more than its own noise; not where it only darkens a little (a shadow, as in Horprasert et al.
1999), and not where it changes all the time (leaves, a screen). Foreground that hangs together is a presence. One
that stands still for long becomes background, and what was behind it is remembered, so that its leaving is seen
too. Whether still foreground is a thing or the hole that a thing left is told by whose outline is the sharper
one, the picture's or the background's. A camera that moves is recognised by how often most of its picture changes
at once, and gives nothing.

`background_pixels.py` has the pixels; here are the presences over time.
"""

from __future__ import annotations

import json
import math
import zlib
from dataclasses import asdict, dataclass
from typing import Any, Literal

from hippocam.memory.boxes import area as area_of
from hippocam.memory.boxes import overlap
from hippocam.memory.working.background_pixels import Layers, Limits, Mask, pieces
from hippocam.stream.records import Box, FloatArray

Kind = Literal["appeared", "left", "moved"]
_STILL_SHARE = 0.1  # of a presence's pixels that may change while it stands still
COVERED = 0.5  # of the smaller of two boxes that must be shared for one to show the other
_REST = 0.3  # what is left of a thing at the picture's edge, as a share of what it was, is its shadow


@dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundConfig:
    """When something counts as being there.

    Attributes:
        level: Difference of a pixel in any colour that counts, 1 to 255.
        noises: How many times the pixel's usual noise the difference must be, too, 1 to 20.
        area: Smallest share of the picture that is reported, 0 to 1; three times that if it shows in one frame
            only.
        trace: Smallest share that is followed after or before it is larger, 0 to 1.
        light_s: Time in which the background follows slow changes of light, seconds.
        settle_s: Time after which what stands still is background, seconds.
        still_s: Time without motion after which a presence counts as standing still, seconds.
        broken_area: Share of the picture that changes at once only where the camera moved or the light was
            switched, 0 to 1.
    """

    level: float = 22.0
    noises: float = 5.0
    area: float = 0.007
    trace: float = 0.003
    light_s: float = 30.0
    settle_s: float = 120.0
    still_s: float = 2.0
    broken_area: float = 0.6

    def __post_init__(self) -> None:
        for name, low, high in (
            ("level", 1, 255),
            ("noises", 1, 20),
            ("area", 0, 1),
            ("trace", 0, 1),
            ("broken_area", 0, 1),
        ):
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"background.{name} must be {low} to {high}, found {getattr(self, name)}")
        for name in ("light_s", "settle_s", "still_s"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"background.{name} must be above 0, found {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that changed before a camera that does not move.

    Attributes:
        kind: What happened.
        t0_s: Time of the last frame before it.
        t1_s: Time of the first frame after it.
        box: Where, as shares of the picture: left, top, right, bottom.
        area: How much of the picture it covers, 0 to 1.
    """

    kind: Kind
    t0_s: float
    t1_s: float
    box: Box
    area: float

    @property
    def time_s(self) -> float:
        """When, as well as the frames tell: half-way between them."""
        return (self.t0_s + self.t1_s) / 2


@dataclass(slots=True, kw_only=True)
class Presence:
    """A piece of foreground over time.

    Attributes:
        before_s: Time of the last frame without it.
        first_s: Time of the first with it.
        last_s: Time of the newest with it.
        box: Where it is now.
        home: Where it last stood still, or began.
        area: Share of the picture that it covers now.
        peak: The largest share so far.
        still_from_s: Since when it has not moved.
        hole: Whether it is where a thing is missing; None until it has stood still.
        told: Whether its beginning was reported.
        part: Whether it broke off from another, so that its coming and going is no change.
        fading: Since it is at the picture's edge and most of it gone: times of the frames around that; else None.
    """

    before_s: float
    first_s: float
    last_s: float
    box: Box
    home: Box
    area: float
    peak: float
    still_from_s: float
    hole: bool | None = None
    told: bool = False
    part: bool = False
    fading: tuple[float, float] | None = None

    @property
    def ends_s(self) -> tuple[float, float]:
        """Time of the last frame that shows most of it, and of the next, infinite while there is none."""
        return self.fading or (self.last_s, math.inf)


class Background:
    """The learned background of one stream, and what is before it."""

    def __init__(self, config: BackgroundConfig | None = None) -> None:
        self._config = config or BackgroundConfig()
        self._limits = Limits(
            level=self._config.level,
            noises=self._config.noises,
            light_s=self._config.light_s,
            settle_s=self._config.settle_s,
        )
        self._time_s = -math.inf
        self._samples = 0
        self._broken = 0.0  # share of the last two minutes' frames in which most of the picture changed
        self.presences: list[Presence] = []
        self._layers: Layers | None = None

    @property
    def static(self) -> bool:
        """Whether the camera does not move, as far as the frames so far tell."""
        return self._samples >= 3 and self._broken < 0.1

    @property
    def unseen(self) -> bool:
        """Whether no picture was seen yet, as of a stream that comes as vectors."""
        return self._layers is None

    @property
    def occupied(self) -> bool:
        """Whether something is before the background: where this changes, an event of a static camera ends."""
        return self.static and any(p.hole is not True for p in self.presences)

    def repeat(self, time_s: float) -> None:
        """Note that at time_s everything was as in the last picture."""
        if self._layers is not None and time_s > self._time_s:
            self._count(time_s - self._time_s, broken=False)
            self._layers.wait(time_s - self._time_s)
            for presence in self.presences:
                presence.last_s = time_s
        self._time_s = max(self._time_s, time_s)

    def see(self, picture: FloatArray | None, time_s: float) -> list[Change]:
        """Compare a picture with the background and learn from it.

        Args:
            picture: As `small_picture` gives it; None, of a JPEG that cannot be read, is passed over.
            time_s: Its time in seconds, later than the last.

        Returns:
            What changed; never before three frames were seen.
        """
        if picture is None or time_s <= self._time_s:
            return []
        before_s, self._time_s = self._time_s, time_s
        if self._layers is None or self._layers.shape != picture.shape:
            self._samples += 1
            self._layers = Layers(picture)
            self.presences = []
            return []
        elapsed_s = time_s - before_s
        mask, uncovered, moving = self._layers.compare(picture, elapsed_s, self._limits)
        changes = self._uncovered(uncovered, before_s, time_s)
        broken = float(mask.mean()) > self._config.broken_area
        self._count(elapsed_s, broken=broken)
        if broken:  # the camera was turned or the light was switched: all is learned anew
            self._layers = Layers(picture)
            self.presences = []
            return []
        changes += self._follow(mask, moving, picture, before_s, time_s)
        self._layers.learn(picture, mask, elapsed_s, self._limits)
        return changes if self.static else []

    def _count(self, elapsed_s: float, *, broken: bool) -> None:
        self._samples += 1
        share = min(1.0, max(elapsed_s / 120, 1 / (self._samples + 1)))
        self._broken += (float(broken) - self._broken) * share

    def covers(self, box: Box) -> Presence | None:
        """The presence that a box shows, if one shares most of the smaller of the two."""
        found = [(overlap(box, p.box), i) for i, p in enumerate(self.presences) if p.hole is not True]
        best = max(found, default=(0.0, 0))
        return self.presences[best[1]] if best[0] > COVERED else None

    def _uncovered(self, mask: Mask, before_s: float, time_s: float) -> list[Change]:
        """Things that had become background and left: what was behind them is there again."""
        return [
            Change(kind="left", t0_s=before_s, t1_s=time_s, box=box, area=area)
            for box, area, _ in pieces(mask, self._config.area)
        ]

    def _follow(
        self, mask: Mask, moving: Mask, picture: FloatArray, before_s: float, time_s: float
    ) -> list[Change]:
        found = pieces(mask, self._config.trace)
        changes: list[Change] = []
        left, free = list(self.presences), list(range(len(found)))
        before = [presence.box for presence in left]
        pairs = sorted(
            (
                (_near(presence.box, box) * min(area, presence.area), i, j)
                for i, presence in enumerate(left)
                for j, (box, area, _) in enumerate(found)
            ),
            key=lambda pair: (-pair[0], pair[1], pair[2]),
        )
        for nearness, i, j in pairs:
            presence = self.presences[i]
            if nearness <= 0 or presence not in left or j not in free:
                continue
            left.remove(presence)
            free.remove(j)
            changes += self._went_on(presence, found[j], moving, picture, before_s, time_s)
        for presence in left:
            changes += self._ended(presence, before_s, time_s)
        self.presences = [presence for presence in self.presences if presence not in left]
        for j in free:
            box, area, _ = found[j]
            part = any(overlap(box, whole) > 0.5 and area < area_of(whole) for whole in before)
            self.presences.append(
                Presence(
                    before_s=before_s,
                    first_s=time_s,
                    last_s=time_s,
                    box=box,
                    home=box,
                    area=area,
                    peak=area,
                    still_from_s=time_s,
                    part=part,
                )
            )
        return changes

    def _went_on(
        self,
        presence: Presence,
        piece: tuple[Box, float, Mask],
        moving: Mask,
        picture: FloatArray,
        before_s: float,
        time_s: float,
    ) -> list[Change]:
        box, area, where = piece
        changes: list[Change] = []
        presence.box, presence.area, presence.last_s = box, area, time_s
        presence.peak = max(presence.peak, area)
        if not _at_edge(box) or area > _REST * presence.peak:
            presence.fading = None
        elif presence.fading is None:
            presence.fading = (before_s, time_s)
        if float(moving[where].mean()) > _STILL_SHARE:
            presence.still_from_s = time_s
            if presence.hole is not None and overlap(presence.home, box) < 0.5:
                changes.append(Change(kind="moved", t0_s=before_s, t1_s=time_s, box=box, area=area))
                presence.hole, presence.home = None, box
        assert self._layers is not None
        if presence.hole is None and time_s - presence.still_from_s >= self._config.still_s:
            presence.hole, presence.home = self._layers.is_hole(picture, where), box
            if presence.hole and presence.peak >= self._config.area:
                from_s = min(before_s, presence.still_from_s)
                begin_s = min(presence.before_s, from_s)
                changes.append(Change(kind="left", t0_s=begin_s, t1_s=from_s, box=box, area=area))
                presence.told = True
        came_to_stay = presence.hole is None and presence.still_from_s == presence.first_s
        if not presence.told and presence.peak >= self._config.area and not came_to_stay:
            presence.told = True
            changes.append(self._began(presence))
        return [] if presence.part and not presence.hole else changes

    def _began(self, presence: Presence) -> Change:
        box, area = presence.box, presence.area
        return Change(kind="appeared", t0_s=presence.before_s, t1_s=presence.first_s, box=box, area=area)

    def _ended(self, presence: Presence, before_s: float, time_s: float) -> list[Change]:
        changes = list[Change]()
        if not presence.told:
            alone = presence.last_s == presence.first_s
            if presence.peak < self._config.area * (3 if alone else 1):
                return []
            changes.append(self._began(presence))
        kind: Kind = "appeared" if presence.hole else "left"
        t0_s, t1_s = presence.fading or (before_s, time_s)
        changes.append(Change(kind=kind, t0_s=t0_s, t1_s=t1_s, box=presence.box, area=presence.area))
        return [] if presence.part and not presence.hole else changes

    def to_bytes(self) -> bytes:
        """Everything it knows, to go on from."""
        head = {
            "time_s": self._time_s,
            "samples": self._samples,
            "broken": self._broken,
            "shape": self._layers.shape if self._layers else None,
            "presences": [asdict(presence) for presence in self.presences],
        }
        layers = self._layers.to_bytes() if self._layers else b""
        text = json.dumps(head).encode()
        return zlib.compress(len(text).to_bytes(4, "big") + text + layers)

    @classmethod
    def from_bytes(cls, data: bytes, config: BackgroundConfig | None = None) -> Background:
        """Go on from what `to_bytes` gave.

        Raises:
            ValueError: It is no such state.
        """
        made = cls(config)
        try:
            plain = zlib.decompress(data)
            end = 4 + int.from_bytes(plain[:4], "big")
            head = json.loads(plain[4:end])
            made._time_s, made._samples, made._broken = head["time_s"], head["samples"], head["broken"]
            made.presences = [_presence(each) for each in head["presences"]]
            if head["shape"]:
                made._layers = Layers.from_bytes(plain[end:], tuple(head["shape"]))
        except (zlib.error, KeyError, TypeError, json.JSONDecodeError) as error:
            raise ValueError(f"not a background's state: {error}") from error
        return made


def _presence(row: dict[str, Any]) -> Presence:
    """A presence as JSON has it, where tuples are lists."""
    fields: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in row.items()}
    return Presence(**fields)


def _near(a: Box, b: Box) -> float:
    """How likely two boxes are one thing a moment later: how much they share, or nearly touch; 0 if neither."""
    if (shared := overlap(a, b)) > 0:
        return 1 + shared
    gap = max(max(a[0], b[0]) - min(a[2], b[2]), max(a[1], b[1]) - min(a[3], b[3]), 0.0)
    reach = max(a[2] - a[0], a[3] - a[1], b[2] - b[0], b[3] - b[1])
    return max(0.0, 1 - gap / reach) * 0.5 if reach > 0 else 0.0


def _at_edge(box: Box) -> bool:
    return min(box[0], box[1]) <= 0 or max(box[2], box[3]) >= 1
