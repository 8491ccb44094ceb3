"""A policy behind openpi's protocol acts as it does beside its memory; openpi's own client is led by it."""

import json
import subprocess
import threading
from contextlib import contextmanager

import numpy as np
import pytest

pytest.importorskip("websockets", reason="extra robot is not installed")

from websockets.sync.client import connect

from hippocam.apps.robot.policy.remembering import our_memory
from hippocam.apps.robot.policy.trials import play
from hippocam.apps.robot.policy.worlds import WORLDS
from hippocam.apps.robot.serve.opening import opened_policy
from hippocam.apps.robot.serve.server import RobotServer, ServeConfig
from hippocam.apps.robot.serve.wire import pack, unpack
from hippocam.memory.memory import Memory
from hippocam.models.policies.playing import TRIED
from hippocam.models.policies.policy import Policy
from hippocam.stream.robot.acts import acted_on

WORLD = WORLDS["tour"]
END_S = 600.0


@contextmanager
def serving(policy, folder):
    """Address of a policy that is served."""
    with opened_policy(policy, folder) as service:
        server = RobotServer(service, ServeConfig(port=0))
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"ws://127.0.0.1:{server.port}"
        server.shutdown()
        thread.join(END_S)


@contextmanager
def asking(address):
    """What asks a server over a connection."""
    with connect(address, compression=None, max_size=None) as client:
        client.metadata = unpack(client.recv())

        def ask(message):
            client.send(pack(message))
            answer = client.recv()
            assert isinstance(answer, bytes), answer
            return unpack(answer)

        ask.client = client
        yield ask


def frames(turns, **more):
    """Instants as a robot sends them."""
    return {
        "vector": np.stack([turn.vector_D for turn in turns]),
        "pose": np.stack([turn.pose for turn in turns]),
        "time_s": [turn.time_s for turn in turns],
        **more,
    }


def led(game, ask, **more):
    """Play an episode with what a server answers; return what was done, and the last answer."""
    done = []
    ask(frames(game.turns(), **more))
    seen = [game.now()]
    while not game.done:
        answer = ask(frames(seen, goal=game.goal_D, **more))
        seen = []
        for action in answer["actions"][: WORLD.replan, 0].astype(int).tolist():
            game.act(action)
            done.append(action)
            if game.done:
                break
            seen.append(game.now())
    return done, answer


class Noted:
    """Notes what an actor does in a game."""

    def __init__(self, game):
        self.game, self.actions = game, []

    def __getattr__(self, name):
        return getattr(self.game, name)

    def act(self, action):
        self.actions.append(action)
        self.game.act(action)


@pytest.mark.parametrize("number", range(3))
def test_it_does_over_the_wire_what_it_does_beside_its_memory(policy, tmp_path, number):
    beside = Noted(WORLD.play(8, 0, (TRIED, 9, number)))
    with our_memory(WORLD.name, WORLD.dim) as memory:
        play(beside, memory, Policy.read(policy), WORLD.replan)
    game = WORLD.play(8, 0, (TRIED, 9, number))
    with serving(policy, tmp_path / "robot") as address, asking(address) as ask:
        done, answer = led(game, ask)
    assert done == beside.actions
    assert game.success == beside.game.success
    assert answer["server_timing"]["infer_ms"] > 0
    assert not answer["memory/stale"]


def test_what_it_acted_on_is_kept_with_the_time(policy, tmp_path):
    game = WORLD.play(8, 0, (TRIED, 9, 0))
    with serving(policy, tmp_path / "robot") as address, asking(address) as ask:
        _, answer = led(game, ask)
    with Memory.open_reader(tmp_path / "robot") as memory:
        (stream,) = memory.streams()
        acts = memory.store.notes.wordless(stream.id, 0.0, 1e9, None)
        assert stream.id == "robot/000000"
        assert acted_on(acts[-1]) == [int(found, 16) for found in answer["memory/used"]]
        assert all(memory.entry(found) is not None for found in acted_on(acts[-1]))
        assert memory.notes(stream.id, 0.0, 1e9) == []  # nobody reads or hears them


