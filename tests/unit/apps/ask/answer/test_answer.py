"""Answers from records: every kind of question on a yard and a hall whose truth is written down in `yard`."""

from dataclasses import replace

import pytest

from hippocam.apps.ask.answer.answer import answer_beside, answer_from_records
from hippocam.apps.ask.answer.facts import Closeup
from hippocam.memory.entities.describing import position_of
from hippocam.memory.entities.detections import Detected
from hippocam.memory.records import Evidence
from hippocam.stream.records import Note


@pytest.fixture(scope="module")
def yard(load_helpers):
    return load_helpers("unit/apps/ask/answer/records.py")


def said(yard, question, streams=("yard",), records=None):
    found = answer_from_records(yard.facts(question, streams, records))
    return None if found is None else found.reading.answer


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Is there a car?", "Yes: 0:24 to 0:32 in yard (clear)."),
        ("Is there a car in the driveway?", "Yes: 0:24 to 0:32 in yard (clear)."),
        ("Was anybody there?", "Yes, twice: 0:05 to 0:40, 1:00 to 1:10 in yard (clear)."),
        ("Was anybody there in the last 30 seconds?", "Yes: 1:00 to 1:10 in yard (clear)."),
        ("When was the car there?", "0:24 to 0:32 in yard (clear)."),
        ("How often was a person there?", "Twice: 0:05 to 0:40, 1:00 to 1:10 in yard (clear)."),
        ("How long was the car there?", "About 8 s: 0:24 to 0:32 in yard (clear)."),
        ("Show me the first person", "The first person: 0:05 to 0:20 in yard (clear)."),
        ("Show me the second person", "The second person: 0:20 to 0:40 in yard (clear)."),
        ("Show me the fourth person", "There was no fourth: I can tell two people apart."),
        ("Show me the 21st person", "There was no 21st: I can tell two people apart."),
        ("Show me the last person", "The last person: 1:00 to 1:10 in yard (clear)."),
        ("Who came?", "Two people: one from 0:05 to 0:20 and one from 0:20 to 0:40 in yard "
         "(told apart by their looks, not by name)."),
        ("Is there nobody?", "No: two people were there, 0:05 to 0:20, 0:20 to 0:40, 1:00 to 1:10 in yard. "
         "Nobody: 0:00 to 0:05, 0:40 to 1:00, 1:10 to 1:20 in yard (in the camera's whole view)."),
        ("When was nobody there?",
         "0:00 to 0:05, 0:40 to 1:00, 1:10 to 1:20 in yard (in the camera's whole view)."),
        ("How long was nobody there?", "For about 35 s of 1:20 minutes: 0:00 to 0:05, 0:40 to 1:00, 1:10 to 1:20 "
         "in yard (in the camera's whole view)."),
        ("How often was the yard empty?", "Three times: 0:00 to 0:05, 0:40 to 1:00, 1:10 to 1:20 in yard "
         "(in the camera's whole view)."),
        ("When does the place become empty for good?", "From 1:10 on in yard (in the camera's whole view)."),
        ("Was it empty between 0:41 and 0:59?", "Yes: I saw nobody at any time (in the camera's whole view)."),
        ("How long is the video?", "yard is 1:20 minutes long."),
        ("What does the screen say?", 'On screen in yard: "EXIT"; "No parking" (0:10 to 0:20).'),
        ("Did a second person come?", "Yes, likely: two people, one at most at once: 0:05 to 0:20, 0:20 to 0:40, "
         "1:00 to 1:10 in yard."),
        ("Did a third person come?", "No: I can tell two people apart, never more than one at once: 0:05 to 0:20, "
         "0:20 to 0:40, 1:00 to 1:10 in yard."),
        ("Were there two people at the same time?", "No: I can tell two people apart, never more than one at "
         "once: 0:05 to 0:20, 0:20 to 0:40, 1:00 to 1:10 in yard."),
        ("Was there more than one car?", "No: I can tell one car apart: 0:24 to 0:32 in yard."),
        ("Was there a car at 0:30?", "Yes: 0:24 to 0:32 in yard (clear)."),
        ("Was there a car at 0:36?", "No: no car at 0:36, last seen before it at 0:32 in yard."),
        ("Was anybody there at the end?", "No: no person at the end, last seen before it at 1:10 in yard."),
        ("How many of the people were women?", "I can count two people, but not tell how many of them are meant: "
         "0:05 to 0:40, 1:00 to 1:10 in yard."),
    ],
)  # fmt: skip
def test_the_answer_comes_first(yard, question, answer):
    assert said(yard, question) == answer


