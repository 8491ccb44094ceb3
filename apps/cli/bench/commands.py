"""`hippocam bench NAME`: what is measured, by commands that anyone can run again.

Each bench stands in a module of this folder, which is loaded when the bench is chosen.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hippocam.apps.terminal import Parser

# Name: its module, whose `add_NAME` adds its options and says what it runs; what it measures.
BENCHES = {
    "moments": ("footage", "moment recall on annotated footage"),
    "memory": ("memory", "which rule keeps the right memories in equal bytes"),
    "scale": ("scale", "a million keys, and a million frames under a small budget"),
    "sleep": ("memory", "how small a bank can be made while recall of its probes holds"),
    "ingest": ("ingest", "how fast clips are watched on one core, beside what that must take"),
    "qa": ("questions", "questions about videos, beside simple baselines with the same reader"),
    "answers": ("questions", "what people ask of films, scored against the truth"),
    "things": ("footage", "small things, and things that are never shown"),
    "perception": ("footage", "what each encoder understands of pictures and footage"),
    "robot": ("robot", "what a robot's control loop waits for"),
    "cluster": ("cluster", "how an archive's throughput grows with a cluster's workers"),
    "policy": ("policy", "policies that read our memory, beside policies with other memories"),
    "poison": ("poison", "what strangers can plant, tried against recall and readers"),
    "presence": ("known", "seen, gone, never looked, not seen: what is told as of any moment"),
    "words": ("known", "questions about what is written, in other words"),
    "sentences": ("sentences", "moments with their sentences on contact sheets, for people to judge"),
    "lifelog": ("lifelog", "a week of sentences in little room, asked by somebody else's"),
    "forget": ("forgetting", "a memory that forgot something beside one that never saw it"),
    "year": ("year", "a year of frames in a gigabyte, or some days of it"),
}


def add_commands(bench: argparse.ArgumentParser) -> None:
    """Add the benches as commands of `hippocam bench`."""
    names = bench.add_subparsers(title="benches", required=True, metavar="NAME", parser_class=_Bench)
    for name, (_, measures) in BENCHES.items():
        names.add_parser(name, help=measures).set_defaults(bench=name)


class _Bench(Parser):
    """A bench, which gets its options once it is chosen."""

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        """Read the options of this bench."""
        name = self.get_default("bench")
        module = importlib.import_module(f"hippocam.apps.cli.bench.{BENCHES[name][0]}")
        getattr(module, f"add_{name}")(self)
        self.add_argument(
            "--out", "--write", type=Path, metavar="FILE", help="Markdown file whose section is written anew"
        )
        self.add_argument("--json", action="store_true", help="one JSON object on the last line of stdout")
        self.set_defaults(typed=[name, *(args or ())])
        return super().parse_known_args(args, namespace)
