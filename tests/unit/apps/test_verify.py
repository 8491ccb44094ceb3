"""`hippocam verify`, as it is typed."""

import json

import pytest

from hippocam.apps.cli.main import main
from hippocam.memory.memory import Memory
from hippocam.memory.store.database import Store


@pytest.fixture
def memory(tmp_path, colour_video):
    clip = str(colour_video(tmp_path / "a.mp4", [("red", 4), ("blue", 4), ("green", 4)]))
    folder = str(tmp_path / "m")
    assert main(["watch", clip, "--memory", folder, "--encoder", "palette"]) == 0
    return folder


def verified(capsys, *arguments):
    capsys.readouterr()
    code = main(["verify", *arguments, "--json"])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


def test_all_is_well_or_something_was_found_and_set_right(memory, tmp_path, capsys):
    assert verified(capsys, "--memory", memory) == (0, {"ok": True, "problems": []})
    picture = min((tmp_path / "m" / "exemplars").iterdir())
    picture.write_bytes(picture.read_bytes()[:-9])
    code, told = verified(capsys, "--memory", memory)
    assert (code, told["ok"]) == (1, False)
    (problem,) = told["problems"]
    assert set(problem) == {"kind", "what", "repair"}
    assert problem["kind"] == "picture"
    assert main(["verify", "--memory", memory]) == 1
    assert "--repair: the entry goes on without it" in capsys.readouterr().out
    assert verified(capsys, "--memory", memory, "--repair")[0] == 1
    assert verified(capsys, "--memory", memory) == (0, {"ok": True, "problems": []})


def test_what_is_pending_is_told_and_finished(memory, capsys, monkeypatch):
    def cut_short(store):
        raise KeyboardInterrupt

    monkeypatch.setattr(Store, "scrub", cut_short)
    assert main(["forget", "--memory", memory, "--stream", "a", "--yes"]) == 130
    monkeypatch.undo()
    code, told = verified(capsys, "--memory", memory)
    assert (code, [problem["kind"] for problem in told["problems"]]) == (1, ["pending"])
    assert verified(capsys, "--memory", memory, "--repair")[0] == 1
    assert verified(capsys, "--memory", memory)[0] == 0
    with Memory.open_reader(memory) as reader:
        assert reader.streams() == []


def test_no_memory_is_one_line(tmp_path, capsys):
    assert main(["verify", "--memory", str(tmp_path / "none")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "no memory here" in line


@pytest.mark.parametrize(
    "command",
    [
        ["entities"],
        ["status"],
        ["ask", "red"],
        ["ask", "How many people came?"],
        ["search", "red"],
        ["explain", "00"],
        ["export"],
        ["pin", "00"],
        ["sleep"],
        ["forget", "--stream", "a"],
        ["watch", "a.mp4"],
    ],
)
@pytest.mark.parametrize("damage", ["pages", "tables", "header"])
def test_a_damaged_database_is_one_line_for_every_command(memory, tmp_path, capfd, monkeypatch, command, damage):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "m" / "memory.db"
    content = bytearray(path.read_bytes())
    if damage == "pages":
        content[4096:] = b"\x5a" * (len(content) - 4096)
    elif damage == "tables":
        content[100:4096] = b"\x5a" * 3996
    else:
        content[:100] = bytes(100)
    path.write_bytes(content)
    capfd.readouterr()
    assert main([*command, "--memory", memory]) in (1, 2)
    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("hippocam: ")]
    assert len(lines) == 1
    assert "damaged" in lines[0] or "cannot be" in lines[0] or "malformed" in lines[0]
