"""A robot's memory with its processes: what it takes and gives, and what its loop does while they are gone.

No outcome depends on speed: each wait is for an event, with an end that a machine ten times too busy keeps.
"""

import os
import signal
import time

import numpy as np
import pytest

from hippocam.apps.robot import RobotMemory
from hippocam.apps.robot.intake import RobotConfig
from hippocam.apps.session import Session
from hippocam.apps.verify import problems_of
from hippocam.memory.memory import Memory
from hippocam.stream.errors import HippocamError

END_S = 600.0
COLOURS = {"red": (220, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 220)}


def picture(colour, size=(48, 64)):
    """A room in which a square of a colour stands."""
    image = np.full((*size, 3), 128, np.uint8)
    image[8:40, 16:48] = COLOURS[colour]
    return image


def until(condition, what):
    """Wait for an event."""
    end_s = time.monotonic() + END_S
    while not (found := condition()):
        assert time.monotonic() < end_s, f"waited in vain for {what}"
        time.sleep(0.05)
    return found


def opened(folder, **more):
    config = RobotConfig(**({"fps": None, "slots": 64, "slot_bytes": 100_000} | more))
    return RobotMemory.open(folder, encoder="palette", budget_mb=2, config=config)


class Robot:
    """Gives a memory observations, in order."""

    def __init__(self, memory, env=""):
        self.memory, self.env, self.time_s = memory, env, 0.0

    def look(self, colour, count=8, **more):
        for _ in range(count):
            self.time_s += 0.5
            self.memory.observe(images={"front": picture(colour)}, time_s=self.time_s, env=self.env, **more)
            time.sleep(0.002)

    def recall(self, question, **more):
        return self.memory.recall(question, now=self.time_s, deadline_ms=60_000, **more)

    def up_to_date(self):
        """Wait until everything that was given was taken in, and what the memory held was read."""

        def newest():
            found = self.recall(None, env=self.env)
            return found if found.complete and found.as_of_s == self.time_s else None

        return until(newest, "the newest observation")


def test_it_finds_what_is_open_and_what_was_written_and_says_how_old_that_is(tmp_path):
    with opened(tmp_path / "robot") as memory:
        robot = Robot(memory)
        robot.look("red", pose=[1.0, 0.0, 0.0], text="tidy up")
        found = robot.up_to_date()
        assert not found.stale
        assert found.complete
        assert found.age_ms == 0.0
        found = robot.recall("something red")
        assert [entry.id for entry in found.entries] == [""]  # its event is open
        assert found.entries[0].pose[0] == 1.0
        robot.look("blue", pose=[5.0, 0.0, 0.0], text="tidy up", mark="at the shelf")
        robot.look("green", pose=[5.0, 5.0, 1.5], text="tidy up", mark="at the door")
        robot.up_to_date()
        found = until(lambda: (f := robot.recall("something red")).entries[0].id and f, "a written entry")
        best = found.entries[0]
        assert 0.0 < best.t0_s <= best.t1_s <= 4.5
        assert best.pose[0] == 1.0
        assert best.image.endswith(".jpg")
        assert "tidy up" in best.text
        assert np.linalg.norm(best.vector) == pytest.approx(1.0, abs=1e-3)
        assert robot.recall(picture("blue")).entries[0].pose[0] == 5.0
        assert robot.recall(best.vector).entries[0].id == best.id
        recaller = memory.recaller_pid
        assert not robot.recall(np.ones(3, np.float32)).complete  # of another encoder's space
        assert memory.recaller_pid == recaller
        near = robot.recall(None, near=(5.0, 5.0, 1.0))
        assert {tuple(entry.pose[:2]) for entry in near.entries} == {(5.0, 5.0)}
        looking = robot.recall(None, heading=1.5)
        assert {tuple(entry.pose[:2]) for entry in looking.entries} == {(5.0, 5.0)}
        later = robot.recall("something red", after_s=8.2)
        assert all(entry.t1_s > 8.2 for entry in later.entries)
        memory.acted(robot.time_s, [0.1, 0.2], used=[entry.id for entry in found.entries])
    with Memory.open_reader(tmp_path / "robot") as reader:
        assert reader.entry(int(best.id, 16)).uses >= 1
    assert not problems_of(tmp_path / "robot")
    with Session(tmp_path / "robot") as session:
        assert session.search("something red")[0].t0_s <= 4.5


