"""`hippocam train consolidation`: material in, files out, or one line that says what is missing."""

import json

import numpy as np
import pytest

from hippocam.apps.cli.main import main
from hippocam.apps.training import sleep as train_sleep
from hippocam.apps.training.consolidation import (
    _HELD_OUT_CLIPS,
    _held_out,
    from_memories,
    from_world,
    read_questions,
)
from hippocam.apps.worlds.footage import FootageWorld
from hippocam.apps.worlds.worlds import Planted
from hippocam.memory.bank.priors import load_prior
from hippocam.memory.errors import ConsolidatorError
from hippocam.memory.memory import Memory
from hippocam.memory.sleep import network
from hippocam.memory.training import consolidator
from hippocam.stream.errors import HippocamError
from hippocam.stream.records import EncoderSpec

D = 16


def spec(name="test:1"):
    return EncoderSpec(id=name, dim=D, normalised=True, midpoint=0.5, slope=20.0)


def watched(folder, frames_of, *, name="test:1", scenes=300, seed=0):
    """A memory of a stream whose things come from a small set of axes, each of 5 s, again and again."""
    rng = np.random.default_rng(seed)
    things = np.linalg.qr(rng.normal(size=(D, D)))[0].astype(np.float32)
    order = [int(rng.integers(6)) if rng.random() < 0.5 else int(rng.integers(6, D)) for _ in range(scenes)]
    seen = [(5 * k + t, things[axis]) for k, axis in enumerate(order) for t in range(5)]
    with Memory.open_writer(folder, encoder="test", spec=spec(name)) as memory:
        memory.begin("cam", uri="/x/cam.mp4")
        memory.write(frames_of("cam", seen))
        memory.finish("cam")
    return folder


def test_memories_give_a_prior_and_its_card(tmp_path, frames_of, capsys):
    folders = [watched(tmp_path / str(seed), frames_of, seed=seed) for seed in range(2)]
    arguments = [
        "train",
        "consolidation",
        "--memory",
        *map(str, folders),
        "--out",
        str(tmp_path / "out"),
        "--json",
    ]
    assert main(arguments) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "consolidation-test-1.md",
        "consolidation-test-1.safetensors",
    ]
    prior = load_prior(spec(), tmp_path / "out")
    assert (prior.events, prior.rows.shape[1]) == (found["events"], D)
    assert "surprise" in found["probe_recall"]
    card = (tmp_path / "out" / "consolidation-test-1.md").read_text()
    assert "hippocam train consolidation --memory DIR... --out DIR --seed 0" in card


def test_memories_of_two_encoders_are_not_mixed(tmp_path, frames_of):
    folders = [watched(tmp_path / name[:1], frames_of, name=name, scenes=20) for name in ("a:1", "b:1")]
    with pytest.raises(HippocamError, match=r"a was made with encoder a:1 and .*b with b:1"):
        from_memories(folders)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--memory", "nowhere"], "no memory here"),
        (["--world", "synthetic", "--questions", "nowhere.txt"], "cannot be read"),
        (["--videos", "nowhere.mp4", "--encoder", "conse"], "nowhere.mp4"),
    ],
)
def test_what_is_missing_is_said_in_one_line(arguments, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "consolidation", *arguments, "--out", str(tmp_path)]) == 2
    err = capsys.readouterr().err.splitlines()
    assert says in err[-1]
    assert err[-1].startswith("hippocam: ")


def test_too_small_a_memory_is_said_in_one_line(tmp_path, frames_of, capsys):
    folder = watched(tmp_path / "m", frames_of, scenes=8)
    assert main(["train", "consolidation", "--memory", str(folder), "--out", str(tmp_path)]) == 2
    assert "too few" in capsys.readouterr().err


def test_questions_are_read_a_line_each(tmp_path):
    file = tmp_path / "q.txt"
    file.write_text("a dog\n\n  a red car \n")
    assert read_questions(file) == ["a dog", "a red car"]
    file.write_text("\n")
    with pytest.raises(HippocamError, match="a question a line"):
        read_questions(file)


def test_an_unknown_world_is_an_error():
    with pytest.raises(HippocamError, match="there are synthetic, real"):
        from_world("mars")


def test_a_held_out_clip_takes_its_spoiled_shots_along():
    held, kept = f"video/{_HELD_OUT_CLIPS[0]}.mp4", "video/other.mp4"
    axes = np.eye(D, dtype=np.float32)
    spoiled = [
        Planted(kind="distractor", identity=i, t0_s=t0, t1_s=t0 + 3, query_D=axes[i])
        for i, t0 in ((0, 4.0), (1, 17.0))
    ]
    photographs = [
        Planted(kind="needle", identity=i, t0_s=25.0 + 3 * i, t1_s=28.0 + 3 * i, query_D=axes[i]) for i in range(5)
    ]
    world = FootageWorld(
        name="real",
        seed=0,
        frames_TD=np.tile(axes[0], (46, 1)),
        times_T=np.arange(46.0),
        planted=(*spoiled, *photographs),
        absent_QD=axes[:1],
        captions={},
        absent_captions_QD=axes[:1],
        visits=((held, 0, 9), (kept, 0, 16)),
    )
    found = _held_out(world)
    assert found[:12].all()
    assert not found[12:25].any()
    assert 0 < sum(found[25 + 3 * i] for i in range(5)) < 5
    assert all(len(set(found[25 + 3 * i : 28 + 3 * i])) == 1 for i in range(5))


def test_memories_teach_sleep_and_a_memory_sleeps_by_it(tmp_path, frames_of, capsys, monkeypatch):
    quick = consolidator.TrainConfig(steps=3)
    monkeypatch.setattr(train_sleep, "TrainConfig", lambda seed: quick)
    monkeypatch.setenv("HIPPOCAM_DATA", str(tmp_path / "own"))
    folder = watched(tmp_path / "m", frames_of, seed=0)
    assert network.weights_path() == network.WEIGHTS
    assert main(["train", "sleep", "--memory", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    path = tmp_path / "own" / "consolidator.safetensors"
    assert found["files"] == [str(path), str(path.with_suffix(".md"))]
    assert network.weights_path() == path
    own, shipped = network.load_weights(path), network.load_weights(network.WEIGHTS)
    assert any(not np.array_equal(own[name], shipped[name]) for name in shipped)
    card = path.with_suffix(".md").read_text()
    assert "hippocam train sleep --memory DIR... --seed 0" in card
    assert "as private as these are" in card
    with Memory.open_writer(folder, encoder="test", spec=spec()) as memory:
        assert memory.sleep().after > 0


def test_weights_of_another_network_are_refused(tmp_path):
    path = tmp_path / "old.safetensors"
    params = dict(network.load_weights(network.WEIGHTS))
    consolidator.save({**params, "in.w": params["in.w"][:-1]}, path)
    with pytest.raises(ConsolidatorError, match="another network"):
        network.load_weights(path)
