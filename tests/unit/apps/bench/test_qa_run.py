"""`bench qa` on tiny videos whose truth is known: plain colours, told apart by the palette encoder."""

import json
from dataclasses import replace

import numpy as np
import pytest

from hippocam.apps.bench.qa import pasts, report
from hippocam.apps.bench.qa.files import read_files
from hippocam.apps.bench.qa.pasts import LAST, UNIFORM, FramesPast
from hippocam.apps.bench.qa.run import QaConfig, plan, run
from hippocam.apps.bench.qa.videos import Videos
from hippocam.apps.cli.main import main
from hippocam.apps.session import Session
from hippocam.models import registry
from hippocam.models.errors import ReaderError
from hippocam.models.readers.context import ContextConfig
from hippocam.models.readers.reading import Reading, Sentence
from hippocam.models.registry import make_encoder
from hippocam.stream.errors import HippocamError
from hippocam.stream.records import Embedding

SCENES = [("red", 12), ("green", 12), ("blue", 12), ("red", 12)]
QUESTIONS = {
    "video": "clips/wall.mp4",
    "events": [
        {"start": 0, "end": 12, "text": "something red"},
        {"start": 12, "end": 24, "text": "something green"},
        {"start": 24, "end": 36, "text": "something blue"},
        {"start": 36, "end": 48, "text": "something red"},
    ],
    "qa": [
        {"id": "pick", "type": "colour", "ask_at_s": 23.5, "question": "What was seen?", "answer": "green",
         "options": ["yellow", "blue", "green"]},
        {"id": "yes", "type": "exists", "question": "Was there something blue?", "answer": "Yes",
         "options": ["No", "Yes"]},
        {"id": "no", "type": "exists", "question": "Was there something yellow?", "answer": "No",
         "options": ["No", "Yes"]},
        {"id": "unable", "type": "none", "question": "Which?", "answer": "Unable to answer", "answerable": False,
         "options": ["yellow", "Unable to answer", "pink"]},
        {"id": "often", "type": "count", "question": "How often was something green seen?", "answer": "1",
         "evidence": [[12, 24]]},
    ],
}  # fmt: skip
MANY = ("memory", "last frames", "uniform frames", "captions")


class Speaker:
    """A reader that answers "B", cites the last moment that it is shown, and keeps what it was given."""

    id = "speaker"
    budget = ContextConfig(moments=3, frames=2, live_frames=0)
    contexts: list = []  # noqa: RUF012
    fails = False

    @classmethod
    def from_config(cls, argument, config):
        cls.contexts = []
        return cls()

    def read(self, context, on_token=None):
        if self.fails:
            raise ReaderError("no server answers: start it")
        self.contexts.append(context)
        ids = tuple(shown.id for shown in context.shown[-1:])
        return Reading(
            sentences=(Sentence(text="B.", evidence_ids=ids),),
            unknown=not ids,
            given=context.given,
            prompt="x" * 30,
        )


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    return tmp_path_factory.mktemp("videos")


@pytest.fixture
def asked(videos, colour_video, tmp_path):
    """The folder of videos, and that of questions about them."""
    (videos / "clips").mkdir(exist_ok=True)
    if not (videos / "clips" / "wall.mp4").exists():
        colour_video(videos / "clips" / "wall.mp4", SCENES)
    questions = tmp_path / "questions"
    questions.mkdir()
    (questions / "wall.json").write_text(json.dumps(QUESTIONS))
    (questions / "absent.json").write_text(json.dumps(["something yellow", "something pink"]))
    return videos, questions


@pytest.fixture
def speaker(monkeypatch):
    named = registry._named
    monkeypatch.setattr(registry, "_named", lambda k, t, n: (Speaker, "") if n == "speaker" else named(k, t, n))
    monkeypatch.setattr(Speaker, "fails", False)
    return Speaker


@pytest.fixture
def result(asked):
    videos, questions = asked
    return run(
        read_files([questions]), Videos(videos), QaConfig(encoder="palette", budget_mb=2), open_session=Session
    )


def outcomes(result, name="memory"):
    return {o.item.id: o for o in result.outcomes[name]}


def test_the_memory_and_every_baseline_answer_the_same_questions(result):
    assert tuple(result.outcomes) == MANY
    assert len({tuple(o.item.id for o in made) for made in result.outcomes.values()}) == 1
    assert (result.videos, result.encoder, result.reader, result.left_out) == (1, "palette:1", "extractive", 0)
    assert 0 < result.memory_bytes < 2e6
    assert result.watched_s == pytest.approx(48, abs=1)


