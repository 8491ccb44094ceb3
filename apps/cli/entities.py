"""`hippocam entities ...`: the things that a memory knows, and whose visits are whose."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from hippocam.stream.errors import HippocamError
from hippocam.stream.timecode import parse_time

if TYPE_CHECKING:
    from hippocam.apps.entities import EntityCommands

Opened = Callable[[argparse.Namespace], "AbstractContextManager[EntityCommands]"]


def add_arguments(command: argparse.ArgumentParser, opened: Opened) -> None:
    """Add what can be done with entities to `hippocam entities`.

    Args:
        command: The parser of `hippocam entities`.
        opened: Opens the memory that the options name.
    """
    command.add_argument(
        "action", nargs="?", choices=("list", "merge", "split", "undo"), default="list", help="default: list"
    )
    command.add_argument(
        "ids", nargs="*", metavar="ID", help="merge INTO OTHER: two entities; split VISIT; undo CHANGE"
    )
    command.add_argument("--stream", metavar="ID", help="only this stream")
    command.add_argument("--label", metavar="NAME", help="only what is called so: person, car, bottle")
    command.add_argument("--at", type=_time, metavar="T", help="as if the streams ended here")
    command.add_argument("--json", action="store_true", help="one JSON object on the last line of stdout")
    command.set_defaults(run=lambda options: run(options, opened))


def run(options: argparse.Namespace, opened: Opened) -> int:
    """Do what was typed.

    Raises:
        HippocamError: It names what is not there, or too few or too many ids.
    """
    from hippocam.apps import entities

    wanted = {"list": 0, "merge": 2, "split": 1, "undo": 1}[options.action]
    if len(options.ids) != wanted:
        raise HippocamError(f"entities {options.action} takes {wanted} ids, found {len(options.ids)}")
    with opened(options) as session:
        if options.action == "list":
            found = session.entities(stream=options.stream, label=options.label, at_s=options.at)
            text = entities.table_of(found) if found else "nothing was recognised"
            print(json.dumps({"entities": entities.json_of(found)}) if options.json else text)
            return 0
        if options.action == "merge":
            into, other = map(entities.parse_id, options.ids)
            change = session.merge_entities(into, other)
        elif options.action == "split":
            change = session.split_entity(entities.parse_id(options.ids[0]))
        else:
            if not options.ids[0].isdecimal():
                raise HippocamError(f"{options.ids[0]!r} is no number of a change")
            change = session.undo_entities(int(options.ids[0]))
        done = {"change": change.id, "kind": change.kind, "undone": change.undone}
        print(json.dumps(done) if options.json else entities.told(change))
        return 0


def _time(text: str) -> float:
    try:
        return parse_time(text)
    except HippocamError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