@pytest.mark.parametrize(
    "question",
    ["Is there a red car?", "Was a man there?", "Is there a dog?", "Is there a kite?", "What does the sign say?",
     "When did a person fall?"],
)  # fmt: skip
def test_what_the_records_do_not_tell_is_left_to_the_search(yard, question):
    assert said(yard, question) is None


def test_what_was_hardly_recognised_is_only_likely(yard):
    weak = yard.weaker(yard.Yard(), "car")
    assert said(yard, "Is there a car?", records=weak) == "Yes, likely: 0:24 to 0:32 in yard."
    assert said(yard, "When was the car there?", records=weak) == "Likely 0:24 to 0:32 in yard."


def test_several_streams_are_told_each_by_its_name(yard):
    both = ("yard", "hall")
    assert said(yard, "Was anybody there after 1:20?", both) == "Yes: 1:40 to 1:50 in hall (clear)."
    assert said(yard, "Who came?", both).startswith("Three people: one from 0:05 to 0:20 in yard, ")
    assert said(yard, "Who came in the hall?", both).startswith("One person: one from 1:40 to 1:50 in hall")
    lengths = "4:40 minutes in all, in two streams: yard 1:20 minutes and hall 3:20 minutes."
    assert said(yard, "How long is it?", both) == lengths
    assert said(yard, "How long is the hall?", both) == "hall is 3:20 minutes long."
    assert said(yard, "What was said?", both) == 'Said in hall: "The harbour is open." (0:50 to 0:54).'


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Which is longer, yard or hall?", "hall: hall 3:20 minutes and yard 1:20 minutes."),
        ("Is the yard longer than the hall?", "No: hall 3:20 minutes and yard 1:20 minutes."),
        ("Did more people come in yard than in hall?", "Yes: yard two people and hall one person."),
        ("Which camera saw the fewest people?", "hall: hall one person and yard two people."),
    ],
)
def test_streams_are_compared(yard, question, answer):
    assert said(yard, question, ("yard", "hall")) == answer


def test_an_overview_tells_things_moments_and_words(yard):
    answer = said(yard, "Summarise the video")
    assert answer.startswith(
        "yard, 1:20 minutes. Seen: two people and one car. It looks like this in yard: 0:00 to 0:10 an"
    )
    assert 'On screen: "EXIT"; "No parking".' in answer
    assert said(yard, "What is in the video?") == "Things: two people and one car. It looks like an open gate."
    assert said(yard, "What is shown first?") == "First in yard: 0:00 to 0:10 an open gate."


def test_what_only_touches_the_time_did_not_happen_then(yard):
    answer = said(yard, "What happened between 0:19 and 0:31?")
    assert "0:20 to 0:30 an open gate" in answer
    assert "0:10 to 0:20" not in answer.split(". On screen")[0]


def test_the_moments_have_the_times_of_the_visits(yard):
    found = answer_from_records(yard.facts("Is there a car?"))
    (moment,) = found.evidence
    assert (moment.t0_s, moment.t1_s, found.reading.evidence_ids) == (24, 32, (moment.id,))
    assert "(inference)" not in found.reading.cited_answer({})


def test_where_nothing_was_ever_recognised_nobody_is_said_of_nothing(yard):
    assert said(yard, "Is there nobody?", ("slides",)) is None
    assert said(yard, "Who came?", ("slides",)) is None


def beside(yard, question, evidence=(), records=None):
    found = answer_beside(yard.facts(question, records=records or yard.crossing()), evidence)
    return None if found is None else found.reading.answer


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What colour is the car?", "Likely blue: 0:40 to 0:47 in yard."),
        ("What colour is the jacket of the person in red?", "Likely red: 0:24 to 0:32 in yard."),
        ("What does the person in black wear?", "Likely black above and blue below: 0:05 to 0:20 in yard."),
        ("Where is the truck?", "Likely on the left, 0:50 to 1:00 in yard (as the camera sees it)."),
        ("Which way did the car go?", "Likely from left to right, 0:40 to 0:47 in yard."),
        ("Does the car come from the left or from the right?", "Likely from the left, 0:40 to 0:47 in yard."),
        ("Who came after the person in black?", "After it: somebody in red, 0:24 to 0:32 in yard."),
        ("What happened after the car left?", "After it: 0:40 to 0:50 in yard, which looks like an open gate."),
        ("What is the man holding?", "I can show when there was a person, but not tell more of it: "
         "0:05 to 0:20, 0:24 to 0:32 in yard, which looks like an open gate."),
    ],
)  # fmt: skip
def test_how_a_thing_looked_where_it_was_and_what_came_next(yard, question, answer):
    black = Evidence(
        id="b", stream="yard", t0_s=4, t1_s=21, score=0.9, why="", image="", frame_s=9, visit="0000000000000001"
    )
    assert beside(yard, question, [black] if "black" in question else []) == answer


