"""`hippocam bench robot`: what a robot's control loop waits for."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from hippocam.apps.cli.bench.options import numbers
from hippocam.apps.terminal import tell, tell_json


def add_robot(robot: argparse.ArgumentParser) -> None:
    """Add the options of the bench."""
    robot.add_argument(
        "--entries", type=numbers, default=[1000, 10_000, 100_000], metavar="N,N", help="of the memories"
    )
    robot.add_argument("--encoder", default="bundled", metavar="NAME")
    robot.add_argument("--seconds", type=float, default=20.0, metavar="S", help="of each loop")
    robot.set_defaults(run=_robot)


def _robot(options: argparse.Namespace) -> int:
    from hippocam.apps.bench.robot.run import run, table
    from hippocam.apps.bench.sections import write_section

    result = run(options.entries, encoder=options.encoder, loop_s=options.seconds)
    tell(*table(result).splitlines())
    if options.out:
        entries = ",".join(map(str, options.entries))
        command = (
            f"hippocam bench robot --entries {entries} --encoder {options.encoder} --seconds {options.seconds:g}"
        )
        write_section(options.out, "A control loop", table(result), command=command, encoders=[result.encoder])
    if options.json:
        tell_json(asdict(result))
    return 0
