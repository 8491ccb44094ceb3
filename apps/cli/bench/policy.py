"""`hippocam bench policy`: policies with our memory beside policies with others."""

from __future__ import annotations

import argparse
from pathlib import Path

from hippocam.apps.cli.bench.options import numbers
from hippocam.apps.cli.bench.outcome import Section, tell_outcome
from hippocam.apps.cli.bench.plotting import plotting
from hippocam.apps.terminal import warn


def add_policy(parser: argparse.ArgumentParser) -> None:
    """Add the options of the bench."""
    parser.add_argument("--world", default="tour", metavar="NAME", help="default tour; see docs/robots.md")
    parser.add_argument("--rooms", type=numbers, metavar="4,8,16,32", help="sizes of the world")
    parser.add_argument(
        "--delays", type=numbers, metavar="N,N", help="steps before the question (default: those of the world)"
    )
    parser.add_argument("--seeds", type=numbers, default=[1, 2, 3], metavar="1,2,3")
    parser.add_argument("--episodes", type=int, default=60, metavar="N", help="that each seed tries (default 60)")
    parser.add_argument("--shown", type=int, default=100, metavar="N", help="that are demonstrated (default 100)")
    parser.add_argument("--rules", type=lambda text: text.split(","), metavar="a,b", help="only these")
    parser.add_argument("--retrain", action="store_true", help="train the GRU and the transformer anew")
    parser.add_argument(
        "--plot", type=Path, metavar="FILE", help="draw costs against the length of history (.png)"
    )
    parser.set_defaults(run=_policy)


def _policy(options: argparse.Namespace) -> int:
    from hippocam.apps.bench.policy.records import PolicyBench
    from hippocam.apps.bench.policy.report import plot, tables, to_json
    from hippocam.apps.bench.policy.rules import RULES
    from hippocam.apps.bench.policy.run import run
    from hippocam.apps.robot.policy.worlds import world_named
    from hippocam.stream.errors import HippocamError

    rules = options.rules or RULES
    if unknown := set(rules) - set(RULES):
        raise HippocamError(f"--rules: no rule is called {min(unknown)!r}; there are {', '.join(RULES)}")
    world = world_named(options.world)
    bench = PolicyBench(
        world=world,
        rules=rules,
        rooms=options.rooms or world.sizes,
        delays=options.delays or world.tried_delays,
        seeds=options.seeds,
        episodes=options.episodes,
        shown=options.shown,
        retrain=options.retrain,
    )
    result = run(bench, say=warn)
    if options.plot is not None:
        with plotting():
            plot(result, options.plot)
    return tell_outcome(options, to_json(result), Section(title=f"World {world.name}", body=tables(result)))