@pytest.mark.parametrize("question", ["Where is the kite?", "Why did it rain?"])
def test_what_no_visit_tells_is_left_to_the_reader(yard, question):
    assert beside(yard, question) is None


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Where does the car first appear?", "The first car: on the left, 0:40 to 0:47 in yard (clear)."),
        ("Where was the car last seen?", "The last car: on the right, 0:40 to 0:47 in yard (clear)."),
        ("When was the car last seen?", "The last car: 0:40 to 0:47 in yard (clear)."),
        ("What comes into view first?", "Likely a person in black above and blue below: 0:05 to 0:20 in yard."),
        ("What came last?", "Likely a white truck: 0:50 to 1:00 in yard."),
    ],
)
def test_where_the_first_and_the_last_were_is_a_place(yard, question, answer):
    assert said(yard, question, records=yard.crossing()) == answer


def test_the_first_and_the_last_are_told_with_what_they_wear(yard):
    records = yard.crossing()
    assert said(yard, "What did the last person wear?", records=records) == (
        "Likely the last person: in red, 0:24 to 0:32 in yard."
    )
    assert said(yard, "Who came?", records=records).startswith(
        "Two people: one in black above and blue below from 0:05 to 0:20 and one in red from 0:24"
    )
    assert said(yard, "When did the car leave?", records=records) == "At about 0:47 in yard (clear)."


def test_a_car_in_the_driveway_does_not_drive_away(yard):
    there = said(yard, "When was the car there?", records=yard.crossing())
    assert there == "0:40 to 0:47 in yard (clear)."
    assert said(yard, "When was the car in the driveway?", records=yard.crossing()) == there


def test_a_date_on_the_screen_is_found_by_its_form(yard):
    answer = said(yard, "What date does the camera show?", records=yard.crossing())
    assert answer == 'Likely on screen in yard: "2023-11-14 22:13" (0:01 to 0:02).'
    assert said(yard, "What date does the camera show?") is None


def test_a_licence_is_found_by_how_one_is_named(yard):
    notes = tuple(
        Note(stream="yard", kind="screen", t0_s=t0_s, t1_s=t0_s + 2, text=text)
        for t0_s, text in ((10, "Get a License"), (50, "Licensed as Creative Commons Attribution 3.0"))
    )
    answer = said(yard, "Under which licence is the film published?", records=yard.Yard((), notes))
    assert "Creative Commons" in answer
    assert "Get a License" not in answer


def test_at_a_moment_it_is_the_moment_that_counts(yard):
    assert (
        said(yard, "Is nobody there at 0:43?") == "Yes: I saw nobody at 0:43 in yard (in the camera's whole view)."
    )
    assert said(yard, "Is nobody there at 0:38?").startswith("No: one person was there at 0:38 in yard")


def test_an_overview_leaves_out_what_was_hardly_recognised(yard):
    weak = yard.weaker(yard.Yard(), "car")
    assert said(yard, "What is in the video?", records=weak) == "Things: two people. It looks like an open gate."


