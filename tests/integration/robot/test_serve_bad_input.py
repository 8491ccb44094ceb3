"""What a client of a served memory may get wrong, over a socket: a flag or one line, and the server goes on."""

import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack

import msgpack
import numpy as np
import pytest

pytest.importorskip("websockets", reason="extra robot is not installed")

from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

from hippocam.apps.cli.main import main
from hippocam.apps.robot import RobotMemory
from hippocam.apps.robot.intake import RobotConfig
from hippocam.apps.robot.serve.memory import MemoryService, RecallingConfig
from hippocam.apps.robot.serve.server import MOST_BYTES, RobotServer, ServeConfig
from hippocam.apps.robot.serve.wire import pack, unpack
from hippocam.apps.verify import problems_of
from hippocam.memory.memory import Memory

END_S = 600.0


def picture(size=(48, 64), level=128):
    return np.full((*size, 3), level, np.uint8)


@pytest.fixture
def address(tmp_path):
    """A served memory, whole afterwards."""
    config = RobotConfig(fps=None, slot_bytes=2_000_000, slots=64)
    with RobotMemory.open(tmp_path / "robot", encoder="palette", budget_mb=2, config=config) as memory:
        server = RobotServer(MemoryService(memory, RecallingConfig(deadline_ms=10_000)), ServeConfig(port=0))
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"ws://127.0.0.1:{server.port}"
        server.shutdown()
        thread.join(END_S)
        assert memory.status().restarts == 0
    assert not problems_of(tmp_path / "robot")


class Client:
    """A robot's connection."""

    def __init__(self, socket):
        self.socket = socket
        socket.recv()

    def ask(self, **message):
        self.socket.send(message.pop("raw", None) or pack(message))
        answer = self.socket.recv()
        return answer if isinstance(answer, str) else unpack(answer)

    def goes_on(self, time_s):
        """Look once more, and wait until that is remembered."""
        assert self.ask(image=picture(), time_s=time_s)["memory/refused"] == []
        end_s = time.monotonic() + END_S
        while not any(entry["t1_s"] >= time_s for entry in self.ask()["entries"]):
            assert time.monotonic() < end_s
            time.sleep(0.05)


@pytest.fixture
def robot_at():
    """Connect to an address."""
    with ExitStack() as connections:
        yield lambda address: Client(connections.enter_context(connect(address, compression=None, max_size=None)))


NESTED = {"a": 1}
for _ in range(30):
    NESTED = {"a": NESTED}
# what is sent, and what is flagged
FLAGGED = [
    ({"pose": np.full(7, np.nan)}, ["pose"]),
    ({"pose": np.zeros(7)}, ["pose"]),
    ({"pose": "here"}, ["pose"]),
    ({"pose": [1.0, 2.0]}, ["pose"]),
    ({"image": np.stack([picture()] * 2), "pose": [[0.0, 0.0, 0.0], [np.nan, 0.0, 0.0]]}, ["pose"]),
    ({"state": np.full(7, np.nan)}, ["state"]),
    ({"state": [[1.0], [1.0, 2.0]]}, ["state"]),
    ({"state": ["a"]}, ["state"]),
    ({"time_s": float("nan")}, ["time"]),
    ({"time_s": "now"}, ["time"]),
    ({"time_s": -5.0}, ["time went back"]),
    ({"prompt": [1]}, ["prompt"]),
    ({"prompt": "x" * 100_000}, ["text"]),
    ({"env": "\n"}, ["env"]),
    ({"image": np.zeros((4, 4), np.uint8)}, ["picture"]),
    ({"image": np.zeros((4, 4, 4), np.uint8)}, ["picture"]),
    ({"image": np.zeros((3, 70_000, 3), np.uint8)}, ["picture"]),
    ({"image": picture((1000, 1000))}, ["too large"]),
    ({"image": np.full((4, 4, 3), np.nan)}, []),
    ({"image": picture((1, 1))}, []),
    ({"image": picture((64, 48))}, []),
    ({"wrist_image": picture()}, []),  # another camera, and this one has vanished
    ({"something": {"else": np.zeros(3), "altogether": None}}, []),
    ({"depth": np.zeros((4, 4), np.float32)}, []),
    ({"pose": None, "state": None}, []),
]


