from dataclasses import replace

import pytest

from hippocam.apps.sentences.subjects import counted, subjects, subjects_at
from hippocam.memory.entities.records import Visit
from hippocam.models.sentences.moment import Subject

BOX = (0.4, 0.2, 0.6, 0.9)


def visit(visit_id, label="person", **values):
    plain = Visit(
        id=visit_id, entity=visit_id, stream="cam", label=label, t0_s=10.0, t1_s=20.0, first_s=10.0, known_s=10.0,
        linked_s=10.0, gone_s=20.0, from_start=False, hits=10, score=0.9, frame_s=15.0, box=BOX,
    )  # fmt: skip
    return replace(plain, **values)


def moved(step):
    return tuple((10.0 + k, (0.1 + k * step, 0.2, 0.3 + k * step, 0.9)) for k in range(11))


def test_people_come_first_then_what_moves_then_most():
    seen = [visit(1, "chair"), visit(2, "cup"), visit(3, "cup"), visit(4, "car"), visit(5), visit(6)]
    assert [(subject.label, subject.count) for subject in subjects(seen, 15.0)] == [
        ("person", 2), ("car", 1), ("cup", 2), ("chair", 1),
    ]  # fmt: skip


def test_only_what_is_seen_at_the_time_counts():
    assert subjects_at([visit(1)], 15.0) == (Subject(label="person", count=1),)
    assert subjects_at([visit(1)], 25.0) == ()
    assert subjects_at([visit(1, gaps=((14.0, 16.0),))], 15.0) == ()
    assert subjects_at([visit(1)], 15.0, at_s=9.0) == ()


@pytest.mark.parametrize(("time_s", "count"), [(15.0, 1), (15.5, 1), (17.0, 0)])
def test_what_was_seen_rarely_counts_near_the_frames_that_show_it(time_s, count):
    for path in ((), ((11.0, BOX), (15.0, BOX))):
        assert len(subjects_at([visit(1, hits=2, path=path)], time_s)) == count


def test_a_colour_and_a_side_are_those_of_all():
    left, right = (0.0, 0.2, 0.2, 0.9), (0.8, 0.2, 1.0, 0.9)
    one, two = visit(1, colours=("black", "blue"), box=left), visit(2, colours=("black", ""), box=left)
    assert subjects([one, two], 15.0) == (Subject(label="person", count=2, colour="black", side="left"),)
    assert subjects([visit(1, colours=("brown", "black"))], 15.0)[0].colour == ""  # long hair
    assert subjects([visit(1, colours=("brown", "brown"))], 15.0)[0].colour == "brown"
    assert subjects([visit(1, "dog", colours=("brown",))], 15.0)[0].colour == "brown"
    other = visit(3, colours=("red", ""), box=right)
    assert subjects([one, other], 15.0) == (Subject(label="person", count=2),)


def test_people_of_one_kind_are_called_so():
    both, one, two, cup = [visit(1), visit(2), visit(3, "cup")], ("cam", 1), ("cam", 2), ("cam", 3)
    assert [s.kind for s in subjects(both, 15.0, None, {one: "woman", two: "woman", cup: "man"})] == ["woman", ""]
    assert [s.kind for s in subjects(both, 15.0, None, {one: "woman", two: "man"})] == ["", ""]
    assert [s.kind for s in subjects_at(both, 15.0, None, {one: "woman"})] == ["", ""]


def test_who_goes_and_who_stays_is_told_by_the_path_at_that_time():
    assert subjects([visit(1, path=moved(0.06))], 15.0)[0].moves is True
    assert subjects([visit(1, path=moved(0.0))], 15.0)[0].moves is False
    assert subjects([visit(1, path=moved(0.02))], 15.0)[0].moves is None
    assert subjects([visit(1, path=moved(0.06))], 15.0, at_s=13.0)[0].moves is None  # one frame was known then


def test_labels_of_one_frame_are_counted_in_the_same_order():
    assert counted(["cup", "dog", "person", "cup"]) == (
        Subject(label="person", count=1), Subject(label="dog", count=1), Subject(label="cup", count=2),
    )  # fmt: skip
    assert counted([]) == ()
