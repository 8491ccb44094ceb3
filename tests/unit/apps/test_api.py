"""Records as JSON: plain values in one shape, whoever asks for them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from hippocam.apps import api
from hippocam.apps.live.status import LiveStatus
from hippocam.apps.records import Answer
from hippocam.memory.entities.records import Entity, EntityChange, Visit
from hippocam.memory.explanation import Explanation
from hippocam.memory.records import Evidence, Level, Span, unheld_entry
from hippocam.stream.clips.clip import Clip
from hippocam.stream.live.camera import CameraStatus, State
from hippocam.stream.records import Sensors
from hippocam.stream.robot.motion import Motion

MOMENT = Evidence(
    id="0123456789abcdef", stream="door", t0_s=6.54321, t1_s=19.5, score=0.87654, why="it matches", image="a.jpg",
    frame_s=9.0, spans=((6.54321, 19.5), (61.0, 70.0)), met=2,
)  # fmt: skip


def plain(value):
    """As another program reads it."""
    return json.loads(json.dumps(value, allow_nan=False))


def test_an_answer_has_its_evidence_and_its_prompt_only_when_it_is_explained():
    answer = Answer(
        answer="At 0:06 [1].", unknown=False, confidence=0.81239, evidence=(MOMENT,), cited=(MOMENT.id,),
        reader="extractive:1", latency_ms=12.3456, prompt="word for word",
    )  # fmt: skip
    value = plain(api.answer_json(answer))
    (moment,) = value["evidence"]
    assert (moment["id"], moment["t0_s"], moment["score"]) == (MOMENT.id, 6.543, 0.8765)
    assert moment["spans"] == [[6.543, 19.5], [61.0, 70.0]]
    assert (value["confidence"], value["latency_ms"], value["looked_again"]) == (0.8124, 12.3, None)
    assert "prompt" not in value
    assert plain(api.answer_json(answer, explain=True)) == value | {"prompt": "word for word"}


def test_an_entity_counts_all_visits_and_lists_those_that_are_kept():
    there = Visit(
        id=0xCD, entity=0xAB, stream="door", label="person", t0_s=61.0, t1_s=70.0, first_s=61.5, known_s=62.0,
        linked_s=62.0, gone_s=None, from_start=False, hits=5, score=0.7, frame_s=65.0, box=(0.1, 0.1, 0.3, 1.0),
        colours=("red", "blue"),
    )  # fmt: skip
    entity = Entity(id=0xAB, stream="door", label="person", visits=(there,), earlier=3)
    (value,) = plain(api.entities_json([entity]))["entities"]
    assert value["id"] == "00000000000000ab"
    assert value["visits"] == 4
    assert value["spans"] == [["00000000000000cd", 61.0, None]]
    assert value["seen"] == [
        {"position": "on the left", "size": "large", "motion": None, "colours": ["red", "blue"], "cut_off": False}
    ]
    change = EntityChange(id=3, kind="merge", into=0xAB, moved=((1, 2),), undone=False)
    assert plain(api.change_json(change)) == {"change": 3, "kind": "merge", "undone": False}


def test_a_robots_moment_is_explained_without_what_it_measured():
    """Its poses are arrays, which JSON does not have."""
    motion = Motion(times_s=np.array([1.0, 2.0]), poses=np.zeros((2, 7)))
    held = replace(
        unheld_entry(0xAB, "arm", Span(t0_s=1.0, t1_s=2.0, known_s=2.0), 1.5),
        motion=motion, sensors=Sensors(state=np.ones(3, np.float32)), level=Level.SIGNS,
    )  # fmt: skip
    value = plain(api.explain_json(0xAB, Explanation(entry=held, journal=[], worth=None)))
    assert (value["id"], value["entry"]["level"], value["entry"]["spans"]) == (
        f"{0xAB:016x}",
        "signs",
        [[1.0, 2.0]],
    )
    assert not {"motion", "sensors"} & set(value["entry"])


def test_a_camera_is_one_flat_object():
    camera = CameraStatus(
        state=State.LIVE, codec="h264", size=(1280, 720), fps_in=24.98765, captured=7, queue=0, dropped=1,
        lag_s=0.1, restarts=2, damaged=0, clock_jumps=0, resizes=0, error="", pid=None,
    )  # fmt: skip
    status = LiveStatus(
        stream="door", source="rtsp://h/door", camera=camera, seen=7, encoded=3, gaps=1, gap_s=4.5, latency_s=0.25,
        worst_s=0.5, last_s=1_800_000_000.0,
    )  # fmt: skip
    (value,) = plain(api.cameras_json([status]))["cameras"]
    assert next(iter(value)) == "stream"
    assert (value["state"], value["size"], value["fps_in"], value["seen"]) == ("live", [1280, 720], 24.988, 7)


def test_a_clip_names_its_file():
    clip = Clip(path=Path("a.mp4"), spans=((1.0, 2.0),), frames=25)
    assert plain(api.clips_json([clip])) == {"clips": [{"path": "a.mp4", "spans": [[1.0, 2.0]], "frames": 25}]}