def test_after_words_that_are_quoted_come_the_next_words(yard):
    quoted = Evidence(
        id="q", stream="yard", t0_s=1, t1_s=2, score=0.9, why="", image="", frame_s=1, noted=1,
        notes=(yard.crossing().notes()[-1],),
    )  # fmt: skip
    answer = beside(yard, "What comes after the title?", [quoted])
    assert answer == 'After it: on screen "EXIT"; "No parking", 0:10 to 0:20 in yard.'


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Which cup is missing?", "Likely the right one, last seen 0:50 in yard (as the camera sees it)."),
        ("Which cup was taken?", "Likely the right one, last seen 0:50 in yard (as the camera sees it)."),
        ("Which cups are still there?", "Likely the left one, there 0:30 to 1:20 and the middle one, "
         "there 0:00 to 1:20 in yard (as the camera sees it)."),
        ("What is shown first?", 'First in yard: 0:00 to 0:10 an open gate, on screen: "Chapter 1".'),
        ("What is shown last?", 'Last in yard: 1:20 to 1:30 an open gate, on screen: "The end".'),
        ("Which version is installed?", 'Likely on screen in yard: "Version 2.10.1" (0:40 to 0:44).'),
        ("What is the title of the video?", 'Likely first on screen in yard: "Chapter 1" (0:02 to 0:04); '
         '"Version 2.10.1" (0:40 to 0:44).'),
        ("What is the resolution?", None),
        ("Which cup is blue?", None),
        ("When was the right cup taken?", "Likely at about 0:50 in yard, when the right one was taken away "
         "(as the camera sees it)."),
        ("How often was the cup on the left put back?", "Likely the left one was put there twice: 0:00, 0:30 "
         "in yard (as the camera sees it)."),
        ("When was the left cup missing?", "Likely 0:20 to 0:30 in yard, when the left one was missing "
         "(as the camera sees it)."),
        ("How long was the left cup gone?", "Likely the left one was missing for about 10 s: 0:20 to 0:30 in yard "
         "(as the camera sees it)."),
        ("How often was the fork on the left taken?", None),
        ("Is only one cup left?", None),
        ("What is the first website?", None),
    ],
)  # fmt: skip
def test_what_stands_in_a_row_and_on_the_screen(yard, question, answer):
    assert said(yard, question, records=yard.shelf()) == answer


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What colour is the bag?", "Perhaps pink: 0:04 to 0:21 in yard."),
        ("What colour is the bag when it rains?", "Perhaps pink: 0:04 to 0:21 in yard."),
        ("Where is the ladder?", "Perhaps on the left: 0:04 to 0:21 in yard."),
        ("Where does the fox live?", None),
        ("Is there a ladder?", None),
    ],
)
def test_what_no_visit_is_of_is_looked_for_in_the_picture(yard, question, answer):
    asked = []

    class Pictures:
        def find(self, moment, text, *, fills):
            asked.append(text)
            return Closeup(colour="pink", where=position_of((0.0, 0.4, 0.2, 0.6)), nearness=0.3)

    found = Evidence(id="b", stream="yard", t0_s=4, t1_s=21, score=0.9, why="", image="", frame_s=9)
    told = answer_beside(yard.facts(question, records=yard.crossing()), [found], Pictures())
    assert (None if told is None else told.reading.answer) == answer
    assert all("rains" not in text for text in asked)


def test_of_a_few_people_each_is_told_where_nothing_says_which_is_meant(yard):
    answer = beside(yard, "What is the woman wearing?")
    assert answer == (
        "Perhaps one of two people: one in black above and blue below on the left, 0:05 to 0:20; "
        "one in red on the left, 0:24 to 0:32 in yard."
    )


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Is there a kite?", "Perhaps: 0:12 to 0:14 in yard."),
        ("When was there a kite?", "Perhaps 0:12 to 0:14 in yard."),
        ("Is there a kite after 0:30?", None),
        ("Is there a red kite?", None),
        ("Is there a boat?", None),  # in one frame alone
    ],
)
def test_what_was_detected_and_never_followed_may_have_been_there(yard, question, answer):
    glimpses = (Detected("yard", "kite", 12, 14, 3, 0.5), Detected("yard", "boat", 20, 20, 1, 0.4))
    doubted = Evidence(id="b", stream="yard", t0_s=4, t1_s=21, score=0.2, why="", image="", frame_s=9)
    told = answer_beside(yard.facts(question, records=yard.Yard(detected=glimpses)), [doubted])
    assert (None if told is None else told.reading.answer) == answer
    believed = replace(doubted, score=0.8)
    assert answer_beside(yard.facts(question, records=yard.Yard(detected=glimpses)), [believed]) is None


def test_where_little_was_read_it_is_most_likely_what_is_meant(yard):
    def told(question, records):
        found = answer_beside(yard.facts(question, records=records), [])
        return None if found is None else found.reading.answer

    assert told("What does the sign say?", yard.Yard()) == (
        'Perhaps on screen in yard: "EXIT" (0:10 to 0:20); "No parking" (0:10.5 to 0:20).'
    )
    many = tuple(replace(yard.NOTES[0], text=f"Line {k}") for k in range(9))
    assert told("What does the sign say?", yard.Yard(notes=many)) is None
    assert told("Who is the director?", yard.Yard()) is None  # a name is read or it is not


