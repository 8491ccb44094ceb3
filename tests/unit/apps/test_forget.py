"""`hippocam forget`, as it is typed."""

import json

import pytest

from hippocam.apps.cli.main import main


@pytest.fixture
def memory(tmp_path, colour_video):
    colour_video(tmp_path / "a.mp4", [("red", 4), ("blue", 4), ("green", 4)])
    colour_video(tmp_path / "b.mp4", [("yellow", 4)])
    folder = str(tmp_path / "m")
    assert (
        main(
            ["watch", str(tmp_path / "a.mp4"), str(tmp_path / "b.mp4"), "--memory", folder, "--encoder", "palette"]
        )
        == 0
    )
    return folder


def said(capsys):
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_a_time_of_a_stream(memory, capsys):
    assert (
        main(["forget", "--memory", memory, "--stream", "a", "--after", "4.5", "--before", "0:07", "--json"]) == 0
    )
    assert said(capsys)["entries"] == 1
    assert main(["search", "something blue", "--memory", memory, "--json"]) == 0
    assert all(
        moment["t1_s"] <= 4.5 or moment["t0_s"] >= 7
        for moment in said(capsys)["moments"]
        if moment["stream"] == "a"
    )


def test_entries_by_their_first_digits(memory, capsys):
    main(["search", "something green", "--memory", memory, "--json"])
    best = said(capsys)["moments"][0]["id"]
    assert main(["forget", best[:10], "--memory", memory, "--json"]) == 0
    assert said(capsys) == {"entries": 1, "streams": 0, "summaries": 1, "notes": 0}
    main(["search", "something green", "--memory", memory, "--json"])
    assert best not in [moment["id"] for moment in said(capsys)["moments"]]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "name entries, or a stream, a camera or a time"),
        (["--stream", "c"], "it holds a, b"),
        (["ffffffffffff"], "ffffffffffff"),
    ],
)
def test_what_cannot_be_forgotten_is_said(memory, arguments, says, capsys):
    assert main(["forget", *arguments, "--memory", memory]) == 2
    assert says in capsys.readouterr().err
