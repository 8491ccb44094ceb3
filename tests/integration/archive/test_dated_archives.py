"""Trees of footage in several layouts with dated names, with broken and copied files.

There is a memory for each camera, and each question finds its day.
"""

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from hippocam.apps.archive.records import ArchiveConfig, ArchiveRequest
from hippocam.apps.archive.run import archive
from hippocam.apps.archive.status import archive_status
from hippocam.apps.session import Session
from hippocam.stream.errors import HippocamError

DAYS = (datetime(2023, 11, 2, 14, 5), datetime(2023, 11, 3, 9, 30), datetime(2023, 11, 3, 14, 5))
SECONDS = 12
LAYOUTS = {
    "by day": "%Y-%m-%d/{camera}/%H-%M-%S.mp4",
    "by camera": "{camera}/%Y/%m/%d/%H%M.mp4",
    "in names": "%Y-%m-%d/{camera}_%Y%m%d_%H%M%S.mp4",
    "Frigate's": "%Y-%m-%d/%H/{camera}/%M.%S.mp4",
    "odd": "x%d.%m.%Y/nr-{camera}/rec %Hh%Mm.mp4",
}


@pytest.fixture(scope="module")
def helper(load_helpers):
    return load_helpers("archive_footage.py")


@pytest.fixture(params=LAYOUTS)
def tree(request, tmp_path, helper, media):
    """Two cameras, each on three occasions, one broken file, and copies of others; and how it is to be read.

    One file is copied as it is, one was made smaller, one is in another container.
    """
    layout = LAYOUTS[request.param]
    for number, camera in enumerate(("door", "yard")):
        for k, day in enumerate(DAYS):
            path = tmp_path / "footage" / day.strftime(layout).replace("{camera}", camera)
            path.parent.mkdir(parents=True, exist_ok=True)
            helper.render(path, 10 * number + k, SECONDS)
    broken = tmp_path / "footage" / DAYS[0].replace(hour=23).strftime(layout).replace("{camera}", "door")
    broken.parent.mkdir(parents=True, exist_ok=True)
    broken.write_text("no video")
    first, second, third = (day.strftime(layout).replace("{camera}", "door") for day in DAYS)
    for copy in (Path("old disk", first), Path("old disk", second), Path("mkv", third).with_suffix(".mkv")):
        (tmp_path / "footage" / copy).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(tmp_path / "footage" / first, tmp_path / "footage" / "old disk" / first)
    media.encode_anew(tmp_path / "footage" / second, tmp_path / "footage" / "old disk" / second, scale=0.5)
    media.pack_anew(tmp_path / "footage" / third, (tmp_path / "footage" / "mkv" / third).with_suffix(".mkv"))
    request = ArchiveRequest(paths=(str(tmp_path / "footage"),), per="camera", encoder="palette")
    if layout is LAYOUTS["odd"]:
        request = ArchiveRequest(
            paths=request.paths,
            per="camera",
            encoder="palette",
            time_from="x%d.%m.%Y/*/rec %Hh%Mm",
            camera_from="nr-{camera}/*",
        )
    return tmp_path / "memories", request