def test_what_was_recognised_with_a_thing_is_told_of_what_stands_there(yard):
    gate = Evidence(
        id="b", stream="yard", t0_s=22, t1_s=30, score=0.9, why="", image="", frame_s=25, sentence="an open gate"
    )

    def told(moment):
        found = answer_beside(yard.facts("What stands beside the gate?"), [moment])
        return None if found is None else found.reading.answer

    assert (
        told(gate) == "Perhaps with it one person and one car: 0:22 to 0:30 in yard. It looks like an open gate."
    )
    assert told(replace(gate, t0_s=45, t1_s=55)) is None  # nothing was recognised then
    assert told(replace(gate, score=0.3)) is None


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Is there somebody in red?", "Yes, likely: 0:24 to 0:32 in yard."),
        ("Is there a man in red?", "Perhaps: 0:24 to 0:32 in yard."),
        ("Is there a blue car?", "Yes, likely: 0:40 to 0:47 in yard."),
        ("When does the man in black come?", "Perhaps at about 0:05 in yard."),
        ("Is there somebody in blue jeans?", "Yes, likely: 0:05 to 0:20 in yard."),
        ("Is there somebody in a blue shirt?", None),  # blue is what is worn below
        ("Is there a red car?", None),
        ("Is there a man in red reading a book?", None),
        ("Which vehicles are there?", "Likely one car and one truck: 0:40 to 0:47, 0:50 to 1:00 in yard."),
        ("What animals are there?", None),
    ],
)
def test_what_has_the_colour_or_is_of_the_kind_that_is_asked_for(yard, question, answer):
    assert said(yard, question, records=yard.crossing()) == answer


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What colour are the trousers of the first visitor?", "Likely blue: 0:05 to 0:20 in yard."),
        ("What colour is the shirt of the last visitor?", "Likely red: 0:24 to 0:32 in yard."),
        ("What colour is the second person's jacket?", "Likely red: 0:24 to 0:32 in yard."),
        ("What does the first visitor look like?", "Likely black above and blue below: 0:05 to 0:20 in yard."),
        ("From which side does the car come?", "Likely from the left: 0:40 to 0:47 in yard."),
        ("Which way does the car leave?", "Likely last seen on the right: 0:40 to 0:47 in yard."),
        ("Which way does the car go?", "Likely from left to right, 0:40 to 0:47 in yard."),
    ],
)
def test_which_of_several_is_meant_is_told_by_when_it_came(yard, question, answer):
    assert beside(yard, question) == answer


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (
            "Which cup was taken first?",
            "Likely the left one, taken away at about 0:20 in yard (as the camera sees it).",
        ),
        (
            "Which cup gets picked up last?",
            "Likely the right one, taken away at about 0:50 in yard (as the camera sees it).",
        ),
        (
            "Where is the last cup that was removed?",
            "Likely the right one, taken away at about 0:50 in yard (as the camera sees it).",
        ),
        (
            "Which cup was put back first?",
            "Likely the left one, put there at about 0:30 in yard (as the camera sees it).",
        ),
        ("Which cup came back second?", None),
    ],
)
def test_which_was_taken_first_is_told_by_its_place_in_the_row(yard, question, answer):
    assert said(yard, question, records=yard.shelf()) == answer


PEOPLE = {("yard", 1): "woman", ("yard", 2): "man", ("yard", 4): "woman"}


@pytest.mark.parametrize(
    ("question", "known", "answer"),
    [
        ("Is there a woman?", PEOPLE, "Yes, likely twice: 0:05 to 0:20, 1:00 to 1:10 in yard."),
        ("Did a lady come in?", PEOPLE, "Yes, likely twice: 0:05 to 0:20, 1:00 to 1:10 in yard."),
        ("When did a man come?", PEOPLE, "Likely at about 0:20 in yard."),
        ("How many women came?", PEOPLE, "Likely one woman: 0:05 to 0:20, 1:00 to 1:10 in yard."),
        ("How many of the visitors were men?", PEOPLE, "Likely one man: 0:20 to 0:40 in yard."),
        ("How many men and women came?", PEOPLE,
         "Likely one man and one woman: 0:05 to 0:40, 1:00 to 1:10 in yard."),
        ("How many children came?", PEOPLE, "Likely no children of two people."),
        ("How many women came?", {("yard", 1): "woman"},
         "Likely one woman: 0:05 to 0:20, 1:00 to 1:10 in yard; of one more I cannot tell."),
        ("How many women in red came?", PEOPLE, "I can count two people, but not tell how many of them are meant: "
         "0:05 to 0:40, 1:00 to 1:10 in yard."),
        ("Show me the second woman", PEOPLE, "I know of no second: I can tell one woman apart."),
        ("Who came first?", PEOPLE, "Likely the first person: a woman, 0:05 to 0:20 in yard."),
        ("Who came?", PEOPLE, "Two people: a woman from 0:05 to 0:20 and a man from 0:20 to 0:40 in yard "
         "(told apart by their looks, not by name)."),
        ("Which visitors were women?", PEOPLE, "One person: a woman from 0:05 to 0:20 in yard "
         "(told apart by their looks, not by name)."),
        ("Is there a child?", PEOPLE, None),
        ("Is there a woman?", {}, None),
    ],
)  # fmt: skip
def test_men_women_and_children_are_told_by_their_portraits(yard, question, known, answer):
    assert said(yard, question, records=yard.Yard(people=known)) == answer


