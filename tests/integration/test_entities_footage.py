"""Real static cameras through the detector, against what a person wrote down."""

from __future__ import annotations

import json
import pickle
import sqlite3

import cv2
import numpy as np
import pytest

from hippocam.apps.ask.count.count import count_entities
from hippocam.memory.entities import tables
from hippocam.memory.entities.bank import EntityMemory
from hippocam.models.errors import WeightsError
from hippocam.models.senses.things import ThingsSense
from hippocam.models.weights import fetch
from hippocam.stream.gate import GateConfig
from hippocam.stream.gates import Gates, split
from hippocam.stream.records import Embedding, Frame
from hippocam.stream.sources.opening import open_sources

pytestmark = pytest.mark.timeout(1200)  # a loaded machine takes minutes where a free one takes seconds


@pytest.fixture(scope="module")
def sense() -> ThingsSense:
    try:
        for name in ("efficientdet-lite0", "osnet"):
            fetch(name)
    except WeightsError as error:
        pytest.skip(f"the detector's networks cannot be fetched here: {error}")
    return pickle.loads(pickle.dumps(ThingsSense()))  # as it reaches a worker


def watched(video, sense: ThingsSense, fps: float, change=lambda image: image) -> tuple[EntityMemory, list]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    tables.create(connection)
    bank, changes = EntityMemory(connection), []
    (source,) = open_sources([video]).sources
    for item in split("cam", source.observations(fps=fps), Gates(GateConfig())):
        if isinstance(item, Frame):
            image = change(item.image)
            ok, data = cv2.imencode(".jpg", cv2.resize(image, (512, 288))[..., ::-1])
            assert ok
            item = Embedding(
                stream="cam",
                seq=item.seq,
                time_s=item.time_s,
                vector=np.ones(1, np.float32),
                jpeg=data.tobytes(),
                sensed=sense.look(image),
            )
        changes += bank.push(item)
        if item.seq % 100 == 0:
            bank.write("cam")
    bank.flush("cam")
    bank.write("cam")
    return bank, changes


@pytest.fixture(scope="module")
def visitors(shared_data, sense):
    return watched(shared_data / "video/cctv/intel_one_by_one_person_detection.mp4", sense, 1.0)


@pytest.fixture(scope="module")
def bottles(shared_data, sense):
    return watched(shared_data / "video/cctv/intel_bottle_detection.mp4", sense, 1.0)


def truth(shared_data, name):
    return json.loads((shared_data / "bench/local_ground_truth" / f"{name}.json").read_text())


def test_every_visitor_is_found_and_none_invented(visitors, shared_data):
    bank, changes = visitors
    told = truth(shared_data, "one_by_one")
    windows = [(e["start"], e["end"]) for e in told["events"] if e["text"].startswith("visitor")]
    found = [(v.t0_s, v.t1_s) for entity in bank.entities() for v in entity.visits]
    np.testing.assert_allclose(found, windows, atol=told["tolerance_s"])
    assert len(bank.entities()) == 6
    by_motion = [(c.kind, c.time_s) for c in changes if c.kind != "moved"]
    assert [kind for kind, _ in by_motion] == ["appeared", "left"] * 6
    times = np.array([time_s for _, time_s in by_motion]).reshape(6, 2)
    np.testing.assert_allclose(times, windows, atol=told["tolerance_s"])


def darker_and_mirrored(image):
    return (image[:, ::-1] * 0.6 + 5).astype(np.uint8)


def farther_away(image):
    """The room at seven tenths of its size, between stripes of its edges; at six, one man looks like a cat."""
    small = cv2.resize(image, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    return cv2.copyMakeBorder(small, 0, 0, 200, 200, cv2.BORDER_REPLICATE)


@pytest.mark.parametrize("change", [darker_and_mirrored, farther_away])
def test_visitors_are_found_in_pictures_that_nothing_was_set_on(shared_data, sense, change):
    bank, _ = watched(shared_data / "video/cctv/intel_one_by_one_person_detection.mp4", sense, 1.0, change)
    told = truth(shared_data, "one_by_one")
    windows = [(e["start"], e["end"]) for e in told["events"] if e["text"].startswith("visitor")]
    found = [(v.t0_s, v.t1_s) for entity in bank.entities(label="person") for v in entity.visits]
    np.testing.assert_allclose(found, windows, atol=told["tolerance_s"])


@pytest.mark.parametrize(
    ("name", "ids", "tolerance"),
    [
        ("one_by_one", {"01": 6, "02": 3, "03": 1, "04": 0, "08": 5, "11": 0}, 0),
        ("one_by_one", {"09": 21.5, "10": 74.5, "14": 4.75}, 1.0),
        ("bottles", {"01": 3, "02": 2, "03": 1, "04": 2, "05": 3, "08": 3, "10": 1}, 0),
        ("bottles", {"11": 17.0}, 1.0),
    ],
)
def test_questions_that_count(visitors, bottles, shared_data, name, ids, tolerance):
    bank, _ = visitors if name == "one_by_one" else bottles
    for question in truth(shared_data, name)["qa"]:
        expected = ids.get(question["id"].removeprefix(f"{name}_"))
        if expected is not None:
            answer = count_entities(question["question"], bank, at_s=question["ask_at_s"])
            assert answer is not None, question
            assert abs(answer.value - expected) <= tolerance, (question, answer)


def test_a_bottle_that_comes_back_is_the_same(bottles):
    bank, _ = bottles
    assert len(bank.entities(label="bottle")) == 3
    assert bank.count(label="bottle").visits == 7
