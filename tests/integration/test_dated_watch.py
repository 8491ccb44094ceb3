"""Files of cameras that follow one another, watched with their dates: one timeline, as in an archive."""

from datetime import datetime

import pytest

from hippocam.apps.cli.main import main
from hippocam.apps.session import Session

MORNING, NOON = datetime(2023, 11, 2, 9, 0), datetime(2023, 11, 2, 12, 0)


@pytest.fixture
def files(tmp_path, colour_video):
    found = []
    for camera in ("door", "yard"):
        for start, colour in ((MORNING, "red"), (NOON, "green")):
            path = tmp_path / f"{camera}_{start:%Y-%m-%d_%H-%M-%S}.mp4"
            found.append(colour_video(path, [(colour, 6), ("blue", 6)]))
    return found


def test_files_are_one_timeline_of_dates(tmp_path, files):
    with Session(tmp_path / "m", encoder="palette") as session:
        report = session.watch(files, dated=True)
        assert report.failed == ()
        assert 20 < round(report.times_real_time * report.seconds, 6) <= 48
        held = {stream.id: stream for stream in session.status().streams}
        for path, start in zip(files, 2 * [MORNING, NOON], strict=True):
            stream = held[path.stem]
            assert stream.recorded_s == stream.t0_s == start.timestamp()
            assert stream.duration_s == pytest.approx(start.timestamp() + 12, abs=0.5)
        for said, start in (("at 9 am on 2 November 2023", MORNING), ("at noon on 2 November 2023", NOON)):
            found = session.search("red" if start is MORNING else "green", after_s=start.timestamp() - 60, top=1)
            assert start.timestamp() <= found[0].t0_s < start.timestamp() + 6, said
        moments = session.ask("Was it red in the last hour?").evidence
        assert all(moment.t0_s >= NOON.timestamp() for moment in moments), "it counts from the newest file's end"
        assert [stream.resumed for stream in session.watch(files, dated=True).streams] == 4 * [True]


def test_what_was_broken_off_goes_on_with_the_same_times(tmp_path, files):
    def stop(progress):
        if progress.time_s > 5:
            raise KeyboardInterrupt

    with Session(tmp_path / "m", encoder="palette") as session:
        with pytest.raises(KeyboardInterrupt):
            session.watch(files[:1], dated=True, on_progress=stop)
        session.watch(files[:1])  # the dates are known by now
        (stream,) = session.status().streams
        assert (stream.t0_s, stream.frames_seen) == (MORNING.timestamp(), 12)
    with Session(tmp_path / "whole", encoder="palette") as session:
        session.watch(files[:1], dated=True)
        (whole,) = session.status().streams
        assert whole.entries == stream.entries
        assert whole.duration_s == pytest.approx(stream.duration_s, abs=1.1)


def test_without_being_asked_times_count_from_the_start(tmp_path, files, capsys):
    memory = str(tmp_path / "m")
    assert main(["watch", str(files[0]), "--memory", memory, "--encoder", "palette"]) == 0
    assert "0:12 watched" in capsys.readouterr().out
    assert main(["watch", str(files[0]), "--dated", "--memory", memory + "2", "--encoder", "palette"]) == 0
    assert "watched up to 2023-11-02 09:00:12" in capsys.readouterr().out
