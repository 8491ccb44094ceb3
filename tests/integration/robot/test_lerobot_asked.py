"""A LeRobot dataset is watched and asked: two tasks before one still picture, joints, and measured distances."""

import json

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from hippocam.apps.cli.main import main
from hippocam.memory.memory import Memory

KEY = "observation.images.wrist_depth"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, media):
    """A memory of three seconds in which nothing moves; at 1.2 s comes another task, at 2 s nothing was told."""
    place = tmp_path_factory.mktemp("lerobot")
    media.render_lerobot(place / "arm", lengths=(30,), cameras=(), in_parquet=("top",))
    (data,) = place.glob("arm/data/*/*.parquet")
    table = parquet.read_table(data)
    still = table.column("observation.images.top")[0].as_py()
    columns = {name: table.column(name) for name in table.column_names}
    columns["observation.images.top"] = pa.array([still] * 30)
    columns["task_index"] = pa.array([0] * 12 + [1] * 18)
    columns["observation.state"] = pa.array([None if row == 20 else [row, -row] for row in range(30)])
    columns[KEY] = pa.array([np.full((6, 6), 1.0 + row / 10).tolist() for row in range(30)])
    parquet.write_table(pa.table(columns), data)
    told = json.loads((place / "arm/meta/info.json").read_text())
    told["features"] |= {
        KEY: {"dtype": "float32", "shape": [6, 6]},
        "observation.state": {"dtype": "float32", "names": ["elbow", "wrist"]},
    }
    (place / "arm/meta/info.json").write_text(json.dumps(told))
    command = f"robot replay {place / 'arm'} --memory {place / 'memory'} --encoder palette --fps 10"
    assert main(command.split()) == 1  # the row without a state is told
    return place / "memory"


def asked(capsys, folder, question):
    assert main(["ask", "--memory", str(folder), "--json", question]) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])["answer"]


def test_another_task_is_another_moment_though_nothing_moved(folder, media):
    with Memory.open_reader(folder) as memory:
        entries = [memory.entry(entry_id) for entry_id in memory.store.entries.ids()]
    told = sorted((entry.t0_s, entry.text) for entry in entries)
    assert told == [(0.0, media.TASKS[0]), (1.2, media.TASKS[1])]


def test_joints_are_told_without_what_was_measured_and_distances_where_they_are_named(capsys, folder):
    assert "state was elbow 10, wrist -10 [" in asked(capsys, folder, "What was the joint state at 1 s?")
    assert "wrist_depth centre m 2 [" in asked(capsys, folder, "What was the wrist depth centre at 1 s?")


def test_a_row_without_a_state_takes_nothing_from_those_around_it(capsys, folder):
    answer = asked(capsys, folder, "What was the joint state at 2 s?")
    assert "state was elbow 19, wrist -19 [" in answer or "state was elbow 21, wrist -21 [" in answer
