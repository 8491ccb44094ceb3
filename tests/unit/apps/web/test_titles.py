from __future__ import annotations

import stat
from pathlib import Path

import pytest

from hippocam.apps.web.titles import Titles


def test_titles_are_kept_beside_the_memory_until_they_are_taken_back(tmp_path: Path) -> None:
    Titles(tmp_path / "memory").put("yard", "Behind the house")
    titles = Titles(tmp_path / "memory")
    titles.put("door", "Tür")
    assert titles.every() == {"yard": "Behind the house", "door": "Tür"}
    titles.put("yard", "")
    assert titles.every() == {"door": "Tür"}
    assert not (tmp_path / "memory").exists()
    assert stat.S_IMODE((tmp_path / "memory.web" / "titles.json").stat().st_mode) == 0o600


def test_a_file_that_is_none_of_ours_gives_no_titles(tmp_path: Path) -> None:
    (tmp_path / "memory.web").mkdir()
    (tmp_path / "memory.web" / "titles.json").write_text("[1, 2")
    assert Titles(tmp_path / "memory").every() == {}


def named(tmp_path: Path) -> Titles:
    titles = Titles(tmp_path / "memory")
    titles.put("driveway", "Front yard")
    titles.put("cam_02", "Garage")
    titles.put("cars", "Motorway")
    return titles


@pytest.mark.parametrize(
    ("asked", "read"),
    [
        ("When does a car come in Front yard?", "When does a car come in driveway?"),
        ("what happens in the front yard and in Garage", "what happens in driveway and in cam_02"),
        ("Does somebody open a garage?", "Does somebody open a garage?"),
        ("Front yard: who came?", "driveway: who came?"),
        ("frontyard", "frontyard"),
    ],
)
def test_titles_in_a_question_are_read_as_the_streams_that_they_are_of(
    tmp_path: Path, asked: str, read: str
) -> None:
    assert named(tmp_path).read(asked) == read


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("0:05 to 0:25 in driveway [1].", "0:05 to 0:25 in Front yard [1]."),
        ("a car on a driveway, in cam_02 [2].", "a car on a driveway, in Garage [2]."),
        ("3 cars in cars so far.", "3 cars in Motorway so far."),
        ("cam_02/left is another one, cam_02 is not.", "cam_02/left is another one, Garage is not."),
        ("driveway is longer than cam_02.", "Front yard is longer than Garage."),
    ],
)
def test_an_answer_tells_streams_by_their_titles(tmp_path: Path, text: str, told: str) -> None:
    assert named(tmp_path).told(text) == told


def test_two_streams_may_swap_their_names_and_without_titles_nothing_changes(tmp_path: Path) -> None:
    titles = Titles(tmp_path / "memory")
    assert titles.told("in a and in b") == titles.read("in a and in b") == "in a and in b"
    titles.put("a", "b")
    titles.put("b", "a")
    assert titles.told("in a and in b") == "in b and in a"


def test_what_is_forgotten_loses_its_title(tmp_path: Path) -> None:
    titles = named(tmp_path)
    titles.forget(["driveway", "unknown"])
    assert titles.every() == {"cam_02": "Garage", "cars": "Motorway"}
