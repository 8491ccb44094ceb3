"""A camera behind a real RTSP server: what it shows is found, and it comes back when it was away."""

import itertools
import signal
import time

import numpy as np
import pytest

from hippocam.stream.live.address import parse_address
from hippocam.stream.live.capture import sample
from hippocam.stream.live.messages import Captured, Sound
from hippocam.stream.sources.cameras.pyav import read_url
from hippocam.stream.sources.sound import RATE


@pytest.fixture(scope="module")
def helpers(load_helpers):
    found = load_helpers("live_process.py")
    if found.rtsp_python() is None:
        pytest.skip(
            "no RTSP server: apt install gir1.2-gst-rtsp-server-1.0 gir1.2-gst-plugins-base-1.0 "
            "gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly python3-gi"
        )
    return found


def test_a_change_is_found_at_once_and_another_size_or_a_restart_of_the_server_goes_on(helpers, tmp_path):
    memory = tmp_path / "m"
    options = ("--fps", 4, "--look-back-mb", 2)
    with helpers.RtspServer() as server, helpers.Live(memory, f"cam={server.url}", *options) as live:
        live.wait_for(lambda row: row["seen"] > 2)
        changed_s = time.time()
        server.say("red")
        (red,) = helpers.until(lambda: helpers.find(memory, "red", stream="cam"))
        assert red.id.startswith("open-")
        assert red.t0_s > changed_s - 1
        server.say("size 160x120")
        row = live.wait_for(lambda row: row["size"] == [160, 120])
        row = live.wait_for(lambda now: now["seen"] > row["seen"] + 2)
        assert (row["resizes"], row["restarts"], row["dropped"], row["gaps"]) == (1, 0, 0, 0)
        cut_s = time.time()
        server.kill()
        time.sleep(1)
        server.start("blue")
        helpers.until(lambda: helpers.find(memory, "blue", stream="cam"))
        after = live.wait_for(lambda row: row["state"] == "live")
        assert after["restarts"] >= 1
        assert live.end() == 0
    assert_true_times(helpers, live, cut_s, after["last_s"])
    assert "secret" not in "".join([*live.errors, *live.lines, live.place.log.read_text()])
    assert b"secret" not in (memory / "memory.db").read_bytes()


def test_a_network_that_falls_silent_is_noticed_and_its_return_too(helpers, tmp_path):
    options = ("--fps", 4, "--stall", "2s", "--look-back-mb", 0)
    with helpers.RtspServer() as server, helpers.Live(tmp_path / "m", f"cam={server.url}", *options) as live:
        live.wait_for(lambda row: row["seen"] > 4)
        cut_s = time.time()
        server.signal(signal.SIGSTOP)
        live.wait_for(lambda row: row["restarts"] >= 1)
        server.signal(signal.SIGCONT)
        back_s = time.time()
        after = live.wait_for(lambda row: row["state"] == "live" and row["last_s"] > back_s)
        assert live.end() == 0
    assert_true_times(helpers, live, cut_s, after["last_s"])


def test_what_is_heard_has_the_time_of_what_is_seen(helpers):
    seen_s = heard_s = None
    with helpers.RtspServer() as server:
        arrivals = read_url(parse_address(server.url), longest=64, timeout_s=30, recorder=None, sound=True)
        for number, message in enumerate(sample(arrivals, 15, trust_pts=True)):
            if number == 60:
                server.say("red, loud")
            if isinstance(message, Captured) and seen_s is None and message.image[..., 1].mean() < 60:
                seen_s = message.taken_s
            if isinstance(message, Sound) and heard_s is None:
                over = np.flatnonzero(np.abs(message.samples_N) > 3000)
                heard_s = message.taken_s + over[0] / RATE if len(over) else None
            if seen_s is not None and heard_s is not None:
                break
        arrivals.close()
    assert heard_s == pytest.approx(seen_s, abs=0.3)


def assert_true_times(helpers, live, cut_s, back_s):
    """What was seen lies on both sides of a cut, in order, and nothing spans a gap."""
    spans = helpers.spans(live.memory, "green", "red", "blue")
    assert spans[0][0] < cut_s < spans[-1][1]
    assert spans[-1][1] >= back_s - 1
    assert all(a[1] <= b[0] + 0.01 for a, b in itertools.pairwise(spans))
    for gap in live.logged("gap"):
        assert not any(t0_s < gap["to_s"] - 0.1 and t1_s > gap["from_s"] + 0.1 for t0_s, t1_s in spans)
    states = [row["state"] for row in live.logged("state")]
    assert states[0] == "live"
    assert "away" in states
