"""`hippocam robot train`: demonstrations in a world, remembered by the product's memory, into a policy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import torch

from hippocam.apps.robot.policy.demonstrations import (
    Demonstration,
    LaidOut,
    Lesson,
    Opens,
    demonstrations,
    remembered,
)
from hippocam.apps.robot.policy.remembering import our_memory
from hippocam.models.policies.network import PolicyNetwork
from hippocam.models.policies.playing import PlayWorld
from hippocam.models.policies.policy import Policy, PolicyCard, parameters
from hippocam.models.policies.records import PolicySizes
from hippocam.models.policies.training import FitConfig, Fitted, fit, one_thread

# Share of the lessons that is not trained on.
HELD_OUT = 0.1
Say = Callable[[str], None]


def lessons(
    played: Iterable[Demonstration], opens: Opens, *, count: int, say: Say = lambda line: None
) -> list[Lesson]:
    """What is learned from demonstrations, each with an empty memory beside it.

    Args:
        played: The demonstrations.
        opens: Opens an empty memory.
        count: How many there are.
        say: Takes a line now and then.
    """
    found = []
    for number, each in enumerate(played, 1):
        with opens() as memory:
            found += remembered(each, memory)
        if number % 50 == 0:
            say(f"{number} of {count} episodes demonstrated")
    return found


def learn(
    world: PlayWorld, taught: list[Lesson], *, seed: int, config: FitConfig, say: Say, out: Path | None = None
) -> tuple[Policy, Fitted]:
    """Train a policy by what was demonstrated; with `out` the best so far is kept in that file."""
    torch.manual_seed(seed)
    sizes = PolicySizes(dim=world.dim, actions=world.actions)
    network = PolicyNetwork(sizes)
    learned, held_out = LaidOut.of(taught, sizes.chunk, share=HELD_OUT, seed=seed, turned=world.new_looks)

    def keep() -> None:
        if out is not None:
            Policy(network, PolicyCard(world=world.name, seed=seed)).write(out)

    fitted = fit(network, learned, held_out, config, say=say, keep=keep)
    best = min(look.held_out for look in fitted.looks)
    trained = {
        "lessons": float(len(learned)),
        "held_out_loss": round(best, 4),
        "steps": float(fitted.best_step),
        "parameters": float(parameters(network)),
    }
    policy = Policy(network, PolicyCard(world=world.name, seed=seed, trained=trained))
    if out is not None:
        policy.write(out)
    return policy, fitted


@one_thread()
def train(
    world: PlayWorld, *, out: Path, seed: int, episodes: int | None = None, steps: int | None = None, say: Say
) -> tuple[Policy, Fitted]:
    """Demonstrate, remember and train.

    Args:
        world: The world.
        out: File of the policy; it holds the best so far while training goes on.
        seed: Of everything.
        episodes: How many are demonstrated; None for the world's usual number.
        steps: Batches at most; None for the usual number.
        say: Takes lines of progress.
    """
    config = FitConfig(seed=seed) if steps is None else FitConfig(seed=seed, steps=steps)
    count = world.episodes if episodes is None else episodes
    played = demonstrations(world, count, seed)
    taught = lessons(played, lambda: our_memory(world.name, world.dim), count=count, say=say)
    say(f"{len(taught)} moments of {count} episodes to learn from")
    return learn(world, taught, seed=seed, config=config, say=say, out=out)


def plot(fitted: Fitted, path: Path) -> None:
    """Draw how training went: a PNG.

    Raises:
        ImportError: matplotlib is missing.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 4))
    steps = [look.step for look in fitted.looks]
    axes.plot(steps, [look.loss for look in fitted.looks], label="trained on")
    axes.plot(steps, [look.held_out for look in fitted.looks], label="held out")
    axes.axvline(fitted.best_step, color="grey", linestyle=":", label="kept")
    axes.set(xlabel="batches", ylabel="loss", yscale="log")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
