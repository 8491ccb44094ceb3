"""`hippocam entities`, before a session that notes what it is asked."""

from __future__ import annotations

import argparse
import contextlib
import json

import pytest

from hippocam.apps.cli.entities import add_arguments
from hippocam.apps.ids import parse_id
from hippocam.memory.entities.records import Entity, EntityChange, Visit
from hippocam.stream.errors import HippocamError

VISIT = Visit(
    id=0xAB, entity=0xAB, stream="door", label="person", t0_s=6.5, t1_s=19.5, first_s=7.0, known_s=8.0,
    linked_s=8.0, gone_s=20.0, from_start=False, hits=9, score=0.8, frame_s=12.0, box=(0.4, 0.1, 0.7, 1.0),
)  # fmt: skip
STILL = Visit(
    id=0xCD, entity=0xAB, stream="door", label="person", t0_s=61.0, t1_s=70.0, first_s=61.5, known_s=62.0,
    linked_s=62.0, gone_s=None, from_start=False, hits=5, score=0.7, frame_s=65.0, box=(0.1, 0.1, 0.3, 1.0),
)  # fmt: skip


class Session:
    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []

    def entities(self, *, stream=None, label=None, at_s=None):
        self.asked.append(("entities", stream, label, at_s))
        return [Entity(id=0xAB, stream="door", label="person", visits=(VISIT, STILL), earlier=1)]

    def merge_entities(self, into, other):
        self.asked.append(("merge", into, other))
        return EntityChange(id=3, kind="merge", into=into, moved=((1, other),), undone=False)

    def split_entity(self, visit):
        self.asked.append(("split", visit))
        return EntityChange(id=4, kind="split", into=visit, moved=((visit, 9),), undone=False)

    def undo_entities(self, change):
        self.asked.append(("undo", change))
        return EntityChange(id=change, kind="merge", into=1, moved=((1, 2),), undone=True)


def typed(*words: str) -> Session:
    session, parser = Session(), argparse.ArgumentParser()
    add_arguments(parser, lambda options: contextlib.nullcontext(session))
    options = parser.parse_args(words)
    assert options.run(options) == 0
    return session


def test_entities_are_listed_with_their_times(capsys):
    assert typed("--label", "person", "--at", "1:30").asked == [("entities", None, "person", 90.0)]
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.split() == ["00000000000000ab", "person", "0:06.5", "1:10", "3", "door"]


def test_the_list_as_json_has_every_visit(capsys):
    typed("--json")
    (entity,) = json.loads(capsys.readouterr().out)["entities"]
    assert entity["spans"] == [["00000000000000ab", 6.5, 19.5], ["00000000000000cd", 61.0, None]]
    assert (entity["visits"], entity["seconds"], entity["exemplar_s"]) == (3, 22.0, 12.0)


def test_commands_reach_the_session_and_say_how_to_take_them_back(capsys):
    assert typed("merge", "00000000000000ab", "00000000000000cd").asked == [("merge", 0xAB, 0xCD)]
    assert "undo 3" in capsys.readouterr().out
    assert typed("split", "00000000000000cd").asked == [("split", 0xCD)]
    assert typed("undo", "3", "--json").asked == [("undo", 3)]
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"change": 3, "kind": "merge", "undone": True}


def test_what_cannot_be_done_is_said():
    for words in (("merge", "00000000000000ab"), ("split",), ("undo", "x"), ("split", "7"), ("list", "7")):
        with pytest.raises(HippocamError):
            typed(*words)
    with pytest.raises(HippocamError, match="16 hexadecimal"):
        parse_id("XYZ")
