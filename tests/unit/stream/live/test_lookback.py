import pytest

from hippocam.stream.live.lookback import LookBackConfig, SegmentRing, segments, start_of


def ring(tmp_path, **settings):
    return SegmentRing(LookBackConfig(folder=tmp_path / "lb", **{"max_bytes": 1_000_000, **settings}))


def write(segment_ring, start_s, count):
    path = segment_ring.path(start_s)
    assert segment_ring.room(count, start_s)
    path.write_bytes(b"x" * count)
    segment_ring.close(path)
    return path


def held(tmp_path):
    return [start_of(path) for path in segments(tmp_path / "lb")]


def test_the_oldest_go_for_the_bytes_before_they_are_written(tmp_path):
    made = ring(tmp_path)
    for i in range(20):
        write(made, 1000 + i, 300_000)
        assert sum(path.stat().st_size for path in segments(tmp_path / "lb")) <= 1_000_000
    assert held(tmp_path) == [1017, 1018, 1019]


def test_footage_past_its_time_goes(tmp_path):
    made = ring(tmp_path, max_s=10)
    for i in range(10):
        write(made, 1000 + 2 * i, 10)
    assert held(tmp_path)[0] == 1006  # ended 1008, ten seconds before 1018
    for start_s in (2000, 2011):
        write(made, start_s, 10)
    assert held(tmp_path) == [2000, 2011]


def test_what_an_earlier_run_left_counts_and_goes_first(tmp_path):
    write(ring(tmp_path), 1000, 900_000)
    again = ring(tmp_path)
    write(again, 2000, 200_000)
    assert held(tmp_path) == [2000]


def test_one_file_above_the_bound_does_not_fit(tmp_path):
    made = ring(tmp_path)
    assert made.room(1_000_000, 1000)
    assert not made.room(1_000_001, 1000)


def test_names_rise_even_where_the_clock_went_back(tmp_path):
    made = ring(tmp_path)
    write(made, 5000, 10)
    assert start_of(made.path(4000)) > 5000


def test_foreign_files_are_left_alone(tmp_path):
    made = ring(tmp_path)
    (tmp_path / "lb" / "notes.txt").write_text("mine")
    (tmp_path / "lb" / "holiday.mkv").write_text("mine")
    write(made, 1000, 900_000)
    write(made, 1001, 900_000)
    assert {p.name for p in (tmp_path / "lb").iterdir()} == {"notes.txt", "holiday.mkv", "1001000.mkv"}


@pytest.mark.parametrize("bad", [{"max_bytes": 999_999}, {"max_s": 0}, {"segment_s": 0}])
def test_senseless_bounds_are_refused(tmp_path, bad):
    with pytest.raises(ValueError, match="found"):
        LookBackConfig(folder=tmp_path, **{"max_bytes": 1_000_000, **bad})
