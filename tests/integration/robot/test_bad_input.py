"""What a robot may get wrong, against a real memory: it is flagged or said in one line, and the loop goes on.

Every case observes as a loop does, and ends with an observation that is taken in as if nothing had been.
"""

import os
import signal
import subprocess
import time
from contextlib import suppress

import numpy as np
import pytest

from hippocam.apps.cli.main import main
from hippocam.apps.robot import RobotMemory
from hippocam.apps.robot.intake import RobotConfig
from hippocam.apps.verify import problems_of
from hippocam.memory.memory import Memory
from hippocam.stream.errors import HippocamError

END_S = 600.0
LARGE = 10**400


def picture(size=(48, 64), level=128):
    return np.full((*size, 3), level, np.uint8)


def until(condition, what):
    end_s = time.monotonic() + END_S
    while not (found := condition()):
        assert time.monotonic() < end_s, f"waited in vain for {what}"
        time.sleep(0.05)
    return found


def opened(folder, budget_mb=4, **more):
    config = RobotConfig(**({"fps": None, "slots": 64, "slot_bytes": 2_000_000} | more))
    return RobotMemory.open(folder, encoder="palette", budget_mb=budget_mb, config=config)


def taken_in(memory, time_s, env=""):
    """Wait until the memory knows an environment up to a time."""
    return until(
        lambda: (
            (found := memory.recall(None, now=time_s, deadline_ms=60_000, env=env)).as_of_s == time_s and found
        ),
        f"what was seen at {time_s}",
    )


def events(folder, stream):
    """Times of the entries of a stream."""
    with Memory.open_reader(folder) as reader:
        rows = reader.store.entries.rows(stream, (-float("inf"), 0), 1000)
        return [(span.t0_s, span.t1_s) for row in rows for span in row.entry.spans]


OBJECTS = np.array([object()])
# what is given in place of what is right, and what is counted; "" where it is taken as it is
WRONG = [
    ("images", None, ""),
    ("images", [picture()], "images"),
    ("images", picture(), "images"),
    ("images", {"front": None}, "picture"),
    ("images", {"front": picture() / 255}, "picture"),
    ("images", {"front": OBJECTS}, "picture"),
    ("images", {"front": np.zeros((4, 4), np.uint8)}, "picture"),
    ("images", {"front": np.zeros((4, 4, 4), np.uint8)}, "picture"),
    ("images", {"front": np.zeros((0, 4, 3), np.uint8)}, "picture"),
    ("images", {"front": np.zeros((1, 70_000, 3), np.uint8)}, "picture"),
    ("images", {"front": np.zeros((1000, 1000, 3), np.uint8)}, "too large"),
    ("images", {"front": picture()[:1, :1]}, ""),
    ("images", {"front": picture()[:, ::-1]}, ""),
    ("images", {5: picture()}, ""),
    ("images", {None: picture(), "front": picture()}, "camera"),
    ("images", {"\ud800": picture()}, "camera"),
    ("images", {"\x1b[31m": picture()}, "camera"),
    ("images", {"x" * 5000: picture()}, "camera"),
    ("pose", [np.nan] * 7, "pose"),
    ("pose", [np.inf, 0, 0], "pose"),
    ("pose", [1e300] * 7, "pose"),
    ("pose", [0.0] * 7, "pose"),
    ("pose", [LARGE, 0, 0], "pose"),
    ("pose", "here", "pose"),
    ("pose", OBJECTS, "pose"),
    ("pose", [1, 2], "pose"),
    ("state", [np.nan] * 7, "state"),
    ("state", OBJECTS, "state"),
    ("state", [[1], [1, 2]], "state"),
    ("state", [LARGE], "state"),
    ("state", [1e300], "state"),
    ("state", [1j], "state"),
    ("state", {"a": 1}, "state"),
    ("state", np.zeros(70_000), "state"),
    ("state", [0.0] * 6, ""),
    ("action", [np.nan], "action"),
    ("action", "left", "action"),
    ("text", None, ""),
    ("text", b"words", "text"),
    ("text", "\ud800 \0", ""),
    ("text", "x" * 100_000, "text"),
    ("mark", 5, "mark"),
    ("mark", "\ud800", ""),
    ("env", None, "env"),
    ("env", [1], "env"),
    ("env", "\ud800", "env"),
    ("time_s", np.nan, "time"),
    ("time_s", None, "time"),
    ("time_s", "now", "time"),
    ("time_s", LARGE, "time"),
    ("time_s", np.array([1.0, 2.0]), "time"),
    ("time_s", -5.0, "time went back"),
]


