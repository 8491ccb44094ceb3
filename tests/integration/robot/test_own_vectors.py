"""A memory of vectors whose encoder is not here: what is recorded and said is answered, what was seen is not."""

import numpy as np
import pytest

from hippocam.apps.cli.main import main
from hippocam.apps.session import Session
from hippocam.memory.config import MemoryConfig
from hippocam.memory.memory import Memory
from hippocam.stream.errors import HippocamError
from hippocam.stream.records import Embedding, EncoderSpec, Note, Sensors

SPEC = EncoderSpec(id="mine:1", dim=32, normalised=True, midpoint=0.3, slope=20.0)
STREAM = "robot/000000"
SAID = ("the drawer opened", "the lamp went out", "the kettle boiled")


@pytest.fixture
def folder(tmp_path):
    """Three rooms of ten seconds, each with its own look; something is said at the end of each."""
    rng = np.random.default_rng(0)
    with Memory.open_writer(
        tmp_path / "robot", encoder="mine", spec=SPEC, config=MemoryConfig(budget_bytes=4_000_000)
    ) as memory:
        memory.begin(STREAM, uri="robot://0")
        seq = 0
        for room, said in enumerate(SAID):
            look = rng.normal(size=SPEC.dim)
            for _ in range(20):
                vector = look + 0.1 * rng.normal(size=SPEC.dim)
                pose = np.array([room, 0, 0, 0, 0, 0, 1], np.float32)
                memory.write(
                    [
                        Embedding(
                            stream=STREAM,
                            seq=seq,
                            time_s=seq / 2,
                            vector=(vector / np.linalg.norm(vector)).astype(np.float32),
                            sensors=Sensors(pose=pose, state=np.array([room, 2 * room], np.float32)),
                        )
                    ]
                )
                seq += 1
            at_s = (seq - 1) / 2
            memory.write([Note(stream=STREAM, kind="mark", t0_s=at_s, t1_s=at_s, text=said)])
        memory.finish(STREAM)
    return tmp_path / "robot"


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What was the joint state at 15 s?", "number 0 1, number 1 2"),
        ("Where were you at 25 s?", "x 2.00 m"),
        ("How long is it?", "29.5 s long"),
        ("When did the kettle boil?", '0:29.5: "the kettle boiled"'),  # as what only words say
    ],
)
def test_times_places_joints_and_words_are_answered(folder, question, answer):
    with Session(folder) as session:
        found = session.ask(question)
    assert answer in found.answer


@pytest.mark.parametrize(
    "question", ["Is there a red car?", "Where did you last see the yellow bottle?", "How many people were there?"]
)
def test_what_was_seen_is_said_to_be_unknown_and_not_to_be_absent(folder, question):
    with Session(folder) as session:
        found = session.ask(question)
    assert found.unknown
    assert found.evidence == ()
    assert found.answer.startswith("Not known: what this memory saw cannot be searched here")
    assert "'mine'" in found.answer
    assert "\n" not in found.answer


def test_a_search_finds_words_and_says_in_one_line_what_it_cannot(folder, capsys):
    with Session(folder) as session:
        found = session.search("the lamp went out")
        assert [note.text for note in found[0].notes] == [SAID[1]]
        assert all(moment.noted for moment in found)
        with pytest.raises(HippocamError, match="cannot be searched here"):
            session.search("a yellow bottle")
    assert main(["search", "--memory", str(folder), "a yellow bottle"]) != 0
    (line,) = capsys.readouterr().err.splitlines()
    assert "times, places, actions, joints and words can be asked for" in line


def test_asking_leaves_no_probe_of_nothing(folder):
    with Session(folder) as session:
        session.used(session.ask("When did the kettle boil?"))
    with Memory.open_reader(folder) as memory:
        assert memory.encoder() == ("mine", SPEC)
    journal = folder / "questions.journal"
    assert not journal.exists() or b"\x00" * 128 not in journal.read_bytes()
