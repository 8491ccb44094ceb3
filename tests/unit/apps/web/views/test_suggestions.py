from __future__ import annotations

from dataclasses import replace

from hippocam.apps.ask.answer.facts import confused, is_sure
from hippocam.apps.web.views.suggestions import asked_of
from hippocam.memory.entities.records import Entity, Visit


def entity(label: str, *, hits: int = 5, score: float = 0.8) -> Entity:
    visit = Visit(
        id=1, entity=1, stream="yard", label=label, t0_s=0.0, t1_s=5.0, first_s=0.0, known_s=0.0, linked_s=0.0,
        gone_s=5.0, from_start=False, hits=hits, score=score, frame_s=1.0, box=(0.1, 0.1, 0.2, 0.2),
    )  # fmt: skip
    return Entity(id=1, stream="yard", label=label, visits=(visit,))


def test_what_is_asked_names_what_was_there() -> None:
    assert asked_of("yard", [entity("airplane"), entity("dog"), entity("airplane")], spoken=True) == [
        "What happens in yard?", "When was an airplane there in yard?", "What is said in yard?",
    ]  # fmt: skip
    assert asked_of("yard", [entity("person")], spoken=False) == [
        "How many different people were there in yard?", "What happens in yard?",
    ]  # fmt: skip
    assert asked_of("yard", [], spoken=False) == ["What happens in yard?"]


def test_what_was_glimpsed_or_doubtful_is_beyond_no_doubt() -> None:
    (clear,) = entity("person").visits
    assert is_sure(clear)
    assert not is_sure(replace(clear, hits=1))
    assert not is_sure(replace(clear, score=0.5))


def test_who_is_taken_for_three_animals_is_none_of_them() -> None:
    assert confused([entity("cat"), entity("bird"), entity("cat"), entity("person")]) == set()
    assert confused([entity("cat"), entity("bird"), entity("bear", hits=1)]) == {"yard"}