def test_whatever_is_observed_is_counted_by_its_reason_and_ends_no_process(tmp_path):
    with opened(tmp_path / "robot", gripper=-1) as memory:
        processes = memory.keeper_pid, memory.recaller_pid
        for number, (what, value, reason) in enumerate(WRONG):
            before = memory.status().refused
            right = {
                "time_s": float(number),
                "images": {"front": picture(), "wrist": picture()},
                "state": [0.0] * 7,
                "action": [0.0],
                "pose": [0.0, 0.0, 0.0],
                "env": "known",
            }
            assert memory.observe(**(right | {what: value})) is not bool(reason), (what, value)
            new = {
                key: count - before.get(key, 0)
                for key, count in memory.status().refused.items()
                if count != before.get(key, 0)
            }
            assert new == ({reason: 1} if reason else {}), (what, value)
            time.sleep(0.005)
        memory.observe(time_s=1000.0, images={"front": picture()}, env="known")
        taken_in(memory, 1000.0, "known")
        assert (memory.keeper_pid, memory.recaller_pid) == processes
        assert memory.status().error == ""
    assert not problems_of(tmp_path / "robot")
    with Memory.open_reader(tmp_path / "robot") as reader:
        assert {stream.id for stream in reader.streams()} == {"known/000000/5", *STREAMS}


STREAMS = ("known/000000/front", "known/000000/wrist")
# what is asked in place of what is right
UNANSWERED = [
    {"question": OBJECTS},
    {"question": 5},
    {"question": np.full(48, np.nan, np.float32)},
    {"question": np.zeros((3, 3), np.uint8)},
    {"near": (np.nan, 0.0, 1.0)},
    {"near": (0.0, 0.0)},
    {"near": "there"},
    {"heading": np.nan},
    {"heading": "north"},
    {"after_s": "then"},
    {"before_s": np.nan},
    {"now": np.nan},
    {"now": "now"},
    {"deadline_ms": None},
    {"deadline_ms": np.nan},
    {"env": [1]},
]
ACTS = [
    {"used": [None]},
    {"used": None},
    {"used": "ab"},
    {"used": ["f" * 16]},
    {"used": ["f" * 40]},
    {"used": ["zz"]},
    {"action": object()},
    {"action": [np.nan]},
    {"time_s": "now"},
    {"time_s": np.nan},
    {"env": [1]},
]


def test_what_cannot_be_searched_for_is_said_in_one_line_and_the_next_question_is_answered(tmp_path):
    with opened(tmp_path / "robot") as memory:
        memory.observe(time_s=0.0, images={"front": picture()}, pose=[0.0, 0.0, 0.0])
        taken_in(memory, 0.0)
        recaller = memory.recaller_pid
        for asked in UNANSWERED:
            found = memory.recall(**({"question": "grey", "deadline_ms": 60_000} | asked))
            assert found.error, asked
            assert "\n" not in found.error
            assert not found.complete
            assert found.entries == ()
        for question in ("", "x" * 100_000, "\ud800", None, picture()):
            assert memory.recall(question, deadline_ms=60_000).entries
        assert memory.recall("grey", top=-3, deadline_ms=60_000).entries == ()
        assert memory.recall("grey", heading=[0, 1], deadline_ms=60_000).entries
        assert memory.recaller_pid == recaller


def test_an_act_that_cannot_be_kept_is_counted_and_the_next_one_is(tmp_path):
    with opened(tmp_path / "robot") as memory:
        memory.observe(time_s=0.0, images={"front": picture()})
        keeper = memory.keeper_pid
        for number, wrong in enumerate(ACTS):
            memory.acted(**({"time_s": float(number), "action": [1.0], "used": []} | wrong))
            assert sum(memory.status().refused.values()) == number + 1, wrong
        for env in (None, [1]):
            memory.reset(env=env)
        memory.observe(time_s=100.0, images={"front": picture()})
        taken_in(memory, 100.0)
        assert memory.keeper_pid == keeper


