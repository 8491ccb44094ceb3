"""Questions about zones: the zone is found in the words, and visits count for the time they stood in it."""

import pytest

from hippocam.apps.zones.asking import within, zone_named, zoned
from hippocam.memory.entities.records import Entity, Visit
from hippocam.stream.zones.polygons import CameraZones

LEFT, RIGHT = ([[x, 0], [x + 0.5, 0], [x + 0.5, 1], [x, 1]] for x in (0, 0.5))
MARKED = {
    "yard": CameraZones(zones={"gate": LEFT, "front_door": RIGHT}),
    "road": CameraZones(zones={"gate": RIGHT}),
    "hall": CameraZones(masks=[LEFT]),
}


@pytest.mark.parametrize(
    ("question", "name", "rest"),
    [
        ("Who came through the gate?", "gate", "Who came?"),
        ("How many people were at the front door yesterday?", "front_door", "How many people were yesterday?"),
        ("When was somebody last in the zone gate?", "gate", "When was somebody last?"),
        ("Did a car stop in the Gate zone at 16:15?", "gate", "Did a car stop at 16:15?"),
    ],
)
def test_a_zone_is_found_in_a_question(question, name, rest):
    named = zone_named(question, MARKED)
    assert named is not None
    assert (named.name, named.rest) == (name, rest)


def test_a_zone_is_that_of_each_stream_that_has_it():
    assert set(zone_named("Who came through the gate?", MARKED).zones) == {"yard", "road"}
    assert set(zone_named("Who came to the front door?", MARKED).zones) == {"yard"}


@pytest.mark.parametrize("question", ["Who came?", "Who investigated?", "gate", "the gate?"])
def test_other_questions_name_none(question):
    assert zone_named(question, MARKED) is None


def visit(stream, *xs, id=1, gone=True):
    """A visit whose thing stands at some places from the left, a second each, the last of them the newest."""
    path = tuple((10.0 + at, (x - 0.05, 0.2, x + 0.05, 1.0)) for at, x in enumerate(xs))
    end_s = path[-1][0]
    return Visit(
        id=id, entity=id, stream=stream, label="person", t0_s=9.5, t1_s=end_s + 0.5, first_s=10.0, known_s=11.0,
        linked_s=11.0, gone_s=end_s + 1 if gone else None, from_start=True, hits=len(xs), score=0.8, frame_s=11.0,
        box=path[1][1], path=path,
    )  # fmt: skip


def test_a_visit_counts_from_when_it_came_into_the_zone_to_when_it_left_it():
    zone = MARKED["yard"].zone("gate")
    inside = within(visit("yard", 0.8, 0.7, 0.4, 0.3, 0.6, 0.9), zone)
    assert (inside.t0_s, inside.t1_s, inside.first_s, inside.gone_s) == (11.5, 13.5, 12.0, 14.0)
    assert not inside.from_start
    assert not inside.cut_off
    assert inside.frame_s == 12.0
    assert [time_s for time_s, _ in inside.path] == [12.0, 13.0]


def test_who_is_still_in_the_zone_has_not_left_it():
    zone = MARKED["yard"].zone("gate")
    there = within(visit("yard", 0.8, 0.7, 0.4, gone=False), zone)
    assert (there.t0_s, there.t1_s, there.gone_s) == (11.5, 12.5, None)
    assert within(visit("yard", 0.3, 0.2, 0.1), zone) == visit("yard", 0.3, 0.2, 0.1)
    assert within(visit("yard", 0.8, 0.7, 0.9), zone) is None


def test_of_entities_only_the_visits_in_the_zone_are_left():
    def entity(*visits):
        return Entity(id=visits[0].id, stream=visits[0].stream, label="person", visits=visits)

    yard, road = visit("yard", 0.2, 0.3, 0.4), visit("road", 0.2, 0.3, 0.4, id=2)
    both = entity(visit("yard", 0.7, 0.8, id=3), visit("yard", 0.7, 0.2, id=4))
    zones = zone_named("Who came through the gate?", MARKED).zones
    found = zoned([entity(yard), entity(road), entity(visit("hall", 0.2, 0.3, id=5)), both], zones)
    assert {each.id: [v.id for v in each.visits] for each in found} == {1: [1], 3: [4]}
