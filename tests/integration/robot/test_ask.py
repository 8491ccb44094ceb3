"""A robot is asked afterwards: where it saw something, where it was, what it acted on, what its joints were."""

import json
import time

import numpy as np
import pytest

from hippocam import RobotMemory, Session
from hippocam.apps.cli.main import main
from hippocam.apps.robot.intake import RobotConfig

HZ, END_S = 10.0, 120.0
GREY, RED, BLUE = (120, 120, 120), (210, 25, 25), (30, 60, 205)
JOINTS = ("kLeftElbow", "left_wrist.roll", "gripper")


def colour_at(time_s):
    """Red from 2 to 4 s, blue from 6 to 8 s, red again from 10 to 12 s."""
    return RED if 2 <= time_s < 4 or 10 <= time_s < 12 else BLUE if 6 <= time_s < 8 else GREY


def picture(colour):
    image = np.full((48, 64, 3), GREY, np.uint8)
    image[4:44, 8:56] = colour
    return image


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A memory of a drive along the x axis at half a metre a second, turning slowly to the left."""
    path = tmp_path_factory.mktemp("ask") / "robot.hippo"
    config = RobotConfig(fps=None, slots=256, slot_bytes=20_000, state_names=JOINTS, action_names=("forward",))
    with RobotMemory.open(path, encoder="palette", budget_mb=4, config=config) as memory:
        for tick in range(int(14 * HZ)):
            time_s = tick / HZ
            memory.observe(
                images={"front": picture(colour_at(time_s))},
                time_s=time_s,
                state=[time_s, -time_s, 0.5],
                action=[10 * time_s],
                pose=[0.5 * time_s, 0.0, 0.1 * time_s],
                text="look around",
            )
        memory.recall("something red", deadline_ms=60_000)
        memory.observe(images={"front": picture(GREY)}, time_s=14.5, mark="asked", text="look around")
        until_s, blue = time.monotonic() + END_S, []
        while not blue and time.monotonic() < until_s:
            found = memory.recall("something blue", deadline_ms=60_000, before_s=9.0)
            blue = [entry.id for entry in found.entries if entry.id and entry.t0_s < 7 < entry.t1_s]
        memory.observe(images={"front": picture(GREY)}, time_s=14.9, text="look around")
        for time_s in (15.0, 15.1, 15.2):
            memory.acted(time_s, [1.0], used=blue[:1])
    return path


def asked(capsys, folder, question):
    assert main(["ask", "--memory", str(folder), "--json", question]) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_what_it_acted_on_is_shown(capsys, folder):
    told = asked(capsys, folder, "What did you act on at 15 s?")
    assert told["answer"].startswith("At 0:15 to 0:15.2 in robot/000000/front the robot acted on what it saw at")
    (moment,) = told["evidence"]
    assert moment["t0_s"] <= 6.5
    assert 7.5 <= moment["t1_s"] <= 9.0
    assert told["cited"] == [moment["id"]]
    assert asked(capsys, folder, "What did the robot act on?")["cited"] == [moment["id"]]


def test_of_a_time_in_which_nothing_was_acted_on_it_says_so(capsys, folder):
    told = asked(capsys, folder, "What did you act on at 3 s?")
    assert told["unknown"]
    assert told["answer"].startswith("The memory was not told that anything was acted on then.")


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (
            "What was the joint state at 5 s?",
            "state was kLeftElbow {t:.4g}, left_wrist.roll -{t:.4g}, gripper 0.5",
        ),
        ("What was the left elbow at 5 seconds?", "state was kLeftElbow {t:.4g} ["),
        ("what was the wrist roll at 0:05?", "state was left_wrist.roll -{t:.4g} ["),
        ("What was the action at 5 s?", "action was forward {t10:.4g} ["),
        ("What was the command at 2 s?", "action was forward {t10:.4g} ["),
    ],
)
def test_numbers_are_told_with_their_names_as_they_were_at_that_time(capsys, folder, question, said):
    """The robot's state is its time, so what is told of a time proves itself."""
    told = asked(capsys, folder, question)
    when = told["answer"].split()[1]
    minutes, seconds = when.split(":")
    time_s = 60 * int(minutes) + float(seconds)
    assert abs(time_s - (2 if " 2 s" in question else 5)) <= 0.5
    assert said.format(t=time_s, t10=10 * time_s) in told["answer"]


@pytest.mark.parametrize("question", ["Where were you at 8 s?", "where was the robot at 0:08?"])
def test_where_it_was(capsys, folder, question):
    told = asked(capsys, folder, question)
    x = float(told["answer"].split(" x ")[1].split()[0])
    assert x == pytest.approx(4.0, abs=0.3)
    heading = float(told["answer"].split("heading ")[1].partition("°")[0])
    assert heading == pytest.approx(np.degrees(0.8), abs=4)


def test_between_two_events_it_was_where_it_was_just_before(capsys, folder):
    told = asked(capsys, folder, "Where were you at 14.2 s?")
    x = float(told["answer"].split(" x ")[1].split()[0])
    assert x == pytest.approx(7.0, abs=0.2)
    assert "robot was at" not in asked(capsys, folder, "Where were you at 20 s?")["answer"]


def test_where_something_was_seen_last_is_told_with_time_place_and_frame(capsys, folder):
    told = asked(capsys, folder, "Where did you last see something red?")
    place = told["sentences"][-1]
    assert place["text"].startswith("The robot was at x ")
    x = float(place["text"].split(" x ")[1].split()[0])
    assert 5.0 <= x <= 6.5  # it passed the second red thing from x = 5 to 6 m
    assert "; the frame that is kept of it is of 0:" in place["text"]
    assert place["evidence"][0] in told["cited"]


def test_other_questions_are_not_taken_for_these(folder):
    with Session(folder) as session:
        for question in (
            "What is the weather at 5 s?",
            "Where was the red thing at 3 s?",
            "What is the film based on?",
        ):
            answer = session.ask(question).answer
            assert "the robot's state" not in answer
            assert "acted on" not in answer
