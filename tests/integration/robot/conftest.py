"""What several tests of robots need: a policy that was taught in seconds, policy servers, openpi's own client."""

import subprocess
import sys
import threading

import pytest

from hippocam.apps.cli.main import main


@pytest.fixture(scope="session")
def policy(made_once):
    """File of a policy of the tour."""

    def taught(folder):
        given = "--world tour --episodes 24 --steps 400 --seed 3".split()
        assert main(["robot", "train", *given, "--out", str(folder / "tour.safetensors")]) == 0

    return made_once("policy", taught) / "tour.safetensors"


@pytest.fixture(scope="session")
def openpis_python(tmp_path_factory):
    """A Python with openpi's client, which wants a NumPy below 2, and typing_extensions without saying so."""
    folder = tmp_path_factory.mktemp("openpi") / "env"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    wanted = ("openpi-client==0.1.2", "typing_extensions")
    got = subprocess.run([python, "-m", "pip", "install", "-q", *wanted], capture_output=True, text=True)
    if got.returncode:
        pytest.skip(f"openpi-client cannot be installed here: {got.stderr.strip().splitlines()[-1]}")
    return python


class PolicyServer:
    """A policy server of openpi's: tells its metadata first, then answers observations with chunks of actions.

    A reset is answered, and the prompt "fail" with a traceback as text. While `going_on` is not set nothing is.

    Args:
        chunk: Makes the chunk of an observation, by how many were answered with it.
        metadata: What it tells first.
        waits_s: How long it waits for `going_on`.
    """

    def __init__(self, chunk, metadata, waits_s):
        from websockets.sync.server import serve

        self._chunk, self._metadata, self._waits_s = chunk, metadata, waits_s
        self.seen, self.answered = [], 0
        self.going_on = threading.Event()
        self.going_on.set()
        self.server = serve(self._answer, "127.0.0.1", 0, compression=None, max_size=None)
        self.url = f"ws://127.0.0.1:{self.server.socket.getsockname()[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def _answer(self, connection):
        from hippocam.apps.robot.serve.wire import pack, unpack

        connection.send(pack(self._metadata))
        for message in connection:
            content = unpack(message)
            if content.get("reset"):
                connection.send(pack({"reset_finished": True}))
                continue
            self.seen.append(content)
            self.going_on.wait(self._waits_s)
            self.answered += 1
            if content.get("prompt") == "fail":
                connection.send("Traceback (most recent call last):\n  somewhere\nValueError: no such task")
                connection.close(1011)
                return
            connection.send(pack({"actions": self._chunk(self.answered)}))


@pytest.fixture
def policy_server():
    """Start a policy server, see `PolicyServer`; it ends with the test."""
    running = []

    def start(chunk, metadata=None, waits_s=600.0):
        running.append(PolicyServer(chunk, metadata or {}, waits_s))
        return running[-1]

    yield start
    for started in running:
        started.going_on.set()
        started.server.shutdown()
