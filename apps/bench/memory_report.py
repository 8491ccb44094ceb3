"""What `bench memory` found: as JSON, as Markdown for docs/benchmarks, as a table for a terminal, and as plots."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hippocam.apps.bench.memory import AGES, SPAN_MAX_S, MemoryBenchResult, Spread, WorldResult
from hippocam.apps.bench.policies import OURS
from hippocam.stream.errors import HippocamError

METRICS = {
    "r1": "needle R@1",
    "r5": "needle R@5",
    "iou": "IoU of the first slot's best span",
    "time_error_s": "median |cited - true start| of hits, s",
    "last_seen": "last visit of an entity found",
    "first_seen": "first visit found",
    "order": "which of two needles came first (chance 0.5)",
    "order_recalled": "the same, where both were hits",
    "absent_auc": "chance that a needle's best cosine exceeds that of a thing never shown",
    "writes": "slots written per 1,000 frames",
    "cost": "time a frame, over that of `recent`",
}


def to_json(result: MemoryBenchResult) -> str:
    """One line: the first world's figures, and under "worlds" all of them, if there are several."""
    objects = [_object(world) for world in result.worlds]
    return json.dumps(objects[0] | ({"worlds": objects} if len(objects) > 1 else {}), allow_nan=False)


def _object(result: WorldResult) -> dict[str, Any]:
    def mean(policy: str | None) -> float | None:
        spread = result.headline(policy) if policy else None
        return spread.mean if spread else None

    ours = result.headline(OURS)
    return {
        "world": result.world,
        "seeds": list(result.seeds),
        "slots": result.headline_slots,
        "bytes": dict(zip(map(str, result.slots), result.bytes, strict=True)),
        "ours": mean(OURS),
        "ours_sd": ours.sd if ours else None,
        "best_rule": mean(result.best_rule),
        "best_rule_name": result.best_rule,
        "best_adapted": mean(result.best_adapted),
        "best_adapted_name": result.best_adapted,
        "oracle": mean("oracle"),
        "unbounded": result.unbounded[0],
        "unbounded_bytes": result.unbounded[1],
        "standing": {name: entry.standing for name, entry in result.entries.items()},
        "table": {
            policy: {
                str(slots): {
                    metric: {"mean": _finite(spread.mean), "sd": _finite(spread.sd)}
                    for metric, spread in metrics.items()
                }
                for slots, metrics in rows.items()
            }
            for policy, rows in result.table.items()
        },
    }


def _finite(x: float) -> float | None:
    return x if math.isfinite(x) else None


def title(result: WorldResult) -> str:
    """Title of the section in docs/benchmarks."""
    return f"Memory, world {result.world}"


def to_markdown(result: WorldResult) -> str:
    """A section's body: what every rule recalls by slots, by age, and everything else at the headline count."""
    count = result.headline_slots
    lines = [
        f"{len(result.seeds)} streams, mean ± sd of the share of needles whose first answer is right (R@1), in "
        "equal bytes: N slots are N float16 keys with two float64 times, and all else that a rule holds counts as "
        f"well. An answer is right if it cites a span of at most {SPAN_MAX_S:.0f} s that overlaps the showing.",
        "",
        f"A memory of every frame takes {result.unbounded[1] / 1024:.0f} KiB and finds "
        f"{100 * result.unbounded[0]:.1f} %.",
        "",
        *_grid(
            ["rule", "source", *(f"{n} slots ({b / 1024:.0f} KiB)" for n, b in _budgets(result))],
            [[name, e.source or e.standing, *_row(result, name, "r1")] for name, e in result.entries.items()],
        ),
        "",
        f"At {count} slots:",
        "",
        *_grid(
            ["rule", *METRICS],
            [[name, *(_plain(m, result.table[name][count][m].mean) for m in METRICS)] for name in result.entries],
        ),
        "",
        "; ".join(f"{name}: {meaning}" for name, meaning in METRICS.items()) + ".",
        "",
        f"Needle R@1 by age, youngest fifth of the stream first, at {count} slots:",
        "",
        *_grid(
            ["rule", *(f"{20 * age} to {20 * age + 20} %" for age in range(AGES))],
            [
                [name, *(_plain("r1", result.table[name][count][f"r1_age_{a + 1}"].mean) for a in range(AGES))]
                for name in result.entries
            ],
        ),
    ]
    return "\n".join(lines)


