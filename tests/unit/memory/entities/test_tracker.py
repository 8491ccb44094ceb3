"""Tracks before a camera that does not move, in made-up pictures of which the truth is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from hippocam.memory.entities.records import EntityConfig
from hippocam.memory.entities.track import Track
from hippocam.memory.entities.tracker import Tracker
from hippocam.stream.records import Embedding, Sensed, Thing

WIDTH, HEIGHT = 256, 144
WALL = np.random.default_rng(0).integers(120, 140, (HEIGHT, WIDTH, 3), dtype=np.uint8)
PERSON, TABLE = (30, 30, 160), (70, 90, 60)
LIKE = {
    "first": (0.9, 0.1, 0.0),
    "second": (0.75, 0.45, 0.0),
}  # two people who look much alike: cosine .93 of 1 is one


def box(x0: float, x1: float) -> tuple[float, float, float, float]:
    return x0, 0.2, x1, 1.0


def painted(*things: tuple[tuple[float, float, float, float], tuple[int, int, int]]) -> bytes:
    image = WALL.copy()
    for (x0, y0, x1, y1), colour in things:
        image[int(y0 * HEIGHT) : int(y1 * HEIGHT), int(x0 * WIDTH) : int(x1 * WIDTH)] = colour
    return cv2.imencode(".jpg", image)[1].tobytes()


def look(*direction: float) -> np.ndarray:
    return np.array(direction, np.float32) / np.float32(np.linalg.norm(direction))


def frame(time_s: int, jpeg: bytes, *things: Thing) -> Embedding:
    vector = np.ones(1, np.float32)
    return Embedding(
        stream="cam", seq=time_s, time_s=float(time_s), vector=vector, jpeg=jpeg, sensed=Sensed(things=things)
    )


def a_person(who: str, at: tuple[float, float, float, float]) -> Thing:
    return Thing(label="person", score=0.8, box=at, vector=look(*LIKE[who]))


def people(items: list[Embedding]) -> list[tuple[float, float]]:
    """First and newest frame of each person's track, by time."""
    tracker, found = Tracker(EntityConfig()), dict[int, Track]()
    for item in items:
        for track in tracker.push(item)[0]:
            found[track.first_seq] = track
    for track in tracker.flush():
        found[track.first_seq] = track
    return sorted((track.first_s, track.last_s) for track in found.values() if track.label == "person")


def test_who_looks_alike_and_comes_when_the_other_has_left_is_another():
    cosine = float(look(*LIKE["first"]) @ look(*LIKE["second"]))
    assert 0.7 < cosine < EntityConfig().same_person
    items = [frame(t, painted()) for t in range(5)]
    for who, start in (("first", 5), ("second", 12)):
        for t in range(start, start + 5):
            at = box(0.4, 0.55)
            items.append(frame(t, painted((at, PERSON)), a_person(who, at)))
        items += [frame(t, painted()) for t in (start + 5, start + 6)]  # nobody, for less than patience
    assert people(items) == [(5, 9), (12, 16)]


@pytest.mark.parametrize("gone_unseen", [False, True])
def test_a_table_does_not_become_the_person_who_stood_before_it(gone_unseen):
    table = box(0.4, 0.6)
    found = Thing(label="chair", score=0.6, box=table, vector=look(0.1, 0.9, 0.3))
    items = [frame(t, painted((table, TABLE))) for t in range(5)]
    for t in range(5, 10):
        items.append(frame(t, painted((table, TABLE), (box(0.4, 0.6), PERSON)), a_person("first", box(0.4, 0.6))))
    for t in (10, 11):  # the person leaves to the left; the detector sees the table instead
        at = box(0.05, 0.25)
        also = () if gone_unseen else (a_person("first", at),)
        items.append(frame(t, painted((table, TABLE), (at, PERSON)), found, *also))
    items += [frame(t, painted((table, TABLE)), found) for t in range(12, 30)]
    ((first_s, last_s),) = people(items)
    assert first_s == 5
    assert last_s == 11


def test_a_first_glimpse_belongs_to_the_one_who_comes_in():
    items = [frame(t, painted()) for t in range(5)]
    part, whole = box(0.0, 0.12), box(0.45, 0.65)
    glimpse = Thing(
        label="person", score=0.8, box=part, vector=look(0.2, 0.0, 0.9)
    )  # half a person, unlike the whole
    items.append(frame(5, painted((box(0.0, 0.3), PERSON)), glimpse))
    items.append(frame(6, painted((box(0.2, 0.5), PERSON)), a_person("first", box(0.2, 0.5))))
    items += [frame(t, painted((whole, PERSON)), a_person("first", whole)) for t in range(7, 12)]
    items += [frame(t, painted()) for t in range(12, 20)]
    assert people(items) == [(5, 11)]