def test_moments_are_found_and_stand_beside_chance(result):
    memory, last = result.summaries[0], result.summaries[1]
    assert (memory.r1.value, memory.r1.count) == (1, 4)
    assert memory.iou.value > 0.4
    assert 0 < memory.r1.chance < 0.9
    assert last.r1.value < 1  # the newest frames are all red


def test_options_are_chosen_by_belief_with_the_extractive_reader(result):
    made = outcomes(result)
    assert {name: made[name].choice for name in ("pick", "yes", "no", "unable")} == {
        "pick": 2, "yes": 1, "no": 0, "unable": 1,
    }  # fmt: skip
    assert result.summaries[0].accuracy.value == 1
    assert result.summaries[0].accuracy.chance == pytest.approx((1 / 3 + 1 / 2 + 1 / 2 + 1 / 3) / 4)
    assert outcomes(result, LAST)["yes"].choice == 0  # blue is past


def test_a_count_is_matched_and_absent_things_give_no_evidence(result):
    made = outcomes(result)
    assert "once" in made["often"].answer
    assert made["often"].score == 1
    assert not any(made[f"wall/absent/{k}"].false_evidence for k in (1, 2))
    early = made["wall/event/3/before"]
    assert (early.item.asked_at_s, early.item.answerable, early.false_evidence) == (22, False, False)
    assert result.summaries[0].false_evidence.value == 0
    assert result.summaries[0].false_evidence.count == 2 + 2 + 1


def test_nothing_later_than_the_question_is_used(result):
    for name in MANY:
        for made in result.outcomes[name]:
            at_s = made.item.asked_at_s
            assert at_s is None or all(end_s <= at_s for _, end_s, _ in made.moments)


def test_the_plan_asks_what_no_clip_shows_of_every_local_video(asked):
    _, questions = asked
    files = read_files([questions])
    assert len(plan(files)["clips/wall.mp4"]) == 3 + 5 + 2 + 2
    assert len(plan(files, too_early=False)["clips/wall.mp4"]) == 3 + 5 + 2
    assert len(plan(files, limit=1)["clips/wall.mp4"]) == 1 + 1
    with pytest.raises(HippocamError, match="name one of these too"):
        plan(read_files([questions / "absent.json"]))
    with pytest.raises(HippocamError, match="several questions have the id"):
        plan([*files, *files])


def test_a_reader_with_a_model_gets_options_pictures_and_the_budget(asked, speaker):
    videos, questions = asked
    config = QaConfig(reader="speaker", encoder="palette", budget_mb=2, too_early=False)
    result = run(read_files([questions / "wall.json"]), Videos(videos), config, open_session=Session)
    made = outcomes(result)
    assert (made["yes"].choice, made["pick"].choice) == (1, 1)
    assert made["yes"].answer.startswith("B [")
    prompts = {context.question for context in speaker.contexts}
    assert "Was there something blue?\nA. No\nB. Yes\nAnswer with the letter of one option." in prompts
    for summary in result.summaries:
        assert (summary.frames > 0) == (summary.name != "captions")
        assert summary.frames <= 2
        assert summary.tokens >= 10
    assert all(len(outcome.moments) <= 3 for outcome in result.outcomes[UNIFORM])
    # What is looked up is the question alone: options would lead the search astray.
    assert made["yes"].moments[0][0] == pytest.approx(24, abs=1)


def test_a_reader_that_fails_ends_the_run(asked, speaker, monkeypatch):
    monkeypatch.setattr(speaker, "fails", True)
    videos, questions = asked
    with pytest.raises(HippocamError, match="no server answers"):
        run(
            read_files([questions]),
            Videos(videos),
            QaConfig(reader="speaker", encoder="palette"),
            open_session=Session,
        )


def frames_past(name, count, seconds=10):
    vector = np.eye(12, dtype=np.float32)[0]
    frames = [Embedding(stream="v", seq=k, time_s=float(k), vector=vector) for k in range(seconds)]
    return FramesPast(name=name, frames=frames, count=count, period_s=1.0, encoder=make_encoder("palette"))


def times(past, at_s):
    return [frame.time_s for frame in past.chosen(at_s)]