def table(result: WorldResult) -> str:
    """A table for a terminal: needle R@1 in percent by slots, then some more at the headline count."""
    count = result.headline_slots
    more = ("r5", "iou", "last_seen", "first_seen", "order", "absent_auc", "writes", "cost")
    rows = [["", *(f"R@1 {n}" for n in result.slots), *more]]
    for name in result.entries:
        cells = result.table[name]
        shares = [f"{100 * cells[n]['r1'].mean:.1f} ±{100 * cells[n]['r1'].sd:.1f}" for n in result.slots]
        rows.append([name, *shares, *(_plain(m, cells[count][m].mean) for m in more)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        f"{result.world}, {len(result.seeds)} seeds; from R@5 on at {count} slots; a memory of every frame: "
        f"R@1 {100 * result.unbounded[0]:.1f} in {result.unbounded[1] / 1024:.0f} KiB"
    ]
    for row in rows:
        lines.append(
            "  ".join(c.rjust(w) if i else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
        )
    return "\n".join(lines)


def _budgets(result: WorldResult) -> list[tuple[int, int]]:
    return list(zip(result.slots, result.bytes, strict=True))


def _row(result: WorldResult, policy: str, metric: str) -> list[str]:
    cells = (result.table[policy][n][metric] for n in result.slots)
    return [f"{100 * cell.mean:.1f} ± {100 * cell.sd:.1f}" for cell in cells]


def _plain(metric: str, value: float) -> str:
    if math.isnan(value):
        return "-"
    return (
        f"{value:.1f}"
        if metric in ("time_error_s", "cost")
        else f"{value:.0f}"
        if metric == "writes"
        else f"{value:.2f}"
    )


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


def plot(result: MemoryBenchResult, folder: Path) -> list[Path]:
    """Draw two pictures for each world, as PNG: needle R@1 against bytes, and against age.

    Raises:
        HippocamError: matplotlib is missing.
    """
    if find_spec("matplotlib") is None:
        raise HippocamError("plots need matplotlib: pip install 'hippocam[bench]'")
    figure = import_module("matplotlib.figure")
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for world in result.worlds:
        count = world.headline_slots
        by_bytes = {p: [world.table[p][n]["r1"] for n in world.slots] for p in world.entries}
        by_age = {p: [world.table[p][count][f"r1_age_{a + 1}"] for a in range(AGES)] for p in world.entries}
        kilobytes = [b / 1024 for b in world.bytes]
        ages = [20 * a + 10 for a in range(AGES)]
        for name, curves, x, label in (
            ("bytes", by_bytes, kilobytes, "memory, KiB"),
            ("age", by_age, ages, f"age of the needle, % of the stream ({count} slots)"),
        ):
            paths.append(folder / f"memory-{world.world}-{name}.png")
            _draw(figure.Figure(figsize=(9, 5), layout="constrained"), world, curves, x, label, paths[-1])
    return paths


def _draw(
    figure: Any,
    world: WorldResult,
    curves: Mapping[str, Sequence[Spread]],
    x: Sequence[float],
    label: str,
    path: Path,
) -> None:
    axes = figure.subplots()
    styles = {OURS: ("-", 3.0), "oracle": ("--", 1.5), "heuristic": (":", 2.0), "published": ("-", 1.2)}
    styles |= {"ablation": ("-.", 1.5), "adapted": (":", 1.0)}
    colours = import_module("matplotlib").colormaps["tab20"].colors
    for i, (policy, spreads) in enumerate(curves.items()):
        style, width = styles[world.entries[policy].standing]
        axes.errorbar(
            x,
            [100 * s.mean for s in spreads],
            [100 * s.sd for s in spreads] if policy in (OURS, world.best_rule) else None,
            label=policy,
            linestyle=style,
            linewidth=width,
            marker="osD^vP*X"[i % 8],
            markersize=4,
            capsize=2,
            color="black" if policy == OURS else colours[i % len(colours)],
        )
    if label.startswith("memory"):
        axes.set_xscale("log", base=2)
        axes.set_xticks(x, [f"{v:.1f}" for v in x])
    axes.set(xlabel=label, ylabel="needle R@1, %", ylim=(0, 102), title=f"{world.world}, {len(world.seeds)} seeds")
    axes.grid(alpha=0.3)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    figure.savefig(path, dpi=120)
