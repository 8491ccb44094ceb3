"""Which things get a portrait: few, the best, and each at first once."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hippocam.stream.portraits.choosing import PortraitChooser, PortraitConfig
from hippocam.stream.records import Frame, Thing

PICTURE = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
LOOKS = np.eye(8, dtype=np.float32)


def frame(seq: int, stream: str = "cam") -> Frame:
    return Frame(stream=stream, seq=seq, time_s=float(seq), image=PICTURE)


def thing(who: int, side: float = 0.2, x: float = 0.1, **changes) -> Thing:
    made = Thing(label="person", score=0.8, box=(x, 0.2, x + side, 0.2 + side), vector=LOOKS[who])
    return dataclasses.replace(made, **changes)


def chosen(chooser: PortraitChooser, *shown) -> list[tuple[int, int]]:
    frames = [frame(seq) for seq in range(len(shown))]
    return [(each.frame, each.thing) for each in chooser.choose(frames, shown)]


def test_of_one_thing_the_best_frame_is_chosen():
    shown = [thing(0, 0.1)], [thing(0, 0.3)], [thing(0, 0.2)]
    assert chosen(PortraitChooser(PortraitConfig()), *shown) == [(1, 0)]


def test_a_thing_gets_another_only_when_it_is_shown_much_better_and_few_in_all():
    chooser = PortraitChooser(PortraitConfig(a_thing=2))
    assert chosen(chooser, [thing(0, 0.1)]) == [(0, 0)]
    assert chosen(chooser, [thing(0, 0.11)]) == []
    assert chosen(chooser, [thing(0, 0.3)]) == [(0, 0)]
    assert chosen(chooser, [thing(0, 0.6)]) == []


def test_of_many_things_those_without_a_portrait_come_first_and_then_the_best():
    chooser = PortraitChooser(PortraitConfig(a_frame=1))
    assert chosen(chooser, [thing(0, 0.3)]) == [(0, 0)]
    crowd = [thing(0, 0.6), thing(1, 0.1, 0.2), thing(2, 0.3, 0.3), thing(3, 0.2, 0.4)]
    assert chosen(chooser, crowd) == [(0, 2), (0, 3)]
    assert chosen(chooser, crowd) == [(0, 1)]
    assert chosen(chooser, crowd) == [(0, 0)]


def test_who_looks_different_or_is_elsewhere_is_another():
    config = PortraitConfig(a_frame=9)
    assert len(chosen(PortraitChooser(config), [thing(0)], [thing(1)])) == 2
    assert len(chosen(PortraitChooser(config), [thing(0, 0.1, 0.0)], [thing(0, 0.1, 0.8)])) == 2
    assert len(chosen(PortraitChooser(config), [thing(0)], [thing(0, label="dog")])) == 2


def test_whatever_the_chunks_there_are_so_many_a_frame_on_average():
    crowd = [thing(who, 0.1, 0.1 * who) for who in range(8)]

    def shown(seq: int):
        return [dataclasses.replace(each, vector=np.roll(each.vector, seq)) for each in crowd]

    for size in (1, 4, 16):
        chooser = PortraitChooser(PortraitConfig(a_frame=0.25))
        counts = [len(chosen(chooser, *(shown(at + i) for i in range(size)))) for at in range(0, 64, size)]
        assert 16 <= sum(counts) <= 17


def test_after_a_restart_a_stream_begins_anew_and_others_go_on():
    chooser = PortraitChooser(PortraitConfig(a_frame=1))
    both = [frame(0, "a"), frame(0, "b")]
    assert len(chooser.choose(both, [[thing(0)], [thing(0)]])) == 2
    chooser.restart("a")
    assert [each.frame for each in chooser.choose(both, [[thing(0)], [thing(0)]])] == [0]


@pytest.mark.parametrize("seen", [thing(0, 0.01), thing(0, score=0.2)])
def test_what_is_tiny_or_unsure_gets_none(seen):
    assert chosen(PortraitChooser(PortraitConfig()), [seen]) == []


def test_none_are_chosen_where_none_may_be():
    assert chosen(PortraitChooser(PortraitConfig(a_frame=0)), [thing(0)]) == []


@pytest.mark.parametrize(
    "wrong", [{"a_frame": -1}, {"a_thing": 0}, {"better": 0.5}, {"margin": 5.0}, {"least_px": 0}]
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=f"portraits.{next(iter(wrong))}"):
        PortraitConfig(**wrong)


def test_two_things_that_stand_at_the_same_place_are_two():
    """A detector that finds two people in one box tells them apart by how they look alone."""
    chooser = PortraitChooser(PortraitConfig(a_frame=2))
    both = [thing(0), thing(1)]
    assert chosen(chooser, both, both) == [(0, 0), (0, 1)]