def test_of_one_whose_portraits_do_not_agree_nothing_is_said(yard):
    known = {("yard", 1): "woman", ("yard", 4): "man"}
    assert said(yard, "Is there a woman?", records=yard.Yard(people=known)) is None
    assert said(yard, "Who came?", records=yard.Yard(people=known)).startswith("Two people: one from 0:05 to 0:20")


@pytest.mark.parametrize(
    ("question", "known", "answer"),
    [
        ("Is the visitor a man or a woman?", {("yard", 1): "man", ("yard", 2): "man", ("yard", 4): "man"},
         "Likely a man: 0:05 to 0:20, 0:20 to 0:40, 1:00 to 1:10 in yard."),
        ("Was the first visitor a man or a woman?", PEOPLE, "Likely a woman: 0:05 to 0:20, 1:00 to 1:10 in yard."),
        ("Was the second visitor a man or a woman?", PEOPLE, "Likely a man: 0:20 to 0:40 in yard."),
        ("Is the visitor a man or a woman?", PEOPLE, "I cannot tell whether it is a man or a woman."),
        ("Was the second visitor a man or a woman?", {("yard", 1): "woman"},
         "I cannot tell whether it is a man or a woman."),
    ],
)  # fmt: skip
def test_a_man_or_a_woman_is_told_where_all_who_are_meant_are_alike(yard, question, known, answer):
    assert beside(yard, question, records=yard.Yard(people=known)) == answer


def test_what_fills_its_part_is_named_by_most_pictures_and_not_by_what_surrounds_it(yard):
    asked = []

    class Pictures:
        def find(self, moment, text, *, fills):
            asked.append(fills)
            colour = "blue" if moment.id == "a" else "green"
            return Closeup(colour=colour, where=position_of((0.0, 0.4, 0.2, 0.6)), nearness=0.3)

    moments = [
        Evidence(id=name, stream="yard", t0_s=k, t1_s=k + 1, score=0.45, why="", image="", frame_s=k)
        for k, name in enumerate("abc")
    ]
    told = answer_beside(yard.facts("What colour is the grass?"), moments, Pictures())
    assert told.reading.answer == "Perhaps green: 0:01 to 0:02 in yard."
    assert asked == [True] * 3


def test_between_two_far_frames_that_show_a_thing_nothing_is_known_of_it(yard):
    far = yard.Yard(detected=(Detected("yard", "kite", 12, 44, 2, 0.5),))
    likely = Evidence(id="k", stream="yard", t0_s=40, t1_s=50, score=0.4, why="", image="", frame_s=44)
    told = answer_beside(yard.facts("When was there a kite?", records=far), [likely])
    assert told.reading.answer == "Perhaps 0:44, 0:12 in yard."
    assert told.evidence[0].t0_s == 44


def test_kinds_of_animals_that_were_hardly_seen_are_perhaps_among_them(yard):
    dog = yard.entity(7, yard.visit(7, "yard", "dog", 10, 14))
    cat = yard.entity(8, yard.visit(8, "yard", "cat", 20, 21, score=0.4, hits=2))
    glimpses = (Detected("yard", "bird", 30, 31, 2, 0.4), Detected("yard", "cow", 50, 50, 1, 0.4))
    told = answer_from_records(yard.facts("Which animals are there?", records=yard.Yard((dog, cat), (), glimpses)))
    assert told.reading.answer == "Likely one dog: 0:10 to 0:14 in yard. Perhaps also a cat and a bird."
    alone = answer_from_records(yard.facts("Which animals are there?", records=yard.Yard((cat,), (), ())))
    assert alone.reading.answer == "Perhaps a cat: 0:20 to 0:21 in yard."


