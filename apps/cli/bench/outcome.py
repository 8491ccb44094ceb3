"""What a bench found: tables on stdout, sections of a Markdown file, JSON."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hippocam.apps.terminal import tell, tell_json

# Options that say where something is written, each with one value: they change no figure.
_ELSEWHERE = ("--out", "--write", "--plot", "--plots", "--sheet", "--answers", "--memories")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Tables of a bench.

    Attributes:
        title: Of the section in a file.
        body: Markdown.
        encoders: Ids of the encoders whose vectors were used; none if vectors are random.
        shown: What is printed; "" for the body.
    """

    title: str
    body: str
    encoders: Sequence[str] = ()
    shown: str = ""


def tell_outcome(options: argparse.Namespace, found: object, *sections: Section) -> int:
    """Tell all that a bench found: see `tell_section` and `tell_found`.

    Returns:
        0, the exit code.
    """
    for section in sections:
        tell_section(options, section)
    return tell_found(options, found)


def tell_section(options: argparse.Namespace, section: Section) -> None:
    """Print tables, and write them into the file that `--out` names, with the command that was typed."""
    tell(*(section.shown or section.body).splitlines())
    if options.out:
        from hippocam.apps.bench.sections import write_section

        command = f"hippocam bench {typed(options.typed)}"
        write_section(options.out, section.title, section.body, command=command, encoders=section.encoders)


def tell_found(options: argparse.Namespace, found: object) -> int:
    """Print what was found where `--json` asks for it: a value, or JSON as it is.

    Returns:
        0, the exit code.
    """
    if options.json and isinstance(found, str):
        print(found)
    elif options.json:
        tell_json(found)
    return 0


def typed(words: Sequence[str]) -> str:
    """What was typed, without where it is written to; paths as from here."""
    kept, rest = [], iter(words)
    for word in rest:
        name, has_value, _ = word.partition("=")
        if name in _ELSEWHERE:
            if not has_value:
                next(rest, None)
        elif word != "--json":
            kept.append(shlex.quote(os.path.relpath(word) if Path(word).is_absolute() else word))
    return " ".join(kept)
