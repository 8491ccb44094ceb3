"""What LeRobot datasets say: names of dimensions in each form, and the language columns of v3."""

import numpy as np
import pytest

from hippocam.stream.records import ACTION_NAMES, STATE_NAMES
from hippocam.stream.robot.dimensions import names_in
from hippocam.stream.sources import open_sources
from hippocam.stream.sources.lerobot.words import language_notes, names_of


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["a", "b"], ["a", "b"]),
        ([["a", "b"]], ["a", "b"]),
        ({"motors": ["a", "b"]}, ["a", "b"]),
        ({"left": ["a"], "right": ["b"]}, ["a", "b"]),
        (None, []),
        ("ab", []),
        ({"b": 1, "a": 0}, ["a", "b"]),
        ([1, 2], []),
        (7, []),
    ],
)
def test_names_are_read_in_each_form(names, found):
    assert names_of({"names": names}) == found
    assert names_of(names) == []


def row(**given):
    return {"role": "assistant", "content": None, "style": None, "camera": None, "tool_calls": None} | given


def told(persistent=(), events=(), times=(0.0, 0.1, 0.2)):
    columns = {"language_persistent": persistent, "language_events": events}
    notes = language_notes("arm/episode_000001", ["front", "wrist"], times, columns)
    return [(note.stream.rpartition("/")[2], note.t0_s, note.t1_s, note.text) for _, note in notes]


def test_a_persistent_row_holds_until_the_next_of_its_style():
    every = [
        row(style="subtask", content="reach", timestamp=0.0),
        row(style="subtask", content="grasp", timestamp=0.1),
        row(style="plan", content="1. reach 2. grasp", timestamp=0.0),
        row(style="task_aug", content="the task in other words", timestamp=0.0),
    ]
    assert told([every] * 3) == [
        ("front", 0.0, 0.2, "plan: 1. reach 2. grasp"),
        ("front", 0.0, 0.1, "subtask: reach"),
        ("front", 0.1, 0.2, "subtask: grasp"),
    ]


def test_events_stand_at_the_time_of_their_row():
    say = {"type": "function", "function": {"name": "say", "arguments": {"text": "on my way"}}}
    events = [
        [],
        [row(role="user", style="vqa", content="what is red?", camera="observation.images.wrist")],
        [row(tool_calls=[say]), row(style="trace", content="[[1, 2]]", camera="observation.images.wrist"), row()],
    ]
    assert told(events=events) == [
        ("wrist", 0.1, 0.1, "question: what is red?"),
        ("front", 0.2, 0.2, "said: on my way"),
    ]


@pytest.mark.parametrize(
    "value", [None, [], "text", [None], [{"content": 3}], [{"content": "a", "timestamp": "b"}]]
)
def test_what_is_no_language_says_nothing(value):
    assert told([value] * 3, times=(0.0, np.nan, np.inf)) == []


def test_of_a_real_dataset(shared_data):
    source = open_sources([shared_data / "robot" / "g1_pick_bottle"]).sources[0]
    notes = [note for _, note in source.notes(source.id, hearing=None)]
    for kind in (STATE_NAMES, ACTION_NAMES):
        names = names_in(notes, kind)
        assert len(names) == 26
        assert names[:4] == ["kLeftShoulderPitch", "kLeftShoulderRoll", "kLeftShoulderYaw", "kLeftElbow"]
    assert {note.stream for note in notes} == {"g1_pick_bottle/episode_000010/cam_high"}
