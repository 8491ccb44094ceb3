"""Text in pictures and around them, through the library: watched, found, told, the same by every executor."""

import json
import sqlite3
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from hippocam.apps import Session
from hippocam.apps.archive.records import ArchiveConfig, ArchiveRequest
from hippocam.apps.archive.run import archive
from hippocam.apps.settings import Settings
from hippocam.models.senses.config import SensesConfig

CARDS = [
    ("Opening remarks", (30, 60, 90)),
    ("", (200, 40, 40)),
    ("Budget 2031", (20, 90, 40)),
    ("", (60, 60, 160)),
]
READING = Settings(senses=SensesConfig(speech="off"))
GOLDEN = Path(__file__).parents[1] / "golden" / "notes"


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """16 s of cards, 4 s each, two with words on them; and a subtitle file beside it."""
    path = tmp_path_factory.mktemp("film") / "talk.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=4)
        stream.width, stream.height, stream.pix_fmt = 480, 270, "yuv420p"
        for text, ground in CARDS:
            picture = np.full((270, 480, 3), ground, np.uint8)
            cv2.putText(picture, text, (30, 150), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (255, 255, 255), 3, cv2.LINE_AA)
            for _ in range(16):
                out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode(None))
    path.with_suffix(".srt").write_text("1\n00:00:05,250 --> 00:00:06,750\nWelcome to the harbour meeting.\n")
    return path


def notes(folder):
    database = sqlite3.connect(folder / "memory.db")
    found = database.execute(
        "SELECT id, stream, kind, t0_s, t1_s, known_s, text FROM note ORDER BY t0_s, text"
    ).fetchall()
    database.close()
    return found


@pytest.fixture(scope="module")
def folder(film, tmp_path_factory):
    folder = tmp_path_factory.mktemp("senses") / "m"
    with Session(folder, encoder="palette", settings=READING) as session:
        session.watch([film])
    return folder


def test_what_is_on_screen_is_noted_with_its_times(folder):
    found = [(kind, t0_s, t1_s, text.replace(" ", "")) for _, _, kind, t0_s, t1_s, _, text in notes(folder)]
    assert found == [
        ("screen", 0.0, 3.0, "Openingremarks"),  # a look a second: until the last one that is sure
        ("subtitle", 5.25, 6.75, "Welcometotheharbourmeeting."),
        ("screen", 8.0, 11.0, "Budget2031"),
    ]


def test_a_question_finds_the_moment_and_the_answer_tells_the_words(folder):
    with Session(folder, settings=READING) as session:
        best = session.search("budget 2031")[0]
        assert (best.t0_s, best.t1_s) == (8.0, 11.0)
        assert best.image
        assert "on screen 0:08" in best.why
        answer = session.ask("When is the harbour meeting mentioned?")
        assert not answer.unknown
        assert 'subtitle 0:05.2 to 0:06.8: "Welcome to the harbour meeting."' in answer.answer
        assert answer.cited == (answer.evidence[0].id,)
        told = session.ask("What is said about the harbour?")
        assert "Welcome to the harbour meeting." in told.answer
        assert session.ask("When does a dragon fly over the castle?").unknown
        early = session.ask("When is the harbour meeting mentioned?", at_s=5.0)
        assert "harbour" not in early.answer


def test_a_setting_switches_reading_off(film, tmp_path):
    off = Settings(senses=SensesConfig(text="off", speech="off"))
    with Session(tmp_path / "m", encoder="palette", settings=off) as session:
        session.watch([film])
    assert [row[2] for row in notes(tmp_path / "m")] == ["subtitle"]


def test_watching_again_adds_nothing(film, folder, tmp_path):
    with Session(tmp_path / "m", encoder="palette", settings=READING) as session:
        session.watch([film])
        session.watch([film])
    assert notes(tmp_path / "m") == notes(folder)


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
def test_ray_writes_the_same_notes(film, folder, tmp_path):
    pytest.importorskip("ray")
    with Session(tmp_path / "m", encoder="palette", settings=READING) as session:
        session.watch([film], executor="ray")
    assert notes(tmp_path / "m") == notes(folder)


def test_an_archive_writes_them_whatever_its_segments_are(film, tmp_path):
    config = tmp_path / "reading.yaml"
    config.write_text('senses: {speech: "off"}')
    found = {}
    for segment_s in (5.0, 60.0):
        root = tmp_path / f"{segment_s}"
        request = ArchiveRequest(
            paths=(str(film),), per="all", encoder="palette", config=str(config), segment_s=segment_s
        )
        report = archive(root, request, ArchiveConfig(executor="local"))
        assert report.archived == 1
        (memory,) = [path.parent for path in root.glob("*/memory.db")]
        found[segment_s] = [(row[2], row[4] - row[3] > 1, row[6].replace(" ", "")) for row in notes(memory)]
    assert found[5.0] == found[60.0]
    assert len(found[60.0]) == 3


@pytest.mark.parametrize("case", sorted(path.stem for path in GOLDEN.glob("*.json")))
def test_what_was_seen_by_eye_is_read(case, shared_data, tmp_path):
    """Frames were looked at by eye; the file says which words stand in them, and at which of them they do not."""
    golden = json.loads((GOLDEN / f"{case}.json").read_text())
    with Session(tmp_path / "m", encoder="palette", settings=READING) as session:
        session.watch([shared_data / golden["video"]])
        for query, (from_s, to_s) in golden["shown"].items():
            best = session.search(query)[0]
            assert best.notes, query
            assert best.notes[0].kind == "screen", query
            assert abs(best.t0_s - from_s) <= golden["tolerance_s"], (query, best.t0_s)
            assert abs(best.t1_s - to_s) <= golden["tolerance_s"], (query, best.t1_s)
        for query in golden["never"]:
            assert session.ask(query).unknown, query
