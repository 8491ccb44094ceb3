from __future__ import annotations

from hippocam.apps.web.views.review import joined
from hippocam.memory.entities.records import Visit

BASE_S = 1.8e9


def visit(number: int, t0_s: float, t1_s: float, *, label: str = "person", gone: bool = True) -> Visit:
    return Visit(
        id=number, entity=number, stream="yard", label=label, t0_s=BASE_S + t0_s, t1_s=BASE_S + t1_s,
        first_s=BASE_S + t0_s, known_s=BASE_S + t0_s, linked_s=BASE_S + t0_s,
        gone_s=BASE_S + t1_s if gone else None, from_start=False, hits=4, score=0.9, frame_s=BASE_S + t0_s,
        box=(0.1, 0.1, 0.2, 0.2),
    )  # fmt: skip


def alert(time_s: float, *, label: str = "person", stream: str = "yard") -> dict[str, object]:
    return {"time_s": BASE_S + time_s, "stream": stream, "label": label, "text": "somebody at the door"}


def test_a_visit_and_the_alerts_that_it_fired_are_one_item() -> None:
    visits = [visit(1, 0, 10), visit(2, 60, 70, gone=False), visit(3, 5, 9, label="car")]
    items = joined(visits, [alert(4), alert(62), alert(200), alert(5, stream="door")])
    assert [len(item.alerts) for item in items] == [1, 1, 0, 1, 1]
    assert [len(item.ids) for item in items] == [2, 2, 1, 1, 1]
    assert items[1].t1_s is None  # it goes on
    assert len({own for item in items for own in item.ids}) == 7


def test_ids_are_the_same_when_they_are_made_again() -> None:
    once, again = (joined([visit(1, 0, 10)], [alert(4), alert(200)]) for _ in range(2))
    assert [item.ids for item in once] == [item.ids for item in again]
