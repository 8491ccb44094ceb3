import dataclasses

from hippocam.apps.cli.report import evidence_lines
from hippocam.apps.shown.evidence import evidence_json
from hippocam.memory.records import Evidence


def test_evidence_says_when_else_it_was_seen_and_that_its_picture_is_gone() -> None:
    moment = Evidence(
        id="00", stream="kitchen", t0_s=8, t1_s=13, score=0.9, why="it matches", image="", frame_s=9,
        spans=((8, 13), (62, 64), (184, 190)), met=4, place=2,
    )  # fmt: skip
    lines = evidence_lines([moment])
    assert lines[0].endswith("(picture given up for the budget)")
    assert lines[1] == "   also seen at 1:02, 3:04 (4 times in all)"
    assert not any("%" in line or "it matches" in line for line in lines)
    assert "   belief 90%: it matches" in evidence_lines([moment], figures=True)
    found = evidence_json(moment)
    assert (found["image"], found["met"], found["place"]) == ("", 4, 2)
    assert found["spans"] == [[8, 13], [62, 64], [184, 190]]


def test_a_thing_is_said_with_where_it_is_in_the_picture():
    moment = Evidence(
        id="00000000000000ab", stream="yard", t0_s=1.0, t1_s=4.0, score=0.8, why="w", image="/a.jpg", frame_s=2.0,
        thing="bird", box=(0.0, 0.4, 0.2, 0.6),
    )  # fmt: skip
    assert "   bird, on the left of the picture" in evidence_lines([moment])
    assert "   bird" in evidence_lines([dataclasses.replace(moment, box=None)])
