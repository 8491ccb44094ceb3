import copy
import math
import pickle
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hippocam.stream.errors import HippocamError
from hippocam.stream.timecode import format_time, on_day, parse_time


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("83.5", 83.5), ("0", 0), ("1:23.5", 83.5), ("01:02:03.250", 3723.25), ("90:00", 5400), ("0:00:01", 1)],
)
def test_times_are_read(text, seconds):
    assert parse_time(text) == seconds


def test_a_distance_from_utc_is_read_as_people_write_it():
    noon_s = parse_time("2026-11-02 12:00Z")
    for text in ("13:00 UTC+1", "13:00 UTC+01:00", "07:00GMT-5", "17:30 UTC+5:30", "2:00 UTC-10", "12:00 GMT"):
        assert parse_time(f"2026-11-02 {text}") == noon_s, text


@pytest.mark.parametrize(
    "text", ["", "abc", "-3", "1:75", "1:60:00", "1:2:3:4", "nan", "inf", "9" * 30, "9" * 30 + ":00", "1e14"]
)
def test_what_is_no_time_is_refused_with_the_allowed_forms(text):
    with pytest.raises(HippocamError, match="write seconds, MM:SS or HH:MM:SS.mmm"):
        parse_time(text)


@pytest.mark.parametrize("time_s", [2.6e11, 1e15, 1e300, math.inf])
def test_what_is_beyond_all_calendars_is_written_as_the_last_date(time_s):
    assert format_time(time_s).startswith("9999-12-3")


@given(st.floats(0, 1e6))
def test_a_written_time_reads_back_to_the_tenth(time_s):
    assert parse_time(format_time(time_s)) == pytest.approx(time_s, abs=0.0501)


def test_times_of_live_cameras_are_dates_in_the_time_zone_of_the_machine(monkeypatch):
    monkeypatch.setenv("TZ", "CET-1")
    time.tzset()
    try:
        assert format_time(1_795_267_020.0) == "2026-11-21 14:17:00"
        assert format_time(1_795_267_020.68) == "2026-11-21 14:17:00.7"
        assert parse_time("2026-11-21 14:17") == parse_time("2026-11-21T13:17:00Z") == 1_795_267_020
        assert parse_time("2026-11-21") == parse_time("2026-11-20T23:00:00+00:00")
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.fixture
def zone(monkeypatch):
    """Sets this process's time zone."""

    def put(name):
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield put
    monkeypatch.undo()
    time.tzset()


@given(st.floats(1e9, 4e9))
def test_a_written_date_reads_back_to_the_tenth(time_s):
    assert abs(parse_time(format_time(time_s)) - time_s) < 0.051


@pytest.mark.parametrize(
    ("name", "first_s", "step_s"),
    [
        ("CET-1CEST,M3.5.0,M10.5.0/3", 1_792_888_200.0, 3600),  # 25 October 2026, 02:30 in summer time
        ("EST5EDT,M3.2.0,M11.1.0", 1_793_511_000.0, 3600),  # 1 November 2026, 01:30
        (
            "LHST-10:30LHDT-11,M10.1.0,M4.1.0",
            1_775_313_000.0,
            1800,
        ),  # half an hour comes twice: 5 April 2026, 01:40
    ],
)
def test_two_hours_of_one_name_are_told_apart(zone, name, first_s, step_s):
    zone(name)
    for time_s in (first_s, first_s + step_s, first_s + 1.5):
        shown = format_time(time_s)
        assert re.search(r"[+-]\d\d:\d\d$", shown), shown
        assert parse_time(shown) == time_s
    with pytest.raises(HippocamError, match="comes twice: write"):
        parse_time(format_time(first_s)[:-6])
    one, other = format_time(first_s), format_time(first_s + step_s)
    assert one != other
    assert one[:-6] == other[:-6], "both clocks show the same"
    for time_s in (first_s - 7200, first_s + step_s + 7200):
        assert not re.search(r"[+-]\d\d:\d\d$", format_time(time_s))


@pytest.mark.parametrize(
    "written",
    ["2026-10-25 02:30:00+02:00", "2026-10-25 02:30 +0200", "2026-10-25T00:30:00Z", "2026-10-25 00:30 UTC",
     "2026-10-25 00:30:00 GMT", "2026-10-24 20:30:00.0-04:00"],
)  # fmt: skip
def test_a_distance_from_utc_may_be_written_in_any_form(zone, written):
    zone("CET-1CEST,M3.5.0,M10.5.0/3")
    assert parse_time(written) == 1_792_888_200.0


@pytest.mark.parametrize("text", ["2026-13-01", "2026-11-21 25:00", "2026-11", "2026/11/21"])
def test_what_is_no_date_is_refused(text):
    with pytest.raises(HippocamError, match="YYYY-MM-DD"):
        parse_time(text)


@pytest.mark.parametrize("again", [copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made))])
def test_a_time_that_may_be_one_of_day_is_copied_with_both_readings(again):
    found = again(parse_time("16:49"))
    assert (found, found.of_day_s) == (16 * 60 + 49, (16 * 60 + 49) * 60)


@pytest.mark.parametrize(
    ("written", "hour_s"),
    [
        ("02:30+02:00", 0),
        ("02:30 +02:00", 0),
        ("2:30:00+0200", 0),
        ("00:30Z", 0),
        ("00:30:00 UTC", 0),
        ("02:30+01:00", 3600),
    ],
)
def test_a_time_of_day_with_its_distance_from_utc_is_that_of_its_own_clock(zone, written, hour_s):
    zone("CET-1CEST,M3.5.0,M10.5.0/3")
    first_s = 1_792_888_200.0  # 25 October 2026, 02:30 in summer time
    clock = pickle.loads(pickle.dumps(parse_time(written)))
    for of_s in (first_s, first_s + 6 * 3600):
        assert on_day(clock, of_s=of_s) == first_s + hour_s
    assert on_day(clock, of_s=first_s, days=1) == first_s + hour_s + 86_400


@pytest.mark.parametrize("written", ["02:30+99:00", "2:75+01:00", "30:00:00+01:00"])
def test_a_time_of_day_that_no_clock_shows_is_refused(written):
    with pytest.raises(HippocamError, match="not understood"):
        parse_time(written)
