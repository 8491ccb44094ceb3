"""What came of `hippocam bench policy`: as JSON, tables, and a plot of costs against the length of history."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from hippocam.apps.bench.policy.records import MEMORYLESS, OURS, Result
from hippocam.apps.robot.policy.trials import Score


def to_json(result: Result) -> dict[str, object]:
    """The result as it is told."""
    return asdict(result)


def tables(result: Result) -> str:
    """The Markdown tables of a result."""
    at = str(result.tried_at)
    parts = [_by_column("rooms", result.table), _by_column("delay", result.delays)]
    parts += [_costs(result.delays), _actions(result.table)]
    if result.ablations:
        lines = ["| memory | success | 95 % | n | gate |", "|---|---|---|---|---|"]
        told = {"(as it is)": result.table[OURS][at]} if at in result.table[OURS] else {}
        told |= result.ablations
        if at in result.table.get(MEMORYLESS, {}):
            told["(memoryless)"] = result.table[MEMORYLESS][at]
        lines += [
            f"| {kind} | {_share(of)} | {of.low:.2f} to {of.high:.2f} | {of.n} | {of.gate:.2f} |"
            for kind, of in told.items()
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
    """What choosing and remembering a step take, what is kept, and the actions that were done."""
    if not _columns(scores):
        return ""

    def told(cell: Score) -> str:
        spent = f"{cell.act_ms:.2f} + {cell.observe_ms:.2f} ms"
        return f"{spent}, {cell.bytes / 1000:,.0f} kB, {cell.steps:.1f} actions"

    return "\n".join(_table("delay", scores, told))


def _actions(scores: Mapping[str, Mapping[str, Score]]) -> str:
    """How many actions an episode took, by rule and size."""
    if not _columns(scores):
        return ""
    return "\n".join(_table("rooms", scores, lambda cell: f"{cell.steps:.1f} actions"))


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


def plot(result: Result, path: Path) -> None:
    """Draw what a choice takes, and what is kept, against the steps before the question: a PNG.

    Raises:
        ImportError: matplotlib is missing.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, (times, sizes) = pyplot.subplots(1, 2, figsize=(10, 4))
    for name, cells in result.delays.items():
        delays = [int(key) for key in cells]
        style = {"linewidth": 3, "zorder": 3} if name == OURS else {}
        times.plot(delays, [of.act_ms for of in cells.values()], marker="o", label=name, **style)
        sizes.plot(delays, [max(of.bytes, 1) / 1000 for of in cells.values()], marker="o", label=name, **style)
    for axes, what in ((times, "a choice with its recall, ms"), (sizes, "kept, kB")):
        axes.set_xscale("symlog", linthresh=100)
        axes.set_yscale("log")
        axes.set(xlabel="steps between what was seen and the question", ylabel=what)
    sizes.legend(fontsize="small")
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