def test_one_memory_a_camera_and_each_question_finds_its_day(tree):
    root, request = tree
    report = archive(root, request, ArchiveConfig(executor="local"))
    assert (report.archived, len(report.failed), report.undated) == (6, 1, ())
    how = {failure.source: failure.reason.rpartition("(")[2] for failure in report.duplicates}
    assert sorted(how.values()) == ["byte for byte)", *2 * ["encoded, scaled or packed anew)"]]
    assert all(".mkv" in source or "old disk" in source for source in how)
    assert sorted(path.name for path in root.iterdir() if path.is_dir() and path.name[0] != ".") == [
        "door",
        "yard",
    ]
    again = archive(root, request, ArchiveConfig(executor="local"))
    assert (again.archived, again.known, again.duplicates) == (0, 6, report.duplicates)
    status = archive_status(root)
    assert (status.recordings["duplicate"], status.duplicates) == (3, report.duplicates)
    with Session([root / "door", root / "yard"]) as session:
        held = session.status().streams
        starts = sorted(stream.recorded_s for stream in held)
        assert starts == sorted(2 * [day.timestamp() for day in DAYS])
        for stream in held:
            assert stream.recorded_s == stream.t0_s
            assert stream.duration_s == pytest.approx(stream.recorded_s + SECONDS, abs=1.1)
            assert stream.in_source_s(stream.duration_s) == pytest.approx(SECONDS, abs=1.1)
        for day in DAYS[:2]:
            midnight = datetime(day.year, day.month, day.day)
            window = midnight.timestamp(), (midnight + timedelta(days=1)).timestamp()
            for said in (f"on {day.day} November 2023", f"on {day:%Y-%m-%d}"):
                found = session.ask(f"Was it red {said}?").evidence
                assert found
                assert all(window[0] <= moment.t0_s < window[1] for moment in found)
        afternoon = session.ask("Was it red on 3 November 2023 between 2 pm and 3 pm?").evidence
        assert afternoon
        assert all(DAYS[2].timestamp() <= moment.t0_s < DAYS[2].timestamp() + 3600 for moment in afternoon)
        found = session.search("red", top=100, after_s=DAYS[1].timestamp(), before_s=DAYS[2].timestamp())
        assert {moment.t0_s // 3600 for moment in found} == {DAYS[1].timestamp() // 3600}
        assert session.ask("Was it red on 5 November 2023?").not_seen


def test_duplicates_are_archived_where_they_are_wanted_and_where_their_original_is_gone(tmp_path, helper, media):
    film = helper.render(tmp_path / "in" / "a.mp4", 1, SECONDS)
    small = media.encode_anew(film, tmp_path / "in" / "b.mp4", scale=0.5)
    (told,) = helper.local(tmp_path / "m", tmp_path / "in").duplicates
    assert told.source == str(small)
    film.unlink()
    report = helper.local(tmp_path / "m", tmp_path / "in")
    assert (report.archived, report.gone, report.duplicates) == (0, (str(film),), (told,)), "what it shows is held"
    for path in (tmp_path / "m" / "all").rglob("*"):
        path.is_dir() or path.unlink()
    assert helper.local(tmp_path / "m", tmp_path / "in").archived == 1, "it is held no more"
    both = tmp_path / "both"
    shutil.copy(small, tmp_path / "in" / "c.mp4")
    assert helper.local(both, tmp_path / "in", duplicates=True).archived == 2
    again = helper.local(both, tmp_path / "in")
    assert (again.known, again.duplicates) == (2, ())


def test_without_dates_times_count_from_the_start(tree):
    root, request = tree
    request = ArchiveRequest(paths=request.paths, encoder="palette", time_from="none")
    report = archive(root, request, ArchiveConfig(executor="local"))
    assert report.undated == ()
    with Session(root / "all") as session:
        assert all(stream.recorded_s is None and stream.t0_s == 0 for stream in session.status().streams)


def test_a_long_camera_has_a_memory_for_each_day_asked_as_one(tmp_path, helper):
    for number, camera in enumerate(("door", "yard")):
        for k, day in enumerate(DAYS):
            path = day.strftime(f"%Y-%m-%d/{camera}/%H-%M-%S.mp4")
            helper.render(tmp_path / "footage" / path, 10 * number + k, SECONDS)
    helper.render(tmp_path / "footage" / "yard" / "test.mp4", 7, SECONDS)
    root = tmp_path / "memories"
    request = ArchiveRequest(paths=(str(tmp_path / "footage"),), per="camera", split="day", encoder="palette")
    assert archive(root, request, ArchiveConfig(executor="local")).archived == 7
    names = ["door-2023-11-02", "door-2023-11-03", "yard-2023-11-02", "yard-2023-11-03"]
    memories = sorted(path.parent for path in root.glob("*/memory.db"))
    assert [path.name for path in memories if "undated" not in path.name] == names
    assert len(memories) == 5
    with Session(memories) as session:
        found = session.ask("Was it red on 3 November 2023?").evidence
        assert found
        assert {datetime.fromtimestamp(moment.t0_s).date() for moment in found} == {DAYS[1].date()}
        assert session.ask("Was it red on 5 November 2023?").not_seen
    late = helper.render(tmp_path / "footage" / "2023-11-03" / "yard" / "20-00-00.mp4", 9, SECONDS)
    again = archive(root, ArchiveRequest(), ArchiveConfig(executor="local"), resume=True)
    assert (again.archived, again.known) == (1, 7)
    with Session(root / "yard-2023-11-03") as session:
        assert str(late) in {stream.source for stream in session.status().streams}
    with pytest.raises(HippocamError, match="--split month: the memories here are split by day"):
        archive(root, ArchiveRequest(paths=request.paths, split="month"))
