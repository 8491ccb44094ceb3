"""The rule of `bench answers`, on answers that were written and judged by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hippocam.apps.bench.answers.films import Film, FilmQuestion
from hippocam.apps.bench.answers.score import Said, Shown, chance, judge, told_times

FILM = Film(
    name="yard", half="calibrate", video=Path("yard_cam_2.mp4"), duration_s=100.0, tolerance_s=2.0, questions=()
)
CAR = FilmQuestion(
    id="car", kind="when", question="When does the car leave?", truth="0:20", timed="span", evidence=((20, 30),)
)
TREE = FilmQuestion(
    id="tree", kind="yes-no", question="Is there a tree?", truth="yes", evidence=((10, 20), (60, 70))
)
DOG = FilmQuestion(id="dog", kind="yes-no", question="Is there a dog?", truth="no", absent=True)
MANY = FilmQuestion(
    id="many",
    kind="how-many",
    question="How many cars?",
    truth="2",
    accept=(r"\b(two|2)\b",),
    evidence=((0, 100),),
)
NOTHING = "Not seen: nothing in the memory matches well enough. The nearest is 0:35 to 1:01, with a belief of 3%."


def said(text, *moments, unknown=False, belief=0.9):
    shown = tuple(Shown("yard", *moment) for moment in moments)
    return Said(text=text, unknown=unknown, belief=belief, moments=shown, cited=() if unknown else shown)


def is_right(question, answer):
    return judge(question, FILM, answer, "yard").right


@pytest.mark.parametrize(
    ("question", "answer", "right"),
    [
        (TREE, said("Yes: 0:12 to 0:18 [1].", (12, 18)), True),
        (TREE, said("Best match: 0:12 to 0:18 (belief 80%) [1].", (12, 18)), True),
        (TREE, said("Yes: 0:30 to 0:40 [1].", (30, 40)), False),  # the moment shows no tree
        (TREE, said("Yes: 0:21 to 0:30 [1].", (21, 30)), True),  # within the tolerance
        (TREE, said("No.", (12, 18)), False),
        (TREE, said(NOTHING, (12, 18), unknown=True), False),
        (TREE, said("Yes."), True),  # cites nothing
        (DOG, said(NOTHING, (35, 61), unknown=True), True),
        (DOG, said("No, none was seen."), True),
        (DOG, said("0 dogs (in the camera's whole view)."), True),
        (DOG, said("0:00 to 0:12 [1].", (0, 12)), False),
        (DOG, said("Seen once: 0:35 to 1:01 [1].", (35, 61)), False),
        (DOG, said("No words are kept of it: 0:35 may show it, but not what it says.", unknown=True), False),
        (DOG, said("I cannot tell that.", unknown=True), False),
        (CAR, said("From 0:21 to 0:29 [1].", (21, 29)), True),
        (CAR, said("At 0:25 [1].", (25, 25.5)), True),
        (CAR, said("From 0:00 to 1:40 [1].", (0, 100)), False),  # the whole film is no time
        (CAR, said("From 0:18 to 0:40 [1].", (18, 40)), True),
        (CAR, said("It leaves [1].", (21, 29)), False),  # tells no time
        (MANY, said("Two cars [1, 2].", (20, 30)), True),
        (MANY, said("2 cars so far [1].", (20, 30)), True),
        (MANY, said("One car: 0:02 to 0:22 [2], belief 2%.", (20, 30)), False),  # the twos are no number of cars
        (MANY, said("Best match in yard_cam_2 [1].", (20, 30)), False),
        (replace(MANY, accept=("yard",)), said("Best match in yard/yard_cam_2 [1].", (20, 30)), False),
    ],
)
def test_answers_are_judged_as_a_person_judged_them(question, answer, right):
    assert is_right(question, answer) is right


def test_an_arrival_is_told_by_its_beginning():
    arrival = replace(CAR, timed="start", evidence=((20, 21),))
    assert is_right(arrival, said("0:20 to 0:40 [1].", (20, 40)))
    assert not is_right(arrival, said("0:10 to 0:21 [1].", (10, 21)))


def test_rejected_words_are_wrong_whatever_else_is_said():
    side = replace(TREE, accept=("left",), reject=("right",))
    assert is_right(side, said("From the left.", (12, 18)))
    assert not is_right(side, said("From the left or from the right.", (12, 18)))


def test_quoted_words_and_raw_patterns_keep_their_times():
    clock = replace(TREE, accept=(r"18:38",))
    assert is_right(clock, said('On screen: "Wed 18:38" [1].', (12, 18)))
    assert not is_right(clock, said("Seen at 18:38 [1].", (12, 18)))
    assert is_right(replace(clock, accept=(r"raw:1:40",)), said("1:40 long.", (12, 18)))


def test_a_moment_of_another_stream_is_no_evidence():
    answer = said("Yes [1].", (12, 18))
    verdict = judge(TREE, FILM, answer, "other/yard")
    assert (verdict.right, verdict.hit) == (False, False)


def test_a_denial_is_no_hit_and_what_fills_the_film_cannot_be_hit():
    assert judge(TREE, FILM, said("Yes.", (12, 18)), "yard").hit is True
    nearest = judge(TREE, FILM, said(NOTHING, (12, 18), unknown=True), "yard")
    assert (nearest.hit, nearest.found) == (False, True)
    assert judge(TREE, FILM, said("Yes."), "yard").hit is False  # there is no moment to look at
    assert judge(MANY, FILM, said("Two.", (12, 18)), "yard").hit is None
    assert judge(DOG, FILM, said("Two.", (12, 18)), "yard").hit is None


def test_chance_is_what_random_moments_reach():
    windows, length_s = TREE.evidence, 7.0
    starts = np.random.default_rng(0).uniform(0, FILM.duration_s - length_s, 100_000)
    drawn = [any(t <= b + 2 and t + length_s >= a - 2 for a, b in windows) for t in starts]
    assert chance(windows, FILM, length_s) == pytest.approx(np.mean(drawn), abs=0.01)
    assert chance(windows, FILM, 100.0) == 1.0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Yes, twice: 0:24 to 0:32, 1:02 to 1:10.", (24, 32)),
        ("About 1:05.5 [3].", (65.5, 65.5)),
        ("From 1:02:03 until 1:02:09", (3723, 3729)),
        ("Not at all.", None),
    ],
)
def test_the_first_time_that_is_told_is_read(text, told):
    assert told_times(text) == told
