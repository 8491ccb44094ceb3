"""What `bench lifelog` found: as JSON, and as Markdown for a terminal and for docs/benchmarks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from hippocam.apps.bench.lifelog.records import ASKED_EVERY, LEAST_IOU, Cell, LifelogResult, Stored

TITLE = "Lifelog, a week of sentences"


def to_json(result: LifelogResult) -> str:
    """One line."""
    return json.dumps(
        {
            "hours": result.hours,
            "seen": result.seen,
            "asked": result.asked,
            "encoder": result.encoder,
            "seeds": list(result.seeds),
            "unbounded": _plain(result.unbounded),
            "signs": _plain(result.signs) | {"of_unbounded": result.signs.of_unbounded},
            "table": _cells(result.table),
            "again": {
                str(share): {"asked_again": found.asked_again, "one_off": found.one_off}
                for share, found in result.again.items()
            },
            "disk": _cells(result.disk),
        },
        allow_nan=False,
    )


def _plain(cell: Cell) -> dict[str, float]:
    return {"r1": cell.r1, "r5": cell.r5, "bytes": cell.bytes}


def _cells(table: Mapping[str, Mapping[int, Cell]]) -> dict[str, dict[str, dict[str, float]]]:
    return {
        rule: {
            str(size): _plain(cell) | {"of_unbounded": cell.of_unbounded, "sd": cell.sd}
            for size, cell in cells.items()
        }
        for rule, cells in table.items()
    }


def to_markdown(result: LifelogResult) -> str:
    """A section's body."""
    whole, signs = result.unbounded, result.signs
    orders = f"{len(result.seeds)} orders" if len(result.seeds) > 1 else "1 order"
    lines = [
        f"{result.hours:.0f} hours, {result.seen:,} sentences seen and {result.asked:,} asked, {orders} of the "
        f"videos. Right is an answer whose span overlaps the true one by an intersection over union of "
        f"{LEAST_IOU:g} or more: R@1 / R@5 in percent, and R@1 over the unbounded list's.",
        "",
        f"Unbounded, all sentences as float16 vectors with two float64 times: {_found(whole)} in "
        f"{whole.bytes / 1e6:.2f} MB. All sentences as signs with two times: {_found(signs)} in "
        f"{signs.bytes / 1e6:.2f} MB, {signs.of_unbounded:.2f}.",
    ]
    if result.shares:
        head = ["rule", *(f"1/{n} ({whole.bytes / n / 1e3:,.0f} kB)" for n in result.shares)]
        lines += ["", *_grid(head, result.table, result.shares)]
    if any(len(cells) < len(result.shares) for cells in result.table.values()):
        lines += [
            "",
            "A dash: not run, since the time that the rule takes grows with the square of what it holds.",
        ]
    if result.again:
        told = "; ".join(
            f"at 1/{share} {found.asked_again:.2f} and {found.one_off:.2f}"
            for share, found in result.again.items()
        )
        lines += [
            "",
            f"Of what the unbounded list finds, ours finds, of one question in {ASKED_EVERY}, which was asked "
            f"before, when what it is about had just passed, and of the others: {told}.",
        ]
    if result.disk:
        lines += ["", *_on_disk(result)]
    return "\n".join(lines)


def _on_disk(result: LifelogResult) -> list[str]:
    told = []
    for size, stored in result.stored.items():
        if stored is None:
            told.append(f"No memory is as small as {size:,} bytes.")
        else:
            each = stored.closed_bytes / max(stored.entries, 1)
            told.append(
                f"At {size:,} bytes it holds {stored.entries:,} entries, {each:.0f} bytes on disk for each once "
                f"it is closed ({stored.closed_bytes:,}; {stored.score.bytes:,} at most before), and took "
                f"{stored.write_us:,.0f} microseconds of processor time an item. {_tables(stored)}"
            )
    return [
        "On disk, the first order: ours is a memory's folder as `du -sb` counts it, written through `Memory` with "
        f"an item every {result.item_s:g} s and at the end of each sentence; of all others the bytes of vectors "
        f"and times alone count. {' '.join(told)}",
        "",
        *_grid(["rule", *(f"{n:,} bytes" for n in result.disk_bytes)], result.disk, result.disk_bytes),
    ]


def _tables(stored: Stored) -> str:
    """What takes a hundredth of a memory or more, in whole pages."""
    large = {name: size for name, size in stored.table_bytes.items() if size >= 0.01 * stored.closed_bytes}
    return "Of these, " + ", ".join(f"{name} {size:,}" for name, size in large.items()) + "."


def _grid(head: Sequence[str], table: Mapping[str, Mapping[int, Cell]], sizes: Sequence[int]) -> list[str]:
    rows = [[rule, *(_cell(cells.get(size)) for size in sizes)] for rule, cells in table.items()]
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


def _cell(cell: Cell | None) -> str:
    return "-" if cell is None else f"{_found(cell)}; {cell.of_unbounded:.2f} ± {cell.sd:.2f}"


def _found(cell: Cell) -> str:
    return f"{100 * cell.r1:.1f} / {100 * cell.r5:.1f}"
