import dataclasses

import numpy as np
import pytest

from hippocam.stream.archive.parts import PartEnd, PartWriter, read_part
from hippocam.stream.errors import PartError
from hippocam.stream.records import Embedding, Note, Repeat, Sensed, Sensors, Thing


def items():
    vector = np.array([0.1, -0.2, np.pi], np.float32)
    sensors = Sensors(state=vector, pose=np.arange(7, dtype=np.float32))
    return [
        Embedding(
            stream="/top", seq=4, time_s=0.1 + 0.2, vector=vector, labels=("a cat", "Äpfel"), jpeg=b"\n{}\n",
            sensors=sensors, text="two\nlines", cut_s=0.25, mark="another task",
        ),
        Repeat(stream="/top", seq=5, time_s=1 / 3),
        Embedding(stream="/top", seq=9, time_s=7.0, vector=vector),
    ]  # fmt: skip


def write(path, error=""):
    with PartWriter(path) as part:
        part.add(("top", item) for item in items())
        part.end(error=error, cpu_s=1.5)


def test_what_is_read_is_what_was_written(tmp_path):
    write(tmp_path / "k" / "1.part", "broke off")
    *read, end = read_part(tmp_path / "k" / "1.part", "robot/1")
    assert end == PartEnd(end=3, error="broke off", first_s=0.1 + 0.2, last_s=7.0, cpu_s=1.5)
    for was, now in zip(items(), read, strict=True):
        assert now.stream == "robot/1/top"
        assert (now.seq, now.time_s) == (was.seq, was.time_s)
        if isinstance(was, Embedding):
            assert now.vector.tobytes() == was.vector.tobytes()
            assert (now.jpeg, now.labels, now.text) == (was.jpeg, was.labels, was.text)
            assert (now.cut_s, now.mark) == (was.cut_s, was.mark)
    assert read[0].sensors.state.tolist() == items()[0].sensors.state.tolist()
    assert read[0].sensors.action is None
    assert read[2].sensors == Sensors()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_pose_keeps_its_precision(tmp_path, dtype):
    pose = np.array([500000.123, 5400000.456, 0, 0, 0, 0, 1], dtype)
    item = dataclasses.replace(items()[0], sensors=Sensors(pose=pose))
    with PartWriter(tmp_path / "1.part") as part:
        part.add([("top", item)])
        part.end(error="", cpu_s=1.5)
    read, _ = read_part(tmp_path / "1.part", "robot/1")
    assert read.sensors.pose.dtype == dtype
    assert read.sensors.pose.tolist() == pose.tolist()


def test_the_same_frames_are_the_same_bytes(tmp_path):
    write(tmp_path / "1.part")
    write(tmp_path / "2.part")
    assert (tmp_path / "1.part").read_bytes() == (tmp_path / "2.part").read_bytes()


def test_there_is_a_whole_part_or_none(tmp_path):
    def fail():
        with PartWriter(tmp_path / "1.part") as part:
            part.add(("", item) for item in items())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("share", [0.0, 0.3, 0.95])
def test_what_is_no_part_is_told(tmp_path, share):
    write(tmp_path / "1.part")
    data = (tmp_path / "1.part").read_bytes()
    (tmp_path / "1.part").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(PartError, match="archive again"):
        list(read_part(tmp_path / "1.part", "a"))


def test_a_disk_that_cannot_be_written_is_no_fault_of_the_footage(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(PartError, match="cannot be written"):
        PartWriter(tmp_path / "file" / "1.part")


def test_notes_and_what_senses_found_travel_along(tmp_path):
    vector = np.array([0.5, 1 / 3], np.float32)
    thing = Thing(label="a cup", score=0.1 + 0.2, box=(0.0, 0.25, 1 / 3, 1.0), vector=vector)
    shown = dataclasses.replace(thing, colours=("red", ""), portrait=vector[::-1].copy())
    items = [
        Note(stream="/top", kind="speech", t0_s=1 / 3, t1_s=2.5, text="Gr\u00fc\u00df\nGott"),
        Embedding(
            stream="/top", seq=0, time_s=3.0, vector=vector, sensed=Sensed(things=(thing, shown), screen=())
        ),
        Embedding(stream="/top", seq=1, time_s=4.0, vector=vector, sensed=Sensed(screen=("Exit", "42"))),
        Embedding(stream="/top", seq=2, time_s=5.0, vector=vector, cut_s=4 + 1 / 3),
    ]
    with PartWriter(tmp_path / "1.part") as part:
        part.add(("top", item) for item in items)
        part.end(error="", cpu_s=1.0)
    note, first, second, third, end = read_part(tmp_path / "1.part", "robot")
    assert note == Note(stream="robot/top", kind="speech", t0_s=1 / 3, t1_s=2.5, text="Gr\u00fc\u00df\nGott")
    assert (end.end, end.first_s, end.last_s) == (3, 3.0, 5.0)  # a note is no frame
    assert [(t.label, t.score, t.box, t.vector.tobytes()) for t in first.sensed.things] == [
        ("a cup", 0.1 + 0.2, (0.0, 0.25, 1 / 3, 1.0), vector.tobytes())
    ] * 2
    assert [t.colours for t in first.sensed.things] == [(), ("red", "")]
    plain, portrayed = first.sensed.things
    assert plain.portrait is None
    assert portrayed.portrait is not None
    assert portrayed.portrait.tobytes() == vector[::-1].tobytes()
    assert [e.sensed.screen for e in (first, second, third)] == [(), ("Exit", "42"), None]
    assert [e.cut_s for e in (first, second, third)] == [None, None, 4 + 1 / 3]
