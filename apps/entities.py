"""Entities as people see them: a list, and the commands that merge, split and undo.

Thin over `hippocam.memory.entities.bank`; the command line and whoever uses the library share it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

from hippocam.memory.entities.records import Entity, EntityChange
from hippocam.memory.records import format_id
from hippocam.stream.errors import HippocamError
from hippocam.stream.timecode import format_time


class EntityCommands(Protocol):
    """What the command line asks of a session."""

    def entities(
        self, *, stream: str | None = None, label: str | None = None, at_s: float | None = None
    ) -> Sequence[Entity]:
        """Entities by the time of their first visit, with nothing that was known after at_s."""

    def merge_entities(self, into: int, other: int) -> EntityChange:
        """Make two one."""

    def split_entity(self, visit: int) -> EntityChange:
        """Make a visit an entity of its own."""

    def undo_entities(self, change: int) -> EntityChange:
        """Take a change back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityCard:
    """An entity for people and for JSON.

    Attributes:
        id: As in format_id.
        label: What it is.
        stream: Which stream.
        first_s: When it first came.
        last_s: When it was last seen.
        seconds: How long it was there in all.
        visits: Times that it was there, those that are only counted included.
        exemplar_s: Time of the detection that shows it best.
        box: Where it is there: left, top, right, bottom as shares of the picture.
        spans: Each visit that is kept: its id, from, to; None where it is still there.
    """

    id: str
    label: str
    stream: str
    first_s: float
    last_s: float
    seconds: float
    visits: int
    exemplar_s: float
    box: tuple[float, float, float, float]
    spans: tuple[tuple[str, float, float | None], ...]


def card_of(entity: Entity) -> EntityCard:
    """Write an entity down for people."""
    best = entity.exemplar
    return EntityCard(
        id=format_id(entity.id),
        label=entity.label,
        stream=entity.stream,
        first_s=entity.first_s,
        last_s=entity.last_s,
        seconds=entity.seconds,
        visits=len(entity.visits) + entity.earlier,
        exemplar_s=best.frame_s,
        box=best.box,
        spans=tuple(
            (format_id(visit.id), visit.t0_s, None if visit.gone_s is None else visit.t1_s)
            for visit in entity.visits
        ),
    )


def table_of(entities: Sequence[Entity]) -> str:
    """Entities as lines of text, one each."""
    lines = [f"{'id':16}  {'what':12}  {'first seen':>10}  {'last seen':>10}  {'visits':>6}  stream"]
    for card in map(card_of, entities):
        lines.append(
            f"{card.id}  {card.label:12}  {format_time(card.first_s):>10}  {format_time(card.last_s):>10}  "
            f"{card.visits:>6}  {card.stream}"
        )
    return "\n".join(lines)


def json_of(entities: Sequence[Entity]) -> list[dict[str, object]]:
    """Entities as plain dicts."""
    return [asdict(card_of(entity)) for entity in entities]


def parse_id(text: str) -> int:
    """Read the id of an entity or visit.

    Raises:
        HippocamError: It is none.
    """
    if len(text) != 16 or any(letter not in "0123456789abcdef" for letter in text):
        raise HippocamError(f"{text!r} is no id of 16 hexadecimal digits; `hippocam entities` lists them")
    return int(text, 16)


def told(change: EntityChange) -> str:
    """A change as a sentence."""
    count = f"{len(change.moved)} visit{'s' * (len(change.moved) != 1)}"
    if change.undone:
        return f"undone: {count} went back to whose they were"
    back = f"`hippocam entities undo {change.id}` takes it back"
    return f"change {change.id}: {count} now of {format_id(change.into)}; {back}"
