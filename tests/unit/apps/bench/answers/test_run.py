"""`bench answers` on tiny films whose truth is known: plain colours, told apart by the palette encoder."""

import json
from pathlib import Path

import pytest

from hippocam.apps.bench.answers import memories
from hippocam.apps.bench.answers.figures import ALONE, TOGETHER
from hippocam.apps.bench.answers.films import HALVES, read_films
from hippocam.apps.bench.answers.run import AnswersConfig, name_stream, run
from hippocam.apps.cli.main import main
from hippocam.apps.session import Session
from hippocam.stream.errors import HippocamError

ROOT = Path(__file__).resolve().parents[5]
SCENES = [("red", 12), ("green", 12), ("blue", 12)]


def annotation(video):
    rows = [
        {"type": "when", "question": "When is something green seen?", "truth": "0:12", "evidence": [[12, 24]],
         "timed": "span"},
        {"type": "yes-no", "question": "Was there something blue?", "truth": "yes", "evidence": [[24, 36]]},
        {"type": "yes-no", "question": "Was there something yellow?", "truth": "no", "evidence": [],
         "absent": True},
    ]  # fmt: skip
    questions = [{"id": f"{video}_{number}", **row} for number, row in enumerate(rows)]
    return {"video": f"{video}.mp4", "duration_s": 36.0, "tolerance_s": 1.0, "questions": questions}


@pytest.fixture
def annotated(tmp_path, colour_video, monkeypatch):
    """The folder of questions about two films of the calibrate half, and that of the films."""
    monkeypatch.setattr(memories, "cache_dir", lambda: tmp_path / "cache" / "weights")
    (tmp_path / "questions" / "calibrate").mkdir(parents=True)
    for name in ("wall", "door"):
        colour_video(tmp_path / f"{name}.mp4", SCENES)
        (tmp_path / "questions" / "calibrate" / f"{name}.json").write_text(json.dumps(annotation(name)))
    return tmp_path / "questions", tmp_path


def test_the_memory_and_every_baseline_are_asked_the_same(annotated):
    films = read_films(*annotated)
    result = run(films, AnswersConfig(encoder="palette"), open_session=Session)
    assert result.encoder == "palette:1"
    assert list(result.outcomes)[:2] == [ALONE, TOGETHER]
    assert {len(made) for made in result.outcomes.values()} == {6}
    alone = {o.question.id: o for o in result.outcomes[ALONE]}
    assert alone["wall_1"].verdict.hit
    assert not alone["wall_2"].verdict.hit
    together = {o.question.id: o for o in result.outcomes[TOGETHER]}
    assert together["door_1"].asked == "Was there something blue in door?"
    assert together["door_1"].answer.first.stream == "door/door"
    unseen = [o.verdict.right for o in result.outcomes['always "not seen"']]
    assert unseen == [False, False, True] * 2
    assert all(not o.answer.denies for o in result.outcomes['always "yes"'])
    assert [o.verdict.hit for o in result.outcomes["plain 5 s pieces"]] == [True, True, None] * 2


def test_the_command_writes_the_page_and_the_sheet_and_watches_once(annotated, tmp_path, capsys):
    questions, videos = annotated
    page, sheet = tmp_path / "answers.md", tmp_path / "sheet.csv"
    given = ["--videos", str(videos), "--questions", str(questions), "--half", "calibrate", "--encoder", "palette"]
    given += ["--out", str(page), "--sheet", str(sheet)]
    assert main(["bench", "answers", *given, "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["calibrate"]["figures"][ALONE]["right"][1] == 6
    assert "## Answers, calibrate half" in page.read_text()
    assert len((tmp_path / "sheet-calibrate.csv").read_text().splitlines()) == 13
    kept = {p: p.stat().st_mtime_ns for p in (tmp_path / "cache" / "bench" / "answers").rglob("*.jpg")}
    assert kept
    assert main(["bench", "answers", *given]) == 0
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "cache" / "bench" / "answers").rglob("*.jpg")} == kept


def test_a_stream_is_named_before_the_end_of_a_question():
    assert name_stream("Is there a tree?", "yard") == "Is there a tree in yard?"
    assert name_stream("Summarise the video.", "yard") == "Summarise the video in yard."


def test_without_films_it_says_so(tmp_path):
    with pytest.raises(HippocamError, match="no annotated film"):
        read_films(tmp_path, tmp_path)


def test_our_annotations_can_be_read(shared_data):
    films = read_films(ROOT / "tests" / "golden" / "questions", shared_data)
    assert {film.half for film in films} == set(HALVES)
    questions = [question for film in films for question in film.questions]
    ids = [question.id for question in questions]
    assert len(set(ids)) == len(ids)
    absent = sum(question.absent for question in questions) / len(questions)
    assert 0.2 < absent < 0.4
    for film in films:
        for question in film.questions:
            assert question.absent or question.accept or question.evidence, question.id
            assert all(end <= film.duration_s + 0.5 for _, end in question.evidence), question.id


def test_a_question_that_contradicts_itself_is_refused(tmp_path):
    content = annotation("wall")
    content["questions"][2]["evidence"] = [[1, 2]]
    (tmp_path / "calibrate").mkdir()
    (tmp_path / "calibrate" / "wall.json").write_text(json.dumps(content))
    (tmp_path / "wall.mp4").touch()
    with pytest.raises(HippocamError, match=r"wall\.json.*absent"):
        read_films(tmp_path, tmp_path)
