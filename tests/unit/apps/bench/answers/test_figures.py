"""Figures of `bench answers` against values worked out elsewhere."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from hippocam.apps.bench.answers.figures import Outcome, Share, auc, figures
from hippocam.apps.bench.answers.films import Film, FilmQuestion
from hippocam.apps.bench.answers.score import Said, Shown, judge
from hippocam.apps.bench.answers.sheet import read_sheets, with_readings, write_sheet
from hippocam.stream.errors import HippocamError

FILM = Film(name="a", half="report", video=Path("a.mp4"), duration_s=100.0, tolerance_s=1.0, questions=())
CAT = FilmQuestion(id="cat", kind="yes-no", question="Is there a cat?", truth="yes", evidence=((10, 20),))
DOG = FilmQuestion(id="dog", kind="yes-no", question="Is there a dog?", truth="no", absent=True)


def outcome(question, text, belief, moment=None, unknown=False, word=""):
    moments = (Shown("a", *moment),) if moment else ()
    cited = () if unknown else moments
    answer = Said(text=text, unknown=unknown, belief=belief, moments=moments, cited=cited, word=word)
    verdict = judge(question, FILM, answer, "a")
    return Outcome(film=FILM, question=question, asked=question.question, answer=answer, verdict=verdict)


MADE = [
    outcome(CAT, "Yes: 0:12 to 0:15 [1].", 0.9, (12, 15), word="clear"),
    outcome(CAT, "Likely: 0:50 to 0:55 [1].", 0.6, (50, 55), word="likely"),
    outcome(CAT, "Not seen.", 0.2, unknown=True),
    outcome(DOG, "Not seen.", 0.1, unknown=True),
    outcome(DOG, "Yes: 0:12 to 0:15 [1].", 0.6, (12, 15), word="clear"),
]


def test_wilson_intervals_are_those_of_the_book():
    # Newcombe (1998), Statistics in Medicine 17, table I, method 3
    assert Share(81, 263).interval == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert Share(15, 148).interval == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert Share(0, 20).interval == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert Share(0, 0).interval == (0.0, 1.0)


def test_ties_count_one_half():
    assert auc([0.9, 0.5], [0.5, 0.1]) == (1 + 1 + 0.5 + 1) / 4
    assert math.isnan(auc([], [0.1]))


def test_figures_count_what_they_say():
    found = figures(MADE)
    assert found.right == (2, 5)
    assert found.hit == (1, 3)
    assert (found.absent_denied, found.present_denied) == ((1, 2), (1, 3))
    assert found.auc == (2 + 1.5 + 1) / 6
    assert found.words == {"clear": (1, 2), "likely": (0, 1)}
    assert found.read is None


def test_a_reading_overrules_the_rule_for_the_same_answer_only(tmp_path):
    sheet = tmp_path / "sheet.csv"
    write_sheet(sheet, {"memory": MADE})
    lines = sheet.read_text().splitlines()
    assert lines[2].endswith("first moment beside the evidence,")
    lines[2] += "right"  # whoever reads it sees a cat there
    sheet.write_text("\n".join(lines) + "\n")
    readings = read_sheets([sheet])
    read = with_readings(MADE, readings)
    assert [o.read for o in read] == [None, True, None, None, None]
    assert figures(read).right == (2, 5)
    assert figures(read).read == (3, 5)
    other = [replace(MADE[1], answer=replace(MADE[1].answer, text="Perhaps."))]
    assert with_readings(other, readings)[0].read is None


def test_a_sheet_of_another_kind_is_refused(tmp_path):
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("a,b\n1,2\n")
    with pytest.raises(HippocamError, match="columns"):
        read_sheets([sheet])
    write_sheet(sheet, {"memory": MADE[:1]})
    sheet.write_text(sheet.read_text().rstrip("\n") + "maybe\n")
    with pytest.raises(HippocamError, match="maybe"):
        read_sheets([sheet])