def test_baselines_take_the_newest_frames_or_frames_at_equal_distances():
    assert times(frames_past(LAST, 3), None) == [7, 8, 9]
    assert times(frames_past(LAST, 3), 4.5) == [2, 3, 4]
    assert times(frames_past(UNIFORM, 3), None) == [1, 5, 8]
    assert times(frames_past(UNIFORM, 3), 1) == [0, 1]
    assert frames_past(UNIFORM, 3).find("red", -1, 5) == ()


def test_a_frame_stands_for_the_time_until_the_next_and_ends_with_the_question():
    found = frames_past(LAST, 2).find("red", 4.5, 5)
    assert sorted((e.t0_s, e.t1_s) for e in found) == [(3, 4), (4, 4.5)]


def test_words_alone_are_weighed_as_in_recall():
    entry = frames_past(LAST, 1).find("red", None, 1)[0]
    worded = replace(entry, text="a blue wall", sentence="a cup")
    assert pasts._worded(worded, ["blue", "wall"]) == pytest.approx(0.9)
    assert pasts._worded(worded, ["blue", "cup"]) == pytest.approx(1 - (1 - 0.9 / 4) * (1 - 0.15))
    assert pasts._worded(worded, []) == 0


def test_the_report_states_counts_chance_and_budget(result, tmp_path):
    text = report.table(result)
    assert (
        "12 questions about 1 videos (48 s), watched once at 1 frames a second into memories of at most 2 MB"
        in text
    )
    assert "| memory | 1.00 (0.42) |" in text
    values = json.loads(report.to_json(result))
    assert set(values["by"]) == set(MANY)
    assert values["by"]["memory"]["accuracy"]["value"] == 1
    report.write_outcomes(tmp_path / "a.jsonl", result)
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert len(rows) == 4 * 12
    assert {"by", "id", "question", "answer", "score", "moments"} <= set(rows[0])


def test_the_command_writes_a_section_json_and_keeps_memories(asked, tmp_path, capsys):
    videos, questions = asked
    out, answers, kept = tmp_path / "B.md", tmp_path / "a.jsonl", tmp_path / "kept"
    line = ["bench", "qa", str(questions), "--videos", str(videos), "--encoder", "palette", "--budget-mb", "2"]
    line += ["--out", str(out), "--answers", str(answers), "--memories", str(kept), "--json"]
    assert main(line) == 0
    first = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert first["by"]["memory"]["accuracy"]["value"] == 1
    section = out.read_text()
    assert "## Questions (absent, local), encoder palette:1, reader extractive" in section
    assert "--encoder palette --budget-mb 2`" in section  # and not where memories and answers went
    assert len(answers.read_text().splitlines()) == 48
    assert [path.name for path in kept.iterdir()] == ["clips_wall.mp4"]
    assert main([*line, "--no-baselines"]) == 0
    second = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert list(second["by"]) == ["memory"]
    assert second["by"]["memory"]["r1"] == first["by"]["memory"]["r1"]


def test_the_command_scores_predictions_alone(tmp_path, capsys):
    (tmp_path / "q.json").write_text(json.dumps(QUESTIONS))
    (tmp_path / "p.json").write_text(json.dumps({"pick": "C", "yes": "B", "often": "twice"}))
    line = ["bench", "qa", str(tmp_path / "q.json"), "--predictions", str(tmp_path / "p.json"), "--json"]
    assert main(line) == 0
    printed = capsys.readouterr().out.splitlines()
    assert "| accuracy | 50.00 |" in printed
    assert json.loads(printed[-1])["free match"] == 0


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ([], "--videos DIR is needed"),
        (["--videos", "{tmp}"], "none of the 1 videos is there"),
        (["--videos", "{tmp}/none"], "no such folder"),
        (["--videos", "{tmp}", "--limit", "0"], "--limit must be 1 or more"),
        (["{tmp}/q.json", "--predictions", "{tmp}/q.json"], "one question file, found 2"),
    ],
)
def test_wrong_use_is_told_in_one_line(tmp_path, capsys, more, message):
    (tmp_path / "q.json").write_text(json.dumps(QUESTIONS))
    line = ["bench", "qa", str(tmp_path / "q.json"), *(part.format(tmp=tmp_path) for part in more)]
    assert main(line) == 2
    assert message in capsys.readouterr().err
