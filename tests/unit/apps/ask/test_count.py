"""Questions that count, asked of visits that are written down here; other wordings than the annotated ones too."""

from __future__ import annotations

import sqlite3

import pytest

from hippocam.apps.ask.count import count_entities
from hippocam.memory.entities import tables
from hippocam.memory.entities.bank import EntityMemory
from hippocam.memory.entities.records import Visit


def bank(visits) -> EntityMemory:
    """Visits as (entity, label, from, to): to None for what is still there, from below 0 for the start."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    tables.create(connection)
    for number, (entity, label, t0_s, t1_s) in enumerate(visits, start=100):
        start = max(t0_s, 0.0)
        tables.put_visit(
            connection,
            Visit(
                id=number,
                entity=entity,
                stream="cam",
                label=label,
                t0_s=start,
                t1_s=200.0 if t1_s is None else t1_s,
                first_s=start + 0.5,
                known_s=start + 1,
                linked_s=start + 1,
                gone_s=None if t1_s is None else t1_s + 0.5,
                from_start=t0_s < 0,
                hits=5,
                score=0.9,
                frame_s=start + 1,
                box=(0, 0, 1, 1),
            ),
            b"",
        )
    return EntityMemory(connection)


ROOM = bank(
    [
        (1, "person", 10, 30),
        (2, "person", 50, 95),
        (3, "person", 60, 70),
        (1, "person", 120, 130),
        (8, "car", 40, 48),
        (9, "cup", -1, 20),
        (9, "cup", 35, None),
        (10, "cup", -1, 21),
    ]
)


@pytest.mark.parametrize(
    ("question", "at_s", "value"),
    [
        ("How many different people visited the room?", 150, 3),
        ("How many people have come so far?", 55, 2),
        ("How many visitors were there in total?", 150, 3),
        ("How many visitors did the camera see?", 150, 3),
        ("How many times did a person come?", 150, 4),
        ("How many people are in the room right now?", 65, 2),
        ("How many people are there?", 65, 2),
        ("How many people are at the table now?", 100, 0),
        ("How many people were in the room at 1:05?", 150, 2),
        ("How many cars passed?", 150, 1),
        ("How many cups are on the table at the moment?", 10, 2),
        ("How many cups are on the table now?", 30, 0),
        ("How many cups are left on the table?", 150, 1),
        ("When did the second visitor arrive?", 150, 50),
        ("At what time did the 3rd person leave?", 150, 70),
        ("When did the car appear?", 150, 40),
        ("How long did the second person stay?", 150, 45),
        ("How long was the first visitor there?", 35, 20),
        ("How long was the first visitor there?", 150, 30),
        ("Which visitor stayed the longest?", 150, 2),
        ("Who stayed the shortest time?", 150, 3),
        ("Was there ever more than one person in the room at the same time?", 150, 1),
        ("Was there ever more than two people at once?", 150, 0),
        ("What was the largest number of people at any time?", 150, 2),
        ("What was the smallest number of cups on the table at any time?", 150, 0),
        ("How many times was a cup taken away?", 150, 1),  # both at once
        ("How often was a cup put back?", 150, 1),
        ("When were two cups removed at once?", 150, 20),
        ("How long was the room empty between the first and the second visitor?", 110, 20),
        ("Is anybody there right now?", 65, 1),
        ("Is there anyone in the room now?", 100, 0),
    ],
)
def test_what_is_counted(question, at_s, value):
    answer = count_entities(question, ROOM, at_s=at_s)
    assert answer is not None
    assert answer.value == pytest.approx(value, abs=0.51)
    assert all(start <= end <= at_s + 1 for _, start, end in answer.spans)
    if value and "yes" not in answer.text and "at once" not in question:
        assert answer.spans


@pytest.mark.parametrize(
    "question",
    [
        "How many women visited the room?",
        "How many of the visitors were women?",
        "How many people in black visited?",
        "How many red cars passed?",
        "How many people visited between 0:30 and 1:30?",
        "How many people came in the first minute?",
        "How many people sat down?",
        "How many people ran away?",
        "How many sheets of paper are on the table?",
        "When did the visitor arrive?",
        "When did the seventh visitor arrive?",
        "Was the first visitor a man or a woman?",
        "What was the last visitor wearing?",
        "Who came directly after the man in the black jacket?",
        "How long is the film?",
        "What is on the table?",
        "",
    ],
)
def test_what_is_not_surely_understood_is_left_to_others(question):
    assert count_entities(question, ROOM, at_s=150) is None


def test_where_nothing_was_recognised_nothing_is_counted():
    assert count_entities("How many people visited?", bank([])) is None


def test_two_streams_are_added_up_but_not_put_in_one_order():
    view = bank([(1, "person", 10, 20)])
    view._db.execute(
        "INSERT INTO visit SELECT 7, 7, 'b', label, t0_s, t1_s, first_s, known_s, linked_s, gone_s, from_start, "
        "hits, score, frame_s, box, gaps, look FROM visit"
    )
    both = count_entities("How many people came?", view, at_s=60)
    assert both is not None
    assert both.value == 2
    assert count_entities("When did the second visitor arrive?", view, at_s=60) is None
    one = count_entities("How many people came?", view, at_s=60, stream="b")
    assert one is not None
    assert one.value == 1
