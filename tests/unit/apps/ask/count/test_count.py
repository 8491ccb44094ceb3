"""Questions that count, asked of visits that are written down here; other wordings than the annotated ones too."""

from __future__ import annotations

import sqlite3
from datetime import datetime

import pytest

from hippocam.apps.ask.count.count import StreamTimes, count_entities
from hippocam.memory.entities import tables
from hippocam.memory.entities.bank import EntityMemory
from hippocam.memory.entities.records import Visit


def bank(visits) -> EntityMemory:
    """Visits as (entity, label, from, to), and the stream: to None for still there, from below 0 for the start."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    tables.create(connection)
    for number, (entity, label, t0_s, t1_s, *stream) in enumerate(visits, start=100):
        start = max(t0_s, 0.0)
        tables.put_visit(
            connection,
            Visit(
                id=number,
                entity=entity,
                stream=stream[0] if stream else "cam",
                label=label,
                t0_s=start,
                t1_s=200.0 if t1_s is None else t1_s,
                first_s=start + 0.5,
                known_s=start + 1,
                linked_s=start + 1,
                gone_s=None if t1_s is None else t1_s + 0.5,
                from_start=t0_s < 0,
                hits=5,
                score=0.9,
                frame_s=start + 1,
                box=(0, 0, 1, 1),
            ),
            b"",
        )
    return EntityMemory(connection)


ROOM = bank(
    [
        (1, "person", 10, 30),
        (2, "person", 50, 95),
        (3, "person", 60, 70),
        (1, "person", 120, 130),
        (8, "car", 40, 48),
        (9, "cup", -1, 20),
        (9, "cup", 35, None),
        (10, "cup", -1, 21),
    ]
)


@pytest.mark.parametrize(
    ("question", "at_s", "value"),
    [
        ("How many different people visited the room?", 150, 3),
        ("How many people have come so far?", 55, 2),
        ("How many visitors were there in total?", 150, 3),
        ("How many visitors did the camera see?", 150, 3),
        ("How many times did a person come?", 150, 4),
        ("How many people are in the room right now?", 65, 2),
        ("How many people are there?", 65, 2),
        ("How many people are at the table now?", 100, 0),
        ("How many people were in the room at 1:05?", 150, 2),
        ("How many cars passed?", 150, 1),
        ("How many cups are on the table at the moment?", 10, 2),
        ("How many cups are on the table now?", 30, 0),
        ("How many cups are left on the table?", 150, 1),
        ("When did the second visitor arrive?", 150, 50),
        ("At what time did the 3rd person leave?", 150, 70),
        ("When did the car appear?", 150, 40),
        ("How long did the second person stay?", 150, 45),
        ("How long was the first visitor there?", 35, 20),
        ("How long was the first visitor there?", 150, 30),
        ("Which visitor stayed the longest?", 150, 2),
        ("Who stayed the shortest time?", 150, 3),
        ("Was there ever more than one person in the room at the same time?", 150, 1),
        ("Was there ever more than two people at once?", 150, 0),
        ("What was the largest number of people at any time?", 150, 2),
        ("What was the smallest number of cups on the table at any time?", 150, 0),
        ("How many times was a cup taken away?", 150, 1),  # both at once
        ("How often was a cup put back?", 150, 1),
        ("When were two cups removed at once?", 150, 20),
        ("How long was the room empty between the first and the second visitor?", 110, 20),
        ("Is anybody there right now?", 65, 1),
        ("Is there anyone in the room now?", 100, 0),
    ],
)
def test_what_is_counted(question, at_s, value):
    answer = count_entities(question, ROOM, at_s=at_s)
    assert answer is not None
    assert answer.value == pytest.approx(value, abs=0.51)
    assert all(start <= end <= at_s + 1 for _, start, end in answer.spans)
    if value and "yes" not in answer.text and "at once" not in question:
        assert answer.spans


@pytest.mark.parametrize(
    "question",
    [
        "How many women visited the room?",
        "How many of the visitors were women?",
        "How many people in black visited?",
        "How many red cars passed?",
        "How many people sat down?",
        "How many people ran away?",
        "How many sheets of paper are on the table?",
        "When did the visitor arrive?",
        "When did the seventh visitor arrive?",
        "Was the first visitor a man or a woman?",
        "What was the last visitor wearing?",
        "Who came directly after the man in the black jacket?",
        "How long is the film?",
        "What is on the table?",
        "How many chairs are there?",  # none was told apart, and the detector often misses them
        "How many televisions hang there now?",
        "Are there any chairs now?",
        "",
    ],
)
def test_what_is_not_surely_understood_is_left_to_others(question):
    assert count_entities(question, ROOM, at_s=150) is None


def test_where_nothing_was_recognised_nothing_is_counted():
    assert count_entities("How many people visited?", bank([])) is None


def test_two_streams_are_added_up_but_not_put_in_one_order():
    view = bank([(1, "person", 10, 20)])
    view._db.execute(
        "INSERT INTO visit SELECT 7, 7, 'b', label, t0_s, t1_s, first_s, known_s, linked_s, gone_s, from_start, "
        "hits, score, frame_s, box, gaps, look, path, colours, portrait, portrait_s FROM visit"
    )
    both = count_entities("How many people came?", view, at_s=60)
    assert both is not None
    assert both.value == 2
    assert count_entities("When did the second visitor arrive?", view, at_s=60) is None
    one = count_entities("How many people came?", view, at_s=60, stream="b")
    assert one is not None
    assert one.value == 1


# Two cameras of the same 10 minutes, and one that recorded for 2 minutes and saw no person.
YARD = [
    (1, "person", 20, 50, "yard"),
    (2, "person", 90, 140, "yard"),
    (1, "person", 200, 230, "yard"),
    (3, "person", 400, 520, "yard"),
    (4, "car", 65, 75, "yard"),
    (5, "car", 590, None, "yard"),
]
DOOR = [
    (11, "person", -1, 15, "cam_2"),
    (12, "person", 100, 130, "cam_2"),
    (13, "person", 110, 125, "cam_2"),
    (14, "person", 560, None, "cam_2"),
    (15, "cup", 30, 90, "cam_2"),
]
SHED = [(21, "cup", 10, 20, "shed")]
ALL = [StreamTimes("yard", 0, 600), StreamTimes("cam_2", 0, 600), StreamTimes("shed", 0, 120)]


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("How many people came?", 3),
        ("How many people came in total?", 3),
        ("How many people came in yard?", 3),
        ("How many people came in the video yard?", 3),
        ("How many people came in the last five minutes?", 1),
        ("How many people came in the last 10 minutes?", 3),
        ("How many people have come in the past five minutes?", 1),
        ("How many people came during the last 5 minutes?", 1),
        ("How many people were there in the last five minutes?", 1),
        ("How many people came between 1:00 and 2:00?", 1),
        ("How many people came between 1:00 and 4:00?", 2),
        ("Between 1:00 and 4:00, how many people came?", 2),
        ("How many people came from 0:10 to 0:30?", 1),
        ("How many people were seen from 2:00 until 3:00?", 1),
        ("How many people were there between 2:00 and 3:00?", 1),
        ("How many different people were there between 0:00 and 4:00?", 2),
        ("How many people did you see between 4:00 and 6:00?", 0),
        ("How many people came before 0:40?", 1),
        ("How many people came before 0:10?", 0),
        ("How many visitors arrived until 2:00?", 2),
        ("How many people came after 3:00?", 2),
        ("How many people arrived since 5:00?", 1),
        ("How many people came in the first minute?", 1),
        ("How many people came within the first two minutes?", 2),
        ("How many people came in the first half?", 2),
        ("How many people came in the second half of the video?", 1),
        ("How many people were there at the end?", 0),
        ("How many people were there in the room at the beginning of the video?", 1),
        ("How many times did a person come?", 4),
        ("How many times did a person come in the last seven minutes?", 2),
        ("How many times did a person come between 0:00 and 2:00?", 2),
        ("How many cars passed between 1:00 and 1:30?", 1),
        ("How many cars passed in the first minute?", 0),
        ("How many cars came after 9 minutes?", 1),
        ("How many vehicles were seen in the first five minutes?", 1),
        ("How many people are there now?", 0),
        ("How many people were there at 1:40?", 1),
        ("How many cars are there right now?", 1),
        ("How many people are in the video?", 3),
        ("How many people are there in the video?", 3),
        ("How many people are there in this film?", 3),
        ("How many different people can be seen in the whole video?", 3),
        ("How many cars are in the recording?", 2),
        ("How many people came in the first minute of the video?", 1),
        ("How many people were in the video at 1:40?", 1),
        ("When did the third person come?", 400),
        ("When did the first person come after 1:00?", 90),
        ("When did the second person arrive in the first five minutes?", 90),
        ("What was the largest number of people at once between 1:00 and 2:00?", 1),
        ("Were there ever more than one person at the same time?", 0),
    ],
)
def test_one_stream_with_and_without_windows(question, value):
    answer = count_entities(question, bank(YARD), streams=ALL[:1])
    assert answer is not None
    assert answer.value == pytest.approx(value)
    assert all(stream == "yard" for stream, _, _ in answer.spans)


@pytest.mark.parametrize(
    ("question", "yard", "cam_2"),
    [
        ("How many people came?", 3, 4),
        ("How many different people came in total?", 3, 4),
        ("How many people came in yard?", 3, None),
        ("How many people came in the yard?", 3, None),
        ("How many people came into the yard?", 3, None),
        ("How many people came in cam_2?", None, 4),
        ("How many people came in cam 2?", None, 4),
        ("How many people came on the camera cam_2?", None, 4),
        ("How many people did cam_2 see?", None, 4),
        ("How many people did the yard camera see?", 3, None),
        ("In cam_2, how many people came?", None, 4),
        ("How many people came in yard and cam_2?", 3, 4),
        ("How many people are in cam_2 now?", None, 1),
        ("How many people are there in the video?", 3, 4),
        ("How many people are in the video cam_2 now?", None, 1),
        ("How many people are there in cam_2 right now?", None, 1),
        ("How many people are there now?", 0, 1),
        ("How many people were in cam_2 at 1:55?", None, 2),
        ("How many people were there at 1:55?", 1, 2),
        ("How many people came in the last five minutes?", 1, 1),
        ("How many people came in cam_2 in the last five minutes?", None, 1),
        ("How many people came between 1:00 and 2:00?", 1, 2),
        ("How many people came between 1:00 and 2:00 in yard?", 1, None),
        ("How many people came before 0:40?", 1, 1),
        ("How many people came before 0:40 in cam_2?", None, 1),
        ("How many people were there in the first minute?", 1, 1),
        ("How many cars passed the yard between 1:00 and 2:00?", 1, None),
        ("How many times did a person come in yard?", 4, None),
        ("How many times did a person come?", 4, 4),
    ],
)
def test_two_streams_are_told_apart(question, yard, cam_2):
    answer = count_entities(question, bank(YARD + DOOR), streams=ALL[:2])
    assert answer is not None
    expected = {name: value for name, value in (("yard", yard), ("cam_2", cam_2)) if value is not None}
    assert answer.value == sum(expected.values())
    assert {stream for stream, _, _ in answer.spans} == {name for name, value in expected.items() if value}
    if len(expected) == 2:
        told = {name: f"{name}: {value} " in answer.text for name, value in expected.items() if value}
        assert all(told.values()), answer.text


@pytest.mark.parametrize(
    ("question", "times"),
    [
        ("When did the third person come?", {"yard": "6:40", "cam_2": "1:50"}),
        ("When did the second visitor arrive?", {"yard": "1:30", "cam_2": "1:40"}),
        ("When did the fourth person come?", {"cam_2": "9:20"}),
        ("When did the third person come in cam_2?", {"cam_2": "1:50"}),
        ("When did the third person come into the yard?", {"yard": "6:40"}),
        ("When did the second car come?", {"yard": "9:50"}),
        ("When did the first person come after 1:00?", {"yard": "1:30", "cam_2": "1:40"}),
        ("When did the cup appear?", {"cam_2": "0:30", "shed": "0:10"}),
    ],
)
def test_the_third_is_told_for_each_stream(question, times):
    answer = count_entities(question, bank(YARD + DOOR + SHED), streams=ALL)
    assert answer is not None
    assert all(time in answer.text for time in times.values()), answer.text
    assert {stream for stream, _, _ in answer.spans} == set(times)
    if len(times) > 1:
        assert all(f"{name}: " in answer.text for name in times)


@pytest.mark.parametrize("question", ["When did the fifth person come?", "When did the second car come in cam_2?"])
def test_who_never_came_in_any_stream_has_no_time(question):
    assert count_entities(question, bank(YARD + DOOR + SHED), streams=ALL) is None


@pytest.mark.parametrize("question", ["How many people came?", "How many people came in the last minute?"])
def test_a_stream_in_which_no_person_was_is_not_counted_as_another(question):
    answer = count_entities(f"{question[:-1]} in shed?", bank(YARD + DOOR + SHED), streams=ALL)
    assert answer is not None
    assert (answer.value, answer.spans) == (0, ())


@pytest.mark.parametrize("at_s", [100.0, 300.0, 600.0])
@pytest.mark.parametrize("after_s", range(0, 600, 45))
@pytest.mark.parametrize("length_s", [20, 130])
def test_any_window_counts_as_a_plain_sum_does(at_s, after_s, length_s):
    """The truth is a sum over the plan; who is there now is known a second after coming."""
    plan = [(who, t0, 600 if t1 is None else t1) for who, label, t0, t1, _ in YARD + DOOR if label == "person"]
    before_s = after_s + length_s
    window = f"between {after_s} seconds and {before_s} seconds"
    streams = [StreamTimes(name, 0, at_s) for name in ("yard", "cam_2")]
    came, there = (
        count_entities(f"How many people {verb} {window}?", bank(YARD + DOOR), at_s=at_s, streams=streams)
        for verb in ("came", "were there")
    )
    known = [visit for visit in plan if max(visit[1], 0) + 1 <= at_s]
    assert came.value == len({who for who, t0, _ in known if after_s <= max(t0, 0) < before_s})
    assert there.value == len({who for who, t0, t1 in known if t0 < before_s and min(t1, at_s) >= after_s})


def test_a_time_of_day_is_one_of_a_live_stream():
    live = bank([(1, "person", 1.79e9 + 10, 1.79e9 + 20)])
    times = [StreamTimes("cam", 1.79e9, 1.79e9 + 3600)]
    of_day = [datetime.fromtimestamp(1.79e9 + s).strftime("%H:%M:%S") for s in (0, 30)]
    assert (
        count_entities(f"How many people came between {of_day[0]} and {of_day[1]}?", live, streams=times).value
        == 1
    )
    assert count_entities("How many people came between 1:00 and 1:01?", live, streams=times).value == 0
    assert count_entities("How many people came in the first minute?", live, streams=times).value == 1


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("How many people are there?",
         "2 people at most at once, 3 told apart in all (in the camera's whole view)"),
        ("How many people were in the room?",
         "2 people at most at once, 3 told apart in all (in the camera's whole view)"),
        ("How many cars are there?", "1 car (in the camera's whole view)"),
        ("How many cars are there now?", "0 cars now (in the camera's whole view)"),
        ("How many dogs are there?", "0 dogs (in the camera's whole view)"),
        ("How many beds are there?", None),
    ],
)  # fmt: skip
def test_of_a_recording_that_is_over_all_are_counted_and_now_only_where_it_is_said(question, text):
    over = [StreamTimes("cam", 0, 200, over=True)]
    found = count_entities(question, ROOM, streams=over)
    assert (None if found is None else found.text) == text
