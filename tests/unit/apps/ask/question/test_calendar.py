"""Dates and times of day in questions, on a stream that has dates: Tuesday 14 November 2023, 8:00, to Wednesday,
16:18."""

import time
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from hippocam.apps.ask.question.time_words import find_time_words
from hippocam.apps.ask.question.understand import understand
from hippocam.memory.records import StreamStatus
from hippocam.stream.errors import HippocamError
from hippocam.stream.timecode import format_time

START, END = datetime(2023, 11, 14, 8), datetime(2023, 11, 15, 16, 18, 30)
# Day and time of day, as the table below has them.
TUE, WED = datetime(2023, 11, 14), datetime(2023, 11, 15)


def gate(*, complete=True, start=START, end=END):
    return StreamStatus(
        id="gate", source="rtsp://gate", fps=1, duration_s=end.timestamp(), complete=complete, frames_seen=9,
        frames_encoded=9, events=3, entries=3, entry_bytes=1, evicted=0, t0_s=start.timestamp(),
        t1_s=end.timestamp(),
    )  # fmt: skip


def recording(name, start, end):
    """A file of an archive."""
    made = gate(start=start, end=end)
    return replace(made, id=name, recorded_s=start.timestamp())


def on(day, clock):
    hours, minutes, seconds = ([int(part) for part in clock.split(":")] + [0])[:3]
    return day + timedelta(hours=hours, minutes=minutes, seconds=seconds)


def window(question, streams=None, at=None):
    (span,) = understand(question, streams or [gate()], at_s=None if at is None else at.timestamp()).spans
    return tuple(None if edge is None else datetime.fromtimestamp(edge) for edge in (span.after_s, span.before_s))


