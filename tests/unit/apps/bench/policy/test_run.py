"""`hippocam bench policy`, small: what it tells, and that a memory is what makes the difference."""

import json

import pytest

from hippocam.apps.cli.main import main

CELL = {"success", "n", "low", "high", "steps", "act_ms", "observe_ms", "gate", "bytes"}


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    page = tmp_path_factory.mktemp("bench") / "policy.md"
    command = "bench policy --rules ours,fifo --rooms 8 --delays 0,60 --seeds 4"
    with pytest.MonkeyPatch.context() as patch:
        said = []
        patch.setattr("hippocam.apps.cli.bench.outcome.tell_json", lambda value: said.append(json.dumps(value)))
        assert main([*command.split(), "--episodes", "8", "--shown", "40", "--json", "--out", str(page)]) == 0
    return json.loads(said[-1]), page.read_text()


def test_every_cell_is_told(told):
    result, page = told
    assert (result["world"], result["seeds"]) == ("tour", [4])
    assert set(result["table"]) == set(result["delays"]) == {"ours", "fifo"}
    for cells in result["table"].values():
        assert cells.keys() == {"8"}
        assert cells["8"].keys() == CELL
        assert cells["8"]["n"] == 8
    assert result["delays"]["ours"].keys() == {"0", "60"}
    assert result["ablations"].keys() == {"emptied", "other", "shuffled", "frozen"}
    assert "| **ours** |" in page


def test_a_memory_makes_the_difference(told):
    table, delays = told[0]["table"], told[0]["delays"]
    assert table["ours"]["8"]["success"] >= 0.75
    assert delays["fifo"]["60"]["success"] < delays["ours"]["60"]["success"]
    assert all(score["success"] <= 0.5 for score in told[0]["ablations"].values())


def test_bytes_are_the_folders(told):
    delays = told[0]["delays"]
    assert delays["ours"]["60"]["bytes"] < 1_000_000
    assert delays["fifo"]["60"]["bytes"] == 48 * (4 * 32 + 21)


def test_an_unknown_rule_is_refused(capsys):
    assert main(["bench", "policy", "--rules", "ours,psychic"]) == 2
    assert "no rule is called 'psychic'" in capsys.readouterr().err
