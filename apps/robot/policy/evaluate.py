"""`hippocam robot eval`: a policy tried in episodes that it has not learned from, with its memory or without."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from hippocam.apps.robot.policy.ablations import EMPTIED, FROZEN, OTHER, SHUFFLED, Emptied, Frozen, Other, Shuffled
from hippocam.apps.robot.policy.remembering import our_memory
from hippocam.apps.robot.policy.trials import Around, Score, score, try_out
from hippocam.apps.robot.policy.twice import spared, try_twice
from hippocam.models.errors import PolicyError
from hippocam.models.policies.playing import ELSEWHERE, Game, PlayWorld, Remembering
from hippocam.models.policies.policy import Actor, Policy

# Share of an episode's steps before the question after which a frozen memory stops, and when it is stale, seconds.
_FROZEN_AFTER, _STALE_S = 0.25, 0.75
Say = Callable[[str], None]


def ablation(kind: str, world: PlayWorld, size: int, delay: int) -> Around:
    """What is put around an episode's memory to take it away.

    Args:
        kind: "emptied", "other", "shuffled" or "frozen"; "" leaves the memory as it is.
        world: The world.
        size: Its size.
        delay: Its delay.
    """

    def other(memory: Remembering, game: Game, number: int) -> Remembering:
        del game
        return Other(memory, world.play(size, delay, (ELSEWHERE, number)).turns())

    def frozen(memory: Remembering, game: Game, number: int) -> Remembering:
        del game
        steps = len(world.play(size, delay, (ELSEWHERE, number)).turns())
        return Frozen(memory, round(_FROZEN_AFTER * steps), _STALE_S)

    kinds: Mapping[str, Around] = {
        "": lambda memory, game, number: memory,
        EMPTIED: lambda memory, game, number: Emptied(memory),
        OTHER: other,
        SHUFFLED: lambda memory, game, number: Shuffled(memory),
        FROZEN: frozen,
    }
    return kinds[kind]


def check_fits(policy: Policy, world: PlayWorld) -> None:
    """Check that a policy can act in a world.

    Raises:
        PolicyError: It was trained for something else.
    """
    sizes = policy.sizes
    if (sizes.dim, sizes.actions) != (world.dim, world.actions):
        raise PolicyError(
            f"the policy was trained for {policy.card.world}: vectors of {sizes.dim} numbers and {sizes.actions} "
            f"actions; {world.name} has {world.dim} and {world.actions}"
        )


def evaluate(
    policy: Actor,
    world: PlayWorld,
    *,
    sizes: Sequence[int],
    delay: int,
    seeds: Sequence[int],
    episodes: int,
    ablate: str,
    say: Say,
) -> dict[str, Score]:
    """Try a policy with the product's memory.

    Args:
        policy: Acts.
        world: Where.
        sizes: Sizes of the world.
        delay: Steps between what is seen and the question.
        seeds: Of the episodes.
        episodes: How many a seed and size.
        ablate: How the memory is taken away, see `ablation`.
        say: Takes lines of progress.

    Returns:
        A score by size.
    """
    found = {}
    for size in sizes:
        every = try_out(
            world,
            policy,
            lambda: our_memory(world.name, world.dim),
            size=size,
            delay=delay,
            seeds=seeds,
            episodes=episodes,
            around=ablation(ablate, world, size, delay),
        )
        found[str(size)] = score(every)
        say(f"{world.name} {size}: {found[str(size)].success:.3f} of {len(every)}")
    return found


def evaluate_twice(
    policy: Actor, world: PlayWorld, *, sizes: Sequence[int], seeds: Sequence[int], episodes: int, say: Say
) -> dict[str, Score]:
    """Try a policy twice in each task: scores by size and attempt.

    Args:
        policy: Acts.
        world: Where.
        sizes: Sizes of the world.
        seeds: Of the tasks.
        episodes: How many a seed and size.
        say: Takes lines of progress.

    Raises:
        HippocamError: The world's tasks cannot be repeated.
    """
    found = {}
    for size in sizes:
        opens = partial(our_memory, world.name, world.dim)
        every = try_twice(world, policy, opens, size=size, seeds=seeds, episodes=episodes)
        found[f"{size}, first"] = score([attempts.first for attempts in every])
        found[f"{size}, second"] = score([attempts.second for attempts in every])
        mean, low, high = spared(every)
        say(f"{world.name} {size}: the second attempt spares {mean:g} actions ({low:g} to {high:g})")
    return found


def table(scores: Mapping[str, Score]) -> str:
    """The Markdown table of what `evaluate` gave."""
    lines = ["| size | success | 95 % | episodes | steps | act, ms | bytes |", "|---|---|---|---|---|---|---|"]
    lines += [
        f"| {size} | {of.success:.3f} | {of.low:.3f} to {of.high:.3f} | {of.n} | {of.steps:g} | {of.act_ms:g} | "
        f"{of.bytes:,} |"
        for size, of in scores.items()
    ]
    return "\n".join(lines)


def plot(scores: Mapping[str, Score], path: Path) -> None:
    """Draw success against size, with its intervals: a PNG.

    Raises:
        ImportError: matplotlib is missing.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 4))
    rates = [of.success for of in scores.values()]
    below = [of.success - of.low for of in scores.values()]
    above = [of.high - of.success for of in scores.values()]
    axes.errorbar(list(scores), rates, yerr=[below, above], marker="o", capsize=4)
    axes.set(xlabel="size", ylabel="success", ylim=(0, 1.02))
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def to_json(scores: Mapping[str, Score]) -> dict[str, dict[str, float]]:
    """Scores as they are told."""
    return {size: asdict(of) for size, of in scores.items()}
