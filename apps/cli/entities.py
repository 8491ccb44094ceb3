"""`hippocam entities ...`: the things that a memory knows, and whose visits are whose."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from hippocam.apps.cli.where import typed_time
from hippocam.apps.terminal import tell, tell_json
from hippocam.apps.wording import legible
from hippocam.stream.errors import HippocamError
from hippocam.stream.timecode import format_time

if TYPE_CHECKING:
    from hippocam.memory.entities.records import Entity, EntityChange


class EntityCommands(Protocol):
    """What the command line asks of a session."""

    def entities(
        self, *, stream: str | None = None, label: str | None = None, at_s: float | None = None
    ) -> Sequence[Entity]:
        """Entities by the time of their first visit, with nothing that was known after at_s."""

    def merge_entities(self, into: int, other: int) -> EntityChange:
        """Merge one entity into another."""

    def split_entity(self, visit: int) -> EntityChange:
        """Make a visit an entity of its own."""

    def undo_entities(self, change: int) -> EntityChange:
        """Undo a change."""


Opened = Callable[[argparse.Namespace], "AbstractContextManager[EntityCommands]"]


def add_arguments(command: argparse.ArgumentParser, opened: Opened) -> None:
    """Add the arguments of `hippocam entities`.

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
    command.add_argument(
        "--label", type=legible, metavar="NAME", help="only what is called so: person, car, bottle"
    )
    command.add_argument("--at", type=typed_time, metavar="T", help="as if the streams ended here")
    command.add_argument("--json", action="store_true", help="one JSON object on the last line of stdout")
    command.set_defaults(run=lambda options: run(options, opened))


def run(options: argparse.Namespace, opened: Opened) -> int:
    """Run the command.

    Raises:
        HippocamError: The number of ids is wrong, or one of them is unknown.
    """
    from hippocam.apps.api import change_json, entities_json
    from hippocam.apps.ids import parse_id

    wanted = {"list": 0, "merge": 2, "split": 1, "undo": 1}[options.action]
    if len(options.ids) != wanted:
        raise HippocamError(f"entities {options.action} takes {wanted} ids, found {len(options.ids)}")
    with opened(options) as session:
        if options.action == "list":
            found = session.entities(stream=options.stream, label=options.label, at_s=options.at)
            if options.json:
                tell_json(entities_json(found))
            else:
                tell(*(_table(found) if found else ["nothing was recognised"]))
            return 0
        if options.action == "merge":
            into, other = map(parse_id, options.ids)
            change = session.merge_entities(into, other)
        elif options.action == "split":
            change = session.split_entity(parse_id(options.ids[0]))
        else:
            if not options.ids[0].isdecimal():
                raise HippocamError(f"{options.ids[0]!r} is no number of a change")
            change = session.undo_entities(int(options.ids[0]))
        if options.json:
            tell_json(change_json(change))
        else:
            tell(_sentence(change))
        return 0


def _table(entities: Sequence[Entity]) -> list[str]:
    """Return a header and a line for each entity."""
    from hippocam.memory.records import format_id

    lines = [f"{'id':16}  {'what':12}  {'first seen':>10}  {'last seen':>10}  {'visits':>6}  stream"]
    for entity in entities:
        visits = len(entity.visits) + entity.earlier
        lines.append(
            f"{format_id(entity.id)}  {entity.label:12}  {format_time(entity.first_s):>10}  "
            f"{format_time(entity.last_s):>10}  {visits:>6}  {entity.stream}"
        )
    return lines


def _sentence(change: EntityChange) -> str:
    """Say in a sentence what a change did."""
    from hippocam.memory.records import format_id

    count = f"{len(change.moved)} visit{'s' * (len(change.moved) != 1)}"
    if change.undone:
        return f"undone: {count} went back to whose they were"
    back = f"`hippocam entities undo {change.id}` takes it back"
    return f"change {change.id}: {count} now of {format_id(change.into)}; {back}"
