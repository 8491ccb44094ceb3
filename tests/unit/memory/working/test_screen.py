"""Lines that were read in frames, into notes from first to last seen."""

from hippocam.memory.working.screen import ScreenText

MOVES = "moves"  # in place of lines: a frame that has changed and was not read; None: one that has not changed


def feed(looks, **how):
    """Notes of looks [(time_s, lines), ...], as (text, t0_s, t1_s)."""
    screen = ScreenText("cam", 15.0, **how)
    for time_s, lines in looks:
        screen.see(float(time_s), None if lines is MOVES else lines, unchanged=lines is None)
    return {(row.note.text, row.note.t0_s, row.note.t1_s) for row in screen.take(flush=True)}


def test_a_line_is_not_prolonged_over_frames_that_nobody_read():
    looks = [(0, ["Get a licence"]), (1, None), (2, MOVES), (3, None), (4, MOVES), (5, [])]
    assert feed(looks) == {("Get a licence", 0, 1)}
    again = [*looks[:-1], (5, ["Get a licence"]), (6, MOVES)]
    assert feed(again) == {("Get a licence", 0, 5)}


def test_a_line_lasts_until_the_frame_before_the_look_that_misses_it():
    looks = [(0, []), (1, ["Chapter one"]), (2, None), (3, None), (4, ["Chapter two"]), (5, None), (6, [])]
    assert feed(looks) == {("Chapter one", 1, 3), ("Chapter two", 4, 5)}


def test_a_letter_read_wrong_is_the_same_line_and_the_usual_reading_stays():
    looks = [(0, ["Some nghts reserved."]), (2, ["Some rights reserved."]), (4, ["Some rights reserved."])]
    assert feed(looks) == {("Some rights reserved.", 0, 4)}


def test_of_readings_that_are_all_different_the_one_nearest_to_all_is_told():
    """Each has another letter wrong but one, so no vote for whole lines would decide."""
    readings = ["Fremont Avenoe 1200", "Frement Avenue 1200", "Fremont Avenue 1200"]
    looks = [(2 * index, [text]) for index, text in enumerate(readings)]
    assert feed(looks) == {("Fremont Avenue 1200", 0, 4)}


def test_a_look_that_misses_a_line_does_not_end_it():
    assert feed([(0, ["Exit only"]), (2, []), (4, ["Exit only"]), (6, None)]) == {("Exit only", 0, 6)}


def test_digits_must_agree():
    looks = [(0, ["Price: 14 euro"]), (2, ["Price: 15 euro"]), (4, ["Price: 15 euro"])]
    assert feed(looks) == {("Price: 14 euro", 0, 0), ("Price: 15 euro", 2, 4)}


def test_a_gap_in_time_ends_every_line():
    assert feed([(0, ["Hello there"]), (1, None), (100, ["Hello there"])]) == {
        ("Hello there", 0, 1),
        ("Hello there", 100, 100),
    }


def test_lines_without_words_are_nothing():
    assert feed([(0, ["-", "", "  ", "a", "|"])]) == set()


def test_what_was_written_is_told_again_only_where_it_changed():
    screen = ScreenText("cam", 15.0)
    screen.see(0.0, ["One line"])
    assert [row.note.t1_s for row in screen.take()] == [0.0]
    assert screen.take() == []
    screen.see(1.0, None, unchanged=True)
    (again,) = screen.take()
    assert again.note.t1_s == 1.0


def test_a_line_goes_on_after_an_interruption_under_its_own_id():
    first = ScreenText("cam", 15.0)
    first.see(0.0, ["A long slide"])
    first.see(5.0, None, unchanged=True)
    (written,) = first.take()
    second = ScreenText("cam", 15.0, [written], 6.0)
    second.see(6.0, ["A long slide"])
    second.see(9.0, None, unchanged=True)
    (row,) = second.take(flush=True)
    assert (row.id, row.note.t0_s, row.note.t1_s) == (written.id, 0.0, 9.0)
    third = ScreenText("cam", 15.0, [written], 6.0)
    third.see(6.0, ["Another slide"])
    assert written.id not in {row.id for row in third.take(flush=True)}


def test_other_words_are_known_from_when_they_were_read():
    screen = ScreenText("cam", 15.0)
    screen.see(0.0, ["Wellcome hone"])
    screen.see(2.0, ["Welcome home"])
    screen.see(4.0, ["Welcome home"])
    (row,) = screen.take()
    assert (row.note.text, row.note.t0_s, row.known_s) == ("Welcome home", 0.0, 4.0)


def test_lines_know_where_they_stand_as_of_the_last_look_that_saw_them():
    screen = ScreenText("cam", 15.0)
    for time_s, lines in enumerate([["Title", "First"], ["Title", "Second", "First"], ["Title", "Second"]]):
        screen.see(float(time_s), lines)
    stands = {row.note.text: row.note.line for row in screen.take(flush=True)}
    assert stands == {"Title": 0, "Second": 1, "First": 2}
