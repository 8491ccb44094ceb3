"""A memory behind openpi's protocol; its own client speaks to it where that can be installed."""

import subprocess
import threading
import time
import urllib.error
import urllib.request

import msgpack
import numpy as np
import pytest

pytest.importorskip("websockets", reason="extra robot is not installed")

from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import connect

from hippocam.apps.robot import RobotMemory
from hippocam.apps.robot.intake import RobotConfig
from hippocam.apps.robot.serve.memory import MemoryService, RecallingConfig
from hippocam.apps.robot.serve.server import RobotServer, ServeConfig
from hippocam.apps.robot.serve.wire import pack, unpack
from hippocam.stream.errors import HippocamError

END_S = 600.0
RED, BLUE = (220, 20, 20), (20, 20, 220)


def picture(colour):
    image = np.full((48, 64, 3), 128, np.uint8)
    image[8:40, 16:48] = colour
    return image


@pytest.fixture
def memory(tmp_path):
    config = RobotConfig(fps=None, slot_bytes=200_000)
    with RobotMemory.open(tmp_path / "robot", encoder="palette", budget_mb=2, config=config) as opened:
        yield opened


@pytest.fixture
def served(memory):
    """Serve the memory; call it with a config, get an address."""
    running = []

    def start(*, upstream=None, recalling=None, **config):
        recalling = {"upstream": upstream, "deadline_ms": 10_000} | (recalling or {})
        service = MemoryService(memory, RecallingConfig(**recalling))
        server = RobotServer(service, ServeConfig(port=0, **config))
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        running.append((server, thread))
        return f"127.0.0.1:{server.port}"

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join(END_S)


@pytest.fixture
def other_server(policy_server):
    """A policy server whose chunks begin with how many it has answered, and count up."""
    return policy_server(
        lambda answered: np.full((10, 7), answered) + np.arange(10.0)[:, None], {"policy": "double"}
    )


def until(ask, holds):
    end_s = time.monotonic() + END_S
    while not holds(found := ask()):
        assert time.monotonic() < end_s
        time.sleep(0.05)
    return found


def test_as_a_service_it_answers_with_what_it_recalls(served):
    with connect(f"ws://{served()}", compression=None, max_size=None) as client:
        assert unpack(client.recv())["memory"] == "hippocam"
        for k, colour in enumerate([RED] * 6 + [BLUE] * 6):
            client.send(
                pack({"observation/image": picture(colour), "prompt": "something red", "time_s": float(k)})
            )
            answer = unpack(client.recv())
            added = {f"memory/{name}" for name in ("images", "ages_s", "cosines", "stale", "refused")}
            assert set(answer) == {*added, "entries"}

        def again():
            client.send(pack({"prompt": "something red"}))
            return unpack(client.recv())

        answer = until(again, lambda found: found["entries"])
        best = answer["entries"][0]
        assert best["t0_s"] <= 5.0
        assert best["stream"] == "robot/000000/camera"
        client.send(pack({"reset": True}))
        assert unpack(client.recv()) == {"reset_finished": True}


def test_before_another_server_the_answer_is_that_servers_and_it_sees_what_was_recalled(served, other_server):
    with connect(f"ws://{served(upstream=other_server.url)}", compression=None, max_size=None) as client:
        assert unpack(client.recv()) == {"policy": "double", "memory": "hippocam"}
        message = {"observation/image": picture(RED), "observation/state": np.zeros(8), "prompt": "pick"}
        client.send(pack(message))
        assert unpack(client.recv())["actions"].shape == (10, 7)
        (seen,) = other_server.seen
        assert np.array_equal(seen["observation/image"], message["observation/image"])
        assert seen["prompt"] == "pick"
        assert seen["memory/images"].shape[1:] == (224, 224, 3)
        assert len(seen["memory/ages_s"]) == len(seen["memory/images"])
        client.send(pack({"prompt": "fail"}))
        told = client.recv()
        assert told.endswith("ValueError: no such task")
        with pytest.raises(ConnectionClosedError) as caught:
            client.recv()
        assert caught.value.rcvd.code == 1011


