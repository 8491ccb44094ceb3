"""`hippocam bench ...`: what is measured, by commands that anyone can run again.

Nothing heavy is imported before a bench runs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from hippocam.stream.errors import HippocamError

FOOTAGE = Path(__file__).resolve().parent.parent / "tests" / "golden" / "footage"


def add_commands(bench: argparse.ArgumentParser) -> None:
    """Add the benches as commands of `hippocam bench`."""
    names = bench.add_subparsers(title="benches", required=True, metavar="NAME")

    moments = names.add_parser("moments", help="moment recall on annotated footage")
    moments.add_argument("--videos", type=Path, required=True, metavar="DIR", help="where the clips are")
    moments.add_argument("--truth", type=Path, nargs="+", default=[FOOTAGE], metavar="FILE", help="annotations")
    moments.add_argument("--absent", type=Path, default=FOOTAGE / "absent.json", metavar="FILE", help="not shown")
    moments.add_argument("--encoder", metavar="NAME")
    moments.set_defaults(run=_moments)

    memory = names.add_parser("memory", help="which rule keeps the right memories in equal bytes")
    memory.add_argument(
        "--world",
        nargs="+",
        default=["synthetic", "synthetic-clean"],
        choices=("synthetic", "synthetic-clean", "real"),
        help="default: synthetic synthetic-clean; real needs footage",
    )
    memory.add_argument("--seeds", type=_numbers, default=[1, 2, 3, 4, 5], metavar="1,2,3", help="of the streams")
    memory.add_argument(
        "--slots", type=_numbers, default=None, metavar="N", help="plain slots whose bytes are the budget"
    )
    memory.add_argument("--policies", nargs="+", metavar="NAME", help="only these rules")
    memory.add_argument("--videos", type=Path, metavar="DIR", help="footage of the real world")
    memory.add_argument(
        "--plots", type=Path, metavar="DIR", help="draw recall by bytes and by age into this folder"
    )
    memory.add_argument("--jobs", type=int, default=1, metavar="N", help="processes (costs then say nothing)")
    memory.set_defaults(run=_memory)

    scale = names.add_parser("scale", help="a million keys, and a million frames under a small budget")
    scale.add_argument("--keys", type=int, default=1_000_000, metavar="N", help="keys that are searched")
    scale.add_argument("--dims", type=_numbers, default=[64, 512], metavar="64,512", help="their dimensions")
    scale.add_argument("--entries", type=int, default=20_000, metavar="N", help="entries of a whole recall")
    scale.add_argument("--frames", type=int, default=1_000_000, metavar="N", help="frames that are written")
    scale.set_defaults(run=_scale)

    sleep = names.add_parser("sleep", help="how small a bank can be made while recall of its probes holds")
    sleep.add_argument(
        "--world", nargs="+", default=["synthetic-clean"], choices=("synthetic", "synthetic-clean", "real")
    )
    sleep.add_argument("--seeds", type=_numbers, default=[1, 2, 3], metavar="1,2,3", help="of the streams")
    sleep.set_defaults(run=_sleep)

    for command in (moments, memory, scale, sleep):
        command.add_argument(
            "--out", type=Path, metavar="FILE", help="Markdown file whose section is written anew"
        )
        command.add_argument("--json", action="store_true", help="one JSON object on the last line of stdout")


def _numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"give numbers as 1,2,3, found {text!r}") from error


def _print_json(value: Any) -> None:
    print(json.dumps(value))


def _moments(options: argparse.Namespace) -> int:
    from hippocam.apps.bench.moments import read_clips, run, table, write_section

    for path in (options.absent, *options.truth):
        if not path.exists():
            raise HippocamError(f"{path}: no such file; name your own with --truth and --absent")
    absent = json.loads(options.absent.read_text(encoding="utf-8"))
    result = run(list(read_clips(options.videos, options.truth)), absent, encoder=options.encoder)
    print(table(result))
    if options.out:
        truths = " ".join(os.path.relpath(path) for path in options.truth)
        encoder = f" --encoder {options.encoder}" if options.encoder else ""
        command = f"hippocam bench moments --videos {options.videos} --truth {truths}{encoder}"
        write_section(options.out, f"Moments, encoder {result.encoder}", f"`{command}`\n\n{table(result)}")
    if options.json:
        _print_json(asdict(result))
    return 0


def _memory(options: argparse.Namespace) -> int:
    from hippocam.apps.bench import memory, memory_report
    from hippocam.apps.bench.footage import describe, real
    from hippocam.apps.bench.moments import write_section
    from hippocam.apps.bench.worlds import WORLDS

    result = memory.run(
        options.world,
        options.seeds,
        options.slots or memory.SLOTS,
        options.policies,
        worlds={**WORLDS, "real": partial(real, videos=options.videos)},
        jobs=options.jobs,
        report=lambda line: print(line, file=sys.stderr, flush=True),
    )
    seeds = ",".join(map(str, options.seeds))
    for world in result.worlds:
        print(memory_report.title(world))
        print(memory_report.table(world))
        if options.out:
            command = f"hippocam bench memory --world {world.world} --seeds {seeds}"
            notes = f"\n\n{describe(options.videos)}" if world.world == "real" else ""
            body = f"`{command}`\n\n{memory_report.to_markdown(world)}{notes}"
            write_section(options.out, memory_report.title(world), body)
    if options.plots:
        for picture in memory_report.plot(result, options.plots):
            print(picture)
    if options.json:
        print(memory_report.to_json(result))
    return 0


def _scale(options: argparse.Namespace) -> int:
    from hippocam.apps.bench import scale
    from hippocam.apps.bench.moments import write_section

    result = scale.run(rows=options.keys, dims=options.dims, entries=options.entries, frames=options.frames)
    print(scale.table(result))
    if options.out:
        write_section(options.out, "Scale", f"`hippocam bench scale`\n\n{scale.table(result)}")
    if options.json:
        _print_json(asdict(result))
    return 0


def _sleep(options: argparse.Namespace) -> int:
    from hippocam.apps.bench import sleep
    from hippocam.apps.bench.moments import write_section

    result = sleep.run(dict.fromkeys(options.world, options.seeds))
    print(sleep.table(result))
    if options.out:
        worlds, seeds = " ".join(options.world), ",".join(map(str, options.seeds))
        command = f"hippocam bench sleep --world {worlds} --seeds {seeds}"
        write_section(options.out, "Sleep", f"`{command}`\n\n{sleep.table(result)}")
    if options.json:
        _print_json(asdict(result))
    return 0
