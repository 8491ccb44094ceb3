from __future__ import annotations

from dataclasses import replace

from hippocam.apps.web.views.strip import thinned
from hippocam.memory.records import Span, unheld_entry


def entries(count: int) -> list:
    made = []
    for number in range(count):
        span = Span(t0_s=float(number), t1_s=number + 1.0, known_s=number + 1.0)
        made.append(replace(unheld_entry(number, "yard", span, number), utility=float(number % 7)))
    return made


def test_few_entries_are_all_shown() -> None:
    few = entries(5)
    assert thinned(few, 5) == few


def test_of_many_the_most_new_of_each_part_are_shown_by_time_and_pinned_ones_first() -> None:
    many = entries(70)
    many[1] = replace(many[1], pinned=True)
    shown = thinned(many, 10)
    assert [entry.id for entry in shown] == sorted(entry.id for entry in shown)
    assert len(shown) == 10
    assert shown[0].id == 1
    assert all(entry.utility >= 5.0 for entry in shown[1:])
