"""Hearing aside: within its share, whatever dies; nothing that was forgotten comes back."""

import functools
import importlib.util
import math
import os
import signal
import threading

import numpy as np
import pytest

from hippocam.apps.live.senses.hearing import LiveHearing
from hippocam.apps.live.senses.listener import Heard, Listener, Sentence
from hippocam.models.senses.speech import Speech, Word
from hippocam.stream.errors import HippocamError
from hippocam.stream.live.messages import Sound
from hippocam.stream.sources.sound import RATE, read_sound

# What another process can be given without a module of this test: a function that says the same of any sound.
SAYS_GOOD_DAY = functools.partial({"said": [[Word(0.5, 1.0, " Good"), Word(1.0, 1.5, " day.")]]}.get, "said")


class Script:
    """Hears windows as the test says: seconds of the processor that each takes, or what goes wrong."""

    def __init__(self, *steps):
        self.steps, self.started, self.closed = list(steps), 0, 0
        self.begun, self.go = threading.Semaphore(0), threading.Event()

    def __call__(self, writing):
        self.started += 1
        return self

    def hear(self, samples_N):
        step = self.steps.pop(0) if self.steps else 0.0
        self.begun.release()
        if step == "wait":
            assert self.go.wait(60)
            step = 0.0
        if isinstance(step, BaseException):
            raise step
        return Heard([Sentence(1.0, 2.0, f"{len(samples_N) / RATE:g} s")], step)

    def close(self):
        self.closed += 1


def put(hearing, *seconds, stream="door", from_s=1000.0):
    """Put windows of some seconds, with gaps between them; the last is complete once nothing follows."""
    for each in seconds:
        hearing.windows.put(stream, Sound(taken_s=from_s, samples_N=np.zeros(round(each * RATE), np.int16)))
        from_s += each + 10


def said(hearing):
    return [(one.stream, one.t0_s, one.text) for one in hearing.said()]


def test_what_was_said_has_the_times_of_the_camera():
    with LiveHearing(None, 1.0, Script()) as hearing:
        put(hearing, 4, 6)
        hearing.end(60)
    assert said(hearing) == [("door", 1001.0, "4 s"), ("door", 1015.0, "6 s")]
    assert said(hearing) == []
    assert hearing.heard_s("door") == (10.0, 0.0)


def test_what_takes_more_than_its_share_waits_and_is_heard_at_the_end_as_far_as_there_is_time():
    script = Script(1e6)  # after the first window the share is used up for ever
    with LiveHearing(None, 0.1, script) as hearing:
        put(hearing, 4, 4, 4)
        assert script.begun.acquire(timeout=60)
        assert not script.begun.acquire(timeout=0.7)
        assert hearing.status()["waiting_s"] == 8.0
        assert hearing.heard_s("door") == (4.0, 0.0)
        hearing.end(60)
    assert [text for _, _, text in said(hearing)] == ["4 s"] * 3


def test_without_time_at_the_end_the_rest_is_left_out_and_told():
    script = Script(1e6)
    with LiveHearing(None, 0.1, script) as hearing:
        put(hearing, 4, 5, 6)
        assert script.begun.acquire(timeout=60)
    assert script.closed == 1
    assert sum(hearing.heard_s("door")) == 15
    assert hearing.status()["waiting_s"] == 0


def test_a_process_that_dies_is_started_again_and_its_window_is_left_out():
    script = Script(EOFError())
    with LiveHearing(None, 1.0, script) as hearing:
        put(hearing, 4, 6)
        hearing.end(60)
    assert [text for _, _, text in said(hearing)] == ["6 s"]
    assert script.started == 2
    assert hearing.heard_s("door") == (6.0, 4.0)
    assert hearing.status()["error"] == ""


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([HippocamError("no weights")], "no weights"),
        ([EOFError()] * 9, "the process that hears died again and again"),
    ],
)
def test_where_nothing_can_be_heard_the_cameras_go_on_and_it_is_told(steps, told):
    with LiveHearing(None, 1.0, Script(*steps)) as hearing:
        put(hearing, *[4] * 9)
        hearing.end(60)
    assert hearing.status()["error"] == told
    assert hearing.heard_s("door") == (0.0, 36.0)
    assert said(hearing) == []


def test_what_is_forgotten_while_it_is_heard_is_not_handed_over():
    script = Script(0.0, "wait")
    with LiveHearing(None, 1.0, script) as hearing:
        put(hearing, 4, 4)
        put(hearing, 4, stream="gate", from_s=2000.0)
        assert script.begun.acquire(timeout=60)
        hearing.windows.put("door", Sound(taken_s=1500.0, samples_N=np.zeros(RATE, np.int16)))  # ends the second
        assert script.begun.acquire(timeout=60)
        hearing.drop(lambda stream, from_s, to_s: stream == "door")
        script.go.set()
        hearing.end(60)
    assert {stream for stream, _, _ in said(hearing)} == {"gate"}


def test_another_process_hears_and_is_gone_when_it_is_killed():
    listener = Listener(Speech(recognise=SAYS_GOOD_DAY))
    try:
        heard = listener.hear(np.zeros(RATE, np.int16))
        assert list(heard.sentences) == [(0.5, 1.5, "Good day.")]
        assert heard.took_s >= 0
        assert os.getpriority(os.PRIO_PROCESS, listener.pid) > os.getpriority(os.PRIO_PROCESS, 0)
        os.kill(listener.pid, signal.SIGKILL)
        with pytest.raises(EOFError):
            listener.hear(np.zeros(RATE, np.int16))
    finally:
        listener.close()


@pytest.mark.skipif(
    importlib.util.find_spec("faster_whisper") is None, reason="the extra [speech] is not installed"
)
def test_real_speech_is_heard_in_windows_of_a_live_camera(shared_data):
    """The truth is what this film's narrator is published to say."""
    sound_N, _ = read_sound(shared_data / "video/explainer/wanna_work_together_cc.mp4", "film", 0.0, math.inf)
    hearing = LiveHearing(Speech(), 1.0)
    with hearing:
        for at in range(0, 45 * RATE, RATE // 2):
            samples_N = (sound_N[at : at + RATE // 2] * 32767).astype(np.int16)
            hearing.windows.put("film", Sound(taken_s=at / RATE, samples_N=samples_N))
        hearing.end(120)
    heard = {one.text.casefold(): one.t0_s for one in hearing.said()}
    text = " ".join(heard)
    assert "share your creativity" in text
    assert "accomplish great things" in text
