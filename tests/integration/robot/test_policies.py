"""`hippocam robot train` and `robot eval`: a policy that is taught in seconds acts on what it remembers."""

import json

import pytest

from hippocam.apps.cli.main import main


def tried(capsys, policy, *given):
    arguments = ["robot", "eval", str(policy), "--world", "tour", "--seeds", "5", "--json", *given]
    assert main(arguments) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_it_finds_what_it_was_shown(capsys, policy):
    told = tried(capsys, policy, "--rooms", "8", "--episodes", "12")
    assert told["ablate"] is None
    assert told["table"]["8"]["success"] >= 0.75
    assert told["table"]["8"]["n"] == 12
    assert told["table"]["8"]["bytes"] < 1_000_000


@pytest.mark.parametrize("kind", ["emptied", "other", "shuffled", "frozen"])
def test_without_its_memory_it_does_not(capsys, policy, kind):
    told = tried(capsys, policy, "--rooms", "16", "--episodes", "12", "--ablate", kind)
    assert told["table"]["16"]["success"] <= 0.35  # 1 in 16 by chance


def test_wrong_use_is_said_in_a_line(capsys, tmp_path, policy):
    assert main(["robot", "eval", str(tmp_path / "none"), "--world", "tour"]) == 2
    assert main(["robot", "train", "--world", "moon", "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err.splitlines()
    assert "no such file" in said[0]
    assert "no world is called 'moon'" in said[1]