@pytest.mark.parametrize(
    ("words", "after", "before"),
    [
        # as times are shown
        ("at 2023-11-14 22:13:40", on(TUE, "22:13:35"), on(TUE, "22:13:45")),
        ("between 2023-11-14 22:13:40 and 2023-11-14 22:14:00", on(TUE, "22:13:40"), on(TUE, "22:14")),
        ("from 2023-11-14 22:13:40 to 2023-11-14 22:14:00.5", on(TUE, "22:13:40"),
         on(TUE, "22:14") + timedelta(seconds=0.5)),
        ("after 2023-11-15 16:00", on(WED, "16:00"), None),
        ("on 2023-11-14", TUE, WED),
        ("2023-11-14", TUE, WED),
        # a time of day means the last day that has it
        ("at 16:15", on(WED, "16:15"), on(WED, "16:16")),
        ("at 22:13", on(TUE, "22:13"), on(TUE, "22:14")),
        ("at 22:13:40", on(TUE, "22:13:35"), on(TUE, "22:13:45")),
        ("around 16:00", on(WED, "15:55"), on(WED, "16:05")),
        ("between 16:15 and 16:20", on(WED, "16:15"), on(WED, "16:20")),
        ("between 4:15 pm and 4:20 pm", on(WED, "16:15"), on(WED, "16:20")),
        ("between 4:15 and 4:20 pm", on(WED, "16:15"), on(WED, "16:20")),
        ("from 22:00 to 23:30", on(TUE, "22:00"), on(TUE, "23:30")),
        ("between 23:50 and 0:10", on(TUE, "23:50"), on(WED, "0:10")),
        ("since 16:00", on(WED, "16:00"), None),
        ("after 4 pm", on(WED, "16:00"), None),
        ("before 9:00", None, on(WED, "9:00")),
        ("until 10 o'clock in the morning", None, on(WED, "10:00")),
        ("between 11 am and 2", on(WED, "11:00"), on(WED, "14:00")),
        ("at 5.30 am", on(WED, "5:30"), on(WED, "5:31")),
        ("at 17h30", on(TUE, "17:30"), on(TUE, "17:31")),
        ("at 1130", on(WED, "11:30"), on(WED, "11:31")),
        ("at 4:15 pm", on(WED, "16:15"), on(WED, "16:16")),
        ("at 4 pm", on(WED, "15:55"), on(WED, "16:05")),
        ("at 4pm", on(WED, "15:55"), on(WED, "16:05")),
        ("at 9 a.m.", on(WED, "8:55"), on(WED, "9:05")),
        ("at noon", on(WED, "11:30"), on(WED, "12:30")),
        ("around midnight", on(TUE, "23:30"), on(WED, "0:30")),
        # days
        ("today", WED, on(WED, "24:00")),
        ("yesterday", TUE, WED),
        ("the day before yesterday", TUE - timedelta(days=1), TUE),
        ("on 14 November", TUE, WED),
        ("on the 14th of November", TUE, WED),
        ("on November 14", TUE, WED),
        ("on Nov 14th, 2023", TUE, WED),
        ("on 2 November", datetime(2023, 11, 2), datetime(2023, 11, 3)),
        ("on 24 December", datetime(2022, 12, 24), datetime(2022, 12, 25)),
        ("on Tuesday", TUE, WED),
        ("on Thursday", datetime(2023, 11, 9), datetime(2023, 11, 10)),
        ("two days ago", TUE - timedelta(days=1), TUE),
        ("this week", datetime(2023, 11, 13), datetime(2023, 11, 20)),
        # parts of a day
        ("this morning", on(WED, "5:00"), on(WED, "12:00")),
        ("in the morning", on(WED, "5:00"), on(WED, "12:00")),
        ("yesterday evening", on(TUE, "17:00"), WED),
        ("yesterday afternoon", on(TUE, "12:00"), on(TUE, "18:00")),
        ("last night", on(TUE, "20:00"), on(WED, "6:00")),
        ("on Tuesday evening", on(TUE, "17:00"), WED),
        ("on the evening of 14 November", on(TUE, "17:00"), WED),
        ("in the early hours of 15 November", WED, on(WED, "6:00")),
        ("in the small hours", WED, on(WED, "6:00")),
        ("overnight", on(TUE, "20:00"), on(WED, "6:00")),
        ("late yesterday", on(TUE, "17:00"), WED),
        ("the night before last", on(TUE, "20:00") - timedelta(days=1), on(TUE, "6:00")),
        # more than a day
        ("last week", datetime(2023, 11, 6), datetime(2023, 11, 13)),
        ("the week before last", datetime(2023, 10, 30), datetime(2023, 11, 6)),
        ("over the weekend", datetime(2023, 11, 11), datetime(2023, 11, 13)),
        ("last weekend", datetime(2023, 11, 11), datetime(2023, 11, 13)),
        ("last month", datetime(2023, 10, 1), datetime(2023, 11, 1)),
        ("this year", datetime(2023, 1, 1), datetime(2024, 1, 1)),
        ("in October", datetime(2023, 10, 1), datetime(2023, 11, 1)),
        ("in December", datetime(2022, 12, 1), datetime(2023, 1, 1)),
        ("since early May 2021", datetime(2021, 5, 1), None),
        ("at the beginning of November", datetime(2023, 11, 1), datetime(2023, 11, 11)),
        ("in 2021", datetime(2021, 1, 1), datetime(2022, 1, 1)),
        ("between 2 and 5 November", datetime(2023, 11, 2), datetime(2023, 11, 6)),
        ("from the 30th to the 2nd", datetime(2023, 10, 30), datetime(2023, 11, 3)),
        ("between 2023-11-02 and 2023-11-05", datetime(2023, 11, 2), datetime(2023, 11, 6)),
        ("from Friday to Monday", datetime(2023, 11, 10), datetime(2023, 11, 14)),
        ("between yesterday 22:00 and today 6:00", on(TUE, "22:00"), on(WED, "6:00")),
        ("from yesterday evening to this morning", on(TUE, "17:00"), on(WED, "12:00")),
        ("from 2 November 14:00 to 3 November 9:00", datetime(2023, 11, 2, 14), datetime(2023, 11, 3, 9)),
        ("in the night from Monday to Tuesday", on(TUE, "20:00") - timedelta(days=1), on(TUE, "6:00")),
        # dates as they are written and said
        ("on the 2nd", datetime(2023, 11, 2), datetime(2023, 11, 3)),
        ("on the 31st", datetime(2023, 10, 31), datetime(2023, 11, 1)),
        ("on the second of November", datetime(2023, 11, 2), datetime(2023, 11, 3)),
        ("on 15/11/2023", WED, on(WED, "24:00")),
        ("on 11/14/2023", TUE, WED),
        ("on 15.11.23", WED, on(WED, "24:00")),
        ("on 02.11.2023", datetime(2023, 11, 2), datetime(2023, 11, 3)),
        ("on 2.11.", datetime(2023, 11, 2), datetime(2023, 11, 3)),
        ("on 2023/11/02", datetime(2023, 11, 2), datetime(2023, 11, 3)),
        ("on Thursday, 2 November", datetime(2023, 11, 2), datetime(2023, 11, 3)),
        ("on Monday, 3 November", datetime(2014, 11, 3), datetime(2014, 11, 4)),
        ("on 29 February", datetime(2020, 2, 29), datetime(2020, 3, 1)),
        ("after 2023-11-02", datetime(2023, 11, 3), None),
        ("last Wednesday", datetime(2023, 11, 8), datetime(2023, 11, 9)),
        # a day and a time
        ("yesterday at half past four in the afternoon", on(TUE, "16:30"), on(TUE, "16:31")),
        ("yesterday evening at eight", on(TUE, "19:55"), on(TUE, "20:05")),
        ("at ten to nine in the evening", on(TUE, "20:50"), on(TUE, "20:51")),
        ("last night at 2:00", on(WED, "2:00"), on(WED, "2:01")),
        ("yesterday before midnight", TUE, WED),
        ("yesterday at 22:13", on(TUE, "22:13"), on(TUE, "22:14")),
        ("at 22:13 yesterday", on(TUE, "22:13"), on(TUE, "22:14")),
        ("on 14 November at 10:00", on(TUE, "10:00"), on(TUE, "10:01")),
        ("on 14 November between 9 am and 10 am", on(TUE, "9:00"), on(TUE, "10:00")),
        ("between 9:00 and 10:00 on 14 November", on(TUE, "9:00"), on(TUE, "10:00")),
        ("yesterday after 20:00", on(TUE, "20:00"), WED),
        ("yesterday between 4:15 pm and 4:20 pm", on(TUE, "16:15"), on(TUE, "16:20")),
        ("on 14 November at 4 pm", on(TUE, "15:55"), on(TUE, "16:05")),
        ("since yesterday", TUE, None),
        ("since yesterday at 22:00", on(TUE, "22:00"), None),
        ("until yesterday", None, WED),
        ("before today", None, WED),
        ("tonight", on(WED, "20:00"), on(WED, "24:00") + timedelta(hours=6)),
        ("this evening", on(TUE, "17:00"), WED),
        ("early this morning", on(WED, "5:00"), on(WED, "12:00")),
        ("over the last hour", on(WED, "15:18:30"), None),
        ("in the past 10 minutes", on(WED, "16:08:30"), None),
        ("half an hour ago", on(WED, "15:42:30"), on(WED, "15:54:30")),
        ("a minute ago", on(WED, "16:17:18"), on(WED, "16:17:42")),
        ("between noon and 1 pm", on(WED, "12:00"), on(WED, "13:00")),
        ("from 9 to 10 am", on(WED, "9:00"), on(WED, "10:00")),
        ("by 9:00", None, on(WED, "9:00")),
        ("since noon", on(WED, "12:00"), None),
        ("on Monday at 9 am", on(TUE - timedelta(days=1), "8:55"), on(TUE - timedelta(days=1), "9:05")),
        ("last Tuesday", TUE, WED),
        ("yesterday morning at 8:30", on(TUE, "8:30"), on(TUE, "8:31")),
        ("today before 9:00", WED, on(WED, "9:00")),
        # back from the time of asking
        ("five minutes ago", on(WED, "16:12:30"), on(WED, "16:14:30")),
        ("an hour ago", on(WED, "15:06:30"), on(WED, "15:30:30")),
        ("in the last five minutes", on(WED, "16:13:30"), None),
        ("in the last hour", on(WED, "15:18:30"), None),
        ("in the last two days", on(TUE, "16:18:30") - timedelta(days=1), None),
        ("about ten minutes ago", on(WED, "16:06:30"), on(WED, "16:10:30")),
        ("in the first hour", None, on(TUE, "9:00")),
        ("a few minutes ago", on(WED, "16:13:30"), on(WED, "16:17:30")),
        ("a couple of hours ago", on(WED, "13:54:30"), on(WED, "14:42:30")),
        ("an hour and a half ago", on(WED, "14:30:30"), on(WED, "15:06:30")),
        ("2 hours and 30 minutes ago", on(WED, "13:18:30"), on(WED, "14:18:30")),
        ("ten to fifteen minutes ago", on(WED, "16:03:30"), on(WED, "16:08:30")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["a dated recording", "a live camera", "the files of an archive"])
def test_words_for_days_and_times_of_day(monkeypatch, kind, words, after, before):
    """They mean the same of a camera that goes on, by the clock, and of files, which are one timeline."""
    if kind == "a live camera":
        monkeypatch.setattr("hippocam.apps.ask.question.timeline.clock_s", END.timestamp)
    streams = {
        "a dated recording": [gate()],
        "a live camera": [gate(complete=False, end=on(WED, "9:00"))],
        "the files of an archive": [
            recording("one", START, on(TUE, "9:00")),
            recording("two", on(TUE, "22:00"), on(TUE, "23:00")),
            recording("three", on(WED, "16:00"), END),
        ],
    }[kind]
    for question in (f"Was there a dog {words}?", f"What happened {words}?"):
        assert window(question, streams) == (after, before)
        lower = question[0].lower() + question[1:-1].replace(words, words.casefold())
        assert window(lower, streams) == (after, before)
    assert understand(f"Was there a dog {words}?", streams).text == "a dog"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("at half past nine", ("2023-11-14 21:30:00", "2023-11-15 09:30:00")),
        ("until 10 o'clock", ("2023-11-14 22:00:00", "2023-11-15 10:00:00")),
        ("yesterday between nine and ten", ("2023-11-14 09:00:00", "2023-11-14 21:00:00")),
        ("at 9", ("2023-11-14 21:00:00", "2023-11-15 09:00:00")),
        ("on 02/11/2023", ("2023-02-11", "2023-11-02")),
        ("at midnight on 2 November", ("2023-11-02 00:00:00", "2023-11-03 00:00:00")),
        ("last week at 9:00", ("several days",)),
        ("on Monday and Tuesday", ("one of them",)),
        ("on Monday, 3 November 2023", ("2023-11-03 is a Friday",)),
        ("on 31 November", ("no calendar has 31 November",)),
        ("at 25:00", ("no time of day",)),
        ("at 17:30 CET", ("UTC+1",)),
    ],
)
def test_what_may_mean_two_times_or_none_is_refused_with_both_written_out(words, told):
    with pytest.raises(HippocamError) as refused:
        window(f"Was there a dog {words}?")
    assert all(each in str(refused.value) for each in told), refused.value


