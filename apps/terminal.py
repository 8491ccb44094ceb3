"""All that is printed for people goes through `tell`: names and words from outside never reach a terminal raw.

The names of files and streams, labels, words on a screen, subtitles, what a model or a server replied: whoever
made them must neither add lines of ours nor steer a terminal. JSON for programs is ASCII, see `tell_json`.
"""

from __future__ import annotations

import argparse
import difflib
import json
import logging
import math
import re
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO, Any, NoReturn

# Joins of letters and of emoji: not shown by themselves, and without them some words and signs fall apart.
_JOINERS = "\u200c\u200d"
# argparse's own words where a command or a value is not among those that there are.
_NO_CHOICE = re.compile(r"(?P<said>invalid choice: '(?P<given>[^']*)') \(choose from (?P<known>.*)\)")


def printable(text: str) -> str:
    """Make text harmless on a terminal, on one line.

    Line breaks, escape sequences, and marks that turn the direction of writing are written as in Python's source.
    Bytes that were no UTF-8 become the replacement character.
    """
    if text.isprintable():
        return text
    return "".join(map(_printable, text))


def _printable(letter: str) -> str:
    kind = unicodedata.category(letter)
    if letter.isprintable() or letter in _JOINERS or kind == "Zs":
        return letter
    return "\ufffd" if kind == "Cs" else letter.encode("unicode_escape").decode("ascii")


def tell(*lines: str, file: IO[str] | None = None, end: str = "\n") -> None:
    """Print lines for people.

    Args:
        lines: Each becomes one line, whatever is in it; none prints an empty one.
        file: Where they are printed; stdout by default.
        end: What follows the last one.
    """
    print("\n".join(map(printable, lines)), file=file, end=end, flush=True)


def warn(*lines: str) -> None:
    """Print lines for people on stderr."""
    tell(*lines, file=sys.stderr)


def tell_json(value: object) -> None:
    """Print a line of JSON in ASCII: any terminal, pipe or log takes it as it is."""
    print(json.dumps(value), flush=True)


def port(text: str) -> int:
    """A port as it is typed; for argparse."""
    with suppress(ValueError):
        if 0 <= (number := int(text)) < 65536:
            return number
    raise argparse.ArgumentTypeError(f"{text!r} is no port: write 0 to 65535")


def milliseconds(text: str) -> float:
    """A time limit as it is typed; for argparse."""
    with suppress(ValueError):
        if 0 < (number := float(text)) < math.inf:
            return number
    raise argparse.ArgumentTypeError(f"{text!r} is no time limit: write milliseconds above 0")


def prepare() -> None:
    """Let no letter stop a command: what a terminal cannot show, and input that is no text, is replaced."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="replace")
    if logging.lastResort is not None:  # what no handler takes goes to stderr
        logging.lastResort.setFormatter(_LogLine())


class _LogLine(logging.Formatter):
    """A record on one line, and nothing in it raw."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


class _Commands(argparse._SubParsersAction):  # type: ignore[type-arg]
    """Commands whose own help begins with what the list of commands says of them."""

    def __init__(self, *given: Any, groups: Mapping[str, Sequence[str]] | None = None, **named: Any) -> None:
        super().__init__(*given, **named)
        self._groups = groups

    def _get_subactions(self) -> list[argparse.Action]:
        there = super()._get_subactions()
        if self._groups is None:
            return there
        said = {action.dest: action.help for action in there}
        lines = [
            line
            for heading, commands in self._groups.items()
            for line in ((heading, None), *((f"  {command}", said[command]) for command in commands))
        ]
        return [self._ChoicesPseudoAction(name, (), text) for name, text in lines]

    def add_parser(self, name: str, **given: Any) -> Any:
        """Add a command."""
        if text := given.get("help", ""):
            given.setdefault("description", f"{text[0].upper()}{text[1:]}.")
        return super().add_parser(name, **given)


class Parser(argparse.ArgumentParser):
    """Says what is wrong with arguments without repeating them raw, and what was meant where that is near."""

    def add_subparsers(self, **given: Any) -> Any:
        """Add commands, which say in their own help what they do.

        Args:
            given: As argparse has it; and `groups`, if all commands are to be listed so: by heading their names.
        """
        return super().add_subparsers(**{"action": _Commands, **given})

    def error(self, message: str) -> NoReturn:
        """End with usage and one line."""
        if wrong := _NO_CHOICE.search(message):
            near = difflib.get_close_matches(wrong["given"], re.findall(r"[\w-]+", wrong["known"]), n=1)
            message = f"{message[: wrong.end('said')]}. Did you mean {near[0]!r}?" if near else message
        super().error(printable(message))

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        """Take what is behind `=` as it stands: before Python 3.13, `--after=--` gave an empty list."""
        if action.option_strings and action.nargs is None and arg_strings == ["--"]:
            value = self._get_value(action, "--")
            self._check_value(action, value)
            return value
        return super()._get_values(action, arg_strings)
