"""Moments whose beliefs leave open which comes first, and the sentences that tell."""

from hippocam.apps.ask.belief.likely import named_first
from hippocam.memory.records import Evidence


def moment(t0_s, score, sentence, noted=0):
    return Evidence(
        id=f"m{t0_s}", stream="tour", t0_s=t0_s, t1_s=t0_s + 4, score=score, why="", image="", frame_s=t0_s,
        sentence=sentence, noted=noted,
    )  # fmt: skip


def order(text, *moments):
    return [m.t0_s for m in named_first(text, moments)]


ROOMS = (moment(0, 0.999, "a living room with a sofa"), moment(4, 0.99, "a doorway"), moment(8, 0.8, "a bathroom"))


def test_of_places_the_one_that_its_sentence_names_is_meant():
    found = named_first("the bathroom", ROOMS)
    assert [m.t0_s for m in found] == [8, 0, 4]
    assert [m.score for m in found] == [0.8, 0.5, 0.5]


def test_a_room_is_not_named_by_being_one():
    dining = moment(12, 0.7, "a dining room with a table")
    assert order("the dining room", *ROOMS, dining)[0] == 12


def test_a_thing_in_a_place_is_no_place_and_beliefs_decide_where_they_differ():
    assert order("a dog in the bathroom", *ROOMS) == [0, 4, 8]
    assert order("a doorway", *ROOMS) == [4, 0, 8]


def test_what_is_not_believed_or_stands_in_words_keeps_its_place():
    weak = (moment(0, 0.4, "a garden"), moment(4, 0.3, "a bathroom"))
    assert order("the bathroom", *weak) == [0, 4]
    assert order("the bathroom", moment(0, 0.9, "a garden", noted=1), *ROOMS[2:]) == [0, 8]