@pytest.mark.parametrize(("kind", "held"), [("absolute", [10.0] * 10), ("relative", [0.0] * 10)])
def test_while_the_other_server_stalls_or_fails_the_robot_holds_and_then_goes_on(served, other_server, kind, held):
    address = served(upstream=other_server.url, recalling={"hold": kind, "answer_s": 0.3})

    def asked(prompt):
        client.send(pack({"prompt": prompt}))
        answer = unpack(client.recv())
        return answer["actions"][:, 0].tolist(), answer.get("policy/held", "")

    with connect(f"ws://{address}", compression=None, max_size=None) as client:
        client.recv()
        assert asked("pick") == ([1.0 + step for step in range(10)], "")
        assert asked("fail")[0] == held
        other_server.going_on.clear()
        actions, why = asked("pick")
        assert actions == held
        assert why == f"the policy server at {other_server.url} does not answer"
        other_server.going_on.set()
        actions, why = until(lambda: asked("pick"), lambda answer: not answer[1])
        assert actions == [actions[0] + step for step in range(10)]
        assert actions[0] > 2


def test_the_server_goes_on_after_whatever_a_client_sends(served):
    address = f"ws://{served()}"
    garbage = [b"", b"\xc1", b"\xff" * 100, pack([1, 2]), "a text", pack({"reset": [True]}), pack({})]
    garbage.append(msgpack.packb({b"__ndarray__": True, b"data": b"", b"dtype": "|O", b"shape": [1]}))
    for message in garbage:
        with connect(address, compression=None) as client:
            client.recv()
            client.send(message)
            answer = client.recv()
            assert isinstance(answer, bytes) or "\n" not in answer
    with connect(address, compression=None) as client:
        client.recv()
        client.send(pack({"image": picture(RED)}))
        assert "entries" in unpack(client.recv())


def test_beyond_this_machine_a_key_is_needed(served):
    with pytest.raises(ValueError, match="give a key"):
        ServeConfig(host="0.0.0.0")
    address = served(api_key="secret")
    with pytest.raises(InvalidStatus), connect(f"ws://{address}"):
        pass
    with connect(f"ws://{address}", additional_headers={"Authorization": "Api-Key secret"}) as client:
        assert unpack(client.recv())["memory"] == "hippocam"
    with urllib.request.urlopen(f"http://{address}/healthz") as answer:
        assert answer.status == 200
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"http://{address}/")


def test_a_page_in_a_browser_is_refused(served):
    with pytest.raises(InvalidStatus) as caught, connect(f"ws://{served()}", origin="http://elsewhere.example"):
        pass
    assert caught.value.response.status_code == 403


def test_a_server_that_cannot_be_reached_is_told_in_one_line(served):
    with connect(f"ws://{served(upstream='ws://127.0.0.1:9')}", compression=None) as client:
        told = client.recv()
    assert told.startswith("the policy server at ws://127.0.0.1:9 cannot be reached")


def test_an_address_in_use_is_told_in_one_line(served, memory):
    port = int(served().rpartition(":")[2])
    with pytest.raises(HippocamError, match="cannot be listened on"):
        RobotServer(MemoryService(memory, RecallingConfig()), ServeConfig(port=port))


CLIENT = """
import sys
import numpy as np
from openpi_client.websocket_client_policy import WebsocketClientPolicy
policy = WebsocketClientPolicy("127.0.0.1", int(sys.argv[1]))
answer = policy.infer({"observation/image": np.zeros((224, 224, 3), np.uint8), "observation/state": np.zeros(8),
                       "prompt": "pick the red cup"})
print(policy.get_server_metadata()["memory"], answer["memory/images"].shape, len(answer["entries"]) >= 0)
"""


def test_openpis_own_client_is_understood(served, openpis_python):
    port = served().rpartition(":")[2]
    command = [openpis_python, "-c", CLIENT, port]
    said = subprocess.run(command, capture_output=True, text=True, timeout=END_S)
    assert said.stdout.split()[0] == "hippocam", said.stderr
