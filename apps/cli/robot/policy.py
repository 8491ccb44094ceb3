"""`hippocam robot train` and `hippocam robot eval`: policies that read a memory.

Nothing heavy is imported before a command runs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from hippocam.apps.cli.bench.options import numbers
from hippocam.apps.cli.bench.plotting import plotting
from hippocam.apps.terminal import tell, tell_json, warn

_WORLDS = "tour, tour-minigrid, tour-pixels, guided, minigrid-memory, levers"
_ABLATIONS = ("emptied", "other", "shuffled", "frozen")


def add_policies(names: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `train` and `eval` to the commands of `hippocam robot`."""
    train = names.add_parser("train", help="teach a policy that reads a memory, in a small world")
    train.add_argument("--world", required=True, metavar="NAME", help=_WORLDS)
    train.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="the policy, best so far (.safetensors)"
    )
    train.add_argument("--seed", type=int, default=0, metavar="N", help="of everything (default 0)")
    train.add_argument("--episodes", type=int, metavar="N", help="that are demonstrated (default 120, levers 500)")
    train.add_argument("--steps", type=int, metavar="N", help="batches at most (default 3000)")
    train.add_argument("--plot", type=Path, metavar="FILE", help="draw how it went (.png)")
    train.set_defaults(run=_train)

    evaluate = names.add_parser("eval", help="try a policy in episodes that it has not learned from")
    evaluate.add_argument("policy", type=Path, metavar="FILE", help="written by robot train")
    evaluate.add_argument("--world", required=True, metavar="NAME", help=_WORLDS)
    evaluate.add_argument("--seeds", type=numbers, default=[1, 2, 3], metavar="1,2,3", help="of the episodes")
    evaluate.add_argument("--episodes", type=int, default=50, metavar="N", help="of each seed (default 50)")
    evaluate.add_argument("--rooms", type=numbers, metavar="N,N", help="sizes of the world")
    evaluate.add_argument("--delay", type=int, default=0, metavar="STEPS", help="before the question (default 0)")
    evaluate.add_argument(
        "--ablate",
        choices=_ABLATIONS,
        default="",
        metavar="KIND",
        help=f"take the memory away: {', '.join(_ABLATIONS)}",
    )
    evaluate.add_argument("--twice", action="store_true", help="try each task twice with one memory (levers)")
    evaluate.add_argument("--plot", type=Path, metavar="FILE", help="draw success against size (.png)")
    evaluate.set_defaults(run=_evaluate)
    for command in (train, evaluate):
        command.add_argument("--json", action="store_true", help="one JSON object on the last line")


def _train(options: argparse.Namespace) -> int:
    from hippocam.apps.robot.policy.train import plot, train
    from hippocam.apps.robot.policy.worlds import world_named

    world = world_named(options.world)
    policy, fitted = train(
        world, out=options.out, seed=options.seed, episodes=options.episodes, steps=options.steps, say=warn
    )
    tell(
        f"{options.out}: {policy.card.trained['parameters']:.0f} numbers, step {fitted.best_step} of "
        f"{fitted.looks[-1].step}, held out {policy.card.trained['held_out_loss']:g}; {fitted.seconds:.0f} s"
    )
    if options.plot is not None:
        with plotting():
            plot(fitted, options.plot)
    if options.json:
        told = {"file": str(options.out), "world": world.name, "seed": options.seed, **policy.card.trained}
        tell_json(told | {"seconds": round(fitted.seconds, 1)})
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    from hippocam.apps.robot.policy import evaluate
    from hippocam.apps.robot.policy.worlds import world_named
    from hippocam.models.policies.policy import Policy

    world, policy = world_named(options.world), Policy.read(options.policy)
    evaluate.check_fits(policy, world)
    tried = {
        "sizes": options.rooms or world.sizes,
        "seeds": options.seeds,
        "episodes": options.episodes,
        "say": warn,
    }
    if options.twice:
        scores = evaluate.evaluate_twice(policy, world, **tried)
    else:
        scores = evaluate.evaluate(policy, world, delay=options.delay, ablate=options.ablate, **tried)
    tell(*evaluate.table(scores).splitlines())
    if options.plot is not None:
        with plotting():
            evaluate.plot(scores, options.plot)
    if options.json:
        told = {"world": world.name, "file": str(options.policy), "seeds": options.seeds, "delay": options.delay}
        tell_json(told | {"ablate": options.ablate or None, "table": evaluate.to_json(scores)})
    return 0
