"""Capture processes as they really are: started, silent, gone."""

import multiprocessing
import os
import struct
import time

import pytest

from hippocam.stream.live import process
from hippocam.stream.live.address import LiveAddress
from hippocam.stream.live.capture import CaptureConfig
from hippocam.stream.live.messages import Captured, Ended, Failed, Message
from hippocam.stream.live.process import ProcessCapture


def received(capture, timeout_s=600.0) -> Message:
    deadline_s = time.monotonic() + timeout_s
    while (message := capture.receive(0.1)) is None:
        assert time.monotonic() < deadline_s
    return message


def test_a_process_sends_frames_and_its_end(tmp_path, media):
    media.render_video(tmp_path / "a.mp4", frames=10, fps=25)
    address = LiveAddress(kind="file", target=str(tmp_path / "a.mp4"), uri="live:a", id="a")
    capture = ProcessCapture(address, CaptureConfig(fps=1000))
    messages = []
    while not messages or not isinstance(messages[-1], Ended):
        messages.append(received(capture))
    shown = [media.read_number(m.image) for m in messages if isinstance(m, Captured)]
    assert shown == list(range(10))
    with pytest.raises(EOFError):
        received(capture)
    capture.kill()


def test_what_cannot_be_opened_is_told_and_the_process_ends():
    address = LiveAddress(kind="file", target="/nowhere.mp4", uri="live:x", id="x")
    capture = ProcessCapture(address, CaptureConfig())
    assert isinstance(received(capture), Failed)
    pid = capture.pid
    capture.kill()
    assert not os.path.exists(f"/proc/{pid}")


class Half:
    """In place of a process that stops in the middle of a message."""

    def __init__(self, theirs):
        self.theirs, self.killed = theirs, False

    def kill(self):
        self.killed = True
        self.theirs.close()


def test_a_process_that_stops_in_the_middle_of_a_message_is_killed(monkeypatch):
    monkeypatch.setattr(process, "_END_S", 0.2)
    ours, theirs = multiprocessing.Pipe(duplex=False)
    os.write(theirs.fileno(), struct.pack("!i", 1000) + b"only the beginning")
    capture = object.__new__(ProcessCapture)
    capture._connection, capture._process = ours, Half(theirs)
    with pytest.raises(EOFError):
        capture.receive(1.0)
    assert capture._process.killed
    ours.close()
