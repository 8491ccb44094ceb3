"""Whether a thing was there at all: what a detector saw unsurely, never, or where it did not look."""

from __future__ import annotations

import sqlite3

import numpy as np
import pytest

from hippocam.memory.entities import tables
from hippocam.memory.entities.bank import EntityMemory
from hippocam.memory.entities.records import EntityConfig
from hippocam.memory.filter import Filter
from hippocam.stream.records import Embedding, Sensed, Thing

LOOK = np.ones(4, np.float32) / 2


def bank(config: EntityConfig | None = None) -> EntityMemory:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    tables.create(connection)
    return EntityMemory(connection, config)


def frame(seq: int, *seen: tuple[str, float], stream: str = "cam") -> Embedding:
    things = tuple(
        Thing(label=label, score=score, box=(0.1 * (seq % 8), 0.1, 0.1 * (seq % 8) + 0.1, 0.3), vector=LOOK)
        for label, score in seen
    )
    return Embedding(stream=stream, seq=seq, time_s=float(seq), vector=LOOK, sensed=Sensed(things=things))


def watched(*frames: Embedding, config: EntityConfig | None = None) -> EntityMemory:
    made = bank(config)
    for index, each in enumerate(frames):
        made.push(each)
        if index % 5 == 4:
            made.write(each.stream)
    for stream in {each.stream for each in frames}:
        made.write(stream)
    return made


def test_two_unsure_frames_show_a_thing_and_one_does_not():
    made = watched(
        frame(0, ("dog", 0.37)), frame(20, ("dog", 0.39)), frame(40, ("cat", 0.4)), frame(50, ("cow", 0.7))
    )
    assert made.presence(["dog"]).shown
    assert not made.presence(["dog"]).never
    assert not made.presence(["cat"]).shown
    assert made.presence(["cat"]).never
    assert made.presence(["cow"]).shown
    assert made.presence(["elephant"]).never
    assert made.presence(["cat", "dog"]).shown


def test_where_nothing_was_ever_detected_nothing_is_said():
    assert not watched(frame(0), frame(1)).presence(["dog"]).never
    made = watched(frame(0, ("dog", 0.9)), frame(1, ("dog", 0.9)))
    assert not made.presence(["cat"], Filter(stream="garden")).looked


def test_an_encoder_is_doubted_only_where_the_detector_looked_and_saw_none():
    made = watched(frame(0, ("dog", 0.5)), frame(1, ("dog", 0.5)))
    assert made.presence(["dog"]).believed(0.8) == 0.8
    assert made.presence(["elephant"]).believed(0.8) < 0.5
    assert made.presence(["elephant"]).believed(0.2) == 0.2
    assert made.presence(["elephant"]).believed(0.99) < 0.5
    assert made.presence(["elephant"]).believed(0.99, misses=True) == 0.99
    assert made.presence(["elephant"]).believed(0.9, misses=True) < 0.5
    assert bank().presence(["elephant"]).believed(0.8) == 0.8


def test_what_one_frame_alone_showed_is_left_to_the_encoder():
    made = watched(frame(0, ("dog", 0.5)), frame(1, ("dog", 0.5)), frame(2, ("cat", 0.4)))
    assert made.presence(["cat"]).never
    assert made.presence(["cat"]).believed(0.8) == 0.8


def test_a_time_and_a_stream_are_kept_apart():
    made = watched(
        *(frame(seq, ("dog", 0.4)) for seq in range(4)),
        *(frame(seq, ("cat", 0.4)) for seq in range(300, 304)),
        *(frame(seq, ("cow", 0.4), stream="barn") for seq in range(4)),
    )
    assert made.presence(["dog"], Filter(before_s=100.0)).frames == 4
    assert made.presence(["dog"], Filter(after_s=100.0)).never
    assert made.presence(["cat"], Filter(at_s=100.0)).never
    assert made.presence(["cat"]).shown
    assert made.presence(["cow"], Filter(stream="cam")).never
    assert made.presence(["cow"], Filter(stream="barn")).shown


def test_a_stretch_across_the_edge_of_a_time_counts_as_one_frame():
    made = watched(*(frame(seq, ("dog", 0.4)) for seq in range(0, 50, 7)))
    assert made.presence(["dog"], Filter(before_s=20.0)).frames == 1


def test_watching_again_counts_no_frame_twice():
    frames = [frame(seq, ("dog", 0.4)) for seq in range(6)]
    made = watched(*frames)
    before = made.presence(["dog"])
    for each in frames:
        made.push(each)
    made.write("cam")
    assert made.presence(["dog"]) == before


def test_what_is_deleted_was_never_there():
    made = watched(
        *(frame(seq, ("dog", 0.4)) for seq in range(4)), *(frame(seq, ("cat", 0.4)) for seq in (200, 201))
    )
    made.delete("cam", 100.0, 300.0)
    assert made.presence(["cat"]).never
    assert made.presence(["dog"]).shown
    made.delete("cam")
    assert not made.presence(["dog"]).looked


def test_under_the_budget_times_blur_and_nothing_is_lost():
    labels = ("dog", "cat", "cow")
    frames = [frame(seq * 700, *((label, 0.4) for label in labels)) for seq in range(200)]
    made = watched(*frames, config=EntityConfig(budget_bytes=10_000))
    assert made.nbytes() <= 10_000
    assert [made.presence([label]).frames for label in labels] == [200, 200, 200]


@pytest.mark.parametrize("score", [0.1, 0.29])
def test_what_is_less_than_a_detection_does_not_count(score):
    assert watched(frame(0, ("dog", score)), frame(1, ("dog", score))).presence(["dog"]).frames == 0


def test_what_only_a_gap_made_known_was_not_known_before_it():
    made = watched(frame(0, ("cat", 0.9)), frame(1), frame(2, ("dog", 0.9)), frame(200))
    (dog,) = made.entities(label="dog")
    assert dog.visits[0].known_s == 200.0
    assert made.entities(label="dog", at_s=150.0) == []
