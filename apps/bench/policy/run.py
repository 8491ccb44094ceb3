"""`hippocam bench policy`: policies with our memory and others, taught alike and tried in the same episodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from hippocam.apps.bench.policy.rules import MEMORYLESS, OURS, TRANSFORMER, Rule, taught
from hippocam.apps.robot.policy.ablations import ABLATIONS
from hippocam.apps.robot.policy.evaluate import ablation
from hippocam.apps.robot.policy.trials import Played, Score, score, try_out
from hippocam.models.policies.playing import PlayWorld

# Size at which delays and ablations are tried.
SIZE = 8
# Delays from which on fewer episodes are played, by the share of them: what a rule does per step takes its time.
_FEWER = ((1_000, 3), (10_000, 8))
_LONGEST_OF_TRANSFORMER = 1_000
Say = Callable[[str], None]


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
        table: Scores by rule and size.
        delays: Scores by rule and delay, at `SIZE`.
        ablations: Scores of our rule with its memory taken away, by kind, at `SIZE`.
    """

    world: str
    seeds: Sequence[int]
    table: Mapping[str, Mapping[str, Score]] = field(default_factory=dict)
    delays: Mapping[str, Mapping[str, Score]] = field(default_factory=dict)
    ablations: Mapping[str, Score] = field(default_factory=dict)


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
                waits.setdefault(str(delay), []).extend(_played(bench, rule, seed, SIZE, delay))
            for kind in ABLATIONS if name == OURS else ():
                ablations.setdefault(kind, []).extend(_played(bench, rule, seed, SIZE, 0, kind))
        for what, cells in (("rooms", table[name]), ("delay", delays[name])):
            for key, every in cells.items():
                say(f"{name}, {what} {key}: {score(every).success:.3f}")
    return Result(
        world=bench.world.name,
        seeds=bench.seeds,
        table=_scored(table),
        delays=_scored(delays),
        ablations={kind: score(every) for kind, every in ablations.items()},
    )


def _scored(found: Mapping[str, Mapping[str, list[Played]]]) -> dict[str, dict[str, Score]]:
    return {name: {key: score(every) for key, every in cells.items()} for name, cells in found.items()}


def _played(bench: PolicyBench, rule: Rule, seed: int, size: int, delay: int, kind: str = "") -> list[Played]:
    fewer = max([share for least, share in _FEWER if delay >= least], default=1)
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


def to_json(result: Result) -> dict[str, object]:
    """The result as it is told."""
    return asdict(result)


def tables(result: Result) -> str:
    """The Markdown tables of a result."""
    parts = [_by_column("rooms", result.table), _by_column("delay", result.delays)]
    parts += [_costs(result.delays)]
    if result.ablations:
        lines = ["| memory | success | 95 % | n |", "|---|---|---|---|"]
        told = {**result.ablations}
        if MEMORYLESS in result.table and str(SIZE) in result.table[MEMORYLESS]:
            told["(memoryless)"] = result.table[MEMORYLESS][str(SIZE)]
        lines += [
            f"| {kind} | {_share(of)} | {of.low:.2f} to {of.high:.2f} | {of.n} |" for kind, of in told.items()
        ]
        parts.append("\n".join(lines))
    return "\n\n".join(part for part in parts if part)


def _by_column(what: str, scores: Mapping[str, Mapping[str, Score]]) -> str:
    """Success by rule and column, with intervals."""
    columns = _columns(scores)
    if not columns:
        return ""
    named = {f"**{name}**" if name == OURS else name: cells for name, cells in scores.items()}
    lines = _table(what, named, lambda cell: f"{_share(cell)} ({cell.low:.2f} to {cell.high:.2f})")
    counts = [str(next(iter(c[key].n for c in scores.values() if key in c))) for key in columns]
    lines.append(f"| episodes | {' | '.join(counts)} |")
    return "\n".join(lines)


def _costs(scores: Mapping[str, Mapping[str, Score]]) -> str:
    """What a choice takes and what is kept, by rule and delay."""
    if not _columns(scores):
        return ""
    return "\n".join(_table("delay", scores, lambda cell: f"{cell.act_ms:.2f} ms, {cell.bytes / 1000:,.0f} kB"))


def _columns(scores: Mapping[str, Mapping[str, Score]]) -> list[str]:
    return list(dict.fromkeys(key for cells in scores.values() for key in cells))


def _table(what: str, scores: Mapping[str, Mapping[str, Score]], tell: Callable[[Score], str]) -> list[str]:
    """A row for each rule and a cell for each column, with a dash where nothing was measured."""
    columns = _columns(scores)
    lines = [
        f"| rule | {' | '.join(f'{what} {int(key):,}' for key in columns)} |",
        f"|---|{'---|' * len(columns)}",
    ]
    for name, cells in scores.items():
        told = [tell(cells[key]) if key in cells else "-" for key in columns]
        lines.append(f"| {name} | {' | '.join(told)} |")
    return lines


def _share(of: Score) -> str:
    return f"{of.success:.2f}" if of.success < 0.995 else f"{of.success:.3f}"
