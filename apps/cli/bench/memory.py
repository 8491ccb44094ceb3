"""`hippocam bench memory` and `sleep`: what is kept where there is little room, and made smaller."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from functools import partial
from pathlib import Path

from hippocam.apps.cli.bench.options import numbers
from hippocam.apps.cli.bench.outcome import Section, tell_found, tell_outcome, tell_section
from hippocam.apps.terminal import tell, warn


def add_memory(parser: argparse.ArgumentParser) -> None:
    """Add the options of the bench."""
    parser.add_argument(
        "--world",
        nargs="+",
        default=["synthetic", "synthetic-clean"],
        choices=("synthetic", "synthetic-clean", "real"),
        help="default: synthetic synthetic-clean; real needs footage",
    )
    parser.add_argument("--seeds", type=numbers, default=[1, 2, 3, 4, 5], metavar="1,2,3", help="of the streams")
    parser.add_argument(
        "--slots",
        type=numbers,
        default=None,
        metavar="N",
        help="plain slots whose bytes are the budget",
    )
    parser.add_argument("--policies", nargs="+", metavar="NAME", help="only these rules")
    parser.add_argument("--videos", type=Path, metavar="DIR", help="footage of the real world")
    parser.add_argument(
        "--plots", type=Path, metavar="DIR", help="draw recall by bytes and by age into this folder"
    )
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes (costs then say nothing)")
    parser.set_defaults(run=_memory)


def _memory(options: argparse.Namespace) -> int:
    from hippocam.apps.bench import memory, memory_report
    from hippocam.apps.bench.ours.entries import policies
    from hippocam.apps.worlds.footage import describe, real
    from hippocam.apps.worlds.worlds import WORLDS

    result = memory.run(
        options.world,
        options.seeds,
        options.slots or memory.SLOTS,
        options.policies,
        worlds={**WORLDS, "real": partial(real, videos=options.videos)},
        table=policies(),
        jobs=options.jobs,
        report=warn,
    )
    for world in result.worlds:
        notes = f"\n\n{describe(options.videos)}" if world.world == "real" else ""
        title, body = memory_report.title(world), f"{memory_report.to_markdown(world)}{notes}"
        shown = f"{title}\n{memory_report.table(world)}"
        tell_section(options, Section(title=title, body=body, encoders=[world.encoder], shown=shown))
    if options.plots:
        for picture in memory_report.plot(result, options.plots):
            tell(str(picture))
    return tell_found(options, memory_report.to_json(result))


def add_sleep(parser: argparse.ArgumentParser) -> None:
    """Add the options of the bench."""
    parser.add_argument(
        "--world", nargs="+", default=["synthetic-clean"], choices=("synthetic", "synthetic-clean", "real")
    )
    parser.add_argument("--seeds", type=numbers, default=[1, 2, 3], metavar="1,2,3", help="of the streams")
    parser.set_defaults(run=_sleep)


def _sleep(options: argparse.Namespace) -> int:
    from hippocam.apps.bench import sleep

    result = sleep.run(dict.fromkeys(options.world, options.seeds))
    ids = [stream.encoder for stream in result.streams]
    return tell_outcome(options, asdict(result), Section(title="Sleep", body=sleep.table(result), encoders=ids))
