import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hippocam.stream.errors import HippocamError
from hippocam.stream.timecode import format_time, parse_time


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("83.5", 83.5), ("0", 0), ("1:23.5", 83.5), ("01:02:03.250", 3723.25), ("90:00", 5400), ("0:00:01", 1)],
)
def test_times_are_read(text, seconds):
    assert parse_time(text) == seconds


@pytest.mark.parametrize("text", ["", "abc", "-3", "1:75", "1:60:00", "1:2:3:4", "nan", "inf"])
def test_what_is_no_time_is_refused_with_the_allowed_forms(text):
    with pytest.raises(HippocamError, match="write seconds, MM:SS or HH:MM:SS.mmm"):
        parse_time(text)


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


@given(st.floats(1e9, 4e9))
def test_a_written_date_reads_back_to_the_tenth(time_s):
    away_s = abs(parse_time(format_time(time_s)) - time_s)
    assert min(away_s, abs(away_s - 3600)) < 0.051  # one hour of the year may come twice


@pytest.mark.parametrize("text", ["2026-13-01", "2026-11-21 25:00", "2026-11", "2026/11/21"])
def test_what_is_no_date_is_refused(text):
    with pytest.raises(HippocamError, match="YYYY-MM-DD"):
        parse_time(text)
