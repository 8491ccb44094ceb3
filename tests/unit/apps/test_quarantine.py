"""`hippocam quarantine`, `release` and `forget --import`, as they are typed."""

import json

import pytest

from hippocam.apps.cli.main import main
from hippocam.apps.session import Session
from hippocam.memory.memory import Memory
from hippocam.memory.store.notes import row_of
from hippocam.models.registry import make_encoder
from hippocam.stream.records import Note


@pytest.fixture
def memory(tmp_path, colour_video):
    """Own footage "a"; stream "b" came with an import."""
    colour_video(tmp_path / "a.mp4", [("red", 4), ("blue", 4)])
    colour_video(tmp_path / "b.mp4", [("yellow", 4), ("green", 4)])
    folder, other = str(tmp_path / "m"), str(tmp_path / "other")
    assert main(["watch", str(tmp_path / "a.mp4"), "--memory", folder, "--encoder", "palette"]) == 0
    assert main(["watch", str(tmp_path / "b.mp4"), "--memory", other, "--encoder", "palette"]) == 0
    assert main(["export", "--memory", other, "--out", str(tmp_path / "b.jsonl")]) == 0
    assert main(["import", str(tmp_path / "b.jsonl"), "--memory", folder, "--encoder", "palette"]) == 0
    return folder


def typed(capsys, *arguments):
    """What a command prints on its last line with --json."""
    capsys.readouterr()
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def streams_found(memory, text):
    with Session(memory) as session:
        return {moment.stream for moment in session.search(text, top=20)}


def test_an_import_is_named_told_set_apart_and_released(memory, capsys):
    found = typed(capsys, "quarantine", "--memory", memory)
    ((one,), origins) = found["imports"], found["quarantine"]
    assert (one["file"], one["streams"], origins) == ("b.jsonl", ["b"], [])
    assert typed(capsys, "quarantine", "--memory", memory, "--import", one["id"][:6])["changed"]
    assert streams_found(memory, "yellow") == {"a"}
    assert main(["status", "--memory", memory]) == 0
    assert "imported, in quarantine" in capsys.readouterr().out
    assert main(["search", "yellow", "--memory", memory, "--stream", "b"]) == 2
    assert "in quarantine" in capsys.readouterr().err
    assert typed(capsys, "release", "--memory", memory, "--import", one["id"])["changed"]
    assert streams_found(memory, "yellow") == {"a", "b"}


def test_an_answer_does_not_rest_on_what_is_in_quarantine(memory, capsys):
    assert main(["quarantine", "--memory", memory, "--stream", "a"]) == 0
    assert "in quarantine: stream a" in capsys.readouterr().out
    with Session(memory) as session:
        assert {moment.stream for moment in session.ask("When was it red?").evidence} <= {"b"}
        assert {moment.stream for moment in session.ask("What happened?").evidence} == {"b"}


def test_explain_tells_where_an_entry_came_from(memory, capsys):
    with Session(memory) as session:
        (best,) = session.search("yellow", top=1)
    told = typed(capsys, "explain", best.id, "--memory", memory)["provenance"]
    assert told["made_by"]["file"] == "b.jsonl"
    assert told["senses"] == ["picture"]
    assert main(["explain", best.id, "--memory", memory]) == 0
    assert "imported" in capsys.readouterr().out


def test_an_import_is_forgotten_by_its_id(memory, capsys):
    (one,) = typed(capsys, "quarantine", "--memory", memory)["imports"]
    gone = typed(capsys, "forget", "--import", one["id"], "--memory", memory, "--yes")
    assert (gone["entries"], gone["streams"]) == (2, 1)
    assert streams_found(memory, "yellow") == {"a"}
    assert typed(capsys, "quarantine", "--memory", memory)["imports"] == []


def test_notes_of_a_sense_are_told_before_they_go(memory, capsys):
    spec = make_encoder("palette").spec
    with Memory.open_writer(memory, encoder="palette", spec=spec) as opened:
        told = [Note(stream="a", kind="screen", t0_s=t, t1_s=t + 1, text="planted") for t in (1.0, 3.0)]
        opened.longterm.intake.keep_notes(list(map(row_of, told)))
    capsys.readouterr()
    assert main(["forget", "--sense", "screen", "--memory", memory]) == 2
    assert capsys.readouterr().out == "to be deleted: 2 notes, and no entries\n"
    assert main(["forget", "--sense", "screen", "--memory", memory, "--yes"]) == 0
    assert "forgot 0 entries, 2 notes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["quarantine", "--stream", "c"], "it holds a, b"),
        (["quarantine", "--import", "zz"], "none of this memory's"),
        (["release"], "name a stream, an import or a sense"),
        (["forget", "--sense", "screen", "--after", "1"], "only a stream"),
    ],
)
def test_what_is_not_known_is_said(memory, arguments, says, capsys):
    assert main([*arguments, "--memory", memory]) == 2
    assert says in capsys.readouterr().err
