"""What is known of things goes out and comes in again; older exports lack some of it, and nonsense is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hippocam.apps.errors import LineError
from hippocam.apps.transfer.exporting import export
from hippocam.apps.transfer.importing import import_file
from hippocam.memory.memory import Memory
from hippocam.stream.records import Embedding, EncoderSpec, Sensed, Thing

SPEC = EncoderSpec(id="palette:1", dim=12, normalised=True, midpoint=0.3, slope=20.0)
AXES = np.eye(12, dtype=np.float32)
NEWER = ("path", "colours", "portrait", "portrait_s")


def frames():
    """A bird that flies from left to right, its portrait in every other frame."""
    for seq in range(8):
        x = 0.05 + 0.1 * seq
        bird = Thing(
            label="bird", score=0.8, box=(x, 0.4, x + 0.1, 0.5), vector=AXES[0], colours=("blue",),
            portrait=AXES[3] if seq % 2 else None,
        )  # fmt: skip
        sensed = Sensed(things=(bird,))
        yield Embedding(stream="sky", seq=seq, time_s=float(seq), vector=AXES[1], jpeg=b"x", sensed=sensed)


@pytest.fixture(scope="module")
def memory(tmp_path_factory):
    folder = tmp_path_factory.mktemp("memory") / "m"
    with Memory.open_writer(folder, encoder="palette", spec=SPEC) as made:
        made.begin("sky", uri="/sky.mp4")
        made.write(list(frames()))
        made.finish("sky", complete=True)
    return folder


@pytest.fixture
def lines(memory):
    return [json.loads(line) for line in export(memory, "jsonl", pictures=False)]


def imported(lines, folder):
    (folder / "m.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    import_file(folder / "m.jsonl", folder / "again")
    return Memory.open_reader(folder / "again")


def test_paths_colours_portraits_and_what_was_detected_come_back(memory, lines, tmp_path):
    with Memory.open_reader(memory) as before, imported(lines, tmp_path) as after:
        (row,) = before.entities.visits("sky")
        assert len(row.visit.path) == 8
        assert row.visit.colours == ("blue",)
        assert row.visit.portrait_s == 7.0
        assert row.portrait is not None
        assert after.entities.visits("sky") == [row]
        (detected,) = before.entities.detected("sky")
        assert (detected.label, detected.frames) == ("bird", 8)
        assert after.entities.detected("sky") == [detected]
        assert after.entities.presence(["cat"]).never


def test_an_export_of_format_3_has_visits_without_them(lines, tmp_path):
    older = [line for line in lines if line.get("kind") != "detected"]
    for line in older:
        if line.get("kind") == "visit":
            for name in NEWER:
                del line[name]
    older[0]["format"] = 3
    older[-1]["lines"] = len(older) - 1
    with imported(older, tmp_path) as after:
        (row,) = after.entities.visits("sky")
        assert (row.visit.path, row.visit.colours, row.portrait) == ((), (), None)
        assert not after.entities.presence(["cat"]).never


@pytest.mark.parametrize(
    ("kind", "changes", "told"),
    [
        ("visit", {"path": "left"}, "'path' must be a list"),
        ("visit", {"path": [[0.0, 0.1, 0.1, 0.2]]}, "'path' must hold a time and a box"),
        ("visit", {"path": [[0.0, 0.1, 0.1, 0.1, 0.2]]}, "'path' must be left, top, right, bottom"),
        ("visit", {"path": [[True, 0.1, 0.1, 0.2, 0.2]]}, "'path' must hold a time and a box"),
        ("visit", {"path": [[0.0, 0.1, 0.1, 0.2, 0.2]] * 1000}, "'path' must be a list of 256"),
        ("visit", {"colours": [7]}, "'colours' must be a list"),
        ("visit", {"colours": ["\u001b[31mred"]}, "'colours' must be a list"),
        ("visit", {"portrait": "AAAA"}, "'portrait' must be"),
        ("visit", {"portrait_s": "now"}, "'portrait_s'"),
        ("detected", {"frames": 0}, "'frames' must be a whole number"),
        ("detected", {"t1_s": -5.0}, "not in order"),
        ("detected", {"score": 2}, "'score'"),
        ("detected", {"stream": "elsewhere"}, "not among the streams"),
    ],
)
def test_nonsense_is_refused(lines, tmp_path, kind, changes, told):
    next(line for line in lines if line.get("kind") == kind).update(changes)
    with pytest.raises(LineError, match=told):
        imported(lines, tmp_path)
    assert not (tmp_path / "again").exists()
