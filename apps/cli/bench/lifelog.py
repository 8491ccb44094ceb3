"""`hippocam bench lifelog`: a week of one annotator's sentences in little room, asked by another's."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from hippocam.apps.cli.bench.options import numbers
from hippocam.apps.terminal import tell, warn


def add_lifelog(names: Any) -> argparse.ArgumentParser:
    """Add the bench among the others."""
    parser: argparse.ArgumentParser = names.add_parser(
        "lifelog", help="a week of sentences in little room, asked by somebody else's"
    )
    parser.add_argument(
        "--data", type=Path, required=True, metavar="FOLDER", help="holds val_1.json and val_2.json of ActivityNet"
    )
    parser.add_argument(
        "--shares",
        type=numbers,
        default=[4, 12, 50],
        metavar="4,12,50",
        help="what the bytes of plain vectors of all sentences are divided by",
    )
    parser.add_argument(
        "--seeds", type=numbers, default=[1, 2, 3], metavar="1,2,3", help="of the order of the videos"
    )
    parser.add_argument("--rules", nargs="+", metavar="NAME", help="only these rules")
    parser.add_argument(
        "--untaught",
        action="store_true",
        help="only videos from whose sentences the shipped outline did not learn",
    )
    parser.add_argument("--no-disk", action="store_true", help="measure no memory on disk")
    parser.set_defaults(run=_lifelog)
    return parser


def _lifelog(options: argparse.Namespace) -> int:
    from hippocam.apps.bench.lifelog import report, run
    from hippocam.apps.bench.lifelog.again import asked_again
    from hippocam.apps.bench.lifelog.disk import on_disk
    from hippocam.apps.bench.lifelog.rules import keepers
    from hippocam.apps.bench.sections import write_section
    from hippocam.memory.training.outline import taught
    from hippocam.models.registry import make_encoder

    encoder = make_encoder("bundled")
    result = run.run(
        options.data,
        encoder,
        shares=options.shares,
        seeds=options.seeds,
        keepers=keepers(encoder.spec.id),
        rules=options.rules,
        on_disk=None if options.no_disk else on_disk,
        asked_again=asked_again,
        of=(lambda video: not taught(video)) if options.untaught else None,
        report=warn,
    )
    body = report.to_markdown(result)
    tell(*body.splitlines())
    if options.out:
        command = f"hippocam bench lifelog --data {options.data} --shares {_typed(options.shares)}"
        command += f" --seeds {_typed(options.seeds)}"
        command += f" --rules {' '.join(options.rules)}" if options.rules else ""
        command += " --untaught" if options.untaught else ""
        command += " --no-disk" if options.no_disk else ""
        write_section(options.out, report.TITLE, body, command=command, encoders=[encoder.spec.id])
    if options.json:
        print(report.to_json(result))
    return 0


def _typed(some: list[int]) -> str:
    return ",".join(map(str, some))
