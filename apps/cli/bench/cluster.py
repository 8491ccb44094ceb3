"""`hippocam bench cluster`: how an archive's throughput grows with the workers of a cluster."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from hippocam.apps.cli.bench.options import numbers
from hippocam.apps.terminal import tell, tell_json


def add_cluster(cluster: argparse.ArgumentParser, bench: Callable[[], Any]) -> None:
    """Add the options of the bench; `bench` imports it."""
    cluster.add_argument("--nodes", type=numbers, default=[1, 2, 4, 8], metavar="1,2", help="into many memories")
    cluster.add_argument(
        "--one-memory", type=numbers, default=[1, 2, 8], metavar="1,2", help="nodes, into one memory"
    )
    cluster.add_argument("--workers", type=int, default=8, metavar="N", help="on each node")
    cluster.add_argument("--wait", type=float, default=35.0, metavar="S", help="of an encoder, for a segment")
    cluster.add_argument("--plots", type=Path, metavar="DIR", help="draw it into this folder")
    cluster.set_defaults(run=partial(_cluster, bench))


def _cluster(bench: Callable[[], Any], options: argparse.Namespace) -> int:
    from hippocam.apps.bench.sections import write_section

    measured = bench()
    runs = measured.run(
        nodes=options.nodes,
        one_memory=options.one_memory,
        workers_a_node=options.workers,
        wait_s=options.wait,
    )
    told = measured.table(runs, options.wait)
    tell(*told.splitlines())
    if options.plots:
        measured.plot(runs, options.plots / "cluster.png")
        told += "\n\n![Workers at work, against workers](cluster.png)"
    if options.out:
        nodes, one = (",".join(map(str, sizes)) for sizes in (options.nodes, options.one_memory))
        command = f"hippocam bench cluster --nodes {nodes} --one-memory {one} --workers {options.workers}"
        command += f" --wait {options.wait:g} --plots {options.plots}" if options.plots else ""
        write_section(options.out, "Workers of a cluster", told, command=command, encoders=[])
    if options.json:
        tell_json([asdict(one) for one in runs])
    return 0