def test_episodes_and_environments_are_kept_apart_and_go_on_the_next_time(tmp_path):
    with opened(tmp_path / "robot") as memory:
        left, right = Robot(memory, "left"), Robot(memory, "right")
        left.look("red")
        right.look("blue")
        memory.reset(env="left")
        left.time_s = 0.0
        left.look("green")
        right.up_to_date()
        left.up_to_date()
        streams = {entry.stream for entry in left.recall(None, env="left").entries}
        assert streams == {"left/000000/front", "left/000001/front"}
        assert {entry.stream for entry in right.recall(None, env="right").entries} == {"right/000000/front"}
        assert {entry.stream.split("/")[0] for entry in left.recall("red").entries} == {"left", "right"}
    with opened(tmp_path / "robot") as memory:
        left = Robot(memory, "left")
        left.look("red")
        left.up_to_date()
    with Memory.open_reader(tmp_path / "robot") as reader:
        held = {stream.id for stream in reader.streams()}
    assert {"left/000000/front", "left/000001/front", "left/000002/front", "right/000000/front"} == held


def test_the_loop_goes_on_while_what_remembers_is_stopped_and_is_told_that_it_is_stale(tmp_path):
    with opened(tmp_path / "robot", slots=8) as memory:
        robot = Robot(memory)
        robot.look("red")
        robot.up_to_date()
        os.kill(memory.keeper_pid, signal.SIGSTOP)
        try:
            robot.look("blue", count=3, mark="key")
            robot.look("green", count=40)
            found = robot.recall("something red")
            assert found.stale
            assert found.entries  # what was published stays
            status = memory.status()
            assert status.dropped["front"] >= 30
        finally:
            os.kill(memory.keeper_pid, signal.SIGCONT)
        robot.look("green")
        robot.up_to_date()
        memory.close()
    with Memory.open_reader(tmp_path / "robot") as reader:
        notes = reader.notes("robot/000000/front", 0.0, 1000.0)
    assert [note.t0_s for note in notes if note.text == "key"] == [4.5, 5.0, 5.5]  # none of them was dropped


def test_a_killed_process_is_started_again_and_nothing_but_the_open_event_is_lost(tmp_path):
    with opened(tmp_path / "robot") as memory:
        robot = Robot(memory)
        robot.look("red")
        robot.look("blue", mark="a key event ends the one before")
        robot.up_to_date()
        before = memory.keeper_pid
        os.kill(before, signal.SIGKILL)
        until(lambda: memory.keeper_pid != before, "another process")
        robot.look("green")
        robot.up_to_date()
        assert memory.status().restarts == 1
        found = until(lambda: [e for e in robot.recall("something red").entries if e.id], "what was written")
        assert found[0].t1_s <= 4.5
    assert not problems_of(tmp_path / "robot")


def test_recall_keeps_its_deadline_while_what_recalls_is_asleep(tmp_path):
    with opened(tmp_path / "robot") as memory:
        robot = Robot(memory)
        robot.look("red")
        robot.up_to_date()
        os.kill(memory.recaller_pid, signal.SIGSTOP)
        try:
            for _ in range(4):  # more than a pipe holds, were pictures sent through it
                assert not memory.recall(np.zeros((150, 200, 3), np.uint8), deadline_ms=1).complete
            for _ in range(200):  # more than a pipe holds, were each request sent
                found = memory.recall("something red", now=robot.time_s, deadline_ms=1)
                assert (found.entries, found.stale, found.complete) == ((), True, False)
        finally:
            os.kill(memory.recaller_pid, signal.SIGCONT)
        until(lambda: memory.recall("something red", now=robot.time_s, deadline_ms=1000).complete, "an answer")
        before = memory.recaller_pid
        os.kill(before, signal.SIGKILL)
        until(lambda: memory.recaller_pid != before, "another process")
        until(lambda: memory.recall("something red", now=robot.time_s, deadline_ms=1000).entries, "an answer")


def test_a_second_writer_is_refused_in_one_line_and_the_first_goes_on(tmp_path):
    with opened(tmp_path / "robot") as memory:
        with pytest.raises(HippocamError) as caught:
            opened(tmp_path / "robot")
        assert "\n" not in str(caught.value)
        robot = Robot(memory)
        robot.look("red")
        robot.up_to_date()


def test_pictures_that_change_their_size_or_are_too_large_do_not_stop_the_loop(tmp_path):
    with opened(tmp_path / "robot") as memory:
        robot = Robot(memory)
        robot.look("red")
        assert memory.observe(images={"front": picture("red", (60, 90))}, time_s=90.0)
        assert not memory.observe(images={"front": np.zeros((400, 400, 3), np.uint8)}, time_s=91.0)
        assert memory.status().refused == {"too large": 1}
        robot.time_s = 92.0
        robot.look("blue")
        robot.up_to_date()
