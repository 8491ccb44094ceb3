"""`hippocam bench policy`: policies with our memory and others, taught alike and tried in the same episodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hippocam.apps.bench.policy.records import OURS, TRANSFORMER, PolicyBench, Result
from hippocam.apps.bench.policy.rules import Rule, taught
from hippocam.apps.robot.policy.ablations import ABLATIONS
from hippocam.apps.robot.policy.evaluate import ablation
from hippocam.apps.robot.policy.trials import Played, Score, score, try_out

# A delay from which on fewer episodes are played, and the share of them: what a rule does per step takes its time.
_LONG, _FEWER = 100_000, 24
_LONGEST_OF_TRANSFORMER = 1_000
Say = Callable[[str], None]


def run(bench: PolicyBench, *, say: Say) -> Result:
    """Teach and try.

    Args:
        bench: What is compared.
        say: Takes lines of progress.
    """
    table: dict[str, dict[str, list[Played]]] = {}
    delays: dict[str, dict[str, list[Played]]] = {}
    ablations: dict[str, list[Played]] = {}
    for name in bench.rules:
        for seed in bench.seeds:
            rule = taught(
                name,
                bench.world,
                seed=seed,
                count=bench.shown,
                delays=bench.delays,
                retrain=bench.retrain,
                say=say,
            )
            sizes, waits = table.setdefault(name, {}), delays.setdefault(name, {})
            for size in bench.rooms:
                sizes.setdefault(str(size), []).extend(_played(bench, rule, seed, size, 0))
            for delay in bench.delays:
                if name == TRANSFORMER and delay > _LONGEST_OF_TRANSFORMER:
                    continue  # its cost grows with the square
                at = bench.world.tried_at
                if delay == 0 and at in bench.rooms:  # these episodes were played
                    ours = sizes[str(at)][-bench.episodes :]
                else:
                    ours = _played(bench, rule, seed, at, delay)
                waits.setdefault(str(delay), []).extend(ours)
            for kind in ABLATIONS if name == OURS else ():
                ablations.setdefault(kind, []).extend(_played(bench, rule, seed, bench.world.tried_at, 0, kind))
        for what, cells in (("rooms", table[name]), ("delay", delays[name])):
            for key, every in cells.items():
                say(f"{name}, {what} {key}: {score(every).success:.3f}")
    return Result(
        world=bench.world.name,
        seeds=bench.seeds,
        tried_at=bench.world.tried_at,
        table=_scored(table),
        delays=_scored(delays),
        ablations={kind: score(every) for kind, every in ablations.items()},
    )


def _scored(found: Mapping[str, Mapping[str, list[Played]]]) -> dict[str, dict[str, Score]]:
    return {name: {key: score(every) for key, every in cells.items()} for name, cells in found.items()}


def _played(bench: PolicyBench, rule: Rule, seed: int, size: int, delay: int, kind: str = "") -> list[Played]:
    fewer = _FEWER if delay >= _LONG else 1
    return try_out(
        bench.world,
        rule.actor,
        rule.opens,
        size=size,
        delay=delay,
        seeds=[seed],
        episodes=max(1, bench.episodes // fewer),
        around=ablation(kind, bench.world, size, delay),
    )
