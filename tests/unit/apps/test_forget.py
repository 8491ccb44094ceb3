"""`hippocam forget`, as it is typed."""

import io
import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from hippocam.apps.cli.main import main
from hippocam.apps.session import Session
from hippocam.memory.lock import WriterLock
from hippocam.memory.memory import Memory
from hippocam.memory.store.database import Store


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
        main(
            [
                "forget",
                "--memory",
                memory,
                "--stream",
                "a",
                "--after",
                "4.5",
                "--before",
                "0:07",
                "--yes",
                "--json",
            ]
        )
        == 0
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
    assert main(["forget", best[:10], "--yes", "--memory", memory, "--json"]) == 0
    assert said(capsys) == {"entries": 1, "streams": 0, "summaries": 1, "notes": 0}
    main(["search", "something green", "--memory", memory, "--json"])
    assert best not in [moment["id"] for moment in said(capsys)["moments"]]


def test_where_nobody_can_be_asked_it_needs_a_yes(memory, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))  # a pipe is nobody
    with Session(memory) as session:
        before = session.search("red", top=100)
    for named in (
        [before[0].id],
        ["--stream", "a"],
        ["--camera", "a"],
        ["--before", "5"],
        ["--stream", "a", "--after", "5"],
        ["--sense", "screen"],
    ):
        assert main(["forget", *named, "--memory", memory]) == 2
        said = capsys.readouterr()
        assert "to be deleted: " in said.out
        assert "nothing was deleted" in said.err
        assert "--yes" in said.err
    with Session(memory) as session:
        assert session.search("red", top=100) == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "name entries, or a stream, a camera, a time"),
        (["--stream", "c"], "it holds a, b"),
        (["--camera", "door"], "it holds a, b"),
        (["ffffffffffff"], "ffffffffffff"),
    ],
)
def test_what_cannot_be_forgotten_is_said(memory, arguments, says, capsys):
    assert main(["forget", *arguments, "--memory", memory]) == 2
    assert says in capsys.readouterr().err


def test_an_uploaded_video_goes_with_its_stream(tmp_path, colour_video, capsys):
    uploads = tmp_path / "m-uploads"
    uploads.mkdir()
    for name in ("a", "b"):
        colour_video(uploads / f"{name}.mp4", [("red", 4), ("blue", 4)])
    main(["watch", str(uploads), "--memory", str(tmp_path / "m"), "--encoder", "palette"])
    capsys.readouterr()
    with Session(tmp_path / "m") as session:
        part = session.forget(stream="b", after_s=5)
    assert part.files == ()
    assert [line.startswith(f"{uploads / 'b.mp4'}: stays, since only a part") for line in part.kept] == [True]
    assert main(["forget", "--memory", str(tmp_path / "m"), "--stream", "a", "--yes"]) == 0
    assert f"deleted {uploads / 'a.mp4'}" in capsys.readouterr().out
    assert [path.name for path in uploads.iterdir()] == ["b.mp4"]
    assert main(["forget", "--memory", str(tmp_path / "m"), "--stream", "b", "--yes", "--json"]) == 0
    assert said(capsys)["files"] == [str(uploads / "b.mp4")]
    assert list(uploads.iterdir()) == []


def test_a_video_of_the_users_own_stays(memory):
    with Session(memory) as session:
        gone = session.forget(stream="a")
    assert (gone.streams, gone.files, gone.kept) == (1, (), ())
    assert Path(memory).with_name("a.mp4").is_file()


def test_what_an_interrupted_archive_keeps_of_a_memory_goes_too(memory, capsys):
    hidden = Path(memory).parent / ".archive"
    shutil.copytree(memory, hidden / "copies" / "m")
    shutil.copytree(memory, hidden / "copies" / "other")
    (hidden / "work" / "ab12").mkdir(parents=True)
    (hidden / "work" / "ab12" / "000000.part").write_bytes(b"pictures of a")
    lock = WriterLock(hidden / "lock")
    assert main(["forget", "--memory", memory, "--stream", "a", "--yes"]) == 2
    assert "a process archives into it; wait for it to end" in capsys.readouterr().err
    lock.release()
    assert main(["forget", "--memory", memory, "--stream", "a", "--yes"]) == 0
    assert [path.name for path in (hidden / "copies").iterdir()] == ["other"]
    assert not (hidden / "work").exists()


