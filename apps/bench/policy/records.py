"""What `hippocam bench policy` compares, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hippocam.apps.robot.policy.trials import Score
from hippocam.models.policies.playing import PlayWorld

OURS, MEMORYLESS, GRU, TRANSFORMER = "ours", "memoryless", "gru", "transformer"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyBench:
    """What is compared.

    Attributes:
        world: The world.
        rules: Names of the rules.
        rooms: Sizes of the world.
        delays: Steps between what is seen and the question.
        seeds: Each teaches policies of its own, which are tried in episodes of its own.
        episodes: Episodes of each seed that are tried.
        shown: Episodes of each seed that are demonstrated.
        retrain: Whether the GRU and the transformer are trained anew.
    """

    world: PlayWorld
    rules: Sequence[str]
    rooms: Sequence[int]
    delays: Sequence[int]
    seeds: Sequence[int]
    episodes: int
    shown: int
    retrain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of it.

    Attributes:
        world: Name of the world.
        seeds: Its seeds.
        tried_at: Size at which delays and ablations were tried.
        table: Scores by rule and size.
        delays: Scores by rule and delay.
        ablations: Scores of our rule with its memory taken away, by kind.
    """

    world: str
    seeds: Sequence[int]
    tried_at: int
    table: Mapping[str, Mapping[str, Score]] = field(default_factory=dict)
    delays: Mapping[str, Mapping[str, Score]] = field(default_factory=dict)
    ablations: Mapping[str, Score] = field(default_factory=dict)