@pytest.mark.parametrize(
    "words",
    ["on the 2nd floor", "between two and five people", "at two people", "five to ten people", "by two men",
     "from one side to the other", "on the second shelf", "with version 1.2.10"],
)  # fmt: skip
def test_numbers_of_other_things_are_no_times(words):
    found = understand(f"Was there a dog {words}?", [gate()])
    assert (found.text, found.spans[0].after_s, found.spans[0].before_s) == (f"a dog {words}", None, None)


def test_only_one_reading_within_the_footage_is_the_one_that_is_meant():
    afternoon = [gate(start=on(WED, "14:00"), end=END)]
    assert window("Was there a dog at half past three?", afternoon) == (on(WED, "15:30"), on(WED, "15:31"))


@pytest.mark.parametrize("words", ["22:13", "4:15 pm", "yesterday evening", "2 November"])
def test_a_question_may_begin_with_the_time(words):
    assert window(f"{words}: was there a dog?")[0] is not None
    assert understand(f"On {words}, was there a dog?", [gate()]).text == "a dog"


def test_times_as_of_a_moment_are_counted_back_from_it():
    at = on(TUE, "12:00")
    assert window("Was there a dog today?", at=at) == (TUE, WED)
    assert window("Was there a dog at 11:00?", at=at) == (on(TUE, "11:00"), on(TUE, "11:01"))
    assert window("Was there a dog five minutes ago?", at=at) == (on(TUE, "11:54"), on(TUE, "11:56"))


