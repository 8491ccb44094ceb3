"""What was measured of planted memories."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """How often an attack succeeded.

    Attributes:
        attack: Its name.
        by: Recall, or the reader that was tried.
        tries: Targets, over all seeds.
        before: Share that succeeded with plain recall.
        after: Share that succeeded with the defence.
    """

    attack: str
    by: str
    tries: int
    before: float
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What the defence costs where nobody attacks.

    Attributes:
        what: What was asked.
        tries: Questions.
        before: Share that was right with plain recall.
        after: Share that was right with the defence.
    """

    what: str
    tries: int
    before: float
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PoisonResult:
    """What was measured.

    Attributes:
        encoder: Id of the encoder.
        clips: Names of the clips.
        seeds: What was drawn with.
        tried: Each attack with recall and each reader.
        costs: What the defence costs.
    """

    encoder: str
    clips: tuple[str, ...]
    seeds: tuple[int, ...]
    tried: tuple[Tried, ...]
    costs: tuple[Cost, ...]

    @property
    def worst(self) -> float:
        """The greatest share of successes with the defence, of any attack by any way."""
        return max((each.after for each in self.tried), default=0.0)
