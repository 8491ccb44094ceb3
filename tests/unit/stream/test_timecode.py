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
