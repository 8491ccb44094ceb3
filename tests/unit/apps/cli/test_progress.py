"""What a command writes to stderr while it works: a bar on a terminal, plain lines elsewhere."""

import io
import sys

import pytest

from hippocam.apps.archive.records import ArchiveProgress
from hippocam.apps.cli import progress
from hippocam.apps.cli.progress import ArchiveBar, WatchBar
from hippocam.apps.records import WatchProgress


def watched(time_s, done=0):
    return WatchProgress(
        source="/footage/door.mp4",
        time_s=time_s,
        duration_s=100.0,
        done=done,
        total=2,
        watched_s=time_s,
        seconds=5.0,
    )


class Stderr(io.StringIO):
    def __init__(self, terminal):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        return self.terminal


@pytest.fixture
def stderr(monkeypatch):
    def put(*, terminal):
        written = Stderr(terminal)
        monkeypatch.setattr(sys, "stderr", written)
        return written

    return put


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now_s = 1000.0

        def monotonic(self):
            return self.now_s

    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def test_a_file_gets_a_plain_line_now_and_then(stderr, clock):
    written = stderr(terminal=False)
    with WatchBar() as bar:
        for second in range(100):
            clock.now_s += 1
            bar.update(watched(second))
    lines = written.getvalue().splitlines()
    assert "\r" not in written.getvalue()
    assert lines == [
        " 14%  0/2  0:29  5.8x real time  door.mp4",
        " 30%  0/2  0:59  11.8x real time  door.mp4",
        " 44%  0/2  1:29  17.8x real time  door.mp4",
        " 50%  0/2  1:39  19.8x real time  door.mp4",
    ]


def test_what_is_soon_done_writes_one_line_into_a_file(stderr):
    written = stderr(terminal=False)
    with WatchBar() as bar:
        bar.update(watched(50.0))
        bar.update(watched(100.0, done=2))
    assert written.getvalue() == "100%  2/2  1:40  20.0x real time  door.mp4\n"


def test_a_terminal_gets_a_bar(stderr):
    written = stderr(terminal=True)
    with WatchBar() as bar:
        bar.update(watched(50.0))
    assert "\r|" in written.getvalue()
    assert "0/2  0:50  10.0x real time  door.mp4" in written.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
def test_an_archive_says_what_failed(stderr, clock, terminal):
    written = stderr(terminal=terminal)
    with ArchiveBar() as bar:
        clock.now_s += 60
        bar.update(
            ArchiveProgress(
                source="/footage/a.mkv",
                done=1,
                total=4,
                done_s=1800.0,
                total_s=7200.0,
                failed=1,
                workers=2,
                left_s=180.2,
            )
        )
    assert "1/4  30:00 of 2:00:00  30.0x real time  about 3:00 left  1 failed  a.mkv" in written.getvalue()
    assert ("gone" in written.getvalue()) == terminal
    assert terminal or written.getvalue().startswith(" 25%  ")
