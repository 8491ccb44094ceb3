"""A policy tried in a world: how often it does what was asked for, in what time, with how many bytes of memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import numpy as np

from hippocam.models.policies.playing import TRIED, Game, PlayWorld, Remembering
from hippocam.models.policies.policy import Actor, Unrepeating
from hippocam.models.policies.records import Moment
from hippocam.models.policies.training import one_thread

# The normal deviate of a two-sided interval of 95 %.
_Z = 1.959964


@dataclass(slots=True)
class Played:
    """One episode.

    Attributes:
        success: Whether it ended well.
        steps: Actions that were done.
        shown: Steps before the question.
        shown_s: Processor time that it took to remember these, seconds.
        act_s: How long each choice took, recall included, seconds.
        gates: How far each choice relied on the memory.
        bytes: What the memory took in the end.
    """

    success: bool = False
    steps: int = 0
    shown: int = 0
    shown_s: float = 0.0
    act_s: list[float] = field(default_factory=list)
    gates: list[float] = field(default_factory=list)
    bytes: int = 0


def play(game: Game, memory: Remembering, actor: Actor, replan: int) -> Played:
    """Play an episode, `replan` actions at a time."""
    played, acting = Played(), Unrepeating(actor)
    shown = game.turns()
    began_s = time.process_time()
    for turn in shown:
        memory.observe(turn)
    memory.named()
    played.shown, played.shown_s = len(shown), time.process_time() - began_s
    while not game.done:
        turn = game.now()
        memory.observe(turn)
        began_s = time.perf_counter()
        recalled = memory.recall(game.goal_D, turn.time_s)
        moment = Moment(view_D=turn.vector_D, goal_D=game.goal_D, pose=turn.pose, recalled=recalled)
        chosen = acting.act(moment)
        played.act_s.append(time.perf_counter() - began_s)
        played.gates.append(chosen.gate)
        for number, action in enumerate(chosen.actions[:replan]):
            if number:
                memory.observe(game.now())
            game.act(int(action))
            played.steps += 1
            if game.done:
                break
    played.success, played.bytes = game.success, memory.bytes()
    return played


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Some episodes.

    Attributes:
        success: Share that ended well.
        n: How many.
        low: Lower end of Wilson's 95 % interval of that share.
        high: Its upper end.
        steps: Actions an episode, on average.
        act_ms: Milliseconds that a choice took, recall included: the median.
        observe_ms: Milliseconds of the processor that it took to remember a step, on average.
        gate: How far choices relied on the memory, 0 to 1, on average.
        bytes: What the memory took in the end, on average.
    """

    success: float
    n: int
    low: float
    high: float
    steps: float
    act_ms: float
    observe_ms: float
    gate: float
    bytes: int


def score(every: Sequence[Played]) -> Score:
    """What came of some episodes."""
    low, high = wilson(sum(played.success for played in every), len(every))
    steps = sum(played.shown for played in every)
    return Score(
        success=round(float(np.mean([played.success for played in every])), 4),
        n=len(every),
        low=round(low, 4),
        high=round(high, 4),
        steps=round(float(np.mean([played.steps for played in every])), 1),
        act_ms=round(1000 * float(np.median([spent for played in every for spent in played.act_s])), 3),
        observe_ms=round(1000 * sum(played.shown_s for played in every) / max(1, steps), 4),
        gate=round(float(np.mean([gate for played in every for gate in played.gates])), 4),
        bytes=round(float(np.mean([played.bytes for played in every]))),
    )


def wilson(successes: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    share = successes / n
    middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * np.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


Around = Callable[[Remembering, Game, int], Remembering]


@one_thread()
def try_out(
    world: PlayWorld,
    actor: Actor,
    opens: Callable[[], AbstractContextManager[Remembering]],
    *,
    size: int,
    delay: int,
    seeds: Sequence[int],
    episodes: int,
    around: Around = lambda memory, game, number: memory,
) -> list[Played]:
    """Play episodes that were not learned from.

    Args:
        world: The world.
        actor: Who acts.
        opens: Opens an empty memory.
        size: Size of the world.
        delay: Steps between what is seen and the question.
        seeds: Each gives episodes of its own.
        episodes: How many a seed.
        around: Puts something around the memory of an episode: an ablation.
    """
    every = []
    for seed in seeds:
        for number in range(episodes):
            game = world.play(size, delay, (TRIED, seed, number))
            with opens() as memory:
                every.append(play(game, around(memory, game, number), actor, world.replan))
    return every
