"""`hippocam bench cluster`: how an archive's throughput grows with the workers of a cluster."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from hippocam.apps.cli.bench.options import numbers
from hippocam.apps.cli.bench.outcome import Section, tell_outcome


def add_cluster(parser: argparse.ArgumentParser) -> None:
    """Add the options of the bench."""
    parser.add_argument("--nodes", type=numbers, default=[1, 2, 4, 8], metavar="1,2", help="into many memories")
    parser.add_argument(
        "--one-memory", type=numbers, default=[1, 2, 8], metavar="1,2", help="nodes, into one memory"
    )
    parser.add_argument("--workers", type=int, default=8, metavar="N", help="on each node")
    parser.add_argument("--wait", type=float, default=35.0, metavar="S", help="of an encoder, for a segment")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="draw it into this folder")
    parser.set_defaults(run=_cluster)


def _cluster(options: argparse.Namespace) -> int:
    from hippocam.apps.bench.cluster.run import plot, run, table

    runs = run(
        nodes=options.nodes,
        one_memory=options.one_memory,
        workers_a_node=options.workers,
        wait_s=options.wait,
    )
    body = table(runs, options.wait)
    if options.plots:
        plot(runs, options.plots / "cluster.png")
        body += "\n\n![Workers at work, against workers](cluster.png)"
    found = [asdict(one) for one in runs]
    return tell_outcome(options, found, Section(title="Workers of a cluster", body=body))