def test_a_deletion_that_was_cut_short_is_told_and_finished(memory, capsys, monkeypatch):
    def cut_short(store):
        raise KeyboardInterrupt

    monkeypatch.setattr(Store, "scrub", cut_short)
    assert main(["forget", "--memory", memory, "--stream", "a", "--yes"]) == 130
    monkeypatch.undo()
    capsys.readouterr()
    assert main(["status", "--memory", memory]) == 0
    assert "pending: forgetting stream a was cut short" in capsys.readouterr().out
    assert main(["status", "--memory", memory, "--json"]) == 0
    assert said(capsys)["pending"] == ["stream a"]
    assert main(["forget", "--memory", memory, "--stream", "a", "--yes", "--json"]) == 0
    told = said(capsys)
    assert (told["entries"], told["streams"]) == (3, 1)
    assert main(["status", "--memory", memory, "--json"]) == 0
    assert said(capsys)["pending"] == []
    assert main(["forget", "--memory", memory, "--stream", "a", "--yes"]) == 2  # by now it is not known


def test_missing_pictures_give_up_nothing(memory, capsys):
    """As in a copy that is not whole: no writer changes anything, one line says so, and readers go on."""
    pictures = Path(memory) / "exemplars"
    names = sorted(path.name for path in pictures.iterdir())
    pictures.rename(Path(memory).with_name("away"))
    with Memory.open_reader(memory) as reader:
        before = reader.store.connection.execute("SELECT * FROM entry ORDER BY id").fetchall()
        entry_id = f"{before[0][0]:016x}"
    for command in (["pin", entry_id], ["forget", "--stream", "a", "--yes"], ["sleep"]):
        capsys.readouterr()
        assert main([*command, "--memory", memory]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert f"of {len(names)} pictures {len(names)} missing" in line
        assert "hippocam verify" in line
    assert main(["search", "something red", "--memory", memory]) == 0
    with Memory.open_reader(memory) as reader:
        assert reader.store.connection.execute("SELECT * FROM entry ORDER BY id").fetchall() == before
    pictures.rmdir()
    Path(memory).with_name("away").rename(pictures)
    assert main(["pin", entry_id, "--memory", memory]) == 0
    assert sorted(path.name for path in pictures.iterdir()) == names


def test_a_picture_that_somebody_deleted_takes_its_entry_along(memory):
    gone = min((Path(memory) / "exemplars").iterdir())
    gone.unlink()
    with Session(memory) as session:
        session.sleep(1.0)
        assert sum(stream.entries for stream in session.status().streams) == 3
        assert session.explain(gone.stem)[1].journal[-1].action == "its picture was removed"


def _linked(picture: Path, elsewhere: Path) -> None:
    elsewhere.write_bytes(picture.read_bytes())
    picture.unlink()
    picture.symlink_to(elsewhere)


def _folder(picture: Path, elsewhere: Path) -> None:
    picture.unlink()
    picture.mkdir()


def _pipe(picture: Path, elsewhere: Path) -> None:
    picture.unlink()
    os.mkfifo(picture)


def _emptied(picture: Path, elsewhere: Path) -> None:
    picture.write_bytes(b"")


def _another(picture: Path, elsewhere: Path) -> None:
    picture.write_bytes(max(picture.parent.iterdir()).read_bytes() + b" ")


@pytest.mark.parametrize("change", [_linked, _folder, _pipe, _emptied, _another])
def test_what_lies_in_the_place_of_a_picture_is_never_shown_for_it(memory, tmp_path, capsys, change):
    """It is told, its entry goes on without it, and what a link leads to is neither shown nor touched."""
    elsewhere, picture = tmp_path / "private.jpg", min((Path(memory) / "exemplars").iterdir())
    change(picture, elsewhere)
    kept = elsewhere.read_bytes() if elsewhere.exists() else None
    if change in (_linked, _folder, _pipe):
        with Session(memory) as session:
            assert session.picture(picture.stem) is None
            assert all(
                moment.id != picture.stem or not Path(moment.image).exists() for moment in session.search("red")
            )
    assert main(["verify", "--memory", memory]) == 1
    assert picture.stem in capsys.readouterr().out
    assert main(["pin", picture.stem, "--memory", memory]) == 0
    with Session(memory) as session:
        assert "its picture was changed" in [row.action for row in session.explain(picture.stem)[1].journal]
        assert sum(stream.entries for stream in session.status().streams) == 4
    assert (elsewhere.read_bytes() if elsewhere.exists() else None) == kept


def test_pictures_that_were_swapped_are_left_to_a_person(memory, capsys):
    first, second = sorted((Path(memory) / "exemplars").iterdir())[:2]
    one, other = first.read_bytes(), second.read_bytes() + b" "  # a size of its own
    first.write_bytes(other)
    second.write_bytes(one + b"  ")
    assert main(["pin", first.stem, "--memory", memory]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "of 4 pictures 2 not as they were written" in line
    assert (first.read_bytes(), second.read_bytes()) == (other, one + b"  ")
    assert main(["verify", "--repair", "--memory", memory]) == 1
    assert main(["pin", first.stem, "--memory", memory]) == 0
    with Session(memory) as session:
        assert sum(stream.entries for stream in session.status().streams) == 4
