"""Times of day without a date on streams that count from 1970, and dates on those that count from their start."""

from __future__ import annotations

import io
import json
import sys
from datetime import UTC, datetime

import numpy as np
import pytest

from hippocam.apps.cli.main import main
from hippocam.apps.session import Session
from hippocam.memory.memory import Memory
from hippocam.models.registry import make_encoder
from hippocam.stream.errors import HippocamError
from hippocam.stream.timecode import parse_time

LIVE_S = datetime(2026, 11, 29, 16, 49).timestamp()  # on this machine's clock
RED, BLUE = "#ff0000", "#0000ff"


@pytest.fixture
def folder(tmp_path, frames_of):
    """A live camera of two minutes from 16:49 on, and a recording of 20 s."""
    encoder = make_encoder("palette")
    vectors = np.random.default_rng(1).normal(size=(140, encoder.spec.dim)).astype(np.float32)
    with Memory.open_writer(tmp_path / "m", encoder="palette", spec=encoder.spec) as memory:
        for stream, start_s, seconds in (("gate", LIVE_S, 120), ("film", 0.0, 20)):
            memory.begin(stream, uri=f"/x/{stream}.mp4")
            memory.write(
                frames_of(
                    stream, [(start_s + t, vectors[t // 5 + (0 if start_s else 100)]) for t in range(seconds)]
                )
            )
            memory.finish(stream)
    return tmp_path / "m"


def held(folder, stream):
    with Session(folder) as session:
        return {s.id: s.entries for s in session.status().streams}[stream]


@pytest.mark.parametrize(
    ("times", "first", "last"),
    [
        (["--after", "16:49:50"], 50, 120),
        (["--after", "16:50"], 60, 120),
        (["--before", "16:50:00"], 0, 60),
        (["--after", "16:49:30", "--before", "16:50"], 30, 60),
        (["--after", "16:50", "--before", "17:00"], 60, 120),
    ],
)
def test_a_time_of_day_is_that_of_the_last_day_that_has_it(folder, times, first, last, capsys):
    assert (
        main(["search", "red", "--top", "1000", *times, "--stream", "gate", "--memory", str(folder), "--json"])
        == 0
    )
    found = json.loads(capsys.readouterr().out)["moments"]
    assert found
    assert all(m["t1_s"] > LIVE_S + first and m["t0_s"] < LIVE_S + last for m in found)
    assert main(["forget", *times, "--stream", "gate", "--yes", "--memory", str(folder)]) == 0
    with Session(folder) as session:
        left = session.search("red", stream="gate", top=1000)
    assert all(m.t1_s <= LIVE_S + first or m.t0_s >= LIVE_S + last for m in left)
    assert bool(left) == (last - first < 120)
    assert held(folder, "film") > 0


def test_a_time_that_today_has_not_yet_is_yesterdays(tmp_path, frames_of):
    encoder = make_encoder("palette")
    vectors = np.random.default_rng(1).normal(size=(48, encoder.spec.dim)).astype(np.float32)
    with Memory.open_writer(tmp_path / "m", encoder="palette", spec=encoder.spec) as memory:
        memory.begin("gate", uri="/x/gate.mp4")
        memory.write(frames_of("gate", [(LIVE_S - 86400 + 1800 * k, vectors[k]) for k in range(48)]))
        memory.finish("gate")
    with Session(tmp_path / "m") as session:
        for said, day in (("15:00", 0), ("17:00", -1)):
            after_s = parse_time(said)
            wanted_s = parse_time(f"2026-11-{29 + day} {said}")
            found = session.search("red", top=100, after_s=after_s)
            assert found == session.search("red", top=100, after_s=wanted_s)
            assert 0 < len(found) < 48


@pytest.mark.parametrize("command", [["forget", "--yes"], ["search", "red"], ["ask", "was it red?"]])
def test_a_time_of_either_kind_is_refused_with_both_written_out(folder, command, capsys):
    before = held(folder, "gate"), held(folder, "film")
    assert main([*command, "--after", "16:49:50", "--memory", str(folder)]) == 2
    said = capsys.readouterr().err
    assert "16:49:50 in film, or 2026-11-29 16:49:50 in gate?" in said
    assert (held(folder, "gate"), held(folder, "film")) == before


@pytest.mark.parametrize("command", [["forget", "--yes"], ["search", "red"], ["ask", "was it red?"]])
@pytest.mark.parametrize("which", [[], ["--stream", "gate"]])
def test_seconds_are_no_time_of_day(folder, command, which, capsys):
    before = held(folder, "gate")
    assert main([*command, "--after", "59390", *which, "--memory", str(folder)]) == 2
    said = capsys.readouterr().err
    assert "has no date" in said
    assert "YYYY-MM-DD" in said
    assert held(folder, "gate") == before


def test_as_if_it_ended_then(folder, capsys):
    assert main(["search", "red", "--at", "16:50", "--stream", "gate", "--memory", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["moments"]
    assert found
    assert all(m["t1_s"] <= LIVE_S + 60 for m in found)
    assert main(["entities", "--at", "16:50", "--memory", str(folder)]) == 2
    assert "name the stream, or write the date" in capsys.readouterr().err


def test_a_time_needs_a_yes_where_nobody_can_be_asked(folder, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    before = held(folder, "gate")
    assert main(["forget", "--stream", "gate", "--after", "16:50", "--memory", str(folder)]) == 2
    said = capsys.readouterr()
    assert "2026-11-29 16:50:00 to 2026-11-29 16:50:59" in said.out
    assert "--yes" in said.err
    assert held(folder, "gate") == before


def test_entries_are_pinned_by_time_of_day(folder, capsys):
    at = ["--stream", "gate", "--memory", str(folder)]
    with Session(folder) as session:
        meant = {e.id for e in session.search("red", stream="gate", top=1000, after_s=LIVE_S + 60)}
    assert main(["pin", "--after", "16:50", *at, "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["entries"]) == meant
    with Memory.open_reader(folder) as memory:
        assert sum(slot.pinned for slot in memory.store.entries.slots()) == len(meant)
    assert main(["unpin", "--after", "16:50", *at]) == 0
    assert main(["pin", "--after", "2026-11-29 17:50", *at]) == 2
    assert "nothing of that time is held" in capsys.readouterr().err
    for wrong in ([], [min(meant), "--stream", "gate"]):
        assert main(["pin", *wrong, "--memory", str(folder)]) == 2
        assert "name entries, or a stream" in capsys.readouterr().err


def test_a_date_is_no_time_of_a_recording(folder):
    with Session(folder) as session:
        for stream in (None, "film"):
            with pytest.raises(HippocamError, match="is a date, and film counts from its start"):
                session.forget(stream=stream, before_s=LIVE_S + 60)
    assert held(folder, "film") > 0


def test_with_a_date_what_is_told_is_what_goes(folder, capsys):
    with Session(folder) as session:
        before = {e.id for e in session.search("red", stream="gate", top=1000)}
        going = {e.id for e in session.search("red", stream="gate", top=1000, after_s=LIVE_S + 60)}
    command = [
        "forget",
        "--stream",
        "gate",
        "--after",
        "2026-11-29 16:50:00",
        "--memory",
        str(folder),
        "--json",
        "--yes",
    ]
    assert main(command) == 0
    said = capsys.readouterr()
    assert json.loads(said.out) == {**json.loads(said.out), "entries": len(going)}
    assert said.err == (
        f"to be deleted: {len(going)} entries of gate, 2026-11-29 16:50:00 to 2026-11-29 16:50:59\n"
    )
    with Session(folder) as session:
        assert {e.id for e in session.search("red", stream="gate", top=1000)} == before - going


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("reply", "goes"), [("\n", False), ("n\n", False), ("", False), ("y\n", True), ("Yes\n", True)]
)
def test_on_a_terminal_it_asks(folder, reply, goes, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", Terminal(reply))
    assert main(["forget", "--stream", "film", "--memory", str(folder)]) == (0 if goes else 1)
    said = capsys.readouterr()
    assert said.out.startswith("to be deleted: 4 entries of film, 0:00 to 0:19\n")
    assert ("forgot 4 entries" in said.out) == goes
    with Session(folder) as session:
        assert ("film" not in [s.id for s in session.status().streams]) == goes


def test_who_says_yes_is_not_asked(folder, monkeypatch):
    monkeypatch.setattr(sys, "stdin", Terminal(""))
    assert main(["forget", "--stream", "film", "--yes", "--memory", str(folder)]) == 0


def test_dates_in_questions(folder):
    with Session(folder) as session:
        found = session.ask("When was it red after 2026-11-29 16:50:30?", stream="gate")
        assert found.evidence
        assert all(moment.t1_s > LIVE_S + 90 for moment in found.evidence)
        assert session.ask("Was it red on 2026-11-29?", stream="gate").evidence
        missed = session.ask("Was it red on 2026-11-28?", stream="gate")
        assert (missed.evidence, missed.not_seen) == ((), True)
        assert (
            "nothing was watched from 2026-11-28 00:00:00 to 2026-11-29 00:00:00, but gate from" in missed.answer
        )
        assert session.ask("Was it red at 0:12?", stream="film").evidence
        assert all(
            moment.t1_s > LIVE_S + 55 and moment.t0_s < LIVE_S + 125
            for moment in session.ask("Was it red at 16:50?", stream="gate").evidence
        )
        assert {moment.stream for moment in session.ask("Was it red at 16:50?").evidence} == {"gate"}
        # of a recording beside it the time is one, and then nothing of the camera is meant
        assert {moment.stream for moment in session.ask("Was it red after 0:03?").evidence} == {"film"}


def test_a_time_that_may_be_one_of_a_recording_or_of_the_day_is_refused_with_both_written_out(tmp_path, frames_of):
    encoder = make_encoder("palette")
    vectors = np.random.default_rng(1).normal(size=(8, encoder.spec.dim)).astype(np.float32)
    with Memory.open_writer(tmp_path / "m", encoder="palette", spec=encoder.spec) as memory:
        for stream, start_s in (("gate", LIVE_S), ("film", 950.0)):
            memory.begin(stream, uri=f"/x/{stream}.mp4")
            memory.write(frames_of(stream, [(start_s + 40 * t, vectors[t]) for t in range(8)]))
            memory.finish(stream)
    with Session(tmp_path / "m") as session:
        with pytest.raises(
            HippocamError, match="'after 16:50' may be 16:50 in film or 2026-11-29 16:50:00 in gate"
        ):
            session.ask("Was it red after 16:50?")
        assert {m.stream for m in session.ask("Was it red in film after 16:50?").evidence} == {"film"}


@pytest.mark.parametrize("times", [(10.0, 5.0), (5.0, 5.0)])
def test_a_stretch_that_ends_before_it_begins_deletes_nothing(folder, times):
    with Session(folder) as session:
        before = [(one.id, one.entries) for one in session.opened.memories().streams()]
        with pytest.raises(HippocamError, match="no time is after 0:"):
            session.forget(stream="film", after_s=times[0], before_s=times[1])
    with Memory.open_reader(folder) as memory:
        assert [(one.id, one.entries) for one in memory.streams()] == before
        assert any(one.stream == "film" for one in memory.store.summaries.every(None))


def test_a_distance_from_utc_is_taken_with_a_time_of_day_where_times_are_dates(folder, capsys):
    """Both hours of one name can be meant, at the end of summer time, wherever a time is typed."""
    live = ["--stream", "gate", "--memory", str(folder), "--json", "--top", "1000"]
    utc = datetime.fromtimestamp(LIVE_S + 60, UTC).strftime("%H:%M:%SZ")
    assert main(["search", "red", "--after", utc, *live]) == 0
    found = json.loads(capsys.readouterr().out)["moments"]
    assert found
    assert min(moment["t1_s"] for moment in found) > LIVE_S + 60
    assert main(["search", "red", "--after", "00:05+01:00", "--stream", "film", "--memory", str(folder)]) == 2
    assert "counts from its start, in no time zone" in capsys.readouterr().err


def test_what_is_exported_of_a_time_of_day_is_what_was_there_then(folder, tmp_path, capsys):
    command = ["export", "--stream", "gate", "--after", "16:49:30", "--before", "16:50", "--no-pictures"]
    command += ["--memory", str(folder)]
    assert main([*command, "--out", str(tmp_path / "e.csv")]) == 0
    rows = [line.split(",") for line in (tmp_path / "e.csv").read_text().splitlines()[1:]]
    spans = [(float(row[1]) - LIVE_S, float(row[2]) - LIVE_S) for row in rows]
    assert spans
    assert all(t1_s > 30 and t0_s < 60 for t0_s, t1_s in spans)
    assert main([*command, "--out", str(tmp_path / "e.jsonl")]) == 0
    lines = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text().splitlines()]
    looked = [line for line in lines if line.get("kind") == "looked"]
    assert looked
    assert all(30 <= line["t0_s"] - LIVE_S <= line["t1_s"] - LIVE_S <= 60 for line in looked)
    taken = ["import", str(tmp_path / "e.jsonl"), "--memory", str(tmp_path / "again"), "--encoder", "palette"]
    assert main(taken) == 0
    assert held(tmp_path / "again", "gate") == len({row[3] for row in rows})
    both = ["export", "--after", "16:50", "--memory", str(folder), "--out", str(tmp_path / "both.csv")]
    assert main(both) == 2  # of the film it may be 16 minutes
    assert "16:50" in capsys.readouterr().err
    assert not (tmp_path / "both.csv").exists()