def test_what_somebody_looks_like_is_what_the_moments_look_like_that_show_it(yard):
    answer = beside(yard, "What does the truck look like?")
    assert answer == "Perhaps an open gate, 0:50 to 1:00 in yard."


def test_the_colour_of_what_the_detector_never_saw_is_looked_for_all_the_same(yard):
    class Pictures:
        def find(self, moment, text, *, fills):
            return Closeup(colour="green", where=position_of((0.0, 0.4, 0.2, 0.6)), nearness=0.3)

    doubted = Evidence(id="b", stream="yard", t0_s=4, t1_s=21, score=0.45, why="", image="", frame_s=9)
    told = answer_beside(yard.facts("What colour is the bird?"), [doubted], Pictures())
    assert told.reading.answer == "Perhaps green: 0:04 to 0:21 in yard."


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Does a gate open?", "Perhaps: 0:00 to 0:10 in yard, which looks like an open gate."),
        ("When is the gate open?", "Perhaps 0:00 to 0:10 in yard, which looks like an open gate."),
        ("Is there a wooden gate?", None),
        ("Is there a horse at the gate?", None),  # the detector knows horses
        ("Is somebody there?", None),
    ],
)
def test_what_a_sentence_names_is_perhaps_there(yard, question, answer):
    told = answer_beside(yard.facts(question, records=yard.Yard(())), [])
    assert (None if told is None else told.reading.answer) == answer


def test_no_sentence_names_what_somebody_wrote_or_sent(yard):
    def answered(**values):
        moment = Evidence(
            id="m", stream="yard", t0_s=1, t1_s=4, score=1.0, why="", image="", frame_s=2,
            **{"sentence": "an open gate", **values},
        )  # fmt: skip
        own = replace(moment, id="o", sentence="a lawn", imported="", notes=())

        class Planted(yard.Yard):
            def notable(self, top):
                return [(1.0, moment), (0.5, own)]

        return answer_beside(yard.facts("Does a gate open?", records=Planted(())), []) is not None

    note = Note(stream="yard", kind="screen", t0_s=1, t1_s=4, text="x” open gate “y")
    assert answered()
    assert not answered(sentence="a wall with the words “an open gate”")
    assert not answered(sentence="a wall with the words “x” open gate “y”", notes=(note,))
    assert not answered(imported="7")


def test_of_a_thing_day_or_night_is_told_by_its_own_moment(yard):
    class Pictures:
        def brightness(self, moments):
            return 0.1 if [moment.id for moment in moments] == ["t"] else 0.6

    tower = Evidence(id="t", stream="yard", t0_s=32, t1_s=36, score=0.8, why="", image="", frame_s=33)
    facts = yard.facts("Is the tower shown by day or at night?")
    assert answer_beside(facts, [tower], Pictures()).reading.answer.startswith("Perhaps night: 0:32 to 0:36")
    facts = yard.facts("Is it day or night?")
    assert answer_beside(facts, [tower], Pictures()).reading.answer.startswith("Perhaps day")


def test_without_words_at_the_beginning_a_film_has_its_files_name_for_a_title(yard):
    late = yard.Yard(notes=(Note(stream="yard", kind="screen", t0_s=70, t1_s=72, text="Directed by nobody"),))
    answer = said(yard, "What is the title of the film?", records=late)
    assert answer == "No title was read; the recording is called yard."


def test_of_a_crowd_in_one_colour_a_search_finds_the_man(yard):
    crowd = yard.Yard(
        [
            yard.entity(k, yard.visit(k, "yard", "person", 5 * k, 5 * k + 4, colours=("black", "")))
            for k in range(1, 5)
        ]
    )
    assert said(yard, "Is there a man in black?", records=crowd) is None
    assert said(yard, "Is there somebody in black?", records=crowd).startswith("Yes, likely")


def drawn_yard(yard, share):
    """The yard, of which a share of the moments look like drawings."""

    class Drawn(yard.Yard):
        def notable(self, top):
            drawn = int(share * 8)
            return [
                (u, replace(moment, sentence="a cartoon of an animal" if k < drawn else "an open gate"))
                for k, (u, moment) in enumerate(super().notable(top))
            ]

    return Drawn()