def test_a_camera_that_vanishes_and_one_that_changes_its_size_keep_what_they_saw(tmp_path):
    sizes = [(48, 64), (64, 48), (1, 1), (200, 300), (48, 64)]
    with opened(tmp_path / "robot") as memory:
        time_s = 0.0
        for size in sizes:
            for level in (40, 200):
                time_s += 1.0
                images = {"front": picture(size, level)}
                if size == (48, 64):
                    images["wrist"] = picture(level=255 - level)
                assert memory.observe(time_s=time_s, images=images, mark="looks")
        taken_in(memory, time_s)
    whole = {"robot/000000/front": (1.0, 10.0), "robot/000000/wrist": (1.0, 10.0)}
    for stream, (first_s, last_s) in whole.items():
        spans = events(tmp_path / "robot", stream)
        assert min(t0_s for t0_s, _ in spans) == first_s
        assert max(t1_s for _, t1_s in spans) == last_s
    between = [
        span for span in events(tmp_path / "robot", "robot/000000/wrist") if span[0] < 8.9 and span[1] > 2.1
    ]
    assert between == []  # nothing is said of it for the time in which it was not there
    assert not problems_of(tmp_path / "robot")


def test_nobody_else_writes_into_a_robots_memory_while_it_is_attached(tmp_path, capsys):
    folder = tmp_path / "robot"
    still = tmp_path / "pictures"
    still.mkdir()
    import cv2

    cv2.imwrite(str(still / "000000.png"), picture())
    with opened(folder) as memory:
        with pytest.raises(HippocamError) as caught:
            opened(folder)
        assert "\n" not in str(caught.value)
        assert main(["watch", str(still), "--memory", str(folder), "--encoder", "palette"]) != 0
        (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("hippocam: ")]
        assert "writing to this memory" in line
        memory.observe(time_s=1.0, images={"front": picture()})
        taken_in(memory, 1.0)


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a small file system cannot be mounted here (it takes root)")
    yield folder
    subprocess.run(["umount", folder], check=True)


def noise(seed):
    """A picture that takes its full size as a JPEG."""
    return np.random.default_rng(seed).integers(0, 256, (240, 320, 3), np.uint8)


def test_on_a_full_disk_the_loop_goes_on_and_the_memory_does_once_there_is_room(small_disk):
    folder = small_disk / "robot"
    with opened(folder, budget_mb=1) as memory:
        for number in range(4):
            memory.observe(time_s=float(number), images={"front": noise(number)}, mark="before")
        taken_in(memory, 3.0)
        ballast = small_disk / "ballast"
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 512)
        keeper, time_s = memory.keeper_pid, 10.0

        def goes_on(mark):
            nonlocal time_s
            time_s += 1.0
            assert memory.observe(time_s=time_s, images={"front": noise(int(time_s))}, mark=mark)
            return memory.status().error

        error = until(lambda: goes_on("while it is full"), "a word of the full disk")
        assert "\n" not in error
        assert "room on its disk" in error or "free some disk space" in error
        assert memory.recall(None, now=time_s, deadline_ms=60_000).entries  # what was kept can be recalled
        ballast.unlink()
        until(lambda: not goes_on("after"), "an open memory")
        taken_in(memory, time_s)
        assert memory.keeper_pid == keeper
        assert memory.status().restarts == 0
    assert not problems_of(folder)
    spans = events(folder, "robot/000000/front")
    assert min(t0_s for t0_s, _ in spans) == 0.0
    assert max(t1_s for _, t1_s in spans) == time_s


def test_a_loop_that_ends_while_what_remembers_is_stopped_says_nothing_and_ends(tmp_path):
    memory = opened(tmp_path / "robot")
    memory.observe(time_s=0.0, images={"front": picture()})
    taken_in(memory, 0.0)
    os.kill(memory.keeper_pid, signal.SIGSTOP)
    memory.observe(time_s=1.0, images={"front": picture()})
    memory.close(wait_s=0.5)
    assert not problems_of(tmp_path / "robot")