def test_now_is_by_the_clock_where_a_camera_goes_on(monkeypatch):
    """A camera that broke off on Wednesday at 16:18 shows nothing of Friday."""
    friday = datetime(2023, 11, 17, 12)
    monkeypatch.setattr("hippocam.apps.ask.question.timeline.clock_s", friday.timestamp)
    live = [gate(complete=False)]
    assert window("Was there a dog today?", live) == (datetime(2023, 11, 17), datetime(2023, 11, 18))
    assert window("Is there a dog now?", live)[0] >= friday - timedelta(seconds=10)
    assert window("Was there a dog in the last minute?", live)[0] == friday - timedelta(minutes=1)


def test_days_of_an_archive_that_still_grows_are_those_of_the_calendar(monkeypatch):
    """Nightly runs, asked the next morning; of an old archive the last day is today."""
    files = [recording("one", START, on(TUE, "9:00")), recording("two", on(WED, "16:00"), END)]
    thursday = datetime(2023, 11, 16, 8)
    monkeypatch.setattr("hippocam.apps.ask.question.timeline.clock_s", thursday.timestamp)
    assert window("Who came yesterday evening?", files) == (on(WED, "17:00"), on(WED, "24:00"))
    assert window("Who came this morning?", files) == (on(WED, "29:00"), on(WED, "36:00"))
    assert window("Who came in the last hour?", files) == (on(WED, "15:18:30"), None)
    assert window("Who came yesterday?", files, at=on(WED, "16:10")) == (TUE, WED)
    monkeypatch.setattr("hippocam.apps.ask.question.timeline.clock_s", lambda: thursday.timestamp() + 9 * 86400)
    assert window("Who came yesterday evening?", files) == (on(TUE, "17:00"), WED)