def test_what_cannot_be_used_is_flagged_and_all_else_is_remembered(address, robot_at):
    robot = robot_at(address)
    for number, (message, flagged) in enumerate(FLAGGED):
        answer = robot.ask(**({"image": picture(), "time_s": float(number)} | message))
        assert answer["memory/refused"] == flagged, message
    robot.goes_on(1000.0)


def array(**parts):
    return msgpack.packb(
        {"image": {b"__ndarray__": True, **{key.encode(): value for key, value in parts.items()}}}
    )


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (array(data=b"12345678", dtype="|O", shape=[1]), "arrays of object are refused"),
        (array(data=b"12345678", dtype="|V8", shape=[1]), "arrays of |V8 are refused"),
        (array(data=b"1234", dtype="<f4", shape=[10**9]), "has other than its bytes"),
        (array(data=b"1234", dtype="<f4", shape=[-1]), "shape must be whole numbers"),
        (b"\xdd\xff\xff\xff\xff", "no message of openpi's protocol"),  # a list of four thousand millions
        (b"\x81" * 5000, "no message of openpi's protocol"),
        (b"\xc1", "no message of openpi's protocol"),
        (b"\x00", "an observation must be a map"),
        ("words", "a text, where an observation in msgpack was expected"),
        (pack({"image": np.zeros((1200, 2, 2, 3), np.uint8)}), "1000 instants, found 1200"),
        (pack(NESTED), "16 maps in one another"),
    ],
)
def test_what_is_no_observation_is_said_in_one_line_and_others_are_answered(address, robot_at, raw, said):
    other, robot = robot_at(address), robot_at(address)
    answer = robot.ask(raw=raw)
    assert said in answer
    assert "\n" not in answer
    with pytest.raises(ConnectionClosedError) as caught:
        robot.socket.recv()
    assert caught.value.rcvd.code == 1011
    other.goes_on(1.0)


def test_a_message_that_is_too_large_ends_its_connection_with_a_word_and_no_other(address, robot_at):
    other, robot = robot_at(address), robot_at(address)
    try:
        robot.socket.send(b"\x00" * (MOST_BYTES + 1))
        robot.socket.recv()
    except ConnectionClosedError as error:
        closed = error.rcvd
    assert closed.code == 1009
    assert str(MOST_BYTES) in closed.reason
    other.goes_on(1.0)


def test_two_robots_whose_times_cross_are_told_and_with_names_are_kept_apart(address, robot_at):
    one, two = robot_at(address), robot_at(address)
    assert one.ask(image=picture(), time_s=100.0)["memory/refused"] == []
    assert two.ask(image=picture(), time_s=1.0)["memory/refused"] == ["time went back"]
    assert one.ask(image=picture(), time_s=101.0, env="one")["memory/refused"] == []
    assert two.ask(image=picture(), time_s=1.0, env="two")["memory/refused"] == []
    one.goes_on(200.0)


def test_a_client_that_leaves_in_the_middle_of_an_answer_takes_nobody_with_it(address, robot_at):
    other = robot_at(address)
    for _ in range(20):
        robot = robot_at(address)
        robot.socket.send(pack({"image": picture()}))
        robot.socket.socket.close()
    other.goes_on(1e6)


def test_a_second_server_of_a_memory_is_refused_in_one_line(address, robot_at, tmp_path, capsys):
    command = ["robot", "serve", "--memory", str(tmp_path / "robot"), "--encoder", "palette", "--port", "0"]
    assert main(command) != 0
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("hippocam: ")]
    assert "writing to this memory" in line
    robot_at(address).goes_on(1.0)


def test_a_server_that_is_ended_by_its_service_manager_keeps_what_it_saw(tmp_path, robot_at):
    command = [sys.executable, "-c", "from hippocam.apps.cli.main import main; main()", "robot", "serve"]
    command += ["--memory", str(tmp_path / "ended"), "--encoder", "palette", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        robot = robot_at(server.stdout.readline().split()[2].rstrip(";"))
        for time_s in range(5):
            assert robot.ask(image=picture(), time_s=float(time_s))["memory/refused"] == []
        server.send_signal(signal.SIGTERM)
        assert server.stdout.read().startswith("5 observations; dropped: none; refused: none")
    with Memory.open_reader(tmp_path / "ended") as memory:
        (stream,) = memory.streams()
        assert stream.frames_seen == 5
        assert memory.entry_at(stream.id, 4.0) is not None