def test_environments_and_episodes_are_kept_apart(policy, tmp_path):
    with serving(policy, tmp_path / "robot") as address, asking(address) as ask:
        for number in range(2):
            game = WORLD.play(4, 0, (TRIED, 9, number))
            led(game, ask, env=f"arm{number}")
            assert ask({"reset": True, "env": f"arm{number}"}) == {"reset_finished": True}
        game = WORLD.play(4, 0, (TRIED, 9, 5))
        ask(frames(game.turns(), env="arm0"))
    with Memory.open_reader(tmp_path / "robot") as memory:
        streams = {stream.id: stream.complete for stream in memory.streams()}
    assert streams == {"arm0/000000": True, "arm1/000000": True, "arm0/000001": True}


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({}, 'this policy sees vectors of 32 numbers, under "vector"; found none'),
        ({"vector": np.ones(7)}, "found one of 7"),
        ({"vector": np.ones(32), "goal": np.ones(7)}, "goals are vectors of 32 numbers, found one of 7"),
        ({"vector": np.ones(32), "prompt": "the red cup"}, "was taught goals as vectors"),
        ({"vector": np.zeros(32)}, "shows nothing"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line_and_the_server_goes_on(policy, tmp_path, message, said):
    with serving(policy, tmp_path / "robot") as address:
        with connect(address, compression=None) as client:
            client.recv()
            client.send(pack(message))
            answer = client.recv()
            assert isinstance(answer, str)
            assert said in answer
            assert "\n" not in answer
        with asking(address) as ask:
            assert ask({"vector": np.ones(32), "goal": np.ones(32)})["actions"].shape == (4, 1)


def test_without_a_memory_it_goes_on_and_says_so(policy, tmp_path, monkeypatch):
    """As on a full disk: what is written fails, and the policy acts as one without a memory."""
    from hippocam.apps.robot.policy import remembering
    from hippocam.memory.errors import MemoryFolderError

    def full(self, turn):
        raise MemoryFolderError(tmp_path, "the disk is full")

    with serving(policy, tmp_path / "robot") as address, asking(address) as ask:
        monkeypatch.setattr(remembering.OurMemory, "observe", full)
        answer = ask({"vector": np.ones(32), "goal": np.ones(32)})
        assert answer["memory/stale"]
        assert answer["policy/gate"] == 0
        assert answer["memory/used"] == []
        monkeypatch.undo()
        assert not ask({"vector": np.ones(32), "goal": np.ones(32)})["memory/stale"]


CLIENT = """
import json, sys
import numpy as np
from openpi_client.websocket_client_policy import WebsocketClientPolicy
policy = WebsocketClientPolicy("127.0.0.1", int(sys.argv[1]))
print(json.dumps(policy.get_server_metadata()), flush=True)
for line in sys.stdin:
    message = {key: np.array(value, np.float32) if key in ("vector", "pose", "goal") else value
               for key, value in json.loads(line).items()}
    answer = policy.infer(message)
    print(json.dumps({key: value.tolist() if isinstance(value, np.ndarray) else value
                      for key, value in answer.items()}), flush=True)
"""


def test_openpis_own_client_walks_to_what_it_was_shown(policy, tmp_path, openpis_python):
    with serving(policy, tmp_path / "robot") as address:
        port = address.rpartition(":")[2]
        command = [openpis_python, "-c", CLIENT, port]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
            told = json.loads(client.stdout.readline())
            assert (told["policy"], told["chunk"], told["vector"]) == ("tour", 4, 32)

            def ask(message):
                lists = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in message.items()}
                client.stdin.write(json.dumps(lists) + "\n")
                client.stdin.flush()
                answer = json.loads(client.stdout.readline())
                return answer | ({"actions": np.array(answer["actions"])} if "actions" in answer else {})

            games = [WORLD.play(8, 0, (TRIED, 11, number)) for number in range(6)]
            for number, game in enumerate(games):
                led(game, ask, env=str(number))
            client.stdin.close()
            client.wait(END_S)
    assert sum(game.success for game in games) >= 4  # 1 in 8 by chance