def test_beside_a_camera_that_goes_on_an_archive_counts_from_the_clock_too(monkeypatch):
    friday = datetime(2023, 11, 17, 12)
    monkeypatch.setattr("hippocam.apps.ask.question.timeline.clock_s", friday.timestamp)
    both = [recording("one", START, on(TUE, "9:00")), gate(complete=False)]
    assert window("Was there a dog yesterday?", both) == (datetime(2023, 11, 16), datetime(2023, 11, 17))


FILM = StreamStatus(
    id="film", source="film.mp4", fps=1, duration_s=7200.0, complete=True, frames_seen=9, frames_encoded=9,
    events=3, entries=3, entry_bytes=1, evicted=0, t0_s=0.0, t1_s=7200.0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("words", "after_s", "before_s"),
    [
        ("at 0:24", 19, 29),
        ("at 1:02:03", 3718, 3728),
        ("at 1:02:03.5", 3718.5, 3728.5),
        ("between 0:24 and 1:02:03", 24, 3723),
        ("from 24 s to 2 minutes", 24, 120),
        ("at 90 seconds", 85, 95),
        ("at minute 3", 180, 240),
        ("in minute 3", 180, 240),
        ("in the third minute", 120, 180),
        ("in the first minute", None, 60),
        ("in the second hour", 3600, 7200),
        ("after 1:00", 60, None),
        ("0:24 to 0:32", 24, 32),
        ("in the middle", 2400, 4800),
        ("today", None, None),
        ("five minutes ago", 6840, 6960),
        ("in the last third", 4800, None),
    ],
)
def test_times_of_a_recording_that_counts_from_its_start(words, after_s, before_s):
    (span,) = understand(f"Was there a dog {words}?", [FILM]).spans
    assert (span.after_s, span.before_s) == (after_s, before_s)


@pytest.mark.parametrize("words", ["yesterday", "at 4 pm", "on 2 November", "yesterday evening"])
def test_a_date_means_nothing_in_a_recording_without_dates(words):
    with pytest.raises(HippocamError, match="counts from its start"):
        understand(f"Was there a dog {words}?", [FILM])
    assert understand(f"Was there a dog {words}?", [FILM, gate()]).spans  # the other stream has dates


@pytest.mark.parametrize(
    "text",
    [
        "a street at night",
        "a kitchen in the morning",
        "a man may march on",
        "a sign with Monday to Friday",
        "a word like Monday or Sunday",
    ],
)
def test_words_of_what_is_there_stay_in_a_recording_without_dates(text):
    found = understand(text, [FILM])
    assert (found.text, found.spans[0].after_s) == (text, None)


def test_a_window_is_told_in_the_form_in_which_times_are_shown():
    assert format_time(on(TUE, "22:13:40").timestamp()) in str(understand("a dog at 22:13:45", [gate()]))


@pytest.mark.parametrize(
    ("question", "window"),
    [
        ("Who came between 2026-10-25 02:30:00+02:00 and 2026-10-25 02:30:00+01:00?", (0, 3600)),
        ("Was it red after 2026-10-25 02:30 +01:00?", (3600, None)),
        ("What was there at 2026-10-25 02:30:00+02:00?", (-5, 5)),
        ("What was there on 25 October 2026 at 02:30:00+01:00?", (3595, 3605)),
        ("Who came on 25 October 2026 between 02:10+02:00 and 02:10+01:00?", (-1200, 2400)),
    ],
)
def test_either_of_two_hours_of_one_name_can_be_asked_for(monkeypatch, question, window):
    """At the end of summer time; offsets are as `format_time` shows them."""
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    try:
        found = find_time_words(question)
        first_s = datetime.fromisoformat("2026-10-25T00:30:00+00:00").timestamp()
        told = found.window(first_s - 8000, first_s + 90_000)
        assert tuple(None if edge is None else edge - first_s for edge in told) == window
        assert found.rest in ("Who came?", "Was it red?", "What was there?")
    finally:
        monkeypatch.undo()
        time.tzset()