def test_in_drawings_the_detector_is_not_believed_by_itself(yard):
    drawn, filmed = drawn_yard(yard, 0.5), drawn_yard(yard, 0.0)
    assert said(yard, "Is there a car?", records=drawn) is None
    assert said(yard, "Who came?", records=drawn) is None
    assert "Seen" not in said(yard, "Summarise the video", records=drawn)
    assert said(yard, "Is there a car?", records=filmed) == "Yes: 0:24 to 0:32 in yard (clear)."
    assert "Seen" in said(yard, "Summarise the video", records=filmed)


def test_a_car_that_was_followed_is_no_truck_in_the_frames_that_say_so(yard):
    of_car = Detected("yard", "truck", 25, 30, 3, 0.5)
    assert answer_beside(yard.facts("Is there a truck?", records=yard.Yard(detected=(of_car,))), ()) is None
    later = of_car._replace(t0_s=50, t1_s=55)
    found = answer_beside(yard.facts("Is there a truck?", records=yard.Yard(detected=(later,))), ())
    assert found.reading.answer == "Perhaps: 0:50 to 0:55 in yard."


def test_a_question_is_no_single_word_with_a_mark(yard):
    asked = yard.Yard(notes=(
        Note(stream="yard", kind="screen", t0_s=4, t1_s=6, text="READY?"),
        Note(stream="yard", kind="screen", t0_s=20, t1_s=22, text="Do you want to save it?"),
    ))  # fmt: skip
    answer = said(yard, "What does the form ask?", records=asked)
    assert answer == 'Likely on screen in yard: "Do you want to save it?" (0:20 to 0:22).'


def test_a_woman_may_be_among_the_people_who_were_there(yard):
    found = answer_beside(yard.facts("Is there a woman?"), ())
    assert found.reading.answer == (
        "Perhaps two people were there, and I cannot tell which of them is a woman: 0:05 to 0:20, 0:20 to 0:40, "
        "1:00 to 1:10 in yard."
    )
    assert answer_beside(yard.facts("Is there a child?"), ()) is None
    assert answer_beside(yard.facts("Did a woman dance?"), ()) is None


def test_what_somebody_does_is_told_by_what_the_moments_look_like(yard):
    class Busy(yard.Yard):
        def moment_at(self, stream, time_s, within=None):
            doing = "a person carrying a ladder" if time_s < 30 else "an empty yard"
            return replace(super().moment_at(stream, time_s, within), sentence=doing)

    found = answer_beside(yard.facts("What is the person doing?", records=Busy()), ())
    assert found.reading.answer == "Perhaps a person carrying a ladder, 0:05 to 0:20 in yard."


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Was it a car or a boat?", "Likely car: 0:40 to 0:47 in yard."),
        ("Is the car green or blue?", "Likely blue: 0:40 to 0:47 in yard."),
        ("Is it a cartoon or real footage?", "Perhaps real footage: 0:00 to 0:10 in yard."),
        ("Is it old or new?", "I cannot tell whether it is old or new."),
    ],
)
def test_records_choose_between_two(yard, question, answer):
    assert answer_beside(yard.facts(question, records=yard.crossing()), ()).reading.answer == answer


def test_what_lies_on_what_is_not_found_is_all_that_was_recognised(yard):
    found = answer_beside(yard.facts("What is on the bench?"), ())
    assert found.reading.answer == (
        "Perhaps two people and one car, in the camera's whole view: nothing shows where in it is meant."
    )


@pytest.mark.parametrize(
    "question", ["Is there a boat or a ladder?", "Did it hail or thunder?", "Does anybody dance or sing?"]
)
def test_whether_there_is_either_of_two_is_no_choice_between_them(yard, question):
    assert answer_beside(yard.facts(question), ()) is None


def test_the_colour_of_a_dress_is_that_of_whoever_wears_it(yard):
    facts = yard.facts("What colour is the dress of the first visitor?", records=yard.crossing())
    assert answer_beside(facts, ()).reading.answer.startswith("Likely black above and blue below: 0:05 to 0:20")


def test_day_and_night_are_told_by_how_bright_pictures_are(yard):
    class Dark:
        def brightness(self, moments):
            return 0.1

    facts = yard.facts("Is it day or night?")
    assert answer_beside(facts, (), Dark()).reading.answer == "Perhaps night: 0:00 to 0:10 in yard."


def test_where_it_was_filmed_is_the_place_that_moments_look_like(yard):
    class Street(yard.Yard):
        def notable(self, top):
            return [(u, replace(moment, sentence="a car in a street")) for u, moment in super().notable(top)]

    assert said(yard, "Where was it filmed?", records=Street()) == "Perhaps a car in a street."
