"""`hippocam bench sentences`: contact sheets of moments with their sentences, and the report of who read them."""

from __future__ import annotations

import argparse
from pathlib import Path

from hippocam.apps.cli.bench.outcome import Section, tell_found, tell_section
from hippocam.apps.terminal import tell


def add_sentences(parser: argparse.ArgumentParser) -> None:
    """Add the options of the bench."""
    parser.add_argument("--memory", type=Path, metavar="DIR", help="a memory that was watched; for new sheets")
    parser.add_argument("--moments", type=int, default=48, metavar="N", help="how many are drawn")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the draw")
    parser.add_argument("--sheets", type=Path, metavar="DIR", help="where sheets and the table for verdicts go")
    parser.add_argument("--readings", type=Path, metavar="FILE", help="the table with its verdicts; for a report")
    parser.add_argument("--title", default="Sentences, read", metavar="TEXT", help="of the section of the report")
    parser.set_defaults(run=_sentences)


def _sentences(options: argparse.Namespace) -> int:
    from hippocam.apps.bench.sentences import drawn, read_verdicts, report, write_sheets
    from hippocam.memory.memory import Memory
    from hippocam.models.encoders.bundled.head_file import read_spec
    from hippocam.stream.errors import HippocamError

    if (options.memory is None) == (options.readings is None):
        raise HippocamError("name a memory with --memory, or a table of verdicts with --readings")
    if options.readings is not None:
        reads = read_verdicts(options.readings)
        tell_section(options, Section(title=options.title, body=report(reads), encoders=[read_spec().id]))
    else:
        with Memory.open_reader(options.memory) as memory:
            reads = drawn(memory, options.moments, options.seed)
            if options.sheets is not None:
                tell(*map(str, write_sheets(options.sheets, memory, reads)))
            else:
                tell(*(f"{read.stream} {read.time_s:.1f} s: {read.sentence}" for read in reads))
    return tell_found(options, {"sentences": [read.sentence for read in reads]})
